//! `case.appealed`: somebody who was overruled asks to have a ruling looked at again. Each may once
//! on a case.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::arbitration::Act;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseAppealed {
    pub case: CaseId,
    /// The event that ruled.
    pub ruling: EventId,
    pub why: String,
}

impl Event for CaseAppealed {
    const KIND: &'static str = "case.appealed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Reviewer, Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.arbitrated(self.case, Act::Appealed { ruling: self.ruling, why: self.why }, stamp)
    }
}
