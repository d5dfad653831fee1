//! `casework glossary`: check, show and publish the terms that questions use.

use std::path::PathBuf;

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::cli::protocol::starter;
use crate::domain::glossary::{Finding, Glossary, Term};
use crate::domain::protocol::Protocol;
use crate::domain::time::Moment;
use crate::review::Protocols;
use crate::workspace::create::STARTER_GLOSSARY;
use crate::workspace::documents::read_glossary;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Find terms that are undefined, unused or overdue, in a file or as published; ends with 1 if
    /// there are any
    Check { file: Option<PathBuf> },
    /// Show the published terms, or one with all that belongs to it
    Show { term: Option<String> },
    /// Print the terms that casework ships, or those of one of its protocols: text, llm or fraud
    Starter { name: Option<String> },
    /// Publish a glossary file as the next version
    Publish { file: PathBuf },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Check { file } => check(context, file.as_deref()),
        What::Publish { file } => {
            let glossary = read_glossary(file)?;
            let version = context.open()?.publish_glossary(&glossary)?;
            let words = format!("glossary v{version} is published: {} terms", glossary.terms.len());
            done(
                context.global.json,
                &words,
                &json!({ "version": version, "terms": glossary.terms.len() }),
            )?;
            Ok(Exit::Done)
        }
        What::Starter { name } => {
            let text = match name {
                Some(name) => starter(name)?.glossary(),
                None => STARTER_GLOSSARY.to_owned(),
            };
            let mut out = Out::new();
            out.raw(&text)?;
            out.finish()?;
            Ok(Exit::Done)
        }
        What::Show { term } => show(context, term.as_deref()),
    }
}

fn check(context: &Context, file: Option<&std::path::Path>) -> Result<Exit, CliError> {
    let (glossary, name, protocols, now) = match file {
        Some(file) => {
            let glossary = or_faults(context.global.json, read_glossary(file))?;
            // A file can be checked anywhere; where there is a workspace, it is checked beside its
            // protocols.
            let workspace = context.read().ok();
            let now =
                workspace.as_ref().map_or_else(crate::clock::now, |workspace| workspace.now());
            let protocols = workspace.and_then(|workspace| workspace.protocols().ok());
            (glossary, file.display().to_string(), protocols, now)
        }
        None => {
            let workspace = context.read()?;
            let protocols = workspace.protocols()?;
            (
                protocols.glossary.clone(),
                format!("glossary v{}", protocols.glossary_version),
                Some(protocols),
                workspace.now(),
            )
        }
    };
    let findings = findings(&glossary, protocols.as_ref(), now);
    let terms = glossary.terms.len();
    let list: Vec<_> = findings
        .iter()
        .map(|one| json!({ "finding": one.as_str(), "what": one.to_string() }))
        .collect();
    let document =
        json!({ "ok": findings.is_empty(), "terms": terms, "findings": list, "faults": [] });
    if findings.is_empty() {
        done(context.global.json, &format!("{name} is sound: {terms} terms"), &document)?;
        return Ok(Exit::Done);
    }
    let mut out = Out::new();
    if context.global.json {
        out.json(&document)?;
    }
    for finding in findings.iter().filter(|_| !context.global.json) {
        out.line(&format!("{:<9}  {finding}", finding.as_str()))?;
    }
    out.finish()?;
    Ok(Exit::No)
}

/// Without protocols nothing can be said about use.
fn findings(glossary: &Glossary, protocols: Option<&Protocols>, now: Moment) -> Vec<Finding> {
    let in_force = protocols.map(Protocols::in_force).unwrap_or_default();
    let in_force: Vec<&Protocol> =
        in_force.into_iter().map(|published| &published.protocol).collect();
    let mut findings = glossary.findings(&in_force, now.date());
    findings.retain(|finding| protocols.is_some() || !matches!(finding, Finding::Unused { .. }));
    findings
}

fn show(context: &Context, wanted: Option<&str>) -> Result<Exit, CliError> {
    let protocols = context.read()?.protocols()?;
    let mut out = Out::new();
    let mut found = false;
    for term in protocols.glossary.terms.iter().filter(|term| wanted.is_none_or(|id| id == term.id))
    {
        found = true;
        if context.global.json {
            let Term {
                id,
                name,
                definition,
                examples,
                counter_examples,
                synonyms,
                see,
                owner,
                review_by,
            } = term;
            out.json(&json!({ "id": id, "name": name, "definition": definition, "examples": examples,
                "counter_examples": counter_examples, "synonyms": synonyms, "see": see, "owner": owner,
                "review_by": review_by, "used": protocols.uses(id) }))?;
            continue;
        }
        out.line(&format!("{:<20} {}: {}", term.id, term.name, term.definition))?;
        if wanted.is_some() {
            for (word, text) in protocols.term_details(term) {
                out.line(&format!("  {word:<18} {text}"))?;
            }
        }
    }
    out.finish()?;
    Ok(if found { Exit::Done } else { Exit::No })
}
