//! Rows of what belongs to this device alone: drafts, and where a reviewer was.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::ids::CaseId;
use crate::domain::time::Moment;

pub fn put(
    conn: &Connection,
    reviewer: &str,
    id: CaseId,
    draft: &str,
    at: Moment,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_draft (reviewer, id, draft, at_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (reviewer, id) DO UPDATE SET draft = ?3, at_ms = ?4";
    conn.prepare_cached(sql)?.execute(params![reviewer, id.0, draft, at.0]).map(drop)
}

pub fn get(conn: &Connection, reviewer: &str, id: CaseId) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT draft FROM local_draft WHERE reviewer = ?1 AND id = ?2";
    conn.prepare_cached(sql)?.query_row(params![reviewer, id.0], |row| row.get(0)).optional()
}

pub fn delete(conn: &Connection, reviewer: &str, id: CaseId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM local_draft WHERE reviewer = ?1 AND id = ?2";
    conn.prepare_cached(sql)?.execute(params![reviewer, id.0]).map(drop)
}

/// Forgets whatever anybody began on a case.
pub fn delete_all_of(conn: &Connection, id: CaseId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM local_draft WHERE id = ?1")?.execute([id.0]).map(drop)
}

pub fn count(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT count(*) FROM local_draft", [], |row| row.get(0))
}

pub fn put_place(conn: &Connection, reviewer: &str, place: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO local_place (reviewer, place) VALUES (?1, ?2) ON CONFLICT (reviewer) DO UPDATE SET place = ?2";
    conn.prepare_cached(sql)?.execute(params![reviewer, place]).map(drop)
}

pub fn place(conn: &Connection, reviewer: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT place FROM local_place WHERE reviewer = ?1")?
        .query_row([reviewer], |row| row.get(0))
        .optional()
}
