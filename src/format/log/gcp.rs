//! Entries of Google Cloud Logging: what `gcloud logging read` prints and what a sink writes. The trace
//! is a path that ends with its id.

use serde_json::{Map, Value};

use super::{About, line_of};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("insertId") && record.contains_key("logName")
}

pub fn lines(record: &Map<String, Value>, to: &mut Vec<String>) {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let message = match (
        text("textPayload"),
        record.get("jsonPayload").or_else(|| record.get("protoPayload")),
    ) {
        (Some(text), _) => text.to_owned(),
        (None, Some(payload)) => payload.to_string(),
        (None, None) => String::new(),
    };
    let labels = |name: &str| record.get("resource").and_then(|of| of["labels"][name].as_str());
    let level = match text("severity") {
        Some("WARNING") => Some("warn"),
        Some("NOTICE" | "DEFAULT") => Some("info"),
        Some("CRITICAL" | "ALERT" | "EMERGENCY") => Some("error"),
        other => other,
    };
    to.push(line_of(
        &message,
        About {
            at: text("timestamp").or_else(|| text("receiveTimestamp")).map(str::to_owned),
            level,
            service: labels("container_name").or_else(|| labels("service_name")),
            trace: text("trace").and_then(|trace| trace.rsplit('/').next()).map(str::to_owned),
        },
    ));
}
