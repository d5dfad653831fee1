//! `casework show`: a case with all that stands around it.

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::domain::cues::Cue;
use crate::domain::label::outcome_words;
use crate::domain::prediction::Scored;
use crate::domain::reading::paragraphs;
use crate::domain::resolve::{Explained, How};
use crate::domain::text::visible;
use crate::domain::time::short_span;
use crate::domain::traps::rate_of_all;
use crate::review::OpenCase;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.read()?;
    let row = workspace.find_case(&args.case)?;
    let mut case = workspace.open_case(row)?;
    case.hide(&workspace.policy()?.hide);
    let mut out = Out::new();
    if context.global.json {
        out.json(&document(&case))?
    } else {
        words(&mut out, &case)?
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn document(case: &OpenCase) -> serde_json::Value {
    let row = &case.row;
    let logs: Vec<_> = case
        .logs
        .iter()
        .map(|log| {
            let line = &log.line;
            let level = line.level.map(|level| level.as_str().trim());
            json!({ "file": log.file, "own": log.own, "at": line.at.map(|at| at.rfc3339()), "level": level, "text": line.message })
        })
        .collect();
    let history: Vec<_> = case
        .history
        .iter()
        .map(|line| json!({ "at": line.at.rfc3339(), "who": line.who, "author": line.who, "what": line.words, "event": line.event }))
        .collect();
    let neighbours: Vec<_> = case
        .neighbours
        .iter()
        .map(|near| {
            json!({ "id": near.id, "at": near.at.rfc3339(), "label": near.label, "confidence": near.confidence,
                "text": near.text, "session": near.session })
        })
        .collect();
    let why: Vec<_> = case
        .why
        .iter()
        .map(|(draw, rate)| {
            json!({ "trap": draw.trap, "version": draw.version, "score": draw.score, "u": draw.u, "rate": rate })
        })
        .collect();
    let suggestions: Vec<_> = case
        .suggestions
        .iter()
        .map(|(one, at)| {
            json!({ "plugin": one.plugin, "version": one.version, "model": one.model, "at": at.rfc3339(),
                "protocol": one.protocol, "answers": one.answers, "outcome": one.outcome,
                "confidence": one.confidence, "rationale": one.own.rationale, "abstains": one.abstains().then_some(&one.own.abstains) })
        })
        .collect();
    let mut document = json!({
        "case": row.id, "id": row.external_id, "stream": row.stream, "state": row.state.as_str(), "due": row.due.rfc3339(),
        "flags": row.flags, "why": why, "rate": rate_of_all(case.why.iter().map(|(_, rate)| *rate)), "text": row.text, "occurred_at": row.occurred_at.rfc3339(), "model": row.model,
        "predicted": row.predicted, "confidence": row.confidence, "labels": row.labels, "outcome": row.outcome, "how": row.how.map(How::as_str),
        "settled": case.settled.as_ref().map(|settled| json!({ "belief": settled.belief, "without_model": settled.unheard,
            "without": settled.without.iter().map(|(who, belief)| json!({ "reviewer": who, "belief": belief })).collect::<Vec<_>>() })),
        "copies": case.copies.len(), "asked": case.asked,
        "payload": row.payload, "event": row.event, "line": null,
        "trouble": case.trouble, "facts": case.facts, "said": case.said, "suggestions": suggestions, "agents": case.voted, "hidden": case.hidden, "logs": logs, "neighbours": neighbours, "history": history,
    });
    // As it stands: what is made a value once more has the exponents of whoever makes it.
    if let Some(prediction) = &case.prediction {
        document["line"] = prediction.line.clone();
    }
    document
}

/// Who weighed what: `97 % sure; 62 % without ana, 95 % without bo, 91 % without the model`.
fn settled_words(settled: &Explained) -> String {
    let percent = |belief: f64| match belief {
        belief if belief > 0.999 => "over 99.9 %".to_owned(),
        belief => format!("{:.1} %", belief * 100.0),
    };
    let mut without: Vec<String> = settled
        .without
        .iter()
        .map(|(who, belief)| match belief {
            Some(belief) => format!("{} without {who}", percent(*belief)),
            None => format!("nobody else than {who} says so"),
        })
        .collect();
    without.extend(settled.unheard.map(|belief| format!("{} without the model", percent(belief))));
    format!("{} sure; {}", percent(settled.belief), without.join(", "))
}

/// What the model said beside its label, as the line has it.
fn considered(out: &mut Out, case: &OpenCase) -> std::io::Result<()> {
    let Some(prediction) = &case.prediction else { return Ok(()) };
    let all = |of: &[Scored]| {
        let one = |said: &Scored| format!("{} {}", visible(&said.name), said.written);
        of.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    if !prediction.top_k.is_empty() {
        out.line(&format!("  considered: {}", all(&prediction.top_k)))?;
    }
    if let Some(rival) = prediction.challenger.as_ref() {
        let others = match rival.top_k.as_slice() {
            [] => String::new(),
            others => format!("; considered: {}", all(others)),
        };
        let sure = rival.written.as_ref().map(|sure| format!(" {sure}")).unwrap_or_default();
        let (who, label) = (visible(rival.called()), visible(&rival.label));
        out.line(&format!("  {who} said {label}{sure}{others}"))?;
    }
    if !prediction.features.is_empty() {
        out.line(&format!("  feature importance: {}", all(&prediction.features)))?;
    }
    Ok(())
}

fn words(out: &mut Out, case: &OpenCase) -> std::io::Result<()> {
    let row = &case.row;
    out.line(&format!("{}  {}  {}", row.id, row.external_id, row.stream))?;
    let flags = if row.flags.is_empty() {
        String::new()
    } else {
        format!("; flagged: {}", row.flags.join(", "))
    };
    out.line(&format!("{}, due {}{flags}", row.state.as_str(), row.due.minute()))?;
    for (draw, rate) in &case.why {
        let score = draw.score.map_or(String::new(), |score| format!(", score {score:.3}"));
        let rate = rate.map_or(String::new(), |rate| format!(", one of {:.1}", 1.0 / rate));
        let (trap, version) = (visible(&draw.trap), &draw.version);
        out.line(&format!("  found by {trap} ({version}{score}, draw {:.4}{rate})", draw.u))?;
    }
    if let Some(outcome) = &row.outcome {
        let with = match case.voted.as_slice() {
            [] => String::new(),
            voted => format!(", {} counted", voted.join(", ")),
        };
        let how = row.how.map_or(String::new(), |how| format!(" ({}{with})", how.as_str()));
        out.line(&format!("counts as {}{how}", outcome_words(outcome)))?;
    }
    if let Some(settled) = &case.settled {
        out.line(&format!("  {}", settled_words(settled)))?;
    }
    if let Some(trouble) = &case.trouble {
        out.line(trouble)?;
    }
    if let Some(prediction) = &case.prediction {
        let hidden = case.hidden.contains(&Cue::Prediction);
        let label = prediction.label.as_deref().unwrap_or(if hidden {
            "(hidden)"
        } else {
            "no prediction"
        });
        let sure = prediction.written().map(|sure| format!(" {sure}")).unwrap_or_default();
        let model = prediction.called();
        out.line(&format!("{model} said {label}{sure} at {}", prediction.at.rfc3339()))?;
        considered(out, case)?;
        out.raw("\n")?;
        for paragraph in paragraphs(&case.parts(|cue| case.hidden.contains(&cue)), false) {
            out.line(&format!("  {}", paragraph.line()))?;
        }
    }
    for question in &case.asked {
        out.line(&format!("  ? asked about your label: {question}"))?;
    }
    if let Some(words) = case.copies_words() {
        out.line(&format!("  = {words}"))?;
    }
    for fact in &case.facts {
        out.line(&format!("  ! {fact}"))?;
    }
    for said in &case.said {
        out.line(&format!("  ! {}", visible(&said.to_string())))?;
    }
    for (suggestion, at) in &case.suggestions {
        out.line(&format!("  ~ {} ({})", visible(&suggestion.words()), at.minute()))?;
    }
    if !case.hidden.is_empty() {
        let hidden: Vec<&str> = case.hidden.iter().map(|cue| cue.as_str()).collect();
        out.line(&format!(
            "  hidden by the policy until you have labeled it: {}",
            hidden.join(", ")
        ))?;
    }
    if !case.neighbours.is_empty() {
        out.raw("\n")?;
    }
    for neighbour in &case.neighbours {
        let delta = neighbour.at.0 - row.occurred_at.0;
        let sign = if delta < 0 { '-' } else { '+' };
        let same = if neighbour.session { "same session" } else { "" };
        out.line(&format!(
            "  {sign}{:<5} {:<24} {:<4} {:<12} {}",
            short_span(delta),
            neighbour.label,
            neighbour.confidence.map_or(String::new(), |p| format!("{p:.2}")),
            same,
            visible(&neighbour.text)
        ))?;
    }
    if !case.logs.is_empty() {
        out.raw("\n")?;
        out.line(&format!("logs, times in {}", row.occurred_at.zone_words()))?;
    }
    for log in &case.logs {
        let at = log.line.at.map_or_else(|| " ".repeat(8), |at| at.clock());
        let own = if log.own { '|' } else { ' ' };
        let service = log.line.service.as_ref();
        let service = service.map_or(String::new(), |service| format!("{} ", visible(service)));
        out.line(&format!(
            " {own}{at} {} {service}{}",
            log.line.level.map_or("    ", |level| level.as_str()),
            visible(&log.line.message)
        ))?;
    }
    out.raw("\n")?;
    for line in &case.history {
        out.line(&format!("{}  {:<10} {}", line.at.minute(), line.who, line.words))?;
    }
    Ok(())
}
