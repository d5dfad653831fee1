//! The format of an entry's body.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::time::{Hlc, Moment};

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
    /// What the wall clock showed, where `at` is far ahead of it: some device's clock was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<Moment>,
    pub author: String,
    /// The `door.passed` by which its author came, where the workspace is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<EventId>,
    pub events: Vec<Box<RawValue>>,
}

/// So far ahead of the wall clock an entry says what that showed.
pub const WALL_MS: i64 = 60_000;

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

/// Where, when and by whom an event was written.
#[derive(Debug, Clone, PartialEq)]
pub struct EventContext {
    pub event: EventId,
    pub at: Hlc,
    /// What the wall clock showed, where that is not `at`.
    pub wall: Option<Moment>,
    pub author: String,
    /// Whether it stands in the entry that founded the workspace.
    pub founding: bool,
}

impl EventContext {
    /// Of an event in an entry.
    pub fn of(body: &Body, event: EventId, founding: bool) -> Self {
        let author = body.author.clone();
        Self { event, at: body.at, wall: body.wall, author, founding }
    }

    /// Which event it was, when, and by whom, as rows of views have it.
    pub fn of_row(&self) -> (EventId, Hlc, &str) {
        (self.event, self.at, &self.author)
    }
}
