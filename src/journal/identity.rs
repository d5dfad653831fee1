//! As whom this device writes: which key may append here, and whether this database is a copy of
//! another.

use rusqlite::{Connection, Transaction};

use super::{DeviceKey, JournalError};
use crate::db;
use crate::domain::ids::ReplicaId;

/// The key that this device signs with, once it is another than its first.
const DEVICE: &str = "device";
/// Set in a copy: whoever opens it to write gets a new key first.
const COPY: &str = "copy";

/// Whether this key may append here.
pub(super) fn may_write(tx: &Transaction<'_>, key: &DeviceKey) -> Result<(), JournalError> {
    if is_copy(tx)? {
        return Err(JournalError::Copy);
    }
    match db::store::setting(tx, DEVICE)? {
        Some(replica) if replica != key.replica().to_string() => Err(JournalError::StaleKey),
        _ => Ok(()),
    }
}

pub fn is_copy(conn: &Connection) -> rusqlite::Result<bool> {
    Ok(db::store::setting(conn, COPY)?.is_some_and(|mark| !mark.is_empty()))
}

/// Marks a database as a copy.
pub fn mark_copy(conn: &Connection) -> rusqlite::Result<()> {
    db::store::set_setting(conn, COPY, "copy")
}

/// The replica that this device writes as, if that was ever changed.
pub fn current(conn: &Connection) -> rusqlite::Result<Option<ReplicaId>> {
    Ok(db::store::setting(conn, DEVICE)?.and_then(|text| text.parse().ok()))
}

/// From now on this device writes as `replica`, and is no copy of another any more.
pub(super) fn become_device(tx: &Transaction<'_>, replica: ReplicaId) -> rusqlite::Result<()> {
    db::store::set_setting(tx, DEVICE, &replica.to_string())?;
    db::store::set_setting(tx, COPY, "")
}
