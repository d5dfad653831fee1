//! `door.passed`: a person came in over SSH. What they write until they leave names it.

use serde::{Deserialize, Serialize};

use super::Event;
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
}

impl Event for DoorPassed {
    const KIND: &'static str = "door.passed";
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.name != stamp.author).then(|| "who came in writes it themselves".to_owned())
    }

    fn fold(self, _views: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        Ok(())
    }
}
