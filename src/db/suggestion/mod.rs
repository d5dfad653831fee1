//! What labelers, which are programs, suggested of cases.

use rusqlite::{Connection, Row, params};

use super::id_column;
use crate::db::to_json;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::plugin::Suggestion;
use crate::domain::time::Hlc;

/// One suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct SuggestionRow {
    pub event: EventId,
    pub at: Hlc,
    /// On whose device it was made.
    pub author: String,
    pub suggestion: Suggestion,
}

pub fn insert(conn: &Connection, row: &SuggestionRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = row.event;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![
            row.suggestion.case.0,
            row.suggestion.plugin,
            row.at.ms,
            row.at.n,
            replica.0,
            seq,
            n,
            row.author,
            to_json(&row.suggestion)
        ])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<SuggestionRow> {
    let body: String = row.get(6)?;
    let suggestion = serde_json::from_str(&body).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(SuggestionRow {
        at: Hlc { ms: row.get(0)?, n: row.get(1)? },
        event: EventId {
            replica: id_column(row.get_ref(2)?.as_blob()?, 2, ReplicaId::from_bytes)?,
            seq: row.get(3)?,
            n: row.get(4)?,
        },
        author: row.get(5)?,
        suggestion,
    })
}

/// Of each labeler the latest suggestion of a case, by its name.
pub fn of_case(conn: &Connection, case: CaseId) -> rusqlite::Result<Vec<SuggestionRow>> {
    let sql = concat!(
        include_str!("rows.sql"),
        " WHERE id = ?1 ORDER BY plugin, at_ms DESC, at_n DESC, replica, seq, n"
    );
    let mut rows = conn.prepare_cached(sql)?;
    let mut found = rows.query_map([case.0], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.dedup_by(|later, first| later.suggestion.plugin == first.suggestion.plugin);
    Ok(found)
}

/// The same of all cases, of one labeler.
pub fn of_plugin(conn: &Connection, plugin: &str) -> rusqlite::Result<Vec<SuggestionRow>> {
    let sql = concat!(
        include_str!("rows.sql"),
        " WHERE plugin = ?1 ORDER BY id, at_ms DESC, at_n DESC, replica, seq, n"
    );
    let mut rows = conn.prepare_cached(sql)?;
    let mut found = rows.query_map([plugin], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    found.dedup_by(|later, first| later.suggestion.case == first.suggestion.case);
    Ok(found)
}

/// Labelers that suggested anything.
pub fn plugins(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT DISTINCT plugin FROM view_suggestion ORDER BY plugin")?
        .query_map([], |row| row.get(0))?
        .collect()
}
