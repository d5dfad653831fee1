//! Labels that nobody reads yet, and the keys that open them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::id_column;
use crate::db::label::Withdrawal;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::time::{Hlc, Moment};

/// A label that was sealed. Whose it is, is who wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedRow {
    pub event: EventId,
    pub at: Hlc,
    pub given_at: Option<Moment>,
    pub author: String,
    pub case: CaseId,
    pub round: String,
    /// What it is sealed to: an age recipient.
    pub to: String,
    /// An age file, base64.
    pub sealed: String,
}

pub fn insert(conn: &Connection, row: &SealedRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = row.event;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![
            replica.0,
            seq,
            n,
            row.at.ms,
            row.at.n,
            row.given_at.map(|at| at.0),
            row.author,
            row.case.0,
            row.round,
            row.to,
            row.sealed
        ])
        .map(drop)
}

/// It is sealed no more.
pub fn delete(conn: &Connection, event: EventId) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = event;
    conn.prepare_cached("DELETE FROM view_sealed WHERE replica = ?1 AND seq = ?2 AND n = ?3")?
        .execute(params![replica.0, seq, n])
        .map(drop)
}

/// What is sealed of a round, in the order given, with who took it back.
pub fn of_round(
    conn: &Connection,
    round: &str,
) -> rusqlite::Result<Vec<(SealedRow, Option<Withdrawal>)>> {
    rows(conn, " WHERE s.round = ?1", round)
}

/// The same of a person.
pub fn of_author(
    conn: &Connection,
    author: &str,
) -> rusqlite::Result<Vec<(SealedRow, Option<Withdrawal>)>> {
    rows(conn, " WHERE s.author = ?1", author)
}

/// How many are sealed that nobody took back.
pub fn standing(conn: &Connection) -> rusqlite::Result<usize> {
    let sql = ["SELECT count(*) FROM (", include_str!("rows.sql"), " WHERE w.by IS NULL)"];
    conn.prepare_cached(&sql.concat())?.query_row([], |row| row.get(0))
}

/// The same of all that was sealed to a key.
pub fn to(conn: &Connection, recipient: &str) -> rusqlite::Result<Vec<SealedRow>> {
    let found = rows(conn, " WHERE s.recipient = ?1", recipient)?;
    Ok(found.into_iter().map(|(row, _)| row).collect())
}

fn rows(
    conn: &Connection,
    which: &str,
    value: &str,
) -> rusqlite::Result<Vec<(SealedRow, Option<Withdrawal>)>> {
    let sql = [include_str!("rows.sql"), which, " ORDER BY s.at_ms, s.at_n, s.replica, s.seq, s.n"];
    conn.prepare_cached(&sql.concat())?.query_map([value], row_to_sealed)?.collect()
}

fn row_to_sealed(row: &Row<'_>) -> rusqlite::Result<(SealedRow, Option<Withdrawal>)> {
    let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
    let by: Option<String> = row.get(11)?;
    let withdrawn = match by {
        Some(by) => Some(Withdrawal { by, at: Hlc { ms: row.get(12)?, n: row.get(13)? } }),
        None => None,
    };
    let sealed = SealedRow {
        event: EventId { replica, seq: row.get(1)?, n: row.get(2)? },
        at: Hlc { ms: row.get(3)?, n: row.get(4)? },
        given_at: row.get::<_, Option<i64>>(5)?.map(Moment),
        author: row.get(6)?,
        case: id_column(row.get_ref(7)?.as_blob()?, 7, CaseId::from_bytes)?,
        round: row.get(8)?,
        to: row.get(9)?,
        sealed: row.get(10)?,
    };
    Ok((sealed, withdrawn))
}

/// The secret half of a key that was published: an age identity.
pub fn key(conn: &Connection, recipient: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT key FROM view_published_key WHERE recipient = ?1")?
        .query_row([recipient], |row| row.get(0))
        .optional()
}

/// Keeps the secret half of a key that is published.
pub fn publish(conn: &Connection, recipient: &str, key: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_published_key (recipient, key) VALUES (?1, ?2)";
    conn.prepare_cached(sql)?.execute([recipient, key]).map(drop)
}

/// Labels that their key does not open though it was published, with whose they are.
pub fn unreadable(conn: &Connection) -> rusqlite::Result<Vec<(EventId, String)>> {
    let sql = "SELECT replica, seq, n, author FROM view_sealed WHERE recipient IN (SELECT recipient FROM view_published_key) ORDER BY replica, seq, n";
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok((EventId { replica, seq: row.get(1)?, n: row.get(2)? }, row.get(3)?))
    };
    conn.prepare_cached(sql)?.query_map([], to_row)?.collect()
}
