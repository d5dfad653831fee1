//! `casework changelog`: why and how each retraining happened, from the journal.

use super::out::page;
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    page(context.global.json, &context.read()?.changelog()?)?;
    Ok(Exit::Done)
}
