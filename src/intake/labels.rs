//! Takes in labels that were given elsewhere: JSON lines with a path through the protocol.
//!
//! Known names: `case` (or `case_id`, `id`), `reviewer` (or `worker`), `path` (or `answers`),
//! `round` (or `pass`: 2 and more are repeats), `confidence` 1–5 (or `sure` 1–3), `rationale`,
//! `tags`, `checked`, `at` (or `submitted_at`), `duration_ms`. A question that the path leaves out
//! is answered by the field it sets, if the line has one. A line whose own fields contradict the
//! outcome of its path is rejected.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::summary::RejectLine;
use crate::db::case::named::{Named, Reading};
use crate::db::case::{self, CaseRow, TEXT_CHARS_MAX};
use crate::db::label::{self, LabelRow};
use crate::domain::ids::CaseId;
use crate::domain::label::{Label, Outcome, ProtocolRef, Step, round_of_pass, value_text};
use crate::domain::prediction::scalar;
use crate::domain::protocol::typed::{self, Written};
use crate::domain::protocol::{Places, Protocol, QuestionKind, Span, Walked, walk};
use crate::domain::roster::is_name;
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::domain::training::Gold;

/// What an import did. `read` is the sum of imported, duplicate and rejected.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct ImportSummary {
    pub read: u64,
    pub imported: u64,
    pub duplicate: u64,
    pub rejected: u64,
    pub rejects: Vec<RejectLine>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<ForeignSummary>,
}

/// What else the files of another program held.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct ForeignSummary {
    pub format: String,
    /// Cases that the files hold, and those of them that were opened.
    pub cases: u64,
    pub opened: u64,
    /// What is no label: skips, drafts, what a program said.
    pub skipped: u64,
    pub drafts: u64,
    pub by_machine: u64,
    /// Whose labels were taken in, and how many.
    pub reviewers: BTreeMap<String, u64>,
    /// Labels that were set as known answers.
    pub gold: u64,
    /// Decisions of reviews of labels: that became rulings, and that were left out.
    pub ruled: u64,
    pub ruled_left: u64,
    /// What nothing maps, by what it is.
    pub lost: BTreeMap<String, u64>,
}

impl ImportSummary {
    pub fn reject(&mut self, line: u64, reason: &str) {
        self.rejected += 1;
        self.rejects.push(RejectLine { line, reason: visible(reason).into_owned() });
    }

    /// The same of a record of another program: of a file of lines its line is said, of others where it
    /// stands, with 0 for a line.
    pub fn reject_at(&mut self, place: &str, why: &str) {
        match place.strip_prefix("line ").and_then(|line| line.parse().ok()) {
            Some(line) => self.reject(line, why),
            None => self.reject(0, &format!("{place}: {why}")),
        }
    }
}

/// Where labels are looked up: cases, and the protocol of a stream.
pub struct Context<'c, F> {
    pub conn: &'c Connection,
    /// Rounds that are blind and sealed: nothing is imported into them.
    pub sealed: BTreeSet<String>,
    /// The protocol for cases of a stream, with what labels cite it by.
    pub protocol: F,
    /// Who imports, and when.
    pub author: &'c str,
    pub now: Moment,
}

/// One line as a label, or nothing if that label is there already.
pub fn read_label<'p, F>(context: &Context<'_, F>, line: &str) -> Result<Option<Label>, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let (value, case) = named(context.conn, line)?;
    let first = |names: &[&str]| first(&value, names);
    let text = |names: &[&str]| first(names).and_then(Value::as_str).map(str::to_owned);
    let reviewer = text(&["reviewer", "worker"]).ok_or("no `reviewer`")?;
    if !is_name(&reviewer) {
        return Err(format!("`{reviewer}` is not a name"));
    }
    let Answered { path, outcome, reference } = answered(context, &case, &value)?;
    let round = match (text(&["round"]), first(&["pass"]).and_then(Value::as_u64)) {
        (Some(round), _) => round,
        (None, pass) => round_of_pass(pass.unwrap_or(1)),
    };
    let given_at = match text(&["at", "submitted_at"]) {
        Some(text) => {
            let at =
                Moment::parse(&text).ok_or_else(|| format!("`{text}` is not an RFC 3339 time"))?;
            if at > context.now {
                return Err(format!("`{text}` is in the future"));
            }
            Some(at)
        }
        None => None,
    };
    let evidence: Vec<Span> = part(&value, "evidence")?;
    lie_within("evidence", &evidence, &case)?;
    admitted(
        context,
        Label {
            path,
            outcome,
            checked: texts(first(&["checked"])),
            confidence: confidence(&value)?,
            tags: texts(first(&["tags"])),
            rationale: text(&["rationale"]).unwrap_or_default(),
            duration_ms: first(&["duration_ms"]).and_then(Value::as_u64),
            given_at,
            evidence,
            evidence_in: part(&value, "evidence_in")?,
            cites: part(&value, "cites")?,
            seen: part(&value, "seen")?,
            after_others: first(&["after_others"]).and_then(Value::as_bool).unwrap_or(false),
            extra: part(&value, "extra")?,
            ..Label::empty(case.id, &reviewer, &round, reference)
        },
    )
}

