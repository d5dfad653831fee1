//! The key of this device. It signs entries and never leaves the workspace's directory.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;

use super::{JournalError, sshsig};
use crate::domain::ids::ReplicaId;

const HEADER: &str = "casework device key: keep it secret, copy it nowhere";

/// An ed25519 key pair and the replica it makes.
pub struct DeviceKey {
    signing: SigningKey,
}

impl DeviceKey {
    /// The key with this seed. Whoever knows the seed can sign.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { signing: SigningKey::from_bytes(&seed) }
    }

    /// Writes the key to a new file that only its owner may read.
    pub fn save_new(&self, path: &Path) -> Result<(), JournalError> {
        let failed = |error| JournalError::Key(path.display().to_string(), error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        writeln!(file, "{HEADER}\n{}", STANDARD.encode(self.signing.to_bytes())).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    pub fn load(path: &Path) -> Result<Self, JournalError> {
        let text = fs::read_to_string(path)
            .map_err(|error| JournalError::Key(path.display().to_string(), error))?;
        let malformed = || JournalError::KeyFormat(path.display().to_string());
        let line = text.lines().nth(1).ok_or_else(malformed)?;
        let seed = STANDARD
            .decode(line.trim())
            .ok()
            .and_then(|seed| seed.try_into().ok())
            .ok_or_else(malformed)?;
        Ok(Self::from_seed(seed))
    }

    pub fn public(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    pub fn replica(&self) -> ReplicaId {
        ReplicaId::of_key(&self.public())
    }

    /// The secret half as a number of the curve, for encryption.
    pub(super) fn scalar(&self) -> [u8; 32] {
        self.signing.to_scalar_bytes()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        sshsig::sign(&self.signing, message)
    }
}
