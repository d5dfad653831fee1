//! Rows of labels that have other names since a version of their protocol.

use rusqlite::{Connection, Row, params};

use super::{json_column, to_json};
use crate::domain::ids::EventId;
use crate::domain::protocol::{RenamedLabels, VersionRenames};

fn row_to_renames(row: &Row<'_>) -> rusqlite::Result<VersionRenames> {
    Ok(VersionRenames {
        protocol: row.get(0)?,
        version: row.get(1)?,
        by_field: json_column(row.get_ref(2)?.as_str()?, 2)?,
    })
}

pub fn insert(conn: &Connection, event: EventId, renames: &VersionRenames) -> rusqlite::Result<()> {
    let VersionRenames { protocol, version, by_field } = renames;
    let EventId { replica, seq, n } = event;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![protocol, version, replica.0, seq, n, to_json(by_field)])
        .map(drop)
}

/// All of them, earlier versions first.
pub fn all(conn: &Connection) -> rusqlite::Result<RenamedLabels> {
    let rows: rusqlite::Result<Vec<_>> =
        conn.prepare_cached(include_str!("all.sql"))?.query_map([], row_to_renames)?.collect();
    rows.map(RenamedLabels)
}