/// A label that may come in; nothing if it is here already.
///
/// # Errors
/// Its reviewer signed another.
pub fn admitted<F>(context: &Context<'_, F>, new: Label) -> Result<Option<Label>, String> {
    if context.sealed.contains(&new.round) {
        return Err(format!(
            "the round {} is blind: its labels are given by `casework calibrate label`, and sealed",
            new.round
        ));
    }
    let known = label::of_case(context.conn, new.case).map_err(|error| error.to_string())?;
    let same = |label: &Label| {
        label.reviewer == new.reviewer
            && label.round == new.round
            && label.given_at == new.given_at
            && label.path == new.path
    };
    if known.iter().any(|row| same(&row.given.label)) {
        return Ok(None);
    }
    let signed = |row: &&LabelRow| {
        let given = &row.given;
        row.withdrawn.is_none()
            && given.label.reviewer == new.reviewer
            && given.label.round == new.round
            && given.imported_by().is_none()
    };
    if new.reviewer != context.author && known.iter().any(|row| signed(&row)) {
        return Err(format!(
            "{} labeled this case and signed that: an import takes the place of nothing signed",
            new.reviewer
        ));
    }
    Ok(Some(new))
}

/// One line as the known answer to a case, with `why` (or `note`, `rationale`) it is right.
pub fn read_gold<'p, F>(context: &Context<'_, F>, line: &str) -> Result<Gold, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let (value, case) = named(context.conn, line)?;
    let Answered { path, outcome, reference } = answered(context, &case, &value)?;
    let why = first(&value, &["why", "note", "rationale"]).and_then(Value::as_str);
    let why = why.unwrap_or_default().to_owned();
    Ok(Gold { case: case.id, protocol: reference, path, outcome, why })
}

/// What an export of labels says beside the path, if the line says it.
fn part<T: Default + DeserializeOwned>(line: &Value, name: &str) -> Result<T, String> {
    let said = Some(&line[name]).filter(|said| !said.is_null());
    let read = said.map(T::deserialize).transpose();
    read.map(Option::unwrap_or_default).map_err(|error| format!("`{name}`: {error}"))
}

fn first<'v>(line: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().map(|name| &line[*name]).find(|value| !value.is_null())
}

/// A line as JSON, and the case that it is about.
fn named(conn: &Connection, line: &str) -> Result<(Value, CaseRow), String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
    let named =
        first(&value, &["case", "case_id", "id"]).and_then(Value::as_str).ok_or("no `case`")?;
    let found =
        case::named::named(conn, named, Reading::Whole).map_err(|error| error.to_string())?;
    // What names its stream is a case of no other.
    if let Some(stream) = value["stream"].as_str() {
        let of_stream = case::by_id(conn, CaseId::of(stream, named));
        let of_stream = of_stream.map_err(|error| error.to_string())?;
        return match (of_stream, found) {
            (Some(case), _) => Ok((value, case)),
            (None, Named::One(case)) if case.stream == stream => Ok((value, *case)),
            (None, Named::One(case)) => Err(format!(
                "no case `{named}` of the stream `{stream}` here: there is one of `{}`",
                case.stream
            )),
            (None, _) => Err(format!("no case `{named}` of the stream `{stream}` here")),
        };
    }
    match found {
        Named::One(case) => Ok((value, *case)),
        Named::None => Err(format!("no case `{named}` here")),
        Named::Several(cases) => {
            let streams: Vec<&str> = cases.iter().map(|case| case.stream.as_str()).collect();
            Err(format!(
                "`{named}` is a case of several streams ({}): name it by its full id",
                streams.join(", ")
            ))
        }
    }
}

/// What a line answers, walked to its end.
struct Answered {
    path: Vec<Step>,
    outcome: Outcome,
    reference: ProtocolRef,
}

fn answered<'p, F>(
    context: &Context<'_, F>,
    case: &CaseRow,
    value: &Value,
) -> Result<Answered, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let (protocol, reference) =
        (context.protocol)(&case.stream).ok_or("no protocol is published for this stream")?;
    let given = first(value, &["path", "answers"]).unwrap_or(&Value::Null);
    let written = steps(given)?;
    let mut answers =
        typed::read(protocol, &written, Written::Before).map_err(|error| error.to_string())?;
    let of_path = answers.len();
    answers.extend(answers_of_fields(protocol, &answers, value));
    let mut walked = walk(protocol, &answers);
    // Under names, nothing stands for what may be left empty.
    while let Walked::Asks(question) = walked.end
        && given.is_object()
        && matches!(
            question.kind,
            QuestionKind::Text { least: 0, .. }
                | QuestionKind::Span { least: 0, .. }
                | QuestionKind::Multi { least: 0, .. }
        )
    {
        answers.push((question.id.clone(), String::new()));
        walked = walk(protocol, &answers);
    }
    let (path, outcome) = match walked.end {
        Walked::Ends(outcome) => {
            (walked.path, protocol.outcome(outcome, case.predicted.as_deref()))
        }
        Walked::Asks(question) => {
            return Err(format!("the path does not answer `{}`", question.id));
        }
        Walked::Stuck { question, answer } => {
            return Err(format!(
                "`{answer}` is no answer to `{}`, which takes {}",
                question.id,
                question.wanted()
            ));
        }
    };
    typed::all_taken(&answers[..of_path], &path).map_err(|error| error.to_string())?;
    contradiction(&outcome, value)?;
    within(protocol, &path, case)?;
    Ok(Answered { path, outcome, reference: reference.clone() })
}

