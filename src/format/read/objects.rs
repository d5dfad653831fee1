//! JSON objects one after another, whatever lies between them: one a line, in an array, in an array
//! inside an object, or nothing at all. Never more than one of them is held.

use std::io::{self, BufRead};

use super::bytes::Flaws;
use crate::domain::prediction::Reject;

/// Bytes of a line that are held.
pub const LINE_BYTES_MAX: usize = 112 << 20;
/// Bytes of one object that are held, where objects stand in no lines.
const OBJECT_BYTES_MAX: usize = 64 << 20;

/// A text as it was written, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The line it begins in, or which object it is; from 1.
    pub number: u64,
    pub text: Result<String, Reject>,
}

/// Lines, without their ends; blank ones are passed over.
pub struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Text>;

    fn next(&mut self) -> Option<io::Result<Text>> {
        loop {
            self.number += 1;
            let number = self.number;
            let mut line = Vec::new();
            match line_of(&mut self.reader, &mut line) {
                Err(error) => return Some(Err(error)),
                Ok(false) => return None,
                Ok(true) if line.len() > LINE_BYTES_MAX => {
                    let text = Err(Reject::TooLong(LINE_BYTES_MAX >> 20));
                    return Some(Ok(Text { number, text }));
                }
                Ok(true) => {}
            }
            while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                line.pop();
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Some(Ok(Text { number, text: text_of(line) }));
        }
    }
}

/// Reads up to the end of a line; of one over the limit no more than that is kept. False at the end.
fn line_of(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer).map(|at| at + 1);
        let take = end.unwrap_or(buffer.len());
        if line.len() <= LINE_BYTES_MAX {
            line.extend_from_slice(&buffer[..take]);
        }
        reader.consume(take);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn text_of(bytes: Vec<u8>) -> Result<String, Reject> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Reject::BadByte(
            error.as_bytes().get(at).copied().unwrap_or_default(),
            at + 1,
            String::new(),
        )
    })
}

/// Objects that stand in an array, one after another, or in an array inside of an object.
pub struct Objects<R> {
    reader: R,
    name: String,
    flaws: Flaws,
    /// Fields of an outer object whose array holds what is wanted.
    within: &'static [&'static str],
    number: u64,
    /// Bytes passed.
    at: u64,
    /// Whether an array was opened that holds the objects, and whether that stands in an object.
    in_array: bool,
    in_object: bool,
    ended: bool,
}

/// What comes at the top level.
enum Came {
    Value(Vec<u8>),
    /// An array that holds the objects begins, inside of an object.
    Opened,
    TooLong,
    Cut,
}

impl<R: BufRead> Objects<R> {
    pub fn new(reader: R, name: &str, flaws: &Flaws, within: &'static [&'static str]) -> Self {
        Self {
            reader,
            name: name.to_owned(),
            flaws: flaws.clone(),
            within,
            number: 0,
            at: 0,
            in_array: false,
            in_object: false,
            ended: false,
        }
    }

    /// The next byte that is not passed over between objects.
    fn begin(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(&byte) = buffer.first() else { return Ok(None) };
            let passed = match byte {
                b' ' | b'\n' | b'\r' | b'\t' | b',' | 0x1e | 0xef | 0xbb | 0xbf => true,
                b'[' if !self.in_array => {
                    self.in_array = true;
                    true
                }
                b']' if self.in_array => {
                    self.in_array = false;
                    true
                }
                _ => false,
            };
            if !passed {
                return Ok(Some(byte));
            }
            self.reader.consume(1);
            self.at += 1;
            if byte == b']' && self.in_object {
                self.in_object = false;
                self.skip_rest()?;
            }
        }
    }

    /// Passes over what is left of the object that held the array.
    fn skip_rest(&mut self) -> io::Result<()> {
        let mut scan = Scan { depth: 1, ..Scan::default() };
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|&byte| scan.takes(byte));
            let take = end.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(take);
            self.at += take as u64;
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// A value from its first byte to its last.
    fn value(&mut self) -> io::Result<Came> {
        let mut scan = Scan::default();
        let mut held: Vec<u8> = Vec::new();
        let mut too_long = false;
        // Where the last text of the outer object began, to know its fields.
        let mut key_from = None;
        let mut key: Option<Vec<u8>> = None;
        let may_open = !self.in_array && !self.within.is_empty();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(if scan.scalar && !held.is_empty() {
                    Came::Value(held)
                } else {
                    Came::Cut
                });
            }
            let mut end = None;
            let mut opened = false;
            for (i, &byte) in buffer.iter().enumerate() {
                if may_open && scan.depth == 1 && !scan.in_text {
                    match byte {
                        b'"' => key_from = Some(held.len() + i + 1),
                        b'[' if key.as_deref().is_some_and(|key| {
                            self.within.iter().any(|name| name.as_bytes() == key)
                        }) =>
                        {
                            opened = true;
                            end = Some(i + 1);
                            break;
                        }
                        b',' => key = None,
                        _ => {}
                    }
                }
                let was_text = scan.in_text;
                let done = scan.takes(byte);
                if may_open
                    && was_text
                    && !scan.in_text
                    && scan.depth == 1
                    && key.is_none()
                    && let Some(from) = key_from.take()
                {
                    let all = |at: usize| {
                        if at < held.len() {
                            held.get(at).copied()
                        } else {
                            buffer.get(at - held.len()).copied()
                        }
                    };
                    key = Some((from..held.len() + i).filter_map(all).collect());
                }
                if done {
                    // What ends a scalar belongs to what follows.
                    end = Some(if scan.scalar { i } else { i + 1 });
                    break;
                }
            }
            let take = end.unwrap_or(buffer.len());
            if held.len() + take > OBJECT_BYTES_MAX {
                too_long = true;
                held.clear();
                key_from = None;
            } else if !too_long {
                held.extend_from_slice(&buffer[..take]);
            }
            self.reader.consume(take);
            self.at += take as u64;
            if opened {
                return Ok(Came::Opened);
            }
            if end.is_some() {
                return Ok(if too_long { Came::TooLong } else { Came::Value(held) });
            }
        }
    }
}

