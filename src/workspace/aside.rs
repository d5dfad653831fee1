//! Cases beside the queue: those that want something of whoever is at work, those that they
//! deferred, and those that were escalated.

use super::{WorkError, Workspace};
use crate::db::case::{self, CaseRow};
use crate::db::{label, note};
use crate::domain::escalation::Level;
use crate::review::arbitration::Why;
use crate::review::gold;
use crate::review::replay::worklist;

impl Workspace {
    /// The cases that whoever is at work deferred, the next to come back first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn deferred(&self) -> Result<Vec<CaseRow>, WorkError> {
        let conn = &self.db.conn;
        let mut deferred = note::deferred_by(conn, &self.me, self.now())?;
        deferred.sort_by_key(|(id, until)| (*until, *id));
        let mut rows = Vec::new();
        for (id, _) in deferred {
            let row = case::by_id(conn, id)?;
            rows.extend(row.map(|row| gold::masked(conn, &self.me, row)).transpose()?);
        }
        Ok(rows)
    }

    /// The cases that somebody escalated and that wait for somebody to settle them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn escalated(&self) -> Result<Vec<CaseRow>, WorkError> {
        let waiting = self.waiting()?.into_iter();
        Ok(waiting.filter(|waits| waits.why == Why::Escalated).map(|waits| waits.row).collect())
    }

    /// Cases that want something of whoever is at work beside the queue: a label of theirs about
    /// which they were asked something, or that lacks an answer which the version in force asks;
    /// and what a peer escalated.
    pub fn worklist(&self) -> Result<Vec<CaseRow>, WorkError> {
        let mut found = worklist(&self.db.conn, &self.protocols()?, &self.me, || false)?;
        // What others escalated lies with their peers first.
        if self.reviewers()?.contains(&self.me) {
            for waits in self
                .waiting()?
                .into_iter()
                .filter(|waits| waits.stands.level == Level::Peer && !waits.by.contains(&self.me))
            {
                let id = waits.row.id;
                let labeled = label::live_of_case(&self.db.conn, id)?
                    .iter()
                    .any(|given| given.label.reviewer == self.me);
                if !labeled && !found.iter().any(|row| row.id == id) {
                    found.push(waits.row);
                }
            }
        }
        Ok(found)
    }
}
