//! Requests and responses of KServe and Seldon as CloudEvents, two events with one id; and what the
//! data collector of Azure ML writes, in two trees of folders.
//!
//! A request waits for its response, and is a case without a prediction where none comes.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::domain::written;
use crate::format::read::case::{
    Answer, Case, answers_of, cases_of, inputs_of, text_of, trace_of_parent, unwrapped,
};
use crate::format::read::{Cases, Found, Options};

/// Halves that wait for the other.
const WAITING_MAX: usize = 50_000;

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("specversion") && record.contains_key("type") && !claims_azure(record)
}

pub fn claims_azure(record: &Map<String, Value>) -> bool {
    record.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("azureml."))
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Events { azure: false, ..Events::default() })
}

pub fn azure_cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Events { azure: true, ..Events::default() })
}

#[derive(Default)]
struct Events {
    azure: bool,
    waiting: HashMap<String, Half>,
    /// In the order in which they came.
    order: VecDeque<String>,
}

#[derive(Default)]
struct Half {
    request: Option<Map<String, Value>>,
    response: Option<Map<String, Value>>,
}

/// What an event carries, unpacked.
fn data(event: &Map<String, Value>) -> Value {
    if let Some(text) = event.get("data_base64").and_then(Value::as_str) {
        let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return written::read(&text).unwrap_or_else(|_| Value::from(text));
    }
    event.get("data").map(unwrapped).unwrap_or_default()
}

impl Events {
    fn key(&self, event: &Map<String, Value>) -> Option<String> {
        let correlated =
            || text_of(event, "correlationid").or_else(|| text_of(event, "xrequestid"));
        if self.azure {
            correlated().or_else(|| text_of(event, "id"))
        } else {
            text_of(event, "id")
        }
    }

    fn joined(&self, key: &str, half: Half, to: &mut Vec<Found>) {
        let Some(request) = half.request else {
            let words = format!("{key}: a response whose request is not here");
            return to.push(Found::Reject(Reject::Foreign(words)));
        };
        let sent = data(&request);
        let said = half.response.as_ref().map(data);
        let mut inputs = inputs_of(&sent);
        let mut like = Case {
            at: request.get("time").cloned(),
            trace_id: text_of(&request, "traceparent").and_then(|parent| trace_of_parent(&parent)),
            model: text_of(&request, "inferenceservicename"),
            model_version: text_of(&request, "modelversion"),
            ..Case::default()
        };
        for name in ["source", "namespace", "component", "endpoint"] {
            if let Some(value) = request.get(name).filter(|value| *value != "") {
                like.rest.insert(name.to_owned(), value.clone());
            }
        }
        let failed = said
            .as_ref()
            .is_some_and(|said| said.get("statuscode").is_some() || said.get("error").is_some());
        let answers: Vec<Option<Answer>> = match said {
            Some(said) if failed => {
                like.rest.insert("error".to_owned(), said);
                Vec::new()
            }
            Some(said) => answers_of(&said),
            None => Vec::new(),
        };
        if !self.azure {
            to.extend(cases_of(key, inputs, answers, &like).into_iter().map(Found::case));
            return;
        }
        // A column of the rows says which is which, where it is there.
        let own: Vec<Option<String>> = inputs
            .iter_mut()
            .map(|input| {
                input
                    .shift_remove("correlationid")
                    .map(|id| crate::format::path::scalar(&id).into_owned())
            })
            .collect();
        let rows = inputs.into_iter().zip(answers.into_iter().chain(std::iter::repeat(None)));
        for (n, ((input, answer), own)) in rows.zip(own).enumerate() {
            let id = Some(own.unwrap_or_else(|| format!("{key}_{n}")));
            to.push(Found::case(Case { id, input, answer, ..like.clone() }));
        }
    }
}

impl Cases for Events {
    fn take(&mut self, event: Map<String, Value>, to: &mut Vec<Found>) {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_request = kind.ends_with("request") || kind.ends_with("model_inputs");
        let is_response = kind.ends_with("response") || kind.ends_with("model_outputs");
        if !is_request && !is_response {
            return to.push(Found::Passed("events of another type"));
        }
        let Some(key) = self.key(&event) else {
            return to.push(Found::Reject(Reject::Missing("id")));
        };
        if !self.waiting.contains_key(&key) {
            self.order.push_back(key.clone());
        }
        let half = self.waiting.entry(key.clone()).or_default();
        let place = if is_request { &mut half.request } else { &mut half.response };
        if place.is_some() {
            let words =
                format!("{key}: a second {}", if is_request { "request" } else { "response" });
            return to.push(Found::Reject(Reject::Foreign(words)));
        }
        *place = Some(event);
        if half.request.is_some()
            && half.response.is_some()
            && let Some(whole) = self.waiting.remove(&key)
        {
            self.joined(&key, whole, to);
        }
        while self.waiting.len() > WAITING_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(half) = self.waiting.remove(&oldest) {
                self.joined(&oldest, half, to);
            }
        }
        if self.order.len() > 2 * WAITING_MAX {
            self.order.retain(|key| self.waiting.contains_key(key));
        }
    }

    fn end(&mut self, to: &mut Vec<Found>) {
        while let Some(oldest) = self.order.pop_front() {
            if let Some(half) = self.waiting.remove(&oldest) {
                self.joined(&oldest, half, to);
            }
        }
    }
}
