//! `replica.joined`: the first event of a chain (in the founder's, the second). It shows the key that
//! signs the chain and whose device it is. By itself it admits nobody.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::journal::fold::{Fold, Stamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaJoined {
    /// Who uses the device.
    pub name: String,
    /// Its ed25519 public key, 32 bytes.
    pub key: Hash,
}

impl Event for ReplicaJoined {
    const KIND: &'static str = "replica.joined";
    const ROLES: Option<&'static [Role]> = None;

    fn fold(self, fold: &mut Fold<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        let name = stamp.event.replica.to_string();
        fold.document("replica", &name, 1, &self, stamp)
    }
}
