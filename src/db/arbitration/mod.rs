//! Rows of what was done about disputed cases.

use rusqlite::{Connection, Row, params};

use super::{id_column, json_column, to_json};
use crate::domain::arbitration::Done;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::time::Hlc;

fn row_to_done(row: &Row<'_>) -> rusqlite::Result<(CaseId, Done)> {
    let case = id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?;
    let replica = id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?;
    let done = Done {
        event: EventId { replica, seq: row.get(2)?, n: row.get(3)? },
        at: Hlc { ms: row.get(4)?, n: row.get(5)? },
        author: row.get(6)?,
        act: json_column(row.get_ref(7)?.as_str()?, 7)?,
    };
    Ok((case, done))
}

pub fn insert(conn: &Connection, case: CaseId, done: &Done) -> rusqlite::Result<()> {
    let Done { event: EventId { replica, seq, n }, at, author, act } = done;
    conn.prepare_cached(include_str!("insert.sql"))?
        .execute(params![case.0, replica.0, seq, n, at.ms, at.n, author, to_json(act)])
        .map(drop)
}

/// What was done about a case, in the order it was done.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<Done>> {
    let to_done = |row: &Row<'_>| row_to_done(row).map(|(_, done)| done);
    conn.prepare_cached(include_str!("of_case.sql"))?.query_map([id.0], to_done)?.collect()
}

/// Whether anything was done about a case.
pub fn any_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_arbitration WHERE id = ?1")?.exists([id.0])
}

/// The acts of every case that has any, by case.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<(CaseId, Vec<Done>)>> {
    let mut acts: Vec<(CaseId, Vec<Done>)> = Vec::new();
    let mut statement = conn.prepare_cached(include_str!("all.sql"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (case, done) = row_to_done(row)?;
        match acts.last_mut().filter(|(last, _)| *last == case) {
            Some((_, of_case)) => of_case.push(done),
            None => acts.push((case, vec![done])),
        }
    }
    Ok(acts)
}
