//! `casework queue`: the cases that are yours to label, in the order they are due.

use serde::Serialize;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::assign::{CaseLoad, Turn};
use crate::domain::cues::Cue;
use crate::domain::ids::CaseId;
use crate::domain::policy::Policy;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible};
use crate::domain::time::{Moment, short_span};
use crate::review::value::Worth;
use crate::review::{CaseRow, Direction, QueueKey};
use crate::review::{Filter, QueueCounts};
use crate::workspace::Workspace;

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
    /// Cases that want something of you beside the queue: a question about your label, an answer
    /// that a new version asks, what a peer escalated
    #[arg(long, conflicts_with_all = ["state", "explain"])]
    renew: bool,
    /// Cases that you deferred, the next to come back first
    #[arg(long, conflicts_with_all = ["state", "explain", "renew", "shares", "escalated"])]
    deferred: bool,
    /// Cases that somebody escalated and that wait to be settled
    #[arg(long, conflicts_with_all = ["state", "explain", "renew", "shares"])]
    escalated: bool,
    /// Whose the open cases are, beside everybody's share by capacity, and who labeled how much
    /// this week
    #[arg(long, conflicts_with_all = ["explain", "renew", "state"])]
    shares: bool,
    /// Say whose turn a case is, and why
    #[arg(long, value_name = "CASE", conflicts_with = "explain")]
    why: Option<String>,
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
        let CaseRow { id, external_id, stream, state, due, flags, text, .. } = case;
        Self {
            case: *id,
            id: external_id,
            stream,
            state: state.as_str(),
            due: due.rfc3339(),
            flags,
            text,
        }
    }
}

/// A case in one line of words.
pub fn words(case: &CaseRow, now: Moment) -> String {
    let flags = case.flags.join(", ");
    let text = if case.text.is_empty() {
        "(no text)".to_owned()
    } else {
        visible(&case.text).into_owned()
    };
    let wait = case.due.0 - now.0;
    let due = if wait < 0 { format!("-{}", short_span(wait)) } else { short_span(wait) };
    format!(
        "{}  {due:>5}  {:<8}  {:<22}  {}",
        case.id.short(),
        case.state.as_str(),
        fit(&flags, 22),
        fit(&text, 90)
    )
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    if let Some(name) = &args.why {
        return why(context, &workspace, name);
    }
    if args.shares {
        return shares(context, &workspace);
    }
    if args.explain {
        let (queue, counts) = workspace.queue()?;
        let reviews =
            queue.share.candidates().iter().any(|candidate| candidate.name == queue.reviewer);
        return explain(context, &queue.reviewer, counts, &workspace.policy()?, reviews);
    }
    let (queue, _) = workspace.quick_queue()?;
    let queue = match args.state.as_deref() {
        Some(word) => {
            let state = CaseState::ALL
                .into_iter()
                .find(|state| state.as_str() == word)
                .unwrap_or(CaseState::Open);
            workspace.queue_of(Some(state), workspace.now())?
        }
        None => queue,
    };
    let filter = Filter::parse(&args.filter.join(" "));
    let hide = workspace.policy()?.hide;
    if let Some(cue) = filter.asks_hidden(&hide) {
        return Err(CliError::Use(format!(
            "the policy hides the {}: the queue can't be narrowed by it",
            cue.as_str()
        )));
    }
    let hides_flags = hide.iter().any(|hiding| hiding.cue == Cue::Flags);
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut out = Out::new();
    let mut shown = 0;
    let mut show = |case: &CaseRow| {
        shown += 1;
        let case = &CaseRow {
            flags: if hides_flags { Vec::new() } else { case.flags.clone() },
            ..case.clone()
        };
        if context.global.json {
            out.json(&QueueLine::of(case))
        } else {
            out.line(&words(case, workspace.now()))
        }
    };
    let listed = match (args.renew, args.deferred, args.escalated) {
        (true, ..) => Some(workspace.worklist()?),
        (_, true, _) => Some(workspace.deferred()?),
        (.., true) => Some(workspace.escalated()?),
        _ => None,
    };
    if let Some(cases) = listed {
        cases
            .iter()
            .filter(|case| filter.is_empty() || filter.matches(case))
            .take(limit)
            .try_for_each(&mut show)?;
    } else if filter.is_empty() {
        let mut from = QueueKey::FIRST;
        let mut left = limit;
        // Of many it is found out at once which are whose.
        if limit > PAGE {
            workspace.know_queue(&queue)?;
        }
        while left > 0 {
            let page = workspace.queue_page(&queue, from, Direction::Forward, PAGE.min(left))?;
            let Some(last) = page.last() else { break };
            from = last.key();
            page.iter().take(left).try_for_each(&mut show)?;
            left = left.saturating_sub(page.len());
        }
    } else {
        let cases = workspace.queue_filtered(&queue, &filter, || false)?;
        cases.iter().take(limit).try_for_each(&mut show)?;
    }
    out.finish()?;
    if shown == 0 && !context.global.json {
        say(match (args.renew, args.deferred, args.escalated) {
            (true, ..) => "Nothing is asked of you beside the queue.",
            (_, true, _) => "You deferred no case.",
            (.., true) => "No case is escalated.",
            _ => "Nothing here. `casework queue --explain` says why.",
        });
    }
    Ok(if shown == 0 { Exit::No } else { Exit::Done })
}

