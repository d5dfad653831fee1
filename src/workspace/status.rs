//! How a workspace stands.

use serde::Serialize;

use super::{WorkError, Workspace};
use crate::db::{count, draft, journal};
use crate::domain::ids::Hash;
use crate::domain::resolve::CaseState;
use crate::journal::digest::digest;
use crate::journal::verify::{Report, verify};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    pub workspace: String,
    pub team: String,
    pub entries: u64,
    pub replicas: usize,
    /// Entries that are in no shared store. Without a store that is all of them.
    pub unpushed: u64,
    pub cases: StatusCases,
    pub labels: u64,
    pub drafts: u64,
    /// Events of kinds that this program does not know, by kind.
    pub unknown: Vec<(String, u64)>,
    pub digest: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StatusCases {
    pub open: u64,
    pub disputed: u64,
    pub resolved: u64,
}

impl Workspace {
    pub fn status(&self) -> Result<Status, WorkError> {
        let conn = &self.db.conn;
        let of = |state: CaseState| count::get(conn, &format!("state:{}", state as i64));
        let id = journal::meta(conn, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
        let entries = journal::count_entries(conn)?;
        Ok(Status {
            workspace: id.map(|id| id.to_string()).unwrap_or_default(),
            team: self.team()?,
            entries,
            replicas: journal::replicas(conn)?.len(),
            unpushed: entries,
            cases: StatusCases {
                open: of(CaseState::Open)?,
                disputed: of(CaseState::Disputed)?,
                resolved: of(CaseState::Resolved)?,
            },
            labels: count::get(conn, "labels")?,
            drafts: draft::count(conn)?,
            unknown: count::with_prefix(conn, "unknown:")?,
            digest: digest(conn)?,
        })
    }

    pub fn verify(&self) -> Result<Report, WorkError> {
        Ok(verify(&self.db.conn)?)
    }
}
