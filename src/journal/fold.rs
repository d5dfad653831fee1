//! The fold: takes events into the views.
//!
//! Its result depends on the set of events, not on their order or on how often they arrive, because
//! every view is one of: a set that only grows (labels, notes, withdrawals, grants, documents), a
//! register whose value is decided by `at` (a case's detection, the policy), or computed anew from those
//! for the cases touched (a case's state, the counts).
//!
//! An event whose author was not admitted is *held*. Admissions only add, so holding events back and
//! taking them in when an admission arrives ends in the same place as the other order:
//!
//! ```text
//!            roles suffice                       an admission was folded
//!  event ───────────────────▶ folded   held ───────────────────────────▶ looked at again
//!        └──────────────────▶ held
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rusqlite::Transaction;
use serde::Serialize;
use serde_json::value::RawValue;

use super::blob::Unpacker;
use super::entry::Body;
use super::kind::{Head, KINDS, PolicySet, Verdict};
use super::{JournalError, blob};
use crate::db::case::CaseRow;
use crate::db::document::DocumentRow;
use crate::db::roster::GrantRow;
use crate::db::{self, case, count, document, label, roster};
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::{CaseState, resolve};
use crate::domain::roster::Role;
use crate::domain::text::head;
use crate::domain::time::Hlc;

/// Where, when and by whom an event was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamp {
    pub event: EventId,
    pub at: Hlc,
    pub author: String,
    /// Whether it stands in the entry that founded the workspace.
    pub founding: bool,
}

/// A fold under way, inside one transaction.
pub struct Fold<'c, 't> {
    pub tx: &'t Transaction<'c>,
    pub policy: Policy,
    counts: HashMap<String, i64>,
    roles: HashMap<(String, ReplicaId), Vec<Role>>,
    /// Texts of payloads that the caller has at hand, so that they need not be read back.
    texts: HashMap<EventId, String>,
    unpacker: Unpacker,
    admitted: bool,
    /// Events of kinds that are not known here, by kind.
    pub unknown: BTreeMap<String, u64>,
    held: Vec<(EventId, String)>,
}

impl<'c, 't> Fold<'c, 't> {
    pub fn new(tx: &'t Transaction<'c>) -> Result<Self, JournalError> {
        let mut fold = Self {
            tx,
            policy: Policy::default(),
            counts: HashMap::new(),
            roles: HashMap::new(),
            texts: HashMap::new(),
            unpacker: Unpacker::default(),
            admitted: false,
            unknown: BTreeMap::new(),
            held: Vec::new(),
        };
        fold.policy = fold.current_policy()?;
        Ok(fold)
    }

    /// Gives the text of a payload that is about to be named by `event`.
    pub fn offer_text(&mut self, event: EventId, text: String) {
        self.texts.insert(event, text);
    }

    /// Takes in an entry that was linked into its chain. Returns the events that are held, with reasons.
    pub fn entry(&mut self, body: &Body, hash: Hash) -> Result<Vec<(EventId, String)>, JournalError> {
        let founding = body.workspace.is_empty() && db::journal::meta(self.tx, "workspace")?.as_deref() == Some(&hash.0[..]);
        for (n, raw) in body.events.iter().enumerate() {
            let event = EventId { replica: body.replica, seq: body.seq, n: n as u32 };
            let stamp = Stamp { event, at: body.at, author: body.author.clone(), founding };
            self.event(&stamp, raw)?;
        }
        self.texts.clear();
        if std::mem::take(&mut self.admitted) {
            self.look_again()?;
        }
        Ok(std::mem::take(&mut self.held))
    }

