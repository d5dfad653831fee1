//! `traps.published`: what a team watches its stream with, in versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::domain::traps::TrapFile;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrapsPublished {
    pub version: u32,
    /// The TOML as its author wrote it.
    pub text: String,
    /// BLAKE3 of the text.
    pub hash: Hash,
    /// What changed, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changes: String,
    /// Files of canaries that it names: id, keyed hash of the text, and what is to be said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub canaries: BTreeMap<String, Vec<(String, u64, String)>>,
}

impl Event for TrapsPublished {
    const KIND: &'static str = "traps.published";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        let faults = TrapFile::parse(&self.text).err()?;
        let first = faults.first().map(|fault| fault.message.clone()).unwrap_or_default();
        Some(format!("the traps do not check: {first}"))
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("traps", "traps", self.version, &self, stamp)
    }
}
