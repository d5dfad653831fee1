//! `casework gold`: cases whose right answer is known, for training and for measuring.

use std::path::PathBuf;

use serde_json::json;

use super::import::told;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::label::outcome_words;
use crate::workspace::read_file;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Make your own label of a case, or what it was ruled, the known answer
    Set {
        case: String,
        /// Take the ruling that stands, with its reason
        #[arg(long)]
        ruling: bool,
        /// Said to whoever answers otherwise
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Take known answers from JSON lines: case, path (or the fields it sets), why
    Import { file: PathBuf },
    /// A case has no known answer any longer
    Drop { case: String },
    /// List the known answers
    List,
    /// List who went through a training, and how it went
    Trained,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Set { case, ruling, why } => {
            let mut workspace = context.open()?;
            let row = workspace.find_case_to_change(case)?;
            let (saved, what) = if *ruling {
                (workspace.set_gold_by_ruling(row.id, why)?, "the ruling")
            } else {
                (workspace.set_gold(row.id, why)?, "your label")
            };
            let event = saved.event();
            let words = format!("{}: {what} is a gold item now.", row.id.short());
            done(
                context.global.json,
                &words,
                &json!({ "case": row.id, "id": row.external_id, "event": event }),
            )?;
            Ok(Exit::Done)
        }
        What::Import { file } => {
            let text = read_file(file)?;
            told(context.global.json, &context.open()?.import_gold(&text)?)
        }
        What::Drop { case } => {
            let mut workspace = context.open()?;
            let row = workspace.find_case_to_change(case)?;
            let event = workspace.drop_gold(row.id)?.event();
            done(
                context.global.json,
                &format!("{}: no longer known.", row.id.short()),
                &json!({ "case": row.id, "id": row.external_id, "event": event }),
            )?;
            Ok(Exit::Done)
        }
        What::List => {
            let workspace = context.read()?;
            let mut out = Out::new();
            let all = workspace.known_answers()?;
            for one in &all {
                if context.global.json {
                    let mut document = serde_json::to_value(one).map_err(std::io::Error::other)?;
                    document["id"] = workspace.id_in_stream(one.case)?.into();
                    out.json(&document)?;
                } else {
                    let protocol = format!("{} v{}", one.protocol.id, one.protocol.version);
                    out.line(&format!(
                        "{}  {protocol:<24} {}  {}",
                        one.case.short(),
                        outcome_words(&one.outcome),
                        one.why
                    ))?;
                }
            }
            out.finish()?;
            if all.is_empty() {
                say("No case is a gold item yet: casework gold set CASE --answer QUESTION=VALUE….");
                return Ok(Exit::No);
            }
            Ok(Exit::Done)
        }
        What::Trained => {
            let workspace = context.read()?;
            let mut out = Out::new();
            let all = workspace.trainings()?;
            for one in &all {
                let (right, of) = (one.right(), one.attempts.len());
                if context.global.json {
                    out.json(&json!({ "reviewer": one.reviewer, "protocol": one.protocol.id, "version": one.protocol.version,
                        "right": right, "of": of, "passed": one.passed }))?;
                } else {
                    let passed = if one.passed { "passed" } else { "not passed" };
                    let protocol = format!("{} v{}", one.protocol.id, one.protocol.version);
                    out.line(&format!(
                        "{:<16} {protocol:<24} {right} of {of} right, {passed}",
                        one.reviewer
                    ))?;
                }
            }
            out.finish()?;
            if all.is_empty() {
                say("Nobody trained on gold items yet: casework train PROTOCOL.");
                return Ok(Exit::No);
            }
            Ok(Exit::Done)
        }
    }
}
