//! Admits cases into the journal: new ones open, the same again is a duplicate, another content
//! under the same id is a conflict.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::Transaction;

use super::draw::key_of;
use super::pack::Ready;
use super::summary::{TrapCount, WouldOpen};
use super::{IntakeError, Rejected};
use crate::db;
use crate::domain::ids::{CaseId, Hash};
use crate::domain::payload::Payload;
use crate::domain::prediction::Reject;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::domain::traps::Why;
use crate::journal::blob::{self, Dictionary, Unpacker};
use crate::journal::kind::{AlarmRaised, CaseDetected};
use crate::journal::{Append, DeviceKey, Writer};

/// Events in one entry.
const ENTRY_EVENTS: usize = 1_000;
/// Bytes of payloads that stand beside one entry, but for one that is larger: together they are one
/// file in a store.
const ENTRY_BYTES: usize = 8 << 20;

/// What became of some cases.
#[derive(Debug, Default)]
pub struct Admitted {
    pub opened: u64,
    pub duplicate: u64,
    /// Cases that were opened of the window of an alarm: their lines were counted when they were read.
    pub of_windows: u64,
    /// Flagged, and not among those that are drawn of a day.
    pub passed: u64,
    /// Log lines that were kept with those opened, and how many of these have any.
    pub log_lines: u64,
    pub with_logs: u64,
    pub rejected: Vec<Rejected>,
    /// What each trap saw and flagged, once all was counted.
    pub traps: BTreeMap<String, TrapCount>,
    /// Alarms that were raised.
    pub raised: Vec<AlarmRaised>,
    /// Those that would be opened, where it is done as if there were none.
    pub would_open: Vec<WouldOpen>,
    /// How many of those opened each trap took that takes all it flags.
    pub kept: BTreeMap<String, u64>,
    /// Those opened that a trap flagged which takes some of a day: hashes.
    pub limited: HashSet<u64>,
    /// How many of those opened each rule flagged.
    pub flagged: BTreeMap<String, u64>,
}

/// Admits cases inside one transaction.
pub struct Admitter<'c, 't> {
    tx: &'t Transaction<'c>,
    /// Who writes, with what; nothing in a dry run.
    writer: Option<(Writer<'c, 't>, &'t str)>,
    /// Cases of this transaction, with the hash of their lines.
    new: HashMap<CaseId, Hash>,
    events: Vec<Append>,
    /// Bytes of the payloads of these.
    bytes: usize,
    unpacker: Unpacker,
    /// Whether to do as if there were no cases yet.
    pub afresh: bool,
    /// Whether cases that are known take what else flags them.
    pub again: bool,
    pub admitted: Admitted,
}

impl<'c, 't> Admitter<'c, 't> {
    /// `new` are the cases of earlier transactions that stand in no table.
    pub fn new(
        tx: &'t Transaction<'c>,
        author: Option<(&'t DeviceKey, &'t str)>,
        new: HashMap<CaseId, Hash>,
    ) -> Result<Self, IntakeError> {
        let writer = match author {
            Some((key, author)) => Some((Writer::new(tx, key)?, author)),
            None => None,
        };
        let events = Vec::with_capacity(ENTRY_EVENTS);
        Ok(Self {
            tx,
            writer,
            new,
            events,
            bytes: 0,
            unpacker: Unpacker::default(),
            afresh: false,
            again: false,
            admitted: Admitted::default(),
        })
    }

    pub fn dictionary(&self, dictionary: &Dictionary) -> Result<(), IntakeError> {
        if self.writer.is_none() {
            return Ok(());
        }
        Ok(db::payload::insert_dictionary(self.tx, dictionary.hash, &dictionary.bytes)?)
    }

    pub fn admit(&mut self, ready: Ready, now: Moment) -> Result<(), IntakeError> {
        let id = ready.event.case;
        let raw = ready.kept();
        let hash = Hash::of(raw.as_bytes());
        let same = match self.new.get(&id) {
            Some(known) => Some(*known == hash),
            None => self.same_as_stored(id, raw)?,
        };
        // One that nobody is asked about may be wanted by another trap now.
        let asked = same == Some(true) && self.is_wanted_now(&ready)?;
        match same {
            Some(true) if asked => {
                self.admitted.duplicate += u64::from(ready.event.alarm.is_none());
                if self.writer.is_some() {
                    self.case(ready, now)?;
                }
            }
            Some(true) => self.admitted.duplicate += u64::from(ready.event.alarm.is_none()),
            Some(false) => {
                let reject = Reject::Conflict(ready.event.id);
                self.admitted.rejected.push(Rejected { line: ready.line, reject });
            }
            None => {
                self.new.insert(id, hash);
                let opened = match ready.event.alarm {
                    None => &mut self.admitted.opened,
                    Some(_) => &mut self.admitted.of_windows,
                };
                *opened += 1;
                self.admitted.log_lines += ready.log_lines;
                self.admitted.with_logs += u64::from(ready.log_lines > 0);
                for flag in &ready.event.flags {
                    *self.admitted.flagged.entry(flag.clone()).or_default() += 1;
                }
                self.kept(&ready.event);
                if self.writer.is_some() {
                    self.case(ready, now)?;
                }
            }
        }
        Ok(())
    }

