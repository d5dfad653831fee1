//! The fold: takes events into the views.
//!
//! Its result depends on the set of events, not on their order or on how often they arrive, because
//! every view is one of: a set that only grows (labels, notes, withdrawals, grants, documents), a
//! register whose value is decided by `at` (a case's detection, the policy), or computed anew from those
//! for the cases touched (a case's state, the counts).
//!
//! An event whose author was not admitted is *held*. Admissions only add, so holding events back and
//! taking them in when an admission arrives ends in the same place as the other order. The roster itself is
//! settled from all that was ever said about it ([`crate::domain::roster::settle`]); if it takes away what was
//! counted already, everything is folded again:
//!
//! ```text
//!            roles suffice                       the roster gives more
//!  event ───────────────────▶ folded   held ───────────────────────────▶ looked at again
//!        └──────────────────▶ held     all  ───────────────────────────▶ folded again
//!                                                the roster takes away
//! ```

mod payload;
mod roster;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rusqlite::Transaction;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::payload::{held_detections, short_text, text_of_payload};
use self::roster::roster_change;
use super::JournalError;
use super::blob::Unpacker;
use super::entry::Body;
use super::kind::{CaseDetected, ConsensusEstimated, Event, Head, KINDS, PolicySet, Verdict};
use crate::db::case::CaseRow;
use crate::db::document::DocumentRow;
use crate::db::erasure;
use crate::db::{self, arbitration, case, count, document, label, renames};
use crate::domain::arbitration::{Act, Done};
use crate::domain::estimate::Estimate;
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use crate::domain::label::MAIN_ROUND;
use crate::domain::policy::Policy;
use crate::domain::protocol::RenamedLabels;
use crate::domain::resolve::{By, CaseState, resolve};
use crate::domain::roster::{Cut, Holder, Role, RosterEvent};
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
    renamed: RenamedLabels,
    /// What is recorded for the policy's model of truth.
    estimate: Option<Estimate>,
    counts: HashMap<String, i64>,
    roles: HashMap<(String, ReplicaId), Vec<(Role, Hlc)>>,
    /// Texts of payloads that the caller has at hand, so that they need not be read back.
    texts: HashMap<EventId, String>,
    unpacker: Unpacker,
    cuts: BTreeMap<Holder, Cut>,
    /// Roster events that do not count.
    refused: BTreeMap<EventId, String>,
    /// Something new was said about the roster since it was settled.
    unsettled: bool,
    /// The roster gives more than it did: held events are to be looked at again.
    admitted: bool,
    /// Something that was folded counts no more: all is to be folded again.
    again: bool,
    /// A whole refold is under way: the roster is settled beforehand.
    settled: bool,
    any_erased: bool,
    /// Payloads that were not what their events name, and were thrown away.
    pub bad_payloads: Vec<EventId>,
    /// Events of kinds that are not known here, by kind.
    pub unknown: BTreeMap<String, u64>,
    held: Vec<(EventId, String)>,
}

impl<'c, 't> Fold<'c, 't> {
    pub fn new(tx: &'t Transaction<'c>) -> Result<Self, JournalError> {
        let policy = PolicySet::current(tx)?;
        Ok(Self {
            tx,
            estimate: estimate_of(tx, &policy)?,
            policy,
            renamed: renames::all(tx)?,
            counts: HashMap::new(),
            roles: HashMap::new(),
            texts: HashMap::new(),
            unpacker: Unpacker::default(),
            cuts: db::roster::cuts(tx)?.into_iter().collect(),
            refused: BTreeMap::new(),
            unsettled: false,
            admitted: false,
            again: false,
            settled: false,
            any_erased: erasure::any(tx)?,
            bad_payloads: Vec::new(),
            unknown: BTreeMap::new(),
            held: Vec::new(),
        })
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
        self.settle_roster_if_changed()?;
        // Of what this entry says about the roster it is known only now whether it counts.
        let of_entry = |event: &&EventId| (event.replica, event.seq) == (body.replica, body.seq);
        let refused = self.refused.iter().filter(|(event, _)| of_entry(event)).map(|(event, reason)| (*event, reason.clone()));
        let refused: Vec<(EventId, String)> = refused.collect();
        self.held.extend(refused);
        if std::mem::take(&mut self.admitted) {
            self.look_again()?;
        }
        Ok(std::mem::take(&mut self.held))
    }

