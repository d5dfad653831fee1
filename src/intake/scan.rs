//! Looks at the lines of a chunk: are they predictions, and do the rules want them?

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::Rejected;
use super::read::{Chunk, LINE_BYTES_MAX};
use super::summary::Unanswered;
use crate::domain::hygiene::Fact;
use crate::domain::plugin::PluginFlag;
use crate::domain::prediction::{Reject, Row, check_whole};
use crate::domain::time::Moment;
use crate::domain::traps::Why;
use crate::format::mapping::Mapping;
use crate::plugin::host::Asked;
use crate::trap::Traps;
use crate::trap::alarm::Watched;
use crate::trap::point::Flag;

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
    /// Of a prediction that becomes a case; others are not asked.
    pub margin: Option<f64>,
    pub model: Box<str>,
    /// None if the prediction passes, else why it becomes a case.
    pub flags: Option<Vec<String>>,
    /// What traps found in it by itself, until it is decided in its order.
    pub found: Vec<Flag>,
    /// The traps that flag it, as the case cites them.
    pub why: Vec<Why>,
    /// Only the smallest draws of its day become cases: it may still pass.
    pub may_pass: bool,
    /// Whether an engine looked at it, and counted it there.
    pub elsewhere: bool,
    /// The alarm for which it was drawn.
    pub alarm: Option<Box<str>>,
    /// What alarms watch of it.
    pub watched: Vec<Watched>,
    /// What detectors are to be asked of it: by place, with what each is sent.
    pub questions: Vec<(usize, Asked)>,
    /// What they said.
    pub said: Vec<PluginFlag>,
    /// What stands out in its input against earlier ones; known once it was put in order.
    pub facts: Vec<Fact>,
    /// What neighbours show of its line where its fields do not tell: worked out once, for each line
    /// stands beside many cases.
    pub told: OnceLock<Told>,
    stream: Piece,
    id: Piece,
    session: Piece,
    label: Piece,
    text: Piece,
    trace: Piece,
}

/// A line as neighbours show it, without what is to be redacted.
#[derive(Debug, Clone)]
pub struct Told {
    pub text: String,
    pub label: String,
    pub confidence: Option<f64>,
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

