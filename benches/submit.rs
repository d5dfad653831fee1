//! A label's submit against a bare SQLite commit on the same disk, and beside a large queue.
//!
//!     cargo bench --bench submit

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::path::Path;
use std::time::Duration;

use casework::clock::instant;
use casework::config::{Env, Paths};
use casework::domain::ids::Hash;
use casework::review::Draft;
use casework::workspace::Workspace;
use rusqlite::Connection;

const ROUNDS: usize = 300;

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
    println!("== submit, {ROUNDS} times, one fsync each");
    let bare = bare(&dir.path().join("bare.db"));
    show("bare SQLite commit, 1 row of 1 KB", &bare, None);
    for cases in [1_000, 100_000] {
        let times = submits(&dir.path().join(format!("w{cases}")), cases);
        show(&format!("submit beside {cases} cases"), &times, Some(&bare));
    }
}

fn show(name: &str, times: &[Duration], base: Option<&[Duration]>) {
    let at = |times: &[Duration], share: f64| {
        times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
    };
    let (p50, p99) = (at(times, 0.5), at(times, 0.99));
    let ratio = base.map(|base| format!("  {:.2} x", p50 / at(base, 0.5))).unwrap_or_default();
    println!("{name:<36} p50 {p50:.3} ms  p99 {p99:.3} ms{ratio}");
}

fn timed(mut work: impl FnMut(usize)) -> Vec<Duration> {
    let one = |i| {
        let start = instant();
        work(i);
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..ROUNDS).map(one).collect();
    times.sort();
    times
}

fn bare(path: &Path) -> Vec<Duration> {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "FULL").unwrap();
    conn.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)").unwrap();
    let body = [7_u8; 1024];
    timed(|_| assert_eq!(conn.execute("INSERT INTO t (body) VALUES (?1)", [&body[..]]).unwrap(), 1))
}

fn submits(path: &Path, cases: usize) -> Vec<Duration> {
    let paths = Paths { workspace: path.to_owned() };
    let mut workspace = Workspace::create(
        paths,
        Env::default(),
        "bench",
        "ana",
        &casework::workspace::create::STARTERS[0],
    )
    .unwrap();
    let lines: String = (0..cases).map(line).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    workspace.ingest(lines.as_bytes(), &Default::default(), &stop, |_| ()).unwrap();
    let protocols = workspace.protocols().unwrap();
    let published = protocols.for_stream("s").unwrap();
    let draft = Draft {
        answers: [("readable", "y"), ("verdict", "y"), ("category", "r")]
            .map(|(q, a)| (q.to_owned(), a.to_owned()))
            .into(),
        rationale: "it fits".to_owned(),
        ..Draft::default()
    };
    let labels: Vec<_> = (0..ROUNDS)
        .map(|i| {
            workspace
                .label_of(&workspace.find_case(&i.to_string()).unwrap(), &draft, published)
                .unwrap()
        })
        .collect();
    let times = timed(|i| assert!(workspace.submit(labels[i].clone()).is_ok()));
    assert_ne!(workspace.status().unwrap().digest, Hash([0; 32]));
    times
}

fn line(i: usize) -> String {
    let text = format!("text of case number {i}, as long as people write");
    let prediction = serde_json::json!({ "label": "pay", "confidence": 0.3 });
    let line = serde_json::json!({ "id": i.to_string(), "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": { "text": text }, "prediction": prediction });
    format!("{line}\n")
}
