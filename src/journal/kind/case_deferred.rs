//! `case.deferred`: a reviewer puts a case off, for themselves, until a time.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note::{self, NoteKind, NoteRow};
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::Stamp;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseDeferred {
    pub case: CaseId,
    pub text: String,
    pub until: Moment,
}

impl Event for CaseDeferred {
    const KIND: &'static str = "case.deferred";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Reviewer]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        let (author, text) = (stamp.author.clone(), self.text);
        let kind = NoteKind::Deferred;
        note::insert(
            views.tx,
            &NoteRow {
                id: self.case,
                event: stamp.event,
                at: stamp.at,
                kind,
                author,
                text,
                until: Some(self.until),
                question: None,
                session: None,
            },
        )
    }
}
