//! Whether rules ask for what the stream has, before its first line is taken in.

use std::io::{self, Cursor, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use super::IntakeError;
use crate::format::mapping::Mapping;
use crate::format::open::{Input, Record};
use crate::trap::Rules;

/// How much of a stream is looked at for the names of its own fields.
const HEAD_BYTES: usize = 1 << 20;
const HEAD_RECORDS: usize = 1_000;

/// The input, once every name that rules ask for was found in its first lines.
///
/// # Errors
/// A name that none of them has, and those of reading.
pub fn checked<'i>(
    input: Input<'i>,
    rules: &Rules,
    source: Option<&Mapping>,
    stop: &AtomicBool,
) -> Result<Input<'i>, IntakeError> {
    if rules.strangers().is_empty() {
        return Ok(input);
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
            check(rules, &text.lines().map(line).collect::<Vec<_>>())?;
            Ok(Input::Lines(Box::new(Cursor::new(head).chain(input))))
        }
        Input::Records(mut records) => {
            let first: Vec<io::Result<Record>> = records.by_ref().take(HEAD_RECORDS).collect();
            let lines = first.iter().flatten().filter_map(|record| record.line.clone().ok());
            check(rules, &lines.collect::<Vec<_>>())?;
            Ok(Input::Records(Box::new(first.into_iter().chain(records))))
        }
    }
}

fn check(rules: &Rules, lines: &[String]) -> Result<(), IntakeError> {
    // What is no stream at all is told of line by line.
    if lines.iter().any(|line| line.trim_start().starts_with('{')) {
        rules.check_names(lines.iter().map(String::as_str))?;
    }
    Ok(())
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
