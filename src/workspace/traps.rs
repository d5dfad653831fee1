//! Traps: those in force, publishing them, what they are held against.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::cases::IngestRequest;
use super::error::PublishError;
use super::references::KnownReference;
use super::{WorkError, Workspace, read_file};
use crate::db::{case, document, journal, store};
use crate::domain::ids::Hash;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::domain::traps::{Alarm, Canary, Trap, TrapFile};
use crate::intake::{Following, Window};
use crate::journal::Append;
use crate::journal::blob::{self, Unpacker};
use crate::journal::kind::{AlarmClosed, TrapsPublished};
use crate::review::alarms::{RaisedAlarm, raised_alarms};
use crate::review::suspects::{DoubtfulCase, Labels, suspects};
use crate::review::trap_worth::{Worth, worth};
use crate::trap::alarm::{Alarms, Canaries, State};
use crate::trap::reference::{Keyed, Lookup, Reference, Wanted};
use crate::trap::{BadTrap, Traps};

fn hash_of(kept: Option<&str>) -> Option<Hash> {
    kept.map(|text| Hash::of(text.as_bytes()))
}

/// What was kept of alarms; what can't be read is learned anew.
fn state_of(kept: Option<&str>) -> State {
    kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Where what alarms know is kept.
const ALARMS: &str = "alarms";

/// Canaries without their texts, by file: id, keyed hash of the text, and what is to be said.
pub type HashedCanaries = BTreeMap<String, Vec<(String, u64, String)>>;

/// A published version of the traps.
#[derive(Debug, Clone)]
pub struct PublishedTraps {
    pub version: u32,
    pub file: TrapFile,
    pub changes: String,
    pub canaries: HashedCanaries,
    pub author: String,
    pub at: Moment,
}

/// Reads and checks a trap file, and the rules in it.
pub fn read_traps(path: &Path) -> Result<TrapFile, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    let mut file = TrapFile::parse(&source).map_err(|faults| WorkError::Faults { name, faults })?;
    check_rules(&file)?;
    for alarm in &file.alarms {
        let Some(canary) = &alarm.canary else { continue };
        let beside = path.parent().unwrap_or(Path::new("")).join(canary);
        file.canaries.insert(canary.clone(), read_canaries(&beside)?);
    }
    Ok(file)
}

pub(super) fn read_canaries(path: &Path) -> Result<Vec<Canary>, WorkError> {
    let text = read_file(path)?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| {
                let path = path.display();
                WorkError::Reference(format!(
                    "{path}: line {number}: {error}; a canary is {{\"id\", \"text\", \"expect\"}}"
                ))
            })
        })
        .collect()
}

fn published(row: document::DocumentRow) -> Option<PublishedTraps> {
    let event: TrapsPublished = serde_json::from_str(&row.body).ok()?;
    let TrapsPublished { version, text, changes, canaries, .. } = event;
    let file = TrapFile::parse(&text).ok()?;
    let (author, at) = (row.author, row.at.moment());
    Some(PublishedTraps { version, file, changes, canaries, author, at })
}

/// Whether every rule of a file can be read.
fn check_rules(file: &TrapFile) -> Result<(), WorkError> {
    let bare = |trap: &Trap| Trap { novel: None, rare: None, ..trap.clone() };
    let traps = file.traps.iter().map(bare).collect();
    Traps::new(traps, &file.alarms, None)?;
    Ok(())
}

/// A name that rules ask for and that is likely another one, misspelled: `lines` of the stream have no
/// field of its own that is called so.
pub fn likely_misspelled(file: &TrapFile, lines: &[String]) -> Option<String> {
    let bare = |trap: &Trap| Trap { novel: None, rare: None, ..trap.clone() };
    let traps = file.traps.iter().map(bare).collect();
    let traps = Traps::new(traps, &file.alarms, None).ok()?;
    let error = traps.rules().check_names(lines.iter().map(String::as_str)).err()?.to_string();
    error.contains("Did you mean").then_some(error)
}

/// Cases whose lines are looked at for the fields that a stream has.
const LINES_LOOKED_AT: usize = 200;

