//! `casework import labels`: take in labels that were given elsewhere.

use std::path::PathBuf;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::intake::labels::{FORMATS, ImportSummary};
use crate::workspace::read_file;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Labels of cases that are in this workspace, in the name of a lead
    Labels {
        file: PathBuf,
        /// jsonl: lines with case, reviewer and path
        #[arg(long, value_name = "F")]
        format: String,
    },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let What::Labels { file, format } = what;
    if !FORMATS.iter().any(|(name, _)| name == format) {
        let known: Vec<String> =
            FORMATS.iter().map(|(name, about)| format!("{name} ({about})")).collect();
        return Err(CliError::Use(format!("no format `{format}`: there is {}", known.join(", "))));
    }
    let text = read_file(file)?;
    let mut workspace = context.open()?;
    told(context.global.json, &workspace.import_labels(&text)?)
}

/// Says what an import did.
pub fn told(json: bool, summary: &ImportSummary) -> Result<Exit, CliError> {
    // As for ingest: nothing at all could be used.
    let exit = if summary.rejected > 0 && summary.rejected == summary.read {
        Exit::No
    } else {
        Exit::Done
    };
    let mut out = Out::new();
    if json {
        out.json(summary)?;
        out.finish()?;
        return Ok(exit);
    }
    let (imported, duplicate, rejected) = (summary.imported, summary.duplicate, summary.rejected);
    out.line(&format!(
        "{} read: {imported} imported, {duplicate} here already, {rejected} rejected",
        summary.read
    ))?;
    out.finish()?;
    for reject in summary.rejects.iter().take(10) {
        say(&format!("  line {}: {}", reject.line, reject.reason));
    }
    if rejected > 10 {
        say(&format!("  … and {} more; --json lists them", rejected - 10));
    }
    Ok(exit)
}
