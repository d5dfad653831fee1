//! `casework changelog`: why and how each retraining happened, from the journal.

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let text = context.read()?.changelog()?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "markdown": text }))?;
    } else {
        text.lines().try_for_each(|line| out.line(line))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