impl Workspace {
    /// Every version of the published traps, the latest first.
    pub fn published_traps(&self) -> Result<Vec<PublishedTraps>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "traps")?;
        Ok(rows.into_iter().filter_map(published).collect())
    }

    /// The traps that are in force.
    pub fn latest_traps(&self) -> Result<Option<PublishedTraps>, WorkError> {
        Ok(document::latest(&self.db.conn, "traps")?.and_then(published))
    }

    /// A name that rules of a file ask for and that is likely another one, misspelled: no case here has
    /// a field that is called so.
    pub fn misspelled(&self, file: &TrapFile) -> Result<Option<String>, WorkError> {
        #[derive(Deserialize)]
        struct Kept<'p> {
            #[serde(borrow)]
            prediction: &'p serde_json::value::RawValue,
        }
        if likely_misspelled(file, &[]).is_none() {
            return Ok(None);
        }
        let (conn, mut unpacker) = (&self.db.conn, Unpacker::default());
        let mut lines = Vec::new();
        for state in [CaseState::Open, CaseState::Resolved, CaseState::Disputed] {
            for row in case::scan(conn, state, LINES_LOOKED_AT, |_| true, || false)? {
                let Ok(json) = blob::read(conn, &mut unpacker, row.event) else { continue };
                let kept = serde_json::from_slice::<Kept<'_>>(&json);
                lines.extend(kept.map(|kept| kept.prediction.get().to_owned()));
            }
        }
        Ok(likely_misspelled(file, &lines))
    }

    /// Publishes traps; returns their version. What is published already, unchanged, keeps its
    /// version. Where nobody says what changed, it is found by comparing.
    pub fn publish_traps(&mut self, file: &TrapFile, changes: &str) -> Result<u32, WorkError> {
        let latest = self.latest_traps()?;
        let hashed = self.hashed(file)?;
        let same = |latest: &&PublishedTraps| {
            latest.file.source == file.source && latest.canaries == hashed
        };
        if let Some(same) = latest.as_ref().filter(same) {
            return Ok(same.version);
        }
        for trap in &file.traps {
            if self.config.trap.iter().any(|other| other.name == trap.name) {
                return Err(PublishError::TrapTwice(trap.name.clone()).into());
            }
        }
        if let Some(words) = self.misspelled(file)? {
            return Err(PublishError::TrapName(words).into());
        }
        let version = latest.as_ref().map_or(0, |latest| latest.version) + 1;
        let changes = match (changes.trim(), &latest) {
            ("", Some(latest)) => latest.file.changes_to(file).join("; "),
            (changes, _) => changes.to_owned(),
        };
        let (text, hash) = (file.source.clone(), Hash::of(file.source.as_bytes()));
        let event = TrapsPublished { version, text, hash, changes, canaries: hashed };
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
        let published = self.latest_traps()?;
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
        let detectors = self.detectors_of(&traps);
        let hash = reference.as_ref().map(|(hash, _)| *hash);
        let made = Traps::new(traps, &self.alarms_in_force(request)?, reference)?;
        let of_a_team = request.instead.is_some() || self.latest_traps()?.is_some();
        let made = if of_a_team { made.of_a_team() } else { made };
        Ok(made.asking(detectors, hash))
    }

    /// The alarms that ingest watches with: none where rules were given for once.
    fn alarms_in_force(&self, request: &IngestRequest) -> Result<Vec<Alarm>, WorkError> {
        if let Some(file) = &request.instead {
            return Ok(file.alarms.clone());
        }
        if !request.rules.is_empty() {
            return Ok(Vec::new());
        }
        let published = self.latest_traps()?;
        Ok(published.map(|latest| latest.file.alarms).unwrap_or_default())
    }

    /// What alarms and neighbours know of the streams: as the piece before left it, where that is
    /// still so.
    pub(super) fn following(
        &mut self,
        request: &IngestRequest,
        neighbours: usize,
    ) -> Result<Following, WorkError> {
        let held = self.following.take().filter(|_| request.piece);
        let kept = self.kept_alarms(request)?;
        let hash = hash_of(kept.as_deref());
        let Some(held) = held else {
            let alarms = self.alarms(request, kept.as_deref())?;
            let (window, pasts) = (Window::new(neighbours), HashMap::new());
            return Ok(Following { alarms, window, kept: hash, pasts });
        };
        // Traps may have been published since, and others may have read other streams.
        let rules = self.alarms(request, None)?;
        let alarms = if held.alarms.are(&rules) {
            let mut alarms = held.alarms.with(rules.into_canaries());
            if held.kept != hash {
                alarms.adopt(state_of(kept.as_deref()));
            }
            alarms
        } else {
            self.alarms(request, kept.as_deref())?
        };
        Ok(Following { alarms, kept: hash, ..held })
    }

    /// Keeps what alarms know of the streams, for the next run; in memory all of it, for the next
    /// piece.
    pub(super) fn keep_following(
        &mut self,
        mut following: Following,
        goes_on: bool,
    ) -> Result<(), WorkError> {
        let Following { alarms, window, kept, .. } = &mut following;
        if !alarms.is_empty() {
            *kept = self.db.write(|conn| {
                // Others may have kept something of other streams meanwhile.
                let stored = store::setting(conn, ALARMS)?;
                if hash_of(stored.as_deref()) != *kept {
                    alarms.adopt(state_of(stored.as_deref()));
                }
                let state = crate::db::to_json(alarms.state());
                store::set_setting(conn, ALARMS, &state)?;
                Ok(hash_of(Some(&state)))
            })?;
        }
        if goes_on {
            window.go_on();
            self.following = Some(following);
        }
        Ok(())
    }

    fn kept_alarms(&self, request: &IngestRequest) -> Result<Option<String>, WorkError> {
        Ok(if request.instead.is_some() { None } else { store::setting(&self.db.conn, ALARMS)? })
    }

    /// Alarms, with what they know of the streams by what was kept.
    fn alarms(&self, request: &IngestRequest, kept: Option<&str>) -> Result<Alarms, WorkError> {
        let list = self.alarms_in_force(request)?;
        for alarm in &list {
            let mut fields = alarm.compare.iter().chain(&alarm.by);
            if let Some(field) = fields.find(|field| self.config.redact.paths.contains(field)) {
                return Err(WorkError::Reference(format!(
                    "alarm `{}` looks at `{field}`, which is redacted here: its values may stand nowhere",
                    alarm.name
                )));
            }
        }
        let known = if list.iter().any(|alarm| alarm.compare.is_some()) {
            let Some(known) = self.references()?.into_iter().next() else {
                let name = list.iter().find(|alarm| alarm.compare.is_some());
                let name = name.map(|alarm| alarm.name.clone()).unwrap_or_default();
                return Err(BadTrap::NoReference(name).into());
            };
            let reference = self.reference(&known)?;
            let wanted = Wanted::of([].into_iter(), list.iter());
            self.counted_all(&known, &reference, &wanted)?;
            Some((known.set.blob, reference))
        } else {
            None
        };
        let hash = known.as_ref().map(|(hash, _)| *hash);
        let list = list.into_iter().map(|alarm| {
            let version = alarm.version(hash);
            (alarm, version)
        });
        let state = state_of(kept);
        let hashed = match &request.instead {
            Some(file) => self.hashed(file)?,
            None => {
                let published = self.latest_traps()?;
                published.map(|latest| latest.canaries).unwrap_or_default()
            }
        };
        let one = |(id, text, expect): (String, u64, String)| (text, (id, expect));
        let files = hashed
            .into_iter()
            .map(|(file, canaries)| (file, canaries.into_iter().map(one).collect()));
        let canaries = Canaries { key: Some(self.keyed()?), files: files.collect() };
        let alarms = Alarms::new(list.collect(), known.map(|(_, reference)| reference), state);
        Ok(alarms.with(canaries))
    }

    /// The alarms that were raised, the latest first.
    pub fn raised_alarms(&self) -> Result<Vec<RaisedAlarm>, WorkError> {
        Ok(raised_alarms(&self.db.conn)?)
    }

    /// Says what an alarm was, and that it was looked into.
    pub fn close_alarm(&mut self, id: &str, note: &str) -> Result<RaisedAlarm, WorkError> {
        let alarms = self.raised_alarms()?;
        let mut like = alarms.iter().filter(|alarm| alarm.id.starts_with(id) && !id.is_empty());
        let (Some(found), None) = (like.next().cloned(), like.next()) else {
            let open = alarms.iter().filter(|alarm| alarm.closed.is_none());
            let known: Vec<&str> = open.map(|alarm| alarm.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(PublishError::NoAlarm { id: id.to_owned(), known }.into());
        };
        let (alarm, note) = (found.id.clone(), note.to_owned());
        self.append(vec![Append::new(&AlarmClosed { alarm, note })])?;
        Ok(found)
    }

    /// Canaries as they are published: without their texts.
    fn hashed(&self, file: &TrapFile) -> Result<HashedCanaries, WorkError> {
        let key = self.keyed()?;
        let one =
            |canary: &Canary| (canary.id.clone(), key.text(&canary.text), canary.expect.clone());
        let files = file.canaries.iter();
        Ok(files.map(|(name, list)| (name.clone(), list.iter().map(one).collect())).collect())
    }

    pub(super) fn keyed(&self) -> Result<Keyed, WorkError> {
        let id = journal::meta(&self.db.conn, "workspace")?.unwrap_or_default();
        Ok(Keyed::new(&id))
    }

    fn counted_all(
        &self,
        known: &KnownReference,
        reference: &Reference,
        wanted: &Wanted,
    ) -> Result<(), WorkError> {
        let lacking = wanted.lacking(&reference.wanted);
        if lacking.is_empty() {
            return Ok(());
        }
        Err(WorkError::Reference(format!(
            "reference `{}` has not counted {}: set it again, now that traps ask for it",
            known.set.name,
            lacking.join(", ")
        )))
    }

    fn lookup(
        &self,
        known: &KnownReference,
        traps: &[Trap],
    ) -> Result<(Hash, Arc<Lookup>), WorkError> {
        let reference = self.reference(known)?;
        let wanted = Wanted::of(traps.iter(), [].into_iter());
        self.counted_all(known, &reference, &wanted)?;
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
        let audits = self.latest_traps()?.is_none_or(|latest| latest.file.has_audit());
        Ok(worth(&self.db.conn, &mut self.sight()?, audits)?)
    }
}
