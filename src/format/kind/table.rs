//! Rows whose columns say by their names what they are: a prediction a row, from a CSV file, Parquet
//! or Arrow. What no role has stands in the input.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::numbers::{number, sure as confidence_of};
use crate::format::path::scalar;
use crate::format::read::case::{Answer, Case};
use crate::format::read::csv::Cells;
use crate::format::read::{Cases, Found, Options};
use crate::format::times::Times;

/// What a column may be, and how such are called, the surest name first. Records are asked for them in
/// this order.
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

    /// Learns of columns that earlier rows left out. What is known already stays as it is.
    pub fn learn(&mut self, new: &[String], named: &[(&'static str, String)]) {
        let all = self.roles.iter().map(|(_, name)| name).chain(&self.rest).chain(new);
        let all: Vec<String> = all.cloned().collect();
        let guessed = Self::of_names(all.iter().map(String::as_str), named);
        let is_new = |role: &(&'static str, String)| {
            self.of(role.0).is_none() && !self.roles.iter().any(|(_, name)| *name == role.1)
        };
        let more: Vec<_> = guessed.roles.into_iter().filter(is_new).collect();
        self.roles.extend(more);
        let roles = &self.roles;
        self.rest.extend_from_slice(new);
        self.rest.retain(|name| !roles.iter().any(|(_, of)| of == name));
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
    // Labels of Label Studio, flattened.
    !record.contains_key("annotation_id")
        && Columns::guess(record.keys().map(String::as_str)).suffice()
}

pub fn cases(options: &Options) -> Box<dyn Cases> {
    Box::new(Rows {
        columns: None,
        named: options.columns.clone(),
        decimal_comma: options.decimal_comma,
        plan: None,
        seen: HashSet::new(),
    })
}

struct Rows {
    columns: Option<Columns>,
    named: Vec<(&'static str, String)>,
    decimal_comma: bool,
    /// How rows of texts under some names are written.
    plan: Option<Plan>,
    /// The names of columns that rows had so far.
    seen: HashSet<String>,
}

/// Where the cells of a row stand in its line.
struct Plan {
    names: Arc<[String]>,
    /// The cell of each of [`ROLES`].
    roles: [Option<usize>; ROLES.len()],
    /// What else the input holds, in order: a name as JSON, and its cell.
    rest: Vec<(String, usize)>,
    /// Whether the session stands in the input as it is.
    has_session: bool,
}

impl Plan {
    fn of(names: &Arc<[String]>, columns: &Columns) -> Self {
        // As a record is taken apart, role by role, so that the rest is in its order.
        let cells = names.iter().enumerate();
        let mut left: Map<String, Value> =
            cells.map(|(at, name)| (name.clone(), Value::from(at))).collect();
        let mut take = |name: &str| {
            let at = left.shift_remove(columns.of(name)?)?.as_u64()?;
            Some(at as usize)
        };
        let roles = std::array::from_fn(|at| take(ROLES[at].0));
        let said = columns.of("text").is_some_and(|name| !left.contains_key(name));
        let (mut rest, mut has_session) = (Vec::new(), false);
        for (name, at) in left {
            has_session |= name == "session_id";
            if !(said && name == "text")
                && let Some(at) = at.as_u64()
            {
                rest.push((Value::from(name).to_string(), at as usize));
            }
        }
        Self { names: Arc::clone(names), roles, rest, has_session }
    }
}

/// Adds a text as JSON.
fn quote(text: &str, to: &mut Vec<u8>) {
    // Into memory nothing fails.
    let _ = serde_json::to_writer(to, text);
}

impl Cases for Rows {
    fn line_of(&mut self, cells: &Cells, times: &Times) -> Option<Result<String, Reject>> {
        let names = cells.names();
        let columns = self.columns.get_or_insert_with(|| {
            Columns::of_names(names.iter().map(String::as_str), &self.named)
        });
        let known =
            self.plan.take().filter(|plan| Arc::ptr_eq(&plan.names, names) || plan.names == *names);
        let plan = self.plan.insert(known.unwrap_or_else(|| Plan::of(names, columns)));
        let cell = |role: usize| plan.roles[role].map(|at| cells.get(at));
        let text = |role: usize| cell(role).filter(|text| !text.is_empty());
        let [id, at, said, label, sure, stream, trace, session, model, version, latency] =
            std::array::from_fn(|role| role);
        let written = || {
            let confidence =
                confidence_of(cell(sure).map(Value::from).as_ref(), self.decimal_comma)?;
            let own = text(id).ok_or(Reject::Missing("id"))?;
            let at = times.read(cell(at).map(Value::from).as_ref())?;
            let mut to = Vec::with_capacity(128 + 2 * cells.bytes());
            to.extend(b"{\"id\":");
            quote(own, &mut to);
            to.extend(b",\"occurred_at\":");
            quote(&at, &mut to);
            for (name, role) in [("stream", stream), ("trace_id", trace)] {
                if let Some(text) = text(role) {
                    to.extend(format!(",\"{name}\":").bytes());
                    quote(text, &mut to);
                }
            }
            let mut between = ",\"model\":{";
            for (name, role) in [("name", model), ("version", version)] {
                if let Some(text) = text(role) {
                    to.extend(format!("{between}\"{name}\":").bytes());
                    quote(text, &mut to);
                    between = ",";
                }
            }
            if between == "," {
                to.push(b'}');
            }
            to.extend(b",\"input\":{");
            let mut between = "";
            if let Some(said) = cell(said) {
                to.extend(b"\"text\":");
                quote(said, &mut to);
                between = ",";
            }
            for (name, at) in &plan.rest {
                to.extend(between.bytes().chain(name.bytes()).chain(*b":"));
                quote(cells.get(*at), &mut to);
                between = ",";
            }
            // What is said of how sure the model was is not lost, where it said nothing or no number.
            let sure = text(sure).filter(|_| confidence.is_none() || text(label).is_none());
            if let (Some(sure), Some(name)) = (sure, columns.of("confidence")) {
                to.extend(between.bytes());
                quote(name, &mut to);
                to.push(b':');
                quote(sure, &mut to);
                between = ",";
            }
            if let Some(session) = text(session).filter(|_| !plan.has_session) {
                to.extend(format!("{between}\"session_id\":").bytes());
                quote(session, &mut to);
            }
            to.extend(b"},\"prediction\":");
            match text(label) {
                None => to.extend(b"null"),
                Some(label) => {
                    to.extend(b"{\"label\":");
                    quote(label, &mut to);
                    if let Some(confidence) = confidence {
                        to.extend(format!(",\"confidence\":{confidence}").bytes());
                    }
                    to.push(b'}');
                }
            }
            if let Some(latency) = cell(latency).and_then(number) {
                to.extend(format!(",\"latency_ms\":{latency}").bytes());
            }
            to.push(b'}');
            String::from_utf8(to).map_err(|_| Reject::NotObject)
        };
        Some(written())
    }

    fn take(&mut self, mut record: Map<String, Value>, to: &mut Vec<Found>) {
        let columns = self.columns.get_or_insert_with(|| {
            Columns::of_names(record.keys().map(String::as_str), &self.named)
        });
        // Rows may leave out what they say nothing of.
        let new: Vec<String> =
            record.keys().filter(|name| !self.seen.contains(*name)).cloned().collect();
        if !new.is_empty() {
            if !self.seen.is_empty() {
                columns.learn(&new, &self.named);
            }
            self.seen.extend(new);
        }
        let mut value = |role: &str| {
            columns
                .of(role)
                .and_then(|name| record.shift_remove(name))
                .filter(|value| !value.is_null())
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
        let written = sure.as_ref().map(|sure| scalar(sure).into_owned());
        let confidence = match confidence_of(sure.as_ref(), self.decimal_comma) {
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
            // How labels that are numbers say that there is none.
            Some(Value::Number(none)) if none.as_i64() == Some(-1) => None,
            Some(list @ (Value::Object(_) | Value::Array(_))) => Answer::of_json(&list),
            Some(label) => {
                Some(Answer { label: Some(scalar(&label).into_owned()), ..Answer::default() })
            }
        };
        // What is said of how sure the model was is not lost, where it said nothing or no number.
        let known = answer.as_ref().is_some_and(|_| confidence.is_some());
        if let (Some(written), Some(name)) =
            (written.filter(|text| !known && !text.is_empty()), columns.of("confidence"))
        {
            input.entry(name).or_insert(Value::from(written));
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::read::csv::{Dialect, Rows as CsvRows};

    fn quoted(cell: &str) -> String {
        format!("\"{}\"", cell.replace('"', "\"\""))
    }

    proptest! {
        /// A row that is written at once is the line of its case, or is refused for the same reason.
        #[test]
        fn a_row_written_at_once_is_the_line_of_its_case(
            names in prop::sample::subsequence(
                vec!["id", "when", "ts", "query", "text", "label", "class", "score", "stream", "trace_id",
                    "conversation_id", "session_id", "model", "model_version", "latency_ms", "a \"b\"", "c"],
                1..17,
            ).prop_shuffle(),
            rows in prop::collection::vec(
                prop::collection::vec("(|nan|0\\.50|1e400|-0|x,\"y\"|[a-z é\\n]{0,6}|2024-06-03T00:00:0[0-9]Z|17e8)", 17), 1..6,
            ),
            decimal_comma: bool,
        ) {
            let mut text = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
            for row in &rows {
                let cells = row.iter().take(names.len()).map(|cell| quoted(cell));
                text.push_str(&format!("\n{}", cells.collect::<Vec<_>>().join(",")));
            }
            let dialect = Dialect { delimiter: b',', says_so: false, crlf: false };
            let options = Options { decimal_comma, ..Options::default() };
            let (mut at_once, mut by_case) = (cases(&options), cases(&options));
            for row in CsvRows::new(text.as_bytes(), dialect, true).unwrap() {
                let Ok(cells) = row.unwrap().cells else { continue };
                let got = at_once.line_of(&cells, &options.times).unwrap();
                let mut found = Vec::new();
                by_case.take(cells.into_record(), &mut found);
                let expect = match found.pop().unwrap() {
                    Found::Case(case) => {
                        case.into_line(&options.times).map(|line| Value::Object(line).to_string())
                    }
                    Found::Reject(reject) => Err(reject),
                    Found::Line(_) | Found::Passed(_) => unreachable!(),
                };
                prop_assert_eq!(got.map_err(|e| e.to_string()), expect.map_err(|e| e.to_string()));
            }
        }
    }
}
