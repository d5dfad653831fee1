//! One sync from end to end. Whatever cuts it short, the next one goes on: what was taken in is
//! committed piece by piece, and what is on the store is read off the store itself.
//!
//! `pull`, `push` and `forget` beside this file are the steps; here is their order, and the
//! questions that come first: is this our workspace, and are we the only one who writes under our
//! name?

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::plan::{Here, Listed, Plan, plan};
use super::segment::{self, Kind, Name};
use super::store::{Store, StoreError};
use crate::db::journal::EntryRow;
use crate::db::store::Known;
use crate::db::{self, Db, DbError};
use crate::domain::advice::Advice;
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::time::Moment;
use crate::journal::secret;
use crate::journal::verify::not_kept;
use crate::journal::{DeviceKey, JournalError};

/// What stops a sync.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("compression: {0}")]
    Zstd(#[from] std::io::Error),
    #[error("{store} holds another workspace ({theirs}); this one is {ours}")]
    OtherWorkspace { store: String, ours: String, theirs: String },
    /// Another copy of this workspace has written, or this one was restored from an old copy.
    #[error(
        "{store} holds entries of this device that are not here: another copy of this workspace wrote them"
    )]
    Copied { store: String, entries: Vec<EntryRow> },
    #[error("stopped")]
    Stopped,
}

impl Advice for SyncError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.next_step(),
            Self::OtherWorkspace { .. } => Some(
                "Nothing was written there. Name another store with --store URL, or join that workspace in another directory."
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// How much went one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub entries: u64,
    pub segments: u64,
    pub bytes: u64,
}

/// Something that is wrong on the store or in what came from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    pub replica: String,
    pub seq: u64,
    pub fault: String,
}

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Synced {
    pub pushed: Counts,
    pub pulled: Counts,
    pub merged: u64,
    /// What was rolled back on the store, keys there that are not ours, and so on.
    pub notices: Vec<String>,
    /// Entries and segments that do not count.
    pub quarantined: Vec<Fault>,
    /// Cases whose payload the store no longer holds, since this sync.
    pub erased: Vec<String>,
    /// Runs of entries that were written.
    #[serde(skip)]
    pub reached: Vec<(ReplicaId, (u64, u64))>,
    /// Segments that are not what their names promise; they stand first among what is quarantined.
    #[serde(skip)]
    pub damaged: Vec<Fault>,
}

impl Synced {
    /// This, and another exchange after it.
    pub fn and(mut self, more: Self) -> Self {
        for (sum, more) in [(&mut self.pushed, more.pushed), (&mut self.pulled, more.pulled)] {
            sum.entries += more.entries;
            sum.segments += more.segments;
            sum.bytes += more.bytes;
        }
        self.merged += more.merged;
        self.erased.extend(more.erased);
        self.notices.extend(
            more.notices
                .into_iter()
                .filter(|notice| !self.notices.contains(notice))
                .collect::<Vec<_>>(),
        );
        self.quarantined = more.quarantined;
        self.damaged = more.damaged;
        self
    }
}

/// A sync of one workspace with one store.
pub struct Exchange<'e> {
    pub db: &'e mut Db,
    pub key: &'e DeviceKey,
    pub store: &'e mut dyn Store,
    /// Whether payloads are encrypted for the roster.
    pub encrypt: bool,
    /// What the wall clock shows.
    pub now: &'e dyn Fn() -> Moment,
    /// LabelContext between steps; `false` stops.
    pub go_on: &'e dyn Fn() -> bool,
}

/// A store that changes while it is read is looked at again, this often.
const LOOKS_MAX: usize = 4;
/// Segments that are read to find out whose a store is.
const ASKED_MAX: usize = 16;
/// Files of others that are named; the rest are counted.
const NAMED_MAX: usize = 5;

