//! Sync through a directory: a first pull, small syncs beside a long history, and fifty reviewers
//! on one store.
//!
//!     cargo bench --bench sync                  a million events
//!     cargo bench --bench sync -- 100000        that many
//!
//! The first pull stands beside what it can't be faster than: reading the same files, and putting
//! the same rows into a bare SQLite table with the same durability, without checking or folding
//! anything.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use casework::clock::instant;
use casework::config::{Env, Paths};
use casework::db::case::{CaseRow, Direction, QueueKey};
use casework::domain::roster::Role;
use casework::review::Draft;
use casework::sync::segment::{Kind, Name, decode_journal, decode_payloads};
use casework::sync::store::{self, Listed, Options};
use casework::sync::{Put, Store, StoreError};
use casework::workspace::Workspace;
use casework::workspace::cases::IngestRequest;
use rusqlite::{Connection, params};

fn main() {
    let events: usize =
        std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    first_pull(dir.path(), events);
    fifty(dir.path());
}

/// What went over the wire.
#[derive(Clone, Default)]
struct Wire {
    up: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
    calls: Arc<AtomicU64>,
}

impl Wire {
    fn take(&self) -> (u64, u64, u64) {
        let take = |n: &AtomicU64| n.swap(0, Ordering::Relaxed);
        (take(&self.up), take(&self.down), take(&self.calls))
    }
}

/// A store that counts.
struct Counting {
    inner: Box<dyn Store>,
    wire: Wire,
}

impl Store for Counting {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.wire.up.fetch_add((key.len() + bytes.len()) as u64, Ordering::Relaxed);
        self.wire.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.put_new(key, bytes)
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let got = self.inner.get(key)?;
        self.wire.down.fetch_add(got.as_ref().map_or(0, Vec::len) as u64, Ordering::Relaxed);
        self.wire.calls.fetch_add(1, Ordering::Relaxed);
        Ok(got)
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let listed = self.inner.list(prefix)?;
        self.wire.down.fetch_add(
            listed.iter().map(|listed| listed.key.len() as u64 + 8).sum(),
            Ordering::Relaxed,
        );
        self.wire.calls.fetch_add(1, Ordering::Relaxed);
        Ok(listed)
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        self.wire.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.delete(key)
    }
}

fn open(dir: &Path, wire: &Wire) -> Counting {
    let options = Options { create: true, ..Options::default() };
    Counting {
        inner: store::open(dir.join("store").to_str().unwrap(), &options).unwrap(),
        wire: wire.clone(),
    }
}

fn create(dir: &Path, cases: usize) -> Workspace {
    let paths = Paths { workspace: dir.join("ana") };
    let url = dir.join("store");
    let mut ana = Workspace::found_on(
        paths,
        Env::default(),
        "bench",
        "ana",
        url.to_str().unwrap(),
        false,
        &casework::workspace::create::STARTERS[0],
    )
    .unwrap();
    let mut input = Lines { next: 0, last: cases, left: Vec::new() };
    let request = IngestRequest { neighbours: Some(0), ..IngestRequest::default() };
    ana.ingest(&mut input, &request, &AtomicBool::new(false), |_| ()).unwrap();
    ana
}

/// Prediction lines, made as they are read.
struct Lines {
    next: usize,
    last: usize,
    left: Vec<u8>,
}

impl std::io::Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.left.len() < into.len() && self.next < self.last {
            let n = self.next;
            let line = format!(
                "{{\"id\":\"p{n:08}\",\"occurred_at\":\"2026-06-{:02}T08:{:02}:{:02}Z\",\"stream\":\"s\",\"input\":{{\"text\":\"request number {n} about topic {}\",\
                 \"channel\":\"web\"}},\"prediction\":{{\"label\":\"label_{}\",\"confidence\":0.{:03}}}}}\n",
                1 + n / 86_400 % 28,
                n / 60 % 60,
                n % 60,
                n % 977,
                n % 150,
                n % 1000
            );
            self.left.extend_from_slice(line.as_bytes());
            self.next += 1;
        }
        let n = self.left.len().min(into.len());
        into[..n].copy_from_slice(&self.left[..n]);
        self.left.drain(..n);
        Ok(n)
    }
}

fn row(name: &str, time: Duration, base: Option<Duration>) {
    let ratio = base
        .map(|base| format!("  {:.1} x", time.as_secs_f64() / base.as_secs_f64()))
        .unwrap_or_default();
    println!("{name:<58} {:9.3} s{ratio}", time.as_secs_f64());
}

