//! `casework queue`: the cases that are yours to label, in the order they are due.

use serde::Serialize;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::clock;
use crate::db::case::{CaseRow, Direction, QueueKey};
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible};
use crate::domain::time::short_span;
use crate::review::{Filter, Queue, QueueCounts};
use crate::workspace::WorkError;

const PAGE: usize = 500;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only cases that fit: words of the text, flag:…, label:…, stream:…, model:…, id:…
    filter: Vec<String>,
    /// Cases of this state, labeled or not: open, disputed, resolved
    #[arg(long, value_parser = ["open", "disputed", "resolved"])]
    state: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Say why the queue holds what it holds
    #[arg(long)]
    explain: bool,
}

#[derive(Serialize)]
pub struct QueueLine<'c> {
    case: CaseId,
    id: &'c str,
    stream: &'c str,
    state: &'static str,
    due: String,
    flags: &'c [String],
    text: &'c str,
}

impl<'c> QueueLine<'c> {
    pub fn of(case: &'c CaseRow) -> Self {
        let CaseRow { id, own, stream, state, due, flags, text, .. } = case;
        Self { case: *id, id: own, stream, state: state.word(), due: due.rfc3339(), flags, text }
    }
}

/// A case in one line of words.
pub fn words(case: &CaseRow) -> String {
    let flags = case.flags.join(", ");
    let text = visible(&case.text).into_owned();
    let wait = case.due.0 - clock::now().0;
    let due = if wait < 0 { format!("-{}", short_span(wait)) } else { short_span(wait) };
    format!("{}  {due:>5}  {:<8}  {:<22}  {}", case.id.short(), case.state.word(), fit(&flags, 22), fit(&text, 90))
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.open()?;
    let (queue, counts) = workspace.queue()?;
    if args.explain {
        return explain(context, &queue.reviewer, counts, workspace.policy()?.overlap);
    }
    let conn = &workspace.db.conn;
    let queue = match args.state.as_deref() {
        Some(word) => {
            let state = CaseState::ALL.into_iter().find(|state| state.word() == word).unwrap_or(CaseState::Open);
            Queue::of_state(conn, &workspace.me, state, clock::now()).map_err(WorkError::from)?
        }
        None => queue,
    };
    let filter = Filter::parse(&args.filter.join(" "));
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut out = Out::new();
    let mut shown = 0;
    let mut show = |case: &CaseRow| {
        shown += 1;
        if context.global.json { out.json(&QueueLine::of(case)) } else { out.line(&words(case)) }
    };
    if filter.is_empty() {
        let mut from = QueueKey::FIRST;
        let mut left = limit;
        while left > 0 {
            let page = queue.page(conn, from, Direction::Forward, PAGE.min(left)).map_err(WorkError::from)?;
            let Some(last) = page.last() else { break };
            from = last.key();
            left -= page.len();
            page.iter().try_for_each(&mut show)?;
        }
    } else {
        let cases = queue.filtered(conn, &filter, || false).map_err(WorkError::from)?;
        cases.iter().take(limit).try_for_each(&mut show)?;
    }
    out.finish()?;
    if shown == 0 && !context.global.json {
        say("Nothing here. `casework queue --explain` says why.");
    }
    Ok(if shown == 0 { Exit::No } else { Exit::Done })
}

fn explain(context: &Context, reviewer: &str, counts: QueueCounts, overlap: u32) -> Result<Exit, CliError> {
    let mut out = Out::new();
    let QueueCounts { open, disputed, resolved, labeled, deferred } = counts;
    if context.global.json {
        out.json(&serde_json::json!({
            "reviewer": reviewer, "mine": counts.mine(), "total": counts.total(), "labeled": labeled, "deferred": deferred,
            "disputed": disputed, "resolved": resolved,
        }))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    out.line(&format!("{:>9}  in the queue of {reviewer}", counts.mine()))?;
    out.line(&format!("{labeled:>9}  open, and labeled by {reviewer} already (each case wants {overlap})"))?;
    out.line(&format!("{deferred:>9}  put off by {reviewer}"))?;
    out.line(&format!("{disputed:>9}  disputed: enough labels, and they differ"))?;
    out.line(&format!("{resolved:>9}  resolved"))?;
    out.line(&format!("{:>9}  cases in all ({open} open)", counts.total()))?;
    out.finish()?;
    Ok(Exit::Done)
}
