//! One prediction of a model, as a stream writes it (DESIGN §9).
//!
//! [`Row`] borrows from the line: a million of them a second are looked at and most are let pass.
//! [`Prediction`] owns everything, for the few that become cases and are read by a person.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::time::Moment;
use super::written;

/// Why a line can't be taken in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reject {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("JSON, but not an object")]
    NotObject,
    #[error("not UTF-8: --encoding windows-1252 reads it, if that is what it is")]
    NotUtf8,
    #[error(
        "byte {0:#04X} at place {1}{2} is not UTF-8: --encoding windows-1252 reads it, if that is what it is"
    )]
    BadByte(u8, usize, String),
    #[error("its time says no zone: --timezone names it (UTC, +02:00, Europe/Berlin)")]
    NoZone,
    #[error("no time: --time names the field, or --at says what stands for it (a time, or `file`)")]
    NoTime,
    #[error("a quote is opened in it and never closed")]
    Unclosed,
    #[error("{0}")]
    Foreign(String),
    #[error("no `{0}`")]
    Missing(&'static str),
    #[error("`occurred_at` is not an RFC 3339 time: `{0}`")]
    BadTime(String),
    #[error("confidence {0} is not between 0 and 1")]
    BadConfidence(f64),
    #[error("conflict: the stream already sent `{0}` with other content")]
    Conflict(String),
    #[error("longer than {0} MiB")]
    TooLong(usize),
    #[error("with what stands around it, it takes more than {0} MiB, compressed")]
    TooLarge(usize),
    #[error("the trap `{0}` flagged it elsewhere: {1}")]
    Rule(String, String),
}

/// A string that may be borrowed; other scalars are taken in as their text, anything else as
/// nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loose<'a>(pub Option<Cow<'a, str>>);

impl Loose<'_> {
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, or `""`.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // As it stands in the line: a number has all its digits.
        let raw = <&RawValue>::deserialize(from)?.get();
        Ok(Loose(match raw.as_bytes() {
            [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
                Some(Cow::Borrowed(&raw[1..raw.len() - 1]))
            }
            [b'"', ..] => Some(Cow::Owned(serde_json::from_str(raw).map_err(D::Error::custom)?)),
            [b'n' | b'[' | b'{', ..] => None,
            _ => Some(Cow::Borrowed(raw)),
        }))
    }
}

/// A prediction, borrowed from its line: what rules ask for and what neighbours show.
#[derive(Debug, Deserialize)]
pub struct Row<'a> {
    #[serde(borrow, default)]
    pub id: Loose<'a>,
    #[serde(borrow, default)]
    occurred_at: Loose<'a>,
    /// Set by [`Row::parse`] from `occurred_at`.
    #[serde(skip)]
    pub at: Moment,
    #[serde(borrow, default)]
    pub stream: Loose<'a>,
    #[serde(borrow, default)]
    pub source: Loose<'a>,
    #[serde(borrow, default)]
    pub trace_id: Loose<'a>,
    /// The traps that flagged it, where an engine did.
    #[serde(borrow, default)]
    pub why: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<Object<Model<'a>>>,
    #[serde(borrow, default)]
    input: Option<Object<Input<'a>>>,
    /// None where the line has no such field; within it, none where the model gave no answer.
    #[serde(borrow, default, deserialize_with = "present")]
    prediction: Option<Option<Object<Predicted<'a>>>>,
    #[serde(borrow, default)]
    challenger: Option<Object<Challenger<'a>>>,
    #[serde(default)]
    pub latency_ms: Option<f64>,
    /// The line itself.
    #[serde(skip)]
    pub raw: &'a str,
}

#[derive(Debug, Default, Deserialize)]
pub struct Model<'a> {
    #[serde(borrow, default)]
    pub name: Loose<'a>,
    #[serde(borrow, default)]
    pub version: Loose<'a>,
}

/// Tells a field that is null from one that is not there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// What must be an object: serde would take an array for one, field by field.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Object)
            }
        }
        from.deserialize_map(Fields(std::marker::PhantomData))
    }
}

#[derive(Debug, Default, Deserialize)]
struct Input<'a> {
    #[serde(borrow, default)]
    text: Loose<'a>,
    #[serde(borrow, default)]
    session_id: Loose<'a>,
}

