//! `deployment.recorded`: a model answers, somewhere, for a share of what comes.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentRecorded {
    /// A UUID (version 7).
    pub deployment: String,
    pub run: String,
    pub to: String,
    pub share: f64,
    /// What predictions of it carry as `model.version`.
    pub model: String,
    /// What its gate said when it was deployed; none: no gate was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Event for DeploymentRecorded {
    const KIND: &'static str = "deployment.recorded";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("deployment", &self.deployment.clone(), 1, &self, stamp)
    }
}
