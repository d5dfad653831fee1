//! Chains: appending to our own, linking in entries of others.
//!
//! [`Writer`] appends entries of this replica. Append and fold are one transaction, and what was
//! shown as saved is on disk. [`deliver`] takes an entry from anywhere: it is linked in if it is
//! the next of its chain and everything about it is right, and otherwise waits in `journal_pending`
//! with the reason, so that nothing that arrives is lost and nothing that is wrong counts.
//!
//! A *fork* is two entries of one chain with one number, both signed by its key. Whichever arrived
//! first, neither counts, nor does anything after them: so all replicas that saw both end in the
//! same place.

use rusqlite::Transaction;
use serde_json::value::RawValue;

use super::blob::Packed;
use super::check::{self, Checked, check, joining_key, payload_of};
use super::entry::EventContext;
use super::entry::{BODY_VERSION, Body, WALL_MS, hash};
use super::fold::Fold;
use super::kind::{Event, encode};
use super::{DeviceKey, JournalError, identity, sshsig};
use crate::db::journal::{DroppedRow, EntryRow, PendingRow, ReplicaRow};
use crate::db::{self, Db};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::time::{Hlc, Moment};

/// One event to append, with its payload if it names one and the text that search will find it by.
pub struct Append {
    raw: Box<RawValue>,
    payload: Option<Packed>,
    text: Option<String>,
}

impl Append {
    pub fn new<E: Event>(event: &E) -> Self {
        Self::raw(encode(event), None)
    }

    pub fn with_payload<E: Event>(event: &E, payload: Packed, text: String) -> Self {
        Self { text: Some(text), ..Self::raw(encode(event), Some(payload)) }
    }

    /// An event as it stands in some entry.
    pub fn raw(raw: Box<RawValue>, payload: Option<Packed>) -> Self {
        Self { raw, payload, text: None }
    }
}

/// An entry that was appended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appended {
    pub seq: u64,
    pub hash: Hash,
    pub at: Hlc,
    pub replica: ReplicaId,
}

impl Appended {
    /// The id of its first event.
    pub fn event(&self) -> EventId {
        EventId { replica: self.replica, seq: self.seq, n: 0 }
    }
}

/// Who writes an entry.
#[derive(Debug, Clone, Copy)]
pub struct By<'n> {
    pub name: &'n str,
    /// The `door.passed` by which they came, where the workspace is served.
    pub visit: Option<EventId>,
}

impl<'n> From<&'n str> for By<'n> {
    fn from(name: &'n str) -> Self {
        Self { name, visit: None }
    }
}

impl<'n> From<&'n String> for By<'n> {
    fn from(name: &'n String) -> Self {
        name.as_str().into()
    }
}

/// A transaction in which this replica appends entries.
pub struct Writer<'c, 't> {
    tx: &'t Transaction<'c>,
    fold: Fold<'c, 't>,
    key: &'t DeviceKey,
    workspace: Option<Hash>,
    head: Option<ReplicaRow>,
    latest: Hlc,
}

impl<'c, 't> Writer<'c, 't> {
    /// Fails if this device signs with another key by now, or must first get one: see [`identity`].
    pub fn new(tx: &'t Transaction<'c>, key: &'t DeviceKey) -> Result<Self, JournalError> {
        identity::may_write(tx, key)?;
        Self::unchecked(tx, key)
    }

