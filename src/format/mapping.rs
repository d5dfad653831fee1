//! Records of another shape, made into ours by what `[source]` in the configuration, a file of
//! `--map` or the command line says.

use serde_json::{Map, Value, json};

use super::numbers::sure;
use super::path::Path;
use super::read::case::Answer;
use super::times::{Times, Zone};
use crate::config::Source;
use crate::domain::logline::logfmt;
use crate::domain::prediction::Reject;
use crate::domain::written;

/// Where things stand, ready to be looked up.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    logfmt: bool,
    id: Option<Path>,
    occurred_at: Option<Path>,
    text: Option<Path>,
    input: Option<Path>,
    label: Option<Path>,
    confidence: Option<Path>,
    stream: Option<Path>,
    trace_id: Option<Path>,
    session_id: Option<Path>,
    model: Option<Path>,
    times: Times,
    /// Whether a comma stands before the places of a number.
    decimal_comma: bool,
    /// What is looked for, by role, as it was written.
    written: Vec<(&'static str, String)>,
}

impl Mapping {
    /// What a source says; a zone of the source counts where `times` names none.
    ///
    /// # Errors
    /// A path that can't be read, with the field that it was to find.
    pub fn new(source: &Source, mut times: Times) -> Result<Self, String> {
        let path = |name: &str, path: &str| match path {
            "" => Ok(None),
            path => Path::parse(path).map(Some).map_err(|why| format!("{name}: {why}")),
        };
        if times.zone.is_none() && !source.timezone.is_empty() {
            times.zone = Some(Zone::parse(&source.timezone)?);
        }
        if times.written.is_none() && !source.time_format.is_empty() {
            times.written = Some(source.time_format.clone());
        }
        Ok(Self {
            logfmt: source.format == "logfmt",
            id: path("id", &source.id)?,
            occurred_at: path("occurred_at", &source.occurred_at)?,
            text: path("text", &source.text)?,
            input: path("input", &source.input)?,
            label: path("label", &source.label)?,
            confidence: path("confidence", &source.confidence)?,
            stream: path("stream", &source.stream)?,
            trace_id: path("trace_id", &source.trace_id)?,
            session_id: path("session_id", &source.session_id)?,
            model: path("model", &source.model)?,
            times,
            decimal_comma: source.decimal == ",",
            written: [
                ("id", &source.id),
                ("occurred_at", &source.occurred_at),
                ("text", &source.text),
                ("input", &source.input),
                ("label", &source.label),
                ("confidence", &source.confidence),
                ("stream", &source.stream),
                ("trace_id", &source.trace_id),
                ("session_id", &source.session_id),
                ("model", &source.model),
            ]
            .into_iter()
            .filter(|(_, path)| !path.is_empty())
            .map(|(role, path)| (role, path.clone()))
            .collect(),
        })
    }

