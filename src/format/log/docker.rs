//! What Docker's json-file driver writes: each line with its end, the stream and the time.

use serde_json::{Map, Value};

use super::{About, line_of};

pub fn claims(record: &Map<String, Value>) -> bool {
    ["log", "stream", "time"].iter().all(|name| record.contains_key(*name))
}

pub fn lines(record: &Map<String, Value>, to: &mut Vec<String>) {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let Some(log) = text("log") else { return };
    to.push(line_of(log, About { at: text("time").map(str::to_owned), ..About::default() }));
}
