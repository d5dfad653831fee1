//! The database as it stood at a moment: an empty one of its own, in which the journal's tables are
//! windows on the entries that had been written by then. The views are folded in it; the file
//! itself is not touched.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::{Db, DbError, MIGRATIONS, VIEWS, explain, journal, prepare_once, set_views_version};
use crate::domain::ids::ReplicaId;
use crate::domain::time::Moment;

/// What stands in for the large tables. Payloads that are erased stay erased, and nothing is
/// written through.
const WINDOWS: &str = "
DROP TABLE journal_entry;
DROP TABLE journal_payload;
DROP TABLE journal_dictionary;
CREATE TEMP VIEW journal_entry AS
  SELECT e.replica, e.seq, e.body, e.signature FROM present.journal_entry e
  JOIN main.journal_replica r ON r.replica = e.replica AND e.seq <= r.head_seq;
CREATE TEMP VIEW journal_payload AS SELECT * FROM present.journal_payload;
CREATE TEMP VIEW journal_dictionary AS SELECT * FROM present.journal_dictionary;
CREATE TEMP TRIGGER no_insert INSTEAD OF INSERT ON journal_payload BEGIN SELECT 1; END;
CREATE TEMP TRIGGER no_delete INSTEAD OF DELETE ON journal_payload BEGIN SELECT 1; END;
";

/// Up to where entries are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Until<'u> {
    /// Those that had been written by then.
    At(Moment),
    /// Of each replica so many; none of others.
    Entries(&'u BTreeMap<String, u64>),
}

impl Db {
    /// Opens the database at `path` as it stood, as far as `time_of` tells when an entry's body was
    /// written. Its views are empty: they are to be folded.
    pub fn as_of(
        path: &Path,
        until: Until<'_>,
        time_of: impl Fn(&[u8]) -> Option<Moment>,
    ) -> Result<Self, DbError> {
        let present = Self::open(path)?;
        let failed = |error| explain(path, error);
        let conn = Connection::open("").map_err(failed)?; // a private file that goes away
        let fill = || {
            prepare_once(&conn)?;
            conn.pragma_update(None, "cache_size", -65_536)?; // 64 MiB
            conn.execute("ATTACH ?1 AS present", [path.display().to_string()])?;
            conn.pragma_update(Some("present"), "cache_size", -32_768)?; // 32 MiB
            MIGRATIONS.iter().try_for_each(|sql| conn.execute_batch(sql))?;
            conn.execute_batch(VIEWS)?;
            for head in journal::replicas(&present.conn)? {
                let last = match until {
                    Until::At(at) => {
                        last_before(&present.conn, head.replica, head.head_seq, at, &time_of)?
                    }
                    Until::Entries(heads) => {
                        let asked = heads.get(&head.replica.to_string()).copied().unwrap_or(0);
                        asked.min(head.head_seq)
                    }
                };
                let Some(entry) = journal::entry(&present.conn, head.replica, last)? else {
                    continue;
                };
                let (hash, at) =
                    (blake3::hash(&entry.body), time_of(&entry.body).unwrap_or_default());
                let at = crate::domain::time::Hlc { ms: at.0, n: 0 };
                let head_hash = crate::domain::ids::Hash(*hash.as_bytes());
                journal::set_replica(
                    &conn,
                    &journal::ReplicaRow { head_seq: last, head_hash, at, ..head },
                )?;
            }
            if let Some(id) = journal::meta(&present.conn, "workspace")? {
                journal::set_meta(&conn, "workspace", &id)?;
            }
            conn.execute_batch(WINDOWS)?;
            set_views_version(&conn, super::VIEWS_VERSION)
        };
        fill().map_err(failed)?;
        Ok(Self { conn, path: path.to_owned(), is_private: true })
    }
}

/// The last entry of a chain that was written by then; 0: none. A chain's clock only goes forward.
fn last_before(
    conn: &Connection,
    replica: ReplicaId,
    head: u64,
    at: Moment,
    time_of: &impl Fn(&[u8]) -> Option<Moment>,
) -> rusqlite::Result<u64> {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let entry = journal::entry(conn, replica, middle)?;
        let before =
            entry.and_then(|entry| time_of(&entry.body)).is_some_and(|written| written <= at);
        if before { low = middle } else { high = middle - 1 }
    }
    Ok(low)
}
