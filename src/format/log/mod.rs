//! Logs in the envelopes of those who collect them, as lines that can be read by themselves: the line
//! that was wrapped, or a JSON line with its time, level, service, trace and message.

mod cloudwatch;
mod cri;
mod docker;
mod gcp;
mod journald;
mod otlp;
mod syslog;

use std::io::{self, BufRead};

use serde_json::{Map, Value, json};

use crate::domain::logline::LogLine;
use crate::format::read::bytes::Flaws;
use crate::format::read::objects::{Lines, Objects, Text};
use crate::format::times::Zone;

/// What lines do not say by themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogOptions {
    /// A kind by its name; none: told by the file.
    pub kind: Option<&'static str>,
    pub zone: Option<Zone>,
    pub year: Option<i32>,
}

/// A kind of log that is wrapped.
pub struct LogKind {
    pub name: &'static str,
    pub about: &'static str,
    how: How,
}

enum How {
    /// JSON objects; fields of an outer object whose list holds them.
    Records {
        claims: fn(&Map<String, Value>) -> bool,
        lines: fn(&Map<String, Value>, &mut Vec<String>),
        within: &'static [&'static str],
    },
    /// Lines of text; a reader keeps what goes on in the next.
    Text { claims: fn(&str) -> bool, make: fn(LogOptions) -> Box<dyn Unwrap> },
}

/// Unwraps lines one after another.
trait Unwrap {
    fn line(&mut self, line: &str, to: &mut Vec<String>) -> Result<(), String>;
    fn end(&mut self, _to: &mut Vec<String>) {}
}

/// Every kind, the most telling first.
pub static KINDS: &[LogKind] = &[
    LogKind {
        name: "otlp",
        about: "OpenTelemetry logs (OTLP JSON)",
        how: How::Records { claims: otlp::claims, lines: otlp::lines, within: &[] },
    },
    LogKind {
        name: "docker",
        about: "json-file of Docker",
        how: How::Records { claims: docker::claims, lines: docker::lines, within: &[] },
    },
    LogKind {
        name: "journald",
        about: "journalctl -o json",
        how: How::Records { claims: journald::claims, lines: journald::lines, within: &[] },
    },
    LogKind {
        name: "cloudwatch",
        about: "CloudWatch: filter-log-events, exports to S3, Lambda events",
        how: How::Records {
            claims: cloudwatch::claims,
            lines: cloudwatch::lines,
            within: &["events"],
        },
    },
    LogKind {
        name: "gcp",
        about: "Google Cloud Logging",
        how: How::Records { claims: gcp::claims, lines: gcp::lines, within: &[] },
    },
    LogKind {
        name: "cri",
        about: "container logs of Kubernetes",
        how: How::Text { claims: cri::claims, make: cri::unwrap },
    },
    LogKind {
        name: "syslog",
        about: "syslog after RFC 5424 and RFC 3164",
        how: How::Text { claims: syslog::claims, make: syslog::unwrap },
    },
    LogKind {
        name: "cloudwatch-s3",
        about: "CloudWatch, exported to S3: a time, then the line",
        how: How::Text { claims: cloudwatch::claims_export, make: cloudwatch::unwrap_export },
    },
];

/// Kinds by their names.
pub fn named(name: &str) -> Option<&'static LogKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What kind of wrapped log a file is by its first bytes; none where its lines stand by themselves.
pub fn told(head: &str, options: LogOptions) -> Option<&'static LogKind> {
    if let Some(kind) = options.kind {
        return named(kind);
    }
    let text = head.trim_start();
    if text.starts_with(['{', '[']) {
        let objects =
            |within| Objects::new(text.as_bytes(), "", &Flaws::default(), within).take(5).flatten();
        for kind in KINDS {
            let How::Records { claims, within, .. } = kind.how else { continue };
            let mut found = objects(&[]).chain(objects(within)).filter_map(|text| {
                match serde_json::from_str(&text.text.ok()?) {
                    Ok(Value::Object(object)) => Some(object),
                    _ => None,
                }
            });
            if found.any(|record| claims(&record)) {
                return Some(kind);
            }
        }
        return None;
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    let of = |kind: &&LogKind| match kind.how {
        How::Text { claims, .. } => lines.first().is_some_and(|line| claims(line)),
        How::Records { .. } => false,
    };
    KINDS.iter().find(of)
}

/// What became of a wrapped log.
#[derive(Debug, Default)]
pub struct Unwrapped {
    pub records: u64,
    /// Why records could not be read, the first of them.
    pub trouble: Option<String>,
}

/// Gives the lines that a log wraps, one after another.
///
/// # Errors
/// Those of reading and of `each`.
pub fn unwrap(
    kind: &'static LogKind,
    reader: Box<dyn BufRead + Send>,
    name: &str,
    options: LogOptions,
    flaws: &Flaws,
    mut each: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<Unwrapped> {
    let mut done = Unwrapped::default();
    let mut lines = Vec::new();
    let mut give = |lines: &mut Vec<String>, done: &mut Unwrapped| {
        lines.drain(..).try_for_each(|line| {
            done.records += 1;
            each(&line)
        })
    };
    match kind.how {
        How::Records { lines: unwrap, within, .. } => {
            for text in Objects::new(reader, name, flaws, within) {
                let Text { number, text } = text?;
                let read = text.map_err(|reject| reject.to_string()).and_then(|text| {
                    serde_json::from_str::<Value>(&text).map_err(|error| error.to_string())
                });
                match read {
                    Ok(Value::Object(record)) => unwrap(&record, &mut lines),
                    Ok(_) => {}
                    Err(why) => drop(done.trouble.get_or_insert(format!("record {number}: {why}"))),
                }
                give(&mut lines, &mut done)?;
            }
        }
        How::Text { make, .. } => {
            let mut unwrapping = make(options);
            for text in Lines::new(reader) {
                let Text { number, text } = text?;
                let read = text.map_err(|reject| reject.to_string());
                if let Err(why) = read.and_then(|line| unwrapping.line(&line, &mut lines)) {
                    done.trouble.get_or_insert(format!("line {number}: {why}"));
                }
                give(&mut lines, &mut done)?;
            }
            unwrapping.end(&mut lines);
            give(&mut lines, &mut done)?;
        }
    }
    Ok(done)
}

/// What an envelope says of a line.
#[derive(Default)]
struct About<'a> {
    at: Option<String>,
    level: Option<&'a str>,
    service: Option<&'a str>,
    trace: Option<String>,
}

/// The line that was wrapped, if it says its own time (and its trace, where the envelope has one);
/// else one with what the envelope says.
fn line_of(text: &str, about: About<'_>) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    let own = LogLine::parse(text);
    let whole = own.at.is_some() && (about.trace.is_none() || own.trace_id.is_some());
    if whole && !text.contains(['\n', '\r']) {
        return text.to_owned();
    }
    let mut line = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            line.insert(name.to_owned(), Value::from(value));
        }
    };
    put("ts", about.at);
    put("level", about.level.map(str::to_lowercase));
    put("service", about.service.map(str::to_owned));
    // Of a line that wraps fields, the fields; of others the words.
    let fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    };
    put("trace_id", about.trace.map(|trace| trace.to_lowercase()).or(own.trace_id.clone()));
    match fields {
        Some(fields) => {
            for (name, value) in fields {
                if !["trace_id", "traceId", "trace"].contains(&name.as_str()) {
                    line.entry(name).or_insert(value);
                }
            }
        }
        None => drop(line.insert("msg".to_owned(), json!(text))),
    }
    Value::Object(line).to_string()
}
