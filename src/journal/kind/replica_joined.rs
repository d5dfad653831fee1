//! `replica.joined`: the first event of a chain (in the founder's, the second). It shows the key
//! that signs the chain and whose device it is. By itself it admits nobody, unless it takes over
//! from a device of the same person whose key vouches for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Event, SecretShared};
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::roster::{Role, RosterChange};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;
use crate::journal::{DeviceKey, sshsig};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaJoined {
    /// Who uses the device.
    pub name: String,
    /// Its ed25519 public key, 32 bytes.
    pub key: Hash,
    /// The device it takes over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Vouch>,
    /// The person's own SSH key, for leads to compare with what they know. It gives no right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshProof>,
    /// Secrets of the workspace that the old key could open, sealed to the new one. They give this
    /// device what it had, and make no secret of the workspace's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretShared>,
}

/// The old key's word for the new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vouch {
    pub key: Hash,
    /// SSHSIG, base64, over [`Vouch::statement`].
    pub signature: String,
}

impl Vouch {
    pub fn by(old: &DeviceKey, name: &str, new: &[u8; 32]) -> Self {
        let signature = STANDARD.encode(old.sign(Self::statement(name, new).as_bytes()));
        Self { key: Hash(old.public()), signature }
    }

    pub fn statement(name: &str, new: &[u8; 32]) -> String {
        format!("casework device of {name}: {}", sshsig::public_line(new))
    }

    fn is_good(&self, name: &str, new: &[u8; 32]) -> bool {
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        sshsig::verify(&self.key.0, Self::statement(name, new).as_bytes(), &signature)
    }
}

/// A signature by an SSH key of any type over [`SshProof::statement`], as `ssh-keygen -Y sign`
/// makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SshProof {
    /// A line as in a `.pub` file.
    pub key: String,
    /// Armored.
    pub signature: String,
}

impl SshProof {
    /// What the SSH key signs: whose device, which key, in which workspace.
    pub fn statement(workspace: Hash, name: &str, device: &[u8; 32]) -> String {
        format!("casework join {workspace} as {name}: {}\n", sshsig::public_line(device))
    }
}

impl ReplicaJoined {
    /// The device whose key vouches for this one, if it does.
    pub fn vouched_by(&self) -> Option<ReplicaId> {
        let vouch = self.replaces.as_ref()?;
        vouch.is_good(&self.name, &self.key.0).then(|| ReplicaId::of_key(&vouch.key.0))
    }

    pub fn new(name: &str, key: &DeviceKey) -> Self {
        Self {
            name: name.to_owned(),
            key: Hash(key.public()),
            replaces: None,
            ssh: None,
            secrets: Vec::new(),
        }
    }
}

impl Event for ReplicaJoined {
    const KIND: &'static str = "replica.joined";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        if ReplicaId::of_key(&self.key.0) != stamp.event.replica {
            return Some("it shows another key than the one that signs the chain".to_owned());
        }
        let bad =
            self.replaces.as_ref().is_some_and(|vouch| !vouch.is_good(&self.name, &self.key.0));
        bad.then(|| "the old device's signature is not good".to_owned())
    }

    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        let old = ReplicaId::of_key(&self.replaces.as_ref()?.key.0);
        Some(RosterChange::Replaced { name: self.name.clone(), old })
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = stamp.event.replica.to_string();
        views.document("replica", &name, 1, &self, stamp)
    }
}