fn first_pull(dir: &Path, events: usize) {
    println!("== first pull, {events} events");
    let begun = instant();
    let mut ana = create(dir, events);
    row("ingest, for comparison", begun.elapsed(), None);
    let wire = Wire::default();
    let mut store = open(dir, &wire);
    let begun = instant();
    ana.sync_with(&mut store, &|| true).unwrap();
    row("push", begun.elapsed(), None);
    let (up, _, calls) = wire.take();
    println!("    {:.1} MB in {calls} calls", up as f64 / 1e6);

    let begun = instant();
    let files = store.list("journal/").unwrap().into_iter().chain(store.list("payload/").unwrap());
    let files: Vec<(Name, Vec<u8>)> = files
        .map(|listed| (Name::parse(&listed.key).unwrap(), store.get(&listed.key).unwrap().unwrap()))
        .collect();
    let download = begun.elapsed();
    row("plain download", download, None);
    let begun = instant();
    bare_insert(&dir.join("bare.db"), &files);
    let plain = download + begun.elapsed();
    row("plain download and bare insert of the same rows", plain, None);
    drop(files);
    wire.take();

    let begun = instant();
    let url = dir.join("store");
    let join = |name: &str| {
        Workspace::join(
            Paths { workspace: dir.join(name) },
            Env::default(),
            url.to_str().unwrap(),
            name,
            None,
            None,
        )
    };
    let (mut bo, _) = join("bo").unwrap();
    row("join: download, verify, fold", begun.elapsed(), Some(plain));
    assert_eq!(bo.status().unwrap().cases.open, events as u64);

    ana.sync_with(&mut store, &|| true).unwrap();
    let device = ana.asking("bo", None).unwrap().unwrap().replica;
    ana.admit("bo", &[Role::Reviewer], Some(device), None).unwrap();
    ana.sync_with(&mut store, &|| true).unwrap();
    bo.sync_with(&mut store, &|| true).unwrap();
    println!("== one label pushed and pulled, beside a history of {events} events");
    labels(&mut ana, &mut bo, &mut store, &wire);

    let small = dir.join("small");
    std::fs::create_dir_all(&small).unwrap();
    let mut ana = create(&small, 1_000);
    let mut store = open(&small, &wire);
    ana.admit("bo", &[Role::Reviewer], None, None).unwrap();
    ana.sync_with(&mut store, &|| true).unwrap();
    let url = small.join("store");
    let (mut bo, _) = Workspace::join(
        Paths { workspace: small.join("bo") },
        Env::default(),
        url.to_str().unwrap(),
        "bo",
        None,
        None,
    )
    .unwrap();
    ana.sync_with(&mut store, &|| true).unwrap();
    let device = ana.asking("bo", Some(&bo.replica().to_string())).unwrap().unwrap().replica;
    ana.admit("bo", &[Role::Reviewer], Some(device), None).unwrap();
    ana.sync_with(&mut store, &|| true).unwrap();
    bo.sync_with(&mut store, &|| true).unwrap();
    println!("== the same beside a history of 1000 events");
    labels(&mut ana, &mut bo, &mut store, &wire);
}

fn bare_insert(path: &Path, files: &[(Name, Vec<u8>)]) {
    let mut conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "FULL").unwrap();
    conn.execute_batch(
        "CREATE TABLE entry (replica BLOB, seq INTEGER, body BLOB, signature BLOB, PRIMARY KEY (replica, seq)) WITHOUT ROWID;
         CREATE TABLE payload (replica BLOB, seq INTEGER, n INTEGER, hash BLOB, salt BLOB, bytes BLOB,
           PRIMARY KEY (replica, seq, n)) WITHOUT ROWID;",
    )
    .unwrap();
    for (name, bytes) in files {
        let tx = conn.transaction().unwrap();
        match name.kind {
            Kind::Journal => {
                let mut insert =
                    tx.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4)").unwrap();
                for entry in decode_journal(name.replica, bytes).unwrap().into_iter().flatten() {
                    insert
                        .execute(params![entry.replica.0, entry.seq, entry.body, entry.signature])
                        .unwrap();
                }
            }
            Kind::Payload => {
                let mut insert = tx
                    .prepare_cached("INSERT INTO payload VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                    .unwrap();
                for row in decode_payloads(name.replica, bytes).unwrap().rows {
                    let event = row.event;
                    insert
                        .execute(params![
                            event.replica.0,
                            event.seq,
                            event.n,
                            row.hash.0,
                            row.salt,
                            row.bytes
                        ])
                        .unwrap();
                }
            }
        }
        tx.commit().unwrap();
    }
}

fn give(workspace: &mut Workspace, case: &CaseRow) {
    let protocols = workspace.protocols().unwrap();
    let published = protocols.for_stream(&case.stream).unwrap();
    let mut draft = Draft { rationale: "because it can't be read".to_owned(), ..Draft::default() };
    draft.answer("readable", "n");
    draft.answer("damage", "c");
    let label = workspace.label_of(case, &draft, published).unwrap();
    workspace.submit(label).unwrap();
}

