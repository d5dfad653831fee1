//! `gold.set`: the right answer to a case, for training and for measuring. The latest one counts.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, ProtocolRef, Step};
use crate::domain::roster::Role;
use crate::domain::training::Gold;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct GoldSet {
    #[serde(flatten)]
    pub gold: Gold,
    /// It is gold no longer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

/// As it is read: `flatten` can't read numbers that keep their digits.
#[derive(Deserialize)]
struct Written {
    case: CaseId,
    protocol: ProtocolRef,
    path: Vec<Step>,
    outcome: Outcome,
    #[serde(default)]
    why: String,
    #[serde(default)]
    dropped: bool,
}

impl From<Written> for GoldSet {
    fn from(written: Written) -> Self {
        let Written { case, protocol, path, outcome, why, dropped } = written;
        Self { gold: Gold { case, protocol, path, outcome, why }, dropped }
    }
}

impl Event for GoldSet {
    const KIND: &'static str = "gold.set";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let (case, name) = (self.gold.case, self.gold.case.to_string());
        // The model is not heard where its case measures.
        views.change_case(case, |views| views.document("gold", &name, 1, &self, stamp))
    }
}
