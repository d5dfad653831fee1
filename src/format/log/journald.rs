//! What `journalctl -o json` prints: microseconds in a text, and a message that is a list of bytes where
//! it is no UTF-8.

use serde_json::{Map, Value};

use super::{About, line_of};
use crate::domain::time::Moment;

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("__REALTIME_TIMESTAMP")
}

/// What numbers of syslog mean.
pub const SEVERITIES: [&str; 8] =
    ["error", "error", "error", "error", "warn", "info", "info", "debug"];

pub fn lines(record: &Map<String, Value>, to: &mut Vec<String>) {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let micros = text("__REALTIME_TIMESTAMP").and_then(|text| text.parse::<i64>().ok());
    let message = match record.get("MESSAGE") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(bytes)) => {
            let bytes: Vec<u8> =
                bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::new(),
    };
    let level = text("PRIORITY")
        .and_then(|text| text.parse::<usize>().ok())
        .and_then(|n| SEVERITIES.get(n));
    to.push(line_of(
        &message,
        About {
            at: micros.map(|micros| Moment(micros.div_euclid(1_000)).rfc3339()),
            level: level.copied(),
            service: text("SYSLOG_IDENTIFIER").or_else(|| text("_SYSTEMD_UNIT")),
            trace: None,
        },
    ));
}
