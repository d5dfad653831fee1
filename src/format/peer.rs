//! Labels on their way to other programs: a case with what people said of it, and where it is written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::row::{CaseContext, ExportRow, Rows};
use crate::domain::ids::{EventId, Hash, uuid8};
use crate::domain::label::{Outcome, Step};
use crate::domain::protocol::{Places, Protocol, Question, QuestionKind, Span};

/// A case and what was said of it.
pub struct Item {
    pub about: CaseContext,
    pub given: Vec<Given>,
}

/// What one reviewer said of a case, or what it was settled as.
#[derive(Debug, Clone)]
pub struct Given {
    /// None of what a case was settled as.
    pub reviewer: Option<String>,
    pub outcome: Outcome,
    pub label: Option<String>,
    pub path: Vec<Step>,
    /// Id of the protocol.
    pub protocol: String,
    pub confidence: Option<u8>,
    pub rationale: String,
    pub tags: Vec<String>,
    pub checked: Vec<String>,
    pub evidence: Vec<Span>,
    pub evidence_in: Places,
    /// What another program said that nothing here maps.
    pub extra: Map<String, Value>,
    pub at: String,
    pub duration_ms: Option<u64>,
    pub after_others: bool,
    pub event: Option<EventId>,
}

impl Item {
    /// The item of a row; what the same case has more is added to it. None where the row does not
    /// count.
    pub fn add(last: Option<Self>, row: ExportRow) -> (Option<Self>, Option<Self>) {
        match row {
            ExportRow::Case(case) => {
                let case = *case;
                // How whoever agrees came to it stands for how it is settled.
                let agreeing = case.votes.iter().find(|vote| vote.outcome == case.outcome);
                let given = Given {
                    reviewer: None,
                    label: case.label,
                    path: agreeing.map(|vote| vote.path.clone()).unwrap_or_default(),
                    protocol: agreeing.map(|vote| vote.protocol.id.clone()).unwrap_or_default(),
                    outcome: case.outcome,
                    confidence: None,
                    rationale: case.ruling.map(|ruling| ruling.rationale).unwrap_or_default(),
                    tags: Vec::new(),
                    checked: Vec::new(),
                    evidence: Vec::new(),
                    evidence_in: Places::default(),
                    extra: Map::new(),
                    at: case.settled_at.unwrap_or_default(),
                    duration_ms: None,
                    after_others: false,
                    event: case.events.first().copied(),
                };
                (last, Some(Self { about: case.about, given: vec![given] }))
            }
            ExportRow::Label(label) => {
                let label = *label;
                let given = Given {
                    reviewer: Some(label.reviewer),
                    outcome: label.outcome,
                    label: label.label,
                    path: label.path,
                    protocol: label.protocol,
                    confidence: label.confidence,
                    rationale: label.rationale,
                    tags: label.tags,
                    checked: label.checked,
                    evidence: label.evidence,
                    evidence_in: label.evidence_in,
                    extra: label.extra.unwrap_or_default(),
                    at: label.at,
                    duration_ms: label.duration_ms,
                    after_others: label.after_others,
                    event: Some(label.event),
                };
                match last {
                    Some(mut item) if item.about.case == label.about.case => {
                        item.given.push(given);
                        (None, Some(item))
                    }
                    last => (last, Some(Self { about: label.about, given: vec![given] })),
                }
            }
        }
    }
}

/// Where an export is written: one file, or several in a folder; and what had no place in it.
pub struct Out {
    main: Option<Box<dyn Write>>,
    folder: Option<PathBuf>,
    files: BTreeMap<String, BufWriter<File>>,
    lost: BTreeMap<String, u64>,
    rows_left_out: u64,
}

impl Out {
    pub fn to_one(main: Box<dyn Write>) -> Self {
        Self {
            main: Some(main),
            folder: None,
            files: BTreeMap::new(),
            lost: BTreeMap::new(),
            rows_left_out: 0,
        }
    }

    pub fn to_folder(folder: &Path) -> Self {
        Self {
            main: None,
            folder: Some(folder.to_owned()),
            files: BTreeMap::new(),
            lost: BTreeMap::new(),
            rows_left_out: 0,
        }
    }

    /// A file of the folder, or the one file there is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn file(&mut self, name: &str) -> io::Result<&mut dyn Write> {
        if let Some(main) = &mut self.main {
            return Ok(main);
        }
        if !self.files.contains_key(name) {
            let path = self.folder.clone().unwrap_or_default().join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            self.files.insert(name.to_owned(), BufWriter::new(File::create(path)?));
        }
        match self.files.get_mut(name) {
            Some(file) => Ok(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A file of the folder that is written at once.
    ///
    /// # Errors
    /// Those of the system.
    pub fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut parts = Path::new(name).components();
        if !parts.all(|part| matches!(part, std::path::Component::Normal(_))) {
            let words = format!("{name} is no name of a file in the folder");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        let path = self.folder.clone().unwrap_or_default().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)
    }

    /// A line of the one file.
    ///
    /// # Errors
    /// Those of the system.
    pub fn line(&mut self, value: &Value) -> io::Result<()> {
        let file = self.file("")?;
        serde_json::to_writer(&mut *file, value)?;
        file.write_all(b"\n")
    }

    /// Something that has no place in the format.
    pub fn lose(&mut self, what: &str) {
        self.lose_all(what, 1);
    }

    /// Says that whole rows are left out, and why.
    pub fn lose_rows(&mut self, what: &str, n: usize) {
        self.lose_all(what, n);
        self.rows_left_out += n as u64;
    }

    /// Whole rows that were left out.
    pub fn rows_left_out(&self) -> u64 {
        self.rows_left_out
    }

    /// So many of it.
    pub fn lose_all(&mut self, what: &str, n: usize) {
        if n > 0 {
            *self.lost.entry(what.to_owned()).or_default() += n as u64;
        }
    }

    /// Ends all files; what had no place, by what it is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn finish(mut self) -> io::Result<BTreeMap<String, u64>> {
        if let Some(main) = &mut self.main {
            main.flush()?;
        }
        for file in self.files.values_mut() {
            file.flush()?;
        }
        Ok(self.lost)
    }
}

