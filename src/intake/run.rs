//! One run of ingest: the threads, the queues between them, the counts.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, ScopedJoinHandle, scope};
use std::time::Duration;

use serde::Serialize;

use super::admit::Admitter;
use super::logindex::LogIndex;
use super::look::{Looked, look};
use super::pack::{self, Ready};
use super::profile::Profiles;
use super::read::{Chunk, read_chunks};
use super::redact::Redact;
use super::window::{Matured, Window};
use super::{IntakeError, Rejected};
use crate::clock;
use crate::config::Source;
use crate::db::{self, Db};
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::journal::DeviceKey;
use crate::journal::blob::{Dictionary, Packer};
use crate::trap::{Rules, STACK_BYTES};

/// Threads that look at lines.
const LOOKERS: usize = 2;
/// Chunks between two threads.
const QUEUE: usize = 4;
/// Cases packed together, and sampled for a dictionary.
const BATCH: usize = 512;
/// Cases in one transaction.
const COMMIT_CASES: u64 = 50_000;
/// How long a transaction may keep other writers waiting.
const COMMIT_AFTER: Duration = Duration::from_secs(2);
/// Rejected lines that are listed; all are counted.
pub const REJECTS_LISTED_MAX: usize = 10_000;

/// What to ingest and how.
pub struct Ingest<'i> {
    pub rules: &'i Rules,
    pub source: Option<&'i Source>,
    pub logs: Option<&'i LogIndex>,
    pub neighbours: usize,
    pub redact: Option<&'i Redact>,
    /// Skills that flags ask for.
    pub needs: &'i HashMap<String, Vec<String>>,
    /// Set from outside to stop after what is under way.
    pub stop: &'i AtomicBool,
    /// Only count; write nothing.
    pub dry_run: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub bytes: u64,
    pub read: u64,
    pub opened: u64,
}

/// What a run did. `read` is the sum of the other counts.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub read: u64,
    pub opened: u64,
    pub duplicate: u64,
    pub passed: u64,
    pub rejected: u64,
    pub rejects: Vec<RejectLine>,
    /// How often each kind of thing was replaced by a pseudonym.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u64>,
    #[serde(skip)]
    pub stopped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RejectLine {
    pub line: u64,
    pub reason: String,
}

impl Summary {
    /// Adds another run's counts; with several files, rejects say which they come from.
    pub fn add(&mut self, other: Self, file: Option<&str>) {
        self.read += other.read;
        self.opened += other.opened;
        self.duplicate += other.duplicate;
        self.passed += other.passed;
        self.rejected += other.rejected;
        self.stopped |= other.stopped;
        for (kind, n) in other.redacted {
            *self.redacted.entry(kind).or_default() += n;
        }
        let named = |reject: RejectLine| match file {
            Some(file) => RejectLine { reason: format!("{}: {}", visible(file), reject.reason), ..reject },
            None => reject,
        };
        self.rejects.extend(other.rejects.into_iter().map(named));
    }

    fn reject(&mut self, rejected: Vec<Rejected>) {
        self.rejected += rejected.len() as u64;
        for Rejected { line, reject } in rejected {
            if self.rejects.len() < REJECTS_LISTED_MAX {
                self.rejects.push(RejectLine { line, reason: visible(&reject.to_string()).into_owned() });
            }
        }
    }
}

/// From the thread that puts things in order to the one that writes.
enum Message {
    Counts {
        read: u64,
        passed: u64,
        rejected: Vec<Rejected>,
        bytes: u64,
    },
    Dictionary(Dictionary),
    /// In a dry run, cases that would be admitted.
    WouldOpen(u64),
    Ready(Vec<Ready>),
}

