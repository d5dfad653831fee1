//! Erasure on the store: payloads that are to be forgotten are taken out. Each segment that has one
//! is written anew without it, then deleted.

use std::collections::{BTreeMap, HashSet};

use super::exchange::{Exchange, SyncError, Synced, of_segment};
use super::pull::open_payloads;
use super::segment::{Kind, Name, Payloads};
use crate::db::payload::PayloadRow;
use crate::db::{self, case, erasure};
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::journal::agekey::Secret;
use crate::journal::fold::held_detections;

impl Exchange<'_> {
    pub(super) fn forget(
        &mut self,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<(), SyncError> {
        let store = self.name();
        let confirmed: HashSet<EventId> = db::store::erasures(&self.db.conn)?
            .into_iter()
            .filter(|(name, ..)| *name == store)
            .map(|(_, id, _)| id)
            .collect();
        let mut all = erasure::all(&self.db.conn)?;
        // What took the place of something may be erased again later: confirmed is each erasure,
        // not the case.
        all.retain(|row| !confirmed.contains(&row.event));
        let mut cases: Vec<CaseId> = all.iter().map(|row| row.id).collect();
        cases.dedup();
        let mut events: BTreeMap<ReplicaId, HashSet<EventId>> = BTreeMap::new();
        let held = held_detections(&self.db.conn)?;
        for (_, event) in held.iter().filter(|(case, _)| cases.contains(case)) {
            events.entry(event.replica).or_default().insert(*event);
        }
        for id in &cases {
            for event in erasure::forgotten(&self.db.conn, *id)? {
                events.entry(event.replica).or_default().insert(event);
            }
        }
        let mut all_gone = true;
        for (replica, gone) in events {
            for listed in self.store.list(&format!("{}{replica}/", Kind::Payload.prefix()))? {
                let Some(name) = Name::parse(&listed.key) else { continue };
                if gone.iter().any(|event| (name.first..=name.last).contains(&event.seq)) {
                    self.step()?;
                    all_gone &= self.forget_in(&name, &gone, secrets, done)?;
                }
            }
        }
        if !all_gone {
            return Ok(());
        }
        for row in &all {
            db::store::insert_erasure(&self.db.conn, &store, row.event, (self.now)())?;
        }
        // What was only put right because it showed another is not told.
        cases.retain(|id| all.iter().any(|row| row.id == *id && row.instead.is_none()));
        for id in cases {
            done.erased.push(
                case::by_id(&self.db.conn, id)?
                    .map_or_else(|| id.to_string(), |row| row.external_id),
            );
        }
        Ok(())
    }

    /// Takes payloads out of one segment; `false` if that can't be done.
    fn forget_in(
        &mut self,
        name: &Name,
        gone: &HashSet<EventId>,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<bool, SyncError> {
        let Some(bytes) = self.fetch(name)? else { return Ok(true) };
        let payloads = match open_payloads(name, &bytes, secrets) {
            Ok(payloads) => payloads,
            Err(fault) => {
                done.quarantined.push(of_segment(name, &format!("cannot erase from it: {fault}")));
                return Ok(false);
            }
        };
        let before = payloads.rows.len();
        let rows: Vec<PayloadRow> =
            payloads.rows.into_iter().filter(|row| !gone.contains(&row.event)).collect();
        if rows.len() == before {
            return Ok(true);
        }
        if !rows.is_empty() {
            let kept = Payloads { rows, dictionaries: Vec::new() };
            self.put_payloads(name.replica, name.range(), kept, secrets, done)?;
        }
        self.store.delete(&name.to_string())?;
        db::store::delete_segment(&self.db.conn, &self.name(), &name.to_string())?;
        Ok(true)
    }
}
