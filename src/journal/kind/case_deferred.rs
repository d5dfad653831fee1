//! `case.deferred`: a reviewer puts a case off, for themselves, until a time.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::note::{self, NoteKind, NoteRow};
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
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

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let said = NoteRow::new(self.case, stamp.of_row(), NoteKind::Deferred, self.text);
        note::insert(views.tx, &NoteRow { until: Some(self.until), ..said })
    }
}
