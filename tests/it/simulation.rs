//! A deterministic simulation of a team on a store that fails in every way that stores do: answers
//! lost, writes torn, lists stale or in another order, crashes between any two steps, a store that
//! is emptied or set back, clocks that are days off, workspaces restored from old copies, members
//! who forge and fork. When all that ends, everybody syncs, and everybody must hold the same, with
//! everything that was ever acknowledged.
//!
//! A schedule is a number. `CASEWORK_SCHEDULES` says how many are run (CI: thousands); one that
//! fails is printed, and `CASEWORK_SEED` runs it alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use casework::db::store as local;
use casework::db::{self, Db};
use casework::domain::ids::{CaseId, Hash};
use casework::domain::label::{Label, MAIN_ROUND, ProtocolRef};
use casework::domain::policy::Policy;
use casework::domain::roster::Role;
use casework::domain::time::{Hlc, Moment};
use casework::journal::blob::Packer;
use casework::journal::device::{self, Because};
use casework::journal::kind::*;
use casework::journal::{Append, DeviceKey, chain};
use casework::sync::segment::{Kind, Name, encode_journal};
use casework::sync::store::Listed;
use casework::sync::{Exchange, Put, Store, StoreError, StoreErrorKind, SyncError};

use crate::support::{T0, body_hash, craft, digest, entries, number, workspace_id};

/// Numbers that only the seed decides.
struct SplitMix64(AtomicU64);

impl SplitMix64 {
    fn next(&self) -> u64 {
        let mut x = self
            .0
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

type Files = BTreeMap<String, Vec<u8>>;

/// What is on the store, and what it was.
#[derive(Default)]
struct World {
    files: Files,
    past: Vec<Files>,
}

/// The store as one replica meets it during one sync.
struct Faulty<'w> {
    world: &'w mut World,
    dice: &'w SplitMix64,
    /// One operation in so many fails somehow; 0: none.
    rate: u64,
    /// Operations until the program crashes.
    crash_in: u64,
    /// Whether whoever asks never saw the store, as after a restore. An old list would then show
    /// them nothing of what another copy of them wrote: they would write entries with the same
    /// numbers, and who is restored once more before that is found has nothing left to write anew.
    /// Against both at once there is no help.
    first_look: bool,
}

fn failed(why: &str) -> StoreError {
    StoreError { trouble: StoreErrorKind::Unreachable, store: "sim".into(), why: why.into() }
}

impl Faulty<'_> {
    fn step(&mut self) -> Result<bool, StoreError> {
        if self.crash_in == 0 {
            return Err(failed("crashed"));
        }
        self.crash_in -= 1;
        Ok(self.rate > 0 && self.dice.one_in(self.rate))
    }

    fn change(&mut self, change: impl FnOnce(&mut Files)) {
        if self.world.past.len() < 64 {
            self.world.past.push(self.world.files.clone());
        }
        change(&mut self.world.files);
    }
}

impl Store for Faulty<'_> {
    fn name(&self) -> &str {
        "sim"
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let fault = self.step()?;
        let exists = self.world.files.contains_key(key);
        match (fault, self.dice.below(4)) {
            (true, 0) => return Err(failed("the write did not arrive")),
            (true, 1) if !exists => {
                self.change(|files| drop(files.insert(key.into(), bytes.into())));
                return Err(failed("the answer was lost"));
            }
            (true, 2) if !exists => {
                self.change(|files| {
                    drop(files.insert(key.into(), bytes[..bytes.len() / 2].into()))
                });
                return Err(failed("the write was torn"));
            }
            (true, 3) if !exists => {
                // The request was sent twice; the second finds the first.
                self.change(|files| drop(files.insert(key.into(), bytes.into())));
                return Ok(Put::Exists);
            }
            _ => {}
        }
        if exists {
            return Ok(Put::Exists);
        }
        self.change(|files| drop(files.insert(key.into(), bytes.into())));
        Ok(Put::Created)
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if self.step()? && self.dice.one_in(2) {
            return Err(failed("the read failed"));
        }
        Ok(self.world.files.get(key).cloned())
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let fault = self.step()?;
        let stale = fault && self.dice.one_in(2) && !self.world.past.is_empty();
        if fault && !stale && self.dice.one_in(2) {
            return Err(failed("the list failed"));
        }
        let back = self.dice.below(4) as usize;
        let files = match stale && !self.first_look {
            true => {
                &self.world.past[self.world.past.len() - 1 - back.min(self.world.past.len() - 1)]
            }
            false => &self.world.files,
        };
        let all = files.iter().filter(|(key, _)| key.starts_with(prefix));
        let mut listed: Vec<Listed> = all
            .map(|(key, bytes)| Listed { key: key.clone(), bytes: bytes.len() as u64 })
            .collect();
        if fault {
            for i in (1..listed.len()).rev() {
                listed.swap(i, self.dice.below(i as u64 + 1) as usize);
            }
        }
        Ok(listed)
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let fault = self.step()?;
        if fault && self.dice.one_in(2) {
            return Err(failed("the deletion did not arrive"));
        }
        self.change(|files| drop(files.remove(key)));
        if fault { Err(failed("the answer was lost")) } else { Ok(()) }
    }
}

