//! Labels that people gave in other programs: what each said, control by control, before it is walked
//! through a protocol.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::path::scalar;
use crate::domain::label::Step;
use crate::domain::protocol::Places;

/// What somebody said of a text elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foreign {
    /// Where it stands: `line 3`, `[3].annotations[0]`.
    pub place: String,
    /// The stream's own id of the case.
    pub id: Option<String>,
    /// What the file is called, where it may be called by the case that is here: if it has this text.
    pub called: Option<String>,
    pub text: Option<String>,
    /// What the record says of the prediction, as a line; to open the case with.
    pub line: Map<String, Value>,
    /// What the record says of the case beside that, under names that mean nothing to the program: part
    /// of the input of a case that is opened.
    pub beside: Map<String, Value>,
    pub reviewer: Option<String>,
    /// Controls and what they were answered.
    pub said: Vec<(String, Said)>,
    /// Questions and answers, where it went out from here: of those for which nothing is said.
    pub path: Vec<Step>,
    pub confidence: Option<u8>,
    pub rationale: String,
    pub tags: Vec<String>,
    pub checked: Vec<String>,
    /// Places in texts of the case beside its first.
    pub evidence_in: Places,
    pub at: Option<Value>,
    pub duration_ms: Option<u64>,
    /// Whether what others said could be seen when it was given.
    pub after_others: bool,
    /// Whether it is marked as the right answer.
    pub gold: bool,
    /// Whether it is what somebody decided who reviewed the labels of others: a ruling, no label.
    pub ruling: bool,
    /// What nothing maps.
    pub extra: Map<String, Value>,
}

/// An answer to a control.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    One(String),
    Many(Vec<String>),
    /// Places in characters, each with its name.
    Places(Vec<(usize, usize, String)>),
}

impl Said {
    /// The same as JSON.
    pub fn value(&self) -> Value {
        match self {
            Self::One(text) => Value::from(text.as_str()),
            Self::Many(list) => Value::from(list.clone()),
            Self::Places(places) => json!(places),
        }
    }
}

/// What is no label by itself, and what was lost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loss {
    pub skipped: u64,
    pub drafts: u64,
    /// Said by a program.
    pub by_machine: u64,
    /// Fields that nothing maps, by what they are.
    pub lost: BTreeMap<String, u64>,
    /// Records that can't be read, with where they stand.
    pub rejects: Vec<(String, String)>,
    /// Cases that the files hold, with or without labels.
    pub cases: u64,
}

impl Loss {
    pub fn lose(&mut self, what: &str) {
        *self.lost.entry(what.to_owned()).or_default() += 1;
    }

    pub fn reject(&mut self, place: &str, why: &str) {
        self.rejects.push((place.to_owned(), why.to_owned()));
    }
}

/// How labels of a format are read.
#[derive(Debug, Clone, Default)]
pub struct LabelOptions {
    /// The file's name without its ending: some programs write a file a reviewer.
    pub stem: String,
    /// Whether it was said who gave the labels: what a file is called names nobody then.
    pub is_named: bool,
    /// Which responses count, where a format says their status.
    pub status: Option<String>,
    /// The field that is the text, where that was said.
    pub text: Option<String>,
}

/// Reads the labels of records, one after another.
pub trait Labels {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    );

    /// What was said in several records.
    fn end(&mut self, _to: &mut Vec<Foreign>) {}
}

/// A format of labels that come in.
pub struct LabelsIn {
    pub name: &'static str,
    pub about: &'static str,
    /// Whether a record is of it, by its fields.
    pub claims: fn(&Map<String, Value>) -> bool,
    pub make: fn(LabelOptions) -> Box<dyn Labels>,
    /// Fields of an outer object whose list holds the records.
    pub within: &'static [&'static str],
}

/// Where a place is in characters that another program counted in UTF-16 units or in characters: the
/// text that it covers says which. Without that text, as `utf16` says.
pub fn characters(
    text: &str,
    (start, end): (usize, usize),
    covered: Option<&str>,
    utf16: bool,
) -> Option<(usize, usize)> {
    let of_units = || {
        let (mut units, mut found) = (0, (None, None));
        for (at, c) in text.chars().chain(std::iter::once('\0')).enumerate() {
            if units == start {
                found.0 = Some(at);
            }
            if units == end {
                found.1 = Some(at);
            }
            units += c.len_utf16();
        }
        found.0.zip(found.1)
    };
    let of_characters = || (end <= text.chars().count() && start <= end).then_some((start, end));
    let covers = |place: &(usize, usize)| {
        covered.is_none_or(|covered| {
            text.chars().skip(place.0).take(place.1 - place.0).eq(covered.chars())
        })
    };
    let tries = if utf16 { [of_units(), of_characters()] } else { [of_characters(), of_units()] };
    if covered.is_none() {
        return tries[0];
    }
    let found = tries.into_iter().flatten().filter(|place| place.0 <= place.1).find(covers);
    found.or_else(|| {
        // The one place where that text stands.
        let covered = covered.filter(|covered| !covered.is_empty())?;
        let mut places = text.match_indices(covered);
        let (at, _) = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let from = text[..at].chars().count();
        Some((from, from + covered.chars().count()))
    })
}

/// An id that follows from a text, for programs that keep none of the stream's.
pub fn id_of_text(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes());
    format!("text-{}", &hash.to_hex()[..16])
}

/// A line for a text of which nothing else is known but some fields.
pub fn line_of(
    id: &str,
    text: &str,
    at: Option<&Value>,
    label: Option<&str>,
    rest: &Map<String, Value>,
) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("id".to_owned(), json!(id));
    if let Some(at) = at {
        line.insert("occurred_at".to_owned(), at.clone());
    }
    let mut input = match rest.get("input") {
        Some(Value::Object(input)) => input.clone(),
        _ => Map::new(),
    };
    input.entry("text").or_insert(json!(text));
    for name in ["stream", "trace_id", "model"] {
        if let Some(value) = rest.get(name).filter(|value| !value.is_null()) {
            line.insert(name.to_owned(), value.clone());
        }
    }
    line.insert("input".to_owned(), Value::Object(input));
    let prediction = match rest.get("prediction") {
        Some(prediction @ Value::Object(_)) => prediction.clone(),
        _ => label.map_or(Value::Null, |label| json!({ "label": label })),
    };
    line.insert("prediction".to_owned(), prediction);
    line
}

/// A field as a text, if it has one.
pub fn text(record: &Map<String, Value>, name: &str) -> Option<String> {
    let value = record.get(name).filter(|value| !value.is_null())?;
    Some(scalar(value).into_owned()).filter(|text| !text.is_empty())
}

#[test]
fn places_are_known_by_what_they_cover() {
    let text = "move 50 to savings 🙂 before friday";
    assert_eq!(characters(text, (29, 35), Some("friday"), true), Some((28, 34)));
    assert_eq!(characters(text, (28, 34), Some("friday"), true), Some((28, 34)));
    assert_eq!(
        characters(text, (7, 9), Some("friday"), false),
        Some((28, 34)),
        "the one place where it stands"
    );
    assert_eq!(characters(text, (0, 1), Some("e"), false), None, "it stands in several");
    assert_eq!(characters(text, (0, 4), None, false), Some((0, 4)));
    assert_eq!(characters(text, (0, 99), None, false), None);
}
