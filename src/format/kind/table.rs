//! Rows whose columns say by their names what they are: a prediction a row, from a CSV file, Parquet
//! or Arrow. What no role has stands in the input.

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::mapping::number;
use crate::format::path::scalar;
use crate::format::read::case::{Answer, Case};
use crate::format::read::{Cases, Found, Options};

/// What a column may be, and how such are called, the surest name first.
const ROLES: &[(&str, &[&str])] = &[
    (
        "id",
        &[
            "id",
            "case_id",
            "prediction_id",
            "request_id",
            "event_id",
            "inference_id",
            "uuid",
            "identifier",
            "record_id",
            "message_id",
        ],
    ),
    (
        "occurred_at",
        &[
            "occurred_at",
            "timestamp",
            "time",
            "when",
            "ts",
            "event_time",
            "datetime",
            "created_at",
            "request_time",
            "logged_at",
            "created",
            "seen_at",
            "predicted_at",
            "date",
        ],
    ),
    (
        "text",
        &[
            "text",
            "input",
            "query",
            "utterance",
            "message",
            "prompt",
            "question",
            "sentence",
            "content",
            "body",
        ],
    ),
    (
        "label",
        &[
            "label",
            "prediction",
            "predicted",
            "predicted_label",
            "pred",
            "class",
            "intent",
            "output",
            "category",
        ],
    ),
    ("confidence", &["confidence", "score", "probability", "prob", "proba"]),
    ("stream", &["stream"]),
    ("trace_id", &["trace_id", "traceid"]),
    ("session_id", &["session_id", "conversation_id"]),
    ("model", &["model", "model_name"]),
    ("model_version", &["model_version"]),
    ("latency_ms", &["latency_ms"]),
];

/// Which column is what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Roles, each with the name of its column.
    pub roles: Vec<(&'static str, String)>,
    /// All others.
    pub rest: Vec<String>,
}

impl Columns {
    pub fn guess<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Self {
        let mut roles: Vec<(&'static str, String)> = Vec::new();
        for (role, known) in ROLES {
            let found = known.iter().find_map(|known| {
                names.clone().find(|name| name.trim().eq_ignore_ascii_case(known))
            });
            roles.extend(found.map(|name| (*role, name.to_owned())));
        }
        let taken = |name: &&str| !roles.iter().any(|(_, of)| of == name);
        let rest = names.filter(taken).map(str::to_owned).collect();
        Self { roles, rest }
    }

    /// The same, with what was said which is what.
    pub fn of_names<'n>(
        names: impl Iterator<Item = &'n str> + Clone,
        named: &[(&'static str, String)],
    ) -> Self {
        let mut columns = Self::guess(names.clone());
        columns
            .roles
            .retain(|(role, name)| !named.iter().any(|(said, of)| said == role || of == name));
        columns.roles.extend(named.iter().cloned());
        columns.rest = names
            .filter(|name| !columns.roles.iter().any(|(_, of)| of == name))
            .map(str::to_owned)
            .collect();
        columns
    }

    pub fn of(&self, role: &str) -> Option<&str> {
        self.roles.iter().find(|(known, _)| *known == role).map(|(_, name)| name.as_str())
    }

    /// Whether it is known what makes a prediction.
    pub fn suffice(&self) -> bool {
        self.of("id").is_some() && (self.of("text").is_some() || self.of("label").is_some())
    }

    /// In words.
    pub fn words(&self) -> String {
        let mut words: Vec<String> =
            self.roles.iter().map(|(role, name)| format!("{role} ← {name}")).collect();
        if !self.rest.is_empty() {
            words.push(format!("input ← {}", self.rest.join(", ")));
        }
        words.join(", ")
    }
}

pub fn claims(record: &Map<String, Value>) -> bool {
    Columns::guess(record.keys().map(String::as_str)).suffice()
}

pub fn cases(options: &Options) -> Box<dyn Cases> {
    Box::new(Rows {
        columns: None,
        named: options.columns.clone(),
        decimal_comma: options.decimal_comma,
    })
}

struct Rows {
    columns: Option<Columns>,
    named: Vec<(&'static str, String)>,
    decimal_comma: bool,
}

/// How sure a model was, as a cell says; nothing where it says nothing, or that it is no number.
///
/// # Errors
/// A text that is no number.
pub fn confidence(value: Option<Value>, decimal_comma: bool) -> Result<Option<Value>, Reject> {
    let Some(value) = value else { return Ok(None) };
    let text = scalar(&value);
    let text = text.trim();
    if ["", "nan", "none", "null", "na", "inf", "-inf"].contains(&text.to_lowercase().as_str()) {
        return Ok(None);
    }
    let found = if decimal_comma { number(&text.replace(',', ".")) } else { number(text) };
    found.map(Some).ok_or_else(|| {
        let head: String = text.chars().take(40).collect();
        let hint =
            if text.contains(',') { " (--decimal , reads a comma as the point)" } else { "" };
        Reject::Foreign(format!("confidence `{head}` is no number{hint}"))
    })
}

impl Cases for Rows {
    fn take(&mut self, mut record: Map<String, Value>, to: &mut Vec<Found>) {
        let columns = self.columns.get_or_insert_with(|| {
            Columns::of_names(record.keys().map(String::as_str), &self.named)
        });
        let mut value = |role: &str| {
            columns.of(role).and_then(|name| record.remove(name)).filter(|value| !value.is_null())
        };
        let text = |value: Option<Value>| {
            value.map(|value| scalar(&value).into_owned()).filter(|text| !text.is_empty())
        };
        let id = text(value("id"));
        let at = value("occurred_at");
        let said = value("text");
        let label = value("label");
        let sure = value("confidence");
        let (stream, trace_id, session_id) =
            (text(value("stream")), text(value("trace_id")), text(value("session_id")));
        let (model, model_version, latency_ms) =
            (text(value("model")), text(value("model_version")), value("latency_ms"));
        let latency_ms = latency_ms.and_then(|value| number(&scalar(&value)));
        let confidence = match confidence(sure, self.decimal_comma) {
            Ok(confidence) => confidence,
            Err(reject) => return to.push(Found::Reject(reject)),
        };
        let mut input = match said {
            Some(Value::Object(input)) => input,
            Some(said) => Map::from_iter([("text".to_owned(), Value::from(scalar(&said)))]),
            None => Map::new(),
        };
        for (name, value) in record {
            if !value.is_null() {
                input.entry(name).or_insert(value);
            }
        }
        // An empty cell is no label; every other text is one, `null` and `NA` too.
        let answer = match label {
            None => None,
            Some(Value::String(label)) if label.is_empty() => None,
            Some(list @ (Value::Object(_) | Value::Array(_))) => Answer::of_json(&list),
            Some(label) => {
                Some(Answer { label: Some(scalar(&label).into_owned()), ..Answer::default() })
            }
        };
        let answer = answer.map(|answer| Answer {
            confidence: confidence.or(answer.confidence.clone()),
            ..answer
        });
        to.push(Found::case(Case {
            id,
            at,
            stream,
            trace_id,
            session_id,
            model,
            model_version,
            input,
            answer,
            latency_ms,
            ..Case::default()
        }));
    }
}
