//! The fold: takes events into the views.
//!
//! Its result depends on the set of events, not on their order or on how often they arrive, because
//! every view is one of: a set that only grows (labels, notes, withdrawals, grants, documents), a
//! register whose value is decided by `at` (a case's detection, the policy), or computed anew from
//! those for the cases touched (a case's state, the counts).
//!
//! An event whose author was not admitted is *held*. Admissions only add, so holding events back
//! and taking them in when an admission arrives ends in the same place as the other order. The
//! roster itself is settled from all that was ever said about it
//! ([`crate::domain::roster::settle`]); if it takes away what was counted already, everything is
//! folded again:
//!
//! ```text
//!            roles suffice                       the roster gives more
//!  event ───────────────────▶ folded   held ───────────────────────────▶ looked at again
//!        └──────────────────▶ held     all  ───────────────────────────▶ folded again
//!                                                the roster takes away
//! ```

mod payload;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::Transaction;
use serde_json::value::RawValue;

pub use self::payload::held_detections;
use super::JournalError;
use super::entry::{Body, EventContext};
use super::kind::{CaseDetected, Event, FoldOutcome, Head, KINDS};
use super::views::Views;
use crate::db::{self, count};
use crate::domain::ids::{EventId, Hash};
use crate::domain::roster::{RosterChange, RosterEvent};

/// A fold under way, inside one transaction.
pub struct Fold<'c, 't> {
    pub views: Views<'c, 't>,
    /// Events of kinds that are not known here, by kind.
    pub unknown: BTreeMap<String, u64>,
    held: Vec<(EventId, String)>,
}

impl<'c, 't> Fold<'c, 't> {
    pub fn new(tx: &'t Transaction<'c>) -> Result<Self, JournalError> {
        Ok(Self {
            views: Views::new(tx, held_detections)?,
            unknown: BTreeMap::new(),
            held: Vec::new(),
        })
    }

    /// Takes in an entry that was linked into its chain. Returns the events that are held, with
    /// reasons.
    pub fn entry(
        &mut self,
        body: &Body,
        hash: Hash,
    ) -> Result<Vec<(EventId, String)>, JournalError> {
        let founding = body.workspace.is_empty()
            && db::journal::meta(self.views.tx, "workspace")?.as_deref() == Some(&hash.0[..]);
        self.views.begin_entry();
        for (n, raw) in body.events.iter().enumerate() {
            let event = EventId { replica: body.replica, seq: body.seq, n: n as u32 };
            let stamp = EventContext::of(body, event, founding);
            self.event(&stamp, raw)?;
        }
        self.views.end_entry()?;
        self.views.drop_texts();
        self.views.settle_roster_if_changed()?;
        // Of what this entry says about the roster it is known only now whether it counts.
        let event = |n| EventId { replica: body.replica, seq: body.seq, n };
        let of_entry = self.views.refused.range(event(0)..=event(u32::MAX));
        let refused = of_entry.map(|(event, reason)| (*event, reason.clone()));
        let refused: Vec<(EventId, String)> = refused.collect();
        self.held.extend(refused);
        if std::mem::take(&mut self.views.admitted) {
            self.look_again()?;
        }
        Ok(std::mem::take(&mut self.held))
    }

    fn event(&mut self, stamp: &EventContext, raw: &RawValue) -> Result<bool, JournalError> {
        let verdict = match serde_json::from_str::<Head<'_>>(raw.get()) {
            Err(error) => FoldOutcome::Held(format!("malformed event: {error}")),
            Ok(Head { kind, .. }) => match KINDS.iter().find(|known| known.name == kind) {
                Some(known) => match (known.take)(&mut self.views, stamp, raw)? {
                    held @ FoldOutcome::Held(_) if known.name == CaseDetected::KIND => {
                        self.held_detection(stamp, raw)?;
                        held
                    }
                    verdict => verdict,
                },
                None => {
                    let name = Cow::into_owned(kind);
                    count::add(self.views.tx, &format!("unknown:{name}"), 1)?;
                    *self.unknown.entry(name).or_default() += 1;
                    FoldOutcome::Counts
                }
            },
        };
        match verdict {
            FoldOutcome::Counts => Ok(true),
            FoldOutcome::Held(reason) => {
                db::roster::hold(self.views.tx, stamp.event, &reason)?;
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
            for (event, _) in db::roster::held(self.views.tx)? {
                if self.views.refused.contains_key(&event) {
                    continue;
                }
                if read
                    .as_ref()
                    .is_none_or(|body| (body.replica, body.seq) != (event.replica, event.seq))
                {
                    let row = db::journal::entry(self.views.tx, event.replica, event.seq)?;
                    read = row.and_then(|row| Body::parse(&row.body));
                }
                let Some(body) = &read else { continue };
                let Some(raw) = body.events.get(event.n as usize) else { continue };
                let stamp = EventContext::of(body, event, false);
                let before = self.held.len();
                if self.event(&stamp, raw)? {
                    db::roster::release(self.views.tx, event)?;
                    self.held.retain(|(held, _)| *held != event);
                    self.views.settle_roster_if_changed()?;
                    progress |= std::mem::take(&mut self.views.admitted);
                } else {
                    self.held.truncate(before);
                }
            }
        }
        Ok(())
    }

    /// Writes the counts that changed. Must be called before the transaction commits.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        self.views.settle_roster_at_end()?;
        if std::mem::take(&mut self.views.admitted) {
            self.look_again()?;
        }
        if std::mem::take(&mut self.views.again) {
            self.views.write_counts(true)?;
            self.views.bad_payloads.extend(refold(self.views.tx)?);
            return Ok(());
        }
        Ok(self.views.write_counts(false)?)
    }
}

/// What an event says about the roster, if its kind says anything.
fn roster_change(stamp: &EventContext, raw: &RawValue) -> Option<RosterChange> {
    let head: Head<'_> = serde_json::from_str(raw.get()).ok()?;
    let kind = KINDS.iter().find(|known| known.name == head.kind)?;
    (kind.roster)(stamp, raw)
}

/// Drops the views and folds the whole journal again; returns the payloads that were thrown away.
pub fn refold(tx: &Transaction<'_>) -> Result<Vec<EventId>, JournalError> {
    db::reset_views(tx)?;
    let workspace = db::journal::meta(tx, "workspace")?.unwrap_or_default();
    // The roster first, from all that is said about it; then nothing folded can turn out not to
    // count.
    each_entry(tx, |row, body| {
        for (n, raw) in body.events.iter().enumerate() {
            let event = EventId { replica: row.replica, seq: row.seq, n: n as u32 };
            let founding =
                body.workspace.is_empty() && workspace == super::entry::hash(&row.body).0;
            let stamp = EventContext::of(body, event, founding);
            if let Some(change) = roster_change(&stamp, raw) {
                db::roster::insert_event(
                    tx,
                    &RosterEvent { event, at: body.at, author: stamp.author, change },
                )?;
            }
        }
        Ok(())
    })?;
    let mut fold = Fold::new(tx)?;
    fold.views.settle_roster()?;
    (fold.views.settled, fold.views.admitted, fold.views.again) = (true, false, false);
    each_entry(tx, |row, body| fold.entry(body, super::entry::hash(&row.body)).map(drop))?;
    fold.finish()?;
    Ok(fold.views.bad_payloads)
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
