//! Rows of CSV as objects of texts. Which sign stands between cells is seen from the file; lines are
//! counted as an editor counts them.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::objects::LINE_BYTES_MAX;
use crate::domain::prediction::Reject;

/// The cells of a row, all texts, under the names of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    names: Arc<[String]>,
    text: String,
    /// Where each ends in the text.
    ends: Vec<usize>,
}

impl Cells {
    /// # Errors
    /// A cell that is not UTF-8.
    fn of(names: &Arc<[String]>, record: &csv::ByteRecord) -> Result<Self, Reject> {
        let mut ends = Vec::with_capacity(record.len());
        let mut end = 0;
        for cell in record {
            end += cell.len();
            ends.push(end);
        }
        // Together they may be a text of which one cell has half a sign.
        let whole = std::str::from_utf8(record.as_slice()).ok();
        match whole.filter(|text| ends.iter().all(|end| text.is_char_boundary(*end))) {
            Some(text) => Ok(Self { names: Arc::clone(names), text: text.to_owned(), ends }),
            None => {
                let bad = names.iter().zip(record).rev().find_map(|(name, cell)| {
                    let at = std::str::from_utf8(cell).err()?.valid_up_to();
                    let byte = cell.get(at).copied().unwrap_or_default();
                    Some(Reject::BadByte(byte, at + 1, format!(" of `{name}`")))
                });
                Err(bad.unwrap_or(Reject::NotObject))
            }
        }
    }

    pub fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    pub fn get(&self, at: usize) -> &str {
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let to = self.ends.get(at).copied().unwrap_or(self.text.len());
        self.text.get(from.unwrap_or(0)..to).unwrap_or_default()
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// As an object of texts.
    pub fn into_record(self) -> Map<String, Value> {
        let cell = |(at, name): (usize, &String)| (name.clone(), Value::from(self.get(at)));
        self.names.iter().enumerate().map(cell).collect()
    }
}

/// How a file separates its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// Whether a first line says so (`sep=;`).
    pub says_so: bool,
    /// Whether lines end with two signs.
    pub crlf: bool,
}

/// Signs that separate.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What stands behind the last row, so that a quote that is never closed is seen.
const END: &str = "\u{1}\u{2}end\u{2}\u{1}";

impl Dialect {
    /// The sign that stands most often outside of quotes in what a file begins with.
    pub fn of(head: &str) -> Self {
        let crlf = head.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'));
        if let Some(sign) = head.strip_prefix("sep=").and_then(|rest| rest.bytes().next()) {
            return Self { delimiter: sign, says_so: true, crlf };
        }
        let mut counts = [0_usize; DELIMITERS.len()];
        let mut quoted = false;
        for byte in head.bytes() {
            match byte {
                b'"' => quoted = !quoted,
                _ if quoted => {}
                _ => {
                    if let Some(at) = DELIMITERS.iter().position(|sign| *sign == byte) {
                        counts[at] += 1;
                    }
                }
            }
        }
        let best = (0..counts.len()).rev().max_by_key(|at| counts[*at]).unwrap_or(0);
        Self { delimiter: DELIMITERS[best], says_so: false, crlf }
    }
}

/// One row: the line it begins in, and its cells by column.
pub struct Row {
    pub line: u64,
    pub cells: Result<Cells, Reject>,
}

pub struct Rows<R> {
    reader: csv::Reader<io::Chain<Bounded<R>, io::Cursor<Vec<u8>>>>,
    names: Arc<[String]>,
    /// Up to which byte the reader may read before a row is too long.
    bound: Arc<AtomicU64>,
    lines_before: u64,
    /// Lines that a row has beside those within its cells, once it is read: of two signs at the end,
    /// the second is passed over with the next row.
    ended_lines: u64,
    record: csv::ByteRecord,
    ended: bool,
}

