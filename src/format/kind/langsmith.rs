//! Runs of LangSmith: one that stands at the root of its trace is a case. Its times say no zone, and
//! are UTC.

use serde_json::{Map, Value};

use crate::format::read::case::{Answer, Case, input_of, text_of};
use crate::format::read::{Cases, Found, Options};
use crate::format::times::Zone;

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("run_type") && record.contains_key("inputs")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Runs)
}

struct Runs;

impl Cases for Runs {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let (id, trace) = (text_of(&record, "id"), text_of(&record, "trace_id"));
        if trace.is_some() && trace != id {
            return to.push(Found::Passed("runs inside of a trace"));
        }
        let failed = record.get("error").is_some_and(|error| !error.is_null());
        let mut rest = Map::new();
        for name in ["name", "error", "tags", "extra"] {
            if let Some(value) = record.get(name) {
                rest.insert(name.to_owned(), value.clone());
            }
        }
        to.push(Found::case(Case {
            id,
            at: record.get("start_time").cloned(),
            zone: Some(Zone::UTC),
            trace_id: trace,
            session_id: text_of(&record, "session_id"),
            input: record.get("inputs").map(input_of).unwrap_or_default(),
            answer: record.get("outputs").filter(|_| !failed).and_then(Answer::of_json),
            rest,
            ..Case::default()
        }));
    }
}
