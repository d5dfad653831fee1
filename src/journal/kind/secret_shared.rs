//! `secret.shared`: a secret of the workspace, sealed (age) to the keys of devices of the roster.
//! It encrypts payloads in shared stores and makes pseudonyms of what is redacted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::ReplicaId;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecretShared {
    /// The public half: an age recipient, by which the secret is named.
    pub recipient: String,
    /// The secret half for each device: an age file, base64.
    pub sealed: BTreeMap<ReplicaId, String>,
}

impl Event for SecretShared {
    const KIND: &'static str = "secret.shared";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("secret", &self.recipient.clone(), 1, &self, stamp)
    }
}
