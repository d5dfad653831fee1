//! What is kept of those whom nobody let in. Whoever can write to a store can make a thousand keys
//! and sign with each; so of a stranger's chain a few short entries are kept, enough to ask to join,
//! and of so many strangers. What is left out is counted, and read again once its author is let in:
//! who comes first to a store decides nothing about what counts.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rusqlite::Connection;

use super::exchange::SyncError;
use super::segment::Name;
use crate::db::journal::{DroppedRow, EntryRow};
use crate::db::{self, Db};
use crate::domain::ids::ReplicaId;
use crate::journal::entry::Body;

/// Strangers of whom anything is kept.
const CHAINS_MAX: usize = 100;
/// Entries of a stranger that are kept: their number in the chain.
const ENTRIES_MAX: u64 = 8;
/// Events in such an entry, and bytes.
const EVENTS_MAX: usize = 16;
const BYTES_MAX: usize = 16 << 10;
/// Segments of a stranger that are read at a time, and the largest: those that we write are smaller.
const SEGMENTS_MAX: usize = 16;
const SEGMENT_BYTES_MAX: u64 = 17 << 20;

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
    db::journal::forget_dropped(conn, replica, UNREAD)?;
    if n == 0 {
        return Ok(());
    }
    let (why, n, seq) = (UNREAD.to_owned(), n as u64, ENTRIES_MAX + 1);
    db::journal::count_dropped(conn, &DroppedRow { replica, why, n, seq })
}

/// The segments of a stranger that are worth a look, and how many are not; `bytes` says how large one
/// is.
pub fn worth_reading<'n>(
    names: &[&'n Name],
    bytes: impl Fn(&Name) -> u64,
) -> (Vec<&'n Name>, usize) {
    let worth = |name: &&Name| name.first <= ENTRIES_MAX && bytes(name) <= SEGMENT_BYTES_MAX;
    let mut worth: Vec<&Name> = names.iter().copied().filter(worth).collect();
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
    /// Strangers that were read now, whether anything of them is kept or not.
    tried: HashSet<ReplicaId>,
    room: usize,
    /// Whose word for another key counts, and keys that a retired one was rightfully followed by.
    vouchers: HashSet<ReplicaId>,
    heirs: HashSet<ReplicaId>,
    /// Chains that a key vouches for which nobody let in yet: they are looked at again.
    aside: Vec<(ReplicaId, ReplicaId)>,
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
        let (ready, aside) = (Vec::new(), Vec::new());
        let (let_in, here, tried) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (vouchers, heirs) = (HashSet::new(), HashSet::new());
        Self { left, ready, let_in, own, here, tried, room: 0, vouchers, heirs, aside }
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
        self.room = CHAINS_MAX.saturating_sub(self.here.union(&self.tried).count());
        let cuts = db::roster::cuts(conn)?;
        self.vouchers.clone_from(&self.let_in);
        for ((_, replica), cut) in cuts {
            self.vouchers.remove(&replica);
            self.heirs.extend(cut.heirs);
        }
        Ok(())
    }

    /// Whether anybody was let in on a device.
    pub fn is_let_in(&self, replica: ReplicaId) -> bool {
        self.let_in.contains(&replica)
    }

    /// Whether the word of a key for a chain counts.
    pub fn is_vouched(&self, replica: ReplicaId, by: ReplicaId) -> bool {
        self.vouchers.contains(&by) || (self.let_in.contains(&by) && self.heirs.contains(&replica))
    }

    /// Puts a chain aside that a key vouches for which may yet be let in; tells whether there is room
    /// for that.
    pub fn put_aside(&mut self, replica: ReplicaId, by: ReplicaId) -> bool {
        let fits = self.aside.len() < CHAINS_MAX && !self.let_in.contains(&by);
        if fits {
            self.aside.push((replica, by));
        }
        fits
    }

    pub fn next(&mut self) -> Option<Next> {
        if let Some(at) = self.aside.iter().position(|(_, by)| self.vouchers.contains(by)) {
            let (replica, _) = self.aside.swap_remove(at);
            return Some(Next { replica, stranger: true, has_room: true });
        }
        if let Some(replica) = self.ready.pop() {
            self.left.remove(&replica);
            return Some(Next { replica, stranger: false, has_room: true });
        }
        let replica = self.left.pop_first()?;
        let has_room = self.room > 0 || self.here.contains(&replica);
        if has_room && !self.here.contains(&replica) && self.tried.insert(replica) {
            self.room = self.room.saturating_sub(1);
        }
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
        db::store::insert_segment_of_stranger(conn, store, name, *bytes)?;
    }
    let (replica, why) = (ReplicaId([0; 16]), NO_ROOM.to_owned());
    db::journal::count_dropped(conn, &DroppedRow { replica, why, n: chains, seq: 0 })
}

/// The device that founded the workspace, where that is known before anything was read.
pub const FOUNDER: &str = "sync.founder";

/// Has the segments of those read again of whom something was left out and who were let in since;
/// tells how many these are.
pub fn read_again(db: &mut Db) -> Result<usize, SyncError> {
    let let_in = db::journal::let_in(&db.conn)?;
    let mut again = db::store::segments_of_strangers(&db.conn)?;
    again.retain(|(_, name)| Name::parse(name).is_some_and(|name| let_in.contains(&name.replica)));
    if again.is_empty() {
        return Ok(0);
    }
    let tx = db.begin()?;
    for (store, name) in &again {
        db::store::delete_segment(&tx, store, name)?;
    }
    for row in db::journal::dropped(&tx)? {
        if let_in.contains(&row.replica) {
            db::journal::forget_dropped(&tx, row.replica, TOO_MUCH)?;
            db::journal::forget_dropped(&tx, row.replica, UNREAD)?;
        }
    }
    tx.commit()?;
    Ok(again.len())
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
