//! `alarm.closed`: somebody looked into an alarm, and says what it was.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmClosed {
    /// What the alarm is known by.
    pub alarm: String,
    pub note: String,
}

impl Event for AlarmClosed {
    const KIND: &'static str = "alarm.closed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("alarm closed", &self.alarm, 1, &self, stamp)
    }
}
