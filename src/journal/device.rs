//! One key after another for the same device: by rotation, or because a copy of the workspace
//! turned up.
//!
//! A replica's chain has one writer. If a workspace was copied, two devices hold the same key, and
//! whatever both of them write would fork the chain. So whichever notices goes on under a new key,
//! for which the old one vouches. What it had written after the last entry that both know is
//! written again under the new key:
//!
//! ```text
//!  old chain   1 ── 2 ── 3 ── 4 ── 5      (the other copy, on the store)
//!                        └─── 4' ─ 5'     (ours, never shared: taken out)
//!  new chain   1 joined, old key vouches ── 2 = 4' ── 3 = 5'
//! ```

use std::collections::HashMap;

use rusqlite::Transaction;
use serde_json::value::RawValue;

use super::blob::Packed;
use super::chain::{Append, By, Writer, retract};
use super::entry::Body;
use super::identity::{self, current};
use super::kind::{
    Event, Head, LabelGiven, LabelSealed, LabelWithdrawn, ReplicaJoined, ReviewerRetired, Vouch,
    encode,
};
use super::{DeviceKey, JournalError, secret};
use crate::db;
use crate::db::journal::EntryRow;
use crate::domain::ids::{EventId, ReplicaId};
use crate::domain::time::Moment;

/// Why a device gets a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The old one is to be used no more.
    Rotated,
    /// Somebody else has it too; what was written after entry `last` is written again.
    Copied { last: u64 },
}

/// Goes on under a new key, inside one transaction; returns how many entries were written again.
/// `owner` is whose device it is; `more` is what they say first. The caller keeps the key's file in
/// step.
pub fn rotate_key(
    tx: &Transaction<'_>,
    old: &DeviceKey,
    new: &DeviceKey,
    owner: &str,
    because: Because,
    more: Vec<Append>,
    now: Moment,
) -> Result<usize, JournalError> {
    if current(tx)?.is_some_and(|replica| replica != old.replica()) {
        return Err(JournalError::StaleKey); // somebody else was quicker
    }
    let chain = db::journal::replica(tx, old.replica())?;
    let (head, head_hash) =
        (chain.as_ref().map_or(0, |head| head.head_seq), chain.map(|head| head.head_hash));
    let known = secret::known(tx, old)?;
    let last = match because {
        Because::Rotated => head,
        Because::Copied { last } => last.min(head),
    };
    let payloads = db::payload::between(tx, old.replica(), last + 1, head)?;
    let payloads: HashMap<EventId, _> = payloads.into_iter().map(|row| (row.event, row)).collect();
    for event in payloads.keys() {
        db::payload::delete(tx, *event)?;
    }
    let entries = retract(tx, old.replica(), last)?;
    identity::become_device(tx, new.replica())?;
    if matches!(because, Because::Copied { .. }) {
        // What we wrote on stores under the old name is others' now, and read like theirs.
        db::store::forget_journal_of(tx, old.replica())?;
    }
    let secrets = known
        .iter()
        .map(|secret| secret::shared_with(secret, [&new.public()]))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<String> = db::roster::all(tx)?
        .into_iter()
        .filter(|grant| grant.replica == old.replica())
        .map(|grant| grant.name)
        .collect();
    names.dedup();
    // Whoever was retired on it vouches for nothing any more.
    let retired: Vec<String> = db::roster::cuts(tx)?
        .into_iter()
        .filter(|((_, replica), _)| *replica == old.replica())
        .map(|((name, _), _)| name)
        .collect();
    names.retain(|name| !retired.contains(name));
    let mut writer = Writer::unchecked(tx, new)?;
    // The owner's comes last: the latest says whose device it is.
    names.retain(|name| name != owner);
    let others = names.len();
    for (n, name) in names.iter().map(String::as_str).chain([owner]).enumerate() {
        let admitted = n < others
            || db::roster::all(tx)?.iter().any(|g| g.replica == old.replica() && g.name == owner);
        // Who only asked to be let in asks with the new key.
        let replaces = Some(Vouch::by(old, name, &new.public()));
        let secrets = if n == others { secrets.clone() } else { Vec::new() };
        let mut events = vec![Append::new(&ReplicaJoined {
            replaces,
            secrets,
            ..ReplicaJoined::new(name, new)
        })];
        if because == Because::Rotated && admitted {
            let retired = ReviewerRetired {
                name: name.to_owned(),
                replica: old.replica(),
                after: last,
                last: head_hash.filter(|_| last == head),
                reason: "the key was rotated".to_owned(),
                heirs: vec![new.replica()],
            };
            events.push(Append::new(&retired));
        }
        writer.append(name, events, now)?;
    }
    if !more.is_empty() {
        writer.append(owner, more, now)?;
    }
    let mut again = Again { payloads, moved: HashMap::new(), new: new.replica() };
    let mut written = 0;
    for entry in &entries {
        written += again.write(entry, &mut writer, now)?;
    }
    writer.finish()?;
    Ok(written)
}

/// Writes entries again under another key.
struct Again {
    payloads: HashMap<EventId, db::payload::PayloadRow>,
    /// Where events stand now.
    moved: HashMap<EventId, EventId>,
    new: ReplicaId,
}

impl Again {
    fn write(
        &mut self,
        entry: &EntryRow,
        writer: &mut Writer<'_, '_>,
        now: Moment,
    ) -> Result<usize, JournalError> {
        let Some(body) = Body::parse(&entry.body) else { return Ok(0) };
        let seq = writer.next_seq();
        let mut events = Vec::new();
        for (n, raw) in body.events.iter().enumerate() {
            let Some(raw) = self.event(raw, body.at.moment()) else { continue };
            let old = EventId { replica: entry.replica, seq: entry.seq, n: n as u32 };
            let new = EventId { replica: self.new, seq, n: events.len() as u32 };
            self.moved.insert(old, new);
            let payload = self.payloads.remove(&old);
            let packed = payload.map(|row| Packed {
                hash: row.hash,
                salt: row.salt,
                dictionary: row.dictionary,
                bytes: row.bytes,
            });
            events.push(Append::raw(raw, packed));
        }
        if events.is_empty() {
            return Ok(0);
        }
        writer.append(By { name: &body.author, visit: body.visit }, events, now)?;
        Ok(1)
    }

    /// The event as it is written now; none if it said who signs the old chain.
    fn event(&self, raw: &RawValue, at: Moment) -> Option<Box<RawValue>> {
        let head: Head<'_> = serde_json::from_str(raw.get()).ok()?;
        match head.kind.as_ref() {
            kind if kind == ReplicaJoined::KIND => None,
            kind if kind == LabelGiven::KIND => {
                let mut given: LabelGiven = serde_json::from_str(raw.get()).ok()?;
                given.0.given_at.get_or_insert(at);
                Some(encode(&given))
            }
            kind if kind == LabelSealed::KIND => {
                let mut sealed: LabelSealed = serde_json::from_str(raw.get()).ok()?;
                sealed.given_at.get_or_insert(at);
                Some(encode(&sealed))
            }
            kind if kind == LabelWithdrawn::KIND => {
                let mut withdrawn: LabelWithdrawn = serde_json::from_str(raw.get()).ok()?;
                withdrawn.label = *self.moved.get(&withdrawn.label).unwrap_or(&withdrawn.label);
                Some(encode(&withdrawn))
            }
            _ => Some(raw.to_owned()),
        }
    }
}
