//! `casework glossary`: check, show and publish the terms that questions use.

use std::path::PathBuf;

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::workspace::documents::read_glossary;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Check a glossary file
    Check { file: PathBuf },
    /// Show the published terms
    Show { term: Option<String> },
    /// Publish a glossary file as the next version
    Publish { file: PathBuf },
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.what {
        What::Check { file } => {
            let glossary = or_faults(context.global.json, read_glossary(file))?;
            let terms = glossary.terms.len();
            let words = format!("{} is sound: {terms} terms", file.display());
            done(context.global.json, &words, &json!({ "ok": true, "terms": terms, "faults": [] }))?;
            Ok(Exit::Done)
        }
        What::Publish { file } => {
            let glossary = read_glossary(file)?;
            let version = context.open()?.publish_glossary(&glossary)?;
            let words = format!("glossary v{version} is published: {} terms", glossary.terms.len());
            done(context.global.json, &words, &json!({ "version": version, "terms": glossary.terms.len() }))?;
            Ok(Exit::Done)
        }
        What::Show { term } => {
            let glossary = context.read()?.protocols()?.glossary;
            let wanted = |id: &str| term.as_deref().is_none_or(|term| term == id);
            let mut out = Out::new();
            let mut found = false;
            for term in glossary.terms.iter().filter(|term| wanted(&term.id)) {
                found = true;
                if context.global.json {
                    let definition = &term.definition;
                    out.json(&json!({ "id": term.id, "name": term.name, "definition": definition, "examples": term.examples, "see": term.see }))?;
                } else {
                    out.line(&format!("{:<20} {}: {}", term.id, term.name, term.definition))?;
                }
            }
            out.finish()?;
            Ok(if found { Exit::Done } else { Exit::No })
        }
    }
}
