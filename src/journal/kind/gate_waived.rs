//! `gate.waived`: a lead lets a run pass that its gate did not. It stays visible.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateWaived {
    pub run: String,
    /// The gate, by its hash.
    pub gate: Hash,
    pub reason: String,
}

impl Event for GateWaived {
    const KIND: &'static str = "gate.waived";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("gate waived", &self.run.clone(), 1, &self, stamp)
    }
}
