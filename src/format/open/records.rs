//! Records of a file as prediction lines.

use std::collections::VecDeque;
use std::io;

use serde_json::{Map, Value};

use super::sniff::{Container, cases_of};
use super::{BadInput, Begun, Inputs, Record, Told};
use crate::domain::prediction::Reject;
use crate::domain::written;
use crate::format::kind::table::Columns;
use crate::format::kind::{KINDS, Kind, kafka, named};
use crate::format::read::ahead::ahead;
use crate::format::read::bytes::Count;
use crate::format::read::csv::{Cells, Row, Rows};
use crate::format::read::objects::{Lines, Objects, Text};
use crate::format::read::{Cases, Found, Options};

/// What a container holds, one after another.
enum Pieces {
    Texts(Box<dyn Iterator<Item = io::Result<Text>> + Send>),
    Rows(Box<dyn Iterator<Item = io::Result<Row>> + Send>),
}

enum Piece {
    Text(Text),
    Row(u64, Result<Cells, Reject>),
}

impl Iterator for Pieces {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<io::Result<Piece>> {
        match self {
            Self::Texts(texts) => Some(texts.next()?.map(Piece::Text)),
            Self::Rows(rows) => Some(rows.next()?.map(|row| Piece::Row(row.line, row.cells))),
        }
    }
}

pub struct Records {
    inputs: Inputs,
    count: Count,
    told: Told,
    pieces: Pieces,
    console: bool,
    /// None where lines are lines already, or a mapping says where things stand.
    kind: Option<&'static Kind>,
    cases: Option<Box<dyn Cases>>,
    columns: Option<String>,
    ready: VecDeque<Record>,
    found: Vec<Found>,
    number: u64,
    ended: bool,
}

fn pieces_of(begun: Begun, options: &Options, told: &Told) -> Result<Pieces, BadInput> {
    let Begun { part, seen, bytes } = begun;
    let within = seen.kind.map_or(&[][..], |kind| kind.cases.within);
    Ok(match seen.container {
        Container::Lines | Container::Console => Pieces::Texts(Box::new(Lines::new(bytes.reader))),
        Container::Objects => {
            Pieces::Texts(Box::new(Objects::new(bytes.reader, &part.name, &told.flaws, within)))
        }
        Container::Csv(dialect) => {
            let rows = Rows::new(bytes.reader, dialect, !options.no_header);
            let rows = rows.map_err(|error| BadInput::Read(part.name.clone(), error))?;
            // What comes by a pipe is not waited for.
            Pieces::Rows(if part.is_file() { ahead(rows) } else { Box::new(rows) })
        }
        #[cfg(feature = "parquet")]
        Container::Parquet | Container::Arrow { .. } => {
            let texts = {
                let plain = part.member.is_none() && part.is_file() && seen.layers.is_empty();
                let (parquet, stream) = (
                    seen.container == Container::Parquet,
                    seen.container == Container::Arrow { stream: true },
                );
                crate::format::read::arrow::texts(&part.path, plain, bytes, parquet, stream)
            };
            Pieces::Texts(ahead(texts.map_err(|error| BadInput::Read(part.name.clone(), error))?))
        }
        #[cfg(not(feature = "parquet"))]
        Container::Parquet | Container::Arrow { .. } => {
            return Err(BadInput::NotBuilt(part.name, "it is Parquet or Arrow"));
        }
    })
}

