//! `labels.exported`: somebody who reviews nothing took out everything, also what reviewers who may
//! still label a case are not shown. That they may is a matter of their role; that they did is here.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelsExported {
    /// `labels` or `cases`.
    pub rows: String,
    pub format: String,
}

impl Event for LabelsExported {
    const KIND: &'static str = "labels.exported";
    const ROLES: Option<&'static [Role]> =
        Some(&[Role::Lead, Role::Engineer, Role::Auditor, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("export", &stamp.author, 1, &self, stamp)
    }
}
