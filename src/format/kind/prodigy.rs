//! Prodigy: a line an answer, with the hashes by which Prodigy knows a text and a question again.
//!
//! `_input_hash` is MurmurHash3 (x86, 32 bits) over `text=` and the text as ASCII JSON, as a signed
//! number; `_task_hash` the same over that number and what the question shows.

use std::io;

use serde_json::{Map, Value, json};

use super::ours::{self, OURS};
use super::spans::{EVIDENCE, SPANS};
use crate::domain::time::Moment;
use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, characters, id_of_text, text};
use crate::format::path::scalar;
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::read::case::{Answer, Case};
use crate::format::read::{Cases, Found, Options};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "prodigy",
    about: "JSON lines for Prodigy, with its hashes",
    folder: false,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| {
        let labels = options.labels();
        Box::new(Answers { options, labels })
    },
};

/// What places are called that bear a label out.
const OF_EVIDENCE: &str = "evidence";
/// Options that are shown with every text.
const OPTIONS_MAX: usize = 50;

struct Answers {
    options: PeerOptions,
    labels: Vec<String>,
}

/// A text as Python writes it in JSON: ASCII alone.
fn ascii_json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' | '\u{7f}' => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
    out
}

fn murmur(text: &str) -> io::Result<i32> {
    let hash = murmur3::murmur3_32(&mut io::Cursor::new(text.as_bytes()), 0)?;
    Ok(i32::from_ne_bytes(hash.to_ne_bytes()))
}

/// The hash by which Prodigy knows a text.
///
/// # Errors
/// None: it reads from memory.
pub fn input_hash(text: &str) -> io::Result<i32> {
    murmur(&format!("text={}", ascii_json(text)))
}

impl Peer for Answers {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            let mut options: Vec<&str> = if self.labels.len() <= OPTIONS_MAX {
                self.labels.iter().map(String::as_str).collect()
            } else {
                about.predicted.as_deref().into_iter().collect()
            };
            if let Some(label) = given.label.as_deref().filter(|label| !options.contains(label)) {
                options.push(label);
            }
            let shown: Vec<String> = options
                .iter()
                .map(|name| format!("{{\"id\": {0}, \"text\": {0}}}", ascii_json(name)))
                .collect();
            let input = input_hash(&about.text)?;
            let task = murmur(&format!("{input}options=[{}]", shown.join(", ")))?;
            let options: Vec<Value> =
                options.iter().map(|name| json!({ "id": name, "text": name })).collect();
            let mut line = json!({
                "text": about.text,
                "meta": { "id": about.id, "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at,
                    "trace_id": about.trace_id, "predicted": about.predicted, "outcome": given.outcome,
                    "rationale": given.rationale, "confidence": given.confidence, "event": given.event },
                OURS: ours::told(given),
                "options": options,
                "accept": given.label.iter().collect::<Vec<_>>(),
                // What has no label is nothing to learn from.
                "answer": if given.label.is_some() { "accept" } else { "ignore" },
                "_input_hash": input,
                "_task_hash": task,
                "_view_id": "choice",
            });
            if let Some(reviewer) = &given.reviewer {
                line["_session_id"] = Value::from(self.options.reviewer(reviewer));
                line["_annotator_id"] = line["_session_id"].clone();
            }
            if let Some(at) = Moment::parse(&given.at) {
                line["_timestamp"] = Value::from(at.0.div_euclid(1_000));
            }
            let mut marked = self.options.marked(item, given, out);
            let only_places = self.options.asks_for_places() && self.labels.is_empty();
            let is_place = !marked.is_empty() || only_places;
            marked.extend(
                given.evidence.iter().map(|span| (span.start, span.end, OF_EVIDENCE.to_owned())),
            );
            if is_place || !marked.is_empty() {
                let span = |(start, end, name): &(usize, usize, String)| json!({ "start": start, "end": end, "label": name });
                line["spans"] = marked.iter().map(span).collect();
            }
            // Places may be all that is asked for.
            if is_place && given.label.is_none() {
                (line["answer"], line["_view_id"]) = (json!("accept"), json!("ner_manual"));
                if let Value::Object(line) = &mut line {
                    line.shift_remove("options");
                    line.shift_remove("accept");
                }
            }
            out.line(&line)?;
        }
        Ok(())
    }
}

