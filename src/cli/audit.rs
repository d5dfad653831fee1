//! `casework audit`: a bundle that outsiders check with stock tools.

use std::path::PathBuf;

use serde_json::json;

use super::out::{done, say};
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Write journal, keys, payload hashes, roster and protocols, with a script that checks them
    Export {
        /// A new directory
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let What::Export { out } = what;
    let workspace = context.read()?;
    let entries = workspace.audit(out)?;
    let place = out.display().to_string();
    let words = format!(
        "{entries} entries written to {place}. Anybody checks them with: bash {place}/check.sh"
    );
    done(
        context.global.json,
        &words,
        &json!({ "path": place, "entries": entries, "workspace": workspace.id()? }),
    )?;
    if !context.global.json {
        say(
            "It holds no input, log or neighbour of any case; rationales and comments are in the journal.",
        );
    }
    Ok(Exit::Done)
}
