//! Rows of what is to be forgotten: erased cases, and the payloads that belong to them.

use rusqlite::{Connection, Row, params};

use super::{case, id_column, suggestion};
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
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
    /// The payload that takes its place, beside the event.
    pub instead: Option<Hash>,
}

fn row_to_erased(row: &Row<'_>) -> rusqlite::Result<ErasedRow> {
    let instead = row.get_ref(7)?.as_blob_or_null()?;
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
        instead: instead.map(|bytes| id_column(bytes, 7, Hash::from_bytes)).transpose()?,
    })
}

pub fn insert(conn: &Connection, row: &ErasedRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_erased (id, replica, seq, n, at_ms, by, reason, instead)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let EventId { replica, seq, n } = row.event;
    let values = params![
        row.id.0,
        replica.0,
        seq,
        n,
        row.at.0,
        row.by,
        row.reason,
        row.instead.map(|hash| hash.0)
    ];
    conn.prepare_cached(sql)?.execute(values).map(drop)
}

pub fn is_erased(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_erased WHERE id = ?1")?.exists([id.0])
}

/// Whether a case's own payload was erased, not only what it showed of another.
pub fn is_gone(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_erased WHERE id = ?1 AND instead IS NULL")?
        .exists([id.0])
}

/// Every erasure of a case, the latest last.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<ErasedRow>> {
    let sql = "SELECT id, replica, seq, n, at_ms, by, reason, instead FROM view_erased WHERE id = ?1 ORDER BY at_ms, replica, seq, n";
    conn.prepare_cached(sql)?.query_map([id.0], row_to_erased)?.collect()
}

/// The event beside which a case's payload stands: the one that detected it, or the latest that put
/// another in its place; none if it was erased for good.
pub fn payload_event(
    conn: &Connection,
    id: CaseId,
    detected: EventId,
) -> rusqlite::Result<Option<EventId>> {
    let rows = of_case(conn, id)?;
    if rows.iter().any(|row| row.instead.is_none()) {
        return Ok(None);
    }
    Ok(Some(rows.last().map_or(detected, |row| row.event)))
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
    let sql = "SELECT id, replica, seq, n, at_ms, by, reason, instead FROM view_erased ORDER BY id, replica, seq, n";
    conn.prepare_cached(sql)?.query_map([], row_to_erased)?.collect()
}

/// Records a detection besides the one that counts.
pub fn insert_detection(conn: &Connection, id: CaseId, event: EventId) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_detection (id, replica, seq, n) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![id.0, event.replica.0, event.seq, event.n]).map(drop)
}

/// Every event that names a payload of a case that is to be forgotten: those that detected it, and
/// those that put another in its place but are not the latest; where nothing is in its place, also
/// those with what programs said of it in their own words.
pub fn forgotten(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<EventId>> {
    let mut events = detections(conn, id)?;
    let rows = of_case(conn, id)?;
    let kept = if rows.iter().any(|row| row.instead.is_none()) {
        None
    } else {
        rows.last().map(|row| row.event)
    };
    events.extend(
        rows.iter()
            .filter(|row| row.instead.is_some() && Some(row.event) != kept)
            .map(|row| row.event),
    );
    if rows.iter().any(|row| row.instead.is_none()) {
        events.extend(suggestion::events_of_case(conn, id)?);
    }
    Ok(events)
}

/// Every event that detected a case: each names a payload.
pub fn detections(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<EventId>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok(EventId { replica, seq: row.get(1)?, n: row.get(2)? })
    };
    let sql = "SELECT replica, seq, n FROM view_detection WHERE id = ?1 ORDER BY replica, seq, n";
    let mut events: Vec<EventId> =
        conn.prepare_cached(sql)?.query_map([id.0], to_row)?.collect::<rusqlite::Result<_>>()?;
    events.extend(case::event_of(conn, id)?);
    Ok(events)
}
