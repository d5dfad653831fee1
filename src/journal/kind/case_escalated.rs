//! `case.escalated`: a reviewer asks a lead to look at a case.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note::{self, NoteKind, NoteRow};
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseEscalated {
    pub case: CaseId,
    pub text: String,
    /// Whether the case was settled in the eyes of whoever asks. Only written where true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

impl Event for CaseEscalated {
    const KIND: &'static str = "case.escalated";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Reviewer]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let said = NoteRow::new(self.case, stamp.of_row(), NoteKind::Escalated, self.text);
        note::insert(views.tx, &NoteRow { settled: self.settled, ..said })
    }
}
