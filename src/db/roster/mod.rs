//! Rows of the roster: who may do what, and which events wait for their author to be admitted.

use rusqlite::{Connection, Row, params};

use super::id_column;
use crate::domain::ids::{EventId, ReplicaId};
use crate::domain::roster::Role;

/// One role of one person on one replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantRow {
    pub name: String,
    pub replica: ReplicaId,
    pub role: Role,
}

fn row_to_grant(row: &Row<'_>) -> rusqlite::Result<Option<GrantRow>> {
    let replica = id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?;
    let name: String = row.get(0)?;
    Ok(Role::parse(row.get_ref(2)?.as_str()?).map(|role| GrantRow { name, replica, role }))
}

pub fn insert(conn: &Connection, grant: &GrantRow) -> rusqlite::Result<bool> {
    let sql = "INSERT OR IGNORE INTO view_grant (name, replica, role) VALUES (?1, ?2, ?3)";
    Ok(conn.prepare_cached(sql)?.execute(params![grant.name, grant.replica.0, grant.role.word()])? > 0)
}

/// The roles that `name` has when writing from `replica`.
pub fn roles(conn: &Connection, name: &str, replica: ReplicaId) -> rusqlite::Result<Vec<Role>> {
    let sql = "SELECT name, replica, role FROM view_grant WHERE name = ?1 AND replica = ?2 ORDER BY role";
    let rows = conn.prepare_cached(sql)?.query_map(params![name, replica.0], row_to_grant)?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().map(|grant| grant.role).collect())
}

pub fn all(conn: &Connection) -> rusqlite::Result<Vec<GrantRow>> {
    let sql = "SELECT name, replica, role FROM view_grant ORDER BY name, replica, role";
    let rows = conn.prepare_cached(sql)?.query_map([], row_to_grant)?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

pub fn hold(conn: &Connection, event: EventId, reason: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_held (replica, seq, n, reason) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![event.replica.0, event.seq, event.n, reason]).map(drop)
}

pub fn release(conn: &Connection, event: EventId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM view_held WHERE replica = ?1 AND seq = ?2 AND n = ?3";
    conn.prepare_cached(sql)?.execute(params![event.replica.0, event.seq, event.n]).map(drop)
}

/// Events that wait, with the reason.
pub fn held(conn: &Connection) -> rusqlite::Result<Vec<(EventId, String)>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok((EventId { replica, seq: row.get(1)?, n: row.get(2)? }, row.get(3)?))
    };
    conn.prepare_cached("SELECT replica, seq, n, reason FROM view_held ORDER BY replica, seq, n")?
        .query_map([], to_row)?
        .collect()
}
