//! Traces of models as OpenTelemetry has them (OTLP JSON), with the names of OpenInference: the root
//! span of a trace is the case.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::domain::written;
use crate::format::read::case::{Answer, Case, input_of, unwrapped};
use crate::format::read::otlp::{attributes, list, nanos};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("resourceSpans")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::<Spans>::default()
}

/// What calls the model, the most exact first.
const MODELS: [&str; 3] = ["llm.model_name", "gen_ai.response.model", "gen_ai.request.model"];

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
        inside.model = inside.model.take().or_else(|| MODELS.iter().find_map(|name| text(name)));
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

/// What was asked, and what was answered: how OpenInference, and OpenTelemetry itself, call it.
struct Side {
    /// `llm.input_messages.0.message.content`
    flat: &'static str,
    /// `gen_ai.prompt.0.content`, as it was called at first
    first: &'static str,
    /// A list of messages, as JSON.
    listed: &'static str,
}

const ASKED: Side =
    Side { flat: "llm.input_messages", first: "gen_ai.prompt", listed: "gen_ai.input.messages" };
const ANSWERED: Side = Side {
    flat: "llm.output_messages",
    first: "gen_ai.completion",
    listed: "gen_ai.output.messages",
};

/// Names that a case has in its own places, or how they begin.
const OF_CASE: [&str; 14] = [
    "llm.input_messages.",
    "llm.output_messages.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "input.value",
    "output.value",
    "metadata",
    "session.id",
    "gen_ai.conversation.id",
    "llm.model_name",
    "gen_ai.response.model",
    "gen_ai.request.model",
];

/// The messages of a side.
fn messages(of: &Map<String, Value>, side: &Side) -> Vec<Value> {
    for (before, within) in [(side.flat, ".message"), (side.first, "")] {
        let mut found = Vec::new();
        while let Some(content) = of.get(&format!("{before}.{}{within}.content", found.len())) {
            let role = of.get(&format!("{before}.{}{within}.role", found.len())).cloned();
            found.push(serde_json::json!({ "role": role, "content": content }));
        }
        if !found.is_empty() {
            return found;
        }
    }
    let listed = of.get(side.listed).map(unwrapped).unwrap_or_default();
    listed.as_array().into_iter().flatten().map(of_parts).collect()
}

/// A message whose content stands in parts: as a text, where all of them are.
fn of_parts(message: &Value) -> Value {
    let Some(parts) = message["parts"].as_array() else { return message.clone() };
    let text = |part: &Value| {
        (part["type"] == "text").then(|| part["content"].as_str()).flatten().map(str::to_owned)
    };
    let texts: Option<Vec<String>> = parts.iter().map(text).collect();
    let content =
        texts.map_or_else(|| Value::Array(parts.clone()), |texts| texts.join("\n").into());
    let mut turn = Map::from_iter([
        ("role".to_owned(), message["role"].clone()),
        ("content".to_owned(), content),
    ]);
    let rest = message.as_object().into_iter().flatten();
    turn.extend(
        rest.filter(|(name, _)| !["role", "parts"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Value::Object(turn)
}

fn case_of(span: &Value, resource: &Map<String, Value>) -> Case {
    let said = attributes(&span["attributes"]);
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let parsed =
        |name: &str| text(name).map(|text| written::read(&text).unwrap_or(Value::String(text)));
    let asked = messages(&said, &ASKED);
    let mut input = if asked.is_empty() { Map::new() } else { input_of(&Value::Array(asked)) };
    if input.is_empty() {
        input = parsed("input.value").map(|value| input_of(&value)).unwrap_or_default();
    }
    let failed =
        span["status"]["code"].as_i64() == Some(2) || span["status"]["code"] == "STATUS_CODE_ERROR";
    let answered = messages(&said, &ANSWERED);
    let answer = match answered.first().and_then(|message| message["content"].as_str()) {
        _ if failed => None,
        Some(text) => Some(Answer { label: Some(text.to_owned()), ..Answer::default() }),
        None => parsed("output.value").and_then(|value| Answer::of_json(&value)).or_else(|| {
            // It called a tool.
            let output = answered.first().cloned();
            output.map(|output| Answer { output: Some(output), ..Answer::default() })
        }),
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
    // Whatever else it says is kept: tokens, how the model was asked, which tool it was.
    let others = said.iter().filter(|(name, _)| !OF_CASE.iter().any(|own| name.starts_with(own)));
    let others: Map<String, Value> =
        others.map(|(name, value)| (name.clone(), value.clone())).collect();
    if !others.is_empty() {
        rest.insert("attributes".to_owned(), Value::Object(others));
    }
    if let Some(service) = resource.get("service.name") {
        rest.insert("source".to_owned(), service.clone());
    }
    Case {
        id: Some(own.unwrap_or_else(|| trace.clone())),
        at: span.get("startTimeUnixNano").cloned(),
        trace_id: Some(trace),
        session_id: text("session.id").or_else(|| text("gen_ai.conversation.id")),
        model: MODELS.iter().find_map(|name| text(name)),
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
