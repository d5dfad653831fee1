//! Prediction lines in the envelopes of Kafka: `kcat -J`, the console consumer, and the events that a
//! Lambda function gets. A message without a payload deletes its key, and is passed over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::read::{Cases, Found, Options};

/// What begins a line of the console consumer.
pub const CONSOLE: &str = "CreateTime:";

pub fn claims(record: &Map<String, Value>) -> bool {
    ["topic", "partition", "offset"].iter().all(|name| record.contains_key(*name))
        || (record
            .get("eventSource")
            .and_then(Value::as_str)
            .is_some_and(|source| source.contains("afka"))
            && record.contains_key("records"))
}

pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Messages)
}

struct Messages;

/// What a line of the console consumer carries.
pub fn console(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix(CONSOLE)?;
    while let Some((before, after)) = rest.split_once('\t') {
        if before.trim_start().starts_with('{') {
            break;
        }
        rest = after;
    }
    Some(rest)
}

impl Cases for Messages {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        if let Some(Value::Object(partitions)) = record.get("records") {
            for message in partitions.values().filter_map(Value::as_array).flatten() {
                let value =
                    message["value"].as_str().and_then(|text| STANDARD.decode(text.trim()).ok());
                to.push(match value.map(String::from_utf8) {
                    Some(Ok(text)) => Found::Line(text),
                    Some(Err(_)) => Found::Reject(Reject::NotUtf8),
                    None => Found::Passed("messages without a payload"),
                });
            }
            return;
        }
        to.push(match record.get("payload").or_else(|| record.get("value")) {
            None | Some(Value::Null) => Found::Passed("messages without a payload"),
            Some(Value::String(text)) => Found::Line(text.clone()),
            Some(other) => Found::Line(other.to_string()),
        });
    }
}
