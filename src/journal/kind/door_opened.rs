//! `door.opened`: a lead lets a person come to a served workspace over SSH with a key of theirs. It
//! gives no role: what they may do there the roster says.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::door::{Door, is_network};
use crate::domain::roster::{Role, is_name};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoorOpened {
    #[serde(flatten)]
    pub door: Door,
}

impl Event for DoorOpened {
    const KIND: &'static str = "door.opened";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        if !is_name(&self.door.name) {
            return Some("a name is 1 to 40 letters, digits, `.`, `_` or `-`".to_owned());
        }
        if let Some(from) = self.door.from.iter().find(|from| !is_network(from)) {
            return Some(format!("`{from}` is no address and no network"));
        }
        self.door.key.weakness()
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let fingerprint = self.door.key.fingerprint();
        views.document("door", &fingerprint, 1, &Some(self.door), stamp)
    }
}