    fn event(&mut self, stamp: &Stamp, raw: &RawValue) -> Result<bool, JournalError> {
        let verdict = match serde_json::from_str::<Head<'_>>(raw.get()) {
            Err(error) => Verdict::Held(format!("malformed event: {error}")),
            Ok(Head { kind, .. }) => match KINDS.iter().find(|known| known.name == kind) {
                Some(known) => match (known.take)(self, stamp, raw)? {
                    held @ Verdict::Held(_) if known.name == CaseDetected::KIND => {
                        self.held_detection(stamp, raw)?;
                        held
                    }
                    verdict => verdict,
                },
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
                db::roster::hold(self.tx, stamp.event, &reason)?;
                self.held.push((stamp.event, reason));
                Ok(false)
            }
        }
    }

    /// Looks at held events again, until an admission lets no more of them in.
    fn look_again(&mut self) -> Result<(), JournalError> {
        let mut progress = true;
        // Events of one entry stand together, and it is read once.
        let mut read: Option<Body> = None;
        while progress {
            progress = false;
            for (event, _) in db::roster::held(self.tx)? {
                if self.refused.contains_key(&event) {
                    continue;
                }
                if read.as_ref().is_none_or(|body| (body.replica, body.seq) != (event.replica, event.seq)) {
                    let row = db::journal::entry(self.tx, event.replica, event.seq)?;
                    read = row.and_then(|row| Body::parse(&row.body));
                }
                let Some(body) = &read else { continue };
                let Some(raw) = body.events.get(event.n as usize) else { continue };
                let stamp = Stamp { event, at: body.at, author: body.author.clone(), founding: false };
                let before = self.held.len();
                if self.event(&stamp, raw)? {
                    db::roster::release(self.tx, event)?;
                    self.held.retain(|(held, _)| *held != event);
                    self.settle_roster_if_changed()?;
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
        self.settle_roster_if_changed()?;
        if std::mem::take(&mut self.again) {
            self.counts.clear();
            self.bad_payloads.extend(refold(self.tx)?);
            return Ok(());
        }
        for (name, n) in self.counts.drain() {
            count::add(self.tx, &name, n)?;
        }
        Ok(())
    }

    /// Has everything folded again when the fold is finished.
    pub(super) fn fold_again(&mut self) {
        self.again = true;
    }

    // What kinds use to change the views.

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

    /// Computes anew what depends on the policy, if another one counts now.
    pub fn policy_changed(&mut self) -> rusqlite::Result<()> {
        let policy = PolicySet::current(self.tx)?;
        if policy == self.policy {
            return Ok(());
        }
        self.policy = policy;
        self.estimate = estimate_of(self.tx, &self.policy)?;
        case::set_due(self.tx, self.policy.sla_ms())?;
        self.settle_labeled()
    }

    /// Computes anew what depends on what is recorded of reviewers, if that changed.
    pub fn estimate_changed(&mut self) -> rusqlite::Result<()> {
        let estimate = estimate_of(self.tx, &self.policy)?;
        if estimate == self.estimate {
            return Ok(());
        }
        self.estimate = estimate;
        self.settle_labeled()
    }

    /// Computes anew what depends on the names of labels, if some have other names now.
    pub fn labels_renamed(&mut self) -> rusqlite::Result<()> {
        let renamed = renames::all(self.tx)?;
        if renamed == self.renamed {
            return Ok(());
        }
        self.renamed = renamed;
        self.settle_labeled()
    }

    fn settle_labeled(&mut self) -> rusqlite::Result<()> {
        let ruled = arbitration::all(self.tx)?.into_iter().map(|(id, _)| id);
        let ids: std::collections::BTreeSet<CaseId> = label::labeled_cases(self.tx)?.into_iter().chain(ruled).collect();
        for id in ids {
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
            let acts = arbitration::of_case(self.tx, id)?;
            let resolution =
                resolve(&labels, &acts, By { policy: &self.policy, renamed: &self.renamed, estimate: self.estimate.as_ref() });
            let settled = (resolution.state, resolution.labels, &resolution.outcome, resolution.how);
            if (row.state, row.labels, &row.outcome, row.how) != settled {
                case::set_resolution(self.tx, &row, &resolution)?;
            }
        }
        self.count_case(id, 1)
    }

    /// Takes in something that was done about a disputed case.
    pub fn arbitrated(&mut self, id: CaseId, act: Act, stamp: &Stamp) -> rusqlite::Result<()> {
        let done = Done { event: stamp.event, at: stamp.at, author: stamp.author.clone(), act };
        self.change_case(id, |fold| arbitration::insert(fold.tx, id, &done))
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
            let main = labels.into_iter().filter(|given| given.label.round == MAIN_ROUND);
            let mut who: Vec<String> = main.map(|given| given.label.reviewer).collect();
            who.sort();
            who.dedup();
            who.into_iter().for_each(|name| add(format!("labeled-open:{name}"), 1));
        }
        Ok(())
    }
}

/// What is recorded of the reviewers for the model of truth that a policy names.
fn estimate_of(tx: &Transaction<'_>, policy: &Policy) -> rusqlite::Result<Option<Estimate>> {
    policy.rule.model().map_or(Ok(None), |model| ConsensusEstimated::current(tx, model))
}

/// Drops the views and folds the whole journal again; returns the payloads that were thrown away.
pub fn refold(tx: &Transaction<'_>) -> Result<Vec<EventId>, JournalError> {
    db::reset_views(tx)?;
    let workspace = db::journal::meta(tx, "workspace")?.unwrap_or_default();
    // The roster first, from all that is said about it; then nothing folded can turn out not to count.
    each_entry(tx, |row, body| {
        for (n, raw) in body.events.iter().enumerate() {
            let event = EventId { replica: row.replica, seq: row.seq, n: n as u32 };
            let founding = body.workspace.is_empty() && workspace == super::entry::hash(&row.body).0;
            let stamp = Stamp { event, at: body.at, author: body.author.clone(), founding };
            if let Some(change) = roster_change(&stamp, raw) {
                db::roster::insert_event(tx, &RosterEvent { event, at: body.at, author: stamp.author, change })?;
            }
        }
        Ok(())
    })?;
    let mut fold = Fold::new(tx)?;
    fold.settle_roster()?;
    (fold.settled, fold.admitted, fold.again) = (true, false, false);
    each_entry(tx, |row, body| fold.entry(body, super::entry::hash(&row.body)).map(drop))?;
    fold.finish()?;
    Ok(fold.bad_payloads)
}

fn each_entry(
    tx: &Transaction<'_>,
    mut each: impl FnMut(&db::journal::EntryRow, &Body) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let mut failed = Ok(());
    db::journal::for_each_entry(tx, |row| {
        if let Some(body) = Body::parse(&row.body) {
            failed = each(&row, &body);
        }
        failed.is_ok()
    })?;
    failed
}