#[test]
fn texts_are_known_by_the_hash_that_prodigy_computes() {
    assert_eq!(
        ascii_json("a\"\\\n\u{1}é🙂\u{7f}"),
        "\"a\\\"\\\\\\n\\u0001\\u00e9\\ud83d\\ude42\u{7f}\""
    );
    // mmh3.hash('text=' + json.dumps('hello'), 0)
    assert_eq!(input_hash("hello").unwrap(), murmur("text=\"hello\"").unwrap());
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "prodigy",
    about: "answers of Prodigy",
    claims: |record| {
        let answer = record.get("answer").and_then(Value::as_str);
        record.contains_key("_input_hash")
            || record.contains_key("text")
                && answer.is_some_and(|answer| ["accept", "reject", "ignore"].contains(&answer))
    },
    make: |_| Box::new(Given),
    within: &[],
};

/// What a task says of itself and of its answer.
const OF_TASK: [&str; 24] = [
    "text",
    "meta",
    "options",
    "accept",
    "answer",
    "spans",
    "tokens",
    "label",
    "score",
    "priority",
    "versions",
    "sessions",
    "default",
    "relations",
    "image",
    "audio",
    "_input_hash",
    "_task_hash",
    "_session_id",
    "_annotator_id",
    "_view_id",
    "view_id",
    "_timestamp",
    OURS,
];

struct Given;

impl Given {
    /// One person's answer; `base` knows the case.
    fn answer(
        &self,
        base: &Foreign,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let answer = record.get("answer").and_then(Value::as_str).unwrap_or("accept");
        // What has no label to learn from went out as ignored.
        if answer == "ignore" && ours::read(record)["path"].as_array().is_none_or(Vec::is_empty) {
            loss.skipped += 1;
            return;
        }
        let session = text(record, "_annotator_id").or_else(|| text(record, "_session_id"));
        let mut foreign = Foreign {
            place: place.to_owned(),
            reviewer: session.map(|name| {
                name.rsplit_once("://").map_or(name.clone(), |(_, name)| name.to_owned())
            }),
            at: record.get("_timestamp").filter(|at| !at.is_null()).cloned(),
            ..base.clone()
        };
        let words = |list: &Vec<Value>| {
            list.iter().map(|item| scalar(item).into_owned()).collect::<Vec<_>>()
        };
        if let Some(list) =
            record.get("accept").and_then(Value::as_array).filter(|_| answer == "accept")
        {
            foreign.said.push(("label".to_owned(), Said::Many(words(list))));
        } else if let Some(label) = text(record, "label") {
            // Rejected means: not this label.
            let verdict = if answer == "accept" { "model_correct" } else { "wrong_label" };
            foreign.said.push(("verdict".to_owned(), Said::One(verdict.to_owned())));
            if answer == "accept" {
                foreign.said.push(("label".to_owned(), Said::One(label)));
            }
        } else if answer == "reject" {
            foreign.said.push(("verdict".to_owned(), Said::One("wrong_label".to_owned())));
        }
        let source = base.text.clone().unwrap_or_default();
        if let Some(spans) =
            record.get("spans").and_then(Value::as_array).filter(|_| answer == "accept")
        {
            let mut places = Vec::new();
            for span in spans {
                let at = [&span["start"], &span["end"]]
                    .map(|end| end.as_u64().unwrap_or(u64::MAX) as usize);
                let Some(found) = characters(&source, (at[0], at[1]), None, false) else {
                    return loss.reject(
                        place,
                        &format!("the place {}-{} is not in the text", at[0], at[1]),
                    );
                };
                places.push((
                    found.0,
                    found.1,
                    span["label"].as_str().unwrap_or_default().to_owned(),
                ));
            }
            let (evidence, places): (Vec<_>, Vec<_>) =
                places.into_iter().partition(|(.., name)| name == OF_EVIDENCE);
            foreign.said.push((SPANS.to_owned(), Said::Places(places)));
            if !evidence.is_empty() {
                foreign.said.push((EVIDENCE.to_owned(), Said::Places(evidence)));
            }
        }
        for name in ["relations", "image", "audio"] {
            if let Some(value) = record
                .get(name)
                .filter(|value| value.as_array().is_none_or(|list| !list.is_empty()))
            {
                loss.lose(name);
                foreign.extra.insert(name.to_owned(), value.clone());
            }
        }
        to.push(foreign);
    }
}