/// A place from where to where in a text, and what it was asked for as.
pub type Marked = (usize, usize, String);

/// What an export goes by.
#[derive(Clone)]
pub struct PeerOptions {
    /// The protocols in force, and their earlier versions.
    pub protocols: Vec<Protocol>,
    pub older: Vec<Protocol>,
    /// What reviewers are called elsewhere.
    pub reviewers: BTreeMap<String, String>,
    /// How a chat asks.
    pub prompt: Option<String>,
    /// What the export is of.
    pub title: String,
}

impl PeerOptions {
    /// A question of a path, by its protocol.
    pub fn question(&self, protocol: &str, id: &str) -> Option<(&Protocol, &Question)> {
        let all = || self.protocols.iter().chain(&self.older);
        let with = |known: &'_ Protocol| known.question(id).is_some();
        let found = all().find(|known| known.id == protocol && with(known));
        let found = found.or_else(|| all().find(|known| with(known)))?;
        found.question(id).map(|question| (found, question))
    }

    /// The places in the input's text that questions asked for, in order and each with what they
    /// asked for. That others lie in other texts is told.
    pub fn marked(&self, item: &Item, given: &Given, out: &mut Out) -> Vec<Marked> {
        let (marked, elsewhere) = self.places(item, given);
        out.lose_all("places in other texts than the input's", elsewhere);
        marked
    }

    /// The same, and how many lie in other texts.
    pub fn places(&self, item: &Item, given: &Given) -> (Vec<Marked>, usize) {
        let (mut marked, mut elsewhere) = (Vec::new(), 0);
        if item.about.erased {
            return (marked, elsewhere); // there is no text
        }
        for (field, value) in given.outcome.iter().filter(|(field, _)| self.is_of_places(field)) {
            // Controls of other programs have one question a name.
            let name = field.strip_prefix("spans-").unwrap_or(field);
            for place in value.as_array().into_iter().flatten() {
                match serde_json::from_value::<(usize, usize)>(place.clone()) {
                    Ok((start, end)) => marked.push((start, end, name.to_owned())),
                    Err(_) => elsewhere += 1,
                }
            }
        }
        marked.sort();
        (marked, elsewhere)
    }

    /// The places of a label for a format that has nothing else: what else was answered is told.
    pub fn only_marked(&self, item: &Item, given: &Given, out: &mut Out) -> Vec<Marked> {
        let others = given.outcome.keys().filter(|field| !self.is_of_places(field));
        out.lose_all("answers that are no places", others.count());
        self.marked(item, given, out)
    }

    fn is_of_places(&self, field: &str) -> bool {
        let all = self.protocols.iter().chain(&self.older);
        let mut questions = all.flat_map(|protocol| &protocol.questions);
        questions.any(|question| {
            matches!(question.kind, QuestionKind::Span { .. })
                && question.kind.field() == Some(field)
        })
    }

    /// Whether a question in force asks for places.
    pub fn asks_for_places(&self) -> bool {
        let mut all = self.protocols.iter().flat_map(|protocol| &protocol.questions);
        all.any(|question| matches!(question.kind, QuestionKind::Span { .. }))
    }

    /// Every label that can be chosen, once.
    pub fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for label in self.protocols.iter().flat_map(|protocol| &protocol.labels) {
            if !labels.contains(&label.name) {
                labels.push(label.name.clone());
            }
        }
        labels
    }

    /// What a reviewer is called elsewhere.
    pub fn reviewer<'n>(&'n self, name: &'n str) -> &'n str {
        self.reviewers.get(name).map_or(name, String::as_str)
    }
}

/// Writes cases as another program reads them.
pub trait Peer {
    /// Writes a case.
    ///
    /// # Errors
    /// Those of writing.
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()>;

    /// Writes what stands behind the last.
    ///
    /// # Errors
    /// Those of writing.
    fn end(&mut self, _out: &mut Out) -> io::Result<()> {
        Ok(())
    }
}

/// A format that another program reads.
pub struct PeerKind {
    pub name: &'static str,
    pub about: &'static str,
    /// Whether it is a folder.
    pub folder: bool,
    /// What its rows may stand for, the usual first.
    pub rows: &'static [Rows],
    pub make: fn(PeerOptions) -> Box<dyn Peer>,
}

/// An id that follows from an event and a name: the same whenever it is written again.
pub fn id_of(event: Option<EventId>, name: &str) -> String {
    let event = event.map(|event| event.to_string()).unwrap_or_default();
    uuid8(Hash(*blake3::hash(format!("casework export {event} {name}").as_bytes()).as_bytes()))
}

/// Whether a text is a UUID, as those want who number what they keep.
pub fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The model's name and version as one text.
pub fn model_of(about: &CaseContext) -> Option<String> {
    let model: Value = serde_json::from_str(about.model.as_ref()?.get()).ok()?;
    let part = |name: &str| model[name].as_str().unwrap_or_default();
    let words = format!("{} {}", part("name"), part("version")).trim().to_owned();
    (!words.is_empty()).then_some(words)
}

/// How sure the model was.
pub fn sure_of(about: &CaseContext) -> Option<Value> {
    let prediction: Value = serde_json::from_str(about.prediction.as_ref()?.get()).ok()?;
    Some(prediction["confidence"].clone()).filter(Value::is_number)
}
