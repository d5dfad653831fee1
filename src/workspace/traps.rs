//! Traps: those in force, publishing them, what they are held against.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::cases::IngestRequest;
use super::error::PublishError;
use super::{WorkError, Workspace, read_file};
use crate::db::{document, journal};
use crate::domain::ids::Hash;
use crate::domain::prediction::Row;
use crate::domain::time::Moment;
use crate::domain::traps::{Alarm, Trap, TrapFile};
use crate::journal::Append;
use crate::journal::blob::{self, Packer, Unpacker};
use crate::journal::kind::{ReferenceSet, TrapsPublished};
use crate::review::suspects::{DoubtfulCase, Labels, suspects};
use crate::review::trap_worth::{Worth, worth};
use crate::trap::Traps;
use crate::trap::reference::{Keyed, Lookup, Making, Reference, Wanted};

/// A published version of the traps.
#[derive(Debug, Clone)]
pub struct PublishedTraps {
    pub version: u32,
    pub file: TrapFile,
    pub changes: String,
    pub author: String,
    pub at: Moment,
}

/// A reference that was set.
#[derive(Debug, Clone)]
pub struct KnownReference {
    pub set: ReferenceSet,
    pub author: String,
    pub at: Moment,
    event: crate::domain::ids::EventId,
}

/// Reads and checks a trap file, and the rules in it.
pub fn read_traps(path: &Path) -> Result<TrapFile, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    let file = TrapFile::parse(&source).map_err(|faults| WorkError::Faults { name, faults })?;
    check_rules(&file)?;
    Ok(file)
}

/// Whether every rule of a file can be read.
fn check_rules(file: &TrapFile) -> Result<(), WorkError> {
    let bare = |trap: &Trap| Trap { novel: None, rare: None, ..trap.clone() };
    let traps = file.traps.iter().map(bare).collect();
    Traps::new(traps, &watched(&file.alarms), None)?;
    Ok(())
}

fn watched(alarms: &[Alarm]) -> Vec<(&str, &str)> {
    alarms.iter().filter_map(|alarm| Some((alarm.name.as_str(), alarm.watch.as_deref()?))).collect()
}

