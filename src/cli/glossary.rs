//! `casework glossary`: check, show and publish the terms that questions use.

use std::path::PathBuf;

use super::out::{Out, say};
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
            say(&format!("{} is sound: {} terms", file.display(), read_glossary(file)?.terms.len()));
            Ok(Exit::Done)
        }
        What::Publish { file } => {
            let glossary = read_glossary(file)?;
            let version = context.open()?.publish_glossary(&glossary)?;
            say(&format!("glossary v{version} is published: {} terms", glossary.terms.len()));
            Ok(Exit::Done)
        }
        What::Show { term } => {
            let glossary = context.open()?.protocols()?.glossary;
            let wanted = |id: &str| term.as_deref().is_none_or(|term| term == id);
            let mut out = Out::new();
            let mut found = false;
            for term in glossary.terms.iter().filter(|term| wanted(&term.id)) {
                found = true;
                if context.global.json {
                    let definition = &term.definition;
                    out.json(&serde_json::json!({ "id": term.id, "name": term.name, "definition": definition, "examples": term.examples, "see": term.see }))?;
                } else {
                    out.line(&format!("{:<20} {}: {}", term.id, term.name, term.definition))?;
                }
            }
            out.finish()?;
            Ok(if found { Exit::Done } else { Exit::No })
        }
    }
}
