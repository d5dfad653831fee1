//! Keys for encryption: those that are made for a purpose, and a device's own.
//!
//! A device's age key is its ed25519 key on the other form of the curve, as `ssh-to-age` does it;
//! so a device needs no second key, and stock `age` can open what is sealed to it.

use std::collections::BTreeMap;
use std::str::FromStr;

use age::x25519::{Identity, Recipient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bech32::{Bech32, Hrp};

use super::{DeviceKey, JournalError};
use crate::domain::ids::ReplicaId;

/// A key pair of which the secret half is known here.
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

    /// From its text, as `age-keygen` writes it.
    pub fn parse(text: &str) -> Option<Self> {
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

    /// Its text, which gives it to whoever reads it.
    pub fn text(&self) -> String {
        use age::secrecy::ExposeSecret as _;
        self.identity.to_string().expose_secret().to_owned()
    }

    /// It for each of these devices, by their public keys: an age file each, base64.
    ///
    /// # Errors
    /// A key that is none.
    pub fn sealed_to<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k [u8; 32]>,
    ) -> Result<BTreeMap<ReplicaId, String>, JournalError> {
        let mut sealed = BTreeMap::new();
        for key in keys {
            let recipient = recipient_of(key)
                .ok_or_else(|| JournalError::Seal("a device's key is not a key".to_owned()))?;
            let bytes = age::encrypt(&recipient, self.text().as_bytes())
                .map_err(|error| JournalError::Seal(error.to_string()))?;
            sealed.insert(ReplicaId::of_key(key), STANDARD.encode(bytes));
        }
        Ok(sealed)
    }

    /// A key for other uses than encryption, that only those who know the secret can compute.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, self.text().as_bytes())
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new()
    }
}

fn unsealed(sealed: &str, own: &Identity) -> Option<Secret> {
    let text = age::decrypt(own, &STANDARD.decode(sealed).ok()?).ok()?;
    Secret::parse(std::str::from_utf8(&text).ok()?)
}

/// A secret from what was sealed to a device.
pub fn opened(sealed: &str, key: &DeviceKey) -> Option<Secret> {
    unsealed(sealed, &identity_of(key)?)
}

pub fn recipient_of(public: &[u8; 32]) -> Option<Recipient> {
    let point = ed25519_dalek::VerifyingKey::from_bytes(public).ok()?.to_montgomery();
    let text = bech32::encode::<Bech32>(Hrp::parse("age").ok()?, point.as_bytes()).ok()?;
    Recipient::from_str(&text).ok()
}

pub fn identity_of(key: &DeviceKey) -> Option<Identity> {
    let text =
        bech32::encode_upper::<Bech32>(Hrp::parse("age-secret-key-").ok()?, &key.scalar()).ok()?;
    Identity::from_str(&text).ok()
}
