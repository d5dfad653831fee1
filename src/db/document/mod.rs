//! Rows of what is published in versions: protocols, glossaries, policies.

use rusqlite::{Connection, Row, params};

use super::id_column;
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::time::Hlc;

/// One version of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRow {
    /// `protocol`, `glossary`, `policy`, `gold` (by case), `training` (by reviewer), `estimate` (by
    /// model), `session opened`, `session revealed`, `session closed`, `nudge` (by person) or
    /// `export` (by person).
    pub kind: String,
    pub name: String,
    pub version: u32,
    pub hash: Hash,
    pub at: Hlc,
    pub event: EventId,
    pub author: String,
    /// The event's own fields as JSON.
    pub body: String,
}

fn row_to_document(row: &Row<'_>) -> rusqlite::Result<DocumentRow> {
    Ok(DocumentRow {
        kind: row.get(0)?,
        name: row.get(1)?,
        version: row.get(2)?,
        hash: id_column(row.get_ref(3)?.as_blob()?, 3, Hash::from_bytes)?,
        at: Hlc { ms: row.get(4)?, n: row.get(5)? },
        event: EventId {
            replica: id_column(row.get_ref(6)?.as_blob()?, 6, ReplicaId::from_bytes)?,
            seq: row.get(7)?,
            n: row.get(8)?,
        },
        author: row.get(9)?,
        body: row.get(10)?,
    })
}

pub fn insert(conn: &Connection, row: &DocumentRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = row.event;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![
            row.kind,
            row.name,
            row.version,
            row.hash.0,
            row.at.ms,
            row.at.n,
            replica.0,
            seq,
            n,
            row.author,
            row.body
        ])
        .map(drop)
}

/// Every version of every document of a kind, the latest first.
pub fn of_kind(conn: &Connection, kind: &str) -> rusqlite::Result<Vec<DocumentRow>> {
    conn.prepare_cached(include_str!("of_kind.sql"))?.query_map([kind], row_to_document)?.collect()
}

/// What changes whenever a document of what reviewers decide by comes: their number, and when the
/// latest was published.
pub fn stamp(conn: &Connection) -> rusqlite::Result<(i64, i64)> {
    conn.prepare_cached(include_str!("stamp.sql"))?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The latest document of a kind, whatever its name.
pub fn latest(conn: &Connection, kind: &str) -> rusqlite::Result<Option<DocumentRow>> {
    let mut rows = conn.prepare_cached(concat!(include_str!("of_kind.sql"), " LIMIT 1"))?;
    let mut found = rows.query_map([kind], row_to_document)?;
    found.next().transpose()
}

/// The latest document of a kind and name.
pub fn latest_named(
    conn: &Connection,
    kind: &str,
    name: &str,
) -> rusqlite::Result<Option<DocumentRow>> {
    let mut rows = conn.prepare_cached(include_str!("latest_named.sql"))?;
    let mut found = rows.query_map([kind, name], row_to_document)?;
    found.next().transpose()
}
