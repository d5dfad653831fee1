//! Lines of another shape, made into ours by what `[source]` in the configuration says.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::config::Source;
use crate::domain::logline::{logfmt, moment_of};
use crate::domain::prediction::Reject;

/// The line in our shape. What is not mapped is kept under its own name.
pub fn map_line(source: &Source, line: &str) -> Result<String, Reject> {
    let object = read(source, line)?;
    let find = |path: &str| (!path.is_empty()).then(|| lookup(&object, path)).flatten();
    let text_of = |path: &str| find(path).map(scalar);
    let id = text_of(&source.id).filter(|id| !id.is_empty()).ok_or(Reject::Missing("id"))?;
    let time = text_of(&source.occurred_at).ok_or(Reject::Missing("occurred_at"))?;
    let at = moment_of(&time).ok_or_else(|| Reject::BadTime(time.chars().take(40).collect()))?;
    let mut input = match find(&source.input) {
        Some(Value::Object(input)) => input.clone(),
        _ => Map::new(),
    };
    if let Some(text) = text_of(&source.text) {
        input.insert("text".to_owned(), Value::from(text.into_owned()));
    }
    if input.is_empty() {
        return Err(Reject::Missing("text"));
    }
    if let Some(session) = text_of(&source.session_id) {
        input.insert("session_id".to_owned(), Value::from(session.into_owned()));
    }
    let prediction = match text_of(&source.label) {
        Some(label) => {
            let confidence = text_of(&source.confidence).and_then(|text| text.parse::<f64>().ok());
            json!({ "label": label, "confidence": confidence })
        }
        None => Value::Null,
    };
    let mut out = Map::new();
    out.insert("id".to_owned(), Value::from(id.into_owned()));
    out.insert("occurred_at".to_owned(), Value::from(at.rfc3339()));
    for (name, path) in [("stream", &source.stream), ("trace_id", &source.trace_id)] {
        if let Some(value) = text_of(path) {
            out.insert(name.to_owned(), Value::from(value.into_owned()));
        }
    }
    if let Some(model) = text_of(&source.model) {
        out.insert("model".to_owned(), json!({ "name": model }));
    }
    out.insert("input".to_owned(), Value::Object(input));
    out.insert("prediction".to_owned(), prediction);
    for (name, value) in object {
        out.entry(name).or_insert(value);
    }
    Ok(Value::Object(out).to_string())
}

fn read(source: &Source, line: &str) -> Result<Map<String, Value>, Reject> {
    if source.format == "logfmt" {
        let pairs = logfmt(line).ok_or_else(|| Reject::NotJson("nor is it logfmt".to_owned()))?;
        return Ok(pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Value::from(value.into_owned())))
            .collect());
    }
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Reject::NotObject),
        Err(error) => Err(Reject::NotJson(error.to_string())),
    }
}

/// Goes down a path of names with dots; a name that itself holds dots is found too.
fn lookup<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = object.get(path) {
        return Some(value).filter(|value| !value.is_null());
    }
    let (first, rest) = path.split_once('.')?;
    lookup(object.get(first)?.as_object()?, rest)
}

fn scalar(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prediction::Row;

    fn source(format: &str) -> Source {
        Source {
            format: format.to_owned(),
            id: "req.id".to_owned(),
            occurred_at: "ts".to_owned(),
            text: "q".to_owned(),
            label: "out".to_owned(),
            confidence: "score".to_owned(),
            ..Source::default()
        }
    }

    #[test]
    fn another_shape_is_read_and_nothing_of_it_is_lost() {
        let line = r#"{"req":{"id":7},"ts":1717372801,"q":"hello","out":"greet","score":"0.25","host":"a1"}"#;
        let mapped = map_line(&source("json"), line).unwrap();
        let row = Row::parse(&mapped).unwrap();
        assert_eq!(
            (row.id.text(), row.text(), row.label(), row.confidence()),
            ("7", "hello", "greet", Some(0.25))
        );
        assert!(mapped.contains("\"host\":\"a1\""));
        let mapped = map_line(
            &source("logfmt"),
            "req.id=8 ts=2024-06-03T00:00:01Z q=\"hi there\" out=greet",
        )
        .unwrap();
        assert_eq!(Row::parse(&mapped).unwrap().text(), "hi there");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(map_line(&source("json"), "{}"), Err(Reject::Missing("id")));
        assert!(matches!(
            map_line(&source("json"), r#"{"req":{"id":1},"ts":"soon","q":"x"}"#),
            Err(Reject::BadTime(_))
        ));
    }
}