impl<R: BufRead> Iterator for Objects<R> {
    type Item = io::Result<Text>;

    fn next(&mut self) -> Option<io::Result<Text>> {
        if self.ended {
            return None;
        }
        loop {
            match self.begin() {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.ended = true;
                    if self.in_array {
                        self.flaws.say(format!(
                            "{}: ends at byte {} inside its array: what was whole before was read",
                            self.name, self.at
                        ));
                    }
                    return None;
                }
                Err(error) => return Some(Err(error)),
            }
            let text = match self.value() {
                Err(error) => return Some(Err(error)),
                Ok(Came::Opened) => {
                    (self.in_array, self.in_object) = (true, true);
                    continue;
                }
                Ok(Came::Value(bytes)) => text_of(bytes),
                Ok(Came::TooLong) => Err(Reject::TooLong(OBJECT_BYTES_MAX >> 20)),
                Ok(Came::Cut) => {
                    self.ended = true;
                    self.flaws.say(format!(
                        "{}: ends at byte {} inside of an object: what was whole before was read",
                        self.name, self.at
                    ));
                    self.number += 1;
                    let text = Err(Reject::NotJson("it is cut off".to_owned()));
                    return Some(Ok(Text { number: self.number, text }));
                }
            };
            self.number += 1;
            // A value stands in one line from here on: ends of lines in it are no part of its texts.
            let text = text.map(|text| {
                if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text }
            });
            return Some(Ok(Text { number: self.number, text }));
        }
    }
}

/// Where brackets and texts begin and end.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
    scalar: bool,
    begun: bool,
}

impl Scan {
    /// Takes a byte; true where the value ends with it.
    fn takes(&mut self, byte: u8) -> bool {
        let first = !self.begun && self.depth == 0;
        self.begun = true;
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_text = false;
                    return self.depth == 0 && !self.scalar;
                }
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                if self.scalar {
                    return true;
                }
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 0 {
                    return !first || self.scalar;
                }
                self.depth -= 1;
                return self.depth == 0;
            }
            b' ' | b'\n' | b'\r' | b'\t' | b',' if self.depth == 0 => return self.scalar,
            _ if first => self.scalar = true,
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(
        text: &str,
        within: &'static [&'static str],
        step: usize,
    ) -> (Vec<String>, Vec<String>) {
        let flaws = Flaws::default();
        let reader = io::BufReader::with_capacity(step, text.as_bytes());
        let found = Objects::new(reader, "f", &flaws, within)
            .map(|text| text.unwrap().text.unwrap_or_else(|reject| format!("! {reject}")))
            .collect();
        (found, flaws.take())
    }

    #[test]
    fn objects_are_found_whatever_lies_between_them() {
        for step in [1, 2, 3, 7, 1_000] {
            let check = |text: &str, expect: &[&str]| {
                assert_eq!(
                    objects(text, &["Records"], step),
                    (expect.iter().map(|s| (*s).to_owned()).collect(), vec![]),
                    "{text} {step}"
                );
            };
            check(r#"{"a":1}{"b":"}{"}"#, &[r#"{"a":1}"#, r#"{"b":"}{"}"#]);
            check("[{\"a\":[1,{}]} , {\"b\":\"\\\"]\"}]\n", &[r#"{"a":[1,{}]}"#, r#"{"b":"\"]"}"#]);
            check("{\n \"a\": 1\n}\n", &["{  \"a\": 1 }"]);
            check(
                r#"{"x":["Records"],"Records":[{"a":1},{"a":2}],"rest":{"a":[]}}{"a":3}"#,
                &[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#],
            );
            check(r#"{"x":{"Records":[{"a":1}]}}"#, &[r#"{"x":{"Records":[{"a":1}]}}"#]);
            check("[1, \"two\", null,{}]", &["1", "\"two\"", "null", "{}"]);
            check("[[1,2],[3]]", &["[1,2]", "[3]"]);
            check(" \n", &[]);
        }
    }

    #[test]
    fn what_breaks_off_is_said_and_what_came_before_is_kept() {
        let (found, flaws) = objects(r#"[{"a":1},{"b":"#, &[], 4);
        assert_eq!(found, [r#"{"a":1}"#, "! not JSON: it is cut off"]);
        assert!(flaws[0].contains("byte 14"), "{flaws:?}");
        let (found, flaws) = objects(r#"[{"a":1},"#, &[], 4);
        assert_eq!((found.len(), flaws.len()), (1, 1));
    }
}