    /// The same on a chunk of its own: one case must not keep thousands of other lines in memory.
    pub fn alone(&self) -> Self {
        let start = self.line.start;
        let shifted = |piece: &Piece| match piece {
            Piece::At(range) => Piece::At(range.start - start..range.end - start),
            Piece::Own(text) => Piece::Own(text.clone()),
        };
        let chunk =
            Chunk { first_line: self.number, text: self.raw().to_owned(), ..Chunk::default() };
        Self {
            line: 0..chunk.text.len(),
            chunk: Arc::new(chunk),
            number: self.number,
            at: self.at,
            confidence: self.confidence,
            margin: self.margin,
            model: self.model.clone(),
            flags: self.flags.clone(),
            found: Vec::new(),
            why: self.why.clone(),
            elsewhere: self.elsewhere,
            may_pass: self.may_pass,
            alarm: self.alarm.clone(),
            watched: Vec::new(),
            questions: Vec::new(),
            said: self.said.clone(),
            facts: self.facts.clone(),
            told: OnceLock::new(),
            stream: shifted(&self.stream),
            id: shifted(&self.id),
            session: shifted(&self.session),
            label: shifted(&self.label),
            text: shifted(&self.text),
            trace: shifted(&self.trace),
        }
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.chunk.text.get(range.clone()).unwrap_or_default()
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
pub struct Scanned {
    /// Lines that were not blank.
    pub read: u64,
    pub seen: Vec<Seen>,
    pub rejected: Vec<Rejected>,
    /// What rules could not be answered, by trap.
    pub unanswered: BTreeMap<String, Unanswered>,
    pub read_bytes: u64,
}

/// Looks at a chunk. With a mapping, the chunk is made into our shape first. Predictions that pass
/// are given only if `keep_all`: they are neighbours of others.
pub fn look(
    chunk: &Arc<Chunk>,
    traps: &Traps,
    source: Option<&Mapping>,
    keep_all: bool,
) -> Scanned {
    let mut looked = Scanned { read_bytes: chunk.read_bytes, ..Scanned::default() };
    for rejected in &chunk.rejected {
        looked.reject(rejected.line, rejected.reject.clone());
    }
    let mut texts: Vec<(u64, Range<usize>)> = Vec::new();
    for (number, range) in chunk.lines() {
        let bytes = &chunk.text.as_bytes()[range.clone()];
        if chunk.too_long.contains(&number) {
            looked.reject(number, Reject::TooLong(LINE_BYTES_MAX >> 20));
        } else if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        } else if chunk.not_utf8.contains(&number) {
            looked.reject(number, Reject::NotUtf8);
        } else {
            texts.push((number, range));
        }
    }
    let mapped = source.map(|source| mapped(chunk, &texts, source, &mut looked));
    let (chunk, texts) = mapped.as_ref().map_or((chunk, &texts), |(chunk, texts)| (chunk, texts));
    let mut rows = Vec::with_capacity(texts.len());
    let mut places = Vec::with_capacity(texts.len());
    for (number, range) in texts {
        let raw = &chunk.text[range.clone()];
        match Row::parse(raw) {
            Ok(row) => {
                rows.push(row);
                places.push((*number, range.clone()));
            }
            Err(reject) => looked.reject(*number, reject),
        }
    }
    looked.read += rows.len() as u64;
    traps.look(&rows, |i, verdict| {
        let (number, range) = places[i].clone();
        let beside_alone = verdict.elsewhere && verdict.flags.is_empty();
        let flagged = traps.takes_all() && !beside_alone || !verdict.flags.is_empty();
        if let Some((rule, why)) = verdict.cannot.filter(|_| !flagged) {
            looked.rejected.push(Rejected { line: number, reject: Reject::Rule(rule, why) });
        }
        // What is broken deep inside is no case, so that nothing counts it as flagged.
        if flagged && let Err(reject) = check_whole(&chunk.text[range.clone()]) {
            looked.rejected.push(Rejected { line: number, reject });
            return;
        }
        for (point, why) in verdict.unanswered {
            let trap = &traps.points()[point].trap.name;
            let one = Unanswered { lines: 1, line: number, reason: why };
            looked.unanswered.entry(trap.clone()).or_default().add(one);
        }
        if flagged || keep_all || !verdict.watched.is_empty() {
            let mut seen = seen(chunk, number, range, &rows[i], flagged);
            (seen.found, seen.watched) = (verdict.flags, verdict.watched);
            seen.elsewhere = verdict.elsewhere;
            looked.seen.push(seen);
        }
    });
    looked.rejected.sort_by_key(|rejected| rejected.line);
    looked
}

/// A line by itself, looked at as closely as one that becomes a case.
pub fn lone_line(number: u64, line: &str) -> Option<Seen> {
    let chunk = Arc::new(Chunk { first_line: number, text: line.to_owned(), ..Chunk::default() });
    let row = Row::parse(&chunk.text).ok()?;
    check_whole(&chunk.text).ok()?;
    Some(seen(&chunk, number, 0..chunk.text.len(), &row, true))
}

/// The predictions of a chunk; what is none is left out.
pub fn rows_of(chunk: &Arc<Chunk>, source: Option<&Mapping>, each: impl FnOnce(&[Row<'_>])) {
    let lines = chunk.lines().map(|(_, range)| &chunk.text[range]);
    let mapped: Vec<String>;
    let rows: Vec<Row<'_>> = match source {
        None => lines.filter_map(|line| Row::parse(line).ok()).collect(),
        Some(source) => {
            mapped = lines.filter_map(|line| source.line(line).ok()).collect();
            mapped.iter().filter_map(|line| Row::parse(line).ok()).collect()
        }
    };
    each(&rows);
}

impl Scanned {
    fn reject(&mut self, line: u64, reject: Reject) {
        self.read += 1;
        self.rejected.push(Rejected { line, reject });
    }
}

fn mapped(
    chunk: &Chunk,
    texts: &[(u64, Range<usize>)],
    source: &Mapping,
    looked: &mut Scanned,
) -> (Arc<Chunk>, Vec<(u64, Range<usize>)>) {
    let mut text = String::with_capacity(chunk.text.len() * 2);
    let mut ranges = Vec::with_capacity(texts.len());
    for (number, range) in texts {
        match source.line(&chunk.text[range.clone()]) {
            Ok(line) => {
                ranges.push((*number, text.len()..text.len() + line.len()));
                text.push_str(&line);
                text.push('\n');
            }
            Err(reject) => looked.reject(*number, reject),
        }
    }
    let Chunk { first_line, offset, read_bytes, .. } = *chunk;
    (
        Arc::new(Chunk {
            first_line,
            text,
            too_long: Vec::new(),
            not_utf8: Vec::new(),
            offset,
            read_bytes,
            ..Chunk::default()
        }),
        ranges,
    )
}

fn seen(chunk: &Arc<Chunk>, number: u64, line: Range<usize>, row: &Row<'_>, flagged: bool) -> Seen {
    let base = chunk.text.as_ptr() as usize;
    let piece = |text: &str| {
        // A text that was borrowed lies inside the chunk; one that was unescaped does not.
        let start = (text.as_ptr() as usize).wrapping_sub(base);
        match start.checked_add(text.len()) {
            Some(end) if start >= line.start && end <= line.end => Piece::At(start..end),
            _ => Piece::Own(text.into()),
        }
    };
    Seen {
        told: OnceLock::new(),
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
        margin: if flagged { row.margin() } else { None },
        model: if flagged { row.model_name().into() } else { Box::default() },
        flags: flagged.then(Vec::new),
        found: Vec::new(),
        why: Vec::new(),
        may_pass: false,
        elsewhere: false,
        alarm: None,
        watched: Vec::new(),
        questions: Vec::new(),
        said: Vec::new(),
        facts: Vec::new(),
    }
}
