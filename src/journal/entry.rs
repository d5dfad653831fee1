//! The format of an entry: its body, and the line that carries it with its signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::db::journal::EntryRow;
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::time::Hlc;

/// Most bytes of one entry's body.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// An entry's body. What is signed and hashed is its bytes as written, never a re-encoding.
#[derive(Debug, Serialize, Deserialize)]
pub struct Body {
    pub v: u32,
    /// The hash of the workspace's first entry; empty in that entry itself.
    pub workspace: String,
    pub replica: ReplicaId,
    /// 1, 2, 3, … in each chain.
    pub seq: u64,
    /// The hash of the previous body; empty in a chain's first entry.
    pub prev: String,
    pub at: Hlc,
    pub author: String,
    pub events: Vec<Box<RawValue>>,
}

/// The version of [`Body`] that is written.
pub const BODY_VERSION: u32 = 1;

impl Body {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let body: Self = serde_json::from_slice(bytes).ok()?;
        (body.v == BODY_VERSION).then_some(body)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The hash by which the next entry, and the workspace's id, name a body.
pub fn hash(body: &[u8]) -> Hash {
    Hash::of(body)
}

/// The journal line: `body TAB base64(signature)`.
pub fn to_line(entry: &EntryRow) -> Vec<u8> {
    let mut line = entry.body.clone();
    line.push(b'\t');
    line.extend_from_slice(STANDARD.encode(&entry.signature).as_bytes());
    line
}

/// Reads a journal line; its replica and number are those that the body names.
pub fn from_line(line: &[u8]) -> Option<EntryRow> {
    let tab = line.iter().rposition(|&byte| byte == b'\t')?;
    let signature = STANDARD.decode(&line[tab + 1..]).ok()?;
    let body = line[..tab].to_vec();
    let Body { replica, seq, .. } = Body::parse(&body)?;
    Some(EntryRow { replica, seq, body, signature })
}
