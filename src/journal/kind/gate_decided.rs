//! `gate.decided`: what a gate said of a run, line by line.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateDecided {
    pub run: String,
    pub gate: String,
    pub hash: Hash,
    pub text: String,
    /// `pass`, `cannot_tell` or `fail`.
    pub verdict: String,
    pub lines: Vec<serde_json::Value>,
    /// Rows of the evaluation that are in the cut, or nearly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leak: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<f64>,
}

impl Event for GateDecided {
    const KIND: &'static str = "gate.decided";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("gate", &self.run.clone(), 1, &self, stamp)
    }
}
