//! Rows of payloads and of the dictionaries that compress them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::id_column;
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::payload::Salt;

/// A stored payload: compressed, with what its hash was salted with.
#[derive(Debug, Clone, PartialEq)]
pub struct PayloadRow {
    pub event: EventId,
    pub hash: Hash,
    pub salt: Salt,
    pub dictionary: Option<Hash>,
    pub bytes: Vec<u8>,
}

fn row_to_payload(row: &Row<'_>) -> rusqlite::Result<PayloadRow> {
    let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
    let dictionary = match row.get_ref(5)?.as_blob_or_null()? {
        Some(bytes) => Some(id_column(bytes, 5, Hash::from_bytes)?),
        None => None,
    };
    Ok(PayloadRow {
        event: EventId { replica, seq: row.get(1)?, n: row.get(2)? },
        hash: id_column(row.get_ref(3)?.as_blob()?, 3, Hash::from_bytes)?,
        salt: id_column(row.get_ref(4)?.as_blob()?, 4, |bytes| bytes.try_into().ok())?,
        dictionary,
        bytes: row.get(6)?,
    })
}

pub fn insert(conn: &Connection, row: &PayloadRow) -> rusqlite::Result<()> {
    let EventId { replica, seq, n } = row.event;
    let dictionary = row.dictionary.map(|hash| hash.0);
    let values = params![replica.0, seq, n, row.hash.0, row.salt, dictionary, row.bytes];
    conn.prepare_cached(include_str!("insert.sql"))?.execute(values).map(drop)
}

pub fn get(conn: &Connection, event: EventId) -> rusqlite::Result<Option<PayloadRow>> {
    let key = params![event.replica.0, event.seq, event.n];
    conn.prepare_cached(include_str!("get.sql"))?.query_row(key, row_to_payload).optional()
}

/// The row of an event with the first bytes alone of what is stored.
pub fn head(
    conn: &Connection,
    event: EventId,
    bytes: usize,
) -> rusqlite::Result<Option<PayloadRow>> {
    let sql = "SELECT replica, seq, n, hash, salt, dictionary, substr(bytes, 1, ?4)
               FROM journal_payload WHERE replica = ?1 AND seq = ?2 AND n = ?3";
    let key = params![event.replica.0, event.seq, event.n, bytes];
    conn.prepare_cached(sql)?.query_row(key, row_to_payload).optional()
}

pub fn delete(conn: &Connection, event: EventId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM journal_payload WHERE replica = ?1 AND seq = ?2 AND n = ?3";
    conn.prepare_cached(sql)?.execute(params![event.replica.0, event.seq, event.n]).map(drop)
}

pub fn count_between(
    conn: &Connection,
    replica: ReplicaId,
    first: u64,
    last: u64,
) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM journal_payload WHERE replica = ?1 AND seq BETWEEN ?2 AND ?3";
    conn.prepare_cached(sql)?.query_row(params![replica.0, first, last], |row| row.get(0))
}

/// The events of one entry beside which a payload stands.
pub fn events_of(
    conn: &Connection,
    replica: ReplicaId,
    seq: u64,
) -> rusqlite::Result<Vec<EventId>> {
    let sql = "SELECT n FROM journal_payload WHERE replica = ?1 AND seq = ?2 ORDER BY n";
    let to_event = |row: &Row<'_>| Ok(EventId { replica, seq, n: row.get(0)? });
    conn.prepare_cached(sql)?.query_map(params![replica.0, seq], to_event)?.collect()
}

/// Payloads of the entries `first` to `last` of a chain, in the order of their events.
pub fn between(
    conn: &Connection,
    replica: ReplicaId,
    first: u64,
    last: u64,
) -> rusqlite::Result<Vec<PayloadRow>> {
    let sql = "SELECT replica, seq, n, hash, salt, dictionary, bytes FROM journal_payload
               WHERE replica = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq, n";
    conn.prepare_cached(sql)?.query_map(params![replica.0, first, last], row_to_payload)?.collect()
}

/// Calls `each` with every payload, in the order of their events.
pub fn for_each(
    conn: &Connection,
    mut each: impl FnMut(rusqlite::Result<PayloadRow>),
) -> rusqlite::Result<()> {
    let sql = "SELECT replica, seq, n, hash, salt, dictionary, bytes FROM journal_payload ORDER BY replica, seq, n";
    let mut payloads = conn.prepare(sql)?;
    let mut rows = payloads.query([])?;
    while let Some(row) = rows.next()? {
        each(row_to_payload(row));
    }
    Ok(())
}

pub fn insert_dictionary(conn: &Connection, hash: Hash, bytes: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO journal_dictionary (hash, bytes) VALUES (?1, ?2)";
    conn.prepare_cached(sql)?.execute(params![hash.0, bytes]).map(drop)
}

pub fn dictionary(conn: &Connection, hash: Hash) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM journal_dictionary WHERE hash = ?1";
    conn.prepare_cached(sql)?.query_row([hash.0], |row| row.get(0)).optional()
}

/// The newest dictionary, to go on compressing with.
pub fn any_dictionary(conn: &Connection) -> rusqlite::Result<Option<(Hash, Vec<u8>)>> {
    let sql = "SELECT hash, bytes FROM journal_dictionary ORDER BY hash LIMIT 1";
    let to_row = |row: &Row<'_>| {
        Ok((id_column(row.get_ref(0)?.as_blob()?, 0, Hash::from_bytes)?, row.get(1)?))
    };
    conn.prepare_cached(sql)?.query_row([], to_row).optional()
}

/// Every dictionary's hash, and whether its bytes still are what the hash says.
pub fn check_dictionaries(conn: &Connection) -> rusqlite::Result<Vec<(Hash, bool)>> {
    let to_row = |row: &Row<'_>| {
        let hash = id_column(row.get_ref(0)?.as_blob()?, 0, Hash::from_bytes)?;
        Ok((hash, Hash::of(row.get_ref(1)?.as_blob()?) == hash))
    };
    conn.prepare("SELECT hash, bytes FROM journal_dictionary ORDER BY hash")?
        .query_map([], to_row)?
        .collect()
}
