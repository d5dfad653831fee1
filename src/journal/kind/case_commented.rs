//! `case.commented`: somebody said something about a case.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note::{self, NoteKind, NoteRow};
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseCommented {
    pub case: CaseId,
    pub text: String,
    /// The question of the protocol that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The calibration session that it was said in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl CaseCommented {
    /// A comment on the case as a whole, outside of any session.
    pub fn new(case: CaseId, text: String) -> Self {
        Self { case, text, question: None, session: None }
    }
}

impl Event for CaseCommented {
    const KIND: &'static str = "case.commented";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> =
        Some(&[Role::Lead, Role::Reviewer, Role::Engineer, Role::Auditor, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let Self { case, text, question, session } = self;
        let said = NoteRow::new(case, stamp.of_row(), NoteKind::Commented, text);
        note::insert(views.tx, &NoteRow { question, session, ..said })
    }
}
