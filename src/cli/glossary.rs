//! `casework glossary`: check, show and publish the terms that questions use.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::cli::protocol::{number, starter};
use crate::domain::glossary::{Finding, Glossary, Term};
use crate::domain::glossary_diff::diff;
use crate::domain::protocol::Protocol;
use crate::domain::text::counted;
use crate::domain::time::Moment;
use crate::review::Protocols;
use crate::review::glossary::PublishedGlossary;
use crate::workspace::Workspace;
use crate::workspace::create::STARTER_GLOSSARY;
use crate::workspace::documents::read_glossary;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Find terms that are undefined, unused, overdue or owned by nobody here, in a file or as
    /// published; ends with 1 if there are any
    Check { file: Option<PathBuf> },
    /// Show the published terms, or one with all that belongs to it
    Show { term: Option<String> },
    /// Print the terms that casework ships, or those of one of its protocols: text, llm or fraud
    Starter { name: Option<String> },
    /// Publish a glossary file as the next version
    Publish {
        file: PathBuf,
        /// What changed, in a line; without it, the changes that `diff` finds
        #[arg(long, value_name = "TEXT", default_value = "")]
        changes: String,
    },
    /// Say what changed from one version to another: numbers of published versions, or files
    Diff { old: String, new: String },
    /// List the published versions: when, by whom, and what changed
    History,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Check { file } => check(context, file.as_deref()),
        What::Publish { file, changes } => {
            let glossary = read_glossary(file)?;
            let mut workspace = context.open()?;
            let before = workspace.protocols()?.glossary_version;
            let version = workspace.publish_glossary(&glossary, changes)?;
            let terms = glossary.terms.len();
            let words = if version == before {
                format!("glossary v{version} is published already, as it stands there")
            } else {
                format!("glossary v{version} is published: {}", counted(terms, "term"))
            };
            let people = people(&workspace)?;
            let document = json!({ "version": version, "terms": terms });
            done(context.global.json, &words, &document)?;
            let mut findings =
                glossary.findings(&[], workspace.now().date(), |name| people.contains(name));
            findings.retain(|finding| matches!(finding, Finding::Unowned { .. }));
            findings.iter().for_each(|finding| say(&format!("{finding}.")));
            Ok(Exit::Done)
        }
        What::Diff { old, new } => {
            // Files can be compared anywhere.
            let published = context.read().and_then(|workspace| Ok(workspace.glossaries()?));
            let published = published.unwrap_or_default();
            let words = diff(&find(&published, old)?, &find(&published, new)?);
            let mut out = Out::new();
            if context.global.json {
                out.json(&json!({ "changes": words }))?;
            }
            words.iter().filter(|_| !context.global.json).try_for_each(|line| out.line(line))?;
            out.finish()?;
            if words.is_empty() {
                say("Nothing changed that matters to a reader.");
            }
            Ok(if words.is_empty() { Exit::No } else { Exit::Done })
        }
        What::History => {
            let published = context.read()?.glossaries()?;
            let mut out = Out::new();
            for one in &published {
                let PublishedGlossary { version, glossary, changes, author, at } = one;
                let terms = glossary.terms.len();
                if context.global.json {
                    out.json(&json!({ "version": version, "at": at.rfc3339(), "who": author, "author": author,
                        "terms": terms, "changes": changes }))?;
                } else {
                    let at = at.minute();
                    out.line(&format!(
                        "v{version:<4} {at}  {author:<16} {terms:>4} terms  {changes}"
                    ))?;
                }
            }
            out.finish()?;
            Ok(if published.is_empty() { Exit::No } else { Exit::Done })
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

/// A published version by its number, or a file.
fn find(published: &[PublishedGlossary], name: &str) -> Result<Glossary, CliError> {
    let Some(version) = number(name) else { return Ok(read_glossary(Path::new(name))?) };
    let found = published.iter().find(|one| one.version == version);
    let known: Vec<String> = published.iter().map(|one| one.version.to_string()).collect();
    found.map(|one| one.glossary.clone()).ok_or_else(|| {
        CliError::Use(match known.is_empty() {
            true => format!("no glossary is published here, so there is no version {version}"),
            false => {
                format!("the glossary has no version {version}: there is {}", known.join(", "))
            }
        })
    })
}

/// Everybody with a role: who may own a term.
fn people(workspace: &Workspace) -> Result<BTreeSet<String>, CliError> {
    Ok(workspace.roster_now()?.into_iter().map(|grant| grant.name).collect())
}

fn check(context: &Context, file: Option<&Path>) -> Result<Exit, CliError> {
    let (glossary, name, protocols, now, people) = match file {
        Some(file) => {
            let glossary = or_faults(context.global.json, read_glossary(file))?;
            // A file can be checked anywhere; where there is a workspace, it is checked beside its
            // protocols.
            let workspace = context.read().ok();
            let now =
                workspace.as_ref().map_or_else(crate::clock::now, |workspace| workspace.now());
            let people = workspace.as_ref().and_then(|workspace| people(workspace).ok());
            let protocols = workspace.and_then(|workspace| workspace.protocols().ok());
            (glossary, file.display().to_string(), protocols, now, people)
        }
        None => {
            let workspace = context.read()?;
            let protocols = workspace.protocols()?;
            (
                protocols.glossary.clone(),
                format!("glossary v{}", protocols.glossary_version),
                Some(protocols),
                workspace.now(),
                Some(people(&workspace)?),
            )
        }
    };
    let works = |name: &str| people.as_ref().is_none_or(|people| people.contains(name));
    let findings = findings(&glossary, protocols.as_ref(), now, works);
    let terms = glossary.terms.len();
    let list: Vec<_> = findings
        .iter()
        .map(|one| json!({ "finding": one.as_str(), "what": one.to_string() }))
        .collect();
    let document =
        json!({ "ok": findings.is_empty(), "terms": terms, "findings": list, "faults": [] });
    if findings.is_empty() {
        done(
            context.global.json,
            &format!("{name} is sound: {}", counted(terms, "term")),
            &document,
        )?;
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
fn findings(
    glossary: &Glossary,
    protocols: Option<&Protocols>,
    now: Moment,
    works: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let in_force = protocols.map(Protocols::in_force).unwrap_or_default();
    let in_force: Vec<&Protocol> =
        in_force.into_iter().map(|published| &published.protocol).collect();
    let mut findings = glossary.findings(&in_force, now.date(), works);
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
