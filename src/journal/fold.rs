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

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Transaction;
use serde::Serialize;
use serde_json::value::RawValue;

use super::JournalError;
use super::blob::Unpacker;
use super::entry::Body;
use super::kind::{CaseDetected, Event, Head, KINDS, PayloadErased, PolicySet, Verdict};
use crate::db::case::CaseRow;
use crate::db::document::DocumentRow;
use crate::db::erasure::{self, ErasedRow};
use crate::db::{self, case, count, document, draft, label, roster};
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use crate::domain::payload::Payload;
use crate::domain::policy::Policy;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::{CaseState, resolve};
use crate::domain::roster::{Cut, Holder, Role, RosterChange, RosterEvent, Settled, settle};
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
        let mut fold = Self {
            tx,
            policy: Policy::default(),
            counts: HashMap::new(),
            roles: HashMap::new(),
            texts: HashMap::new(),
            unpacker: Unpacker::default(),
            cuts: roster::cuts(tx)?.into_iter().collect(),
            refused: BTreeMap::new(),
            unsettled: false,
            admitted: false,
            again: false,
            settled: false,
            any_erased: erasure::any(tx)?,
            bad_payloads: Vec::new(),
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
                roster::hold(self.tx, stamp.event, &reason)?;
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
            for (event, _) in roster::held(self.tx)? {
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
                    roster::release(self.tx, event)?;
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

    /// The roles in which an event's author may act on its device at that entry.
    pub fn roles(&mut self, stamp: &Stamp) -> rusqlite::Result<Vec<Role>> {
        self.settle_roster_if_changed()?;
        if self.cut(stamp).is_some() {
            return Ok(Vec::new());
        }
        let key = (stamp.author.clone(), stamp.event.replica);
        if !self.roles.contains_key(&key) {
            let grants = roster::grants_of(self.tx, &key.0, key.1)?;
            self.roles.insert(key.clone(), grants.into_iter().map(|grant| (grant.role, grant.since)).collect());
        }
        let counts = |(role, since): &(Role, Hlc)| (*since <= stamp.at).then_some(*role);
        Ok(self.roles.get(&key).map(|roles| roles.iter().filter_map(counts).collect()).unwrap_or_default())
    }

    /// The entry after which the author of `stamp` was retired, if `stamp` stands after it.
    pub fn cut(&self, stamp: &Stamp) -> Option<u64> {
        if self.cuts.is_empty() {
            return None;
        }
        let cut = self.cuts.get(&(stamp.author.clone(), stamp.event.replica))?;
        (stamp.event.seq > cut.after).then_some(cut.after)
    }

    /// Entries up to which chains were said to count, by number and hash.
    pub fn pins(&self) -> impl Iterator<Item = (ReplicaId, u64, Hash)> + '_ {
        self.cuts.iter().filter_map(|((_, replica), cut)| Some((*replica, cut.after, cut.last?)))
    }

    /// Takes note of what an event says about the roster, and settles the roster anew.
    pub fn roster_changed(&mut self, stamp: &Stamp, change: RosterChange) -> rusqlite::Result<()> {
        let event = RosterEvent { event: stamp.event, at: stamp.at, author: stamp.author.clone(), change };
        if !self.settled {
            self.unsettled |= roster::insert_event(self.tx, &event)?;
        }
        Ok(())
    }

    fn settle_roster_if_changed(&mut self) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.unsettled) { self.settle_roster() } else { Ok(()) }
    }

    fn settle_roster(&mut self) -> rusqlite::Result<()> {
        let events = roster::events(self.tx)?;
        let settled = settle(&events);
        let before: BTreeSet<_> =
            roster::all(self.tx)?.into_iter().map(|grant| ((grant.name, grant.replica, grant.role), grant.since)).collect();
        let Settled { grants, cuts, refused, profiles } = &settled;
        let grants: &BTreeSet<_> = &grants.clone().into_iter().collect();
        let more = grants.difference(&before).next().is_some();
        let mut less = before.difference(grants).next().is_some();
        for ((name, replica), cut) in cuts {
            let known = self.cuts.get(&(name.clone(), *replica));
            if known != Some(cut) {
                let head = db::journal::replica(self.tx, *replica)?.map_or(0, |head| head.head_seq);
                less |= head > cut.after;
            }
        }
        less |= self.cuts.keys().any(|holder| !cuts.contains_key(holder));
        // What is said about the roster and is not refused counts, whatever it was before.
        let said: BTreeSet<EventId> = events.iter().map(|event| event.event).collect();
        for (event, _) in roster::held(self.tx)? {
            if said.contains(&event) && !refused.contains_key(&event) {
                roster::release(self.tx, event)?;
            }
        }
        for (event, reason) in refused {
            roster::hold(self.tx, *event, reason)?;
        }
        if more || less || *cuts != self.cuts || *profiles != roster::profiles(self.tx)? {
            roster::replace(self.tx, &settled)?;
        }
        self.roles.clear();
        self.admitted |= more;
        self.again |= less;
        self.refused = settled.refused;
        self.cuts = settled.cuts;
        Ok(())
    }

    /// Forgets the payload of a case, here and for good.
    pub fn erase(&mut self, id: CaseId, reason: &str, instead: Option<Hash>, stamp: &Stamp) -> rusqlite::Result<()> {
        let (by, reason, at) = (stamp.author.clone(), reason.to_owned(), stamp.at.moment());
        self.any_erased = true;
        erasure::insert(self.tx, &ErasedRow { id, event: stamp.event, at, by, reason, instead })?;
        if instead.is_none() {
            draft::delete_all_of(self.tx, id)?;
        }
        self.settle_erasure(id)
    }

    /// An event that does not count has a payload all the same, which must not outlive an erasure.
    fn held_detection(&mut self, stamp: &Stamp, raw: &RawValue) -> rusqlite::Result<()> {
        if let Some(case) = detected_case(raw.get())
            && self.forgets(case)?
        {
            db::payload::delete(self.tx, stamp.event)?;
        }
        Ok(())
    }

    /// Deletes what is to be forgotten of a case, and gives it the text of what is left.
    fn settle_erasure(&mut self, id: CaseId) -> rusqlite::Result<()> {
        let held = held_detections(self.tx)?.into_iter().filter(|(case, _)| *case == id).map(|(_, event)| event);
        for event in erasure::forgotten(self.tx, id)?.into_iter().chain(held) {
            db::payload::delete(self.tx, event)?;
        }
        let text = self.text_after_erasure(id)?;
        match case::by_id(self.tx, id)? {
            Some(row) if row.text != text => case::set_text(self.tx, &row, &text),
            _ => Ok(()),
        }
    }

    /// The text of the payload that took the place of an erased one, if there is one.
    fn text_after_erasure(&mut self, id: CaseId) -> rusqlite::Result<String> {
        let rows = erasure::of_case(self.tx, id)?;
        let latest = rows.last().filter(|_| rows.iter().all(|row| row.instead.is_some()));
        let Some((event, Some(named))) = latest.map(|row| (row.event, row.instead)) else { return Ok(String::new()) };
        self.stored_text(event, named)
    }

    /// Whether the payloads of a case are to be forgotten.
    fn forgets(&self, id: CaseId) -> rusqlite::Result<bool> {
        Ok(self.any_erased && erasure::is_erased(self.tx, id)?)
    }

    /// Takes note of a detection of a case besides the one that counts.
    pub fn detected_again(&mut self, id: CaseId, event: EventId) -> rusqlite::Result<()> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
        }
        erasure::insert_detection(self.tx, id, event)
    }

    /// Takes in a payload that came after the event which names it.
    pub fn payload_arrived(&mut self, event: EventId) -> Result<(), JournalError> {
        let Some(row) = db::journal::entry(self.tx, event.replica, event.seq)? else { return Ok(()) };
        let body = Body::parse(&row.body);
        let raw = body.as_ref().and_then(|body| body.events.get(event.n as usize)).map_or("", |raw| raw.get());
        let kind = serde_json::from_str::<Head<'_>>(raw).map(|head| head.kind).unwrap_or_default();
        if kind == PayloadErased::KIND {
            return match serde_json::from_str::<PayloadErased>(raw) {
                Ok(erased) if erasure::of_case(self.tx, erased.case)?.iter().any(|row| row.event == event) => {
                    Ok(self.settle_erasure(erased.case)?)
                }
                _ => Ok(db::payload::delete(self.tx, event)?),
            };
        }
        let detected = (kind == CaseDetected::KIND).then(|| serde_json::from_str::<CaseDetected>(raw).ok()).flatten();
        let Some(detected) = detected else { return Ok(db::payload::delete(self.tx, event)?) };
        let text = self.payload_text(detected.case, event, detected.payload)?;
        if let Some(row) = case::by_id(self.tx, detected.case)?.filter(|row| row.event == event && row.text != text) {
            case::set_text(self.tx, &row, &text)?;
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
    /// payload is not there (it was erased, has not arrived, or was not the one named and is thrown away).
    pub fn payload_text(&mut self, id: CaseId, event: EventId, named: Hash) -> rusqlite::Result<String> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
            return self.text_after_erasure(id);
        }
        if let Some(text) = self.texts.remove(&event) {
            return Ok(text);
        }
        self.stored_text(event, named)
    }

    /// The text of a payload that stands here; empty if it does not, or was not the one named and is thrown away.
    fn stored_text(&mut self, event: EventId, named: Hash) -> rusqlite::Result<String> {
        let Some(row) = db::payload::get(self.tx, event)? else { return Ok(String::new()) };
        let json = if row.hash == named { self.unpacker.unpack(self.tx, &row) } else { Err(JournalError::BadPayload(event)) };
        match json {
            Ok(json) => Ok(text_of_payload(&json)),
            Err(JournalError::Sqlite(error)) => Err(error),
            Err(_) => {
                self.bad_payloads.push(event);
                db::payload::delete(self.tx, event)?;
                Ok(String::new())
            }
        }
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
                roster::insert_event(tx, &RosterEvent { event, at: body.at, author: stamp.author, change })?;
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

fn detected_case(raw: &str) -> Option<CaseId> {
    let head: Head<'_> = serde_json::from_str(raw).ok()?;
    (head.kind == CaseDetected::KIND).then(|| serde_json::from_str::<CaseDetected>(raw).ok()).flatten().map(|event| event.case)
}

/// Detections that do not count, with their cases: their payloads are stored and shared like others.
pub fn held_detections(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<(CaseId, EventId)>> {
    let mut found = Vec::new();
    let mut read: Option<Body> = None;
    for (event, _) in roster::held(conn)? {
        if read.as_ref().is_none_or(|body| (body.replica, body.seq) != (event.replica, event.seq)) {
            read = db::journal::entry(conn, event.replica, event.seq)?.and_then(|row| Body::parse(&row.body));
        }
        let raw = read.as_ref().and_then(|body| body.events.get(event.n as usize));
        found.extend(raw.and_then(|raw| detected_case(raw.get())).map(|case| (case, event)));
    }
    Ok(found)
}

fn roster_change(stamp: &Stamp, raw: &RawValue) -> Option<RosterChange> {
    let head: Head<'_> = serde_json::from_str(raw.get()).ok()?;
    let kind = KINDS.iter().find(|known| known.name == head.kind)?;
    (kind.roster)(stamp, raw)
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