    pub(super) fn unchecked(
        tx: &'t Transaction<'c>,
        key: &'t DeviceKey,
    ) -> Result<Self, JournalError> {
        let workspace =
            db::journal::meta(tx, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
        let head = db::journal::replica(tx, key.replica())?;
        Ok(Self {
            tx,
            fold: Fold::new(tx)?,
            key,
            workspace,
            head,
            latest: db::journal::latest(tx, key.replica())?,
        })
    }

    /// The number of the entry that is appended next.
    pub fn next_seq(&self) -> u64 {
        self.head.as_ref().map_or(1, |head| head.head_seq + 1)
    }

    /// Appends one entry. Fails, to be rolled back, if any of its events would not count.
    pub fn append<'n>(
        &mut self,
        author: impl Into<By<'n>>,
        events: Vec<Append>,
        now: Moment,
    ) -> Result<Appended, JournalError> {
        let By { name, visit } = author.into();
        let replica = self.key.replica();
        let seq = self.next_seq();
        let prev = self.head.as_ref().map(|head| head.head_hash.to_string()).unwrap_or_default();
        let at = self.latest.next(now);
        let mut raws = Vec::with_capacity(events.len());
        // Whatever somebody planted for a number that was not used yet makes way.
        for planted in db::payload::events_of(self.tx, replica, seq)? {
            db::payload::delete(self.tx, planted)?;
        }
        for (n, event) in events.into_iter().enumerate() {
            let id = EventId { replica, seq, n: n as u32 };
            if let Some(packed) = event.payload {
                db::payload::insert(self.tx, &packed.into_row(id))?;
            }
            if let Some(text) = event.text {
                self.fold.views.offer_text(id, text);
            }
            raws.push(event.raw);
        }
        let workspace = self.workspace.map(|id| id.to_string()).unwrap_or_default();
        let body = Body {
            v: BODY_VERSION,
            workspace,
            replica,
            seq,
            prev,
            at,
            wall: (at.ms - now.0 >= WALL_MS).then_some(now),
            author: name.to_owned(),
            visit,
            events: raws,
        };
        let bytes = body.to_bytes();
        let hash = hash(&bytes);
        if self.workspace.is_none() {
            db::journal::set_meta(self.tx, "workspace", &hash.0)?;
            self.workspace = Some(hash);
        }
        let signature = self.key.sign(&bytes);
        db::journal::insert_entry(self.tx, &EntryRow { replica, seq, body: bytes, signature })?;
        let head =
            ReplicaRow { replica, key: self.key.public(), head_seq: seq, head_hash: hash, at };
        db::journal::set_replica(self.tx, &head)?;
        self.head = Some(head);
        self.latest = at;
        if let Some((event, reason)) = self.fold.entry(&body, hash)?.into_iter().next() {
            let stamp = EventContext::of(&body, event, false);
            let retired = self.fold.views.cut(&stamp).is_some();
            return Err(JournalError::NotAllowed { author: stamp.author, reason, retired });
        }
        Ok(Appended { seq, hash, at, replica })
    }

    /// Must be called before the transaction commits.
    pub fn finish(mut self) -> Result<(), JournalError> {
        self.fold.finish()
    }
}

/// Appends one entry in a transaction of its own; when it returns, the entry is on disk.
pub fn append<'n>(
    db: &mut Db,
    key: &DeviceKey,
    author: impl Into<By<'n>>,
    events: Vec<Append>,
    now: Moment,
) -> Result<Appended, JournalError> {
    append_and(db, key, author, events, now, |_, _| Ok(()))
}

/// Like [`append`], with something else in the same transaction.
pub fn append_and<'n>(
    db: &mut Db,
    key: &DeviceKey,
    author: impl Into<By<'n>>,
    events: Vec<Append>,
    now: Moment,
    also: impl FnOnce(&Transaction<'_>, EventId) -> rusqlite::Result<()>,
) -> Result<Appended, JournalError> {
    let path = db.path().to_owned();
    let tx = db.begin()?;
    let mut writer = Writer::new(&tx, key)?;
    let appended = writer.append(author, events, now)?;
    writer.finish()?;
    also(&tx, appended.event())?;
    tx.commit().map_err(|error| db::explain(&path, error))?;
    Ok(appended)
}

/// What became of a delivered entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivered {
    /// Linked in and folded, with how many that had waited for it.
    Added(usize),
    /// It was there already.
    Known,
    /// It waits, or is wrong, for this reason.
    Waits(String),
    /// It is not kept, for this reason: it can't be what it says it is.
    Dropped(String),
}

/// How far an entry's clock may be ahead of ours. What is further ahead waits: taken in, it would
/// drag every clock of the workspace along.
pub const FUTURE_MS_MAX: i64 = 48 * 3_600_000;

