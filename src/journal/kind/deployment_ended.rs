//! `deployment.ended`: a model answers there no longer.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentEnded {
    pub deployment: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Event for DeploymentEnded {
    const KIND: &'static str = "deployment.ended";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("deployment ended", &self.deployment.clone(), 1, &self, stamp)
    }
}
