//! `nudge.sent`: somebody was told what they owe. Nobody is told of the same thing again, from
//! whatever device.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NudgeSent {
    pub to: String,
    /// `print`, `webhook`, `command` or `mail`.
    pub by: String,
    /// What they were told of, each as the beginning of its hash.
    pub items: Vec<String>,
}

impl Event for NudgeSent {
    const KIND: &'static str = "nudge.sent";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("nudge", &self.to, 1, &self, stamp)
    }
}
