//! What labelers, which are programs, suggested of cases.

use rusqlite::{Connection, Row, params};

use super::{id_column, label};
use crate::db::to_json;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::MAIN_ROUND;
use crate::domain::plugin::{Suggestion, that_stands};
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

/// What each labeler says of a case: of all that it ever suggested what stands, by its name.
pub fn of_case(conn: &Connection, case: CaseId) -> rusqlite::Result<Vec<SuggestionRow>> {
    let sql = concat!(
        include_str!("rows.sql"),
        " WHERE id = ?1 ORDER BY plugin, at_ms, at_n, replica, seq, n"
    );
    let mut rows = conn.prepare_cached(sql)?;
    let said = rows.query_map([case.0], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut labeled = None;
    let mut stand = Vec::new();
    for of_one in said.chunk_by(|a, b| a.suggestion.plugin == b.suggestion.plugin) {
        if of_one.len() > 1 && labeled.is_none() {
            labeled = Some(label::first_of_case(conn, case, MAIN_ROUND)?);
        }
        let all: Vec<_> = of_one.iter().map(|row| (row.at, &row.suggestion)).collect();
        let found = that_stands(&all, labeled.flatten());
        stand.extend(found.and_then(|at| of_one.get(at)).cloned());
    }
    Ok(stand)
}

/// The events by which anything was suggested of a case.
pub fn events_of_case(conn: &Connection, case: CaseId) -> rusqlite::Result<Vec<EventId>> {
    let sql = concat!(include_str!("rows.sql"), " WHERE id = ?1 ORDER BY replica, seq, n");
    let mut rows = conn.prepare_cached(sql)?;
    rows.query_map([case.0], |row| read(row).map(|row| row.event))?.collect()
}

/// All that a labeler ever suggested, by case.
pub fn of_plugin(conn: &Connection, plugin: &str) -> rusqlite::Result<Vec<SuggestionRow>> {
    let sql = concat!(
        include_str!("rows.sql"),
        " WHERE plugin = ?1 ORDER BY id, at_ms, at_n, replica, seq, n"
    );
    let mut rows = conn.prepare_cached(sql)?;
    rows.query_map([plugin], read)?.collect()
}

/// Labelers that suggested anything.
pub fn plugins(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT DISTINCT plugin FROM view_suggestion ORDER BY plugin")?
        .query_map([], |row| row.get(0))?
        .collect()
}
