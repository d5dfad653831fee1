//! Counts kept up to date by the fold, so that no screen counts a million rows.
//!
//! Names: `state:0` (cases in a state), `stream:NAME` (cases of a stream), `labels` (labels that
//! count), `labeled-open:NAME` (open cases that a reviewer labeled), `given:WEEK:NAME` (labels that
//! count which a reviewer gave in a week; imported ones are nobody's work).

use rusqlite::{Connection, OptionalExtension, params};

/// Adds to a count; one that comes to nothing goes away.
pub fn add(conn: &Connection, name: &str, n: i64) -> rusqlite::Result<()> {
    if n == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO view_count (name, n) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET n = n + ?2";
    conn.prepare_cached(sql)?.execute(params![name, n])?;
    conn.prepare_cached("DELETE FROM view_count WHERE name = ?1 AND n = 0")?
        .execute([name])
        .map(drop)
}

pub fn get(conn: &Connection, name: &str) -> rusqlite::Result<u64> {
    let found = conn
        .prepare_cached("SELECT n FROM view_count WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Counts whose name starts with `prefix`: what follows it, and the count.
pub fn with_prefix(conn: &Connection, prefix: &str) -> rusqlite::Result<Vec<(String, u64)>> {
    let sql = "SELECT substr(name, length(?1) + 1), n FROM view_count WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name";
    conn.prepare_cached(sql)?.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