impl Exchange<'_> {
    /// Pulls, folds, pushes, merges, erases. What is wrong with others' work is reported and stops
    /// nothing.
    pub fn run(&mut self) -> Result<Synced, SyncError> {
        let mut done = Synced::default();
        let mut listed = self.list()?;
        let mut found = self.compare(&listed)?;
        self.same_workspace(&found, &listed)?;
        if self.not_copied(&found)? {
            listed = self.list()?;
            found = self.compare(&listed)?;
        }
        for _ in 1..LOOKS_MAX {
            let gone = self.pull(&found, &listed, &mut done)?;
            if gone > 0 {
                // Merged away between our look and our read: what holds it now is listed by now.
                listed = self.list()?;
            }
            found = self.compare(&listed)?;
            if gone == 0 {
                break;
            }
        }
        // What was pulled may have given us a secret.
        let secrets = secret::known(&self.db.conn, self.key)?;
        self.push(&found, &secrets, &mut done)?;
        self.push_evidence(&listed, &mut done)?;
        self.merge(&found, &secrets, &mut done)?;
        self.forget(&secrets, &mut done)?;
        self.remember(&found, &listed, &done)?;
        self.report(&found, &mut done)?;
        Ok(done)
    }

    /// Reads every segment of the store and names those that are damaged. Those that can be written
    /// anew from what is here are taken away; the next sync writes them.
    pub fn check_store(&mut self) -> Result<Vec<Fault>, SyncError> {
        let mut faults = Vec::new();
        for listed in self.list()? {
            self.step()?;
            let Some(name) = Name::parse(&listed.key) else { continue };
            let Some(bytes) = self.fetch(&name)? else { continue };
            if let Err(fault) = segment::check(&name, &bytes) {
                let words = if self.mend(&name, &bytes)? { "" } else { "; it is written again" };
                faults.push(of_segment(&name, &format!("{fault}{words}")));
            }
        }
        Ok(faults)
    }

    pub(super) fn name(&self) -> String {
        self.store.name().to_owned()
    }

    pub(super) fn step(&self) -> Result<(), SyncError> {
        if (self.go_on)() { Ok(()) } else { Err(SyncError::Stopped) }
    }

    pub(super) fn fetch(&mut self, name: &Name) -> Result<Option<Vec<u8>>, SyncError> {
        Ok(self.store.get(&name.to_string())?)
    }

    /// Everything on the store, in the order of names.
    fn list(&mut self) -> Result<Vec<Listed>, SyncError> {
        // Payloads are written before the entries that name them, so they are listed after.
        let mut listed = self.store.list(Kind::Journal.prefix())?;
        listed.extend(self.store.list(Kind::Payload.prefix())?);
        listed.sort();
        Ok(listed)
    }

    fn compare(&self, listed: &[Listed]) -> Result<Plan, SyncError> {
        let (conn, store) = (&self.db.conn, self.name());
        let here = Here {
            own: Some(self.key.replica()),
            heads: db::journal::replicas(conn)?
                .into_iter()
                .map(|row| (row.replica, row.head_seq))
                .collect(),
            known: db::store::segments(conn, &store)?,
            reach: db::store::reach(conn, &store)?,
            strangers: self.strangers()?,
        };
        Ok(plan(&here, listed))
    }

    /// Those of whom there is something here and whom nobody let in.
    fn strangers(&self) -> Result<HashSet<ReplicaId>, SyncError> {
        let let_in = db::journal::let_in(&self.db.conn)?;
        let mut all = db::journal::all_replicas(&self.db.conn)?;
        all.retain(|replica| !let_in.contains(replica) && *replica != self.key.replica());
        Ok(all)
    }

    fn workspace(&self) -> Result<Hash, SyncError> {
        let id = db::journal::meta(&self.db.conn, "workspace")?
            .and_then(|bytes| Hash::from_bytes(&bytes));
        Ok(id.ok_or(JournalError::NoWorkspace)?)
    }

    /// On first contact, and when nothing of what was there is there any more: a store in which
    /// nothing is of our workspace is another's.
    fn same_workspace(&mut self, found: &Plan, listed: &[Listed]) -> Result<(), SyncError> {
        let known = db::store::segments(&self.db.conn, &self.name())?;
        if listed.iter().any(|listed| known.contains_key(&listed.key)) {
            return Ok(());
        }
        let ours = self.workspace()?.to_string();
        let mut other = None;
        // Entries of another workspace alone are no reason: whoever can write there can put them
        // there.
        for name in found
            .journal
            .iter()
            .chain(&found.strange)
            .filter(|name| name.first == 1)
            .take(ASKED_MAX)
        {
            let Some(bytes) = self.fetch(name)? else { continue };
            let first = segment::decode_journal(name.replica, &bytes)
                .ok()
                .and_then(|lines| lines.into_iter().flatten().next());
            let Some(entry) = first else { continue };
            let Some(theirs) = workspace_of(&entry) else { continue };
            if theirs == ours {
                return Ok(());
            }
            if founds(&entry) {
                other = Some(theirs);
            }
        }
        match other {
            Some(theirs) => Err(SyncError::OtherWorkspace { store: self.name(), ours, theirs }),
            None => Ok(()),
        }
    }

    /// Segments under our own name that we did not write: harmless if they say what we say (a sync
    /// was cut short before it took note of them), else another copy of this workspace is at work.
    /// What is broken is taken away. Tells whether there is now more, or less, than was known.
    fn not_copied(&mut self, found: &Plan) -> Result<bool, SyncError> {
        let (mut foreign, mut read) = (Vec::new(), Vec::new());
        let mut changed = false;
        let ours_is = self.workspace()?.to_string();
        for name in &found.strange {
            self.step()?;
            let Some(bytes) = self.fetch(name)? else { continue };
            let lines = segment::check(name, &bytes)
                .and_then(|()| segment::decode_journal(name.replica, &bytes));
            let Ok(lines) = lines else {
                // Its own writer alone may say what stands there.
                self.store.delete(&name.to_string())?;
                changed = true;
                continue;
            };
            let head = db::journal::replica(&self.db.conn, name.replica)?;
            let key = self.key.public();
            let (mut same, mut seqs) = (true, Vec::new());
            for entry in lines.into_iter().flatten() {
                seqs.push(entry.seq);
                let ours = db::journal::entry(&self.db.conn, name.replica, entry.seq)?;
                let good = workspace_of(&entry).as_ref() == Some(&ours_is)
                    && crate::journal::sshsig::verify(&key, &entry.body, &entry.signature);
                // What our key did not sign was put there by somebody else: that is no copy of us.
                if good && head.is_some() && ours.is_none_or(|ours| ours.body != entry.body) {
                    foreign.push(entry);
                    same = false;
                }
                same &= good;
            }
            // A name alone proves nothing: it must hold what it names. What does not is not read
            // again and again.
            let good = same && seqs.iter().copied().eq(name.first..=name.last);
            if good || foreign.is_empty() {
                read.push((name.to_string(), Known { bytes: bytes.len() as u64, good }));
                changed |= good;
            }
        }
        if !read.is_empty() {
            let store = self.name();
            let tx = self.db.begin()?;
            for (name, known) in read {
                db::store::insert_segment(&tx, &store, &name, known)?;
            }
            tx.commit()?;
        }
        if foreign.is_empty() {
            Ok(changed)
        } else {
            Err(SyncError::Copied { store: self.name(), entries: foreign })
        }
    }

    // What it came to.

    fn remember(
        &mut self,
        found: &Plan,
        listed: &[Listed],
        done: &Synced,
    ) -> Result<(), SyncError> {
        let store = self.name();
        let known = db::store::reach(&self.db.conn, &store)?;
        let mut reach: BTreeMap<ReplicaId, u64> = found.reach.clone();
        // What was written joins what was there, as far as there is no gap.
        let mut written = done.reached.clone();
        written.sort_unstable();
        for (replica, (first, last)) in written {
            let at = reach.entry(replica).or_default();
            if first <= *at + 1 {
                *at = (*at).max(last);
            }
        }
        let tx = self.db.begin()?;
        let news = |(replica, seq): &(ReplicaId, u64)| {
            known.get(replica).copied().unwrap_or_default() != *seq
        };
        for (replica, seq) in reach.into_iter().filter(news) {
            db::store::set_reach(&tx, &store, replica, seq)?;
        }
        forget_covered(&tx, &store, listed)?;
        Ok(tx.commit()?)
    }

    fn report(&mut self, found: &Plan, done: &mut Synced) -> Result<(), SyncError> {
        for key in found.foreign.iter().take(NAMED_MAX) {
            done.notices.push(format!("`{key}` on the store is not ours: it is left alone"));
        }
        if found.foreign.len() > NAMED_MAX {
            done.notices.push(format!(
                "… and {} more files that are not ours",
                found.foreign.len() - NAMED_MAX
            ));
        }
        for (replica, seq, fault) in db::journal::all_pending(&self.db.conn)? {
            done.quarantined.push(Fault { replica: replica.to_string(), seq, fault });
        }
        for row in db::journal::dropped(&self.db.conn)? {
            done.quarantined.push(Fault {
                replica: row.replica.to_string(),
                seq: row.seq,
                fault: not_kept(&row),
            });
        }
        for (event, reason) in db::roster::held(&self.db.conn)? {
            let fault = format!("event {} does not count: {reason}", event.n);
            done.quarantined.push(Fault {
                replica: event.replica.to_string(),
                seq: event.seq,
                fault,
            });
        }
        done.quarantined.sort();
        done.quarantined.dedup();
        // The cause before what follows from it.
        done.damaged.sort();
        done.damaged.dedup();
        done.quarantined.splice(0..0, done.damaged.iter().cloned());
        Ok(())
    }
}

