//! `label.withdrawn`: a label no longer counts. It stays in the journal and in the case's history.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::label::{self, Withdrawal, Withdrawn};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelWithdrawn {
    pub case: CaseId,
    /// The event that gave the label.
    pub label: EventId,
    /// Whose label it is. If it is another's, the withdrawal has no effect.
    pub reviewer: String,
}

impl Event for LabelWithdrawn {
    const KIND: &'static str = "label.withdrawn";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Reviewer, Role::Lead, Role::Agent]);

    fn objection(&self, stamp: &EventContext, roles: &[Role]) -> Option<String> {
        let another = self.reviewer != stamp.author && !roles.contains(&Role::Lead);
        another.then(|| format!("{} may not withdraw a label of {}", stamp.author, self.reviewer))
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let by = Withdrawal { by: stamp.author.clone(), at: stamp.at };
        let what = Withdrawn { label: self.label, case: self.case, reviewer: &self.reviewer };
        views.change_case(self.case, |views| label::withdraw(views.tx, what, &by, stamp.event))
    }
}