/// Reads `input` to its end. `now` is asked for each entry; `progress` is told now and then.
pub fn ingest(
    db: &mut Db,
    key: &DeviceKey,
    author: &str,
    input: impl Read + Send,
    plan: &Ingest<'_>,
    now: impl Fn() -> Moment,
    mut progress: impl FnMut(Progress),
) -> Result<Summary, IntakeError> {
    let known = db.explained(db::payload::any_dictionary)?.map(|(_, bytes)| Dictionary::new(bytes));
    let halt = AtomicBool::new(false);
    let mut profiles = db.explained(Profiles::load)?;
    let learned = &mut profiles;
    let summary = scope(|threads| {
        let (to_look, chunks) = sync_channel::<(u64, Arc<Chunk>)>(QUEUE);
        let (to_order, looked) = sync_channel::<(u64, Looked)>(QUEUE);
        let (to_pack, matured) = sync_channel::<Vec<Matured>>(QUEUE);
        let (to_write, messages) = sync_channel::<Message>(QUEUE);
        let chunks = Arc::new(Mutex::new(chunks));
        let halted = || halt.load(Ordering::Relaxed) || plan.stop.load(Ordering::Relaxed);
        let reader = spawn(threads, "read", move || {
            let mut number = 0;
            let read = read_chunks(input, |chunk| {
                number += 1;
                !halted() && to_look.send((number - 1, chunk)).is_ok()
            });
            read.map_err(|error| IntakeError::Read("the input".to_owned(), error))
        })?;
        for _ in 0..LOOKERS {
            let (chunks, to_order) = (Arc::clone(&chunks), to_order.clone());
            spawn(threads, "look", move || looker(&chunks, &to_order, plan))?;
        }
        drop(to_order);
        let counts = to_write.clone();
        spawn(threads, "order", move || order(&looked, &to_pack, &counts, plan, learned))?;
        let packer = spawn(threads, "pack", move || pack_all(&matured, &to_write, plan, known))?;
        let written = write(db, key, author, &messages, &now, &mut progress);
        // If writing failed, the others find their queues closed and end.
        halt.store(true, Ordering::Relaxed);
        drop(messages);
        let read = reader.join().map_err(|_| IntakeError::Thread)?;
        let packed = packer.join().map_err(|_| IntakeError::Thread)?;
        let mut summary = written?;
        read?;
        packed?;
        summary.stopped = plan.stop.load(Ordering::Relaxed);
        summary.redacted = plan.redact.map(Redact::counts).unwrap_or_default();
        summary.rejects.sort();
        Ok::<_, IntakeError>(summary)
    })?;
    if !plan.dry_run {
        db.explained(|conn| profiles.save(conn))?;
    }
    Ok(summary)
}

fn spawn<'s, T: Send + 's>(
    threads: &'s std::thread::Scope<'s, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 's,
) -> Result<ScopedJoinHandle<'s, T>, IntakeError> {
    Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn_scoped(threads, work).map_err(IntakeError::Temporary)
}

fn looker(chunks: &Mutex<Receiver<(u64, Arc<Chunk>)>>, out: &SyncSender<(u64, Looked)>, plan: &Ingest<'_>) {
    loop {
        let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, chunk)) = next else { return };
        if out.send((number, look(&chunk, plan.rules, plan.source, plan.neighbours > 0 && !plan.dry_run))).is_err() {
            return;
        }
    }
}

/// Puts chunks back in order and finds the neighbours of each case.
fn order(
    looked: &Receiver<(u64, Looked)>,
    to_pack: &SyncSender<Vec<Matured>>,
    to_write: &SyncSender<Message>,
    plan: &Ingest<'_>,
    profiles: &mut Profiles,
) {
    let mut window = Window::new(plan.neighbours);
    let mut early: BTreeMap<u64, Looked> = BTreeMap::new();
    let mut next = 0;
    let mut matured = Vec::new();
    while let Ok((number, part)) = looked.recv() {
        early.insert(number, part);
        while let Some(part) = early.remove(&next) {
            next += 1;
            let flagged = part.seen.iter().filter(|seen| seen.flags.is_some()).count() as u64;
            let Looked { read, seen, rejected, read_bytes: bytes } = part;
            let passed = read - flagged - rejected.len() as u64;
            if plan.dry_run && to_write.send(Message::WouldOpen(flagged)).is_err() {
                return;
            }
            if to_write.send(Message::Counts { read, passed, rejected, bytes }).is_err() {
                return;
            }
            if plan.dry_run {
                continue;
            }
            for mut seen in seen {
                seen.facts = profiles.look(&seen, plan.redact);
                window.push(seen, &mut matured);
            }
            while matured.len() >= BATCH {
                let rest = matured.split_off(BATCH);
                if to_pack.send(std::mem::replace(&mut matured, rest)).is_err() {
                    return;
                }
            }
            // A slow stream is not kept waiting for a batch to fill.
            if !matured.is_empty() && bytes < (1 << 20) && to_pack.send(std::mem::take(&mut matured)).is_err() {
                return;
            }
        }
    }
    window.finish(&mut matured);
    // A closed queue means that writing failed, which says so itself.
    let _ = to_pack.send(matured);
}

