//! What is told of each row beside itself, while a cut is being made: more than memory should
//! hold, so that it waits in a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{Outcome, Step};
use crate::domain::traps::rate_of_all;
use crate::format::CaseExport;
use crate::format::row::{Flagged, ProtocolVersion, RulingExport, Vote};

/// Where something stands in the file: its begin, and how long its two parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    at: u64,
    head: u32,
    tail: u32,
}

/// What is known of a case before it is chosen: what stands before its part and its draw, and what
/// stands after them, as the inner of JSON objects.
#[derive(Debug, Clone, Default)]
pub struct Told {
    head: Vec<u8>,
    tail: Vec<u8>,
}

#[derive(Serialize)]
struct Head<'c> {
    case: CaseId,
    id: &'c str,
    stream: &'c str,
    occurred_at: &'c str,
    detected_at: &'c str,
}

#[derive(Serialize)]
struct Tail<'c> {
    flags: &'c [Flagged],
    /// How likely it was to be drawn at all.
    rate: Option<f64>,
    model: Option<Value>,
    predicted: Option<&'c str>,
    how: Option<&'static str>,
    settled_at: Option<&'c str>,
    labels: Vec<Label<'c>>,
    ruling: Option<&'c RulingExport>,
    protocols: &'c [String],
}

#[derive(Serialize)]
struct Label<'c> {
    event: EventId,
    reviewer: &'c str,
    label: Option<&'c str>,
    outcome: &'c Outcome,
    path: &'c [Step],
    protocol: &'c ProtocolVersion,
    confidence: Option<u8>,
    at: &'c str,
    agrees: bool,
}

impl<'c> Label<'c> {
    fn of(vote: &'c Vote) -> Self {
        Self {
            event: vote.event,
            reviewer: &vote.reviewer,
            label: vote.label.as_deref(),
            outcome: &vote.outcome,
            path: &vote.path,
            protocol: &vote.protocol,
            confidence: vote.confidence,
            at: &vote.at,
            agrees: vote.agrees,
        }
    }
}

/// The JSON of an object without its braces.
fn inner(of: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec(of).unwrap_or_default();
    json.pop();
    if !json.is_empty() {
        json.remove(0);
    }
    json
}

impl Told {
    pub fn of(case: &CaseExport) -> Self {
        let about = &case.about;
        let head = Head {
            case: about.case,
            id: &about.id,
            stream: &about.stream,
            occurred_at: &about.occurred_at,
            detected_at: &about.detected_at,
        };
        let tail = Tail {
            flags: &about.why,
            rate: rate_of_all(about.why.iter().map(|flagged| flagged.rate)),
            // As all that we write, without the blanks of whoever wrote it.
            model: about.model.as_deref().and_then(|raw| serde_json::from_str(raw.get()).ok()),
            predicted: about.predicted.as_deref(),
            how: case.how,
            settled_at: case.settled_at.as_deref(),
            labels: case.votes.iter().map(Label::of).collect(),
            ruling: case.ruling.as_ref(),
            protocols: &case.protocols,
        };
        Self { head: inner(&head), tail: inner(&tail) }
    }
}

/// What of many cases was told, in a file that has no name any more.
#[derive(Debug)]
pub struct Kept {
    file: BufWriter<File>,
    at: u64,
}

impl Kept {
    /// # Errors
    /// Those of making a file.
    pub fn within(directory: &Path) -> io::Result<Self> {
        let path = directory.join("told");
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), at: 0 })
    }

    /// # Errors
    /// Those of writing.
    pub fn put(&mut self, told: &Told) -> io::Result<Place> {
        self.file.write_all(&told.head)?;
        self.file.write_all(&told.tail)?;
        let (head, tail) = (told.head.len() as u32, told.tail.len() as u32);
        let place = Place { at: self.at, head, tail };
        self.at += u64::from(head) + u64::from(tail);
        Ok(place)
    }

    /// # Errors
    /// Those of writing what was put last.
    pub fn finish(mut self) -> io::Result<Finished> {
        self.file.flush()?;
        Ok(Finished(self.file.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}

/// The same, to be read.
#[derive(Debug)]
pub struct Finished(File);

impl Finished {
    /// What was told of a case, read into `bytes`: what stands before its part, and after.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read<'b>(
        &self,
        place: Place,
        bytes: &'b mut Vec<u8>,
    ) -> io::Result<(&'b [u8], &'b [u8])> {
        bytes.resize(place.head as usize + place.tail as usize, 0);
        self.0.read_exact_at(bytes, place.at)?;
        Ok(bytes.split_at(place.head as usize))
    }
}
