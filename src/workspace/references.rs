//! References: what a stream is like when it is as it should be.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::cases::IngestRequest;
use super::cuts::KnownCut;
use super::error::RetrainError;
use super::{WorkError, Workspace};
use crate::db::{case, document, erasure};
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::label::value_text;
use crate::domain::payload::Payload;
use crate::domain::prediction::Row;
use crate::domain::time::Moment;
use crate::domain::traps::TrapFile;
use crate::journal::blob::{self, Packer, Unpacker};
use crate::journal::kind::ReferenceSet;
use crate::journal::{Append, JournalError};
use crate::retrain::cut::select::row_id;
use crate::retrain::cut::{Member, Recipe};
use crate::trap::reference::{Making, Reference, Wanted};

/// A reference that was set.
#[derive(Debug, Clone)]
pub struct KnownReference {
    pub set: ReferenceSet,
    pub author: String,
    pub at: Moment,
    event: EventId,
}

/// What a reference is counted from.
#[derive(Debug, Clone, Copy)]
pub enum CountedRows<'a> {
    File(&'a Path),
    /// A cut, by its name or id.
    Cut(&'a str),
}

/// How many lines can't be read, and which is the first, and why.
pub type Unread = (u64, u64, String);

/// Lines being counted.
struct Counting {
    making: Making,
    between: [Option<Moment>; 2],
    from: Moment,
    to: Moment,
    streams: BTreeSet<String>,
    of_other_times: u64,
    lines: u64,
    bad: Option<Unread>,
}

impl Counting {
    fn new(making: Making, between: [Option<Moment>; 2]) -> Self {
        let (from, to) = (Moment(i64::MAX), Moment(i64::MIN));
        let streams = BTreeSet::new();
        Self { making, between, from, to, streams, of_other_times: 0, lines: 0, bad: None }
    }

    /// Counts that the next line can't be read.
    fn unread(&mut self, why: &impl ToString) {
        self.lines += 1;
        self.bad.get_or_insert_with(|| (0, self.lines, why.to_string())).0 += 1;
    }

    fn take(&mut self, line: &str, clean: impl Fn(&str) -> String) {
        if line.trim().is_empty() {
            self.lines += 1;
            return;
        }
        let as_prediction;
        let row = match Row::parse(line) {
            Ok(row) => row,
            Err(reject) => {
                let Some(made) = training_line(line, self.lines + 1) else {
                    return self.unread(&reject);
                };
                as_prediction = made;
                match Row::parse(&as_prediction) {
                    Ok(row) => row,
                    Err(reject) => return self.unread(&reject),
                }
            }
        };
        self.lines += 1;
        let [after, before] = self.between;
        if after.is_some_and(|at| row.at < at) || before.is_some_and(|at| row.at >= at) {
            self.of_other_times += 1;
            return;
        }
        (self.from, self.to) = (self.from.min(row.at), self.to.max(row.at));
        if self.streams.len() < 2 {
            self.streams.insert(row.stream.text().to_owned());
        }
        self.making.take(&row, clean);
    }
}

/// A line of training data as a prediction that says what the label says.
fn training_line(line: &str, number: u64) -> Option<String> {
    #[derive(Deserialize)]
    struct Training {
        text: String,
        #[serde(default)]
        label: Option<String>,
    }
    let Training { text, label } = serde_json::from_str(line).ok()?;
    let label = label.unwrap_or_default();
    Some(
        serde_json::json!({ "id": number.to_string(), "occurred_at": "1970-01-01T00:00:00Z",
            "input": { "text": text }, "prediction": { "label": label } })
        .to_string(),
    )
}

impl Workspace {
    /// References, the latest first.
    pub fn references(&self) -> Result<Vec<KnownReference>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "reference")?;
        let one = |row: document::DocumentRow| {
            let set = serde_json::from_str(&row.body).ok()?;
            let (author, at, event) = (row.author, row.at.moment(), row.event);
            Some(KnownReference { set, author, at, event })
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }

    /// What a reference counted.
    pub fn reference(&self, known: &KnownReference) -> Result<Reference, WorkError> {
        let json = blob::read(&self.db.conn, &mut Unpacker::default(), known.event)?;
        serde_json::from_slice(&json).map_err(|error| {
            WorkError::Reference(format!("reference `{}`: {error}", known.set.name))
        })
    }

    /// Sets a reference from the predictions of a file, or from training lines of `text` and
    /// `label`, or from the rows of a cut; returns it, and what could not be read.
    pub fn set_reference(
        &mut self,
        name: &str,
        counted: CountedRows<'_>,
        between: [Option<Moment>; 2],
        extra: Option<&TrapFile>,
    ) -> Result<(ReferenceSet, Option<Unread>), WorkError> {
        self.ready_to_write()?;
        let mut rules = self.traps_in_force(&IngestRequest::default())?;
        let published = self.latest_traps()?;
        let mut alarms = published.map(|latest| latest.file.alarms).unwrap_or_default();
        if let Some(file) = extra {
            rules.extend(file.traps.iter().cloned());
            alarms.extend(file.alarms.iter().cloned());
        }
        let wanted = Wanted::of(rules.iter(), alarms.iter());
        let redact = self.redaction(false)?;
        let clean = |value: &str| match &redact {
            Some(redact) => redact.text(value).into_owned(),
            None => value.to_owned(),
        };
        let mut counting = Counting::new(Making::new(wanted, self.keyed()?), between);
        let from_what = match counted {
            CountedRows::File(path) => {
                let path_words = path.display().to_string();
                let failed = |error| WorkError::File { path: path_words.clone(), error };
                for line in BufReader::new(File::open(path).map_err(failed)?).lines() {
                    counting.take(&line.map_err(failed)?, clean);
                }
                path_words
            }
            CountedRows::Cut(id) => {
                let cut = self.find_cut(id)?;
                self.each_line_of_cut(&cut, |line| match line {
                    Ok(line) => counting.take(&line, clean),
                    Err(why) => counting.unread(&why),
                })?;
                format!("the cut {}", cut.short())
            }
        };
        let Counting { making, from, to, mut streams, of_other_times, bad, .. } = counting;
        let reference = making.finish();
        if reference.rows == 0 {
            let why = bad.filter(|_| of_other_times == 0);
            let why = why.map_or("no line of it is of that time".to_owned(), |(_, line, why)| {
                format!("line {line}: {why}")
            });
            return Err(WorkError::Reference(format!("{from_what}: nothing to count: {why}")));
        }
        let json = serde_json::to_vec(&reference)
            .map_err(|error| WorkError::Reference(error.to_string()))?;
        // By its content: the same counts are the same reference on every device.
        let mut salt = [0; 16];
        salt.copy_from_slice(&Hash::of(&json).0[..16]);
        let packed = Packer::new(None)?.pack(&json, salt)?;
        let stream = if streams.len() == 1 {
            streams.pop_first().unwrap_or_default()
        } else {
            String::new()
        };
        let set = ReferenceSet {
            name: name.to_owned(),
            stream,
            from,
            to,
            rows: reference.rows,
            blob: packed.hash,
        };
        self.append(vec![Append::with_payload(&set, packed, String::new())])?;
        Ok((set, bad))
    }

    /// Calls `each` with the cases of a cut as predictions that say the labels they have in it, or with
    /// why one can't be read. Old rows that were mixed in are not among them.
    fn each_line_of_cut(
        &self,
        cut: &KnownCut,
        mut each: impl FnMut(Result<String, String>),
    ) -> Result<(), WorkError> {
        let of = |why: String| RetrainError::Wrong(format!("the cut {}: {why}", cut.short()));
        let recipe = Recipe::parse(&cut.cut.text)
            .map_err(|_| of("its recipe can't be read by this version".to_owned()))?;
        let members = self.membership(cut)?;
        let mut unpacker = Unpacker::default();
        for Member { row, case, .. } in members.iter() {
            if let Some(case) = case {
                each(self.line_of_row((case, row), &recipe.rows.label, &mut unpacker)?);
            }
        }
        Ok(())
    }

    fn line_of_row(
        &self,
        (id, member): (CaseId, [u8; 8]),
        field: &str,
        unpacker: &mut Unpacker,
    ) -> Result<Result<String, String>, WorkError> {
        let conn = &self.db.conn;
        let short = id.short();
        let Some(row) = case::by_id(conn, id)? else {
            return Ok(Err(format!("case {short} is not in this workspace")));
        };
        let label = row.outcome.as_ref().and_then(|outcome| outcome.get(field)).map(value_text);
        let Some(label) = label else {
            return Ok(Err(format!("case {short} has no label in `{field}` any more")));
        };
        let otherwise = || format!("case {short} is labeled {label} now, and was otherwise then");
        let event = erasure::payload_event(conn, id, row.event)?.unwrap_or(row.event);
        let json = match blob::read(conn, unpacker, event) {
            Ok(json) => json,
            Err(JournalError::NoPayload(_) | JournalError::BadPayload(_)) => {
                return Ok(Err(format!("the input of case {short} is not here")));
            }
            Err(error) => return Err(error.into()),
        };
        let payload = serde_json::from_slice::<Payload>(&json).ok();
        let line = payload
            .and_then(|payload| serde_json::from_str::<Value>(payload.prediction.get()).ok());
        let Some(mut line) = line else {
            return Ok(Err(format!("the prediction of case {short} can't be read")));
        };
        // A row is known by its text and its label: by another label it is another row.
        let text = Row::parse(&line.to_string()).map(|row| row.text().to_owned());
        let is_other = |text: &String| !text.is_empty() && row_id(text, &label, Some(id)) != member;
        if text.as_ref().is_ok_and(is_other) {
            return Ok(Err(otherwise()));
        }
        if let Some(said) = line.get_mut("prediction").and_then(Value::as_object_mut) {
            said.insert("label".to_owned(), label.into());
        }
        Ok(Ok(line.to_string()))
    }
}
