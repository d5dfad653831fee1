//! `reference.set`: what a stream was like when it was as it should be. Its counts are a payload.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceSet {
    pub name: String,
    /// The stream; empty where its rows are of several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stream: String,
    /// When the first and the last of its rows occurred.
    pub from: Moment,
    pub to: Moment,
    pub rows: u64,
    /// Its counts, by their content.
    pub blob: Hash,
}

impl Event for ReferenceSet {
    const KIND: &'static str = "reference.set";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn payload(raw: &str) -> Option<Hash> {
        #[derive(Deserialize)]
        struct Named {
            blob: Hash,
        }
        serde_json::from_str::<Named>(raw).ok().map(|named| named.blob)
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("reference", &self.name, 1, &self, stamp)
    }
}
