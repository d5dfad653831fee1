//! `workspace.founded`: the first entry of the first chain. Its author is the workspace's first
//! lead.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::{Role, RosterChange};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceFounded {
    /// The team's name.
    pub name: String,
}

impl Event for WorkspaceFounded {
    const KIND: &'static str = "workspace.founded";
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (!stamp.founding).then(|| "only the workspace's first entry founds it".to_owned())
    }

    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        Some(RosterChange::Founded)
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("workspace", "workspace", 1, &self, stamp)
    }
}
