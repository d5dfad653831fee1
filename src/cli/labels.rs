//! `casework labels`: every label that counts.

use serde::Serialize;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::cues::Seen;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{AFTER_OTHERS, GivenLabel, Outcome, Step, outcome_words};
use crate::domain::protocol::{Places, Span};
use crate::review::sight::left_out;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Those too that their reviewers replaced since
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct LabelLine<'l> {
    case: CaseId,
    /// What the stream calls it.
    id: Option<String>,
    reviewer: &'l str,
    author: &'l str,
    round: &'l str,
    protocol: &'l str,
    version: u32,
    path: &'l [Step],
    outcome: &'l Outcome,
    confidence: Option<u8>,
    tags: &'l [String],
    rationale: &'l str,
    evidence: &'l [Span],
    evidence_in: &'l Places,
    cites: &'l [CaseId],
    seen: Option<&'l Seen>,
    after_others: bool,
    at: String,
    duration_ms: Option<u64>,
    event: EventId,
    counts: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let mut out = Out::new();
    let mut shown = 0_usize;
    let left = workspace.labels_seen(|given, counts| {
        let is_shown = args.all || counts;
        shown += usize::from(is_shown);
        match is_shown {
            true if context.global.json => {
                let id = workspace.id_in_stream(given.label.case)?;
                Ok(out.json(&line_of(given, id, counts))?)
            }
            true => print(&mut out, given, counts).map_err(CliError::from),
            false => Ok(()),
        }
    })?;
    out.finish()?;
    if let Some(words) = left_out(left, "labels") {
        say(&words);
    } else if shown == 0 {
        say("No label was given here yet.");
    }
    Ok(Exit::Done)
}

fn line_of(given: &GivenLabel, id: Option<String>, counts: bool) -> LabelLine<'_> {
    let label = &given.label;
    LabelLine {
        case: label.case,
        id,
        reviewer: &label.reviewer,
        author: &given.author,
        round: &label.round,
        protocol: &label.protocol.id,
        version: label.protocol.version,
        path: &label.path,
        outcome: &label.outcome,
        confidence: label.confidence,
        tags: &label.tags,
        rationale: &label.rationale,
        evidence: &label.evidence,
        evidence_in: &label.evidence_in,
        cites: &label.cites,
        seen: label.seen.as_ref(),
        after_others: label.after_others,
        at: given.given_at().rfc3339(),
        duration_ms: label.duration_ms,
        event: given.event,
        counts,
    }
}

fn print(out: &mut Out, given: &GivenLabel, counts: bool) -> std::io::Result<()> {
    let label = &given.label;
    let (at, words) = (given.given_at().minute(), outcome_words(&label.outcome));
    let by =
        given.imported_by().map(|author| format!("  (imported by {author})")).unwrap_or_default();
    let by = if counts { by } else { format!("{by}  (replaced since)") };
    let by = if label.after_others { format!("{by}  ({AFTER_OTHERS})") } else { by };
    out.line(&format!(
        "{}  {at}  {:<10} {words}{by}  {}",
        label.case.short(),
        label.reviewer,
        label.rationale
    ))
}
