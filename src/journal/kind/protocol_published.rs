//! `protocol.published`: a version of a protocol, with all it needs to be walked forever.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::renames;
use crate::domain::protocol::{self, Fault, LabelName, Protocol, VersionRenames};
use crate::domain::roster::Role;
use crate::journal::fold::{Fold, Stamp};

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
}

impl ProtocolPublished {
    pub fn new(protocol: &Protocol, version: u32, changes: &str) -> Self {
        Self {
            id: protocol.id.clone(),
            version,
            changes: changes.to_owned(),
            source: protocol.source.clone(),
            labels: protocol.labels.iter().map(LabelName::line).collect(),
        }
    }

    /// The protocol, parsed and checked again.
    pub fn protocol(&self) -> Result<Protocol, Vec<Fault>> {
        protocol::parse(&self.source, Some(&self.labels.join("\n")))
    }
}

impl Event for ProtocolPublished {
    const KIND: &'static str = "protocol.published";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &Stamp, _roles: &[Role]) -> Option<String> {
        let fault = match self.protocol() {
            Ok(protocol) if protocol.id != self.id => "it says another id than its source".to_owned(),
            Ok(_) => return None,
            Err(faults) => faults.first().map(|fault| fault.message.clone()).unwrap_or_default(),
        };
        Some(format!("the protocol `{}` does not check: {fault}", self.id))
    }

    fn fold(self, fold: &mut Fold<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        let name = self.id.clone();
        fold.document("protocol", &name, self.version, &self, stamp)?;
        let Ok(protocol) = self.protocol() else { return Ok(()) };
        if protocol.renames.labels.is_empty() {
            return Ok(());
        }
        let fields = protocol.label_fields().into_iter().map(str::to_owned).collect();
        let renamed = VersionRenames { protocol: name, version: self.version, fields, labels: protocol.renames.labels };
        renames::insert(fold.tx, stamp.event, &renamed)?;
        fold.labels_renamed()
    }
}