/// The order of those who may label a case.
fn why(context: &Context, workspace: &Workspace, name: &str) -> Result<Exit, CliError> {
    let found = workspace.find_case(name)?;
    let case = workspace.listed_case(found.id)?.unwrap_or(found);
    let (queue, _) = workspace.quick_queue()?;
    let idle = workspace.idle(&queue, &case)?;
    // What is mixed in to measure looks like any other that waits.
    let mixed = workspace.is_mixed_in(case.id)?;
    // What is left to learn of a case tells what others said of it.
    let untold = case.labels > 0 && !workspace.blind_to([case.id])?.is_empty();
    let worth = if untold { None } else { workspace.worth(&queue, &case)? };
    let (work, now) = (CaseLoad { idle: &idle, ..case.work() }, queue.heard);
    let labeled = workspace.counted_by(&case)?;
    let gave = |name: &str| labeled.iter().any(|who| who == name);
    let gone: Vec<&str> = labeled.iter().map(String::as_str).collect();
    let (wanted, widened) = queue.share.places(&work, now);
    let mut out = Out::new();
    let mut mine = false;
    let rows: Vec<(String, &str)> = queue
        .share
        .order(&work, now)
        .into_iter()
        .map(|candidate| {
            let state = match queue.share.turn(&candidate.name, &work, &gone, now) {
                _ if mixed && candidate.name == workspace.me => {
                    "may label it: among the first in its order"
                }
                _ if mixed => "not yet: comes later in its order",
                _ if gave(&candidate.name) => "has labeled it",
                Turn::First => "may label it: among the first in its order",
                Turn::Others if !untold && idle.contains(&candidate.name) => {
                    "not yet: a label of theirs would hardly teach anything"
                }
                Turn::Widened(_) => "may label it as a stand-by: its time runs out",
                Turn::Others | Turn::Cannot => "not yet: comes later in its order",
            };
            mine |= candidate.name == workspace.me && state.starts_with("may");
            (candidate.name.clone(), state)
        })
        .collect();
    if context.global.json {
        let order: Vec<_> = rows
            .iter()
            .map(|(name, state)| serde_json::json!({ "reviewer": name, "state": state }))
            .collect();
        out.json(&serde_json::json!({ "case": case.id, "id": case.external_id, "state": case.state.as_str(), "wanted": wanted,
            "widened": widened, "language": case.language, "needs": case.needs, "mine": mine, "order": order,
            "worth": worth.map(|worth| serde_json::json!({ "value": worth.value(), "gain": worth.gain, "cases": worth.cases, "need": worth.need,
                "teaches": worth.teaches })) }))?;
    } else {
        out.line(&format!(
            "{}  {}  {}, due {}",
            case.id.short(),
            case.external_id,
            case.state.as_str(),
            case.due.minute()
        ))?;
        if !case.language.is_empty() || !case.needs.is_empty() {
            let takes: Vec<&str> = std::iter::once(case.language.as_str())
                .chain(case.needs.iter().map(String::as_str))
                .collect();
            out.line(&format!("          takes {}", takes.join(", ").trim_start_matches(", ")))?;
        }
        if let Some(worth) = worth {
            out.line(&worth_words(&worth))?;
        }
        for (place, (name, state)) in rows.iter().enumerate() {
            out.line(&format!("{:>8}  {name:<16} {state}", place + 1))?;
        }
    }
    out.finish()?;
    Ok(if mine { Exit::Done } else { Exit::No })
}

/// What a label of yours is worth, in words.
fn worth_words(worth: &Worth) -> String {
    let cases = match worth.cases {
        1 => String::new(),
        n => format!(", of {n} cases with this text"),
    };
    let teaches = if worth.teaches { "; reviewers are known by it, so it comes first" } else { "" };
    let need = match worth.need {
        need if need > 1.0 => {
            format!("; the last gate did not pass on its kind: {need:.0} times the worth")
        }
        _ => String::new(),
    };
    let gain = worth.gain * 100.0;
    format!(
        "          a label of yours is expected to make {gain:.0} % surer{cases}{need}{teaches}"
    )
}

