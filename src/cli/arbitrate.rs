//! `casework arbitrate`: what waits to be settled, the labels of a case side by side without names,
//! and ruling on it.

use serde_json::{Value, json};

use super::label::steps;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::arbitration::Cause;
use crate::domain::label::{AFTER_OTHERS, Outcome, outcome_words};
use crate::domain::protocol::typed::{self, Written};
use crate::domain::resolve::How;
use crate::domain::text::{fit, visible};
use crate::domain::time::{Moment, short_span};
use crate::review::CaseRow;
use crate::review::Draft;
use crate::review::arbitration::{Dispute, Side, Waiting};
use crate::workspace::arbitration::{Reasons, RulingChoice};
use crate::workspace::{WorkError, Workspace};

/// What each cause means.
fn causes() -> String {
    let line = |cause: Cause| format!("  {:<16} {}\n", cause.as_str(), cause.about());
    format!("Causes:\n{}", Cause::ALL.map(line).concat())
}

#[derive(Debug, clap::Args)]
#[command(after_help = causes())]
pub struct Args {
    /// The case to look at or to rule on; without it, what waits to be settled
    case: Option<String>,
    /// Take over this label: A, B …
    #[arg(long, value_name = "SIDE", conflicts_with_all = ["outcome", "answers", "returns", "withdraw"])]
    take: Option<char>,
    /// Take what a calibration session agreed on, with the session as the reason
    #[arg(long, value_name = "NAME", conflicts_with_all = ["take", "outcome", "answers", "returns", "withdraw"])]
    session: Option<String>,
    /// What it counts as; if all labels that say so mean the same, all that they say
    #[arg(long, value_name = "FIELD=VALUE", conflicts_with_all = ["answers", "returns", "withdraw"])]
    outcome: Vec<String>,
    /// An answer of a walk anew: the question's id, and the answer's key or text
    #[arg(long = "answer", value_name = "QUESTION=VALUE", conflicts_with_all = ["returns", "withdraw"])]
    answers: Vec<String>,
    /// Why reviewers differ
    #[arg(long, value_name = "C")]
    cause: Option<Cause>,
    /// Why it counts as that; or the question to the author of a label
    #[arg(long, value_name = "TEXT", default_value = "")]
    rationale: String,
    /// The protocol must change at this question (none named: at the one that split), and how
    #[arg(long, value_name = "QUESTION=TEXT", num_args = 0..=1, default_missing_value = "")]
    change: Option<String>,
    /// Return this label to its author, with --rationale as the question
    #[arg(long = "return", value_name = "SIDE", conflicts_with = "withdraw")]
    returns: Option<char>,
    /// The question of the protocol that a returned label is about
    #[arg(long, value_name = "ID", requires = "returns")]
    question: Option<String>,
    /// Take back the ruling
    #[arg(long)]
    withdraw: bool,
    /// With whom cases will be so much later, if nothing is done: 90m, 12h, 3d
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["case", "at"])]
    ahead: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let rules = args.take.is_some()
        || args.session.is_some()
        || !args.outcome.is_empty()
        || !args.answers.is_empty();
    let acts = rules || args.returns.is_some() || args.withdraw;
    let Some(name) = &args.case else {
        if acts {
            return Err(CliError::Use("say which case".to_owned()));
        }
        return list(context, &context.read_ahead(args.ahead.as_deref())?);
    };
    if !acts {
        if args.cause.is_some() || !args.rationale.is_empty() {
            let words = "say what it counts as: --take SIDE, --outcome FIELD=VALUE, or --answer QUESTION=VALUE";
            return Err(CliError::Use(words.to_owned()));
        }
        let workspace = context.read()?;
        let row = workspace.find_case(name)?;
        return show(context, &workspace, row);
    }
    let mut workspace = context.open()?;
    let row = workspace.find_case_to_change(name)?;
    let id = row.id;
    if args.withdraw {
        let saved = workspace.withdraw_ruling(id, &args.rationale)?;
        let row = workspace.find_case(&id.to_string())?;
        let words = format!(
            "The ruling on {} is taken back: it is {} now.",
            id.short(),
            row.state.as_str()
        );
        done(
            context.global.json,
            &words,
            &json!({ "case": id, "state": row.state.as_str(), "event": saved.event() }),
        )?;
        return Ok(Exit::Done);
    }
    if let Some(side) = args.returns {
        let saved = workspace.return_label(row, side, args.question.as_deref(), &args.rationale)?;
        let words =
            format!("Label {} of {} is with its author.", side.to_ascii_uppercase(), id.short());
        done(context.global.json, &words, &json!({ "case": id, "event": saved.event() }))?;
        return Ok(Exit::Done);
    }
    let cause = args.cause.or(args.session.as_ref().map(|_| Cause::Other));
    let cause = cause.ok_or_else(|| {
        CliError::Use(format!(
            "say why reviewers differ: --cause {}",
            Cause::ALL.map(Cause::as_str).join(" | ")
        ))
    })?;
    let change = args.change.as_ref().map(|change| match change.split_once('=') {
        Some((question, text)) => (Some(question.to_owned()), text.to_owned()),
        None => (Some(change.clone()).filter(|question| !question.is_empty()), String::new()),
    });
    let reasons = Reasons { cause, rationale: args.rationale.clone(), change };
    let (ruling, saved) = {
        let verdict = verdict(args, &workspace, &row)?;
        workspace.rule(row, verdict, reasons)?
    };
    let words = format!(
        "{} counts as {} ({}).",
        id.short(),
        outcome_words(&ruling.outcome),
        cause.as_str()
    );
    let document = json!({ "case": id, "outcome": ruling.outcome, "cause": cause, "takes": ruling.takes, "change": ruling.change,
        "event": saved.event() });
    done(context.global.json, &words, &document)?;
    Ok(Exit::Done)
}