/// Takes in one entry of any replica, when the wall clock shows `now`. The payloads it names may be
/// inserted before or after.
pub fn deliver(
    fold: &mut Fold<'_, '_>,
    entry: EntryRow,
    now: Moment,
) -> Result<Delivered, JournalError> {
    let tx = fold.views.tx;
    let head = db::journal::replica(tx, entry.replica)?;
    let head_seq = head.as_ref().map_or(0, |head| head.head_seq);
    if entry.seq <= head_seq {
        let known = db::journal::entry(tx, entry.replica, entry.seq)?;
        if known.as_ref().is_some_and(|known| known.body == entry.body) {
            return Ok(Delivered::Known);
        }
        let pinned = known.as_ref().is_some_and(|known| is_founding(tx, known))
            || is_pinned_linked(fold, &entry)?;
        if is_signed_by_chain(tx, &entry)? {
            if pinned {
                return wait(fold, entry, PINNED);
            }
            let from = entry.seq;
            let replica = entry.replica;
            wait(fold, entry, FORK)?;
            unlink_from(fold, replica, from)?;
            return Ok(Delivered::Waits(FORK.to_owned()));
        }
        return discard(
            fold,
            &entry,
            "forged: another entry has this number, and this one's signature is not good",
        );
    }
    if entry.seq > head_seq + 1 {
        return match authentic(fold, &entry)? {
            Ok(()) => wait(fold, entry, GAP),
            Err(fault) => discard(fold, &entry, &fault),
        };
    }
    if let Err(fault) = link(fold, &entry, head.as_ref(), now)? {
        return match authentic(fold, &entry)? {
            Ok(()) => wait(fold, entry, &fault),
            Err(_) => discard(fold, &entry, &fault),
        };
    }
    Ok(Delivered::Added(1 + link_waiting(fold, entry.replica, now)?))
}

/// Looks again at everything that waits: what was from the future may be of the past by now.
pub fn look_again(fold: &mut Fold<'_, '_>, now: Moment) -> Result<usize, JournalError> {
    let mut added = 0;
    for replica in db::journal::waiting(fold.views.tx)? {
        added += link_waiting(fold, replica, now)?;
    }
    Ok(added)
}

/// Links in what waits for the end of a chain; returns how many entries that were.
fn link_waiting(
    fold: &mut Fold<'_, '_>,
    replica: ReplicaId,
    now: Moment,
) -> Result<usize, JournalError> {
    let mut added = 0;
    'chain: loop {
        let head = db::journal::replica(fold.views.tx, replica)?;
        let next = head.as_ref().map_or(1, |head| head.head_seq + 1);
        for PendingRow { entry, .. } in db::journal::pending(fold.views.tx, replica, next)? {
            if link(fold, &entry, head.as_ref(), now)?.is_ok() {
                added += 1;
                continue 'chain;
            }
        }
        return Ok(added);
    }
}

/// Whether an entry is what it says it is, whatever stands before it: its signature shows the key that
/// its chain is named after. What is wrong with one that is not never comes right, and keeping it
/// would let anybody fill the disks of all.
fn authentic(fold: &Fold<'_, '_>, entry: &EntryRow) -> Result<Result<(), String>, JournalError> {
    let workspace = db::journal::meta(fold.views.tx, "workspace")?;
    let workspace = workspace.and_then(|bytes| Hash::from_bytes(&bytes));
    let Some(workspace) = workspace else { return Err(JournalError::NoWorkspace) };
    Ok(check::authentic(entry, workspace))
}

/// Takes note of an entry that is not kept.
fn discard(fold: &Fold<'_, '_>, entry: &EntryRow, why: &str) -> Result<Delivered, JournalError> {
    let (replica, seq, why) = (entry.replica, entry.seq, why.to_owned());
    db::journal::count_dropped(
        fold.views.tx,
        &DroppedRow { replica, why: why.clone(), n: 1, seq },
    )?;
    Ok(Delivered::Dropped(why))
}