impl Records {
    pub(super) fn new(
        inputs: Inputs,
        begun: Begun,
        count: &Count,
        told: &Told,
    ) -> Result<Self, BadInput> {
        let kind = if begun.seen.mapped { None } else { begun.seen.kind };
        let console = begun.seen.container == Container::Console;
        let mapped = begun.seen.mapped;
        let name = begun.part.name.clone();
        let columnar = matches!(begun.seen.container, Container::Parquet | Container::Arrow { .. });
        let mut pieces = pieces_of(begun, &inputs.options, told)?;
        let mut ready = None;
        let mut columns = None;
        let mut kind = kind;
        if columnar && kind.is_none() && !mapped {
            // What its columns are is seen from the first row.
            ready = pieces.next();
            if let Some(Ok(Piece::Text(Text { text: Ok(text), .. }))) = &ready
                && let Ok(Value::Object(record)) = written::read(text)
            {
                kind = KINDS.iter().find(|kind| (kind.cases.claims)(&record));
                if kind.is_none() && inputs.options.over.is_some() {
                    kind = named("table");
                }
                if kind.is_some_and(|kind| kind.name == "table") {
                    let names = record.keys().map(String::as_str);
                    columns = Some(Columns::of_names(names, &inputs.options.columns).words());
                }
                if kind.is_none() {
                    let names = record.keys().cloned().collect::<Vec<_>>().join(", ");
                    return Err(BadInput::Columns {
                        name,
                        lacks: "id, the text or the label",
                        names,
                    });
                }
            }
        }
        let cases =
            kind.filter(|kind| kind.name != "jsonl").map(|kind| cases_of(kind, &inputs.options));
        let mut records = Self {
            inputs,
            count: count.clone(),
            told: told.clone(),
            pieces,
            console,
            kind,
            cases,
            columns,
            ready: VecDeque::new(),
            found: Vec::new(),
            number: 0,
            ended: false,
        };
        if let Some(piece) = ready {
            records.put(piece.map_err(|error| BadInput::Read(name, error))?);
        }
        Ok(records)
    }

