//! One line of a log: JSON, logfmt or plain text, understood as far as a reader needs it.
//!
//! Nothing is dropped: a line that is none of these is plain text, and a line without a time of its
//! own (a traceback goes on) belongs to the record before it.

use std::borrow::Cow;

use serde_json::Value;

use super::logtime::first_in;
pub use super::logtime::moment_of;
use super::time::Moment;
use super::written;

/// How bad a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn parse(word: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if is(&["error", "err", "fatal", "critical", "crit", "panic", "severe", "emerg", "alert"]) {
            Some(Self::Error)
        } else if is(&["warn", "warning"]) {
            Some(Self::Warn)
        } else if is(&["info", "notice", "information"]) {
            Some(Self::Info)
        } else if is(&["debug", "trace", "verbose"]) {
            Some(Self::Debug)
        } else {
            None
        }
    }

    /// Four letters, so that a column of them lines up.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERR ",
        }
    }
}

/// What a reader wants of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    pub at: Option<Moment>,
    /// Whether its time says no zone, and was read as UTC.
    pub zoneless: bool,
    pub level: Option<Level>,
    pub trace_id: Option<String>,
    pub service: Option<String>,
    /// The words of the line, then its other fields as `key=value`.
    pub message: String,
}

const TIME_KEYS: [&str; 6] = ["ts", "time", "timestamp", "@timestamp", "at", "occurred_at"];
const LEVEL_KEYS: [&str; 4] = ["level", "severity", "lvl", "log.level"];
const TRACE_KEYS: [&str; 5] = ["trace_id", "traceId", "trace", "trace.id", "request_id"];
const SERVICE_KEYS: [&str; 5] = ["service", "svc", "app", "logger", "component"];
const WORD_KEYS: [&str; 4] = ["msg", "message", "event", "body"];

impl LogLine {
    /// Reads a line of any of the three shapes.
    pub fn parse(line: &str) -> Self {
        if line.starts_with('{')
            && let Ok(Value::Object(object)) = written::read(line)
        {
            return Self::of_pairs(object.iter().map(|(key, value)| (key.as_str(), scalar(value))));
        }
        match logfmt(line) {
            Some(pairs) => Self::of_pairs(pairs.into_iter()),
            None => Self::plain(line),
        }
    }

    fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> Self {
        let mut line = Self {
            at: None,
            zoneless: false,
            level: None,
            trace_id: None,
            service: None,
            message: String::new(),
        };
        let mut rest = String::new();
        for (key, value) in pairs {
            let value = value.as_ref();
            if TIME_KEYS.contains(&key) && line.at.is_none() {
                let said = moment_of(value);
                line.at = said.map(|said| said.at);
                line.zoneless = said.is_some_and(|said| !said.has_zone);
            } else if LEVEL_KEYS.contains(&key) {
                line.level = Level::parse(value);
            } else if TRACE_KEYS.contains(&key) && line.trace_id.is_none() {
                line.trace_id = Some(value.to_owned()).filter(|id| !id.is_empty());
            } else if SERVICE_KEYS.contains(&key) && line.service.is_none() {
                line.service = Some(value.to_owned());
            } else if WORD_KEYS.contains(&key) && line.message.is_empty() {
                line.message = value.to_owned();
            } else {
                rest.push_str(&format!(" {key}={value}"));
            }
        }
        line.message.push_str(&rest);
        line
    }

    fn plain(line: &str) -> Self {
        let start = super::text::head(line, 400);
        let level = start
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| word.len() >= 3 && word.bytes().all(|b| b.is_ascii_uppercase()))
            .find_map(Level::parse);
        let level = level.or_else(|| line.starts_with("Traceback").then_some(Level::Error));
        let said = first_in(start);
        Self {
            at: said.map(|said| said.at),
            zoneless: said.is_some_and(|said| !said.has_zone),
            level,
            trace_id: None,
            service: None,
            message: line.to_owned(),
        }
    }
}

/// A value as a text: a text itself, anything else as JSON.
pub fn scalar(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// `key=value key="quoted value" …`, or `None` if the line is not made of pairs.
pub fn logfmt(line: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut pairs = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '"'])?;
        let (key, after) = rest.split_at(end);
        let after = after.strip_prefix('=')?;
        if key.is_empty() {
            return None;
        }
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(' ').unwrap_or(after.len());
                (Cow::Borrowed(&after[..end]), &after[end..])
            }
        };
        pairs.push((key, value));
        rest = left.trim_start();
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = false;
    let mut out = String::new();
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => {
                out.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((Cow::Owned(out), &text[i + 1..])),
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes_are_understood() {
        let json = LogLine::parse(
            r#"{"ts":"2024-06-03T00:03:25.875Z","level":"warn","service":"gw","event":"late","trace_id":"9","ms":3}"#,
        );
        assert_eq!(
            (json.level, json.trace_id.as_deref(), json.message.as_str()),
            (Some(Level::Warn), Some("9"), "late ms=3")
        );
        let logfmt = LogLine::parse(
            r#"ts=2024-06-03T00:03:25.897Z level=info svc=m trace_id=94 msg="inference \"done\"" p=0.03"#,
        );
        assert_eq!(logfmt.message, "inference \"done\" p=0.03");
        assert_eq!(logfmt.at, Moment::parse("2024-06-03T00:03:25.897Z"));
        let plain = LogLine::parse(
            "nova-api.log 2017-05-16 00:00:00.008 25746 INFO nova.osapi [req-38] GET",
        );
        assert_eq!(plain.level, Some(Level::Info));
        assert_eq!(plain.at, Moment::parse("2017-05-16T00:00:00.008Z"));
        assert_eq!(LogLine::parse("  File \"x.py\", line 3").at, None);
        assert_eq!(LogLine::parse("").message, "");
    }
}