impl Labels for Given {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        loss.cases += 1;
        // An empty text is one where the stream's id says which case it is.
        let has_id = record.get("meta").is_some_and(|meta| meta.get("id").is_some());
        let words =
            record.get("text").and_then(Value::as_str).filter(|text| has_id || !text.is_empty());
        let Some(words) = words.map(str::to_owned) else {
            return loss.reject(place, "it has no text");
        };
        let case = case_of(record, &words);
        let id = case.id.clone();
        let meta = record.get("meta").and_then(Value::as_object);
        let mut beside = ours::beside(record, &OF_TASK);
        beside.extend(
            meta.map(|meta| match record.contains_key(OURS) {
                // All of it went out from here.
                true => Map::new(),
                false => ours::beside(meta, &["score"]),
            })
            .unwrap_or_default(),
        );
        let base = Foreign {
            id,
            text: Some(words),
            line: case.as_written(),
            beside,
            ..Foreign::default()
        };
        match record.get("versions").and_then(Value::as_array) {
            // A review: what each said, and what was decided.
            Some(versions) => {
                for (n, version) in versions.iter().enumerate() {
                    let Some(version) = version.as_object() else { continue };
                    let sessions = version
                        .get("sessions")
                        .and_then(Value::as_array)
                        .cloned()
                        .unwrap_or_default();
                    let sessions: Vec<Value> =
                        if sessions.is_empty() { vec![Value::Null] } else { sessions };
                    for session in sessions {
                        let mut version = version.clone();
                        if session.is_string() {
                            version.shift_remove("_annotator_id");
                            version.insert("_session_id".to_owned(), session);
                        }
                        self.answer(&base, &version, &format!("{place}.versions[{n}]"), to, loss);
                    }
                }
                let decided = Foreign { ruling: true, ..base };
                self.answer(&decided, record, &format!("{place} (review)"), to, loss);
            }
            None => {
                let before = to.len();
                self.answer(&base, record, place, to, loss);
                if let Some(foreign) = to[before..].first_mut() {
                    ours::take_over(foreign, &ours::read(record));
                }
            }
        }
    }
}

/// Whether a record is a task of Prodigy.
pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("text")
        && (record.contains_key("_input_hash") || record.contains_key("_task_hash"))
}

/// Tasks as predictions: the text, and the label that was asked about.
pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(AsCases)
}

struct AsCases;

impl Cases for AsCases {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let words = text(&record, "text").unwrap_or_default();
        to.push(Found::case(case_of(&record, &words)));
    }
}

/// A task as a prediction.
fn case_of(record: &Map<String, Value>, words: &str) -> Case {
    let meta = record.get("meta").and_then(Value::as_object).cloned().unwrap_or_default();
    let label = text(&meta, "predicted").or_else(|| text(record, "label"));
    let score = record.get("score").or_else(|| meta.get("score"));
    let is_share = |p: &&Value| p.as_f64().is_some_and(|p| (0.0..=1.0).contains(&p));
    let confidence = score.filter(is_share).cloned();
    let at = meta.get("occurred_at").or_else(|| record.get("_timestamp"));
    let answer = label.map(|label| Answer { label: Some(label), confidence, ..Answer::default() });
    let id = text(&meta, "id").or_else(|| text(record, "id"));
    let mut input = meta.get("input").and_then(Value::as_object).cloned().unwrap_or_default();
    input.entry("text").or_insert_with(|| Value::from(words));
    Case {
        id: Some(id.unwrap_or_else(|| id_of_text(words))),
        at: at.filter(|at| !at.is_null()).cloned(),
        stream: text(&meta, "stream"),
        trace_id: text(&meta, "trace_id"),
        input,
        answer,
        whole: meta
            .get("prediction")
            .filter(|prediction| prediction.is_object())
            .map(|prediction| ("prediction".to_owned(), prediction.clone()))
            .into_iter()
            .collect(),
        rest: meta
            .get("model")
            .map(|model| ("model".to_owned(), model.clone()))
            .into_iter()
            .collect(),
        ..Case::default()
    }
}
