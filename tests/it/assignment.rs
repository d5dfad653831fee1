//! Work is shared without anybody handing it out, also among people who do not hear of each other.

use std::collections::BTreeMap;
use std::path::Path;

use casework::db::case::{CaseRow, Direction, QueueKey};
use casework::db::{self, Db};
use casework::domain::assign::{Candidate, Turn};
use casework::domain::ids::{CaseId, Hash};
use casework::domain::label::{Label, MAIN_ROUND, ProtocolRef};
use casework::domain::policy::{Policy, Shares};
use casework::domain::resolve::CaseState;
use casework::domain::roster::Role;
use casework::domain::time::Moment;
use casework::journal::blob::Packer;
use casework::journal::kind::*;
use casework::journal::{Append, DeviceKey, chain};
use casework::review::share::{idle_founder, share};
use casework::review::{Queue, sla};
use casework::sync::store::{self, Options};
use casework::sync::{Exchange, Store};

use crate::support::{Place, T0, digest, workspace_id};

const HOUR: i64 = 3_600_000;
const NAMES: [&str; 4] = ["ana", "bo", "chidi", "dee"];
const CASES: usize = 600;
/// Labels that one of them gives in a day.
const A_DAY: usize = 60;

struct Desk {
    db: Db,
    key: DeviceKey,
    name: &'static str,
}

impl Desk {
    fn append(&mut self, events: Vec<Append>, now: Moment) {
        chain::append(&mut self.db, &self.key, self.name, events, now).unwrap();
    }

    fn sync(&mut self, store: &mut dyn Store, now: Moment) {
        let (clock, go_on) = (|| now, || true);
        let (db, key) = (&mut self.db, &self.key);
        Exchange { db, key, store, encrypt: false, now: &clock, go_on: &go_on }.run().unwrap();
        db::store::set_setting(&self.db.conn, db::store::LAST_SYNC, &now.0.to_string()).unwrap();
        self.counts_agree(now);
    }

    /// What the screen says is assigned to somebody is what the board says waits for them.
    fn counts_agree(&self, now: Moment) {
        let policy = casework::journal::views::policy(&self.db.conn).unwrap();
        let counts = Queue::load(&self.db.conn, self.name, now).unwrap();
        let counts = counts.counts(&self.db.conn, || false).unwrap();
        let due = sla::by_person(&sla::due_items(&self.db.conn, &policy, now).unwrap(), now);
        let due = due.get(self.name).and_then(|of| of.get(&sla::Duty::Label));
        let waits = due.map_or(0, |tally| tally.all as u64);
        assert_eq!(counts.assigned() + counts.deferred, waits, "{}: {counts:?}", self.name);
    }

    /// Labels what stands first in the queue, as much as somebody does in a day.
    fn work(&mut self, most: usize, now: Moment) -> usize {
        let queue = Queue::load(&self.db.conn, self.name, now).unwrap();
        let mine = queue.page(&self.db.conn, QueueKey::FIRST, Direction::Forward, most).unwrap();
        for CaseRow { id, .. } in &mine {
            self.append(vec![Append::new(&label(*id, self.name))], now);
        }
        mine.len()
    }
}

fn label(case: CaseId, reviewer: &str) -> LabelGiven {
    LabelGiven(Label {
        outcome: [("verdict".to_owned(), "ok".into())].into(),
        ..Label::empty(
            case,
            reviewer,
            MAIN_ROUND,
            ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
        )
    })
}

