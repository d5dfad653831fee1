//! `audit.signed`: somebody held labels against what came of them, and signs what they found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditSigned {
    /// What was looked at: `outcomes`.
    pub scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// The last entry of each chain that was looked at.
    pub frontier: BTreeMap<String, u64>,
    /// How many of each kind were found, and the findings themselves.
    pub found: BTreeMap<String, u64>,
    pub findings: Vec<serde_json::Value>,
}

impl Event for AuditSigned {
    const KIND: &'static str = "audit.signed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Auditor]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("audit", &self.scope.clone(), 1, &self, stamp)
    }
}
