//! `consensus.estimated`: what a model of truth found out about the reviewers. The latest of each
//! model counts.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::estimate::Estimate;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsensusEstimated(pub Estimate);

impl Event for ConsensusEstimated {
    const KIND: &'static str = "consensus.estimated";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        let habits = self
            .0
            .reviewers
            .values()
            .flat_map(|habits| habits.values().flat_map(|row| row.values()));
        let share = |share: &f64| (0.0..=1.0).contains(share);
        let sound = self.0.paths.as_ref().is_none_or(|paths| paths.is_sound());
        (!sound || !self.0.priors.values().chain(habits).all(share))
            .then(|| "shares lie between 0 and 1".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("estimate", &self.0.model, 1, &self, stamp)?;
        views.estimate_changed()
    }
}
