//! `casework search`: cases whose text has some words.

use super::out::Out;
use super::queue::{QueueLine, words};
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words; the last may be unfinished
    #[arg(required = true)]
    text: Vec<String>,
    /// At most this many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let cases = workspace.search(&args.text.join(" "), args.limit)?;
    let mut out = Out::new();
    for case in &cases {
        if context.global.json {
            out.json(&QueueLine::of(case))?;
        } else {
            out.line(&words(case, workspace.now()))?;
        }
    }
    out.finish()?;
    Ok(if cases.is_empty() { Exit::No } else { Exit::Done })
}
