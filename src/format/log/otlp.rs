//! Logs of OpenTelemetry (OTLP JSON): documents, or lines of them, each with many records.

use serde_json::{Map, Value};

use super::{About, line_of};
use crate::domain::time::Moment;
use crate::format::read::otlp::{attributes, list, nanos, plain};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("resourceLogs")
}

/// Levels by their number, four of each.
fn level(number: Option<i64>, text: Option<&str>) -> Option<&'static str> {
    let by_word = |word: &str| match word.to_uppercase().as_str() {
        "TRACE" | "DEBUG" => Some("debug"),
        "INFO" | "INFORMATION" => Some("info"),
        "WARN" | "WARNING" => Some("warn"),
        "ERROR" | "FATAL" | "CRITICAL" => Some("error"),
        _ => None,
    };
    match number {
        Some(1..=8) => Some("debug"),
        Some(9..=12) => Some("info"),
        Some(13..=16) => Some("warn"),
        Some(17..=24) => Some("error"),
        _ => text.and_then(by_word),
    }
}

pub fn lines(record: &Map<String, Value>, to: &mut Vec<String>) {
    for of in record.get("resourceLogs").and_then(Value::as_array).into_iter().flatten() {
        let resource = attributes(&of["resource"]["attributes"]);
        let service = resource.get("service.name").and_then(Value::as_str);
        for scope in list(of, "scopeLogs") {
            for log in list(scope, "logRecords") {
                let at =
                    nanos(&log["timeUnixNano"]).or_else(|| nanos(&log["observedTimeUnixNano"]));
                let mut fields = attributes(&log["attributes"]);
                let message = match plain(&log["body"]) {
                    Value::String(text) => text,
                    Value::Object(body) => {
                        body.into_iter().for_each(|(name, value)| drop(fields.insert(name, value)));
                        String::new()
                    }
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                let text = if fields.is_empty() {
                    message
                } else {
                    let mut line = Map::new();
                    if !message.is_empty() {
                        line.insert("msg".to_owned(), Value::from(message));
                    }
                    line.extend(fields);
                    Value::Object(line).to_string()
                };
                let trace = log["traceId"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
                to.push(line_of(
                    &text,
                    About {
                        at: at.map(|nanos| Moment((nanos / 1_000_000) as i64).rfc3339()),
                        level: level(log["severityNumber"].as_i64(), log["severityText"].as_str()),
                        service,
                        trace,
                    },
                ));
            }
        }
    }
}
