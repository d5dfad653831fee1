//! What is kept of those whom nobody let in. Whoever can write to a store can make a thousand keys
//! and sign with each; so of a stranger's chain a few short entries are kept, enough to ask to join,
//! and of so many strangers. What is left out is counted, and read again once its author is let in:
//! who comes first to a store decides nothing about what counts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rusqlite::Connection;

use super::segment::Name;
use crate::db;
use crate::db::journal::{DroppedRow, EntryRow};
use crate::db::store::Known;
use crate::domain::ids::ReplicaId;
use crate::journal::entry::Body;

/// Strangers of whom anything is kept.
pub const CHAINS_MAX: usize = 100;
/// Entries of a stranger that are kept: their number in the chain.
pub const ENTRIES_MAX: u64 = 8;
/// Events in such an entry, and bytes.
const EVENTS_MAX: usize = 16;
const BYTES_MAX: usize = 16 << 10;
/// Segments of a stranger that are read.
const SEGMENTS_MAX: usize = 16;

/// Said of entries that are left out.
const TOO_MUCH: &str =
    "nobody let their author in: only the first few are kept until somebody does";
/// Said of segments that are not read.
const UNREAD: &str = "nobody let their author in: segments of theirs that were not read";
/// Said of chains that are not read.
const NO_ROOM: &str = "so many whom nobody let in ask already that these were not read: `casework roster show` lists who asks";

/// Whether an entry of a stranger is one of the few that are kept.
pub fn is_kept(conn: &Connection, entry: &EntryRow) -> rusqlite::Result<bool> {
    let small = entry.seq <= ENTRIES_MAX
        && entry.body.len() <= BYTES_MAX
        && Body::parse(&entry.body).is_some_and(|body| body.events.len() <= EVENTS_MAX);
    // One that stands where another does says nothing that matters before its author is let in.
    let known = db::journal::replica(conn, entry.replica)?;
    let next = known.is_none_or(|head| entry.seq > head.head_seq);
    Ok(small && next && db::journal::count_pending(conn, entry.replica)? < ENTRIES_MAX)
}

/// Takes note of entries of a stranger that are left out.
pub fn leave_out(conn: &Connection, replica: ReplicaId, seq: u64) -> rusqlite::Result<()> {
    db::journal::count_dropped(conn, &DroppedRow { replica, why: TOO_MUCH.to_owned(), n: 1, seq })
}

/// Takes note of how many segments of a stranger were not read.
pub fn leave_unread(conn: &Connection, replica: ReplicaId, n: usize) -> rusqlite::Result<()> {
    db::journal::forget_dropped(conn, Some(replica), UNREAD)?;
    if n == 0 {
        return Ok(());
    }
    let (why, n, seq) = (UNREAD.to_owned(), n as u64, ENTRIES_MAX + 1);
    db::journal::count_dropped(conn, &DroppedRow { replica, why, n, seq })
}

/// The segments of a stranger that are worth a look, and how many are not.
pub fn worth_reading<'n>(names: &[&'n Name]) -> (Vec<&'n Name>, usize) {
    let mut worth: Vec<&Name> =
        names.iter().copied().filter(|name| name.first <= ENTRIES_MAX).collect();
    worth.truncate(SEGMENTS_MAX);
    let left = names.len() - worth.len();
    (worth, left)
}

/// In which order chains are read: of those who were let in first, as far as that is known, for they
/// say who else was.
pub struct Order {
    left: BTreeSet<ReplicaId>,
    ready: Vec<ReplicaId>,
    /// Replicas of people who were let in.
    let_in: HashSet<ReplicaId>,
    own: ReplicaId,
    /// Strangers of whom there is something here, and how many more there may be.
    here: HashSet<ReplicaId>,
    room: usize,
}

/// A chain to be read.
pub struct Next {
    pub replica: ReplicaId,
    pub stranger: bool,
    /// Whether there is room for a stranger.
    pub has_room: bool,
}

impl Order {
    pub fn new(left: BTreeSet<ReplicaId>, own: ReplicaId) -> Self {
        let (ready, let_in, here) = (Vec::new(), HashSet::new(), HashSet::new());
        Self { left, ready, let_in, own, here, room: 0 }
    }

    /// Looks again at who was let in: after anything was read.
    pub fn look(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.let_in = db::journal::let_in(conn)?;
        self.let_in.insert(self.own);
        let founder = db::store::setting(conn, FOUNDER)?;
        self.let_in.extend(founder.and_then(|text| text.parse::<ReplicaId>().ok()));
        self.ready =
            self.let_in.iter().filter(|known| self.left.contains(known)).copied().collect();
        self.ready.sort_unstable();
        self.here = db::journal::all_replicas(conn)?;
        self.here.retain(|replica| !self.let_in.contains(replica));
        self.room = CHAINS_MAX.saturating_sub(self.here.len());
        Ok(())
    }

    /// Whether anybody was let in on a device.
    pub fn is_let_in(&self, replica: ReplicaId) -> bool {
        self.let_in.contains(&replica)
    }

    pub fn next(&mut self) -> Option<Next> {
        if let Some(replica) = self.ready.pop() {
            self.left.remove(&replica);
            return Some(Next { replica, stranger: false, has_room: true });
        }
        let replica = self.left.pop_first()?;
        let has_room = self.room > 0 || self.here.contains(&replica);
        Some(Next { replica, stranger: true, has_room })
    }
}

/// Takes note of segments of strangers that there is no room for: they are not read again before
/// their author is let in.
pub fn leave_outside(
    conn: &Connection,
    store: &str,
    chains: u64,
    segments: &[(String, u64)],
) -> rusqlite::Result<()> {
    for (name, bytes) in segments {
        db::store::insert_segment(conn, store, name, Known { bytes: *bytes, good: false })?;
    }
    let (replica, why) = (ReplicaId([0; 16]), NO_ROOM.to_owned());
    db::journal::count_dropped(conn, &DroppedRow { replica, why, n: chains, seq: 0 })
}

/// The device that founded the workspace, where that is known before anything was read.
pub const FOUNDER: &str = "sync.founder";

/// Has the chains of those read again of whom something was left out and who were let in since;
/// tells how many that are.
pub fn read_again(conn: &Connection) -> rusqlite::Result<usize> {
    let let_in = db::journal::let_in(conn)?;
    let mut n = 0;
    for row in db::journal::dropped(conn)? {
        if row.why == TOO_MUCH && let_in.contains(&row.replica) {
            db::journal::forget_dropped(conn, Some(row.replica), TOO_MUCH)?;
            db::store::forget_segments_of(conn, row.replica)?;
            n += 1;
        }
    }
    // Of whom there was no room for anything.
    for replica in let_in {
        if db::journal::replica(conn, replica)?.is_none()
            && db::store::knows_segments_of(conn, replica)?
        {
            db::store::forget_segments_of(conn, replica)?;
            n += 1;
        }
    }
    Ok(n)
}

/// Names by replica.
pub fn by_replica<'n>(
    names: impl IntoIterator<Item = &'n Name>,
) -> BTreeMap<ReplicaId, Vec<&'n Name>> {
    let mut found: BTreeMap<ReplicaId, Vec<&Name>> = BTreeMap::new();
    for name in names {
        found.entry(name.replica).or_default().push(name);
    }
    found
}
