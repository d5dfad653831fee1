//! `casework search`: cases whose text has some words.

use super::out::{Out, say};
use super::queue::{QueueLine, words};
use super::{CliError, Context, Exit};
use crate::domain::cues::Cue;

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
    let hides_flags = workspace.policy()?.hide.iter().any(|hiding| hiding.cue == Cue::Flags);
    for mut case in cases.iter().cloned() {
        if hides_flags {
            case.flags.clear();
        }
        let case = &case;
        if context.global.json {
            out.json(&QueueLine::of(case))?;
        } else {
            out.line(&words(case, workspace.now()))?;
        }
    }
    out.finish()?;
    if cases.is_empty() && !context.global.json {
        say("No case has all of these words.");
    }
    Ok(if cases.is_empty() { Exit::No } else { Exit::Done })
}
