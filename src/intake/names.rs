//! Whether rules ask for what the stream has, before its first line is taken in.

use std::io::{self, Cursor, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use super::IntakeError;
use super::mapping::map_line;
use crate::config::Source;
use crate::trap::Rules;

/// How much of a stream is looked at for the names of its own fields.
const HEAD_BYTES: usize = 1 << 20;

/// The input, once every name that rules ask for was found in its first lines.
///
/// # Errors
/// A name that none of them has, and those of reading.
pub fn checked<R: Read>(
    mut input: R,
    rules: &Rules,
    source: Option<&Source>,
    stop: &AtomicBool,
) -> Result<impl Read + use<R>, IntakeError> {
    let mut head = Vec::new();
    if !rules.strangers().is_empty() {
        head = first_lines(&mut input, stop)
            .map_err(|error| IntakeError::Read("the input".to_owned(), error))?;
        let text = String::from_utf8_lossy(&head);
        let line = |line: &str| match source {
            Some(source) => map_line(source, line).unwrap_or_default(),
            None => line.to_owned(),
        };
        let lines: Vec<String> = text.lines().map(line).collect();
        // What is no stream at all is told of line by line.
        let any = lines.iter().any(|line| line.trim_start().starts_with('{'));
        if any {
            rules.check_names(lines.iter().map(String::as_str))?;
        }
    }
    Ok(Cursor::new(head).chain(input))
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