    /// What is looked for and stands in none of some records: by role, and as it was written.
    pub fn missing<'r>(
        &self,
        records: impl Iterator<Item = &'r Map<String, Value>> + Clone,
    ) -> Option<(&'static str, &str)> {
        let is_nowhere = |(_, written): &&(&'static str, String)| {
            Path::parse(written).is_ok_and(|path| {
                let mut records = records.clone();
                !records.any(|record| path.leads(record))
            })
        };
        self.written.iter().find(is_nowhere).map(|(role, written)| (*role, written.as_str()))
    }

    /// A line in our shape. What is not mapped is kept under its own name.
    ///
    /// # Errors
    /// Why it is no prediction.
    pub fn line(&self, line: &str) -> Result<String, Reject> {
        self.map(self.read(line)?).map(|object| Value::Object(object).to_string())
    }

    /// A record in our shape.
    ///
    /// # Errors
    /// Why it is no prediction.
    pub fn map(&self, object: Map<String, Value>) -> Result<Map<String, Value>, Reject> {
        let find = |path: &Option<Path>| path.as_ref().and_then(|path| path.find(&object));
        let text_of = |path: &Option<Path>| path.as_ref().and_then(|path| path.text(&object));
        let id = text_of(&self.id).filter(|id| !id.is_empty()).ok_or(Reject::Missing("id"))?;
        let at = self.times.read(find(&self.occurred_at).as_deref())?;
        let mut input = match find(&self.input).map(std::borrow::Cow::into_owned) {
            Some(Value::Object(input)) => input,
            _ => Map::new(),
        };
        if let Some(text) = text_of(&self.text) {
            input.insert("text".to_owned(), Value::from(text.into_owned()));
        }
        if input.is_empty() {
            return Err(Reject::Missing("text"));
        }
        if let Some(session) = text_of(&self.session_id) {
            input.insert("session_id".to_owned(), Value::from(session.into_owned()));
        }
        let confidence = self.sure(&object)?;
        let prediction = match self.answer(&object).map(|answer| answer.into_json().0) {
            Some(Value::Object(known)) => with_confidence(known, confidence),
            _ => Value::Null,
        };
        let mut out = Map::new();
        out.insert("id".to_owned(), Value::from(id.into_owned()));
        out.insert("occurred_at".to_owned(), Value::from(at));
        for (name, path) in [("stream", &self.stream), ("trace_id", &self.trace_id)] {
            if let Some(value) = text_of(path) {
                out.insert(name.to_owned(), Value::from(value.into_owned()));
            }
        }
        if let Some(model) = text_of(&self.model) {
            out.insert("model".to_owned(), json!({ "name": model }));
        }
        out.insert("input".to_owned(), Value::Object(input));
        out.insert("prediction".to_owned(), prediction);
        for (name, value) in object {
            out.entry(name).or_insert(value);
        }
        Ok(out)
    }

    /// Puts in place of what a format found what was named instead.
    ///
    /// # Errors
    /// What was named is not there.
    pub fn lay_over(&self, line: &mut Map<String, Value>) -> Result<(), Reject> {
        let texts = [("id", &self.id), ("stream", &self.stream), ("trace_id", &self.trace_id)];
        for (name, path) in texts {
            if let Some(path) = path {
                let text = path.text(line).map(std::borrow::Cow::into_owned);
                let text = text.ok_or_else(|| {
                    Reject::Foreign(format!("nothing stands where `{name}` was said to"))
                })?;
                line.insert(name.to_owned(), Value::from(text));
            }
        }
        if let Some(path) = &self.occurred_at {
            let at = self.times.read(path.find(line).as_deref())?;
            line.insert("occurred_at".to_owned(), Value::from(at));
        }
        for (name, path) in [("text", &self.text), ("session_id", &self.session_id)] {
            let found =
                path.as_ref().and_then(|path| path.text(line)).map(std::borrow::Cow::into_owned);
            if let (Some(text), Some(Value::Object(input))) = (found, line.get_mut("input")) {
                input.insert(name.to_owned(), Value::from(text));
            }
        }
        let confidence = self.sure(line)?;
        if self.label.is_some() {
            let mut known = match line.get_mut("prediction") {
                Some(Value::Object(known)) => std::mem::take(known),
                _ => Map::new(),
            };
            let answer = self.answer(line).map(|answer| answer.into_json().0);
            let prediction = match answer {
                Some(Value::Object(answer)) => {
                    known.extend(answer);
                    with_confidence(known, confidence)
                }
                _ => Value::Null,
            };
            line.insert("prediction".to_owned(), prediction);
        } else if let (Some(confidence), Some(Value::Object(known))) =
            (confidence, line.get_mut("prediction"))
        {
            known.insert("confidence".to_owned(), confidence);
        }
        if let Some(name) =
            self.model.as_ref().and_then(|path| path.text(line)).map(std::borrow::Cow::into_owned)
        {
            line.insert("model".to_owned(), json!({ "name": name }));
        }
        Ok(())
    }

    /// What the model said, where a label is looked for: a text, or candidates with their scores.
    fn answer(&self, object: &Map<String, Value>) -> Option<Answer> {
        let path = self.label.as_ref()?;
        match path.find(object)?.into_owned() {
            // How labels that are numbers say that there is none.
            Value::Number(none) if none.as_i64() == Some(-1) => None,
            many @ (Value::Object(_) | Value::Array(_)) => Answer::of_json(&many),
            _ => {
                let label = path.text(object)?.into_owned();
                Some(Answer { label: Some(label), ..Answer::default() })
            }
        }
    }

    /// How sure the model was, where that is looked for.
    fn sure(&self, object: &Map<String, Value>) -> Result<Option<Value>, Reject> {
        let found = self.confidence.as_ref().and_then(|path| path.find(object));
        sure(found.as_deref(), self.decimal_comma)
    }

    fn read(&self, line: &str) -> Result<Map<String, Value>, Reject> {
        if self.logfmt {
            let pairs =
                logfmt(line).ok_or_else(|| Reject::NotJson("nor is it logfmt".to_owned()))?;
            return Ok(pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Value::from(value.into_owned())))
                .collect());
        }
        match written::read(line) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Reject::NotObject),
            Err(error) => Err(Reject::NotJson(error.to_string())),
        }
    }
}

fn with_confidence(mut known: Map<String, Value>, confidence: Option<Value>) -> Value {
    match confidence {
        Some(confidence) => drop(known.insert("confidence".to_owned(), confidence)),
        None => drop(known.entry("confidence").or_insert(Value::Null)),
    }
    Value::Object(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prediction::Row;

    fn mapping(format: &str) -> Mapping {
        let source = Source {
            format: format.to_owned(),
            id: "req.id".to_owned(),
            occurred_at: "ts".to_owned(),
            text: "q".to_owned(),
            label: "out".to_owned(),
            confidence: "score".to_owned(),
            ..Source::default()
        };
        Mapping::new(&source, Times::default()).unwrap()
    }

    #[test]
    fn another_shape_is_read_and_nothing_of_it_is_lost() {
        let line = r#"{"req":{"id":7},"ts":1717372801,"q":"hello","out":"greet","score":"0.25","host":"a1"}"#;
        let mapped = mapping("json").line(line).unwrap();
        let row = Row::parse(&mapped).unwrap();
        assert_eq!(
            (row.id.text(), row.text(), row.label(), row.confidence()),
            ("7", "hello", "greet", Some(0.25))
        );
        assert!(mapped.contains("\"host\":\"a1\""));
        let line = "req.id=8 ts=2024-06-03T00:00:01Z q=\"hi there\" out=greet";
        let mapped = mapping("logfmt").line(line).unwrap();
        assert_eq!(Row::parse(&mapped).unwrap().text(), "hi there");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(mapping("json").line("{}"), Err(Reject::Missing("id")));
        let bad = |at: &str| {
            mapping("json")
                .line(&format!(r#"{{"req":{{"id":1}},"ts":"{at}","q":"x"}}"#))
                .unwrap_err()
        };
        assert!(matches!(bad("soon"), Reject::BadTime(_)));
        assert!(matches!(bad("2024-06-03 00:00:01"), Reject::NoZone));
    }
}