#[derive(Debug, Deserialize)]
pub struct Predicted<'a> {
    #[serde(borrow, default)]
    pub label: Loose<'a>,
    #[serde(default)]
    pub confidence: Option<f64>,
    /// Read only when somebody asks for the margin: most predictions pass.
    #[serde(default, borrow)]
    top_k: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub struct Challenger<'a> {
    #[serde(borrow, default)]
    pub label: Loose<'a>,
    #[serde(default)]
    pub confidence: Option<f64>,
}

impl<'a> Row<'a> {
    /// Reads one line. What is needed and missing, or can't be true, is a [`Reject`].
    pub fn parse(raw: &'a str) -> Result<Self, Reject> {
        // serde would take an array for an object, field by field.
        if !raw.trim_start().starts_with('{') {
            let json = serde_json::from_str::<IgnoredAny>(raw);
            return Err(json.map_or_else(|error| not_json(&error), |_| Reject::NotObject));
        }
        let mut row: Self = match serde_json::from_str(raw) {
            Ok(row) => row,
            Err(error) => return Err(not_json(&error)),
        };
        row.raw = raw;
        if row.id.text().is_empty() {
            return Err(Reject::Missing("id"));
        }
        let at = row.occurred_at.as_str().ok_or(Reject::Missing("occurred_at"))?;
        row.at = Moment::parse(at)
            .ok_or_else(|| Reject::BadTime(super::text::head(at, 40).to_owned()))?;
        if row.input.is_none() {
            return Err(Reject::Missing("input"));
        }
        if row.prediction.is_none() {
            return Err(Reject::Missing("prediction"));
        }
        if let Some(prediction) = row.predicted() {
            if prediction.label.as_str().is_none() {
                return Err(Reject::Missing("prediction.label"));
            }
            if let Some(bad) =
                prediction.confidence.filter(|confidence| !(0.0..=1.0).contains(confidence))
            {
                return Err(Reject::BadConfidence(bad));
            }
        }
        Ok(row)
    }

    /// The stream's name; a line without one belongs to the stream `default`.
    pub fn stream_name(&self) -> &str {
        match self.stream.text() {
            "" => "default",
            name => name,
        }
    }

    pub fn text(&self) -> &str {
        self.input.as_ref().map_or("", |input| input.0.text.text())
    }

    pub fn session(&self) -> &str {
        self.input.as_ref().map_or("", |input| input.0.session_id.text())
    }

    /// What the model answered, if it did.
    pub fn predicted(&self) -> Option<&Predicted<'a>> {
        self.prediction.as_ref()?.as_ref().map(|object| &object.0)
    }

    /// What another model answered.
    pub fn challenger(&self) -> Option<&Challenger<'a>> {
        self.challenger.as_ref().map(|object| &object.0)
    }

    /// The predicted label, or `""` where the model gave none.
    pub fn label(&self) -> &str {
        self.predicted().map_or("", |prediction| prediction.label.text())
    }

    pub fn confidence(&self) -> Option<f64> {
        self.predicted().and_then(|prediction| prediction.confidence)
    }

    /// How far the first candidate is ahead of the second, if there are two.
    pub fn margin(&self) -> Option<f64> {
        #[derive(Deserialize)]
        struct Candidate {
            #[serde(default)]
            p: f64,
        }
        let top_k = self.predicted()?.top_k?;
        let list: Vec<Candidate> = serde_json::from_str(top_k.get()).ok()?;
        match list.as_slice() {
            [first, second, ..] => Some(first.p - second.p),
            _ => None,
        }
    }

    /// `name version` of the model.
    pub fn model_name(&self) -> String {
        let Some(Object(model)) = &self.model else { return String::new() };
        format!("{} {}", model.name.text(), model.version.text()).trim().to_owned()
    }
}

/// Why a line is no JSON.
pub fn not_json(error: &serde_json::Error) -> Reject {
    // serde_json counts lines; a stream's line is always its first.
    let error = error.to_string().replace(" at line 1 column", " at byte");
    // Half of a character, as some programs write one that they cut.
    let half = ["lone leading surrogate", "unexpected end of hex escape"];
    match half.into_iter().find_map(|known| error.strip_prefix(known)) {
        Some(at) => {
            Reject::NotJson(format!("half of a surrogate pair, as `\\ud83d` alone is,{at}"))
        }
        None => Reject::NotJson(error),
    }
}

