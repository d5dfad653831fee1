//! What a container runtime of Kubernetes writes: time, stream, whether the line goes on (`P`) or ends
//! (`F`), and the line. Parts of a line are joined for each stream.

use std::collections::HashMap;

use super::{About, LogOptions, Unwrap, line_of};
use crate::domain::time::Moment;

pub fn claims(line: &str) -> bool {
    split(line).is_some()
}

/// Time, stream, whether it goes on, text.
fn split(line: &str) -> Option<(&str, &str, bool, &str)> {
    let mut parts = line.splitn(4, ' ');
    let (at, stream, tag) = (parts.next()?, parts.next()?, parts.next()?);
    let known = ["stdout", "stderr"].contains(&stream) && Moment::parse(at).is_some();
    let goes_on = match tag.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    known.then_some((at, stream, goes_on, parts.next().unwrap_or_default()))
}

pub fn unwrap(_: LogOptions) -> Box<dyn Unwrap> {
    Box::new(Parts(HashMap::new()))
}

/// What was begun, by stream: its time and text.
struct Parts(HashMap<String, (String, String)>);

impl Unwrap for Parts {
    fn line(&mut self, line: &str, to: &mut Vec<String>) -> Result<(), String> {
        let (at, stream, goes_on, text) = split(line).ok_or("no line of a container")?;
        let (begun_at, begun) = self.0.entry(stream.to_owned()).or_default();
        if begun_at.is_empty() {
            at.clone_into(begun_at);
        }
        begun.push_str(text);
        if !goes_on && let Some((at, text)) = self.0.remove(stream) {
            to.push(line_of(&text, About { at: Some(at), ..About::default() }));
        }
        Ok(())
    }

    fn end(&mut self, to: &mut Vec<String>) {
        let mut left: Vec<_> = self.0.drain().collect();
        left.sort();
        to.extend(
            left.into_iter()
                .map(|(_, (at, text))| line_of(&text, About { at: Some(at), ..About::default() })),
        );
    }
}