fn at(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}

fn labels(ana: &mut Workspace, bo: &mut Workspace, store: &mut Counting, wire: &Wire) {
    const ROUNDS: usize = 40;
    let (queue, _) = bo.quick_queue().unwrap();
    let cases = queue.page(&bo.tables().conn, QueueKey::FIRST, Direction::Forward, ROUNDS).unwrap();
    let (mut pushes, mut pulls, mut bytes, mut calls) = (Vec::new(), Vec::new(), [0, 0], 0);
    for case in &cases {
        give(bo, case);
        wire.take();
        let begun = instant();
        bo.sync_with(store, &|| true).unwrap();
        pushes.push(begun.elapsed());
        let (up, down, n) = wire.take();
        (bytes[0], calls) = (bytes[0] + up + down, calls + n);
        let begun = instant();
        ana.sync_with(store, &|| true).unwrap();
        pulls.push(begun.elapsed());
        let (up, down, _) = wire.take();
        bytes[1] += up + down;
    }
    let n = cases.len() as u64;
    println!(
        "push  p50 {:.2} ms  p99 {:.2} ms  {} B, {} calls",
        at(&mut pushes, 0.5),
        at(&mut pushes, 0.99),
        bytes[0] / n,
        calls / n
    );
    println!(
        "pull  p50 {:.2} ms  p99 {:.2} ms  {} B",
        at(&mut pulls, 0.5),
        at(&mut pulls, 0.99),
        bytes[1] / n
    );
}

/// Fifty people, two hundred labels each, a sync after every ten.
fn fifty(dir: &Path) {
    const PEOPLE: usize = 50;
    const LABELS: usize = 200;
    const EACH: usize = 10;
    let dir = dir.join("fifty");
    std::fs::create_dir_all(&dir).unwrap();
    let mut ana = create(&dir, PEOPLE * LABELS);
    let wire = Wire::default();
    let mut store = open(&dir, &wire);
    let url = dir.join("store");
    let mut people: Vec<Workspace> = Vec::new();
    ana.sync_with(&mut store, &|| true).unwrap();
    for n in 0..PEOPLE {
        let name = format!("rev{n:02}");
        let paths = Paths { workspace: dir.join(&name) };
        people.push(
            Workspace::join(paths, Env::default(), url.to_str().unwrap(), &name, None, None)
                .unwrap()
                .0,
        );
    }
    ana.sync_with(&mut store, &|| true).unwrap();
    for workspace in &people {
        ana.admit(&workspace.me.clone(), &[Role::Reviewer], Some(workspace.replica()), None)
            .unwrap();
    }
    ana.sync_with(&mut store, &|| true).unwrap();
    for workspace in &mut people {
        workspace.sync_with(&mut store, &|| true).unwrap();
    }
    println!(
        "== {PEOPLE} reviewers x {LABELS} labels through one store, a sync after every {EACH}"
    );
    wire.take();
    let begun = instant();
    let (mut syncs, mut given) = (Vec::new(), 0);
    for _ in 0..LABELS / EACH {
        for workspace in &mut people {
            let (queue, _) = workspace.quick_queue().unwrap();
            let cases = queue
                .page(&workspace.tables().conn, QueueKey::FIRST, Direction::Forward, EACH)
                .unwrap();
            cases.iter().for_each(|case| give(workspace, case));
            given += cases.len();
            let begun = instant();
            workspace.sync_with(&mut store, &|| true).unwrap();
            syncs.push(begun.elapsed());
        }
    }
    let (up, down, calls) = wire.take();
    row("all of it", begun.elapsed(), None);
    println!(
        "{given} labels, {} syncs: p50 {:.2} ms  p99 {:.2} ms",
        syncs.len(),
        at(&mut syncs, 0.5),
        at(&mut syncs, 0.99)
    );
    println!(
        "{} B up a label, {} B down a label and reader, {calls} calls",
        up / given as u64,
        down / given as u64 / PEOPLE as u64
    );
    let segments = store.list("journal/").unwrap().len() + store.list("payload/").unwrap().len();
    for workspace in &mut people {
        workspace.sync_with(&mut store, &|| true).unwrap();
    }
    ana.sync_with(&mut store, &|| true).unwrap();
    let digest = ana.digest().unwrap();
    assert!(
        people.iter().all(|workspace| workspace.digest().unwrap() == digest),
        "all hold the same"
    );
    println!("{segments} segments on the store; all {} hold the same digest", PEOPLE + 1);
}
