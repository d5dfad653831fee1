//! Erasing: a case's input, logs and neighbours are forgotten, here at once and elsewhere on the next sync.

use serde::Serialize;

use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::CaseRow;
use crate::db::{self, erasure};
use crate::domain::ids::CaseId;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::kind::PayloadErased;

/// One case that is to be forgotten, and where that has been done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Erased {
    pub case: CaseId,
    pub id: String,
    pub by: String,
    pub at: Moment,
    pub reason: String,
    pub stores: Vec<StoreErased>,
    /// Files that were exported from here and still hold it.
    pub exports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreErased {
    pub store: String,
    /// When the store was seen to hold it no more.
    pub confirmed: Option<Moment>,
}

impl Workspace {
    /// Erases the payload of a case.
    pub fn erase(&mut self, case: &CaseRow, reason: &str) -> Result<(), WorkError> {
        self.append(vec![Append::new(&PayloadErased { case: case.id, reason: reason.to_owned() })])?;
        self.scrub()
    }

    /// Moves what was overwritten in the file itself over what the write-ahead log still holds.
    pub(super) fn scrub(&self) -> Result<(), WorkError> {
        // While somebody reads, the rest of it follows with the next one.
        let mut checkpoint = self.db.conn.prepare("PRAGMA wal_checkpoint(TRUNCATE)")?;
        checkpoint.query_row([], |_| Ok(()))?;
        Ok(())
    }

    /// Every case that is to be forgotten, and which stores have done so.
    pub fn erased(&self) -> Result<Vec<Erased>, WorkError> {
        let conn = &self.db.conn;
        let confirmed = db::store::erasures(conn)?;
        let stores = db::store::all(conn)?;
        let exports = db::store::exports(conn)?;
        let mut out: Vec<Erased> = Vec::new();
        for row in erasure::all(conn)? {
            if out.last().is_some_and(|last| last.case == row.id) {
                continue;
            }
            let own = db::case::by_id(conn, row.id)?.map(|case| case.own).unwrap_or_default();
            let of_store = |store: &String| StoreErased {
                store: store.clone(),
                confirmed: confirmed.iter().find(|(name, id, _)| name == store && *id == row.id).map(|(_, _, at)| *at),
            };
            let id = row.id.to_string();
            // A file that can't be read is not there any more, or not ours to read.
            let holds =
                |path: &&String| std::fs::read(path).is_ok_and(|text| memchr::memmem::find(&text, id.as_bytes()).is_some());
            out.push(Erased {
                case: row.id,
                id: own,
                by: row.by,
                at: row.at,
                reason: row.reason,
                stores: stores.iter().map(of_store).collect(),
                exports: exports.iter().filter(holds).cloned().collect(),
            });
        }
        Ok(out)
    }

    /// Remembers that something was exported to a file.
    pub fn exported(&self, path: &std::path::Path) -> Result<(), WorkError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(db::store::insert_export(&self.db.conn, &path.display().to_string(), clock::now())?)
    }
}