/// The workspace that an entry says it belongs to: its own hash, if it founds one.
pub fn workspace_of(entry: &EntryRow) -> Option<String> {
    let body = crate::journal::entry::Body::parse(&entry.body)?;
    let founds = body.workspace.is_empty();
    Some(if founds { crate::journal::entry::hash(&entry.body).to_string() } else { body.workspace })
}

/// Whether an entry founds a workspace.
pub(super) fn founds(entry: &EntryRow) -> bool {
    crate::journal::entry::Body::parse(&entry.body).is_some_and(|body| body.workspace.is_empty())
}

pub(super) fn of_segment(name: &Name, fault: &str) -> Fault {
    Fault { replica: name.replica.to_string(), seq: name.first, fault: format!("{name}: {fault}") }
}

/// Names of segments that are gone, and that a larger known one repeats, need not be remembered.
fn forget_covered(
    tx: &rusqlite::Transaction<'_>,
    store: &str,
    listed: &[Listed],
) -> Result<(), SyncError> {
    let mut names: Vec<Name> = db::store::segments(tx, store)?
        .iter()
        .filter(|(_, known)| known.good)
        .filter_map(|(key, _)| Name::parse(key))
        .collect();
    names.sort_by_key(|name| (name.kind, name.replica, name.first, std::cmp::Reverse(name.last)));
    let mut widest: Option<&Name> = None;
    for name in &names {
        match widest {
            Some(wide)
                if (wide.kind, wide.replica) == (name.kind, name.replica)
                    && name.last <= wide.last =>
            {
                let key = name.to_string();
                let gone = listed.binary_search_by(|listed| listed.key.cmp(&key)).is_err();
                if gone && name.range() != wide.range() {
                    db::store::delete_segment(tx, store, &key)?;
                }
            }
            _ => widest = Some(name),
        }
    }
    Ok(())
}