/// One device.
struct Member {
    name: String,
    db: Db,
    key: DeviceKey,
    /// How far its clock is off, in milliseconds.
    skew: i64,
    admitted: bool,
    retired: bool,
    /// An older state of its database, with the key it had.
    copy: Option<(Db, [u8; 32])>,
    seed: [u8; 32],
    /// Rationales of labels that were acknowledged.
    said: BTreeSet<String>,
    /// Those that a sync has carried to the store.
    shared: BTreeSet<String>,
}

fn memory() -> Db {
    Db::create(Path::new(":memory:")).unwrap()
}

fn copy_of(db: &Db) -> Db {
    let mut copy = memory();
    rusqlite::backup::Backup::new(&db.conn, &mut copy.conn).unwrap().step(-1).unwrap();
    copy
}

struct Simulation {
    dice: SplitMix64,
    world: World,
    members: Vec<Member>,
    workspace: Hash,
    now: i64,
    keys: u8,
    /// Whether the store may lose things, or members be restored: what is lost with both at once is
    /// lost for good.
    store_loses: bool,
    hostile: bool,
    told: u64,
    log: Vec<String>,
}

const CASES: u64 = 6;

impl Simulation {
    fn new(seed: u64) -> Self {
        let dice = SplitMix64(AtomicU64::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D)));
        let mut db = memory();
        let key = DeviceKey::from_seed([1; 32]);
        let founded = vec![
            Append::new(&WorkspaceFounded { name: "team".into() }),
            Append::new(&ReplicaJoined::new("ana", &key)),
            Append::new(&PolicySet { policy: Policy { overlap: 2, ..Policy::default() } }),
        ];
        chain::append(&mut db, &key, "ana", founded, T0).unwrap();
        let workspace = workspace_id(&db);
        let mut simulation = Self {
            store_loses: dice.one_in(2),
            hostile: dice.one_in(3),
            dice,
            world: World::default(),
            members: Vec::new(),
            workspace,
            now: T0.0,
            keys: 1,
            told: 0,
            log: Vec::new(),
        };
        let ana = Member {
            name: "ana".into(),
            db,
            key,
            skew: 0,
            admitted: true,
            retired: false,
            copy: None,
            seed: [1; 32],
            said: BTreeSet::new(),
            shared: BTreeSet::new(),
        };
        simulation.members.push(ana);
        for name in ["bo", "chidi", "dee"] {
            simulation.join(name);
        }
        simulation
    }

    fn fresh_key(&mut self) -> ([u8; 32], DeviceKey) {
        self.keys += 1;
        ([self.keys; 32], DeviceKey::from_seed([self.keys; 32]))
    }

    fn join(&mut self, name: &str) {
        let (seed, key) = self.fresh_key();
        let mut db = memory();
        casework::sync::pin(&db, self.workspace, None).unwrap();
        let skew =
            if self.dice.one_in(3) { (self.dice.below(11) as i64 - 5) * 86_400_000 } else { 0 };
        let now = Moment(self.now + skew);
        chain::append(&mut db, &key, name, vec![Append::new(&ReplicaJoined::new(name, &key))], now)
            .unwrap();
        let (said, shared) = (BTreeSet::new(), BTreeSet::new());
        self.members.push(Member {
            name: name.into(),
            db,
            key,
            skew,
            admitted: false,
            retired: false,
            copy: None,
            seed,
            said,
            shared,
        });
    }

    fn clock(&self, who: usize) -> Moment {
        Moment(self.now + self.members[who].skew)
    }

    fn append(&mut self, who: usize, events: Vec<Append>) -> bool {
        let now = self.clock(who);
        let Member { name, db, key, .. } = &mut self.members[who];
        chain::append(db, key, &*name, events, now).is_ok()
    }

    /// Something that one of them does.
    fn act(&mut self) {
        self.now += self.dice.below(3_600_000) as i64;
        let who = self.dice.below(self.members.len() as u64) as usize;
        match self.dice.below(20) {
            0..=6 => self.label(who),
            7 => self.detect(who),
            8 => self.admit_somebody(),
            9 => self.comment(who),
            10 => self.erase(),
            11 => self.retire_somebody(),
            12 => self.lose(),
            13 => self.copy_or_restore(who),
            14 if self.hostile => self.attack(),
            _ => self.sync(who, 6 + self.dice.below(20)),
        }
    }

    fn label(&mut self, who: usize) {
        let rationale = format!("label {}", self.told);
        self.told += 1;
        let label = Label {
            outcome: [("verdict".to_owned(), format!("v{}", self.dice.below(2)).into())].into(),
            rationale: rationale.clone(),
            ..Label::empty(
                CaseId::of("s", &self.dice.below(CASES).to_string()),
                &self.members[who].name,
                MAIN_ROUND,
                ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
            )
        };
        if self.append(who, vec![Append::new(&LabelGiven(label))]) {
            self.log.push(format!("{} gives {rationale}", self.members[who].name));
            self.members[who].said.insert(rationale);
        }
    }

    fn detect(&mut self, who: usize) {
        let id = self.dice.below(CASES).to_string();
        let line = crate::support::line(&id, &format!("text of {id}"), "x", 0.5, 1);
        let json = format!("{{\"prediction\":{}}}", line.trim());
        let packed =
            Packer::new(None).unwrap().pack(json.as_bytes(), [self.dice.next() as u8; 16]).unwrap();
        let event = CaseDetected {
            case: CaseId::of("s", &id),
            stream: "s".into(),
            id,
            occurred_ms: Moment(1),
            model: String::new(),
            predicted: None,
            confidence: None,
            flags: vec![],
            rank: 1,
            payload: packed.hash,
            language: String::new(),
            needs: vec![],
            why: Vec::new(),
            alarm: None,
        };
        self.append(who, vec![Append::with_payload(&event, packed, "text".into())]);
    }

    fn comment(&mut self, who: usize) {
        let case = CaseId::of("s", &self.dice.below(CASES).to_string());
        self.append(who, vec![Append::new(&CaseCommented::new(case, "hm".into()))]);
    }

    fn erase(&mut self) {
        let case = CaseId::of("s", &self.dice.below(CASES).to_string());
        self.append(
            0,
            vec![Append::new(&PayloadErased { case, reason: "asked to".into(), instead: None })],
        );
    }

    /// Ana lets in whoever asks, as far as she knows.
    fn admit_somebody(&mut self) {
        let who = 1 + self.dice.below(self.members.len() as u64 - 1) as usize;
        let (name, replica) = (self.members[who].name.clone(), self.members[who].key.replica());
        let roles = if self.dice.one_in(3) {
            vec![Role::Lead, Role::Reviewer]
        } else {
            vec![Role::Reviewer, Role::Engineer]
        };
        self.log.push(format!("ana admits {name} {}", replica.short()));
        self.members[who].admitted |= self.append(
            0,
            vec![Append::new(&ReviewerAdmitted { name, roles, replica, profile: None })],
        );
    }

    fn retire_somebody(&mut self) {
        if !self.dice.one_in(4) || self.members.len() > 6 {
            return;
        }
        let who = 1 + self.dice.below(self.members.len() as u64 - 1) as usize;
        let (name, replica) = (self.members[who].name.clone(), self.members[who].key.replica());
        let after = db::journal::replica(&self.members[0].db.conn, replica)
            .unwrap()
            .map_or(0, |head| head.head_seq);
        self.log.push(format!("ana retires {name} {} after {after}", replica.short()));
        let event = ReviewerRetired {
            name: name.clone(),
            replica,
            after,
            last: None,
            reason: String::new(),
            heirs: vec![],
        };
        self.append(0, vec![Append::new(&event)]);
        // What ana had not seen does not count from now on; the person comes back on a new device.
        self.members[who].retired = true;
        self.join(&name);
    }

    /// The store is emptied, or set back.
    fn lose(&mut self) {
        if !self.store_loses || self.world.past.is_empty() || !self.dice.one_in(2) {
            return;
        }
        let at = self.dice.below(self.world.past.len() as u64) as usize;
        self.log.push(format!("the store goes back to {at}"));
        self.world.files =
            if self.dice.one_in(3) { Files::new() } else { self.world.past[at].clone() };
    }

    fn copy_or_restore(&mut self, who: usize) {
        if self.store_loses {
            return;
        }
        let member = &mut self.members[who];
        match member.copy.take() {
            None => member.copy = Some((copy_of(&member.db), member.seed)),
            Some((db, seed)) => {
                self.log.push(format!("{} is restored", member.name));
                member.db = db;
                (member.key, member.seed) = (DeviceKey::from_seed(seed), seed);
                // What was never shared is gone with the disk.
                member.said = member.shared.clone();
            }
        }
    }

    /// A member with a good key and bad intentions, or somebody who can only write to the store.
    fn attack(&mut self) {
        let who = 1 + self.dice.below(2) as usize;
        let Member { key, db, .. } = &self.members[who];
        let own = entries(db)
            .into_iter()
            .filter(|entry| entry.replica == key.replica())
            .collect::<Vec<_>>();
        let Some(last) = own.last() else { return };
        let garbage = |text: &str| encode(&CaseCommented::new(CaseId::of("s", "0"), text.into()));
        let at = Hlc { ms: self.now - 3 * 86_400_000, n: 3 };
        let (kind, entry) = match self.dice.below(4) {
            // Signed by nobody whom anybody knows.
            0 => {
                let stranger = DeviceKey::from_seed([200; 32]);
                let join = encode(&ReplicaJoined::new("ana", &stranger));
                (
                    "stranger",
                    craft(
                        &stranger,
                        self.workspace,
                        1,
                        "",
                        at,
                        "ana",
                        vec![join, garbage("let me in")],
                    ),
                )
            }
            // In another's name, with a signature of one's own.
            1 => {
                let mut entry = craft(
                    &self.members[0].key,
                    self.workspace,
                    900,
                    "00",
                    at,
                    "ana",
                    vec![garbage("forged")],
                );
                entry.signature = key.sign(&entry.body);
                ("forged", entry)
            }
            2 => {
                let other = Hash([3; 32]);
                (
                    "foreign",
                    craft(
                        key,
                        other,
                        last.seq + 1,
                        &body_hash(last),
                        at,
                        "bo",
                        vec![garbage("replayed")],
                    ),
                )
            }
            _ => {
                let entry = craft(
                    &self.members[0].key,
                    self.workspace,
                    901,
                    "00",
                    at,
                    "ana",
                    vec![garbage("torn")],
                );
                ("cut", entry)
            }
        };
        let mut bytes = encode_journal(std::slice::from_ref(&entry)).unwrap();
        let name = Name::of(Kind::Journal, entry.replica, (entry.seq, entry.seq), &bytes, false);
        if kind == "cut" {
            bytes.truncate(bytes.len() / 2);
        }
        self.log.push(format!("attack: {kind}"));
        // Ana's chain must not look like a copied workspace to ana: what is under her name she did
        // not sign so.
        if kind != "cut" || self.dice.one_in(2) {
            self.world.files.insert(name.to_string(), bytes);
        }
        self.world.files.insert("journal/README.txt".into(), b"another program's".to_vec());
    }

    fn sync(&mut self, who: usize, crash_in: u64) {
        let result = self.exchange(who, 12, crash_in);
        self.log.push(format!(
            "{} syncs: {}",
            self.members[who].name,
            result.as_ref().err().map_or("done", |_| "cut short")
        ));
        if let Err(SyncError::Copied { entries, .. }) = &result {
            let first = entries.iter().map(|entry| entry.seq).min().unwrap();
            self.renew(who, first - 1);
        }
        if result.is_ok() {
            self.members[who].shared = self.members[who].said.clone();
        }
    }

    fn exchange(&mut self, who: usize, rate: u64, crash_in: u64) -> Result<(), SyncError> {
        let now = self.clock(who);
        let member = &mut self.members[who];
        let first_look = local::segments(&member.db.conn, "sim").unwrap().is_empty();
        let (world, dice) = (&mut self.world, &self.dice);
        let mut store = Faulty { world, dice, rate, crash_in, first_look };
        let (now, go_on) = (|| now, || true);
        let (db, key) = (&mut member.db, &member.key);
        Exchange { db, key, store: &mut store, encrypt: false, now: &now, go_on: &go_on }
            .run()
            .map(drop)
    }

    fn renew(&mut self, who: usize, last: u64) {
        let (seed, new) = self.fresh_key();
        let now = self.clock(who);
        let member = &mut self.members[who];
        self.log.push(format!("{} goes on as {} after {last}", member.name, new.replica().short()));
        let tx = member.db.begin().unwrap();
        device::rotate_key(
            &tx,
            &member.key,
            &new,
            &member.name,
            Because::Copied { last },
            Vec::new(),
            now,
        )
        .unwrap();
        tx.commit().unwrap();
        (member.key, member.seed) = (new, seed);
    }

    /// Faults end, clocks are set right, and everybody syncs until nobody has anything new.
    fn heal(&mut self) {
        self.now += 30 * 86_400_000;
        for member in &mut self.members {
            member.skew = 0;
        }
        for _ in 0..5 {
            for who in 0..self.members.len() {
                match self.exchange(who, 0, u64::MAX) {
                    Ok(()) => {}
                    Err(SyncError::Copied { entries, .. }) => {
                        let first = entries.iter().map(|entry| entry.seq).min().unwrap();
                        self.renew(who, first - 1);
                        self.exchange(who, 0, u64::MAX).unwrap();
                    }
                    Err(error) => panic!("a sync without faults failed: {error}"),
                }
            }
        }
    }

    fn check(&self) {
        let first = digest(&self.members[0].db);
        for member in &self.members {
            assert!(
                digest(&member.db) == first,
                "{} ends elsewhere: {}",
                member.name,
                difference(&self.members[0].db, &member.db)
            );
        }
        let mut counted = BTreeSet::new();
        db::label::for_each(&self.members[0].db.conn, |row| {
            counted.insert(row.given.label.rationale);
        })
        .unwrap();
        for member in self.members.iter().filter(|member| member.admitted && !member.retired) {
            for rationale in &member.said {
                assert!(
                    counted.contains(rationale),
                    "{}'s acknowledged {rationale} is lost",
                    member.name
                );
            }
        }
        let tx = self.members[1].db.conn.unchecked_transaction().unwrap();
        casework::journal::fold::refold(&tx).unwrap();
        tx.commit().unwrap();
        assert_eq!(digest(&self.members[1].db), first, "folded anew it is another state");
        assert!(!local::reach(&self.members[0].db.conn, "sim").unwrap().is_empty());
        for erased in db::erasure::all(&self.members[0].db.conn).unwrap() {
            for member in &self.members {
                for event in db::erasure::detections(&member.db.conn, erased.id).unwrap() {
                    assert!(
                        db::payload::get(&member.db.conn, event).unwrap().is_none(),
                        "an erased payload is still there"
                    );
                }
            }
        }
    }
}

