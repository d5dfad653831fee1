//! `door.closed`: a key lets nobody in any more.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::door::Door;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoorClosed {
    pub name: String,
    /// The key's fingerprint.
    pub key: String,
}

impl Event for DoorClosed {
    const KIND: &'static str = "door.closed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("door", &self.key, 2, &None::<Door>, stamp)
    }
}
