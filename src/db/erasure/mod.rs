//! Rows of what is to be forgotten: erased cases, and the payloads that belong to them.

use rusqlite::{Connection, Row, params};

use super::{case, id_column};
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::time::Moment;

/// One erasure of a case's payload.
#[derive(Debug, Clone, PartialEq)]
pub struct ErasedRow {
    pub id: CaseId,
    /// The event that says so.
    pub event: EventId,
    pub at: Moment,
    pub by: String,
    pub reason: String,
}

pub fn insert(conn: &Connection, row: &ErasedRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_erased (id, replica, seq, n, at_ms, by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let EventId { replica, seq, n } = row.event;
    let values = params![row.id.0, replica.0, seq, n, row.at.0, row.by, row.reason];
    conn.prepare_cached(sql)?.execute(values).map(drop)
}

pub fn is_erased(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_erased WHERE id = ?1")?.exists([id.0])
}

/// The first erasure of a case.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<ErasedRow>> {
    Ok(all(conn)?.into_iter().filter(|row| row.id == id).min_by_key(|row| row.at))
}

/// Whether anything was ever erased.
pub fn any(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_erased LIMIT 1")?.exists([])
}

pub fn count(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT count(*) FROM view_erased", [], |row| row.get(0))
}

/// Every erasure, by case.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<ErasedRow>> {
    let to_row = |row: &Row<'_>| {
        Ok(ErasedRow {
            id: id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?,
            event: EventId {
                replica: id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?,
                seq: row.get(2)?,
                n: row.get(3)?,
            },
            at: Moment(row.get(4)?),
            by: row.get(5)?,
            reason: row.get(6)?,
        })
    };
    let sql = "SELECT id, replica, seq, n, at_ms, by, reason FROM view_erased ORDER BY id, replica, seq, n";
    conn.prepare_cached(sql)?.query_map([], to_row)?.collect()
}

/// Records a detection besides the one that counts.
pub fn insert_detection(conn: &Connection, id: CaseId, event: EventId) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_detection (id, replica, seq, n) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![id.0, event.replica.0, event.seq, event.n]).map(drop)
}

/// Every event that detected a case: each names a payload.
pub fn detections(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<EventId>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok(EventId { replica, seq: row.get(1)?, n: row.get(2)? })
    };
    let sql = "SELECT replica, seq, n FROM view_detection WHERE id = ?1 ORDER BY replica, seq, n";
    let mut events: Vec<EventId> = conn.prepare_cached(sql)?.query_map([id.0], to_row)?.collect::<rusqlite::Result<_>>()?;
    events.extend(case::event_of(conn, id)?);
    Ok(events)
}
