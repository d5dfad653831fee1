//! The workspace's secrets: age keys that devices of the roster share, each sealed to every
//! device's own key.

use rusqlite::Connection;

use super::agekey::{self, Secret};
use super::kind::{ReplicaJoined, SecretShared};
use super::{DeviceKey, JournalError};
use crate::db::document;
use crate::domain::ids::ReplicaId;

/// The secrets that were shared with this device, the first shared first.
pub fn known(conn: &Connection, key: &DeviceKey) -> Result<Vec<Secret>, JournalError> {
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
            .filter_map(|shared| open(shared, key))
            .find(|secret| secret.recipient == *recipient);
        found.extend(opened);
    }
    Ok(found)
}

fn open(shared: &SecretShared, key: &DeviceKey) -> Option<Secret> {
    agekey::opened(shared.sealed.get(&key.replica())?, key)
}

/// The event that gives a secret to devices, by their public keys.
///
/// # Errors
/// A key that is none.
pub fn shared_with<'k>(
    secret: &Secret,
    keys: impl IntoIterator<Item = &'k [u8; 32]>,
) -> Result<SecretShared, JournalError> {
    Ok(SecretShared { recipient: secret.recipient.clone(), sealed: secret.sealed_to(keys)? })
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::agekey::identity_of;
    use super::*;

    #[test]
    fn a_secret_reaches_those_it_is_sealed_to_and_no_others() {
        let (ana, bo) = (DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32]));
        let secret = Secret::new();
        let shared = shared_with(&secret, [&ana.public()]).unwrap();
        let sealed = STANDARD.decode(&shared.sealed[&ana.replica()]).unwrap();
        let opened = age::decrypt(&identity_of(&ana).unwrap(), &sealed).unwrap();
        let same = Secret::parse(std::str::from_utf8(&opened).unwrap()).unwrap();
        let locked = secret.encrypt(b"payload").unwrap();
        assert_eq!(same.decrypt(&locked).as_deref(), Some(&b"payload"[..]));
        assert_eq!(same.derive("x"), secret.derive("x"));
        assert!(age::decrypt(&identity_of(&bo).unwrap(), &sealed).is_err());
    }
}
