//! `cut.proposed`: something happened on which a team wants to look at a new cut. Nothing is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutProposed {
    /// The same on every device for the same trigger and frontier.
    pub proposal: String,
    pub trigger: String,
    /// The recipe's file, as the trigger names it.
    pub recipe: String,
    pub reason: String,
    pub counts: BTreeMap<String, f64>,
}

impl Event for CutProposed {
    const KIND: &'static str = "cut.proposed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("proposal", &self.proposal.clone(), 1, &self, stamp)
    }
}
