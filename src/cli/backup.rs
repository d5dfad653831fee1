//! `casework backup`: copy the workspace while it is in use.

use std::path::PathBuf;

use serde_json::json;

use super::out::done;
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A new directory for the copy
    directory: PathBuf,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.open()?;
    let bytes = workspace.backup(&args.directory)?;
    let place = args.directory.display().to_string();
    let words = format!(
        "Copied to {place} ({} MB). Opened with --workspace {place}, it goes on as a device of its own.",
        bytes.div_ceil(1_000_000)
    );
    done(context.global.json, &words, &json!({ "path": place, "bytes": bytes }))?;
    Ok(Exit::Done)
}