const GAP: &str = "gap: an entry before this one is missing";
pub const FORK: &str =
    "fork: the chain has two entries with this number; neither counts, nor what follows";

const PINNED: &str = "its key was retired, or founded the workspace, on another entry with this number: it does not count";

/// Whether an entry is the one that the workspace is named after.
fn is_founding(tx: &Transaction<'_>, entry: &EntryRow) -> bool {
    let workspace = db::journal::meta(tx, "workspace").ok().flatten();
    entry.seq == 1 && workspace.as_deref() == Some(&hash(&entry.body).0[..])
}

/// The entry, by number and hash, up to which a chain was said to count.
fn pin(fold: &Fold<'_, '_>, replica: ReplicaId) -> Option<(u64, Hash)> {
    fold.views
        .pins()
        .filter(|(holder, ..)| *holder == replica)
        .map(|(_, after, last)| (after, last))
        .max()
}

/// Whether the chain that is linked in here is the one that was meant when its key was retired.
fn is_pinned_linked(fold: &Fold<'_, '_>, entry: &EntryRow) -> Result<bool, JournalError> {
    let Some((after, last)) = pin(fold, entry.replica).filter(|(after, _)| entry.seq <= *after)
    else {
        return Ok(false);
    };
    Ok(db::journal::entry(fold.views.tx, entry.replica, after)?
        .is_some_and(|there| hash(&there.body) == last))
}

/// Whether an entry leads to the one up to which its chain was said to count.
fn leads_to_pin(fold: &Fold<'_, '_>, entry: &EntryRow) -> Result<bool, JournalError> {
    let Some((after, last)) = pin(fold, entry.replica).filter(|(after, _)| entry.seq <= *after)
    else {
        return Ok(false);
    };
    let mut wanted = last.to_string();
    for seq in (entry.seq + 1..=after).rev() {
        let waiting = db::journal::pending(fold.views.tx, entry.replica, seq)?
            .into_iter()
            .map(|row| row.entry);
        let all = waiting.chain(db::journal::entry(fold.views.tx, entry.replica, seq)?);
        let next = all.into_iter().find(|other| hash(&other.body).to_string() == wanted);
        let Some(body) = next.and_then(|next| Body::parse(&next.body)) else { return Ok(false) };
        wanted = body.prev;
    }
    Ok(hash(&entry.body).to_string() == wanted)
}

