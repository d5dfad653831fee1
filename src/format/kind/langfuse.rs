//! Observations of Langfuse: one trace is one case, its input and output those of the root.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::format::read::case::{Answer, Case, input_of, text_of, unwrapped};
use crate::format::read::{Cases, Found, Options};

/// The field of a page of its API that holds them.
pub const WITHIN: &[&str] = &["data"];

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("traceId")
        && record.contains_key("startTime")
        && record.contains_key("type")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::<Observations>::default()
}

/// What an observation says that a case has in its own places.
const OF_CASE: [&str; 13] = [
    "id",
    "traceId",
    "type",
    "startTime",
    "endTime",
    "input",
    "output",
    "isRootObservation",
    "parentObservationId",
    "model",
    "providedModelName",
    "sessionId",
    "latency",
];

/// Traces that wait for what observations inside of them say, or these for their root.
const WAITING_MAX: usize = 50_000;

/// The model stands at an observation inside of the trace, which comes before the root or after it.
#[derive(Default)]
struct Observations {
    models: HashMap<String, String>,
    roots: HashMap<String, Case>,
    order: VecDeque<String>,
}

impl Cases for Observations {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let root = match record.get("isRootObservation") {
            Some(Value::Bool(root)) => *root,
            _ => record.get("parentObservationId").is_none_or(Value::is_null),
        };
        let trace = text_of(&record, "traceId");
        let model = text_of(&record, "model").or_else(|| text_of(&record, "providedModelName"));
        if !root {
            if let (Some(trace), Some(model)) = (trace, model) {
                match self.roots.remove(&trace) {
                    Some(case) => to.push(Found::case(Case { model: Some(model), ..case })),
                    None if self.models.len() < WAITING_MAX => {
                        drop(self.models.insert(trace, model))
                    }
                    None => {}
                }
            }
            return to.push(Found::Passed("observations inside of a trace"));
        }
        let meta = record.get("metadata").map(unwrapped).unwrap_or_default();
        let own = ["stream_id", "id", "prediction_id", "request_id"]
            .iter()
            .find_map(|name| meta[*name].as_str());
        let failed = record.get("level").is_some_and(|level| level == "ERROR");
        let mut rest = Map::new();
        // Whatever else it says is kept: what it cost, how it was asked, which prompt it was.
        for (name, value) in record.iter().filter(|(name, _)| !OF_CASE.contains(&name.as_str())) {
            rest.insert(name.clone(), value.clone());
        }
        let latency_ms = record.get("latency").and_then(Value::as_f64).map(|s| json!(s * 1e3));
        let output = record.get("output").map(unwrapped).unwrap_or_default();
        let model = model.or_else(|| self.models.remove(trace.as_deref()?));
        let case = Case {
            id: own.map(str::to_owned).or_else(|| trace.clone()),
            at: record.get("startTime").cloned(),
            trace_id: trace.clone(),
            session_id: text_of(&record, "sessionId"),
            model,
            input: record.get("input").map(|input| input_of(&unwrapped(input))).unwrap_or_default(),
            answer: if failed { None } else { Answer::of_json(&output) },
            latency_ms,
            rest,
            ..Case::default()
        };
        match trace.filter(|trace| case.model.is_none() && !self.roots.contains_key(trace)) {
            Some(trace) => {
                self.order.push_back(trace.clone());
                self.roots.insert(trace, case);
            }
            None => to.push(Found::case(case)),
        }
        while self.order.len() > WAITING_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            to.extend(self.roots.remove(&oldest).map(Found::case));
        }
    }

    fn end(&mut self, to: &mut Vec<Found>) {
        while let Some(oldest) = self.order.pop_front() {
            to.extend(self.roots.remove(&oldest).map(Found::case));
        }
    }
}
