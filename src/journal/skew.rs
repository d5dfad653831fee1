//! Devices whose clock was ahead when they wrote.
//!
//! An entry's time is never before any that its writer had seen, so one clock that is ahead moves
//! everybody's times: that keeps the order, and has to be told. Whose clock it was shows in the
//! count: it is 0 only where the wall clock itself was read.

use rusqlite::Connection;

use super::JournalError;
use super::entry::Body;
use crate::db;
use crate::domain::ids::ReplicaId;
use crate::domain::time::Moment;

/// A clock that is less ahead is not worth a word.
pub const AHEAD_MS_MIN: i64 = 3_600_000;
/// Entries that are looked at, of each device.
const LOOKED_AT_MAX: usize = 1_000;

/// Devices that wrote by a clock which is ahead of `now`, and by how many milliseconds.
///
/// # Errors
/// Those of the database.
pub fn clocks_ahead(conn: &Connection, now: Moment) -> Result<Vec<(ReplicaId, i64)>, JournalError> {
    let mut found = Vec::new();
    for head in db::journal::replicas(conn)? {
        if head.at.ms - now.0 < AHEAD_MS_MIN {
            continue;
        }
        let entries = db::journal::last_entries(conn, head.replica, LOOKED_AT_MAX)?;
        let times = entries.iter().filter_map(|entry| Body::parse(&entry.body)).map(|body| body.at);
        let ahead = times.take_while(|at| at.ms - now.0 >= AHEAD_MS_MIN).find(|at| at.n == 0);
        found.extend(ahead.map(|at| (head.replica, at.ms - now.0)));
    }
    Ok(found)
}
