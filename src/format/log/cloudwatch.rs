//! Events of CloudWatch: what `filter-log-events` prints, what a Lambda function gets (base64 of gzip or
//! zlib), and what an export to S3 holds, where a line may go on in the next.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{About, LogOptions, Unwrap, line_of};
use crate::domain::time::Moment;

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("awslogs")
        || record.contains_key("message") && record.contains_key("ingestionTime")
}

/// What the event of a Lambda function carries.
fn carried(data: &str) -> Option<Value> {
    let bytes = STANDARD.decode(data.trim()).ok()?;
    let mut text = Vec::new();
    let limit = super::super::read::objects::LINE_BYTES_MAX as u64;
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(&bytes[..]).take(limit).read_to_end(&mut text)
    } else {
        flate2::read::ZlibDecoder::new(&bytes[..]).take(limit).read_to_end(&mut text)
    };
    read.ok()?;
    serde_json::from_slice(&text).ok()
}

fn event(event: &Value, to: &mut Vec<String>) {
    let Some(message) = event["message"].as_str() else { return };
    let at = event["timestamp"].as_i64().map(|ms| Moment(ms).rfc3339());
    to.push(line_of(message, About { at, ..About::default() }));
}

pub fn lines(record: &Map<String, Value>, to: &mut Vec<String>) {
    match record.get("awslogs") {
        Some(wrapped) => {
            let inner = wrapped["data"].as_str().and_then(carried).unwrap_or_default();
            inner["logEvents"].as_array().into_iter().flatten().for_each(|one| event(one, to));
        }
        None => event(&Value::Object(record.clone()), to),
    }
}

pub fn claims_export(line: &str) -> bool {
    line.split_once(' ')
        .is_some_and(|(at, rest)| Moment::parse(at).is_some() && rest.starts_with('{'))
}

pub fn unwrap_export(_: LogOptions) -> Box<dyn Unwrap> {
    Box::new(Export(None))
}

/// The event that was begun.
struct Export(Option<(String, String)>);

impl Export {
    fn close(&mut self, to: &mut Vec<String>) {
        if let Some((at, text)) = self.0.take() {
            to.push(line_of(&text, About { at: Some(at), ..About::default() }));
        }
    }
}

impl Unwrap for Export {
    fn line(&mut self, line: &str, to: &mut Vec<String>) -> Result<(), String> {
        match line.split_once(' ').filter(|(at, _)| Moment::parse(at).is_some()) {
            Some((at, text)) => {
                self.close(to);
                self.0 = Some((at.to_owned(), text.to_owned()));
            }
            None => match &mut self.0 {
                Some((_, text)) => {
                    text.push('\n');
                    text.push_str(line);
                }
                None => return Err("a line without a time before the first".to_owned()),
            },
        }
        Ok(())
    }

    fn end(&mut self, to: &mut Vec<String>) {
        self.close(to);
    }
}