/// How work is shared: the open cases whose next label is somebody's, and what they gave this week.
/// Weeks are in the hash, so that neighbours rotate.
fn shares(context: &Context, workspace: &Workspace) -> Result<Exit, CliError> {
    let rows = workspace.shares()?;
    let open: usize = rows.iter().map(|row| row.open).sum();
    let mut out = Out::new();
    if !context.global.json {
        out.line(&format!(
            "{:<16} {:>8} {:>10} {:>6} {:>10} {:>8} {:>10}",
            "reviewer", "capacity", "a week", "share", "fair share", "open", "this week"
        ))?;
    }
    for row in &rows {
        let fair = row.part * open as f64;
        if context.global.json {
            out.json(&serde_json::json!({ "reviewer": row.reviewer, "capacity": row.capacity, "pace": row.pace, "part": row.part, "fair": fair, "open": row.open,
                "this_week": row.this_week, "with": row.with }))?;
        } else {
            out.line(&format!(
                "{:<16} {:>8} {:>10} {:>5.1}% {fair:>10.1} {:>8} {:>10}",
                row.reviewer,
                row.capacity,
                row.pace.map_or_else(|| "-".to_owned(), |pace| format!("{pace:.1}")),
                row.part * 100.0,
                row.open,
                row.this_week
            ))?;
        }
    }
    if !context.global.json {
        // The week of its detection is part of what draws a case's order.
        if let Some(founder) = workspace.idle_founder()? {
            out.line(&format!(
                "{founder} founded the workspace and gave no label so far: the others share the work."
            ))?;
        }
        let next = Moment(workspace.now().monday().0 + 7 * 86_400_000);
        let words = format!(
            "Cases of another week are shared in another order; the next begins in {}.",
            short_span(next.0 - workspace.now().0)
        );
        out.line(&words)?;
        for row in rows.iter().filter(|row| !row.with.is_empty()) {
            let with: Vec<String> =
                row.with.iter().map(|(name, n)| format!("{name} {n}")).collect();
            out.line(&format!(
                "  {:<14} shares open cases with {}",
                row.reviewer,
                with.join(", ")
            ))?;
        }
    }
    out.finish()?;
    Ok(if rows.is_empty() { Exit::No } else { Exit::Done })
}

fn explain(
    context: &Context,
    reviewer: &str,
    counts: QueueCounts,
    policy: &Policy,
    reviews: bool,
) -> Result<Exit, CliError> {
    let mut out = Out::new();
    let QueueCounts {
        open, disputed, resolved, labeled, deferred, others, beyond, widened, ..
    } = counts;
    if context.global.json {
        out.json(&serde_json::json!({
            "reviewer": reviewer, "mine": counts.mine(), "total": counts.total(), "labeled": labeled, "deferred": deferred,
            "others": others, "beyond": beyond, "widened": widened, "disputed": disputed, "resolved": resolved,
        }))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let overlap = policy.overlap;
    let late = if widened > 0 {
        format!(", {widened} of them as a stand-by: their time runs out")
    } else {
        String::new()
    };
    out.line(&format!("{:>9}  in the queue of {reviewer}{late}", counts.mine()))?;
    out.line(&format!(
        "{others:>9}  open, and others' for now: each goes to {overlap} of those who review"
    ))?;
    let why = match (reviews, policy.training.required) {
        _ if counts.leaves_to_others => {
            "they founded the workspace and gave no label so far, so that others share the work; a \
             label of theirs, or casework roster admit NAME --role reviewer --capacity 100, and they take part"
        }
        (true, _) => "a language, a skill, or no share in the work",
        (false, true) => {
            "they have to pass a training first (casework train NAME), or to be admitted as a reviewer"
        }
        (false, false) => "a lead has to admit them as a reviewer",
    };
    out.line(&format!("{beyond:>9}  open, and {reviewer} is not eligible: {why}"))?;
    out.line(&format!(
        "{labeled:>9}  open, and labeled by {reviewer} already (each case wants {overlap})"
    ))?;
    out.line(&format!("{deferred:>9}  deferred by {reviewer}"))?;
    out.line(&format!("{disputed:>9}  disputed: enough labels, and they differ"))?;
    out.line(&format!("{resolved:>9}  resolved"))?;
    out.line(&format!("{:>9}  cases in all ({open} open)", counts.total()))?;
    out.finish()?;
    Ok(Exit::Done)
}