fn verdict(args: &Args, workspace: &Workspace, row: &CaseRow) -> Result<RulingChoice, CliError> {
    if let Some(side) = args.take {
        return Ok(RulingChoice::Takes(side));
    }
    if let Some(name) = &args.session {
        return Ok(RulingChoice::Session(name.clone()));
    }
    if !args.answers.is_empty() {
        let protocols = workspace.protocols()?;
        let published = protocols
            .for_stream(&row.stream)
            .ok_or_else(|| WorkError::NoProtocol(row.stream.clone()))?;
        let answers = typed::read(&published.protocol, &steps(&args.answers)?, Written::Now)?;
        let draft = Draft { answers, ..Draft::default() };
        typed::all_taken(&draft.answers, &draft.path(&published.protocol))?;
        return Ok(RulingChoice::Walked(Box::new(draft)));
    }
    let fields = args.outcome.iter().map(|text| {
        let parts = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (field, value) = parts
            .ok_or_else(|| CliError::Use(format!("--outcome takes FIELD=VALUE, not `{text}`")))?;
        // Numbers and lists as JSON; everything else is a word.
        let json = serde_json::from_str(&value)
            .ok()
            .filter(|json: &Value| json.is_number() || json.is_array() || json.is_boolean());
        Ok((field, json.unwrap_or(Value::String(value))))
    });
    Ok(RulingChoice::Fields(fields.collect::<Result<Outcome, CliError>>()?))
}

fn list(context: &Context, workspace: &Workspace) -> Result<Exit, CliError> {
    let (waiting, now) = (workspace.waiting()?, workspace.now());
    let mut out = Out::new();
    for waits in &waiting {
        if context.global.json {
            let Waiting { row, why, stands, since, returned, .. } = waits;
            let missed =
                stands.missed.map(|(level, due)| json!({ "level": level, "due": due.rfc3339() }));
            out.json(
                &json!({ "case": row.id, "id": row.external_id, "stream": row.stream, "state": row.state.as_str(), "why": why.as_str(),
                "level": stands.level, "due": stands.due.rfc3339(), "since": since.rfc3339(), "labels": row.labels,
                "returned": returned, "missed": missed }),
            )?;
        } else {
            out.line(&words(waits, now))?;
        }
    }
    out.finish()?;
    if waiting.is_empty() && !context.global.json {
        say("Nothing is in dispute.");
    }
    Ok(if waiting.is_empty() { Exit::No } else { Exit::Done })
}

/// A case that waits, in one line of 80 columns.
fn words(waits: &Waiting, now: Moment) -> String {
    let Waiting { row, why, stands, returned, .. } = waits;
    let left = stands.due.0 - now.0;
    let due = if left < 0 { format!("-{}", short_span(left)) } else { short_span(left) };
    let back = if *returned > 0 { "asked" } else { "" };
    let text = visible(&row.text);
    format!(
        "{}  {due:>5}  {:<5}  {:<9} {:>2} labels {back:<5}  {}",
        row.id.short(),
        stands.level.as_str(),
        why.as_str(),
        row.labels,
        fit(&text, 30)
    )
}

