//! What whoever can write to a store can cost those who read it: floods of entries that count for
//! nothing, beside as many that count.
//!
//!     cargo bench --bench flood                 100,000 entries of each
//!     cargo bench --bench flood -- 10000        that many
//!
//! Each runs in a process of its own: a workspace of two people, a store with the flood on it, one
//! exchange, and another after it. Said are the time of both, what the first added to the database
//! file, and the most memory that the process ever held.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use casework::clock::instant;
use casework::config::{Env, Paths};
use casework::db::Db;
use casework::db::journal::EntryRow;
use casework::domain::ids::{CaseId, Hash, ReplicaId};
use casework::domain::label::{Label, ProtocolRef};
use casework::domain::roster::Role;
use casework::domain::time::{Hlc, Moment};
use casework::journal::DeviceKey;
use casework::journal::entry::{BODY_VERSION, Body, hash};
use casework::journal::kind::{CaseCommented, LabelGiven, ReplicaJoined, ReviewerAdmitted, encode};
use casework::sync::segment::{Kind, Name, encode_journal};
use casework::workspace::Workspace;
use serde_json::value::RawValue;

const FLOODS: &[(&str, &str)] = &[
    ("honest", "entries of somebody who was let in, for comparison"),
    ("next", "forged: the next entry of their chain, by another key"),
    ("ahead", "forged: later entries of their chain, by another key"),
    ("stranger", "a chain of somebody who was never let in"),
    ("roster", "the same, each of which lets somebody in"),
    ("joins", "requests to join, each of another device"),
    ("forks", "chains of strangers that fork"),
    ("own", "entries in the reader's own name, a file each"),
    ("labels", "labels in one entry, each of another case (a tenth)"),
    ("case", "labels of one case in one entry (a tenth)"),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [flood, n, directory] = &args[..] {
        return one(flood, n.parse().unwrap(), Path::new(directory));
    }
    let n: usize = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let only: Vec<&String> = args.iter().filter(|arg| arg.parse::<usize>().is_err()).collect();
    println!("{n} entries each; seconds of the first exchange, and of one after it\n");
    println!("{:<10} {:>8} {:>8} {:>10} {:>9}", "", "first", "again", "disk", "memory");
    for (flood, words) in FLOODS {
        if !only.is_empty() && !only.iter().any(|one| one == flood) {
            continue;
        }
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let me = std::env::current_exe().unwrap();
        let status = Command::new(me)
            .args([flood, &*n.to_string(), dir.path().to_str().unwrap()])
            .status()
            .unwrap();
        println!("           {words}{}", if status.success() { "" } else { ": FAILED" });
    }
}

/// The people, the store between them, and what the flood needs to know.
struct Scene {
    ana: Workspace,
    store: PathBuf,
    workspace: Hash,
    bo: DeviceKey,
    /// Where bo's chain ends.
    head: (u64, String),
    protocol: ProtocolRef,
}

fn scene(dir: &Path) -> Scene {
    let store = dir.join("store");
    let starter = &casework::workspace::create::STARTERS[0];
    let (ana, bo) = (Paths { workspace: dir.join("ana") }, Paths { workspace: dir.join("bo") });
    let url = store.to_str().unwrap();
    let mut ana =
        Workspace::found_on(ana, Env::default(), "bench", "ana", url, false, starter).unwrap();
    sync(&mut ana, &store);
    let key = bo.key();
    let (mut joined, _) = Workspace::join(bo, Env::default(), url, "bo", None, None).unwrap();
    sync(&mut ana, &store);
    let device = ana.asking("bo", None).unwrap().unwrap().replica;
    ana.admit("bo", &[Role::Reviewer], Some(device), None).unwrap();
    sync(&mut ana, &store);
    sync(&mut joined, &store);
    let bo = DeviceKey::load(&key).unwrap();
    let workspace = ana.id().unwrap();
    let protocol = ana.protocols().unwrap().in_force()[0].reference.clone();
    drop(joined);
    let db = Db::open(&dir.join("bo/casework.db")).unwrap();
    let row = casework::db::journal::replica(&db.conn, bo.replica()).unwrap().unwrap();
    let head = (row.head_seq, row.head_hash.to_string());
    Scene { ana, store, workspace, bo, head, protocol }
}

fn sync(workspace: &mut Workspace, store: &Path) {
    let options = casework::sync::store::Options { create: true, ..Default::default() };
    let mut store = casework::sync::store::open(store.to_str().unwrap(), &options).unwrap();
    workspace.sync_with(&mut *store, &|| true).unwrap();
}

fn one(flood: &str, n: usize, dir: &Path) {
    let mut scene = scene(dir);
    plant(&scene, flood, n);
    let bytes =
        |name: &str| std::fs::metadata(dir.join("ana").join(name)).map_or(0, |file| file.len());
    let disk = || bytes("casework.db") + bytes("casework.db-wal");
    let before = disk();
    let begun = instant();
    sync(&mut scene.ana, &scene.store);
    let first = begun.elapsed().as_secs_f64();
    let begun = instant();
    sync(&mut scene.ana, &scene.store);
    let again = begun.elapsed().as_secs_f64();
    let added = disk().saturating_sub(before) as f64 / 1e6;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap_or("0 kB").trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0);
    println!("{flood:<10} {first:>8.2} {again:>8.2} {added:>7.1} MB {:>6.0} MB", peak / 1e3);
}

fn comment(n: usize) -> Box<RawValue> {
    encode(&CaseCommented::new(CaseId::of("s", "1"), format!("remark number {n}")))
}

