//! The workspace's secrets: age keys that devices of the roster share, each sealed to every
//! device's own key.
//!
//! A device's age key is its ed25519 key on the other form of the curve, as `ssh-to-age` does it;
//! so a device needs no second key, and stock `age` can open what is sealed to it.

use std::str::FromStr;

use age::x25519::{Identity, Recipient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bech32::{Bech32, Hrp};
use rusqlite::Connection;

use super::kind::{ReplicaJoined, SecretShared};
use super::{DeviceKey, JournalError};
use crate::db::document;
use crate::domain::ids::ReplicaId;

/// A secret that this device can open.
#[derive(Clone)]
pub struct Secret {
    identity: Identity,
    pub recipient: String,
}

impl Secret {
    /// A new one, that nobody knows yet.
    pub fn new() -> Self {
        let identity = Identity::generate();
        let recipient = identity.to_public().to_string();
        Self { identity, recipient }
    }

    fn parse(text: &str) -> Option<Self> {
        let identity = Identity::from_str(text.trim()).ok()?;
        let recipient = identity.to_public().to_string();
        Some(Self { identity, recipient })
    }

    pub fn encrypt(&self, bytes: &[u8]) -> Result<Vec<u8>, JournalError> {
        age::encrypt(&self.identity.to_public(), bytes)
            .map_err(|error| JournalError::Seal(error.to_string()))
    }

    pub fn decrypt(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        age::decrypt(&self.identity, bytes).ok()
    }

    /// A key for other uses than encryption, that only those who know the secret can compute.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        use age::secrecy::ExposeSecret as _;
        blake3::derive_key(purpose, self.identity.to_string().expose_secret().as_bytes())
    }

    /// The event that gives the secret to devices, by their public keys.
    pub fn shared_with<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k [u8; 32]>,
    ) -> Result<SecretShared, JournalError> {
        use age::secrecy::ExposeSecret as _;
        let mut sealed = std::collections::BTreeMap::new();
        for key in keys {
            let recipient = recipient_of(key)
                .ok_or_else(|| JournalError::Seal("a device's key is not a key".to_owned()))?;
            let bytes =
                age::encrypt(&recipient, self.identity.to_string().expose_secret().as_bytes())
                    .map_err(|error| JournalError::Seal(error.to_string()))?;
            sealed.insert(ReplicaId::of_key(key), STANDARD.encode(bytes));
        }
        Ok(SecretShared { recipient: self.recipient.clone(), sealed })
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new()
    }
}

/// The secrets that were shared with this device, the first shared first.
pub fn known(conn: &Connection, key: &DeviceKey) -> Result<Vec<Secret>, JournalError> {
    let Some(own) = identity_of(key) else { return Ok(Vec::new()) };
    let shared: Vec<SecretShared> = document::of_kind(conn, "secret")?
        .into_iter()
        .rev()
        .filter_map(|row| serde_json::from_str(&row.body).ok())
        .collect();
    // What this device's earlier key could open.
    let name = key.replica().to_string();
    let joined = document::of_kind(conn, "replica")?.into_iter().filter(|row| row.name == name);
    let carried: Vec<SecretShared> = joined
        .filter_map(|row| serde_json::from_str::<ReplicaJoined>(&row.body).ok())
        .flat_map(|joined| joined.secrets)
        .collect();
    let mut found: Vec<Secret> = Vec::new();
    // Only those count that somebody who may do so has made the workspace's.
    for recipient in shared.iter().map(|shared| &shared.recipient) {
        if found.iter().any(|other| other.recipient == *recipient) {
            continue;
        }
        let of_it = shared.iter().chain(&carried).filter(|shared| shared.recipient == *recipient);
        let opened = of_it
            .filter_map(|shared| open(shared, &own, key))
            .find(|secret| secret.recipient == *recipient);
        found.extend(opened);
    }
    Ok(found)
}

fn open(shared: &SecretShared, own: &Identity, key: &DeviceKey) -> Option<Secret> {
    let sealed = STANDARD.decode(shared.sealed.get(&key.replica())?).ok()?;
    let text = String::from_utf8(age::decrypt(own, &sealed).ok()?).ok()?;
    Secret::parse(&text)
}

/// Devices to which a secret was given.
pub fn holders(conn: &Connection, recipient: &str) -> Result<Vec<ReplicaId>, JournalError> {
    let shared = document::of_kind(conn, "secret")?.into_iter().filter(|row| row.name == recipient);
    Ok(shared
        .filter_map(|row| serde_json::from_str::<SecretShared>(&row.body).ok())
        .flat_map(|shared| shared.sealed.into_keys())
        .collect())
}

/// The public key that a replica showed when it joined.
pub fn public_key(conn: &Connection, replica: ReplicaId) -> Result<Option<[u8; 32]>, JournalError> {
    let name = replica.to_string();
    let joined = document::of_kind(conn, "replica")?.into_iter().find(|row| row.name == name);
    Ok(joined
        .and_then(|row| serde_json::from_str::<ReplicaJoined>(&row.body).ok())
        .map(|joined| joined.key.0))
}

fn recipient_of(public: &[u8; 32]) -> Option<Recipient> {
    let point = ed25519_dalek::VerifyingKey::from_bytes(public).ok()?.to_montgomery();
    let text = bech32::encode::<Bech32>(Hrp::parse("age").ok()?, point.as_bytes()).ok()?;
    Recipient::from_str(&text).ok()
}

fn identity_of(key: &DeviceKey) -> Option<Identity> {
    let text =
        bech32::encode_upper::<Bech32>(Hrp::parse("age-secret-key-").ok()?, &key.scalar()).ok()?;
    Identity::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reaches_those_it_is_sealed_to_and_no_others() {
        let (ana, bo) = (DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32]));
        let secret = Secret::new();
        let shared = secret.shared_with([&ana.public()]).unwrap();
        let sealed = STANDARD.decode(&shared.sealed[&ana.replica()]).unwrap();
        let opened = age::decrypt(&identity_of(&ana).unwrap(), &sealed).unwrap();
        let same = Secret::parse(std::str::from_utf8(&opened).unwrap()).unwrap();
        let locked = secret.encrypt(b"payload").unwrap();
        assert_eq!(same.decrypt(&locked).as_deref(), Some(&b"payload"[..]));
        assert_eq!(same.derive("x"), secret.derive("x"));
        assert!(age::decrypt(&identity_of(&bo).unwrap(), &sealed).is_err());
    }
}