/// Whether the places of a path lie in the text of a case, as far as that stands in its row.
///
/// # Errors
/// One that does not.
pub fn within(protocol: &Protocol, path: &[Step], case: &CaseRow) -> Result<(), String> {
    let of_places = |id: &str| {
        protocol.question(id).is_some_and(|of| matches!(of.kind, QuestionKind::Span { .. }))
    };
    let places = path.iter().filter(|(id, _)| of_places(id));
    let mut places = places.filter_map(|(id, answer)| Some((id, Places::parse(answer)?.apart().0)));
    places.try_for_each(|(id, spans)| lie_within(id, &spans, case))
}

/// Whether places that are called so lie in the text of a case, as far as that stands in its row.
fn lie_within(name: &str, spans: &[Span], case: &CaseRow) -> Result<(), String> {
    let length = case.text.chars().count();
    if length == 0 || length >= TEXT_CHARS_MAX {
        return Ok(());
    }
    match spans.iter().find(|span| span.end > length || span.start > span.end) {
        Some(span) => Err(format!(
            "the place {}-{} of `{name}` is not in the text, which has {length} characters",
            span.start, span.end
        )),
        None => Ok(()),
    }
}

/// A path as `[["q","a"],…]` or `{"q":"a",…}`. An answer is a text, a number, a list of texts, or
/// null for none.
fn steps(path: &Value) -> Result<Vec<Step>, String> {
    let pairs: Vec<(&Value, &Value)> = match path {
        Value::Null => Vec::new(),
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([question, answer]) => Ok((question, answer)),
                _ => Err(format!("a step of the path is [question, answer], not {pair}")),
            })
            .collect::<Result<_, _>>()?,
        Value::Object(pairs) => {
            return pairs.iter().filter_map(|(id, answer)| step(id, answer).transpose()).collect();
        }
        other => return Err(format!("a path is a list of steps or an object, not {other}")),
    };
    let step_of = |(question, answer): (&Value, &Value)| match question.as_str() {
        Some(id) => step(id, answer),
        None => Err(format!("a question is named by a text, not {question}")),
    };
    pairs.into_iter().filter_map(|pair| step_of(pair).transpose()).collect()
}

fn step(question: &str, answer: &Value) -> Result<Option<Step>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let answer = match answer {
        Value::Null => return Ok(None),
        Value::Array(parts) => {
            parts.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.join(","))
        }
        other => text(other),
    };
    let answer = answer.ok_or_else(|| {
        format!("the answer to `{question}` is a text, a number or a list of them")
    })?;
    Ok(Some((question.to_owned(), answer)))
}

/// Answers to label questions that the path leaves out, from the fields that these set.
fn answers_of_fields(protocol: &Protocol, answers: &[Step], line: &Value) -> Vec<Step> {
    let answer = |question: &crate::domain::protocol::Question| {
        let QuestionKind::Label { sets, .. } = &question.kind else { return None };
        let missing = !answers.iter().any(|(id, _)| *id == question.id);
        let label = scalar(&line[sets.as_str()]).filter(|_| missing)?;
        Some((question.id.clone(), label))
    };
    protocol.questions.iter().filter_map(answer).collect()
}

/// What a line says of the label itself, whatever fields a protocol has.
const OF_LABEL: [&str; 9] = [
    "evidence",
    "evidence_in",
    "tags",
    "checked",
    "confidence",
    "rationale",
    "text",
    "at",
    "cites",
];

fn contradiction(outcome: &Outcome, line: &Value) -> Result<(), String> {
    for (field, value) in outcome {
        let own = line.get(field).filter(|_| !OF_LABEL.contains(&field.as_str()));
        let said = line["outcome"].as_object().map_or(own, |outcome| outcome.get(field));
        if let Some(said) = said.filter(|said| !said.is_null())
            && said != value
            // Where all is texts, numbers are too.
            && said.as_str().is_none_or(|said| said != value_text(value))
        {
            return Err(format!("the path leads to {field} {value}, and the line says {said}"));
        }
    }
    Ok(())
}

fn confidence(line: &Value) -> Result<Option<u8>, String> {
    let number = |name: &str| line[name].as_u64();
    match (number("confidence"), number("sure")) {
        (Some(confidence @ 1..=5), _) => Ok(Some(confidence as u8)),
        (None, Some(sure @ 1..=3)) => Ok(Some(sure as u8 * 2 - 1)),
        (None, None) => Ok(None),
        _ => Err("confidence is 1 to 5, sure 1 to 3".to_owned()),
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
