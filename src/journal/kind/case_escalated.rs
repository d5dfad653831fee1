//! `case.escalated`: a reviewer asks a lead to look at a case.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note::{self, NoteKind, NoteRow};
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::journal::entry::Stamp;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseEscalated {
    pub case: CaseId,
    pub text: String,
}

impl Event for CaseEscalated {
    const KIND: &'static str = "case.escalated";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Reviewer]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        let (author, text) = (stamp.author.clone(), self.text);
        let kind = NoteKind::Escalated;
        note::insert(
            views.tx,
            &NoteRow {
                id: self.case,
                event: stamp.event,
                at: stamp.at,
                kind,
                author,
                text,
                until: None,
                question: None,
                session: None,
            },
        )
    }
}
