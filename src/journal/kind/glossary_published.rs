//! `glossary.published`: the terms that questions and reviewers use.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::glossary::Glossary;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlossaryPublished {
    pub version: u32,
    /// The TOML as its author wrote it.
    pub source: String,
    /// What changed, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changes: String,
}

impl Event for GlossaryPublished {
    const KIND: &'static str = "glossary.published";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        Glossary::parse(&self.source).err().map(|_| "the glossary does not check".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("glossary", "glossary", self.version, &self, stamp)
    }
}
