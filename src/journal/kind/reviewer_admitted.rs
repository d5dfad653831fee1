//! `reviewer.admitted`: a lead lets a person, on a device, act in some roles.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::ReplicaId;
use crate::domain::roster::{Profile, Role, RosterChange, is_name};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewerAdmitted {
    pub name: String,
    pub roles: Vec<Role>,
    /// The device whose key may sign in this name.
    pub replica: ReplicaId,
    /// How much of the work they take; the latest that says so counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl Event for ReviewerAdmitted {
    const KIND: &'static str = "reviewer.admitted";
    const VERSION: u32 = 2;
    /// A lead may; [`crate::domain::roster::settle`] sees to it.
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (!is_name(&self.name))
            .then(|| "a name is 1 to 40 letters, digits, `.`, `_` or `-`".to_owned())
    }

    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        let Self { name, roles, replica, profile } = self.clone();
        Some(RosterChange::Admitted { name, roles, replica, profile })
    }

    fn fold(self, _fold: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        Ok(())
    }
}
