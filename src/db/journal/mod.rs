//! Rows of the journal's own tables: entries, chains, what waits.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::id_column;
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::time::Hlc;

/// An entry as stored: the exact bytes that were signed, and the signature.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryRow {
    pub replica: ReplicaId,
    pub seq: u64,
    pub body: Vec<u8>,
    pub signature: Vec<u8>,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaRow {
    pub replica: ReplicaId,
    pub key: [u8; 32],
    pub head_seq: u64,
    pub head_hash: Hash,
    pub at: Hlc,
}

/// An entry that could not be linked in.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingRow {
    pub entry: EntryRow,
    pub fault: String,
}

fn row_to_entry(row: &Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        replica: id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?,
        seq: row.get(1)?,
        body: row.get(2)?,
        signature: row.get(3)?,
    })
}

fn row_to_replica(row: &Row<'_>) -> rusqlite::Result<ReplicaRow> {
    Ok(ReplicaRow {
        replica: id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?,
        key: id_column(row.get_ref(1)?.as_blob()?, 1, |bytes| bytes.try_into().ok())?,
        head_seq: row.get(2)?,
        head_hash: id_column(row.get_ref(3)?.as_blob()?, 3, Hash::from_bytes)?,
        at: Hlc { ms: row.get(4)?, n: row.get(5)? },
    })
}

pub fn meta(conn: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached(include_str!("meta.sql"))?.query_row([name], |row| row.get(0)).optional()
}

pub fn set_meta(conn: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached(include_str!("set_meta.sql"))?.execute(params![name, value]).map(drop)
}

pub fn insert_entry(conn: &Connection, entry: &EntryRow) -> rusqlite::Result<()> {
    let row = params![entry.replica.0, entry.seq, entry.body, entry.signature];
    conn.prepare_cached(include_str!("insert_entry.sql"))?.execute(row).map(drop)
}

pub fn entry(
    conn: &Connection,
    replica: ReplicaId,
    seq: u64,
) -> rusqlite::Result<Option<EntryRow>> {
    conn.prepare_cached(include_str!("entry.sql"))?
        .query_row(params![replica.0, seq], row_to_entry)
        .optional()
}

/// Calls `each` with every entry, by replica and number, until it says `false`.
pub fn for_each_entry(
    conn: &Connection,
    mut each: impl FnMut(EntryRow) -> bool,
) -> rusqlite::Result<()> {
    let mut entries = conn
        .prepare("SELECT replica, seq, body, signature FROM journal_entry ORDER BY replica, seq")?;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        if !each(row_to_entry(row)?) {
            break;
        }
    }
    Ok(())
}

/// The latest entries of a chain, the last first.
pub fn last_entries(
    conn: &Connection,
    replica: ReplicaId,
    limit: usize,
) -> rusqlite::Result<Vec<EntryRow>> {
    let sql = "SELECT replica, seq, body, signature FROM journal_entry WHERE replica = ?1 ORDER BY seq DESC LIMIT ?2";
    conn.prepare_cached(sql)?.query_map(params![replica.0, limit], row_to_entry)?.collect()
}

/// Entries `first` to `last` of a chain, by number.
pub fn between(
    conn: &Connection,
    replica: ReplicaId,
    first: u64,
    last: u64,
) -> rusqlite::Result<Vec<EntryRow>> {
    let sql = "SELECT replica, seq, body, signature FROM journal_entry WHERE replica = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq";
    conn.prepare_cached(sql)?.query_map(params![replica.0, first, last], row_to_entry)?.collect()
}

/// Takes the entries from number `from` on out of a chain.
pub fn delete_from(conn: &Connection, replica: ReplicaId, from: u64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM journal_entry WHERE replica = ?1 AND seq >= ?2")?
        .execute(params![replica.0, from])
        .map(drop)
}

pub fn delete_replica(conn: &Connection, replica: ReplicaId) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM journal_replica WHERE replica = ?1")?
        .execute([replica.0])
        .map(drop)
}

/// Replicas of which something waits.
pub fn waiting(conn: &Connection) -> rusqlite::Result<Vec<ReplicaId>> {
    let to_row = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes);
    conn.prepare_cached("SELECT DISTINCT replica FROM journal_pending ORDER BY replica")?
        .query_map([], to_row)?
        .collect()
}

pub fn count_entries(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT coalesce(sum(head_seq), 0) FROM journal_replica", [], |row| row.get(0))
}

pub fn replica(conn: &Connection, replica: ReplicaId) -> rusqlite::Result<Option<ReplicaRow>> {
    conn.prepare_cached(include_str!("replica.sql"))?
        .query_row([replica.0], row_to_replica)
        .optional()
}

pub fn replicas(conn: &Connection) -> rusqlite::Result<Vec<ReplicaRow>> {
    let sql = "SELECT replica, key, head_seq, head_hash, at_ms, at_n FROM journal_replica ORDER BY replica";
    conn.prepare_cached(sql)?.query_map([], row_to_replica)?.collect()
}

pub fn set_replica(conn: &Connection, row: &ReplicaRow) -> rusqlite::Result<()> {
    let values =
        params![row.replica.0, row.key, row.head_seq, row.head_hash.0, row.at.ms, row.at.n];
    conn.prepare_cached(include_str!("set_replica.sql"))?.execute(values).map(drop)
}

