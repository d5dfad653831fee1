//! `protocol.published`: a version of a protocol, with all it needs to be walked forever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::renames;
use crate::domain::protocol::{self, Fault, LabelName, Protocol, VersionRenames};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProtocolPublished {
    pub id: String,
    pub version: u32,
    /// What changed since the version before.
    pub changes: String,
    /// The TOML as its author wrote it.
    pub source: String,
    /// What the source's label file held, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Titles of labels that stood in the label file, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub titles: BTreeMap<String, String>,
}

impl ProtocolPublished {
    pub fn new(protocol: &Protocol, version: u32, changes: &str) -> Self {
        Self {
            id: protocol.id.clone(),
            version,
            changes: changes.to_owned(),
            source: protocol.source.clone(),
            labels: protocol.labels.iter().map(|label| label.name.clone()).collect(),
            titles: protocol
                .labels
                .iter()
                .filter(|label| !label.title.is_empty())
                .map(title)
                .collect(),
        }
    }

    /// The protocol, which was checked when it was folded.
    pub fn protocol(&self) -> Result<Protocol, Vec<Fault>> {
        let mut protocol = protocol::parse_published(&self.source, Some(&self.labels.join("\n")))?;
        for label in &mut protocol.labels {
            if let Some(title) = self.titles.get(&label.name) {
                label.title.clone_from(title);
            }
        }
        Ok(protocol)
    }
}

fn title(label: &LabelName) -> (String, String) {
    (label.name.clone(), label.title.clone())
}

impl Event for ProtocolPublished {
    const KIND: &'static str = "protocol.published";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        let fault = match protocol::parse(&self.source, Some(&self.labels.join("\n"))) {
            Ok(protocol) if protocol.id != self.id => {
                "it says another id than its source".to_owned()
            }
            Ok(_) => return None,
            Err(faults) => faults.first().map(|fault| fault.message.clone()).unwrap_or_default(),
        };
        Some(format!("the protocol `{}` does not check: {fault}", self.id))
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.id.clone();
        views.document("protocol", &name, self.version, &self, stamp)?;
        let Ok(protocol) = self.protocol() else { return Ok(()) };
        let by_field = protocol.renames.by_field(&protocol);
        if by_field.is_empty() {
            return Ok(());
        }
        let renamed = VersionRenames { protocol: name, version: self.version, by_field };
        renames::insert(views.tx, stamp.event, &renamed)?;
        views.labels_renamed()
    }
}
