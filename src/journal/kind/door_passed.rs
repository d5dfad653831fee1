//! `door.passed`: a person came in over SSH. What they write until they leave names it.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::EventId;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoorPassed {
    pub name: String,
    /// The fingerprint of the key that they came with.
    pub key: String,
    /// From where: their address.
    pub client: String,
    /// The certificate by which that key let them in, and whose word it is; none where a door of the key
    /// itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// How somebody came in over SSH.
#[derive(Debug, Clone)]
pub struct Visit {
    pub passed: DoorPassed,
    /// Its event: none as long as the disk has no room for it.
    pub event: Option<EventId>,
}

impl Event for DoorPassed {
    const KIND: &'static str = "door.passed";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.name != stamp.author).then(|| "who came in writes it themselves".to_owned())
    }

    fn fold(self, _views: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        Ok(())
    }
}
