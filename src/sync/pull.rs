//! The way in: fetch, verify, fold. A chain's payloads come before its entries, so that a case's
//! text is at hand when the case is folded.

use std::time::Duration;

use super::exchange::{Exchange, Fault, SyncError, Synced, founds, of_segment};
use super::plan::{Listed, Plan};
use super::segment::{self, Name, Payloads};
use super::strangers::{
    FOUNDER, Next, Order, by_replica, is_kept, leave_out, leave_outside, leave_unread, read_again,
    worth_reading,
};
use crate::clock;
use crate::db::journal::EntryRow;
use crate::db::payload::PayloadRow;
use crate::db::store::{Known, insert_segment_of_stranger};
use crate::db::{self, Db};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::journal::Delivered;
use crate::journal::agekey::Secret;
use crate::journal::chain::{deliver, look_again};
use crate::journal::check::vouched_by;
use crate::journal::fold::Fold;
use crate::journal::secret;

/// Segments that may hold the first entry of a chain and are looked into.
const FIRST_MAX: usize = 4;
/// How long a transaction may keep other writers waiting.
const COMMIT_AFTER: Duration = Duration::from_millis(150);

impl Exchange<'_> {
    /// Takes in what is new; returns how many segments were gone when they were to be read.
    pub(super) fn pull(
        &mut self,
        found: &Plan,
        listed: &[Listed],
        done: &mut Synced,
    ) -> Result<usize, SyncError> {
        let other = self.know_repeated(&found.merged)?;
        let mut secrets = secret::known(&self.db.conn, self.key)?;
        let of = |kind| other.iter().filter(move |name: &&Name| name.kind == kind);
        let mut journal = by_replica(found.journal.iter().chain(of(segment::Kind::Journal)));
        let mut payload = by_replica(found.payload.iter().chain(of(segment::Kind::Payload)));
        let mut gone = 0;
        let mut locked: Vec<&Name> = Vec::new();
        let mut order =
            Order::new(journal.keys().chain(payload.keys()).copied().collect(), self.key.replica());
        order.look(&self.db.conn)?;
        let (mut outside, mut chains) = (Vec::new(), 0);
        let bytes_of = |name: &Name| {
            let key = name.to_string();
            let at = listed.binary_search_by(|listed| listed.key.cmp(&key));
            at.map_or(0, |at| listed[at].bytes)
        };
        while let Some(Next { replica, stranger, has_room }) = order.next() {
            let mut spare = Vec::new();
            let entries = journal.remove(&replica).unwrap_or_default();
            if stranger && !has_room {
                let by = self.vouched_by(&entries)?;
                if !by.is_some_and(|by| order.is_vouched(replica, by)) {
                    if by.is_some_and(|by| order.put_aside(replica, by)) {
                        journal.insert(replica, entries);
                        continue;
                    }
                    outside.extend(entries.iter().map(|name| (name.to_string(), bytes_of(name))));
                    chains += u64::from(!entries.is_empty());
                    continue;
                }
            }
            if stranger {
                // Of what they say of themselves nothing counts yet, and no payload is of anything.
                let (worth, left) = worth_reading(&entries, bytes_of);
                for name in worth {
                    gone += usize::from(!self.pull_journal(name, true, &mut spare, done)?);
                }
                order.look(&self.db.conn)?;
                if !order.is_let_in(replica) {
                    leave_unread(&self.db.conn, replica, left)?;
                    continue;
                }
                // A new key of somebody's, or the founder's: what was left out is read like any.
            }
            for name in payload.remove(&replica).unwrap_or_default() {
                if name.encrypted && secrets.is_empty() {
                    locked.push(name); // the key may be on its way
                } else {
                    gone += usize::from(!self.pull_payloads(name, &secrets, &mut spare, done)?);
                }
            }
            for name in entries {
                gone += usize::from(!self.pull_journal(name, false, &mut spare, done)?);
            }
            leave_unread(&self.db.conn, replica, 0)?;
            order.look(&self.db.conn)?;
        }
        if !outside.is_empty() {
            let store = self.name();
            let tx = self.db.begin()?;
            leave_outside(&tx, &store, chains, &outside)?;
            tx.commit()?;
        }
        self.look_again()?;
        if !locked.is_empty() {
            secrets = secret::known(&self.db.conn, self.key)?;
        }
        let n = if secrets.is_empty() { locked.len() } else { 0 };
        if n > 0 {
            done.notices.push(format!("{n} segments of payloads are encrypted: a lead gives this device the key on admission"));
            locked.clear();
        }
        for name in locked {
            gone += usize::from(!self.pull_payloads(name, &secrets, &mut Vec::new(), done)?);
        }
        let locked =
            n + done.quarantined.iter().filter(|fault| fault.fault.contains(NOT_GIVEN)).count();
        db::store::set_setting(&self.db.conn, db::store::LOCKED, &locked.to_string())?;
        Ok(gone + read_again(self.db)?)
    }

    /// The key that vouches for a chain with these segments, if one does: it may be another key of
    /// somebody who was let in.
    fn vouched_by(&mut self, names: &[&Name]) -> Result<Option<ReplicaId>, SyncError> {
        let mut first: Vec<&Name> = names.iter().copied().filter(|name| name.first == 1).collect();
        first.sort_by_key(|name| name.last);
        // Anybody can put a file there that is none.
        for name in first.into_iter().take(FIRST_MAX) {
            self.step()?;
            let Some(bytes) = self.fetch(name)? else { continue };
            let lines = segment::check(name, &bytes)
                .and_then(|()| segment::decode_journal(name.replica, &bytes));
            let entry = lines.ok().and_then(|lines| lines.into_iter().next()?.ok());
            if let Some(by) = entry.as_ref().and_then(vouched_by) {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }

    /// Takes note of segments that repeat what is here, without reading them: what they must hold
    /// is encoded here, and has the hash in their name. Those that have another are returned, to be
    /// read.
    fn know_repeated(&mut self, names: &[(Name, u64)]) -> Result<Vec<Name>, SyncError> {
        let mut other = Vec::new();
        if names.is_empty() {
            return Ok(other);
        }
        let store = self.name();
        let tx = self.db.begin()?;
        for (name, bytes) in names {
            let whole = match name.kind {
                segment::Kind::Payload if name.encrypted => Vec::new(), // it must be read
                segment::Kind::Payload => plain_payloads(&tx, name)?,
                segment::Kind::Journal => segment::encode_journal(&db::journal::between(
                    &tx,
                    name.replica,
                    name.first,
                    name.last,
                )?)?,
            };
            let same = whole.len() as u64 == *bytes && segment::check(name, &whole).is_ok();
            if same {
                db::store::insert_segment(
                    &tx,
                    &store,
                    &name.to_string(),
                    Known { bytes: *bytes, good: true },
                )?;
            } else {
                other.push(name.clone());
            }
        }
        tx.commit()?;
        Ok(other)
    }

    /// What waited for the clock, or for something that has come since.
    fn look_again(&mut self) -> Result<(), SyncError> {
        if db::journal::waiting(&self.db.conn)?.is_empty() {
            return Ok(());
        }
        let (now, store) = ((self.now)(), self.name());
        let tx = self.db.begin()?;
        let mut fold = Fold::new(&tx)?;
        look_again(&mut fold, now)?;
        fold.finish()?;
        for event in std::mem::take(&mut fold.views.bad_payloads) {
            read_again_for_payloads(&tx, &store, event)?;
        }
        drop(fold);
        Ok(tx.commit()?)
    }

    /// The next segment, counted; nothing if it is gone.
    fn pull_segment(
        &mut self,
        name: &Name,
        done: &mut Synced,
    ) -> Result<Option<Vec<u8>>, SyncError> {
        self.step()?;
        let Some(bytes) = self.fetch(name)? else { return Ok(None) };
        done.pulled.segments += 1;
        done.pulled.bytes += bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// Takes in a segment of payloads; `false` if it is gone.
    fn pull_payloads(
        &mut self,
        name: &Name,
        secrets: &[Secret],
        spare: &mut Vec<PayloadRow>,
        done: &mut Synced,
    ) -> Result<bool, SyncError> {
        let Some(bytes) = self.pull_segment(name, done)? else { return Ok(false) };
        let payloads = match open_payloads(name, &bytes, secrets) {
            Ok(payloads) => payloads,
            Err(fault) => {
                let kept = self.mend(name, &bytes)?;
                let words = if kept { "" } else { "; it is written again" };
                done.damaged.push(of_segment(name, &format!("{fault}{words}")));
                return Ok(kept);
            }
        };
        let store = self.name();
        let head =
            db::journal::replica(&self.db.conn, name.replica)?.map_or(0, |head| head.head_seq);
        let rows = payloads.rows.len() as u64;
        let tx = self.db.begin()?;
        for (hash, bytes) in &payloads.dictionaries {
            if Hash::of(bytes) == *hash {
                db::payload::insert_dictionary(&tx, *hash, bytes)?;
            }
        }
        let mut fold = Fold::new(&tx)?;
        let own = name.replica == self.key.replica();
        for row in payloads.rows {
            let event = row.event;
            // Anybody can write such a file: nothing is taken for numbers it does not name, nor for
            // entries we have yet to write.
            if !(name.first..=name.last).contains(&event.seq) || (own && event.seq > head) {
                continue;
            }
            match db::payload::get(&tx, event)? {
                Some(other) if other.hash == row.hash => {}
                Some(_) => spare.push(row),
                None => {
                    db::payload::insert(&tx, &row)?;
                    if event.seq <= head {
                        fold.payload_arrived(event)?;
                    }
                }
            }
        }
        fold.finish()?;
        let bad = std::mem::take(&mut fold.views.bad_payloads);
        drop(fold);
        // What stands here for these numbers must all stand there, or others may need it.
        let here = db::payload::count_between(&tx, name.replica, name.first, name.last)?;
        let good = here <= rows;
        let known = Known { bytes: bytes.len() as u64, good };
        db::store::insert_segment(&tx, &store, &name.to_string(), known)?;
        tx.commit()?;
        if !bad.is_empty() {
            let bad = bad.len();
            done.quarantined.push(of_segment(
                name,
                &format!("{bad} payloads in it are not what their events name"),
            ));
        }
        Ok(true)
    }

    /// Takes a segment away whose bytes are not those that its name promises, if it is ours to
    /// write, or if what should stand in it is here: it is written again then. Tells whether it
    /// stays.
    pub(super) fn mend(&mut self, name: &Name, bytes: &[u8]) -> Result<bool, SyncError> {
        let head =
            db::journal::replica(&self.db.conn, name.replica)?.map_or(0, |head| head.head_seq);
        let have = match name.kind {
            segment::Kind::Journal => head >= name.last,
            segment::Kind::Payload => name.replica == self.key.replica(),
        };
        if segment::check(name, bytes).is_ok() || !have {
            return Ok(true);
        }
        self.store.delete(&name.to_string())?;
        Ok(false)
    }

    /// Takes in a segment of entries, of a stranger's as much as is kept; `false` if it is gone.
    fn pull_journal(
        &mut self,
        name: &Name,
        stranger: bool,
        spare: &mut Vec<PayloadRow>,
        done: &mut Synced,
    ) -> Result<bool, SyncError> {
        let Some(bytes) = self.pull_segment(name, done)? else { return Ok(false) };
        let lines = segment::check(name, &bytes)
            .and_then(|()| segment::decode_journal(name.replica, &bytes));
        let lines = match lines {
            Ok(lines) => lines,
            Err(fault) if stranger => {
                done.damaged.push(of_segment(name, &fault));
                let (store, n) = (self.name(), bytes.len() as u64);
                insert_segment_of_stranger(&self.db.conn, &store, &name.to_string(), n)?;
                return Ok(true);
            }
            Err(fault) => {
                let kept = self.mend(name, &bytes)?;
                let words = if kept { "" } else { "; it is written again" };
                done.damaged.push(of_segment(name, &format!("{fault}{words}")));
                return Ok(kept);
            }
        };
        let bytes = bytes.len() as u64;
        let mut entries = Vec::with_capacity(lines.len());
        let mut newer = false;
        for line in lines {
            match line {
                Ok(entry) => entries.push(entry),
                Err(fault) => {
                    newer = fault == segment::NEWER;
                    done.quarantined.push(of_segment(name, &fault));
                }
            }
        }
        // A range that it does not hold, it can't vouch for.
        let mut good = segment::is_whole(name, &entries);
        let mut rest = entries.into_iter().peekable();
        while rest.peek().is_some() {
            self.step()?;
            good &= self.take_in(&mut rest, stranger, spare, done)?;
        }
        if stranger && !good {
            let (store, name) = (self.name(), name.to_string());
            insert_segment_of_stranger(&self.db.conn, &store, &name, bytes)?;
            return Ok(true);
        }
        // What a newer program wrote is looked at again, by one that is newer too.
        if !newer {
            db::store::insert_segment(
                &self.db.conn,
                &self.name(),
                &name.to_string(),
                Known { bytes, good },
            )?;
        }
        Ok(true)
    }

    /// Takes in entries in one transaction, until there are no more or others have waited long
    /// enough. Tells whether all of them are linked in.
    fn take_in(
        &mut self,
        entries: &mut impl Iterator<Item = EntryRow>,
        stranger: bool,
        spare: &mut Vec<PayloadRow>,
        done: &mut Synced,
    ) -> Result<bool, SyncError> {
        let mut good = true;
        let (now, store) = ((self.now)(), self.name());
        let begun = clock::instant();
        let tx = self.db.begin()?;
        let mut fold = Fold::new(&tx)?;
        for entry in entries {
            if stranger && !is_kept(&tx, &entry)? {
                leave_out(&tx, entry.replica, entry.seq)?;
                good = false;
                continue;
            }
            match deliver(&mut fold, entry, now)? {
                Delivered::Added(n) => done.pulled.entries += n as u64,
                Delivered::Known => {}
                Delivered::Waits(_) | Delivered::Dropped(_) => good = false,
            }
            if begun.elapsed() >= COMMIT_AFTER {
                break;
            }
        }
        for event in std::mem::take(&mut fold.views.bad_payloads) {
            let fault = match spare.iter().position(|row| row.event == event) {
                Some(at) => {
                    db::payload::insert(&tx, &spare.swap_remove(at))?;
                    fold.payload_arrived(event)?;
                    "a payload that stands on the store beside the right one is not what the event names"
                }
                None => {
                    read_again_for_payloads(&tx, &store, event)?;
                    "the payload on the store is not what the event names; it was not taken"
                }
            };
            let fault = format!("event {}: {fault}", event.n);
            done.quarantined.push(Fault {
                replica: event.replica.to_string(),
                seq: event.seq,
                fault,
            });
        }
        fold.finish()?;
        for event in std::mem::take(&mut fold.views.bad_payloads) {
            read_again_for_payloads(&tx, &store, event)?; // found when all was folded again
        }
        drop(fold);
        tx.commit()?;
        Ok(good)
    }
}

/// A segment of payloads as it would be written from what is here.
fn plain_payloads(conn: &rusqlite::Connection, name: &Name) -> Result<Vec<u8>, SyncError> {
    let rows = db::payload::between(conn, name.replica, name.first, name.last)?;
    Ok(segment::encode_payloads(&super::push::with_dictionaries(
        conn,
        Payloads { rows, ..Payloads::default() },
    )?)?)
}

/// The right payload may stand in another segment that was taken for known: all that could hold it
/// are read again.
fn read_again_for_payloads(
    tx: &rusqlite::Transaction<'_>,
    store: &str,
    event: EventId,
) -> rusqlite::Result<()> {
    for (key, _) in db::store::segments(tx, store)? {
        let holds = |name: Name| {
            name.kind == segment::Kind::Payload
                && name.replica == event.replica
                && (name.first..=name.last).contains(&event.seq)
        };
        if Name::parse(&key).is_some_and(holds) {
            db::store::delete_segment(tx, store, &key)?;
        }
    }
    Ok(())
}

const NOT_GIVEN: &str =
    "it is encrypted, and this device was not given the key: a lead gives it on admission";

/// What stands in a segment of payloads, or what is wrong with it.
pub(super) fn open_payloads(
    name: &Name,
    bytes: &[u8],
    secrets: &[Secret],
) -> Result<Payloads, String> {
    segment::check(name, bytes)?;
    if !name.encrypted {
        return segment::decode_payloads(name.replica, bytes);
    }
    let open = secrets.iter().rev().find_map(|secret| secret.decrypt(bytes));
    let open = open.ok_or(NOT_GIVEN)?;
    segment::decode_payloads(name.replica, &open)
}

/// The workspace that a store holds: the hash of the entry that founds one.
pub fn founded_on(store: &mut dyn super::Store) -> Result<Vec<(Hash, EntryRow)>, SyncError> {
    let mut found = Vec::new();
    for listed in store.list(segment::Kind::Journal.prefix())? {
        let Some(name) = Name::parse(&listed.key).filter(|name| name.first == 1) else { continue };
        let Some(bytes) = store.get(&listed.key)? else { continue };
        let Ok(lines) = segment::check(&name, &bytes)
            .and_then(|()| segment::decode_journal(name.replica, &bytes))
        else {
            continue;
        };
        let Some(first) = lines.into_iter().flatten().next() else { continue };
        let founds = founds(&first);
        let hash = crate::journal::entry::hash(&first.body);
        if founds && found.iter().all(|(known, _)| *known != hash) {
            found.push((hash, first));
        }
    }
    Ok(found)
}

/// Opens the database of a workspace that is being joined: nothing is in it but the id that it is
/// pinned to, and who founded it.
pub fn pin(db: &Db, workspace: Hash, founder: Option<ReplicaId>) -> rusqlite::Result<()> {
    if let Some(founder) = founder {
        db::store::set_setting(&db.conn, FOUNDER, &founder.to_string())?;
    }
    db::journal::set_meta(&db.conn, "workspace", &workspace.0)
}