    fn event(&mut self, stamp: &Stamp, raw: &RawValue) -> Result<bool, JournalError> {
        let verdict = match serde_json::from_str::<Head<'_>>(raw.get()) {
            Err(error) => Verdict::Held(format!("malformed event: {error}")),
            Ok(Head { kind, .. }) => match KINDS.iter().find(|known| known.name == kind) {
                Some(known) => (known.take)(self, stamp, raw)?,
                None => {
                    let name = Cow::into_owned(kind);
                    count::add(self.tx, &format!("unknown:{name}"), 1)?;
                    *self.unknown.entry(name).or_default() += 1;
                    Verdict::Counts
                }
            },
        };
        match verdict {
            Verdict::Counts => Ok(true),
            Verdict::Held(reason) => {
                roster::hold(self.tx, stamp.event, &reason)?;
                self.held.push((stamp.event, reason));
                Ok(false)
            }
        }
    }

    /// Looks at held events again, until an admission lets no more of them in.
    fn look_again(&mut self) -> Result<(), JournalError> {
        let mut progress = true;
        while progress {
            progress = false;
            for (event, _) in roster::held(self.tx)? {
                let Some(row) = db::journal::entry(self.tx, event.replica, event.seq)? else { continue };
                let Some(body) = Body::parse(&row.body) else { continue };
                let Some(raw) = body.events.get(event.n as usize) else { continue };
                let stamp = Stamp { event, at: body.at, author: body.author.clone(), founding: false };
                let before = self.held.len();
                if self.event(&stamp, raw)? {
                    roster::release(self.tx, event)?;
                    self.held.retain(|(held, _)| *held != event);
                    progress |= std::mem::take(&mut self.admitted);
                } else {
                    self.held.truncate(before);
                }
            }
        }
        Ok(())
    }

    /// Writes the counts that changed. Must be called before the transaction commits.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        for (name, n) in self.counts.drain() {
            count::add(self.tx, &name, n)?;
        }
        Ok(())
    }

    // What kinds use to change the views.

    pub fn roles(&mut self, stamp: &Stamp) -> rusqlite::Result<Vec<Role>> {
        let key = (stamp.author.clone(), stamp.event.replica);
        if let Some(roles) = self.roles.get(&key) {
            return Ok(roles.clone());
        }
        let roles = roster::roles(self.tx, &key.0, key.1)?;
        self.roles.insert(key, roles.clone());
        Ok(roles)
    }

    pub fn grant(&mut self, name: &str, replica: ReplicaId, role: Role) -> rusqlite::Result<()> {
        let grant = GrantRow { name: name.to_owned(), replica, role };
        if roster::insert(self.tx, &grant)? {
            self.roles.remove(&(grant.name, replica));
            self.admitted = true;
        }
        Ok(())
    }

    pub fn document(
        &mut self,
        kind: &str,
        name: &str,
        version: u32,
        event: &impl Serialize,
        stamp: &Stamp,
    ) -> rusqlite::Result<()> {
        let body = db::to_json(event);
        let (kind, name, author) = (kind.to_owned(), name.to_owned(), stamp.author.clone());
        let hash = Hash::of(body.as_bytes());
        document::insert(self.tx, &DocumentRow { kind, name, version, hash, at: stamp.at, event: stamp.event, author, body })
    }

    fn current_policy(&self) -> rusqlite::Result<Policy> {
        let row = document::latest(self.tx, "policy")?;
        let set = row.and_then(|row| serde_json::from_str::<PolicySet>(&row.body).ok());
        Ok(set.map(|set| set.policy).unwrap_or_default())
    }

    /// Computes anew what depends on the policy, if another one counts now.
    pub fn policy_changed(&mut self) -> rusqlite::Result<()> {
        let policy = self.current_policy()?;
        if policy == self.policy {
            return Ok(());
        }
        self.policy = policy;
        case::set_due(self.tx, self.policy.sla_ms())?;
        for id in label::labeled_cases(self.tx)? {
            self.change_case(id, |_| Ok(()))?;
        }
        Ok(())
    }

    /// Takes in a case of which nothing was known: what [`Self::change_case`] would do, for a million of them.
    pub fn open_case(&mut self, row: &CaseRow) -> rusqlite::Result<()> {
        case::insert(self.tx, row)?;
        *self.counts.entry(format!("state:{}", row.state as i64)).or_default() += 1;
        *self.counts.entry(format!("stream:{}", row.stream)).or_default() += 1;
        Ok(())
    }

    /// Runs `change` on what belongs to a case, then computes its state and the counts anew.
    pub fn change_case(&mut self, id: CaseId, change: impl FnOnce(&mut Self) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.count_case(id, -1)?;
        change(self)?;
        if let Some(row) = case::by_id(self.tx, id)? {
            let labels = label::live_of_case(self.tx, id)?;
            let resolution = resolve(&labels, &self.policy);
            if (row.state, row.labels, &row.outcome) != (resolution.state, resolution.labels, &resolution.outcome) {
                case::set_resolution(self.tx, row.num, &resolution)?;
            }
        }
        self.count_case(id, 1)
    }

    /// Adds what a case contributes to the counts, `sign` times.
    fn count_case(&mut self, id: CaseId, sign: i64) -> rusqlite::Result<()> {
        let labels = label::live_of_case(self.tx, id)?;
        let mut add = |name: String, n: i64| *self.counts.entry(name).or_default() += sign * n;
        if !labels.is_empty() {
            add("labels".to_owned(), labels.len() as i64);
        }
        let Some(row) = case::by_id(self.tx, id)? else { return Ok(()) };
        add(format!("state:{}", row.state as i64), 1);
        add(format!("stream:{}", row.stream), 1);
        if row.state == CaseState::Open {
            let mut who: Vec<String> = labels.into_iter().map(|given| given.label.reviewer).collect();
            who.sort();
            who.dedup();
            who.into_iter().for_each(|name| add(format!("labeled-open:{name}"), 1));
        }
        Ok(())
    }

    /// The text of the input in the payload of `event`, for the queue and for search; empty if the
    /// payload is not there (it was erased, or has not arrived).
    pub fn payload_text(&mut self, event: EventId) -> rusqlite::Result<String> {
        if let Some(text) = self.texts.remove(&event) {
            return Ok(text);
        }
        let json = match blob::read(self.tx, &mut self.unpacker, event) {
            Ok(json) => json,
            Err(JournalError::Sqlite(error)) => return Err(error),
            Err(_) => return Ok(String::new()),
        };
        Ok(text_of_payload(&json))
    }
}

/// What the queue shows and search finds of a payload's JSON.
pub fn text_of_payload(json: &[u8]) -> String {
    let Ok(payload) = serde_json::from_slice::<Payload>(json) else { return String::new() };
    let text = Prediction::parse(payload.prediction.get()).map(|prediction| prediction.text()).unwrap_or_default();
    short_text(&text)
}

/// The part of an input's text that is kept for the queue and for search.
pub fn short_text(text: &str) -> String {
    head(text, case::TEXT_CHARS_MAX).to_owned()
}

/// Drops the views and folds the whole journal again.
pub fn refold(tx: &Transaction<'_>) -> Result<(), JournalError> {
    db::reset_views(tx)?;
    let mut fold = Fold::new(tx)?;
    let mut failed = None;
    db::journal::for_each_entry(tx, |row| {
        let Some(body) = Body::parse(&row.body) else { return true };
        failed = fold.entry(&body, super::entry::hash(&row.body)).err();
        failed.is_none()
    })?;
    match failed {
        Some(error) => Err(error),
        None => fold.finish(),
    }
}