    /// The format of the records, once it is known.
    pub(super) fn kind(&self) -> Option<&'static Kind> {
        self.kind
    }

    /// What its first row says of its columns.
    pub(super) fn columns(&self) -> Option<String> {
        self.columns.clone()
    }

    fn parsed(&self, text: &str) -> Result<Map<String, Value>, Reject> {
        let read = match written::read(text) {
            Err(_) if self.inputs.options.nan_is_none => written::read(&without_nan(text)),
            read => read,
        };
        match read {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Reject::NotObject),
            Err(error) => Err(crate::domain::prediction::not_json(&error)),
        }
    }

    /// Makes records of a piece.
    fn put(&mut self, piece: Piece) {
        let (number, read) = match piece {
            Piece::Text(Text { number, text }) => {
                let text = text.and_then(|text| match self.console {
                    false => Ok(text),
                    true => kafka::console(&text).map(str::to_owned).ok_or_else(|| {
                        Reject::Foreign(format!("it does not begin with {}", kafka::CONSOLE))
                    }),
                });
                if self.console || (self.cases.is_none() && self.inputs.options.mapping.is_none()) {
                    let line = text.and_then(|text| self.own(&text));
                    return self.ready.push_back(Record { number, line });
                }
                (number, text.and_then(|text| self.parsed(&text)))
            }
            Piece::Row(number, cells) => {
                if let (Ok(cells), Some(cases)) = (&cells, &mut self.cases)
                    && let Some(line) = cases.line_of(cells, &self.inputs.options.times)
                {
                    self.number = number;
                    return self.ready.push_back(Record { number, line });
                }
                (number, cells.map(Cells::into_record))
            }
        };
        self.number = number;
        let record = match read {
            Ok(record) => record,
            Err(reject) => {
                if reject == Reject::Unclosed {
                    let words =
                        "a quote that it opens is never closed, so nothing behind it was read";
                    self.told.flaws.say(format!("line {number} breaks off: {words}"));
                }
                return self.ready.push_back(Record { number, line: Err(reject) });
            }
        };
        match &mut self.cases {
            Some(cases) => {
                let mut found = std::mem::take(&mut self.found);
                cases.take(record, &mut found);
                self.told_of(number, &mut found);
                self.found = found;
            }
            None => {
                let mapped = match &self.inputs.options.mapping {
                    Some(mapping) => mapping.map(record),
                    None => Ok(record),
                };
                let line = mapped.map(|object| Value::Object(object).to_string());
                self.ready.push_back(Record { number, line });
            }
        }
    }

    /// A line that an envelope held: ours, or one that a mapping knows.
    fn own(&self, text: &str) -> Result<String, Reject> {
        let text =
            if self.inputs.options.nan_is_none { without_nan(text) } else { text.to_owned() };
        let options = &self.inputs.options;
        let line = match (&options.mapping, &options.over) {
            (Some(mapping), _) => mapping.line(&text)?,
            (None, Some(over)) => {
                let mut line = self.parsed(&text)?;
                over.lay_over(&mut line)?;
                Value::Object(line).to_string()
            }
            (None, None) => text,
        };
        // What is no JSON may hold ends of lines.
        Ok(if line.contains(['\n', '\r']) { line.replace(['\n', '\r'], " ") } else { line })
    }

    fn told_of(&mut self, number: u64, found: &mut Vec<Found>) {
        let options = &self.inputs.options;
        for found in found.drain(..) {
            let line = match found {
                Found::Passed(what) => {
                    self.told.pass(what);
                    continue;
                }
                Found::Reject(reject) => Err(reject),
                Found::Line(text) => self.own(&text),
                Found::Case(case) => {
                    // Of what was joined, no line is the one.
                    let id = self
                        .kind
                        .is_some_and(|kind| kind.cases.joins)
                        .then(|| case.id.clone())
                        .flatten();
                    let line = case.into_line(&options.times).and_then(|mut line| {
                        // Of a table, columns were named.
                        let table = self.kind.is_some_and(|kind| kind.name == "table");
                        if let Some(over) = options.over.as_ref().filter(|_| !table) {
                            over.lay_over(&mut line)?;
                        }
                        Ok(Value::Object(line).to_string())
                    });
                    line.map_err(|reject| match id {
                        Some(id) => Reject::Foreign(format!("{id}: {reject}")),
                        None => reject,
                    })
                }
            };
            self.ready.push_back(Record { number, line });
        }
    }

    /// Goes on with the next file of a format whose records wait for each other.
    fn next_file(&mut self) -> bool {
        let Some(kind) = self.kind.filter(|kind| kind.cases.joins) else { return false };
        let Some(begun) = self.inputs.next_of(kind, &self.count, &self.told.flaws) else {
            return false;
        };
        match pieces_of(begun, &self.inputs.options, &self.told) {
            Ok(pieces) => {
                self.pieces = pieces;
                true
            }
            Err(error) => {
                self.told.flaws.say(error.to_string());
                false
            }
        }
    }
}

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<io::Result<Record>> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Ok(record));
            }
            if self.ended {
                return None;
            }
            match self.pieces.next() {
                Some(Ok(piece)) => self.put(piece),
                Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.told.flaws.say(format!(
                        "after record {}: {error}: what was whole before was read",
                        self.number
                    ));
                    self.ended = true;
                }
                Some(Err(error)) => return Some(Err(error)),
                None if self.next_file() => {}
                None => {
                    self.ended = true;
                    if let Some(cases) = &mut self.cases {
                        let mut found = Vec::new();
                        cases.end(&mut found);
                        self.told_of(self.number, &mut found);
                    }
                }
            }
        }
    }
}

/// A JSON text with null in place of what Python writes for numbers that are none.
fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted
            && let Some(word) =
                ["NaN", "-Infinity", "Infinity"].iter().find(|word| rest.starts_with(**word))
        {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[test]
fn what_is_no_number_becomes_null_outside_of_texts() {
    assert_eq!(
        without_nan(r#"{"a":NaN,"b":[-Infinity],"t":"NaN \" Infinity"}"#),
        r#"{"a":null,"b":[null],"t":"NaN \" Infinity"}"#
    );
}