    /// Counts which traps took a case; of those that take some of a day it is known at the end.
    fn kept(&mut self, opened: &CaseDetected) {
        let is_limited = |why: &&Why| why.per_day.is_some_and(|most| most > 0);
        let (limited, all): (Vec<&Why>, Vec<&Why>) = opened.why.iter().partition(is_limited);
        for why in &all {
            *self.admitted.kept.entry(why.trap.clone()).or_default() += 1;
        }
        let key = key_of(opened.case);
        if !limited.is_empty() {
            self.admitted.limited.insert(key);
        }
        if self.afresh {
            let kept_by = all.iter().map(|why| why.trap.clone()).collect();
            self.admitted.would_open.push(WouldOpen { id: opened.id.clone(), key, kept_by });
        }
    }

    /// Whether a case that is there is to take what flags it now. One that nobody is asked about does,
    /// and one of the smallest draws of a trap, since without it another would be drawn in its place.
    /// One that such a draw alone keeps takes whatever else asks for it.
    fn is_wanted_now(&self, ready: &Ready) -> Result<bool, IntakeError> {
        let (id, why) = (ready.event.case, &ready.event.why);
        let unsampled =
            db::case::by_id(self.tx, id)?.is_some_and(|row| row.state == CaseState::Unsampled);
        let cited = db::draw::of_case(self.tx, id)?;
        let may_go = !cited.is_empty() && !db::draw::is_asked_for_good(self.tx, id)?;
        if why.is_empty() {
            return Ok(unsampled || may_go);
        }
        let takes_all = unsampled || may_go || self.again;
        let is_new = |why: &Why| {
            !cited.iter().any(|draw| draw.trap == why.trap && draw.version == why.version)
        };
        let limits = |why: &Why| why.per_day.is_some_and(|most| most > 0);
        Ok(why.iter().any(|why| is_new(why) && (takes_all || limits(why))))
    }

    /// Whether a case that is there already came from this very line; `None` if there is no such
    /// case.
    fn same_as_stored(&mut self, id: CaseId, raw: &str) -> Result<Option<bool>, IntakeError> {
        if self.afresh {
            return Ok(None);
        }
        let Some(event) = db::case::event_of(self.tx, id)? else { return Ok(None) };
        let event = db::erasure::payload_event(self.tx, id, event)?.unwrap_or(event);
        let Ok(json) = blob::read(self.tx, &mut self.unpacker, event) else {
            return Ok(Some(true)); // erased: there is nothing left that could contradict
        };
        let payload: Option<Payload> = serde_json::from_slice(&json).ok();
        Ok(Some(payload.is_some_and(|payload| payload.prediction.get() == raw)))
    }

    /// Writes something else that the run has to say.
    pub fn tell(&mut self, append: Append, now: Moment) -> Result<(), IntakeError> {
        if self.writer.is_none() {
            return Ok(());
        }
        self.events.push(append);
        if self.events.len() >= ENTRY_EVENTS { self.entry(now) } else { Ok(()) }
    }

    fn case(&mut self, ready: Ready, now: Moment) -> Result<(), IntakeError> {
        let more = ready.packed.bytes.len();
        if self.bytes + more > ENTRY_BYTES {
            self.entry(now)?;
        }
        self.bytes += more;
        self.events.push(Append::with_payload(&ready.event, ready.packed, ready.text));
        if self.events.len() >= ENTRY_EVENTS { self.entry(now) } else { Ok(()) }
    }

    fn entry(&mut self, now: Moment) -> Result<(), IntakeError> {
        self.bytes = 0;
        if let Some((writer, author)) = self.writer.as_mut().filter(|_| !self.events.is_empty()) {
            writer.append(*author, std::mem::take(&mut self.events), now)?;
        }
        Ok(())
    }

    /// Must be called before the transaction commits. Gives what was admitted, and the cases with
    /// their lines.
    pub fn finish(mut self, now: Moment) -> Result<(Admitted, HashMap<CaseId, Hash>), IntakeError> {
        self.entry(now)?;
        if let Some((writer, _)) = self.writer {
            writer.finish()?;
        }
        Ok((self.admitted, self.new))
    }
}