/// Whether all of a line is sound: what [`Row::parse`] passed over is read to its end too, as a
/// person's program would read it, and forgotten.
pub fn check_whole(raw: &str) -> Result<(), Reject> {
    struct Sound;

    impl<'de> Deserialize<'de> for Sound {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_any(Anything)
        }
    }

    struct Anything;

    impl<'de> Visitor<'de> for Anything {
        type Value = Sound;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_str<E>(self, _: &str) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_unit<E>(self) -> Result<Sound, E> {
            Ok(Sound)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sound, A::Error> {
            while seq.next_element::<Sound>()?.is_some() {}
            Ok(Sound)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sound, A::Error> {
            while map.next_entry::<Sound, Sound>()?.is_some() {}
            Ok(Sound)
        }
    }

    serde_json::from_str::<Sound>(raw).map(drop).map_err(|error| not_json(&error))
}

/// A prediction as a reviewer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The whole line: nothing that a stream sends is lost.
    pub line: Value,
    pub at: Moment,
    pub label: Option<String>,
    pub confidence: Option<f64>,
    pub top_k: Vec<Scored>,
    pub challenger: Option<Rival>,
    pub features: Vec<Scored>,
}

/// A name that a model gave a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub name: String,
    pub number: f64,
    /// The number as the line has it.
    pub written: String,
}

impl Scored {
    /// Reads an item of a list by what its fields are called.
    pub fn read(item: &Value, name: &str, number: &str) -> Option<Self> {
        let (name, value) = (scalar(&item[name])?, &item[number]);
        Some(Self { name, number: value.as_f64()?, written: value.to_string() })
    }
}

/// What another model said of the same input.
#[derive(Debug, Clone, PartialEq)]
pub struct Rival {
    pub model: String,
    pub label: String,
    pub confidence: Option<f64>,
    /// The confidence as the line has it.
    pub written: Option<String>,
    pub top_k: Vec<Scored>,
}

impl Rival {
    /// What it is called, also where the line does not name it.
    pub fn called(&self) -> &str {
        if self.model.is_empty() { "another model" } else { &self.model }
    }
}

impl Prediction {
    /// Reads a line that [`Row::parse`] accepted; that looked only at what it needed, this at all
    /// of it.
    pub fn parse(raw: &str) -> Result<Self, Reject> {
        let line = written::read(raw).map_err(|error| not_json(&error))?;
        let prediction = &line["prediction"];
        let text = scalar;
        let scored = |list: &Value, name: &str, number: &str| -> Vec<Scored> {
            let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(|item| Scored::read(item, name, number)).collect()
        };
        let rival = &line["challenger"];
        let challenger = text(&rival["label"]).map(|label| Rival {
            model: model_words(&rival["model"]),
            label,
            confidence: rival["confidence"].as_f64(),
            written: as_written(&rival["confidence"]),
            top_k: scored(&rival["top_k"], "label", "p"),
        });
        Ok(Self {
            at: line["occurred_at"].as_str().and_then(Moment::parse).unwrap_or_default(),
            label: text(&prediction["label"]),
            confidence: prediction["confidence"].as_f64(),
            top_k: scored(&prediction["top_k"], "label", "p"),
            challenger,
            features: scored(&line["feature_importance"], "feature", "weight"),
            line,
        })
    }

    /// The input's text, or the whole input as JSON where it has none.
    pub fn text(&self) -> String {
        scalar(&self.line["input"]["text"]).unwrap_or_else(|| self.line["input"].to_string())
    }

    pub fn model(&self) -> String {
        model_words(&self.line["model"])
    }

    /// Its confidence as the line has it, where that is not hidden.
    pub fn written(&self) -> Option<String> {
        as_written(&self.line["prediction"]["confidence"])
    }

    /// What the model is called, also where the line does not name it.
    pub fn called(&self) -> String {
        Some(self.model()).filter(|model| !model.is_empty()).unwrap_or_else(|| "The model".into())
    }
}

/// A text, or the text of a number or of a truth as it stands in the line: what [`Loose`] reads.
/// Nothing for anything else.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_written(number: &Value) -> Option<String> {
    number.is_number().then(|| number.to_string())
}

