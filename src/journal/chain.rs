//! Chains: appending to our own, linking in entries of others.
//!
//! [`Writer`] appends entries of this replica. Append and fold are one transaction, and what was shown as
//! saved is on disk. [`deliver`] takes an entry from anywhere: it is linked in if it is the next of its
//! chain and everything about it is right, and otherwise waits in `journal_pending` with the reason, so
//! that nothing that arrives is lost and nothing that is wrong counts.

use rusqlite::Transaction;
use serde_json::value::RawValue;

use super::blob::Packed;
use super::entry::{BODY_VERSION, Body, hash};
use super::fold::Fold;
use super::kind::{Event, ReplicaJoined, encode};
use super::{DeviceKey, JournalError, sshsig};
use crate::db::journal::{EntryRow, PendingRow, ReplicaRow};
use crate::db::{self, Db};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::time::{Hlc, Moment};

/// One event to append, with its payload if it names one and the text that search will find it by.
pub struct Append {
    raw: Box<RawValue>,
    payload: Option<(Packed, String)>,
}

impl Append {
    pub fn new<E: Event>(event: &E) -> Self {
        Self { raw: encode(event), payload: None }
    }

    pub fn with_payload<E: Event>(event: &E, payload: Packed, text: String) -> Self {
        Self { raw: encode(event), payload: Some((payload, text)) }
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
    pub fn new(tx: &'t Transaction<'c>, key: &'t DeviceKey) -> Result<Self, JournalError> {
        let workspace = db::journal::meta(tx, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
        let head = db::journal::replica(tx, key.replica())?;
        Ok(Self { tx, fold: Fold::new(tx)?, key, workspace, head, latest: db::journal::latest(tx)? })
    }

    /// Appends one entry. Fails, to be rolled back, if any of its events would not count.
    pub fn append(&mut self, author: &str, events: Vec<Append>, now: Moment) -> Result<Appended, JournalError> {
        let replica = self.key.replica();
        let (seq, prev) = match &self.head {
            Some(head) => (head.head_seq + 1, head.head_hash.to_string()),
            None => (1, String::new()),
        };
        let at = self.latest.next(now);
        let mut raws = Vec::with_capacity(events.len());
        for (n, event) in events.into_iter().enumerate() {
            if let Some((packed, text)) = event.payload {
                let id = EventId { replica, seq, n: n as u32 };
                db::payload::insert(self.tx, &packed.into_row(id))?;
                self.fold.offer_text(id, text);
            }
            raws.push(event.raw);
        }
        let workspace = self.workspace.map(|id| id.to_string()).unwrap_or_default();
        let body = Body { v: BODY_VERSION, workspace, replica, seq, prev, at, author: author.to_owned(), events: raws };
        let bytes = body.to_bytes();
        let hash = hash(&bytes);
        if self.workspace.is_none() {
            db::journal::set_meta(self.tx, "workspace", &hash.0)?;
            self.workspace = Some(hash);
        }
        let signature = self.key.sign(&bytes);
        db::journal::insert_entry(self.tx, &EntryRow { replica, seq, body: bytes, signature })?;
        let head = ReplicaRow { replica, key: self.key.public(), head_seq: seq, head_hash: hash, at };
        db::journal::set_replica(self.tx, &head)?;
        self.head = Some(head);
        self.latest = at;
        if let Some((_, reason)) = self.fold.entry(&body, hash)?.into_iter().next() {
            return Err(JournalError::NotAllowed { author: author.to_owned(), reason });
        }
        Ok(Appended { seq, hash, at, replica })
    }

    /// Must be called before the transaction commits.
    pub fn finish(mut self) -> Result<(), JournalError> {
        self.fold.finish()
    }
}

/// Appends one entry in a transaction of its own; when it returns, the entry is on disk.
pub fn append(db: &mut Db, key: &DeviceKey, author: &str, events: Vec<Append>, now: Moment) -> Result<Appended, JournalError> {
    append_and(db, key, author, events, now, |_| Ok(()))
}

/// Like [`append`], with something else in the same transaction.
pub fn append_and(
    db: &mut Db,
    key: &DeviceKey,
    author: &str,
    events: Vec<Append>,
    now: Moment,
    also: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Appended, JournalError> {
    let path = db.path().to_owned();
    let tx = db.begin()?;
    let mut writer = Writer::new(&tx, key)?;
    let appended = writer.append(author, events, now)?;
    writer.finish()?;
    also(&tx)?;
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
}

/// Takes in one entry of any replica. The payloads it names may be inserted before or after.
pub fn deliver(fold: &mut Fold<'_, '_>, entry: EntryRow) -> Result<Delivered, JournalError> {
    let tx = fold.tx;
    let head = db::journal::replica(tx, entry.replica)?;
    let head_seq = head.as_ref().map_or(0, |head| head.head_seq);
    if entry.seq <= head_seq {
        let known = db::journal::entry(tx, entry.replica, entry.seq)?;
        if known.is_some_and(|known| known.body == entry.body) {
            return Ok(Delivered::Known);
        }
        return wait(fold, entry, "fork: another entry with this number is in the chain");
    }
    if entry.seq > head_seq + 1 {
        return wait(fold, entry, GAP);
    }
    if let Err(fault) = link(fold, &entry, head.as_ref())? {
        return wait(fold, entry, &fault);
    }
    db::journal::delete_pending(tx, &entry)?;
    let mut added = 1;
    let replica = entry.replica;
    'chain: while let Some(head) = db::journal::replica(tx, replica)? {
        for PendingRow { entry, .. } in db::journal::pending(tx, replica, head.head_seq + 1)? {
            if link(fold, &entry, Some(&head))?.is_ok() {
                db::journal::delete_pending(tx, &entry)?;
                added += 1;
                continue 'chain;
            }
        }
        break;
    }
    Ok(Delivered::Added(added))
}

const GAP: &str = "gap: an entry before this one is missing";

fn wait(fold: &mut Fold<'_, '_>, entry: EntryRow, fault: &str) -> Result<Delivered, JournalError> {
    let row = PendingRow { fault: fault.to_owned(), entry };
    // A bad copy must not stand in the way of a good one with the same body.
    let name = Hash::of(&[row.entry.body.as_slice(), &row.entry.signature].concat());
    db::journal::insert_pending(fold.tx, name, &row)?;
    Ok(Delivered::Waits(fault.to_owned()))
}

/// Links an entry in as the next of its chain, if everything about it is right.
fn link(fold: &mut Fold<'_, '_>, entry: &EntryRow, head: Option<&ReplicaRow>) -> Result<Result<(), String>, JournalError> {
    let tx = fold.tx;
    let workspace = db::journal::meta(tx, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
    let Some(workspace) = workspace else { return Err(JournalError::NoWorkspace) };
    let checked = match check(entry, head, workspace) {
        Ok(checked) => checked,
        Err(fault) => return Ok(Err(fault)),
    };
    db::journal::insert_entry(tx, entry)?;
    let Checked { body, key, hash } = checked;
    let row = ReplicaRow { replica: entry.replica, key, head_seq: entry.seq, head_hash: hash, at: body.at };
    db::journal::set_replica(tx, &row)?;
    fold.entry(&body, hash)?;
    Ok(Ok(()))
}

/// An entry about which everything is right.
pub(super) struct Checked {
    pub body: Body,
    pub key: [u8; 32],
    pub hash: Hash,
}

/// Checks an entry as the one after `head`. The fault is what is wrong with it, in words.
pub(super) fn check(entry: &EntryRow, head: Option<&ReplicaRow>, workspace: Hash) -> Result<Checked, String> {
    let body = Body::parse(&entry.body).ok_or("the body cannot be read")?;
    if (body.replica, body.seq) != (entry.replica, entry.seq) {
        return Err(format!("the body says it is entry {} of {}", body.seq, body.replica));
    }
    let hash = hash(&entry.body);
    let in_workspace = if body.workspace.is_empty() { hash == workspace } else { body.workspace == workspace.to_string() };
    if !in_workspace {
        return Err("it belongs to another workspace".to_owned());
    }
    let (key, prev) = match head {
        Some(head) => (head.key, head.head_hash.to_string()),
        None => (joining_key(&body).ok_or("the chain does not begin with replica.joined")?, String::new()),
    };
    if ReplicaId::of_key(&key) != entry.replica {
        return Err("the chain is signed by a key that is not its own".to_owned());
    }
    if body.prev != prev {
        return Err("the hash of the entry before it is not the one it names".to_owned());
    }
    if !sshsig::verify(&key, &entry.body, &entry.signature) {
        return Err("the signature is not good".to_owned());
    }
    if head.is_some_and(|head| body.at <= head.at) {
        return Err("its clock is not after the entry before it".to_owned());
    }
    Ok(Checked { body, key, hash })
}

fn joining_key(body: &Body) -> Option<[u8; 32]> {
    let joined = body.events.iter().find_map(|raw| {
        let head: super::kind::Head<'_> = serde_json::from_str(raw.get()).ok()?;
        if head.kind != ReplicaJoined::KIND {
            return None;
        }
        serde_json::from_str::<ReplicaJoined>(raw.get()).ok()
    })?;
    Some(joined.key.0)
}
