//! `casework outcome`: what turned out to be right, from the systems that know it.

use std::path::PathBuf;

use serde_json::json;

use super::deploy::rejected;
use super::out::{done, say};
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Take in JSON lines: id, trace_id or case; observed_at; truth, right or value
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where it is known from, where lines do not say
        #[arg(long)]
        source: Option<String>,
        /// Of which stream the ids are, where lines do not say and there are several
        #[arg(long)]
        stream: Option<String>,
    },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let What::Import { file, source, stream } = what;
    let made = context.open()?.import_outcomes(file, source.as_deref(), stream.as_deref())?;
    let document = json!({ "read": made.read, "taken": made.taken, "duplicate": made.known, "unknown": made.unknown,
        "rejected": made.rejects.len(), "rejects": rejected(&made.rejects) });
    let mut words = format!("{} outcomes taken in", made.taken);
    if made.known > 0 {
        words.push_str(&format!(", {} said before", made.known));
    }
    if made.unknown > 0 {
        words.push_str(&format!(", {} of predictions that are no cases here", made.unknown));
    }
    done(context.global.json, &words, &document)?;
    for (line, reason) in made.rejects.iter().take(20) {
        say(&format!("line {line} is rejected: {reason}"));
    }
    if made.rejects.len() > 20 {
        say(&format!("… and {} more", made.rejects.len() - 20));
    }
    // As for ingest: nothing at all could be used.
    let none_good = made.read > 0 && made.rejects.len() as u64 == made.read;
    Ok(if none_good { Exit::No } else { Exit::Done })
}
