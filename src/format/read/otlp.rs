//! What OpenTelemetry's JSON has in common: attributes and times.

use serde_json::{Map, Value};

/// A value as it is written (`{"stringValue": …}`), plain.
pub fn plain(value: &Value) -> Value {
    let Some(object) = value.as_object() else { return value.clone() };
    let Some((kind, inner)) = object.iter().next() else { return Value::Null };
    match kind.as_str() {
        // 64-bit integers are texts in JSON.
        "intValue" => match inner.as_str() {
            Some(text) => text.parse::<i64>().map_or_else(|_| inner.clone(), Value::from),
            None => inner.clone(),
        },
        "arrayValue" => inner["values"]
            .as_array()
            .map(|list| list.iter().map(plain).collect())
            .unwrap_or_default(),
        // What is no list of pairs is kept as it is written.
        "kvlistValue" if inner["values"].is_array() => Value::Object(attributes(&inner["values"])),
        "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => inner.clone(),
        _ => value.clone(),
    }
}

/// A list of keys and values as an object.
pub fn attributes(list: &Value) -> Map<String, Value> {
    let pair = |item: &Value| Some((item["key"].as_str()?.to_owned(), plain(&item["value"])));
    list.as_array().into_iter().flatten().filter_map(pair).collect()
}

/// What a list holds, if there is one of that name.
pub fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Nanoseconds since 1970, a text or a number.
pub fn nanos(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|n| *n > 0)
}
