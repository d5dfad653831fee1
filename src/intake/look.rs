//! Looks at the lines of a chunk: are they predictions, and do the rules want them?

use std::ops::Range;
use std::sync::Arc;

use super::Rejected;
use super::mapping::map_line;
use super::read::{Chunk, LINE_BYTES_MAX};
use crate::config::Source;
use crate::domain::prediction::{Reject, Row};
use crate::domain::time::Moment;
use crate::trap::{Answer, Rules};

/// A text inside a chunk, or one that had escapes and stands by itself.
#[derive(Debug, Clone)]
pub enum Piece {
    At(Range<usize>),
    Own(Box<str>),
}

/// A prediction as neighbours show it: where it stands, and the little that is asked often.
#[derive(Debug)]
pub struct Seen {
    pub chunk: Arc<Chunk>,
    pub line: Range<usize>,
    pub number: u64,
    pub at: Moment,
    pub confidence: Option<f64>,
    pub margin: Option<f64>,
    /// None if the prediction passes, else why it becomes a case.
    pub flags: Option<Vec<String>>,
    stream: Piece,
    id: Piece,
    session: Piece,
    label: Piece,
    text: Piece,
    trace: Piece,
}

impl Seen {
    pub fn raw(&self) -> &str {
        self.part(&self.line)
    }

    pub fn stream(&self) -> &str {
        self.piece(&self.stream)
    }

    pub fn id(&self) -> &str {
        self.piece(&self.id)
    }

    pub fn session(&self) -> &str {
        self.piece(&self.session)
    }

    pub fn label(&self) -> &str {
        self.piece(&self.label)
    }

    pub fn text(&self) -> &str {
        self.piece(&self.text)
    }

    pub fn trace(&self) -> &str {
        self.piece(&self.trace)
    }

    fn part(&self, range: &Range<usize>) -> &str {
        // Only ranges of checked UTF-8 are kept.
        self.chunk.bytes.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    fn piece<'s>(&'s self, piece: &'s Piece) -> &'s str {
        match piece {
            Piece::At(range) => self.part(range),
            Piece::Own(text) => text,
        }
    }
}

/// What became of the lines of a chunk.
#[derive(Debug, Default)]
pub struct Looked {
    /// Lines that were not blank.
    pub read: u64,
    pub seen: Vec<Seen>,
    pub rejected: Vec<Rejected>,
    pub read_bytes: u64,
}

/// Looks at a chunk. With a mapping, the chunk is made into our shape first.
pub fn look(chunk: &Arc<Chunk>, rules: &Rules, source: Option<&Source>) -> Looked {
    let mut looked = Looked { read_bytes: chunk.read_bytes, ..Looked::default() };
    let mut texts: Vec<(u64, Range<usize>)> = Vec::new();
    for (number, range) in chunk.lines() {
        let bytes = &chunk.bytes[range.clone()];
        if chunk.too_long.contains(&number) {
            looked.reject(number, Reject::TooLong(LINE_BYTES_MAX >> 20));
        } else if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        } else if std::str::from_utf8(bytes).is_err() {
            looked.reject(number, Reject::NotUtf8);
        } else {
            texts.push((number, range));
        }
    }
    let mapped = source.map(|source| mapped(chunk, &texts, source, &mut looked));
    let (chunk, texts) = mapped.as_ref().map_or((chunk, &texts), |(chunk, texts)| (chunk, texts));
    let text = std::str::from_utf8(&chunk.bytes);
    let mut rows = Vec::with_capacity(texts.len());
    let mut places = Vec::with_capacity(texts.len());
    for (number, range) in texts {
        let raw = match text {
            Ok(text) => &text[range.clone()],
            Err(_) => std::str::from_utf8(&chunk.bytes[range.clone()]).unwrap_or_default(),
        };
        match Row::parse(raw) {
            Ok(row) => {
                rows.push(row);
                places.push((*number, range.clone()));
            }
            Err(reject) => looked.reject(*number, reject),
        }
    }
    looked.read += rows.len() as u64;
    rules.ask(&rows, |i, answer| {
        let (number, range) = places[i].clone();
        let flags = match answer {
            Answer::Flags(flags) => Some(flags),
            Answer::Passes => None,
            Answer::Cannot { rule, why } => {
                looked.rejected.push(Rejected { line: number, reject: Reject::Rule(rule, why) });
                None
            }
        };
        looked.seen.push(seen(chunk, number, range, &rows[i], flags));
    });
    looked.rejected.sort_by_key(|rejected| rejected.line);
    looked
}

impl Looked {
    fn reject(&mut self, line: u64, reject: Reject) {
        self.read += 1;
        self.rejected.push(Rejected { line, reject });
    }
}

fn mapped(
    chunk: &Chunk,
    texts: &[(u64, Range<usize>)],
    source: &Source,
    looked: &mut Looked,
) -> (Arc<Chunk>, Vec<(u64, Range<usize>)>) {
    let mut bytes = Vec::with_capacity(chunk.bytes.len() * 2);
    let mut ranges = Vec::with_capacity(texts.len());
    for (number, range) in texts {
        let line = std::str::from_utf8(&chunk.bytes[range.clone()]).unwrap_or_default();
        match map_line(source, line) {
            Ok(line) => {
                ranges.push((*number, bytes.len()..bytes.len() + line.len()));
                bytes.extend_from_slice(line.as_bytes());
                bytes.push(b'\n');
            }
            Err(reject) => looked.reject(*number, reject),
        }
    }
    let Chunk { first_line, offset, read_bytes, .. } = *chunk;
    (Arc::new(Chunk { first_line, bytes, too_long: Vec::new(), offset, read_bytes }), ranges)
}

fn seen(chunk: &Arc<Chunk>, number: u64, line: Range<usize>, row: &Row<'_>, flags: Option<Vec<String>>) -> Seen {
    let base = chunk.bytes.as_ptr() as usize;
    let piece = |text: &str| {
        // A text that was borrowed lies inside the chunk; one that was unescaped does not.
        let start = (text.as_ptr() as usize).wrapping_sub(base);
        match start.checked_add(text.len()) {
            Some(end) if start >= line.start && end <= line.end => Piece::At(start..end),
            _ => Piece::Own(text.into()),
        }
    };
    Seen {
        stream: piece(row.stream_name()),
        id: piece(row.id.text()),
        session: piece(row.session()),
        label: piece(row.label()),
        text: piece(row.text()),
        trace: piece(row.trace_id.text()),
        chunk: Arc::clone(chunk),
        line,
        number,
        at: row.at,
        confidence: row.confidence(),
        margin: row.margin(),
        flags,
    }
}
