//! Ingest always ends: on an error or a panic of any stage, on a signal, whatever the size of its
//! input and however slow.

use std::collections::HashMap;
use std::io::{self, Read, Write as _};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use casework::db::Db;
use casework::format::open::Input;
use casework::format::read::waiting::Waiting;
use casework::intake::{Ingest, IntakeError, Stage, ingest};
use casework::journal::DeviceKey;
use casework::trap::Traps;
use casework::trap::alarm::{Alarms, State};
use rusqlite::Connection;

use crate::support::{Place, T0, line, program};

/// Longer than any error takes to end a run, and far shorter than for ever.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Lines without an end.
struct Endless(u64, Vec<u8>);

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.0 += 1;
            self.1 =
                line(&format!("e{}", self.0), &"some text ".repeat(40), "pay", 0.2, 0).into_bytes();
        }
        let n = into.len().min(self.1.len());
        into[..n].copy_from_slice(&self.1[..n]);
        self.1.drain(..n);
        Ok(n)
    }
}

/// Some lines, then silence on an open pipe.
fn then_silence(lines: u64) -> (impl Read + Send, io::PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    let text: String =
        (0..lines).map(|i| line(&format!("s{i}"), "few words", "pay", 0.2, 0)).collect();
    writer.write_all(text.as_bytes()).unwrap();
    (Waiting(reader), writer)
}

/// Runs `work` on a thread, and fails if it does not end.
fn ends<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = channel();
    std::thread::spawn(move || done.send(work()));
    ended.recv_timeout(ENDS_WITHIN).unwrap_or_else(|_| panic!("{what}: it does not end"))
}