fn detected(n: usize, at: Moment) -> Append {
    let json = format!(
        "{{\"prediction\":{}}}",
        crate::support::line(&n.to_string(), "text", "x", 0.5, 0).trim()
    );
    let packed = Packer::new(None).unwrap().pack(json.as_bytes(), [1; 16]).unwrap();
    let event = CaseDetected {
        case: CaseId::of("s", &n.to_string()),
        stream: "s".into(),
        id: n.to_string(),
        occurred_ms: at,
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
    Append::with_payload(&event, packed, "text".into())
}

/// Four who review, each on a device of their own; ana founded it.
fn team(policy: Policy) -> Vec<Desk> {
    let mut desks: Vec<Desk> = NAMES
        .iter()
        .enumerate()
        .map(|(n, name)| Desk {
            db: Db::create(Path::new(":memory:")).unwrap(),
            key: DeviceKey::from_seed([n as u8 + 1; 32]),
            name,
        })
        .collect();
    let mut founded = vec![
        Append::new(&WorkspaceFounded { name: "team".into() }),
        Append::new(&ReplicaJoined::new("ana", &desks[0].key)),
        Append::new(&PolicySet { policy }),
    ];
    for desk in &desks[1..] {
        let (name, replica) = (desk.name.to_owned(), desk.key.replica());
        founded.push(Append::new(&ReviewerAdmitted {
            name,
            roles: vec![Role::Reviewer],
            replica,
            profile: None,
        }));
    }
    desks[0].append(founded, T0);
    let workspace = workspace_id(&desks[0].db);
    for desk in &mut desks[1..] {
        casework::sync::pin(&desk.db, workspace, None).unwrap();
        let joined = ReplicaJoined::new(desk.name, &desk.key);
        desk.append(vec![Append::new(&joined)], T0);
    }
    desks
}

/// A week of four, two of them offline; the hours in which a case is to be labeled. Returns how
/// many cases were settled, and how many labels more than were wanted were given.
fn week(sla_hours: u32) -> (usize, usize) {
    let place = Place::new();
    let mut store = store::open(
        place.dir.path().to_str().unwrap(),
        &Options { create: true, ..Options::default() },
    )
    .unwrap();
    let mut desks = team(Policy { overlap: 1, sla_hours, ..Policy::default() });
    for chunk in (0..CASES).collect::<Vec<_>>().chunks(100) {
        desks[0].append(chunk.iter().map(|n| detected(*n, T0)).collect(), T0);
    }
    for _ in 0..2 {
        desks.iter_mut().for_each(|desk| desk.sync(&mut *store, T0));
    }
    // A week: ana and dee sync every day, bo and chidi are away with what they have. Everybody
    // could do 60 a day.
    let mut given = 0;
    for day in 1..=7 {
        let now = Moment(T0.0 + day * 24 * HOUR);
        for n in [0, 3, 1, 2] {
            given += desks[n].work(A_DAY, now);
            if n == 0 || n == 3 {
                desks[n].sync(&mut *store, now);
            }
        }
    }
    let now = Moment(T0.0 + 8 * 24 * HOUR);
    for _ in 0..2 {
        desks.iter_mut().for_each(|desk| desk.sync(&mut *store, now));
    }
    assert!(desks.iter().all(|desk| digest(&desk.db) == digest(&desks[0].db)));
    let mut labels: BTreeMap<CaseId, usize> = BTreeMap::new();
    db::label::for_each(&desks[0].db.conn, |row| {
        *labels.entry(row.given.label.case).or_default() += 1
    })
    .unwrap();
    let arrived: usize = labels.values().sum();
    let twice: usize = labels.values().map(|n| n - 1).sum();
    let resolved =
        db::count::get(&desks[0].db.conn, &format!("state:{}", CaseState::Resolved as i64))
            .unwrap();
    eprintln!(
        "{CASES} cases due in {sla_hours} h, two of four offline for a week: {given} labels given, {arrived} arrived, \
         {resolved} settled, {twice} labels beyond the one that is wanted"
    );
    assert_eq!(arrived, given, "no label is lost");
    (resolved as usize, twice)
}

#[test]
fn two_who_are_offline_for_a_week_lose_nothing_and_little_is_done_twice() {
    let (resolved, twice) = week(72);
    assert_eq!(resolved, CASES);
    // Ana and dee must take what is overdue and of which they hear nothing: that half, which bo and
    // chidi do unheard, is done twice. Beside it they do the same only where there is nothing else
    // left to do, for a day at most. Without shares all four would go down the same list: 4 × 7 ×
    // 60 labels, 1080 more than are wanted.
    let (unheard, a_day) = (CASES / 2, 2 * A_DAY);
    assert!(twice <= unheard + a_day + CASES / 20, "{twice}, of {unheard} unheard");
}

#[test]
fn as_long_as_nobody_is_overdue_nothing_is_done_twice() {
    let twice = week(24 * 14).1;
    assert_eq!(twice, 0);
}

/// Labels that each of [`NAMES`] gets done in a day.
const PACES: [usize; 4] = [20, 12, 6, 2];

/// Five weeks of four who sync every evening and get done what they can, with 200 new cases every
/// Monday, none of which is due before its week is over. Returns how many cases of the last were
/// settled when it ended, and what the shares were then, by each device.
fn weeks(shares: Shares) -> (usize, Vec<Vec<(String, u32)>>) {
    let place = Place::new();
    let options = Options { create: true, ..Options::default() };
    let mut store = store::open(place.dir.path().to_str().unwrap(), &options).unwrap();
    let mut desks = team(Policy { overlap: 1, sla_hours: 24 * 30, shares, ..Policy::default() });
    let at = |day: usize| Moment(T0.0 + day as i64 * 24 * HOUR);
    const NEW: usize = 200;
    for day in 0..35 {
        if day % 7 == 0 {
            let new = (day / 7 * NEW..(day / 7 + 1) * NEW).map(|n| detected(n, at(day)));
            desks[0].append(new.collect(), at(day));
            for _ in 0..2 {
                desks.iter_mut().for_each(|desk| desk.sync(&mut *store, at(day)));
            }
        }
        if day % 7 < 5 {
            for (desk, pace) in desks.iter_mut().zip(PACES) {
                desk.work(pace, Moment(at(day).0 + 8 * HOUR));
                desk.sync(&mut *store, Moment(at(day).0 + 9 * HOUR));
            }
        }
    }
    for _ in 0..2 {
        desks.iter_mut().for_each(|desk| desk.sync(&mut *store, at(35)));
    }
    let of_last = (4 * NEW..5 * NEW).filter(|n| {
        let row = db::case::by_id(&desks[0].db.conn, CaseId::of("s", &n.to_string()));
        row.unwrap().unwrap().state == CaseState::Resolved
    });
    let shared = |desk: &Desk| {
        let share = share(&desk.db.conn, at(35)).unwrap();
        let weight = |one: &Candidate| (one.name.clone(), one.weight());
        share.candidates().iter().map(weight).collect()
    };
    (of_last.count(), desks.iter().map(shared).collect())
}

#[test]
fn shares_follow_what_everybody_gets_done() {
    let (equal, by_capacity) = weeks(Shares::Capacity);
    let (followed, by_pace) = weeks(Shares::Pace);
    eprintln!("settled of the last 200 cases: {equal} in equal shares, {followed} by pace");
    assert!(followed > equal, "{followed} by pace, {equal} in equal shares");
    let weights = |shares: &[(String, u32)]| shares.iter().map(|(_, w)| *w).collect::<Vec<_>>();
    assert_eq!(weights(&by_capacity[0]), [100; 4]);
    let first = weights(&by_pace[0]);
    assert!(first.is_sorted_by(|one, other| one > other), "{first:?}");
    assert_eq!(first[3], 25_000, "nobody has less than a quarter of what is usual: {first:?}");
    assert!(
        by_pace.iter().all(|device| *device == by_pace[0]),
        "alike on each device: {by_pace:?}"
    );
}

#[test]
fn a_founder_who_does_not_review_takes_no_share() {
    let mut desks = team(Policy { overlap: 1, ..Policy::default() });
    desks[0].append((0..100).map(|n| detected(n, T0)).collect(), T0);
    let place = Place::new();
    let options = Options { create: true, ..Options::default() };
    let mut store = store::open(place.dir.path().to_str().unwrap(), &options).unwrap();
    let mut synced = |desks: &mut Vec<Desk>, now: Moment| {
        for _ in 0..2 {
            desks.iter_mut().for_each(|desk| desk.sync(&mut *store, now));
        }
    };
    let of_founder = |desks: &[Desk], now: Moment| {
        let of = |desk: &Desk| {
            let share = share(&desk.db.conn, now).unwrap();
            let ana = share.candidates().iter().find(|one| one.name == "ana").unwrap();
            (ana.weight() > 0, idle_founder(&desk.db.conn, now).unwrap().is_none())
        };
        assert!(desks.iter().all(|desk| of(desk) == of(&desks[0])));
        let (takes, nothing_said) = of(&desks[0]);
        assert_eq!(takes, nothing_said, "it is said where it is so");
        let counts = Queue::load(&desks[0].db.conn, "ana", now).unwrap();
        let counts = counts.counts(&desks[0].db.conn, || false).unwrap();
        assert_eq!(counts.mine() > 0, takes, "{counts:?}");
        assert_eq!(counts.leaves_to_others, !takes);
        takes
    };
    synced(&mut desks, T0);
    assert!(of_founder(&desks, T0), "at first everybody takes part");
    for desk in &mut desks[1..] {
        desk.work(7, T0);
    }
    let monday = Moment(T0.0 + 7 * 24 * HOUR);
    assert!(of_founder(&desks[2..3], monday), "a device that heard of nobody knows nothing");
    synced(&mut desks, T0);
    assert!(of_founder(&desks, T0), "nothing moves in the middle of a week");
    synced(&mut desks, monday);
    assert!(!of_founder(&desks, monday), "who gave none while others gave 21 does not review");
    desks[0].append(vec![Append::new(&label(CaseId::of("s", "0"), "ana"))], monday);
    synced(&mut desks, monday);
    assert!(of_founder(&desks, monday), "whoever gives one takes part");
}

/// However a queue is read, in pages of any size, from either end, or with all places found at once,
/// it holds the same cases in the same order: those whose turn it is, looked at one by one.
#[test]
fn a_queue_is_the_same_however_it_is_read() {
    let place = Place::new();
    let mut workspace = place.create();
    for name in ["bo", "chidi", "dee", "eve", "fay"] {
        place.ok(&["roster", "admit", name, "--role", "reviewer"]);
    }
    let lines: String =
        (0..400).map(|n| crate::support::line(&format!("p{n}"), "hi", "a", 0.5, n * 7)).collect();
    crate::support::ingest(&mut workspace, &lines);
    let pages = |queue: &Queue, direction: Direction, limit: usize| {
        let (mut found, mut from) = (
            Vec::new(),
            match direction {
                Direction::Forward => QueueKey::FIRST,
                Direction::Backward => QueueKey::LAST,
            },
        );
        loop {
            let page = workspace.queue_page(queue, from, direction, limit).unwrap();
            found.extend(page.iter().map(CaseRow::key));
            assert!(page.len() <= limit);
            match page.last() {
                Some(last) if page.len() == limit => from = last.key(),
                _ => return found,
            }
        }
    };
    let hours = workspace.policy().unwrap().sla_hours;
    let db = Db::open(&place.paths().database()).unwrap();
    let mut sizes = Vec::new();
    for part in [0.0, 0.6, 0.8, 1.1, 2.0] {
        let now = Moment(casework::clock::now().0 + (part * f64::from(hours) * HOUR as f64) as i64);
        let queue = || workspace.queue_of(None, now).unwrap();
        let lone = queue();
        let forward = pages(&lone, Direction::Forward, 1000);
        // One by one.
        let every = workspace.queue_of(Some(CaseState::Open), now).unwrap();
        let mut expect: Vec<QueueKey> = Vec::new();
        for key in pages(&every, Direction::Forward, 1000) {
            let case = db::case::by_num(&db.conn, key.num).unwrap().unwrap();
            let turn = match lone.turn(&db.conn, &case.work()).unwrap() {
                Some(Turn::First) => 0,
                Some(Turn::Widened(behind)) => behind,
                _ => continue,
            };
            expect.push(QueueKey { turn, ..key });
        }
        expect.sort_unstable();
        assert_eq!(forward, expect);
        for limit in [1, 7, 50, 399] {
            assert_eq!(pages(&queue(), Direction::Forward, limit), forward);
            let mut backward = pages(&queue(), Direction::Backward, limit);
            backward.reverse();
            assert_eq!(backward, forward);
            let known = queue();
            workspace.know_queue(&known).unwrap();
            assert_eq!(pages(&known, Direction::Forward, limit), forward);
            let mut backward = pages(&known, Direction::Backward, limit);
            backward.reverse();
            assert_eq!(backward, forward);
        }
        sizes.push((forward.len(), forward.iter().filter(|key| key.turn > 0).count()));
    }
    // Others' come when their time runs out.
    assert!(sizes[0].1 == 0 && sizes[0].0 > 20 && sizes[0].0 < 200, "{sizes:?}");
    assert!(sizes[4].1 > 50, "{sizes:?}");
}
