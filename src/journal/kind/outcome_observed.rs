//! `outcome.observed`: what turned out to be right, as somebody else's system knows it.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::observed;
use crate::domain::ids::CaseId;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeObserved {
    /// Where it is known from.
    pub source: String,
    pub outcomes: Vec<Observed>,
}

/// Of one prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub case: CaseId,
    pub at: Moment,
    /// The right label; or whether the prediction was right; or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Event for OutcomeObserved {
    const KIND: &'static str = "outcome.observed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        for (place, one) in self.outcomes.into_iter().enumerate() {
            let row = observed::ObservedRow {
                case: one.case,
                source: self.source.clone(),
                at: stamp.at,
                event: stamp.event,
                observed_at: one.at,
                truth: one.truth,
                right: one.right,
                value: one.value,
                note: one.note,
                place,
            };
            observed::insert(views.tx, &row)?;
        }
        Ok(())
    }
}
