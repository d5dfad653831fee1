//! `payload.erased`: a case's input, logs and neighbours are to be forgotten everywhere. The case, its labels
//! and the hash of what was erased stay; the hash is salted, and the salt goes with the payload.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::journal::fold::{Fold, Stamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayloadErased {
    pub case: CaseId,
    pub reason: String,
}

impl Event for PayloadErased {
    const KIND: &'static str = "payload.erased";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, fold: &mut Fold<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        fold.erase(self.case, &self.reason, stamp)
    }
}
