//! `guard.raised`: a break, or a second look, was suggested to a reviewer. It is about them, and
//! changes nothing.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuardRaised {
    pub reviewer: String,
    /// `too_fast`, `drifting`, `one_answer` or `no_break`.
    pub guard: String,
    /// What was said.
    pub words: String,
}

impl Event for GuardRaised {
    const KIND: &'static str = "guard.raised";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Reviewer, Role::Lead]);

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.reviewer != stamp.author)
            .then(|| format!("{} may not say that of {}", stamp.author, self.reviewer))
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("guard", &self.reviewer, 1, &self, stamp)
    }
}
