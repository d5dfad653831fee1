//! `casework labels`: every label that counts.

use serde::Serialize;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::db::label;
use crate::domain::cues::Seen;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, Outcome, Step, outcome_words};
use crate::domain::protocol::Span;
use crate::workspace::WorkError;

#[derive(Debug, clap::Args)]
pub struct Args {}

#[derive(Serialize)]
struct LabelLine<'l> {
    case: CaseId,
    reviewer: &'l str,
    round: &'l str,
    protocol: &'l str,
    version: u32,
    path: &'l [Step],
    outcome: &'l Outcome,
    confidence: Option<u8>,
    tags: &'l [String],
    rationale: &'l str,
    evidence: &'l [Span],
    cites: &'l [CaseId],
    seen: Option<&'l Seen>,
    at: String,
    duration_ms: Option<u64>,
    event: EventId,
}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let (hidden, me) = (workspace.hidden_rounds()?, workspace.me.clone());
    let mut out = Out::new();
    let mut result = Ok(());
    label::for_each(&workspace.db.conn, |row| {
        // What is hidden in a session is its author's alone.
        let shown = !hidden.contains(&row.given.label.round) || row.given.label.reviewer == me;
        if row.withdrawn.is_none() && result.is_ok() && shown {
            result = print(&mut out, context.global.json, &row.given);
        }
    })
    .map_err(WorkError::from)?;
    result?;
    out.finish()?;
    Ok(Exit::Done)
}

fn print(out: &mut Out, json: bool, given: &GivenLabel) -> std::io::Result<()> {
    let label = &given.label;
    if json {
        return out.json(&LabelLine {
            case: label.case,
            reviewer: &label.reviewer,
            round: &label.round,
            protocol: &label.protocol.id,
            version: label.protocol.version,
            path: &label.path,
            outcome: &label.outcome,
            confidence: label.confidence,
            tags: &label.tags,
            rationale: &label.rationale,
            evidence: &label.evidence,
            cites: &label.cites,
            seen: label.seen.as_ref(),
            at: given.given_at().rfc3339(),
            duration_ms: label.duration_ms,
            event: given.event,
        });
    }
    let (at, words) = (given.given_at().minute(), outcome_words(&label.outcome));
    out.line(&format!("{}  {at}  {:<10} {words}  {}", label.case.short(), label.reviewer, label.rationale))
}
