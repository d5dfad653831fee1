//! What SageMaker captures of an endpoint: a line a request, with what was sent and what came back
//! as text, JSON or base64.
//!
//! Source: `aws/sagemaker-python-sdk`, "Model Monitor", data capture.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::domain::written;
use crate::format::read::case::{
    Answer, Case, answers_of, cases_of, field, input_of, inputs_of, text_of,
};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("captureData")
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Captured)
}

struct Captured;

/// What was sent or came back, unpacked.
fn body(side: &Value) -> Option<Value> {
    let data = side.get("data")?;
    let text = match (side["encoding"].as_str(), data.as_str()) {
        (Some("BASE64"), Some(text)) => {
            String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?
        }
        (_, Some(text)) => text.to_owned(),
        _ => return Some(data.clone()),
    };
    let json =
        written::read(&text).ok().filter(|value: &Value| value.is_object() || value.is_array());
    Some(json.unwrap_or_else(|| Value::from(text.trim_end_matches(['\n', '\r']))))
}

impl Cases for Captured {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let (meta, data) = (field(&record, "eventMetadata"), field(&record, "captureData"));
        let id = meta
            .as_object()
            .and_then(|meta| text_of(meta, "inferenceId").or_else(|| text_of(meta, "eventId")));
        let Some(id) = id else { return to.push(Found::Reject(Reject::Missing("id"))) };
        let Some(sent) = body(&data["endpointInput"]) else {
            return to.push(Found::Reject(Reject::Foreign(
                "nothing was captured of what was sent".to_owned(),
            )));
        };
        let mut like = Case { at: meta.get("inferenceTime").cloned(), ..Case::default() };
        for (name, value) in
            [("event_id", meta.get("eventId")), ("custom_attributes", meta.get("customAttributes"))]
        {
            if let Some(value) = value {
                like.rest.insert(name.to_owned(), value.clone());
            }
        }
        let inputs = match &sent {
            // Columns without names: a row is one text.
            Value::String(text) => text.lines().map(|row| input_of(&Value::from(row))).collect(),
            json => inputs_of(json),
        };
        let said = body(&data["endpointOutput"]);
        let answers: Vec<Option<Answer>> = match &said {
            Some(Value::String(text)) => {
                text.lines().map(|row| Answer::of_json(&Value::from(row))).collect()
            }
            Some(json) => answers_of(json),
            None => Vec::new(),
        };
        to.extend(cases_of(&id, inputs, answers, &like).into_iter().map(Found::case));
    }
}
