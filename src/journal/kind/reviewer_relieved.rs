//! `reviewer.relieved`: roles that a person has no more on a device, after one entry of its chain. What
//! they did in them before stays. A lead may say it of anybody, anybody of themselves. The lead's
//! role is not given again on that device; see [`crate::domain::roster`].

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::{ReplicaId, SEQ_MAX};
use crate::domain::roster::{Role, RosterChange};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewerRelieved {
    pub name: String,
    pub roles: Vec<Role>,
    pub replica: ReplicaId,
    /// The last entry of that device's chain in which the roles count; 0: none.
    pub after: u64,
}

impl Event for ReviewerRelieved {
    const KIND: &'static str = "reviewer.relieved";
    /// [`crate::domain::roster::settle`] decides.
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.after > SEQ_MAX).then(|| "no chain has so many entries".to_owned())
    }

    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        let Self { name, roles, replica, after } = self.clone();
        Some(RosterChange::Relieved { name, roles, replica, after })
    }

    fn fold(self, _fold: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        Ok(())
    }
}