impl Workspace {
    /// Every version of the published traps, the latest first.
    pub fn published_traps(&self) -> Result<Vec<PublishedTraps>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "traps")?;
        let one = |row: document::DocumentRow| {
            let event: TrapsPublished = serde_json::from_str(&row.body).ok()?;
            let file = TrapFile::parse(&event.text).ok()?;
            let (version, changes) = (event.version, event.changes);
            Some(PublishedTraps { version, file, changes, author: row.author, at: row.at.moment() })
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }

    /// Publishes traps; returns their version. What is published already, unchanged, keeps its
    /// version. Where nobody says what changed, it is found by comparing.
    pub fn publish_traps(&mut self, file: &TrapFile, changes: &str) -> Result<u32, WorkError> {
        let latest = self.published_traps()?.into_iter().next();
        if let Some(same) = latest.as_ref().filter(|latest| latest.file.source == file.source) {
            return Ok(same.version);
        }
        for trap in &file.traps {
            if self.config.trap.iter().any(|other| other.name == trap.name) {
                return Err(PublishError::TrapTwice(trap.name.clone()).into());
            }
        }
        let version = latest.as_ref().map_or(0, |latest| latest.version) + 1;
        let changes = match (changes.trim(), &latest) {
            ("", Some(latest)) => latest.file.changes_to(file).join("; "),
            (changes, _) => changes.to_owned(),
        };
        let (text, hash) = (file.source.clone(), Hash::of(file.source.as_bytes()));
        let event = TrapsPublished { version, text, hash, changes, canaries: [].into() };
        self.append(vec![Append::new(&event)])?;
        Ok(version)
    }

    /// The traps that ingest asks: of the request, else those that are published and those of the
    /// configuration.
    pub(super) fn traps_in_force(&self, request: &IngestRequest) -> Result<Vec<Trap>, WorkError> {
        if let Some(file) = &request.instead {
            return Ok(file.traps.clone());
        }
        if !request.rules.is_empty() {
            let name = |at: usize| request.names.get(at).unwrap_or(&request.rules[at]).clone();
            let of = |(at, rule): (usize, &String)| Trap {
                name: name(at),
                rule: Some(rule.clone()),
                ..Trap::default()
            };
            return Ok(request.rules.iter().enumerate().map(of).collect());
        }
        let published = self.published_traps()?.into_iter().next();
        let mut traps = published.map(|latest| latest.file.traps).unwrap_or_default();
        for trap in &self.config.trap {
            if traps.iter().any(|other| other.name == trap.name) {
                return Err(PublishError::TrapTwice(trap.name.clone()).into());
            }
            traps.push(Trap {
                name: trap.name.clone(),
                rule: Some(trap.rule.clone()),
                needs: trap.needs.clone(),
                ..Trap::default()
            });
        }
        Ok(traps)
    }

    pub(super) fn traps(&self, request: &IngestRequest) -> Result<Traps, WorkError> {
        let traps = self.traps_in_force(request)?;
        let reference = if traps.iter().any(Trap::needs_reference) {
            let known = self.references()?.into_iter().next();
            known.map(|known| self.lookup(&known, &traps)).transpose()?
        } else {
            None
        };
        Ok(Traps::new(traps, &[], reference)?)
    }

    fn keyed(&self) -> Result<Keyed, WorkError> {
        let id = journal::meta(&self.db.conn, "workspace")?.unwrap_or_default();
        Ok(Keyed::new(&id))
    }

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

    fn lookup(
        &self,
        known: &KnownReference,
        traps: &[Trap],
    ) -> Result<(Hash, Arc<Lookup>), WorkError> {
        let reference = self.reference(known)?;
        let wanted = Wanted::of(traps.iter(), [].into_iter());
        let lacking = wanted.lacking(&reference.wanted);
        if !lacking.is_empty() {
            return Err(WorkError::Reference(format!(
                "reference `{}` has not counted {}: set it again, now that traps ask for it",
                known.set.name,
                lacking.join(", ")
            )));
        }
        let lookup = Lookup::new(&reference, self.keyed()?, &known.set.stream);
        Ok((known.set.blob, Arc::new(lookup)))
    }

    /// Labels that the model's own probabilities make doubtful, with how many were looked at and
    /// how many may not be seen.
    pub fn suspects(&self, which: Labels) -> Result<(Vec<DoubtfulCase>, u64, u64), WorkError> {
        if which == Labels::Gold && !self.is_lead()? {
            return Err(WorkError::KnownAnswers);
        }
        Ok(suspects(&self.db.conn, &mut self.sight()?, which)?)
    }

    /// What the traps are worth, by the labels that whoever is at work may see.
    pub fn trap_worth(&self) -> Result<Worth, WorkError> {
        Ok(worth(&self.db.conn, &mut self.sight()?)?)
    }

    /// Sets a reference from the predictions of a file, or from training lines of `text` and
    /// `label`; returns it.
    pub fn set_reference(
        &mut self,
        name: &str,
        path: &Path,
        between: [Option<Moment>; 2],
        extra: Option<&TrapFile>,
    ) -> Result<ReferenceSet, WorkError> {
        self.ready_to_write()?;
        let failed = |error| WorkError::File { path: path.display().to_string(), error };
        let mut rules = self.traps_in_force(&IngestRequest::default())?;
        let published = self.published_traps()?.into_iter().next();
        let mut alarms = published.map(|latest| latest.file.alarms).unwrap_or_default();
        if let Some(file) = extra {
            rules.extend(file.traps.iter().cloned());
            alarms.extend(file.alarms.iter().cloned());
        }
        let wanted = Wanted::of(rules.iter(), alarms.iter());
        let mut making = Making::new(wanted, self.keyed()?);
        let (mut from, mut to) = (Moment(i64::MAX), Moment(i64::MIN));
        let mut streams = std::collections::BTreeSet::new();
        let (mut number, mut bad) = (0_u64, None);
        for line in BufReader::new(File::open(path).map_err(failed)?).lines() {
            number += 1;
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let as_prediction;
            let row = match Row::parse(&line) {
                Ok(row) => row,
                Err(reject) => match training_line(&line, number) {
                    Some(made) => {
                        as_prediction = made;
                        match Row::parse(&as_prediction) {
                            Ok(row) => row,
                            Err(_) => continue,
                        }
                    }
                    None => {
                        bad.get_or_insert((number, reject));
                        continue;
                    }
                },
            };
            let [after, before] = between;
            if after.is_some_and(|at| row.at < at) || before.is_some_and(|at| row.at >= at) {
                continue;
            }
            (from, to) = (from.min(row.at), to.max(row.at));
            if streams.len() < 2 {
                streams.insert(row.stream.text().to_owned());
            }
            making.take(&row);
        }
        let reference = making.finish();
        if reference.rows == 0 {
            let why = bad.map_or("no line of it is of that time".to_owned(), |(line, reject)| {
                format!("line {line}: {reject}")
            });
            let path = path.display();
            return Err(WorkError::Reference(format!("{path}: nothing to count: {why}")));
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
        Ok(set)
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