/// What an ingest of `input` comes to in which `stage` fails, or panics, before its `nth` piece of
/// work.
fn fails_in(
    place: &Place,
    stage: Stage,
    nth: u64,
    panics: bool,
    input: impl Read + Send,
) -> (IntakeError, u64) {
    let traps = Traps::default();
    let needs = HashMap::new();
    let stop = AtomicBool::new(false);
    let pieces = AtomicU64::new(0);
    let watch = |at: Stage| {
        if at == stage && pieces.fetch_add(1, Ordering::Relaxed) + 1 >= nth {
            assert!(!panics, "a fault that a test put here");
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    };
    let detectors = casework::intake::Detectors::default();
    let plan = Ingest {
        detectors: &detectors,
        traps: &traps,
        alarms: &Mutex::new(Alarms::new(Vec::new(), None, State::default())),
        pasts: &Mutex::new(traps.pasts()),
        afresh: false,
        again: false,
        goes_on: false,
        window: &Mutex::new(casework::intake::Window::new(3)),
        endless: false,
        source: None,
        logs: None,
        neighbours: 3,
        redact: None,
        roots: &[],
        needs: &needs,
        stop: &stop,
        dry_run: false,
        watch: &watch,
    };
    let mut db = Db::open(&place.paths().database()).unwrap();
    let key = DeviceKey::from_seed([1; 32]);
    let told = Mutex::new(0);
    let error = ingest(
        &mut db,
        &key,
        "ana",
        Input::Lines(Box::new(input)),
        &plan,
        || T0,
        |progress| *told.lock().unwrap() = progress.opened,
    );
    let committed: u64 =
        db.conn.query_row("SELECT count(*) FROM view_case", [], |row| row.get(0)).unwrap();
    (error.unwrap_err(), committed)
}

#[test]
fn an_error_of_any_stage_ends_the_run_and_keeps_what_was_committed() {
    for stage in [Stage::Read, Stage::Look, Stage::Order, Stage::Pack, Stage::Write] {
        for panics in [false, true] {
            // A panic of the stage that writes is one of whoever called.
            if panics && stage == Stage::Write {
                continue;
            }
            for nth in [1, 2, 40] {
                let what = format!("{stage:?}, piece {nth}, panics {panics}");
                // Stages that work on batches come to few pieces before a commit.
                let nth = if stage == Stage::Write { nth.min(2) } else { nth };
                let (error, committed) = ends(&what, move || {
                    let place = Place::new();
                    place.create();
                    let (error, committed) =
                        fails_in(&place, stage, nth, panics, Endless(0, Vec::new()));
                    assert!(place.open().verify_all(false).unwrap().ok);
                    (error.to_string(), committed)
                });
                let expect = if panics { "ended early" } else { "no storage space" };
                assert!(error.contains(expect), "{what}: {error}");
                if stage == Stage::Write && nth == 2 {
                    assert!(committed > 0, "{what}: what was committed is kept");
                }
            }
        }
    }
}

#[test]
fn an_error_ends_a_run_that_waits_for_more_input() {
    for stage in [Stage::Read, Stage::Look, Stage::Order, Stage::Pack, Stage::Write] {
        let error = ends(&format!("{stage:?}"), move || {
            let place = Place::new();
            place.create();
            let (input, _open) = then_silence(30);
            fails_in(&place, stage, 1, false, input).0.to_string()
        });
        assert!(error.contains("no storage space"), "{stage:?}: {error}");
    }
}

fn ended(child: &mut Child, what: &str) -> i32 {
    let end = casework::clock::instant() + ENDS_WITHIN;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        if casework::clock::instant() > end {
            child.kill().unwrap();
            panic!("{what}: it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    std::process::Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
}

#[test]
fn a_database_that_stays_locked_ends_a_large_run_with_its_reason() {
    let place = Place::new();
    place.create();
    let stream = place.dir.path().join("s.jsonl");
    let lines: String =
        (0..14_000).map(|i| line(&format!("b{i}"), &"words ".repeat(60), "pay", 0.2, 0)).collect();
    std::fs::write(&stream, lines).unwrap();
    let lock = Connection::open(place.paths().database()).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(["ingest", stream.to_str().unwrap()])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(ended(&mut child, "locked"), 2);
    let mut words = String::new();
    child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    assert!(words.contains("locked by another process"), "{words}");
    lock.execute_batch("ROLLBACK").unwrap();
    assert!(place.ok(&["ingest", stream.to_str().unwrap()]).contains("14000 opened"));
}

#[test]
fn signals_end_a_run_that_waits_whatever_it_waits_for() {
    let place = Place::new();
    place.create();
    let pipe = place.dir.path().join("pipe");
    std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    let pipe = pipe.to_str().unwrap();
    let stream = place.dir.path().join("s.jsonl");
    std::fs::write(&stream, line("1", "words", "pay", 0.2, 0)).unwrap();
    let stream = stream.to_str().unwrap();
    let ways: [&[&str]; 4] = [&["-"], &[pipe], &[stream, "--logs", pipe], &["-", "--dry-run"]];
    for args in ways {
        for name in ["INT", "TERM"] {
            let mut child = program()
                .env("CASEWORK_WORKSPACE", place.path())
                .arg("ingest")
                .args(args)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if args[0] == "-" {
                // Half a line is under way.
                child.stdin.as_mut().unwrap().write_all(b"{\"id\":").unwrap();
            }
            // Signals are listened to when the workspace is open.
            std::thread::sleep(Duration::from_millis(300));
            signal(&child, name);
            assert_eq!(ended(&mut child, &format!("{args:?} {name}")), 1, "{args:?} {name}");
        }
    }
}

#[test]
fn logs_may_come_through_a_pipe() {
    let place = Place::new();
    place.create();
    let stream = place.dir.path().join("s.jsonl");
    std::fs::write(&stream, line("1", "words", "pay", 0.2, 0)).unwrap();
    let pipe = place.dir.path().join("pipe");
    std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    let to = pipe.clone();
    let writer = std::thread::spawn(move || {
        std::fs::write(
            to,
            "ts=2026-06-01T08:00:00Z level=info trace_id=trace-1 msg=\"through a pipe\"\n",
        )
        .unwrap();
    });
    place.ok(&["ingest", stream.to_str().unwrap(), "--logs", pipe.to_str().unwrap()]);
    writer.join().unwrap();
    assert!(place.ok(&["show", "1"]).contains("through a pipe"));
}

/// A file of lines whose last one breaks off was cut: what is whole is read, and it is said.
#[test]
fn a_last_line_that_breaks_off_is_said_to() {
    let place = Place::new();
    drop(place.create());
    let whole = line("p0", "hello", "pay", 0.5, 0);
    let next = line("p1", "hello", "pay", 0.5, 1);
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    for (name, end, code) in [
        ("whole.jsonl", next.trim_end(), 0),
        ("cut.jsonl", &next[..next.len() / 2], 2),
        ("rubbish.jsonl", "{\"id\": nonsense}", 0),
    ] {
        std::fs::write(at(name), format!("{whole}{end}")).unwrap();
        let output = place.run(&["ingest", &at(name), "--where", "true", "--dry-run"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        assert_eq!(said.contains("breaks off in its last line"), code == 2, "{name}: {said}");
        let read = if name == "whole.jsonl" { "2 would be opened" } else { "1 would be opened" };
        assert!(String::from_utf8_lossy(&output.stdout).contains(read), "{name}");
    }
}
