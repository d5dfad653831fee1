//! What exports to other programs say of a label beside what these have a place for, so that a label
//! that comes back is the one that went out.

use serde_json::{Map, Value, json};

use super::spans::EVIDENCE;
use crate::domain::label::Step;
use crate::domain::protocol::{Places, Span};
use crate::format::foreign::{Foreign, Said};
use crate::format::path::scalar;
use crate::format::peer::Given;

/// The name under which it stands.
pub const OURS: &str = "casework";

/// All there is to a label but the case that it is of.
pub fn told(given: &Given) -> Value {
    let places: Vec<(usize, usize)> = given.evidence.iter().map(|span| (*span).into()).collect();
    let mut told = json!({ "reviewer": given.reviewer, "event": given.event, "protocol": given.protocol,
        "path": given.path, "outcome": given.outcome, "confidence": given.confidence,
        "rationale": given.rationale, "tags": given.tags, "evidence": places,
        "at": given.at, "duration_ms": given.duration_ms });
    if let Some(told) = told.as_object_mut() {
        told.extend(more(given));
    }
    told
}

/// What few labels have: what was checked off, places in further texts, what another program said that
/// nothing maps, whether what others said could be seen.
pub fn more(given: &Given) -> Map<String, Value> {
    let parts = [
        ("checked", json!(given.checked), !given.checked.is_empty()),
        ("evidence_in", json!(given.evidence_in), !given.evidence_in.is_empty()),
        ("extra", json!(given.extra), !given.extra.is_empty()),
        ("after_others", json!(true), given.after_others),
    ];
    let there = parts.into_iter().filter(|(.., has)| *has);
    there.map(|(name, value, _)| (name.to_owned(), value)).collect()
}

/// The same as a text, for formats of columns; none where there is none of it.
pub fn more_text(given: &Given) -> Option<String> {
    Some(more(given)).filter(|more| !more.is_empty()).map(|more| Value::Object(more).to_string())
}

/// Takes over what was told of a label, if it is the same label still: people change labels there.
pub fn take_over(foreign: &mut Foreign, told: &Value) {
    let said = foreign.said.iter().find(|(name, _)| name == "label").map(|(_, said)| match said {
        Said::One(text) => text.clone(),
        Said::Many(list) => list.join(","),
        Said::Places(_) => String::new(),
    });
    let said = said.filter(|said| !said.is_empty());
    if !told.is_object() || said.as_deref() != told["outcome"]["label"].as_str() {
        return;
    }
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    foreign.reviewer = text("reviewer").or(foreign.reviewer.take());
    foreign.at = Some(told["at"].clone()).filter(|at| !at.is_null()).or(foreign.at.take());
    foreign.after_others = told["after_others"].as_bool().unwrap_or(false);
    foreign.duration_ms = told["duration_ms"].as_u64().or(foreign.duration_ms);
    foreign.confidence = told["confidence"].as_u64().and_then(|sure| u8::try_from(sure).ok());
    foreign.rationale = text("rationale").unwrap_or_default();
    (foreign.tags, foreign.checked) = (texts(&told["tags"]), texts(&told["checked"]));
    foreign.extra.extend(told["extra"].as_object().cloned().unwrap_or_default());
    let read = |name: &str| told.get(name).cloned().unwrap_or_default();
    foreign.path = serde_json::from_value::<Vec<Step>>(read("path")).unwrap_or_default();
    foreign.evidence_in = serde_json::from_value(read("evidence_in")).unwrap_or_default();
    let places: Vec<Span> = serde_json::from_value(read("evidence")).unwrap_or_default();
    // Where a question's places have the name of these, one can't be told from the other.
    let asked = foreign.path.iter().filter_map(|(_, answer)| Places::parse(answer));
    let known: Vec<Span> =
        asked.flat_map(|asked| asked.apart().0).chain(places.iter().copied()).collect();
    let is_known = |(start, end, _): &(usize, usize, String)| {
        known.contains(&Span { start: *start, end: *end })
    };
    // What is as it was stands in the path, and the rationale in its place.
    let unchanged = |name: &str, said: &Said| match said {
        Said::One(text) if name == "rationale" => *text == foreign.rationale,
        Said::One(text) => {
            told["outcome"].get(name).is_some_and(|value| scalar(value).as_ref() == text)
        }
        _ => false,
    };
    if !foreign.path.is_empty() {
        let said = std::mem::take(&mut foreign.said);
        foreign.said = said
            .into_iter()
            .filter(|(name, said)| name == "label" || !unchanged(name, said))
            .collect();
    }
    let marked = foreign.said.iter().position(|(name, _)| name == EVIDENCE);
    let same = marked.is_none_or(|at| match &foreign.said[at].1 {
        Said::Places(said) => said.iter().all(is_known),
        _ => false,
    });
    if same {
        marked.map(|at| foreign.said.remove(at));
        let places = places.iter().map(|span| (span.start, span.end, EVIDENCE.to_owned()));
        foreign.said.push((EVIDENCE.to_owned(), Said::Places(places.collect())));
    }
    for (name, value) in told["outcome"].as_object().into_iter().flatten() {
        let known = foreign.said.iter().any(|(said, _)| said == name);
        // An answer of the path stands in it.
        if !known && foreign.path.is_empty() && !value.is_array() && !value.is_object() {
            let text = scalar(value).into_owned();
            foreign.said.push((name.clone(), Said::One(text)));
        }
    }
}

/// What was told, as an object or as the text of one.
pub fn read(record: &Map<String, Value>) -> Value {
    match record.get(OURS) {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(told) => told.clone(),
        None => Value::Null,
    }
}

/// What exports from here say of a case and a label beside the text, under names of their own.
const BESIDE: [&str; 13] = [
    "id",
    "id0",
    "case",
    "stream",
    "occurred_at",
    "trace_id",
    "predicted",
    "outcome",
    "rationale",
    "confidence",
    "event",
    "reviewers",
    OURS,
];
/// What a case's line has a place for.
const OF_LINE: [&str; 8] =
    ["id", "stream", "occurred_at", "trace_id", "model", "input", "prediction", "predicted"];

/// What a record says beside what its program gives a meaning to, what a case's line has a place for and
/// what went out from here.
pub fn beside(record: &Map<String, Value>, of_program: &[&str]) -> Map<String, Value> {
    let is_ours = record.contains_key(OURS);
    let is_left = |(name, value): &(&String, &Value)| {
        let name = name.as_str();
        let has_its_place = of_program.contains(&name)
            || OF_LINE.contains(&name)
            || is_ours && BESIDE.contains(&name);
        !value.is_null() && !has_its_place
    };
    record.iter().filter(is_left).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
