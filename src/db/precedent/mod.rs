//! The words of resolved cases, to find those like another one. A case is in it while it is
//! resolved.

use rusqlite::{Connection, params};

use crate::domain::folding::for_index;

/// Takes note of a resolved case's words.
pub fn insert(conn: &Connection, num: i64, text: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![num, for_index(text)])
        .map(drop)
}

/// Forgets the words that [`insert`] took note of.
pub fn delete(conn: &Connection, num: i64, text: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(include_str!("delete.sql"))?
        .execute(params![num, for_index(text)])
        .map(drop)
}

/// Numbers of resolved cases that have all of these words, the newest first.
pub fn with_words(conn: &Connection, words: &[&str], limit: usize) -> rusqlite::Result<Vec<i64>> {
    let all: Vec<String> =
        words.iter().map(|word| format!("\"{}\"", word.replace('"', ""))).collect();
    conn.prepare_cached(include_str!("with_words.sql"))?
        .query_map(params![all.join(" AND "), limit], |row| row.get(0))?
        .collect()
}

/// Numbers of resolved cases for which the model said this, the newest first.
pub fn with_prediction(
    conn: &Connection,
    predicted: &str,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(include_str!("with_prediction.sql"))?
        .query_map(params![predicted, limit], |row| row.get(0))?
        .collect()
}

/// The number of the newest case.
pub fn newest(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("SELECT coalesce(max(num), 0) FROM view_case")?
        .query_row([], |row| row.get(0))
}