fn show(context: &Context, workspace: &Workspace, row: CaseRow) -> Result<Exit, CliError> {
    let dispute = workspace.dispute(row)?;
    if !workspace.may_see_labels(&dispute)? {
        let words = format!(
            "{} may still be yours to label: what others said of it is shown after that",
            dispute.row.id.short()
        );
        return Err(CliError::Use(words));
    }
    let mut out = Out::new();
    if context.global.json {
        let sides: Vec<_> = dispute
            .sides
            .iter()
            .map(|side| {
                let label = &side.given.label;
                json!({ "side": side.name, "label": dispute.named.then_some(side.given.event), "path": side.path, "outcome": side.outcome,
                    "confidence": label.confidence, "rationale": label.rationale, "evidence": label.evidence,
                    "evidence_in": label.evidence_in, "seen": label.seen,
                    "own": side.own, "asked": side.asked })
            })
            .collect();
        let earlier = dispute.ruled.as_ref().map(|(ruling, appeals)| {
            json!({ "outcome": ruling.outcome, "cause": ruling.cause,
            "rationale": ruling.rationale, "appeals": appeals })
        });
        let rivals: Vec<_> = dispute
            .rivals
            .iter()
            .map(|(by, ruling)| {
                json!({ "by": by, "outcome": ruling.outcome, "cause": ruling.cause, "rationale": ruling.rationale })
            })
            .collect();
        let same_input: Vec<_> = dispute
            .same_input
            .iter()
            .map(|row| json!({ "case": row.id, "outcome": row.outcome, "how": row.how.map(How::as_str) }))
            .collect();
        let sessions: Vec<_> = dispute
            .sessions
            .iter()
            .map(|said| json!({ "session": said.session, "labels": said.labels.len(), "agreed": said.agreed }))
            .collect();
        out.json(&json!({ "case": dispute.row.id, "id": dispute.row.external_id, "state": dispute.row.state.as_str(),
            "conflict": dispute.is_one(), "parts_at": dispute.question(), "sides": sides, "ruling": earlier, "contested_by": rivals,
            "escalated": dispute.escalated, "same_input": same_input, "sessions": sessions }))?;
    } else {
        side_by_side(&mut out, &dispute)?;
    }
    out.finish()?;
    Ok(if dispute.is_one() { Exit::Done } else { Exit::No })
}

/// Labels of a case beside each other, with names where those may be told.
pub(super) fn side_by_side(out: &mut Out, dispute: &Dispute) -> std::io::Result<()> {
    let row = &dispute.row;
    out.line(&format!(
        "{}  {}  {}",
        row.id.short(),
        row.state.as_str(),
        fit(&visible(&row.text), 60)
    ))?;
    for text in dispute.beside() {
        out.line(&format!("  {}", visible(&text)))?;
    }
    if let Some((ruling, appeals)) = &dispute.ruled {
        out.line(&format!(
            "  ruled {} ({}): {}",
            outcome_words(&ruling.outcome),
            ruling.cause.as_str(),
            ruling.rationale
        ))?;
        for why in appeals {
            out.line(&format!("  appealed: {why}"))?;
        }
    }
    // As many columns as there are labels, within 80.
    let wide = (54 / dispute.sides.len().max(1)).clamp(6, 17) - 1;
    let cells = |texts: Vec<String>| {
        texts.into_iter().map(|text| format!("{:<wide$} ", fit(&text, wide))).collect::<String>()
    };
    let head = |side: &Side| match (dispute.named, side.own) {
        (true, _) => side.given.label.reviewer.clone(),
        (false, true) => format!("{} (yours)", side.name),
        (false, false) => side.name.to_string(),
    };
    out.line(&format!("    {:<20} {}", "", cells(dispute.sides.iter().map(head).collect())))?;
    for (place, (question, answers)) in dispute.questions.iter().enumerate() {
        let mark = if dispute.parts_at == Some(place) { "▸ " } else { "  " };
        let answers =
            answers.iter().map(|answer| answer.clone().unwrap_or_else(|| "·".to_owned())).collect();
        out.line(&format!("  {mark}{:<20} {}", fit(question, 20), cells(answers)))?;
    }
    for side in &dispute.sides {
        let label = &side.given.label;
        let sure = label.confidence.map_or(String::new(), |sure| format!(" · confidence {sure}/5"));
        let places = label.places();
        let marks = if places.is_empty() {
            String::new()
        } else {
            format!(" · marked {}", places.words().replace(',', ", "))
        };
        out.line(&format!("  {}: {}{sure}{marks}", head(side), outcome_words(&side.outcome)))?;
        if !label.rationale.is_empty() {
            out.line(&format!("      “{}”", label.rationale))?;
        }
        if let Some(seen) = &label.seen {
            out.line(&format!("      had on screen: {}", seen.words()))?;
        }
        if label.after_others {
            out.line(&format!("      before it, {AFTER_OTHERS}"))?;
        }
        if let Some(asked) = &side.asked {
            out.line(&format!("      with its author: {asked}"))?;
        }
    }
    Ok(())
}
