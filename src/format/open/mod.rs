//! Files become records: what a file is, is told; what lies around its records is taken off; and a
//! format makes predictions of them.

pub mod foreign;
mod records;
mod sniff;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

pub use sniff::{Container, Seen, sniff};

use super::kind::Kind;
use super::read::Options;
use super::read::bytes::{Bytes, Count, Counted, Flaws, ToItsEnd, decode, guarded, unpack};
use super::read::files::Part;
use crate::domain::advice::Advice;
use crate::domain::prediction::Reject;

/// Files that are looked at before anything is read.
const CHECKED_FILES: usize = 64;

/// What can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum BadInput {
    #[error("{0}: {1}")]
    Read(String, io::Error),
    #[error(
        "{name}: two formats in one file: record {first_at} is {first}, record {second_at} is {second}"
    )]
    Mixed { name: String, first: &'static str, first_at: u64, second: &'static str, second_at: u64 },
    #[error("{name}: CSV whose columns do not say which is the {lacks}: {names}")]
    Columns { name: String, lacks: &'static str, names: String },
    #[error("{name}: no column `{column}`; there is {names}")]
    NoColumn { name: String, column: String, names: String },
    #[error(
        "{name}: nothing stands where `{role}` is looked for, at `{path}`, in the first {looked} records; the first holds {names}"
    )]
    Nowhere { name: String, role: &'static str, path: String, looked: usize, names: String },
    #[error("{0}: {1}, which this casework was built without")]
    NotBuilt(String, &'static str),
    #[error("{0}: labels and no predictions: {1}")]
    Labels(String, &'static str),
    #[error("{0}: not what {1} is: {2}")]
    NotThat(String, String, String),
}

impl Advice for BadInput {
    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::Columns { .. } => "--id, --time, --text and --label name them (--no-header where the first row is one: columns are c1, c2, … then); --explain shows what was read.".to_owned(),
            Self::NotBuilt(..) => "`cargo install --path . --features parquet` builds one that reads it.".to_owned(),
            Self::Mixed { .. } => "Split the file, or say with --format which records are meant: the others are rejected line by line.".to_owned(),
            Self::Labels(..) => "`casework import labels FILE` takes them in, and with --open the cases that are not here; --id and --text, or --map, read the rows as predictions.".to_owned(),
            Self::NotThat(..) => "`casework formats` lists what is read.".to_owned(),
            Self::Nowhere { role, .. } => format!("Mend `{role}` in [source] of config.toml or in the file of --map, or leave it out; --explain shows what was read."),
            Self::Read(..) | Self::NoColumn { .. } => return None,
        })
    }
}

/// One record on its way in: the line or number that it is told by, and the prediction line.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub number: u64,
    pub line: Result<String, Reject>,
}

