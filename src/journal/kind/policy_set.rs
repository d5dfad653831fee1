//! `policy.set`: how the team works from now on. The latest one counts, for old cases too.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::policy::Policy;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySet {
    pub policy: Policy,
}

impl Event for PolicySet {
    const KIND: &'static str = "policy.set";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        let Policy { overlap, limit, .. } = self.policy;
        (overlap == 0 || limit < overlap)
            .then(|| "overlap is at least 1, and limit at least overlap".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("policy", "policy", 1, &self, stamp)?;
        views.policy_changed()
    }
}
