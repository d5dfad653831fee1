//! Erasing: a case's input, logs and neighbours are forgotten, here at once and elsewhere on the
//! next sync.

use std::collections::HashSet;

use serde::Serialize;

use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::{self, CaseRow};
use crate::db::{self, erasure};
use crate::domain::ids::CaseId;
use crate::domain::payload::Payload;
use crate::domain::time::Moment;
use crate::journal::blob::{self, Packer};
use crate::journal::kind::PayloadErased;
use crate::journal::{Append, JournalError};

/// Cases before and after one in its stream that may show it among their neighbours: more than any
/// window is wide.
const NEAR: usize = 1_000;

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
    /// Erases the payload of a case, and takes it out of the neighbours of other cases; returns of
    /// how many.
    pub fn erase(&mut self, case: &CaseRow, reason: &str) -> Result<usize, WorkError> {
        let mut events = vec![Append::new(&PayloadErased {
            case: case.id,
            reason: reason.to_owned(),
            instead: None,
        })];
        let lines = self.own_lines(case)?;
        events.extend(self.without_neighbour(case, &lines)?);
        let others = events.len() - 1;
        self.append(events)?;
        self.scrub()?;
        Ok(others)
    }

    /// Takes cases that were erased here out of the neighbours of others once more: some were not
    /// here yet, and some were put right at the same moment by somebody who did not know. Returns
    /// of how many.
    pub(super) fn erase_again(&mut self) -> Result<usize, WorkError> {
        let (me, replica) = (self.me.clone(), self.replica());
        let mut mine = erasure::all(&self.db.conn)?;
        mine.retain(|row| row.instead.is_none() && row.by == me && row.event.replica == replica);
        let mut others = 0;
        for row in mine {
            let Some(gone) = case::by_id(&self.db.conn, row.id)? else { continue };
            // One after the other: a case may show several that were erased.
            let events = self.without_neighbour(&gone, &HashSet::new())?;
            if events.is_empty() {
                continue;
            }
            others += events.len();
            match self.append(events) {
                // Whoever may not erase any more leaves it to those who may.
                Err(WorkError::Journal(JournalError::NotAllowed { .. })) => return Ok(0),
                appended => appended?,
            };
        }
        Ok(others)
    }

    /// The log lines of a case's own trace, while they are here.
    fn own_lines(&mut self, gone: &CaseRow) -> Result<HashSet<String>, WorkError> {
        let Some(event) = erasure::payload_event(&self.db.conn, gone.id, gone.event)? else {
            return Ok(HashSet::new());
        };
        let Ok(json) = blob::read(&self.db.conn, &mut self.unpacker, event) else {
            return Ok(HashSet::new());
        };
        let Ok(payload) = serde_json::from_slice::<Payload>(&json) else {
            return Ok(HashSet::new());
        };
        Ok(payload.logs.into_iter().filter(|log| log.own).map(|log| log.text).collect())
    }

    /// What puts payloads without a case in the place of those that show it among their neighbours,
    /// or show `lines` of it beside their own.
    fn without_neighbour(
        &mut self,
        gone: &CaseRow,
        lines: &HashSet<String>,
    ) -> Result<Vec<Append>, WorkError> {
        let mut events = Vec::new();
        let mut packer = Packer::new(None)?;
        for row in case::near(&self.db.conn, gone, NEAR)? {
            let Some(event) = erasure::payload_event(&self.db.conn, row.id, row.event)? else {
                continue;
            };
            let Ok(json) = blob::read(&self.db.conn, &mut self.unpacker, event) else { continue };
            let Ok(mut payload) = serde_json::from_slice::<Payload>(&json) else { continue };
            let before = (payload.neighbours.len(), payload.logs.len());
            payload.neighbours.retain(|neighbour| neighbour.id != gone.external_id);
            payload.logs.retain(|log| log.own || !lines.contains(&log.text));
            if (payload.neighbours.len(), payload.logs.len()) == before {
                continue;
            }
            let json = serde_json::to_vec(&payload).unwrap_or_default();
            let salt = super::random()?;
            let packed = packer.pack(&json, salt)?;
            let reason = format!("{} was erased, which it showed", gone.id);
            let erased = PayloadErased { case: row.id, reason, instead: Some(packed.hash) };
            events.push(Append::with_payload(&erased, packed, row.text.clone()));
        }
        Ok(events)
    }

    /// Moves what was overwritten in the file itself over what the write-ahead log still holds, and
    /// forgets what plug-ins printed, which may be of an input.
    pub(super) fn scrub(&self) -> Result<(), WorkError> {
        let logs = self.paths.plugin_logs();
        match std::fs::remove_dir_all(&logs) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(WorkError::File { path: logs.display().to_string(), error });
            }
            _ => {}
        }
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
            // What was only put right because it showed another is not listed.
            if row.instead.is_some() || out.last().is_some_and(|last| last.case == row.id) {
                continue;
            }
            let own = case::by_id(conn, row.id)?.map(|case| case.external_id).unwrap_or_default();
            let of_store = |store: &String| StoreErased {
                store: store.clone(),
                confirmed: confirmed
                    .iter()
                    .find(|(name, event, _)| name == store && *event == row.event)
                    .map(|(_, _, at)| *at),
            };
            let id = row.id.to_string();
            // A file that can't be read is not there any more, or not ours to read.
            let holds = |path: &&String| {
                std::fs::read(path)
                    .is_ok_and(|text| memchr::memmem::find(&text, id.as_bytes()).is_some())
            };
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