/// Makes payloads. The first large batch teaches the dictionary, if the workspace has none.
fn pack_all(
    matured: &Receiver<Vec<Matured>>,
    out: &SyncSender<Message>,
    plan: &Ingest<'_>,
    known: Option<Dictionary>,
) -> Result<(), IntakeError> {
    let mut learned = known.is_some();
    let mut packer = Packer::new(known.as_ref())?;
    while let Ok(batch) = matured.recv() {
        let mut rejected = Vec::new();
        let mut payloads = Vec::with_capacity(batch.len());
        for matured in &batch {
            match pack::payload_json(matured, plan.logs, plan.redact) {
                Ok(made) => payloads.push((matured, made)),
                Err(reject) => rejected.push(Rejected { line: matured.seen.number, reject }),
            }
        }
        if !learned && payloads.len() >= crate::journal::blob::SAMPLES_MIN {
            learned = true;
            let samples: Vec<&[u8]> = payloads.iter().map(|(_, made)| made.json.as_slice()).collect();
            if let Some(dictionary) = Dictionary::learn(&samples) {
                packer = Packer::new(Some(&dictionary))?;
                if out.send(Message::Dictionary(dictionary)).is_err() {
                    return Ok(());
                }
            }
        }
        let mut ready = Vec::with_capacity(payloads.len());
        for (matured, made) in payloads {
            ready.push(pack::ready(matured, made, plan.needs, &mut packer)?);
        }
        let counts = Message::Counts { read: 0, passed: 0, rejected, bytes: 0 };
        if out.send(counts).is_err() || out.send(Message::Ready(ready)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn write(
    db: &mut Db,
    key: &DeviceKey,
    author: &str,
    messages: &Receiver<Message>,
    now: &impl Fn() -> Moment,
    progress: &mut impl FnMut(Progress),
) -> Result<Summary, IntakeError> {
    let mut summary = Summary::default();
    let mut bytes_read = 0;
    let path = db.path().to_owned();
    loop {
        // Counts need no transaction, and none is open while nothing comes: others write too.
        let Ok(message) = messages.recv() else { return Ok(summary) };
        if !matches!(message, Message::Dictionary(_) | Message::Ready(_)) {
            count(message, &mut summary, &mut bytes_read);
            progress(Progress { bytes: bytes_read, read: summary.read, opened: summary.opened });
            continue;
        }
        let tx = db.begin()?;
        let begun = clock::instant();
        let mut admitter = Admitter::new(&tx, key, author)?;
        let mut next = Some(message);
        while let Some(message) = next.take() {
            match message {
                Message::Dictionary(dictionary) => admitter.dictionary(&dictionary)?,
                Message::Ready(cases) => {
                    for case in cases {
                        admitter.admit(case, now())?;
                    }
                }
                counts => count(counts, &mut summary, &mut bytes_read),
            }
            let opened = summary.opened + admitter.admitted.opened;
            progress(Progress { bytes: bytes_read, read: summary.read, opened });
            if admitter.admitted.opened >= COMMIT_CASES || begun.elapsed() >= COMMIT_AFTER {
                break;
            }
            next = messages.recv_timeout(COMMIT_AFTER / 10).ok();
        }
        let admitted = admitter.finish(now())?;
        tx.commit().map_err(|error| db::explain(&path, error))?;
        summary.opened += admitted.opened;
        summary.duplicate += admitted.duplicate;
        summary.reject(admitted.rejected);
    }
}

fn count(message: Message, summary: &mut Summary, bytes_read: &mut u64) {
    match message {
        Message::Counts { read, passed, rejected, bytes } => {
            *bytes_read = bytes.max(*bytes_read);
            summary.read += read;
            summary.passed += passed;
            summary.reject(rejected);
        }
        Message::WouldOpen(cases) => summary.opened += cases,
        Message::Dictionary(_) | Message::Ready(_) => {}
    }
}

/// An index of the logs at `paths`, if there are any.
pub fn index_logs(paths: &[std::path::PathBuf], directory: &Path, lines_max: usize) -> Result<Option<LogIndex>, IntakeError> {
    if paths.is_empty() {
        return Ok(None);
    }
    LogIndex::build(paths, directory, lines_max).map(Some)
}
