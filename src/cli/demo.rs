//! `casework demo`: an invented model, stream, logs and reviewers, to try everything on.

use std::path::PathBuf;

use super::{CliError, Context};
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make the workspace
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do the journey without a terminal, and print it
    #[arg(long)]
    headless: bool,
}

pub fn run(_context: &Context, _args: &Args) -> Result<Option<Workspace>, CliError> {
    Err(CliError::Use("later".into()))
}
