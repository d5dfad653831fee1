//! How a workspace stands.

use serde::Serialize;

use super::{SyncStatus, WorkError, Workspace};
use crate::db::{VIEWS_VERSION, count, draft, journal, sealed, store};
use crate::domain::ids::Hash;
use crate::domain::resolve::CaseState;
use crate::domain::text::counted;
use crate::journal::digest::digest;
use crate::journal::fold;
use crate::journal::verify::{Expect, FaultRow, Report, verify};
use crate::journal::views_check;

/// Where the digest is kept, with the heads of the chains from which it follows.
const DIGEST: &str = "digest";

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    pub workspace: String,
    pub team: String,
    pub entries: u64,
    pub replicas: usize,
    /// Own entries that are not in the shared store. Without a store that is all there are.
    pub unpushed: u64,
    /// Entries and events that wait or do not count.
    pub quarantined: u64,
    pub sync: Option<SyncStatus>,
    /// Devices that ask to join.
    pub waiting: u64,
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
        let sync = self.sync_status()?;
        Ok(Status {
            workspace: id.map(|id| id.to_string()).unwrap_or_default(),
            team: self.team()?,
            entries,
            replicas: journal::replicas(conn)?.len(),
            unpushed: if sync.store.is_empty() { entries } else { sync.unpushed },
            quarantined: sync.quarantined,
            waiting: self.people()?.iter().filter(|holder| holder.waits()).count() as u64,
            sync: Some(sync).filter(|sync| !sync.store.is_empty()),
            cases: StatusCases {
                open: of(CaseState::Open)?,
                disputed: of(CaseState::Disputed)?,
                resolved: of(CaseState::Resolved)?,
            },
            labels: count::get(conn, "labels")?,
            drafts: draft::count(conn)?,
            unknown: count::with_prefix(conn, "unknown:")?,
            digest: self.known_digest()?,
        })
    }

    /// The digest, worked out anew only where an entry came since: it follows from the chains.
    /// [`Self::digest`] works it out in any case.
    pub fn known_digest(&self) -> Result<Hash, WorkError> {
        let conn = &self.db.conn;
        let mut heads = blake3::Hasher::new();
        heads.update(&VIEWS_VERSION.to_le_bytes());
        for replica in journal::replicas(conn)? {
            heads.update(&replica.replica.0);
            heads.update(&replica.head_seq.to_le_bytes());
            heads.update(&replica.head_hash.0);
        }
        let heads = heads.finalize().to_hex();
        if self.at.is_none()
            && let Some(kept) = store::setting(conn, DIGEST)?
            && let Some((of, found)) = kept.split_once(' ')
            && of == heads.as_str()
            && let Ok(found) = found.parse()
        {
            return Ok(found);
        }
        let found = digest(conn)?;
        if self.at.is_none() && conn.is_autocommit() {
            // Whoever writes now makes it stale anyway.
            let _ = store::set_setting(conn, DIGEST, &format!("{heads} {found}"));
        }
        Ok(found)
    }

    pub fn digest(&self) -> Result<Hash, WorkError> {
        Ok(digest(&self.db.conn)?)
    }

    /// Verifies the journal, and that what every command reads is what the journal says; `quick`,
    /// the journal alone.
    ///
    /// # Errors
    /// Those of the database: what is altered is in the report.
    pub fn verify_all(&self, quick: bool) -> Result<Report, WorkError> {
        // The past was folded as it was opened.
        if quick || self.at.is_some() {
            return self.verify();
        }
        let path = self.db.path();
        let (report, of_views) = std::thread::scope(|scope| {
            let of_views = scope.spawn(|| views_check::check(path));
            (self.verify(), of_views.join())
        });
        let mut report = report?;
        report.faults.extend(of_views.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        report.ok = report.faults.is_empty();
        Ok(report)
    }

    /// Makes the views anew from the journal.
    ///
    /// # Errors
    /// Those of the database.
    pub fn rebuild_views(&mut self) -> Result<(), WorkError> {
        let tx = self.db.begin()?;
        fold::refold(&tx)?;
        Ok(tx.commit()?)
    }

    /// Verifies the journal.
    pub fn verify(&self) -> Result<Report, WorkError> {
        let locked = store::setting(&self.db.conn, store::LOCKED)?.is_some_and(|n| n != "0");
        let expect = match (self.at, locked) {
            (Some(_), _) => Expect::Past,
            (None, true) => Expect::Locked,
            (None, false) => Expect::All,
        };
        let mut report = verify(&self.db.conn, expect)?;
        for one in self.countersigned()? {
            let (name, chain) = (&one.name, one.replica.short());
            match one.key {
                Ok(key) => report.notices.push(format!(
                    "{name} holds {chain} to what it wrote for them, through entry {}, by {key}; {} of theirs since",
                    one.through,
                    counted(one.since, "entry")
                )),
                Err(why) => report.faults.push(FaultRow {
                    replica: one.replica.to_string(),
                    seq: one.through,
                    fault: format!("what {name} countersigned does not hold: {why}"),
                }),
            }
        }
        for (name, event, why) in self.bad_vouches()? {
            let fault = format!("the vouch of {name} does not hold: {why}");
            report.faults.push(FaultRow {
                replica: event.replica.to_string(),
                seq: event.seq,
                fault,
            });
        }
        report.notices.extend(self.about_sealed()?);
        report.ok = report.faults.is_empty();
        Ok(report)
    }

    /// What of labels is sealed, what of it can't be read for good, and which sessions were revealed
    /// otherwise than they were opened for.
    fn about_sealed(&self) -> Result<Vec<String>, WorkError> {
        let mut notices = Vec::new();
        for session in self.sessions()? {
            let name = session.name();
            let labels = sealed::of_round(&self.db.conn, name)?.len();
            if labels > 0 && !session.stage().is_revealed() {
                let are = if labels == 1 { "label is" } else { "labels are" };
                notices.push(format!(
                    "{labels} {are} sealed: what they say can be checked once the session {name} is revealed"
                ));
            }
            let forced = session.forced();
            notices.extend(forced.map(|forced| format!("the session {name} was {forced}")));
        }
        for (event, author) in sealed::unreadable(&self.db.conn)? {
            notices.push(format!(
                "a label of {author} ({}) does not count: its session's key does not open it",
                format_args!("{}:{}", event.replica.short(), event.seq)
            ));
        }
        Ok(notices)
    }
}