/// The rows in which two states differ.
fn difference(one: &Db, two: &Db) -> String {
    let rows = |db: &Db, sql: &str| {
        let mut statement = db.conn.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values: Vec<String> = (0..columns)
                .map(|n| format!("{:?}", row.get::<_, rusqlite::types::Value>(n).unwrap()))
                .collect();
            Ok(values.join(" "))
        };
        statement.query_map([], row).unwrap().collect::<Result<BTreeSet<String>, _>>().unwrap()
    };
    let mut out = String::new();
    for sql in casework::journal::digest::PARTS {
        let (a, b) = (rows(one, sql), rows(two, sql));
        for (mark, row) in
            a.difference(&b).map(|row| ("-", row)).chain(b.difference(&a).map(|row| ("+", row)))
        {
            out.push_str(&format!(
                "\n  {mark} {}: {row}",
                sql.split(" FROM ").last().unwrap_or_default()
            ));
        }
    }
    out
}

fn run(seed: u64) -> Result<(), String> {
    let steps = 30 + seed % 50;
    let outcome = std::panic::catch_unwind(|| {
        let simulation = std::cell::RefCell::new(Simulation::new(seed));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut simulation = simulation.borrow_mut();
            (0..steps).for_each(|_| simulation.act());
            simulation.heal();
            simulation.check();
        }));
        result.map_err(|cause| {
            let words = cause.downcast_ref::<String>().cloned().unwrap_or_default();
            let log = simulation.try_borrow().map(|s| s.log.join("\n  ")).unwrap_or_default();
            format!("{words}\n  {log}")
        })
    });
    match outcome {
        Ok(result) => result,
        Err(_) => Err("the set-up failed".to_owned()),
    }
}

#[test]
fn whatever_fails_everybody_ends_in_the_same_place_with_all_that_was_acknowledged() {
    if let Some(seed) = number("CASEWORK_SEED") {
        run(seed).unwrap_or_else(|words| panic!("schedule {seed}: {words}"));
        return;
    }
    let schedules = number("CASEWORK_SCHEDULES").unwrap_or(60);
    let next = AtomicU64::new(0);
    let failures = std::thread::scope(|threads| {
        let worker = || {
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= schedules || failed.len() > 3 {
                    return failed;
                }
                failed.extend(run(seed).err().map(|words| (seed, words)));
            }
        };
        let workers: Vec<_> = (0..2).map(|_| threads.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let seeds: Vec<u64> = failures.iter().map(|(seed, _)| *seed).collect();
    assert!(
        seeds.is_empty(),
        "CASEWORK_SEED runs one alone; these failed: {seeds:?}\n{}",
        failures[0].1
    );
}
