//! The way out: our own new entries with their payloads, and what the store lost of anybody's.
//! Small segments of our own are merged in time, so that a first pull is few, large reads.

use super::exchange::{Exchange, SyncError, Synced};
use super::plan::{Listed, Plan, Run};
use super::segment::{self, Kind, Name, Payloads};
use super::store::Put;
use crate::db;
use crate::db::journal::EntryRow;
use crate::db::store::Known;
use crate::domain::ids::{Hash, ReplicaId};
use crate::journal::agekey::Secret;
use crate::journal::chain::FORK;

/// Raw bytes in a segment that is written.
const SEGMENT_BYTES: usize = 16 << 20;
/// Entries in a segment that is written.
const SEGMENT_ENTRIES: usize = 8_192;
/// Entries that are read at a time.
const PIECE: u64 = 64;

impl Exchange<'_> {
    pub(super) fn push(
        &mut self,
        found: &Plan,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<(), SyncError> {
        let own = self.key.replica();
        let mut again: Vec<ReplicaId> = Vec::new();
        for (replica, run) in &found.payload_push {
            self.push_payloads(*replica, *run, secrets, done)?;
        }
        for (at, (replica, run)) in found.push.iter().enumerate() {
            let created = done.pushed.segments;
            let head =
                db::journal::replica(&self.db.conn, *replica)?.map_or(0, |head| head.head_seq);
            // Our own chain may have grown since we looked.
            let is_last_of_own =
                *replica == own && found.push[at + 1..].iter().all(|(other, _)| *other != own);
            let last = if is_last_of_own { head } else { run.1.min(head) };
            let mut next = run.0;
            while next <= last {
                let entries = self.piece(*replica, next, last)?;
                let Some(end) = entries.last().map(|entry| entry.seq) else { break };
                // Payloads first: whoever reads an entry finds what it names.
                if !self.push_payloads(*replica, (next, end), secrets, done)? {
                    done.notices
                        .push("what has payloads waits: they are to be encrypted, and this device has no key yet".to_owned());
                    break;
                }
                self.step()?;
                let bytes = segment::encode_journal(&entries)?;
                self.put(Kind::Journal, *replica, (next, end), &bytes, false, done)?;
                done.pushed.entries += entries.len() as u64;
                done.reached.push((*replica, (next, end)));
                next = end + 1;
            }
            // Only what had to be written again was really gone: a list may merely be old. What was
            // damaged is told as such.
            let lost = found.rolled_back.iter().any(|rollback| rollback.replica == *replica);
            let damaged = done.damaged.iter().any(|fault| fault.replica == replica.to_string());
            if lost && !damaged && done.pushed.segments > created {
                again.push(*replica);
            }
        }
        again.sort();
        again.dedup();
        let lost: u64 = found
            .rolled_back
            .iter()
            .filter(|lost| again.contains(&lost.replica))
            .map(|lost| lost.was - lost.is)
            .sum();
        if lost > 0 {
            let devices =
                if again.len() == 1 { "one device" } else { &format!("{} devices", again.len()) };
            done.notices.push(format!(
                "the store went back: it held {lost} entries of {devices} that were gone; what is here was written there again"
            ));
        }
        Ok(())
    }

    /// Both entries of a fork stay on the store, so that everybody comes to know of it, whatever
    /// its writer takes away.
    pub(super) fn push_evidence(
        &mut self,
        listed: &[Listed],
        done: &mut Synced,
    ) -> Result<(), SyncError> {
        for (replica, seq, fault) in db::journal::all_pending(&self.db.conn)? {
            if fault != FORK {
                continue;
            }
            for pending in db::journal::pending(&self.db.conn, replica, seq)? {
                let bytes = segment::encode_journal(std::slice::from_ref(&pending.entry))?;
                let key = Name::of(Kind::Journal, replica, (seq, seq), &bytes, false).to_string();
                if pending.fault == FORK
                    && listed.binary_search_by(|listed| listed.key.cmp(&key)).is_err()
                {
                    self.step()?;
                    self.put(Kind::Journal, replica, (seq, seq), &bytes, false, done)?;
                    let known = Known { bytes: bytes.len() as u64, good: false };
                    db::store::insert_segment(&self.db.conn, &self.name(), &key, known)?;
                }
            }
        }
        Ok(())
    }

    /// Entries from `first` on that fit into one segment.
    fn piece(&self, replica: ReplicaId, first: u64, last: u64) -> Result<Vec<EntryRow>, SyncError> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut next = first;
        while next <= last && bytes < SEGMENT_BYTES && entries.len() < SEGMENT_ENTRIES {
            let some =
                db::journal::between(&self.db.conn, replica, next, last.min(next + PIECE - 1))?;
            let Some(end) = some.last().map(|entry| entry.seq) else { break };
            bytes += some.iter().map(|entry| entry.body.len()).sum::<usize>();
            next = end + 1;
            entries.extend(some);
        }
        Ok(entries)
    }

    /// Writes the payloads of a run of entries; `false` if they may not be written yet.
    fn push_payloads(
        &mut self,
        replica: ReplicaId,
        (first, last): Run,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<bool, SyncError> {
        let mut from = first;
        let mut payloads = Payloads::default();
        let mut bytes = 0;
        for seq in first..=last {
            let rows = db::payload::between(&self.db.conn, replica, seq, seq)?;
            let more = rows.iter().map(|row| row.bytes.len()).sum::<usize>();
            // What is large is a file by itself: nobody takes in one over a limit.
            let mut ends = Vec::new();
            if bytes > 0 && bytes + more > SEGMENT_BYTES {
                ends.push((seq - 1, std::mem::take(&mut payloads)));
                bytes = 0;
            }
            payloads.rows.extend(rows);
            bytes += more;
            if bytes >= SEGMENT_BYTES || (seq == last && !payloads.rows.is_empty()) {
                ends.push((seq, std::mem::take(&mut payloads)));
                bytes = 0;
            }
            for (end, full) in ends {
                if self.encrypt && secrets.is_empty() {
                    return Ok(false);
                }
                self.step()?;
                self.put_payloads(replica, (from, end), full, secrets, done)?;
                from = end + 1;
            }
        }
        Ok(true)
    }

    pub(super) fn put_payloads(
        &mut self,
        replica: ReplicaId,
        run: Run,
        payloads: Payloads,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<Name, SyncError> {
        let plain = segment::encode_payloads(&with_dictionaries(&self.db.conn, payloads)?)?;
        let (bytes, encrypted) = match secrets.last().filter(|_| self.encrypt) {
            Some(secret) => (secret.encrypt(&plain)?, true),
            None => (plain, false),
        };
        self.put(Kind::Payload, replica, run, &bytes, encrypted, done)
    }

    fn put(
        &mut self,
        kind: Kind,
        replica: ReplicaId,
        run: Run,
        bytes: &[u8],
        encrypted: bool,
        done: &mut Synced,
    ) -> Result<Name, SyncError> {
        let name = Name::of(kind, replica, run, bytes, encrypted);
        let key = name.to_string();
        let mut put = self.store.put_new(&key, bytes)?;
        if put == Put::Exists && self.store.get(&key)?.is_none_or(|there| there != bytes) {
            // A write that was cut short, on a store that shows such things. The name says what
            // should stand there.
            self.store.delete(&key)?;
            put = self.store.put_new(&key, bytes)?;
        }
        if put == Put::Created {
            done.pushed.segments += 1;
            done.pushed.bytes += bytes.len() as u64;
        }
        let known = Known { bytes: bytes.len() as u64, good: true };
        db::store::insert_segment(&self.db.conn, &self.name(), &key, known)?;
        Ok(name)
    }

    pub(super) fn merge(
        &mut self,
        found: &Plan,
        secrets: &[Secret],
        done: &mut Synced,
    ) -> Result<(), SyncError> {
        let own = self.key.replica();
        for name in &found.covered {
            self.step()?;
            self.store.delete(&name.to_string())?;
        }
        for (kind, (first, last), parts) in &found.merge {
            self.step()?;
            let whole = match kind {
                Kind::Journal => {
                    let entries = db::journal::between(&self.db.conn, own, *first, *last)?;
                    let bytes = segment::encode_journal(&entries)?;
                    self.put(Kind::Journal, own, (*first, *last), &bytes, false, done)?
                }
                Kind::Payload if self.encrypt && secrets.is_empty() => continue,
                Kind::Payload => {
                    let rows = db::payload::between(&self.db.conn, own, *first, *last)?;
                    let payloads = Payloads { rows, ..Payloads::default() };
                    self.put_payloads(own, (*first, *last), payloads, secrets, done)?
                }
            };
            // Readers that listed the parts and come too late look again.
            for part in parts.iter().filter(|part| **part != whole) {
                self.store.delete(&part.to_string())?;
            }
            done.merged += parts.len() as u64;
        }
        Ok(())
    }
}

/// Payloads with the dictionaries that they are compressed with.
pub(super) fn with_dictionaries(
    conn: &rusqlite::Connection,
    mut payloads: Payloads,
) -> Result<Payloads, SyncError> {
    let mut named: Vec<Hash> = payloads.rows.iter().filter_map(|row| row.dictionary).collect();
    named.sort();
    named.dedup();
    for hash in named {
        if let Some(bytes) = db::payload::dictionary(conn, hash)? {
            payloads.dictionaries.push((hash, bytes));
        }
    }
    Ok(payloads)
}
