//! Traces of models as OpenTelemetry has them (OTLP JSON), with the names of OpenInference: the root
//! span of a trace is the case.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::domain::written;
use crate::format::read::case::{Answer, Case, input_of};
use crate::format::read::otlp::{attributes, list, nanos};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("resourceSpans")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::<Spans>::default()
}

/// Traces of which spans came before their root.
const OPEN_MAX: usize = 100_000;

/// What spans inside of traces said that their roots may not say; they come before these.
#[derive(Default)]
struct Spans {
    inside: HashMap<String, Inside>,
    order: VecDeque<String>,
}

#[derive(Default)]
struct Inside {
    session: Option<String>,
    model: Option<String>,
    error: Option<Value>,
}

fn failed(span: &Value) -> bool {
    span["status"]["code"].as_i64() == Some(2) || span["status"]["code"] == "STATUS_CODE_ERROR"
}

impl Spans {
    fn keep(&mut self, span: &Value) {
        let trace = span["traceId"].as_str().unwrap_or_default().to_lowercase();
        let said = attributes(&span["attributes"]);
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        if !self.inside.contains_key(&trace) {
            self.order.push_back(trace.clone());
        }
        let inside = self.inside.entry(trace).or_default();
        inside.session = inside.session.take().or_else(|| text("session.id"));
        if failed(span) {
            inside.error = Some(span["status"].clone());
        }
        inside.model = inside.model.take().or_else(|| text("llm.model_name"));
        while self.order.len() > OPEN_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.inside.remove(&oldest);
            }
        }
    }
}

fn is_root(span: &Value) -> bool {
    span.get("parentSpanId")
        .and_then(Value::as_str)
        .is_none_or(|parent| parent.bytes().all(|b| b == b'0'))
}

/// The messages that flattened names hold: `llm.input_messages.0.message.content`.
fn messages(of: &Map<String, Value>, side: &str) -> Vec<Value> {
    let mut found = Vec::new();
    while let Some(content) =
        of.get(&format!("llm.{side}_messages.{}.message.content", found.len()))
    {
        let role = of.get(&format!("llm.{side}_messages.{}.message.role", found.len())).cloned();
        found.push(serde_json::json!({ "role": role, "content": content }));
    }
    found
}

fn case_of(span: &Value, resource: &Map<String, Value>) -> Case {
    let said = attributes(&span["attributes"]);
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let parsed =
        |name: &str| text(name).map(|text| written::read(&text).unwrap_or(Value::String(text)));
    let asked = messages(&said, "input");
    let mut input = if asked.is_empty() { Map::new() } else { input_of(&Value::Array(asked)) };
    if input.is_empty() {
        input = parsed("input.value").map(|value| input_of(&value)).unwrap_or_default();
    }
    let failed =
        span["status"]["code"].as_i64() == Some(2) || span["status"]["code"] == "STATUS_CODE_ERROR";
    let answered = messages(&said, "output");
    let answer = match answered.first().and_then(|message| message["content"].as_str()) {
        _ if failed => None,
        Some(text) => Some(Answer { label: Some(text.to_owned()), ..Answer::default() }),
        None => parsed("output.value").and_then(|value| Answer::of_json(&value)),
    };
    let meta = parsed("metadata").filter(Value::is_object);
    let own = meta.as_ref().and_then(|meta| {
        ["stream_id", "id", "prediction_id", "request_id"]
            .iter()
            .find_map(|name| meta[*name].as_str().map(str::to_owned))
    });
    let trace = span["traceId"].as_str().unwrap_or_default().to_lowercase();
    let mut rest = Map::new();
    if failed {
        rest.insert("error".to_owned(), span["status"].clone());
    }
    if let Some(meta) = meta {
        rest.insert("metadata".to_owned(), meta);
    }
    rest.insert("span_id".to_owned(), span["spanId"].clone());
    if let Some(service) = resource.get("service.name") {
        rest.insert("source".to_owned(), service.clone());
    }
    Case {
        id: Some(own.unwrap_or_else(|| trace.clone())),
        at: span.get("startTimeUnixNano").cloned(),
        trace_id: Some(trace),
        session_id: text("session.id"),
        model: text("llm.model_name"),
        input,
        answer,
        latency_ms: nanos(&span["endTimeUnixNano"])
            .zip(nanos(&span["startTimeUnixNano"]))
            .map(|(end, start)| serde_json::json!((end.saturating_sub(start)) as f64 / 1e6)),
        rest,
        ..Case::default()
    }
}

impl Cases for Spans {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        for of in record.get("resourceSpans").and_then(Value::as_array).into_iter().flatten() {
            let resource = attributes(&of["resource"]["attributes"]);
            for scope in list(of, "scopeSpans") {
                for span in list(scope, "spans") {
                    if is_root(span) {
                        let mut case = case_of(span, &resource);
                        let inside =
                            case.trace_id.as_ref().and_then(|trace| self.inside.remove(trace));
                        let inside = inside.unwrap_or_default();
                        case.session_id = case.session_id.or(inside.session);
                        case.model = case.model.or(inside.model);
                        if let Some(error) = inside.error {
                            case.rest.entry("error").or_insert(error);
                        }
                        to.push(Found::case(case));
                    } else {
                        self.keep(span);
                        to.push(Found::Passed("spans inside of a trace"));
                    }
                }
            }
        }
    }
}
