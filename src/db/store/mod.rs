//! Rows of what this device knows of the shared store: settings, segments it took in or wrote, how
//! far the store was seen to reach, erasures that the store carried out.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::id_column;
use crate::domain::ids::{EventId, ReplicaId};
use crate::domain::time::Moment;

/// When the last exchange with the shared store went through, in milliseconds since 1970.
pub const LAST_SYNC: &str = "sync.last";

/// How many segments of payloads this device could not read at the last exchange, for want of the
/// key.
pub const LOCKED: &str = "sync.locked";

pub fn setting(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM local_setting WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

pub fn set_setting(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    conn.prepare_cached(sql)?.execute([name, value]).map(drop)
}

/// What is known of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub bytes: u64,
    /// Whether all that stands in it counts.
    pub good: bool,
}

/// Segments that were written or taken in.
pub fn segments(conn: &Connection, store: &str) -> rusqlite::Result<HashMap<String, Known>> {
    let to_row = |row: &Row<'_>| Ok((row.get(0)?, Known { bytes: row.get(1)?, good: row.get(2)? }));
    conn.prepare_cached("SELECT name, bytes, good FROM local_segment WHERE store = ?1")?
        .query_map([store], to_row)?
        .collect()
}

pub fn insert_segment(
    conn: &Connection,
    store: &str,
    name: &str,
    known: Known,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_segment (store, name, bytes, good) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (store, name) DO UPDATE SET bytes = ?3, good = ?4, stranger = 0";
    conn.prepare_cached(sql)?.execute(params![store, name, known.bytes, known.good]).map(drop)
}

/// The same of a segment of whom nobody let in, of which not all was kept.
pub fn insert_segment_of_stranger(
    conn: &Connection,
    store: &str,
    name: &str,
    bytes: u64,
) -> rusqlite::Result<()> {
    insert_segment(conn, store, name, Known { bytes, good: false })?;
    let sql = "UPDATE local_segment SET stranger = 1 WHERE store = ?1 AND name = ?2";
    conn.prepare_cached(sql)?.execute([store, name]).map(drop)
}

/// Every such segment, of every store.
pub fn segments_of_strangers(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    conn.prepare_cached("SELECT store, name FROM local_segment WHERE stranger = 1")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Forgets which segments of a chain were written or taken in: they are read again.
pub fn forget_journal_of(conn: &Connection, replica: ReplicaId) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM local_segment WHERE name GLOB ?1", [format!("journal/{replica}/*")])
        .map(drop)
}

pub fn delete_segment(conn: &Connection, store: &str, name: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM local_segment WHERE store = ?1 AND name = ?2")?
        .execute([store, name])
        .map(drop)
}

/// The last entry of each chain that the store was seen to hold.
pub fn reach(conn: &Connection, store: &str) -> rusqlite::Result<HashMap<ReplicaId, u64>> {
    let to_row = |row: &Row<'_>| {
        Ok((id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?, row.get(1)?))
    };
    conn.prepare_cached("SELECT replica, seq FROM local_reach WHERE store = ?1")?
        .query_map([store], to_row)?
        .collect()
}

pub fn set_reach(
    conn: &Connection,
    store: &str,
    replica: ReplicaId,
    seq: u64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_reach (store, replica, seq) VALUES (?1, ?2, ?3)
               ON CONFLICT (store, replica) DO UPDATE SET seq = ?3";
    conn.prepare_cached(sql)?.execute(params![store, replica.0, seq]).map(drop)
}

/// Erasures that stores have carried out: where, which, when.
pub fn erasures(conn: &Connection) -> rusqlite::Result<Vec<(String, EventId, Moment)>> {
    let to_row = |row: &Row<'_>| {
        let event: String = row.get(1)?;
        let event = event.parse().map_err(|_| {
            rusqlite::Error::InvalidColumnType(1, event, rusqlite::types::Type::Text)
        })?;
        Ok((row.get(0)?, event, Moment(row.get(2)?)))
    };
    conn.prepare_cached("SELECT store, event, at_ms FROM local_erasure ORDER BY store, event")?
        .query_map([], to_row)?
        .collect()
}

pub fn insert_erasure(
    conn: &Connection,
    store: &str,
    event: EventId,
    at: Moment,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO local_erasure (store, event, at_ms) VALUES (?1, ?2, ?3)";
    conn.prepare_cached(sql)?.execute(params![store, event.to_string(), at.0]).map(drop)
}

/// Stores that this workspace was ever exchanged with.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT DISTINCT store FROM local_reach ORDER BY store")?
        .query_map([], |row| row.get(0))?
        .collect()
}

pub fn insert_export(conn: &Connection, path: &str, at: Moment) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_export (path, at_ms) VALUES (?1, ?2) ON CONFLICT (path) DO UPDATE SET at_ms = ?2";
    conn.prepare_cached(sql)?.execute(params![path, at.0]).map(drop)
}

/// Files that were exported here.
pub fn exports(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT path FROM local_export ORDER BY path")?
        .query_map([], |row| row.get(0))?
        .collect()
}
