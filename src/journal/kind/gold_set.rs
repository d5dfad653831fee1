//! `gold.set`: the right answer to a case, for training and for measuring. The latest one counts.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::domain::training::Gold;
use crate::journal::fold::{Fold, Stamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoldSet {
    #[serde(flatten)]
    pub gold: Gold,
    /// It is gold no longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

impl Event for GoldSet {
    const KIND: &'static str = "gold.set";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, fold: &mut Fold<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        let name = self.gold.case.to_string();
        fold.document("gold", &name, 1, &self, stamp)
    }
}
