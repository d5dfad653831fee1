//! `casework formats`: what is read and written, and what has no place in it.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::text::wrap;
use crate::format::kind::told;
use crate::format::log::KINDS;

/// Columns that lines of it have, behind their indent.
const COLUMNS: usize = 76;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One of them
    name: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut all = told();
    if let Some(name) = &args.name {
        let known: Vec<&str> = all.iter().map(|told| told.name).collect();
        if !known.contains(&name.as_str()) {
            return Err(CliError::Use(format!(
                "no format `{name}`: there is {}",
                known.join(", ")
            )));
        }
        all.retain(|told| told.name == name);
    }
    let mut out = Out::new();
    for told in &all {
        let does = [(told.cases, "ingest"), (told.labels, "import labels"), (told.rows, "export")];
        let does: Vec<&str> =
            does.iter().filter(|(yes, _)| *yes).map(|(_, words)| *words).collect();
        if context.global.json {
            out.json(&json!({ "format": told.name, "about": told.about, "ingest": told.cases,
                "import": told.labels, "export": told.rows, "built": told.built, "no_place_for": told.not }))?;
            continue;
        }
        let built = if told.built { "" } else { " (not in this build: --features parquet)" };
        out.line(&format!("{}: {}{built}", told.name, does.join(", ")))?;
        let not = (!told.not.is_empty()).then(|| format!("no place for: {}", told.not));
        for words in std::iter::once(told.about.clone()).chain(not) {
            for line in wrap(&words, COLUMNS) {
                out.line(&format!("  {line}"))?;
            }
        }
    }
    out.finish()?;
    if args.name.is_none() && !context.global.json {
        let logs: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        say(&format!(
            "Logs for ingest --logs: lines of text, JSON and logfmt, and {}.",
            logs.join(", ")
        ));
        say(
            "Around any of them: gzip, zstd, bzip2, zip, folders, UTF-8 and UTF-16, other encodings by --encoding.",
        );
    }
    Ok(Exit::Done)
}
