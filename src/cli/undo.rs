//! `casework undo`: take back your latest label. The journal keeps both.

use super::out::say;
use super::{CliError, Context, Exit};
use crate::domain::label::outcome_words;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let (given, _) = workspace.undo()?;
    say(&format!("Took back: {} {}. The case is open again.", given.label.case.short(), outcome_words(&given.label.outcome)));
    Ok(Exit::Done)
}
