//! `casework protocol`: check, show and publish protocols.

use std::path::PathBuf;

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::protocol::Protocol;
use crate::domain::text::visible;
use crate::workspace::WorkError;
use crate::workspace::documents::read_protocol;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Prove that every path of a protocol file ends and sets what it must
    Check { file: PathBuf },
    /// Show a protocol file, or the protocols that are published
    Show { file: Option<PathBuf> },
    /// Publish a protocol file as the next version
    Publish {
        file: PathBuf,
        /// What changed
        #[arg(long, value_name = "TEXT", default_value = "")]
        changes: String,
    },
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.what {
        What::Check { file } => {
            // A protocol can be checked anywhere; where there is a workspace, its terms are checked too.
            let glossary = context.read().ok().and_then(|workspace| workspace.protocols().ok()).map(|all| all.glossary);
            let protocol = or_faults(context.global.json, read_protocol(file, glossary.as_ref()))?;
            let document = json!({ "ok": true, "id": protocol.id, "hash": protocol.hash(), "faults": [] });
            done(context.global.json, &format!("{} is sound: {}", file.display(), counts(&protocol)), &document)?;
            if glossary.is_none() && protocol.questions.iter().any(|question| !question.terms.is_empty()) {
                say("Its terms were not looked up: there is no workspace with a glossary here.");
            }
            Ok(Exit::Done)
        }
        What::Show { file: Some(file) } => show(context, &[(read_protocol(file, None)?, 0)]),
        What::Show { file: None } => {
            let protocols = context.read()?.protocols()?;
            let all: Vec<_> = protocols.published.into_iter().map(|one| (one.protocol, one.reference.version)).collect();
            show(context, &all)
        }
        What::Publish { file, changes } => {
            let mut workspace = context.open()?;
            let glossary = workspace.protocols()?.glossary;
            let protocol = read_protocol(file, Some(&glossary))?;
            let version = workspace.publish_protocol(&protocol, changes)?;
            let document = json!({ "id": protocol.id, "version": version, "hash": protocol.hash() });
            done(context.global.json, &format!("{} v{version} is published: {}", protocol.id, counts(&protocol)), &document)?;
            Ok(Exit::Done)
        }
    }
}

fn counts(protocol: &Protocol) -> String {
    let (questions, labels) = (protocol.questions.len(), protocol.labels.len());
    format!("{questions} questions, {labels} labels, at most {} answers to an end", protocol.longest_path())
}

fn show(context: &Context, protocols: &[(Protocol, u32)]) -> Result<Exit, CliError> {
    let mut out = Out::new();
    for (protocol, version) in protocols {
        if context.global.json {
            out.json(&json!({
                "id": protocol.id, "title": protocol.title, "version": version, "hash": protocol.hash(),
                "questions": protocol.questions.iter().map(|question| &question.id).collect::<Vec<_>>(),
                "labels": protocol.labels, "required": protocol.required, "source": protocol.source,
            }))?;
            continue;
        }
        if *version > 0 {
            out.line(&format!("v{version}"))?;
        }
        for line in protocol.outline().lines() {
            out.raw(&format!("{}\n", visible(line)))?;
        }
    }
    out.finish()?;
    if protocols.is_empty() {
        return Err(WorkError::NoProtocol("any".to_owned()).into());
    }
    Ok(Exit::Done)
}