/// Whether an entry is signed by the key that its replica is named after, for this workspace.
fn is_signed_by_chain(tx: &Transaction<'_>, entry: &EntryRow) -> Result<bool, JournalError> {
    let Some(body) = Body::parse(&entry.body) else { return Ok(false) };
    let mut key = db::journal::replica(tx, entry.replica)?
        .map(|head| head.key)
        .or_else(|| joining_key(&body));
    if key.is_none() {
        // The chain was unlinked from its first entry on: another that claims to be it shows the
        // key.
        let first = db::journal::pending(tx, entry.replica, 1)?
            .into_iter()
            .filter_map(|row| Body::parse(&row.entry.body));
        key = first
            .filter_map(|body| joining_key(&body))
            .find(|key| ReplicaId::of_key(key) == entry.replica);
    }
    let workspace = db::journal::meta(tx, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
    let ours =
        body.workspace.is_empty() || workspace.is_some_and(|id| body.workspace == id.to_string());
    let placed = (body.replica, body.seq) == (entry.replica, entry.seq);
    let good = |key: [u8; 32]| {
        ReplicaId::of_key(&key) == entry.replica
            && sshsig::verify(&key, &entry.body, &entry.signature)
    };
    Ok(ours && placed && key.is_some_and(good))
}

/// Takes the entries from number `from` on out of a chain: they wait, and everything is folded
/// again.
fn unlink_from(fold: &mut Fold<'_, '_>, replica: ReplicaId, from: u64) -> Result<(), JournalError> {
    let tx = fold.views.tx;
    let Some(head) = db::journal::replica(tx, replica)? else { return Ok(()) };
    for entry in db::journal::between(tx, replica, from, head.head_seq)? {
        let fault = if entry.seq == from { FORK } else { GAP };
        wait(fold, entry, fault)?;
    }
    db::journal::delete_from(tx, replica, from)?;
    match db::journal::entry(tx, replica, from - 1)? {
        None => db::journal::delete_replica(tx, replica)?,
        Some(last) => {
            let at = Body::parse(&last.body).map(|body| body.at).unwrap_or_default();
            let row = ReplicaRow { head_seq: from - 1, head_hash: hash(&last.body), at, ..head };
            db::journal::set_replica(tx, &row)?;
        }
    }
    fold.views.fold_again();
    Ok(())
}

/// Takes the end of a chain that was never shared out: everything after entry `last`. What it held
/// is returned, and is nowhere else then.
pub(super) fn retract(
    tx: &Transaction<'_>,
    replica: ReplicaId,
    last: u64,
) -> Result<Vec<EntryRow>, JournalError> {
    let mut fold = Fold::new(tx)?;
    let head = db::journal::replica(tx, replica)?.map_or(0, |head| head.head_seq);
    let entries = db::journal::between(tx, replica, last + 1, head)?;
    if !entries.is_empty() {
        unlink_from(&mut fold, replica, last + 1)?;
        entries.iter().try_for_each(|entry| db::journal::delete_pending(tx, entry))?;
    }
    fold.finish()?;
    Ok(entries)
}

fn wait(fold: &mut Fold<'_, '_>, entry: EntryRow, fault: &str) -> Result<Delivered, JournalError> {
    let row = PendingRow { fault: fault.to_owned(), entry };
    // A bad copy must not stand in the way of a good one with the same body.
    let name = Hash::of(&[row.entry.body.as_slice(), &row.entry.signature].concat());
    db::journal::insert_pending(fold.views.tx, name, &row)?;
    Ok(Delivered::Waits(fault.to_owned()))
}

/// Links an entry in as the next of its chain, if everything about it is right.
fn link(
    fold: &mut Fold<'_, '_>,
    entry: &EntryRow,
    head: Option<&ReplicaRow>,
    now: Moment,
) -> Result<Result<(), String>, JournalError> {
    let tx = fold.views.tx;
    let workspace = db::journal::meta(tx, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
    let Some(workspace) = workspace else { return Err(JournalError::NoWorkspace) };
    let checked = match check(entry, head, workspace) {
        Ok(checked) => checked,
        Err(fault) => return Ok(Err(fault)),
    };
    let Checked { body, key, hash } = checked;
    if body.at.ms > now.0.saturating_add(FUTURE_MS_MAX) {
        let words = format!(
            "from the future: its clock shows {}, ours {}; check both",
            body.at.moment().minute(),
            now.minute()
        );
        return Ok(Err(words));
    }
    for PendingRow { entry: other, .. } in db::journal::pending(tx, entry.replica, entry.seq)? {
        let forks = other.body != entry.body && is_signed_by_chain(tx, &other)?;
        if forks && !is_founding(tx, entry) && !leads_to_pin(fold, entry)? {
            return Ok(Err(FORK.to_owned()));
        }
    }
    db::journal::delete_pending(tx, entry)?;
    db::journal::insert_entry(tx, entry)?;
    let row = ReplicaRow {
        replica: entry.replica,
        key,
        head_seq: entry.seq,
        head_hash: hash,
        at: body.at,
    };
    db::journal::set_replica(tx, &row)?;
    fold.entry(&body, hash)?;
    drop_strays(tx, &body)?;
    Ok(Ok(()))
}

/// Forgets the payloads that arrived for events of an entry which, now that it is here, names none.
fn drop_strays(tx: &Transaction<'_>, body: &Body) -> Result<(), JournalError> {
    for event in db::payload::events_of(tx, body.replica, body.seq)? {
        let names_one =
            body.events.get(event.n as usize).is_some_and(|raw| payload_of(raw.get()).is_some());
        if !names_one {
            db::payload::delete(tx, event)?;
        }
    }
    Ok(())
}
