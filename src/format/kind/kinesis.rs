//! Prediction lines in the envelopes of Kinesis: what `get-records` prints, and the events that a
//! Lambda function gets. What Firehose writes (objects with nothing between them) needs no envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::read::{Cases, Found, Options};

/// The field that holds the records.
pub const WITHIN: &[&str] = &["Records"];

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("SequenceNumber") && record.contains_key("Data")
        || record.get("kinesis").is_some_and(Value::is_object)
        || record
            .get("Records")
            .and_then(|list| list.get(0))
            .and_then(Value::as_object)
            .is_some_and(claims)
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Records)
}

struct Records;

impl Cases for Records {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        let data = record
            .get("Data")
            .or_else(|| record.get("kinesis").and_then(|inner| inner.get("data")));
        let bytes = data.and_then(Value::as_str).and_then(|text| STANDARD.decode(text.trim()).ok());
        to.push(match bytes.map(String::from_utf8) {
            Some(Ok(text)) => Found::Line(text),
            Some(Err(_)) => Found::Reject(Reject::NotUtf8),
            None => Found::Reject(Reject::Foreign("its data is no base64".to_owned())),
        });
    }
}
