//! `reviewer.retired`: what a person writes on a device after one entry of its chain does not
//! count. A lead may say it of anybody, anybody of a device of their own.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::{Hash, ReplicaId, SEQ_MAX};
use crate::domain::roster::{Role, RosterChange};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewerRetired {
    pub name: String,
    pub replica: ReplicaId,
    /// The last entry of that device's chain in which they count; 0: none.
    pub after: u64,
    /// The hash of that entry: another chain that its key wrote, up to the same number, is not what
    /// is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Hash>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Devices that took over from this one rightfully, as the author saw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heirs: Vec<ReplicaId>,
}

impl Event for ReviewerRetired {
    const KIND: &'static str = "reviewer.retired";
    /// [`crate::domain::roster::settle`] decides.
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.after > SEQ_MAX).then(|| "no chain has so many entries".to_owned())
    }

    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        let Self { name, replica, after, last, heirs, .. } = self.clone();
        Some(RosterChange::Retired { name, replica, after, last, heirs })
    }

    fn fold(self, _fold: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        Ok(())
    }
}