/// What is told of an input beside its records.
#[derive(Clone, Default)]
pub struct Told {
    pub flaws: Flaws,
    /// Records that are no case by themselves, by what they are.
    passed: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Told {
    fn pass(&self, what: &'static str) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// How many records were no case, by what they are.
    pub fn passed(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.passed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What predictions are read from.
pub enum Input<'i> {
    /// Lines in casework's own shape, or in one that a mapping knows.
    Lines(Box<dyn Read + Send + 'i>),
    Records(Box<dyn Iterator<Item = io::Result<Record>> + Send + 'i>),
}

/// One input, ready to be read.
pub struct Opened {
    /// As it is told to people.
    pub name: String,
    pub seen: Seen,
    pub input: Input<'static>,
    /// Bytes of it, if that is known, and how many were read.
    pub size: Option<u64>,
    pub read: Count,
    pub told: Told,
    /// The file once more, for what looks at all of it first.
    pub again: Option<Part>,
}

/// Files that are still to be read; a format whose records wait for others takes several as one.
#[derive(Debug, Clone)]
pub struct Inputs {
    waiting: Arc<Mutex<VecDeque<Part>>>,
    stop: Arc<AtomicBool>,
    options: Arc<Options>,
}

/// A file without what is around its text, and what it was told to be.
struct Begun {
    part: Part,
    seen: Seen,
    bytes: Bytes,
}

impl Inputs {
    pub fn new(parts: Vec<Part>, options: Options, stop: Arc<AtomicBool>) -> Self {
        Self { waiting: Arc::new(Mutex::new(parts.into())), stop, options: Arc::new(options) }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many files are still to be read.
    pub fn len(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same files once more, without a pipe, which can be read only once.
    #[must_use]
    pub fn files(&self) -> Self {
        let parts = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let parts: VecDeque<Part> = parts.into_iter().filter(Part::is_file).collect();
        Self { waiting: Arc::new(Mutex::new(parts)), ..self.clone() }
    }

    /// Whether the first files can be read as something.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), BadInput> {
        let parts = self.files();
        let mut checked = 0;
        while checked < CHECKED_FILES
            && let Some(part) = parts.pop()
        {
            self.begin(part, &Count::default(), &Flaws::default())?;
            checked += 1;
        }
        Ok(())
    }

    /// The next input, if there is one.
    ///
    /// # Errors
    /// A file that can't be read as anything.
    pub fn next_input(&self) -> Result<Option<Opened>, BadInput> {
        let Some(part) = self.pop() else { return Ok(None) };
        let (count, told) = (Count::default(), Told::default());
        let begun = self.begin(part, &count, &told.flaws)?;
        let (part, seen) = (begun.part.clone(), begun.seen.clone());
        let joins = seen.kind.is_some_and(|kind| kind.cases.joins) && !seen.mapped;
        let mut size = part.size();
        if joins {
            for part in self.waiting.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                size = size.zip(part.size()).map(|(a, b)| a + b);
            }
        }
        let lines = seen.container == Container::Lines
            && !self.options.nan_is_none
            && (seen.mapped
                || self.options.over.is_none()
                    && seen.kind.is_none_or(|kind| kind.name == "jsonl"));
        let mut seen = seen;
        let input = if lines {
            let (reader, name) = (begun.bytes.reader, part.name.clone());
            Input::Lines(Box::new(ToItsEnd::new(reader, name, told.flaws.clone())))
        } else {
            let records = records::Records::new(self.clone(), begun, &count, &told)?;
            if seen.kind.is_none() && !seen.mapped {
                seen.kind = records.kind();
                seen.reasons.extend(records.columns());
            }
            Input::Records(Box::new(records))
        };
        let again = (part.is_file() && !joins).then_some(part.clone());
        Ok(Some(Opened { name: part.name, seen, input, size, read: count, told, again }))
    }

    /// The input of one file by itself.
    ///
    /// # Errors
    /// As [`Self::next_input`].
    pub fn again(&self, part: Part) -> Result<Option<Opened>, BadInput> {
        Self { waiting: Arc::new(Mutex::new([part].into())), ..self.clone() }.next_input()
    }

    fn pop(&self) -> Option<Part> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// The next file, if it is of this format too.
    fn next_of(&self, kind: &'static Kind, count: &Count, flaws: &Flaws) -> Option<Begun> {
        let part = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).front().cloned()?;
        if !part.is_file() {
            return None;
        }
        let begun = self.begin(part, count, flaws).ok()?;
        if begun.seen.kind.is_none_or(|other| other.name != kind.name) {
            return None;
        }
        self.pop();
        Some(begun)
    }

    /// A file without what is around its text.
    pub(super) fn bytes_of(
        &self,
        part: &Part,
        count: &Count,
        flaws: &Flaws,
    ) -> Result<Bytes, BadInput> {
        let failed = |error| BadInput::Read(part.name.clone(), error);
        let raw: Box<dyn Read + Send> = match &part.member {
            Some(member) => {
                let (file, deflated) = member.open(&part.path).map_err(failed)?;
                let counted = Counted::new(file, Arc::clone(count), Arc::clone(&self.stop));
                if deflated {
                    let inflated = Box::new(flate2::read::DeflateDecoder::new(counted));
                    guarded(inflated, "zip", &part.name, (count, flaws))
                } else {
                    Box::new(counted)
                }
            }
            None if part.path.as_os_str() == "-" => Box::new(Counted::new(
                super::read::files::stdin(),
                Arc::clone(count),
                Arc::clone(&self.stop),
            )),
            None => {
                let file = super::read::files::open(&part.path).map_err(failed)?;
                Box::new(Counted::new(file, Arc::clone(count), Arc::clone(&self.stop)))
            }
        };
        let (input, head, mut layers) = unpack(raw, &part.name, (count, flaws)).map_err(failed)?;
        if head.starts_with(b"PK\x03\x04") {
            let words =
                "a zip archive can't be read from a pipe, nor inside of another: give it as a file"
                    .to_owned();
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, words)));
        }
        decode(input, head, self.options.encoding, &mut layers).map_err(failed)
    }

    /// The first bytes of a file.
    ///
    /// # Errors
    /// Those of reading.
    pub fn head_of(&self, part: &Part) -> Result<Vec<u8>, BadInput> {
        Ok(self.bytes_of(part, &Count::default(), &Flaws::default())?.head)
    }

    /// All of a file's text, in UTF-8.
    ///
    /// # Errors
    /// Those of reading.
    pub fn text_of(&self, part: &Part) -> Result<String, BadInput> {
        let flaws = Flaws::default();
        let mut bytes = self.bytes_of(part, &Count::default(), &flaws)?;
        let mut text = String::new();
        let read = bytes.reader.read_to_string(&mut text);
        read.map_err(|error| BadInput::Read(part.name.clone(), error))?;
        match flaws.take().into_iter().next() {
            Some(flaw) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, flaw);
                Err(BadInput::Read(part.name.clone(), error))
            }
            // Where no line feed is, a carriage return ends a line.
            None if !text.contains('\n') => Ok(text.replace('\r', "\n")),
            None => Ok(text),
        }
    }

    /// The files that are still to be read.
    pub fn parts(&self) -> Vec<Part> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn begin(&self, part: Part, count: &Count, flaws: &Flaws) -> Result<Begun, BadInput> {
        let bytes = self.bytes_of(&part, count, flaws)?;
        let seen = sniff(&part.name, &bytes.head, &self.options)?;
        Ok(Begun { part, seen: Seen { layers: bytes.layers.clone(), ..seen }, bytes })
    }
}