/// The latest reading of any chain's clock.
pub fn latest(conn: &Connection, own: ReplicaId) -> rusqlite::Result<Hlc> {
    // A stranger's clock is nobody's business.
    let sql = "SELECT at_ms, at_n FROM journal_replica WHERE replica = ?1 OR replica IN (SELECT replica FROM view_grant)
               ORDER BY at_ms DESC, at_n DESC LIMIT 1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([own.0], |row| Ok(Hlc { ms: row.get(0)?, n: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub fn insert_pending(conn: &Connection, hash: Hash, row: &PendingRow) -> rusqlite::Result<()> {
    let PendingRow { entry, fault } = row;
    let values = params![entry.replica.0, entry.seq, hash.0, entry.body, entry.signature, fault];
    conn.prepare_cached(include_str!("insert_pending.sql"))?.execute(values).map(drop)
}

/// What waits with this number in this chain.
pub fn pending(
    conn: &Connection,
    replica: ReplicaId,
    seq: u64,
) -> rusqlite::Result<Vec<PendingRow>> {
    let to_row = |row: &Row<'_>| Ok(PendingRow { entry: row_to_entry(row)?, fault: row.get(4)? });
    conn.prepare_cached(include_str!("pending.sql"))?
        .query_map(params![replica.0, seq], to_row)?
        .collect()
}

pub fn all_pending(conn: &Connection) -> rusqlite::Result<Vec<(ReplicaId, u64, String)>> {
    let sql = "SELECT replica, seq, fault FROM journal_pending ORDER BY replica, seq, hash";
    let to_row = |row: &Row<'_>| {
        Ok((
            id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?,
            row.get(1)?,
            row.get(2)?,
        ))
    };
    conn.prepare(sql)?.query_map([], to_row)?.collect()
}

/// Forgets whatever waits with this very body: a copy of it is in the chain.
pub fn delete_pending(conn: &Connection, entry: &EntryRow) -> rusqlite::Result<()> {
    let sql = "DELETE FROM journal_pending WHERE replica = ?1 AND seq = ?2 AND body = ?3";
    conn.prepare_cached(sql)?.execute(params![entry.replica.0, entry.seq, entry.body]).map(drop)
}

/// Replicas that anybody was ever let in on, and those whose people were retired.
pub fn let_in(conn: &Connection) -> rusqlite::Result<HashSet<ReplicaId>> {
    let to_row = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes);
    conn.prepare_cached("SELECT replica FROM view_grant UNION SELECT replica FROM view_cut")?
        .query_map([], to_row)?
        .collect()
}

/// Replicas of which anything is here, in a chain or waiting.
pub fn all_replicas(conn: &Connection) -> rusqlite::Result<HashSet<ReplicaId>> {
    let to_row = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes);
    let sql =
        "SELECT replica FROM journal_replica UNION SELECT DISTINCT replica FROM journal_pending";
    conn.prepare_cached(sql)?.query_map([], to_row)?.collect()
}

/// How many entries of a chain wait.
pub fn count_pending(conn: &Connection, replica: ReplicaId) -> rusqlite::Result<u64> {
    conn.prepare_cached("SELECT count(*) FROM journal_pending WHERE replica = ?1")?
        .query_row([replica.0], |row| row.get(0))
}

/// Entries that were met and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedRow {
    /// Nothing but zeros: of chains that are not told apart any more.
    pub replica: ReplicaId,
    pub why: String,
    pub n: u64,
    /// The lowest number that any of them had.
    pub seq: u64,
}

/// So many rows of what was not kept there are at most.
const DROPPED_MAX: u64 = 200;
const OTHERS: ReplicaId = ReplicaId([0; 16]);

/// Takes note of entries that are not kept.
pub fn count_dropped(conn: &Connection, row: &DroppedRow) -> rusqlite::Result<()> {
    let DroppedRow { replica, why, n, seq } = row;
    let known = "SELECT 1 FROM journal_dropped WHERE replica = ?1 AND why = ?2";
    let known = conn.prepare_cached(known)?.exists(params![replica.0, why])?;
    let count = "SELECT count(*) FROM journal_dropped";
    let full = || conn.prepare_cached(count)?.query_row([], |row| row.get::<_, u64>(0));
    let (replica, why) = match known || full()? < DROPPED_MAX {
        true => (*replica, why.as_str()),
        false => (OTHERS, "of more chains than are told apart"),
    };
    let sql = "INSERT INTO journal_dropped (replica, why, n, seq) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (replica, why) DO UPDATE SET n = n + ?3, seq = min(seq, ?4)";
    conn.prepare_cached(sql)?.execute(params![replica.0, why, n, seq]).map(drop)
}

/// What was not kept.
pub fn dropped(conn: &Connection) -> rusqlite::Result<Vec<DroppedRow>> {
    let to_row = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok(DroppedRow { replica, why: row.get(1)?, n: row.get(2)?, seq: row.get(3)? })
    };
    conn.prepare_cached("SELECT replica, why, n, seq FROM journal_dropped ORDER BY replica, why")?
        .query_map([], to_row)?
        .collect()
}

/// Forgets what was not kept of a chain for a reason.
pub fn forget_dropped(conn: &Connection, replica: ReplicaId, why: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM journal_dropped WHERE why = ?1 AND replica = ?2")?
        .execute(params![why, replica.0])
        .map(drop)
}
