//! Whether traps ask for what the stream has, before its first line is taken in.

use std::collections::BTreeSet;
use std::io::{self, Cursor, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::IntakeError;
use super::summary::UnseenField;
use crate::format::mapping::Mapping;
use crate::format::open::{Input, Record};
use crate::trap::{BadRule, Traps};

/// How much of a stream is looked at for the names of its own fields.
const HEAD_BYTES: usize = 1 << 20;
const HEAD_RECORDS: usize = 1_000;
/// Fields of a line that are known by their paths: most, and how deep they lie.
const FIELDS_MAX: usize = 10_000;
const DEPTH_MAX: usize = 6;

/// The input, once the names that traps ask for were looked for in its first lines; with the fields
/// of which none of these has any. A stream is not refused for a field that may come later; rules that
/// are new, which somebody just typed, are refused for one that is called almost as one that there is.
///
/// # Errors
/// A name that none of them has, such a field, and those of reading.
pub fn checked<'i>(
    input: Input<'i>,
    (traps, is_new): (&Traps, bool),
    source: Option<&Mapping>,
    stop: &AtomicBool,
) -> Result<(Input<'i>, Vec<UnseenField>), IntakeError> {
    if traps.rules().strangers().is_empty() && traps.fields().is_empty() {
        return Ok((input, Vec::new()));
    }
    let failed = |error| IntakeError::Read("the input".to_owned(), error);
    match input {
        Input::Lines(mut input) => {
            let head = first_lines(&mut input, stop).map_err(failed)?;
            let text = String::from_utf8_lossy(&head);
            let line = |line: &str| match source {
                Some(source) => source.line(line).unwrap_or_default(),
                None => line.to_owned(),
            };
            let unseen = check((traps, is_new), &text.lines().map(line).collect::<Vec<_>>())?;
            Ok((Input::Lines(Box::new(Cursor::new(head).chain(input))), unseen))
        }
        Input::Records(mut records) => {
            let first: Vec<io::Result<Record>> = records.by_ref().take(HEAD_RECORDS).collect();
            let lines = first.iter().flatten().filter_map(|record| record.line.clone().ok());
            let unseen = check((traps, is_new), &lines.collect::<Vec<_>>())?;
            Ok((Input::Records(Box::new(first.into_iter().chain(records))), unseen))
        }
    }
}

fn check(
    (traps, is_new): (&Traps, bool),
    lines: &[String],
) -> Result<Vec<UnseenField>, IntakeError> {
    // What is no stream at all is told of line by line.
    if !lines.iter().any(|line| line.trim_start().starts_with('{')) {
        return Ok(Vec::new());
    }
    traps.rules().check_names(lines.iter().map(String::as_str))?;
    let asked = traps.fields();
    let objects = lines.iter().filter(|_| !asked.is_empty());
    let (mut known, mut of) = (BTreeSet::new(), 0);
    for object in objects.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        of += 1;
        gather(&object, "", DEPTH_MAX, &mut known);
    }
    let mut unseen = Vec::new();
    for (trap, field) in asked.into_iter().filter(|(_, field)| of > 0 && !known.contains(*field)) {
        let (trap, field) = (trap.to_owned(), field.to_owned());
        let near = nearest(&field, &known).map(str::to_owned);
        if is_new && let Some(near) = near {
            return Err(BadRule::Field { trap, field, near, of }.into());
        }
        unseen.push(UnseenField { trap, field, near, of });
    }
    unseen.sort_unstable();
    unseen.dedup();
    Ok(unseen)
}

/// The paths of all that is in an object.
fn gather(value: &Value, at: &str, depth: usize, known: &mut BTreeSet<String>) {
    let Value::Object(fields) = value else { return };
    for (name, inside) in fields.iter().filter(|_| depth > 0) {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        gather(inside, &path, depth - 1, known);
        if known.len() < FIELDS_MAX {
            known.insert(path);
        }
    }
}

/// The field that was likely meant.
fn nearest<'k>(field: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let edits = known.iter().map(|known| (strsim::osa_distance(field, known), known.as_str()));
    // What a slip is goes by the last name alone.
    let last = field.rsplit('.').next().unwrap_or(field).chars().count();
    edits.filter(|(edits, _)| *edits <= last / 3).min().map(|(_, known)| known)
}

/// What can be read at once, but at least a line, if one comes.
fn first_lines(input: &mut impl Read, stop: &AtomicBool) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while head.len() < HEAD_BYTES && !stop.load(Ordering::Relaxed) {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => head.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A stream that pauses is not waited for once it has said something.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if head.contains(&b'\n') {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}
