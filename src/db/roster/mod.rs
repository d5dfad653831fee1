//! Rows of the roster: what was said about it, what it comes to, and which events wait for their
//! author to be admitted.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};

use super::{id_column, json_column, to_json};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::roster::{Cut, Holder, Profile, Role, RosterEvent, Settled};
use crate::domain::time::Hlc;

/// One role of one person on one replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantRow {
    pub name: String,
    pub replica: ReplicaId,
    pub role: Role,
    /// From when on.
    pub since: Hlc,
    /// The last entry in which it counts, if it was taken from them.
    pub until: Option<u64>,
}

fn row_to_grant(row: &Row<'_>) -> rusqlite::Result<Option<GrantRow>> {
    let replica = id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?;
    let (name, since) = (row.get(0)?, Hlc { ms: row.get(3)?, n: row.get(4)? });
    let until = row.get(5)?;
    let role = Role::parse(row.get_ref(2)?.as_str()?);
    Ok(role.map(|role| GrantRow { name, replica, role, since, until }))
}

/// Records what an event says about the roster; tells whether it was new.
pub fn insert_event(conn: &Connection, event: &RosterEvent) -> rusqlite::Result<bool> {
    let sql = "INSERT OR IGNORE INTO view_roster (replica, seq, n, at_ms, at_n, author, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let EventId { replica, seq, n } = event.event;
    let values =
        params![replica.0, seq, n, event.at.ms, event.at.n, event.author, to_json(&event.change)];
    Ok(conn.prepare_cached(sql)?.execute(values)? > 0)
}

/// Whether a device says that it takes over from another.
pub fn takes_over(conn: &Connection, replica: ReplicaId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM view_roster WHERE replica = ?1 AND json_extract(change, '$.replaced') IS NOT NULL";
    conn.prepare_cached(sql)?.exists([replica.0])
}

/// Everything that was said about the roster.
pub fn events(conn: &Connection) -> rusqlite::Result<Vec<RosterEvent>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok(RosterEvent {
            event: EventId { replica, seq: row.get(1)?, n: row.get(2)? },
            at: Hlc { ms: row.get(3)?, n: row.get(4)? },
            author: row.get(5)?,
            change: json_column(row.get_ref(6)?.as_str()?, 6)?,
        })
    };
    let sql = "SELECT replica, seq, n, at_ms, at_n, author, change FROM view_roster ORDER BY replica, seq, n";
    conn.prepare_cached(sql)?.query_map([], to_row)?.collect()
}

/// Replaces grants and cuts by what the roster comes to now.
pub fn replace(conn: &Connection, settled: &Settled) -> rusqlite::Result<()> {
    conn.execute_batch("DELETE FROM view_grant; DELETE FROM view_cut; DELETE FROM view_profile")?;
    let mut grant =
        conn.prepare_cached("INSERT INTO view_grant (name, replica, role, since_ms, since_n, until_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (key @ (name, replica, role), since) in &settled.grants {
        let until = settled.until.get(key);
        grant.execute(params![name, replica.0, role.as_str(), since.ms, since.n, until])?;
    }
    let mut cut = conn.prepare_cached(
        "INSERT INTO view_cut (name, replica, after, last, heirs) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for ((name, replica), Cut { after, last, heirs }) in &settled.cuts {
        cut.execute(params![name, replica.0, after, last.map(|hash| hash.0), to_json(heirs)])?;
    }
    let mut profile =
        conn.prepare_cached("INSERT INTO view_profile (name, profile) VALUES (?1, ?2)")?;
    for (name, of) in &settled.profiles {
        profile.execute(params![name, to_json(of)])?;
    }
    Ok(())
}

/// Where chains were cut off.
pub fn cuts(conn: &Connection) -> rusqlite::Result<Vec<(Holder, Cut)>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?;
        let last = row
            .get_ref(3)?
            .as_blob_or_null()?
            .map(|bytes| id_column(bytes, 3, Hash::from_bytes))
            .transpose()?;
        Ok((
            (row.get(0)?, replica),
            Cut { after: row.get(2)?, last, heirs: json_column(row.get_ref(4)?.as_str()?, 4)? },
        ))
    };
    conn.prepare_cached(
        "SELECT name, replica, after, last, heirs FROM view_cut ORDER BY name, replica",
    )?
    .query_map([], to_row)?
    .collect()
}

/// How much of the work those take of whom that was said.
pub fn profiles(conn: &Connection) -> rusqlite::Result<BTreeMap<String, Profile>> {
    let to_row = |row: &Row<'_>| Ok((row.get(0)?, json_column(row.get_ref(1)?.as_str()?, 1)?));
    conn.prepare_cached("SELECT name, profile FROM view_profile")?.query_map([], to_row)?.collect()
}

/// The roles that `name` has now when writing from `replica`.
pub fn roles(conn: &Connection, name: &str, replica: ReplicaId) -> rusqlite::Result<Vec<Role>> {
    let grants = grants_of(conn, name, replica)?.into_iter();
    Ok(grants.filter(|grant| grant.until.is_none()).map(|grant| grant.role).collect())
}

/// The same, each from when on.
pub fn grants_of(
    conn: &Connection,
    name: &str,
    replica: ReplicaId,
) -> rusqlite::Result<Vec<GrantRow>> {
    let sql = "SELECT name, replica, role, since_ms, since_n, until_seq FROM view_grant WHERE name = ?1 AND replica = ?2 ORDER BY role";
    let rows = conn
        .prepare_cached(sql)?
        .query_map(params![name, replica.0], row_to_grant)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

pub fn all(conn: &Connection) -> rusqlite::Result<Vec<GrantRow>> {
    let sql = "SELECT name, replica, role, since_ms, since_n, until_seq FROM view_grant ORDER BY name, replica, role";
    let rows =
        conn.prepare_cached(sql)?.query_map([], row_to_grant)?.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// Who holds which role now: whoever was retired on a device holds none there. Nothing else answers
/// whose turn something is, or for whom anybody waits.
pub fn current(conn: &Connection) -> rusqlite::Result<Vec<GrantRow>> {
    let cut: BTreeSet<Holder> = cuts(conn)?.into_iter().map(|(holder, _)| holder).collect();
    let mut grants = all(conn)?;
    grants.retain(|grant| {
        grant.until.is_none() && !cut.contains(&(grant.name.clone(), grant.replica))
    });
    Ok(grants)
}

pub fn hold(conn: &Connection, event: EventId, reason: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO view_held (replica, seq, n, reason) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?
        .execute(params![event.replica.0, event.seq, event.n, reason])
        .map(drop)
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
