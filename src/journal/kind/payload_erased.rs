//! `payload.erased`: a case's input, logs and neighbours are to be forgotten everywhere. The case,
//! its labels and the hash of what was erased stay; the hash is salted, and the salt goes with the
//! payload.
//!
//! Another case may have shown the erased one among its neighbours. Its payload is erased too, and
//! `instead` names one without that neighbour, which stands beside this event.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::{CaseId, Hash};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayloadErased {
    pub case: CaseId,
    pub reason: String,
    /// The payload that takes its place; none if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Hash>,
}

impl Event for PayloadErased {
    const KIND: &'static str = "payload.erased";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn payload(raw: &str) -> Option<Hash> {
        serde_json::from_str::<Self>(raw).ok()?.instead
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.erase(self.case, &self.reason, self.instead, stamp)
    }
}
