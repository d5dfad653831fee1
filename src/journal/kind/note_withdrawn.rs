//! `note.withdrawn`: somebody takes back a comment, a deferral or an escalation of theirs. The journal
//! keeps both.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteWithdrawn {
    pub case: CaseId,
    /// The event that said it. If it is another's, nothing is taken back.
    pub note: EventId,
}

impl Event for NoteWithdrawn {
    const KIND: &'static str = "note.withdrawn";
    const ROLES: Option<&'static [Role]> =
        Some(&[Role::Lead, Role::Reviewer, Role::Engineer, Role::Auditor, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        note::withdraw(views.tx, self.case, self.note, (stamp.event, stamp.at, &stamp.author))
    }
}