fn model_words(model: &Value) -> String {
    if let Some(name) = scalar(model) {
        return name;
    }
    let word = |key: &str| scalar(&model[key]).unwrap_or_default();
    format!("{} {}", word("name"), word("version")).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"p1","occurred_at":"2024-06-03T00:03:25Z","input":{"text":"hi \"you\"","session_id":"s"},"prediction":{"label":"greeting","confidence":0.5,"top_k":[{"label":"greeting","p":0.5},{"label":"bye","p":0.2}]},"x":1}"#;

    #[test]
    fn a_good_line_is_read() {
        let row = Row::parse(GOOD).unwrap();
        assert_eq!((row.id.text(), row.text(), row.label()), ("p1", "hi \"you\"", "greeting"));
        assert!((row.margin().unwrap() - 0.3).abs() < 1e-9);
        let whole = Prediction::parse(GOOD).unwrap();
        assert_eq!(whole.line["x"], 1);
        assert_eq!(whole.top_k.len(), 2);
    }

    #[test]
    fn numbers_are_their_own_digits_in_both_readings() {
        let raw = r#"{"id":12345678901234567890123,"occurred_at":"2024-06-03T00:03:25Z","model":{"name":"router","version":2},"input":{"b":0.12345678901234567891,"text":7,"a":1234567.50},"prediction":{"label":7,"confidence":0.5,"top_k":[{"label":7,"p":0.5},{"label":true,"p":0.2}]}}"#;
        let (row, whole) = (Row::parse(raw).unwrap(), Prediction::parse(raw).unwrap());
        assert_eq!((row.id.text(), row.label(), row.text()), ("12345678901234567890123", "7", "7"));
        assert_eq!(
            (whole.label.as_deref(), whole.model(), row.model_name()),
            (Some("7"), "router 2".to_owned(), "router 2".to_owned())
        );
        assert_eq!(
            whole.top_k.iter().map(|said| said.name.as_str()).collect::<Vec<_>>(),
            ["7", "true"]
        );
        let input = whole.line["input"].to_string();
        assert_eq!(input, r#"{"b":0.12345678901234567891,"text":7,"a":1234567.50}"#);
    }

    #[test]
    fn what_a_row_passes_over_is_checked_before_it_is_kept() {
        assert_eq!(check_whole(GOOD), Ok(()));
        let deep =
            GOOD.replace("\"x\":1", &format!("\"x\":{}{}", "[".repeat(300), "]".repeat(300)));
        assert!(
            Row::parse(&deep).is_ok()
                && check_whole(&deep).unwrap_err().to_string().contains("recursion")
        );
        let lone = GOOD.replace("\"x\":1", "\"x\":\"\\ud800\"");
        assert!(check_whole(&lone).is_err());
    }

    #[test]
    fn a_bad_line_says_why() {
        let check = |from: &str, to: &str, expect: &str| {
            let error = Row::parse(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check("\"id\":\"p1\",", "", "no `id`");
        check("2024-06-03T00:03:25Z", "yesterday", "RFC 3339");
        check("0.5,\"top", "1.5,\"top", "between 0 and 1");
        check("0.5,\"top", "\"high\",\"top", "not JSON");
        check("\"x\":1", "\"id\":\"p2\"", "duplicate field `id`");
        check("hi", "\\ud800 hi", "not JSON");
        check(
            "{\"text\":\"hi \\\"you\\\"\",\"session_id\":\"s\"}",
            "[\"hi\"]",
            "expected an object",
        );
        check("\"prediction\":{", "\"answer\":{", "no `prediction`");
        let inside = GOOD
            .replace("\"prediction\":{", "\"answer\":{")
            .replace("\"text\":", "\"prediction\":1,\"text\":");
        assert_eq!(Row::parse(&inside).unwrap_err(), Reject::Missing("prediction"));
        for list in ["[\"greeting\",0.3]", "[]", "3", "\"greeting\""] {
            let from = GOOD.find("{\"label\"").unwrap();
            let raw = format!("{}{list},\"x\":1}}", &GOOD[..from]);
            assert!(
                Row::parse(&raw).unwrap_err().to_string().contains("expected an object"),
                "{raw}"
            );
        }
        assert!(
            Row::parse(&format!("{}null}}", &GOOD[..GOOD.find("{\"label\"").unwrap()])).is_ok()
        );
        assert_eq!(Row::parse("[1,2]").unwrap_err(), Reject::NotObject);
        assert!(matches!(Row::parse("{\"id\":"), Err(Reject::NotJson(_))));
    }
}
