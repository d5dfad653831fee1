//! Requests and responses that Vertex AI logs to BigQuery: a row a request, each instance and each
//! answer as JSON in a text.

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::read::case::{Answer, Case, cases_of, input_of, text_of, unwrapped};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("request_payload") && record.contains_key("response_payload")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Logged)
}

struct Logged;

impl Cases for Logged {
    fn take(&mut self, mut record: Map<String, Value>, to: &mut Vec<Found>) {
        // A NUMERIC of BigQuery comes with the places that it could have.
        let id = text_of(&record, "request_id").map(|id| match id.split_once('.') {
            Some((whole, places)) if places.bytes().all(|b| b == b'0') => whole.to_owned(),
            _ => id,
        });
        let Some(id) = id else { return to.push(Found::Reject(Reject::Missing("id"))) };
        let list = |value: Option<Value>| match value {
            Some(Value::Array(list)) => list,
            Some(Value::Null) | None => Vec::new(),
            Some(one) => vec![one],
        };
        let sent = list(record.shift_remove("request_payload"));
        let said = list(record.shift_remove("response_payload"));
        let inputs = sent.iter().map(|one| input_of(&unwrapped(one))).collect();
        let answers = said.iter().map(|one| Answer::of_json(&unwrapped(one))).collect();
        let like = Case {
            at: record.shift_remove("logging_time"),
            model: text_of(&record, "deployed_model_id"),
            rest: ["endpoint"]
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), record.shift_remove(*name)?)))
                .collect(),
            ..Case::default()
        };
        to.extend(cases_of(&id, inputs, answers, &like).into_iter().map(Found::case));
    }
}