/// Ends with an error where a row goes on for too long: a quote that is never closed.
pub struct Bounded<R> {
    inner: R,
    read: u64,
    bound: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read > self.bound.load(Ordering::Relaxed) {
            let words = "a row is longer than 16 MiB: a quote before it is never closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        let read = self.inner.read(into)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> Rows<R> {
    /// Begins to read. Without a header, columns are called `c1`, `c2`, ….
    ///
    /// # Errors
    /// Those of reading, and a header that can't be one.
    pub fn new(mut reader: R, dialect: Dialect, header: bool) -> io::Result<Self> {
        let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut lines_before = 0;
        if dialect.says_so {
            reader.read_until(b'\n', &mut Vec::new())?;
            lines_before = 1;
        }
        let bound = Arc::new(AtomicU64::new(LINE_BYTES_MAX as u64));
        let bounded = Bounded { inner: reader, read: 0, bound: Arc::clone(&bound) };
        let end = io::Cursor::new(format!("\n{END}\n").into_bytes());
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(bounded.chain(end));
        let mut record = csv::ByteRecord::new();
        let mut names = Vec::new();
        if header {
            reader.read_byte_record(&mut record).map_err(|error| bad(error.to_string()))?;
            for cell in &record {
                let name = std::str::from_utf8(cell).map_err(|_| bad("its first row, the names of its columns, is not UTF-8: --encoding windows-1252 reads it, if that is what it is".to_owned()))?;
                names.push(name.to_owned());
            }
            let mut known = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
                return Err(bad(format!("two of its columns are called `{twice}`")));
            }
        }
        let ended_lines = u64::from(!dialect.crlf);
        let names = names.into();
        Ok(Self { reader, names, bound, lines_before, ended_lines, record, ended: false })
    }
}

impl<R> Rows<R> {
    /// What the columns are called, where a first row says so.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        if self.ended {
            return None;
        }
        let before = self.reader.position().byte();
        self.bound.store(before + LINE_BYTES_MAX as u64, Ordering::Relaxed);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => {
                self.ended = true;
                return Some(Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => error,
                    other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
                }));
            }
        }
        // Blank lines before a row are passed over with it: it begins where it ends, less the lines
        // within its cells.
        let within = memchr::memchr_iter(b'\n', self.record.as_slice()).count() as u64;
        let mut line = (self.reader.position().line() + self.lines_before)
            .saturating_sub(self.ended_lines + within);
        if self.record.len() == 1 && self.record.get(0) == Some(END.as_bytes()) {
            self.ended = true;
            return None;
        }
        let unclosed = memchr::memmem::find(self.record.as_slice(), END.as_bytes()).is_some();
        if self.names.is_empty() {
            self.names = (1..=self.record.len()).map(|n| format!("c{n}")).collect();
        }
        let (have, want) = (self.record.len(), self.names.len());
        let cells = if unclosed {
            self.ended = true;
            line = self.record.position().map_or(line, csv::Position::line) + self.lines_before;
            Err(Reject::Unclosed)
        } else if have != want {
            Err(Reject::Foreign(format!("{have} cells, where there are {want} columns")))
        } else {
            Cells::of(&self.names, &self.record)
        };
        Some(Ok(Row { line, cells }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Result<String, String>)> {
        let dialect = Dialect::of(text);
        let rows = Rows::new(text.as_bytes(), dialect, true).unwrap();
        rows.map(|row| row.unwrap())
            .map(|row| {
                (
                    row.line,
                    row.cells
                        .map(|cells| Value::Object(cells.into_record()).to_string())
                        .map_err(|r| r.to_string()),
                )
            })
            .collect()
    }

    #[test]
    fn cells_are_texts_and_lines_are_those_of_an_editor() {
        let text = "id;t\n1;\"two\nlines; \"\"quoted\"\"\"\nshort\n\n007; x \n9;\"open\n";
        let found = rows(text);
        assert_eq!(found[0], (2, Ok(r#"{"id":"1","t":"two\nlines; \"quoted\""}"#.to_owned())));
        assert_eq!(found[1], (4, Err("1 cells, where there are 2 columns".to_owned())));
        assert_eq!(found[2], (6, Ok(r#"{"id":"007","t":" x "}"#.to_owned())));
        assert!(found[3].1.as_ref().unwrap_err().contains("never closed"));
        let lines = |text: &str| rows(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("a,b\r\n1,2\r\n\"x\r\ny\",2\r\nshort\r\n\r\n5,6\r\n"), [2, 3, 5, 7]);
        assert_eq!(rows("sep=|\na|b\n1|2\n")[0], (3, Ok(r#"{"a":"1","b":"2"}"#.to_owned())));
        assert_eq!(rows("a,b\n1,2")[0].1, Ok(r#"{"a":"1","b":"2"}"#.to_owned()));
    }
}
