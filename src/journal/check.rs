//! What makes an entry good, and what it names: for the writer, the one who links in entries of
//! others, and the one who reads everything again.

use super::entry::{Body, hash};
use super::kind::{Event, Head, KINDS, ReplicaJoined};
use super::sshsig::{self, Claim};
use crate::db::journal::{EntryRow, ReplicaRow};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::time::COUNTER_MAX;

/// An entry about which everything is right.
pub(super) struct Checked {
    pub body: Body,
    pub key: [u8; 32],
    pub hash: Hash,
}

pub(super) const BAD_SIGNATURE: &str = "the signature is not good";

/// Checks an entry as the one after `head`. The fault is what is wrong with it, in words.
pub(super) fn check(
    entry: &EntryRow,
    head: Option<&ReplicaRow>,
    workspace: Hash,
) -> Result<Checked, String> {
    let (checked, claim) = check_but_signature(entry, head, workspace)?;
    if claim.holds() { Ok(checked) } else { Err(BAD_SIGNATURE.to_owned()) }
}

/// The same, but for the signature, whose claim is handed back for whoever checks many at once.
pub(super) fn check_but_signature(
    entry: &EntryRow,
    head: Option<&ReplicaRow>,
    workspace: Hash,
) -> Result<(Checked, Claim), String> {
    let (body, hash) = placed(entry, workspace)?;
    let (key, prev) = match head {
        Some(head) => (head.key, head.head_hash.to_string()),
        None => (
            joining_key(&body).ok_or("the chain does not begin with replica.joined")?,
            String::new(),
        ),
    };
    if ReplicaId::of_key(&key) != entry.replica {
        return Err("the chain is signed by a key that is not its own".to_owned());
    }
    if body.prev != prev {
        return Err("the hash of the entry before it is not the one it names".to_owned());
    }
    let claim = sshsig::claim(&key, &entry.body, &entry.signature).ok_or(BAD_SIGNATURE)?;
    if body.at.ms < 0 || body.at.n > COUNTER_MAX {
        return Err("its clock shows a time that no clock shows".to_owned());
    }
    if head.is_some_and(|head| body.at <= head.at) {
        return Err("its clock is not after the entry before it".to_owned());
    }
    Ok((Checked { body, key, hash }, claim))
}

/// The body of an entry that stands where it says it does, and its hash.
fn placed(entry: &EntryRow, workspace: Hash) -> Result<(Body, Hash), String> {
    let body = Body::parse(&entry.body).ok_or("the body cannot be read")?;
    if (body.replica, body.seq) != (entry.replica, entry.seq) {
        // Nothing of what it says stands in the words: there are as many of these as anybody likes.
        return Err("its body says that it stands elsewhere".to_owned());
    }
    let hash = hash(&entry.body);
    let in_workspace = if body.workspace.is_empty() {
        hash == workspace
    } else {
        body.workspace == workspace.to_string()
    };
    if !in_workspace {
        return Err("it belongs to another workspace".to_owned());
    }
    Ok((body, hash))
}

/// Checks what can be said of an entry alone: that it is of this workspace, stands where it says it
/// does, and is signed by the key that its chain is named after.
pub(super) fn authentic(entry: &EntryRow, workspace: Hash) -> Result<(), String> {
    placed(entry, workspace)?;
    let key = sshsig::key_of(&entry.signature).ok_or(BAD_SIGNATURE)?;
    let own = ReplicaId::of_key(&key) == entry.replica;
    if own && sshsig::verify(&key, &entry.body, &entry.signature) {
        Ok(())
    } else {
        Err(BAD_SIGNATURE.to_owned())
    }
}

/// The device whose key vouches for the chain that begins with an entry.
pub fn vouched_by(entry: &EntryRow) -> Option<ReplicaId> {
    let joined = joining(&Body::parse(&entry.body)?)?;
    (ReplicaId::of_key(&joined.key.0) == entry.replica).then(|| joined.vouched_by()).flatten()
}

/// The key with which a chain begins, if this is its first entry.
pub(super) fn joining_key(body: &Body) -> Option<[u8; 32]> {
    joining(body).map(|joined| joined.key.0)
}

fn joining(body: &Body) -> Option<ReplicaJoined> {
    body.events.iter().find_map(|raw| {
        let head: Head<'_> = serde_json::from_str(raw.get()).ok()?;
        if head.kind != ReplicaJoined::KIND {
            return None;
        }
        serde_json::from_str::<ReplicaJoined>(raw.get()).ok()
    })
}

/// The payloads that the events of an entry name.
pub fn named_payloads(entry: &EntryRow) -> Vec<(EventId, Hash)> {
    let Some(body) = Body::parse(&entry.body) else { return Vec::new() };
    let event = |n: usize| EventId { replica: entry.replica, seq: entry.seq, n: n as u32 };
    body.events
        .iter()
        .enumerate()
        .filter_map(|(n, raw)| Some((event(n), payload_of(raw.get())?)))
        .collect()
}

/// The payload that an event names.
pub(super) fn payload_of(raw: &str) -> Option<Hash> {
    let head: Head<'_> = serde_json::from_str(raw).ok()?;
    let kind = KINDS.iter().find(|kind| kind.name == head.kind)?;
    (kind.payload)(raw)
}