/// Entries of one key, each linked to the one before.
struct Chain<'k> {
    key: &'k DeviceKey,
    workspace: Hash,
    name: String,
    head: (u64, String),
    ms: i64,
}

impl Chain<'_> {
    fn next(&mut self, events: Vec<Box<RawValue>>) -> EntryRow {
        self.ms += 1;
        let at = Hlc { ms: self.ms, n: 0 };
        let seq = self.head.0 + 1;
        let entry = signed(
            self.key,
            self.key.replica(),
            self.workspace,
            (seq, &self.head.1),
            (at, &self.name),
            events,
        );
        self.head = (seq, hash(&entry.body).to_string());
        entry
    }
}

fn signed(
    key: &DeviceKey,
    replica: ReplicaId,
    workspace: Hash,
    (seq, prev): (u64, &str),
    (at, author): (Hlc, &str),
    events: Vec<Box<RawValue>>,
) -> EntryRow {
    let body = Body {
        v: BODY_VERSION,
        workspace: workspace.to_string(),
        replica,
        seq,
        prev: prev.to_owned(),
        at,
        wall: None,
        author: author.to_owned(),
        visit: None,
        events,
    }
    .to_bytes();
    EntryRow { replica, seq, signature: key.sign(&body), body }
}

fn write(scene: &Scene, replica: ReplicaId, entries: &[EntryRow]) {
    let bytes = encode_journal(entries).unwrap();
    let run = (entries[0].seq, entries.last().unwrap().seq.max(entries[0].seq));
    let name = Name::of(Kind::Journal, replica, run, &bytes, false);
    let path = scene.store.join(name.to_string());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

const SEGMENT: usize = 5_000;

fn plant(scene: &Scene, flood: &str, n: usize) {
    let now = casework::clock::now().0;
    let workspace = scene.workspace;
    let stranger = |n: usize| {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(n as u64).to_le_bytes());
        DeviceKey::from_seed(seed)
    };
    fn begun(key: &DeviceKey, workspace: Hash, ms: i64) -> Chain<'_> {
        Chain { key, workspace, name: "bo".into(), head: (0, String::new()), ms }
    }
    let thief = stranger(1);
    match flood {
        "honest" => {
            let mut chain = Chain { head: scene.head.clone(), ..begun(&scene.bo, workspace, now) };
            let all: Vec<EntryRow> = (0..n).map(|n| chain.next(vec![comment(n)])).collect();
            all.chunks(SEGMENT).for_each(|some| write(scene, scene.bo.replica(), some));
        }
        "next" | "ahead" => {
            let one = |i: usize| {
                let seq = scene.head.0 + 1 + if flood == "ahead" { i as u64 } else { 0 };
                let at = Hlc { ms: now + i as i64, n: 0 };
                let to = (seq, scene.head.1.as_str());
                signed(&thief, scene.bo.replica(), workspace, to, (at, "bo"), vec![comment(i)])
            };
            let all: Vec<EntryRow> = (0..n).map(one).collect();
            all.chunks(SEGMENT).for_each(|some| write(scene, scene.bo.replica(), some));
        }
        "stranger" | "roster" => {
            let mut chain = begun(&thief, workspace, now);
            let join = encode(&ReplicaJoined::new("bo", &thief));
            let mut all = vec![chain.next(vec![join])];
            all.extend((1..n).map(|n| {
                let admitted = ReviewerAdmitted {
                    name: format!("friend{n}"),
                    roles: vec![Role::Lead],
                    replica: stranger(n).replica(),
                    profile: None,
                };
                let event = if flood == "roster" { encode(&admitted) } else { comment(n) };
                chain.next(vec![event])
            }));
            all.chunks(SEGMENT).for_each(|some| write(scene, thief.replica(), some));
        }
        "joins" => (0..n).for_each(|n| {
            let key = stranger(n);
            let join = encode(&ReplicaJoined::new(&format!("guest{n}"), &key));
            let entry = begun(&key, workspace, now).next(vec![join]);
            write(scene, key.replica(), &[entry]);
        }),
        "forks" => (0..n / 4).for_each(|n| {
            let key = stranger(n);
            let join = |name: &str| vec![encode(&ReplicaJoined::new(name, &key))];
            let (mut one, mut other) = (begun(&key, workspace, now), begun(&key, workspace, now));
            let two = [one.next(join("guest")), one.next(vec![comment(n)])];
            write(scene, key.replica(), &two);
            let two = [other.next(join("other")), other.next(vec![comment(n)])];
            write(scene, key.replica(), &two);
        }),
        "own" => {
            let me = scene.ana.replica();
            (0..n).for_each(|n| {
                let at = Hlc { ms: now, n: 0 };
                let to = (1_000 + n as u64, "00");
                let entry = signed(&thief, me, workspace, to, (at, "ana"), vec![comment(n)]);
                write(scene, me, &[entry]);
            });
        }
        "labels" | "case" => {
            let mut chain = Chain { head: scene.head.clone(), ..begun(&scene.bo, workspace, now) };
            let label = |n: usize| {
                let case = if flood == "case" { 0 } else { n };
                let case = CaseId::of("s", &case.to_string());
                let mut label = Label::empty(case, "bo", "main", scene.protocol.clone());
                label.outcome = [("verdict".to_owned(), format!("v{}", n % 7).into())].into();
                label.given_at = Some(Moment(now - n as i64));
                encode(&LabelGiven(label))
            };
            write(scene, scene.bo.replica(), &[chain.next((0..n / 10).map(label).collect())]);
        }
        other => println!("no flood is called {other}"),
    }
}
