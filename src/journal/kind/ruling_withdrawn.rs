//! `ruling.withdrawn`: a ruling counts no more. It stays in the journal and in the case's history.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::arbitration::Act;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulingWithdrawn {
    pub case: CaseId,
    /// The event that ruled.
    pub ruling: EventId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Event for RulingWithdrawn {
    const KIND: &'static str = "ruling.withdrawn";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.arbitrated(self.case, Act::Withdrew { ruling: self.ruling, why: self.why }, stamp)
    }
}
