//! Inference tables of Databricks and MLflow: a row a request, with request and response as JSON in a
//! text; of today (AI Gateway) and of before (`timestamp_ms`, `request_metadata`).

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::read::case::{
    Answer, Case, answers_of, cases_of, inputs_of, text_of, unwrapped,
};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("databricks_request_id")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Table)
}

struct Table;

impl Cases for Table {
    fn take(&mut self, mut record: Map<String, Value>, to: &mut Vec<Found>) {
        let id = text_of(&record, "client_request_id")
            .or_else(|| text_of(&record, "databricks_request_id"));
        let Some(id) = id else { return to.push(Found::Reject(Reject::Missing("id"))) };
        let request = record.shift_remove("request").unwrap_or_default();
        if request.is_null() {
            let codes =
                record.get("logging_error_codes").map(ToString::to_string).unwrap_or_default();
            let words = format!("{id}: the request was too large to be logged {codes}");
            return to.push(Found::Reject(Reject::Foreign(words)));
        }
        let (request, response) =
            (unwrapped(&request), unwrapped(&record.shift_remove("response").unwrap_or_default()));
        let failed =
            record.get("status_code").and_then(Value::as_i64).is_some_and(|code| code >= 400);
        let mut like = Case {
            at: record.shift_remove("request_time").or_else(|| record.shift_remove("timestamp_ms")),
            latency_ms: record
                .shift_remove("execution_duration_ms")
                .or_else(|| record.shift_remove("execution_time_ms")),
            ..Case::default()
        };
        let meta = record.get("request_metadata").and_then(Value::as_object);
        like.model = meta
            .and_then(|meta| text_of(meta, "model_name"))
            .or_else(|| text_of(&record, "served_entity_id"));
        like.model_version = meta.and_then(|meta| text_of(meta, "model_version"));
        let answers: Vec<Option<Answer>> = if failed {
            like.rest.insert("error".to_owned(), response);
            Vec::new()
        } else {
            answers_of(&response)
        };
        for name in ["databricks_request_id", "status_code", "requester"] {
            if let Some(value) = record.shift_remove(name) {
                like.rest.insert(name.to_owned(), value);
            }
        }
        to.extend(cases_of(&id, inputs_of(&request), answers, &like).into_iter().map(Found::case));
    }
}
