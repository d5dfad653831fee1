//! `dataset.withdrawn`: a cut is not to be used any longer. It stays traceable.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetWithdrawn {
    pub cut: Hash,
    pub reason: String,
}

impl Event for DatasetWithdrawn {
    const KIND: &'static str = "dataset.withdrawn";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("cut withdrawn", &self.cut.to_string(), 1, &self, stamp)
    }
}
