//! One run of ingest: the threads, the queues between them, the counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, ScopedJoinHandle, scope};
use std::time::Duration;

use rusqlite::Connection;

use super::admit::{Admitted, Admitter};
use super::alarmed::{clean, told, watch};
use super::counted::Told;
use super::detect::{self, Detectors};
use super::draw::{self, Drawing, Drawn, DrawnOfDay};
use super::logindex::LogIndex;
use super::pack::{self, Ready};
use super::profile::Profiles;
use super::read::{Chunk, read_chunks, record_chunks};
use super::redact::Redact;
use super::scan::{Scanned, look, rows_of};
use super::summary::{LogSummary, Summary, Unanswered};
use super::window::{Matured, Window};
use super::{IntakeError, Rejected};
use crate::clock;
use crate::db::{self, Db};
use crate::domain::ids::{CaseId, Hash};
use crate::domain::time::Moment;
use crate::format::log::LogOptions;
use crate::format::mapping::Mapping;
use crate::format::open::Input;
use crate::journal::blob::{Dictionary, PACKED_BYTES_MAX, Packer};
use crate::journal::kind::{AlarmRaised, TrapTally};
use crate::journal::{Append, DeviceKey};
use crate::media::file::Hashes;
use crate::trap::alarm::Alarms;
use crate::trap::order::{Past, Survey};
use crate::trap::{STACK_BYTES, Traps};

/// Threads that look at lines.
const LOOKERS: usize = 2;
/// Chunks between two threads.
const QUEUE: usize = 4;
/// Cases packed together, and sampled for a dictionary.
const BATCH: usize = 512;
/// Bytes of their lines, or a little more.
const BATCH_BYTES: usize = 64 << 20;
/// Cases in one transaction.
const COMMIT_CASES: u64 = 50_000;
/// Most cases that wait for the end to be decided.
const WAITING_MAX: usize = 15_000;
/// How long a transaction may keep other writers waiting.
const COMMIT_AFTER: Duration = Duration::from_secs(2);

/// What to ingest and how.
pub struct Ingest<'i> {
    pub traps: &'i Traps,
    /// What watches the whole stream.
    pub alarms: &'i Mutex<Alarms>,
    /// What decides by the order, for each trap that does.
    pub pasts: &'i Mutex<Vec<Option<Past>>>,
    pub source: Option<&'i Mapping>,
    pub logs: Option<&'i LogIndex>,
    pub neighbours: usize,
    /// The recent lines of every stream.
    pub window: &'i Mutex<Window>,
    pub redact: Option<&'i Redact>,
    /// The folders in which files are looked up that lines point to.
    pub roots: &'i [String],
    /// The detectors that traps ask.
    pub detectors: &'i Detectors<'i>,
    /// Skills that flags ask for.
    pub needs: &'i HashMap<String, Vec<String>>,
    /// Set from outside to stop after what is under way.
    pub stop: &'i AtomicBool,
    /// Only count; write nothing.
    pub dry_run: bool,
    /// Count as if there were no cases yet.
    pub afresh: bool,
    /// Cases that are known take what else flags them.
    pub again: bool,
    /// The input is a piece of one that goes on: alarms wait for late lines.
    pub goes_on: bool,
    /// The input may never end: what is among the smallest draws so far becomes a case at once.
    pub endless: bool,
    /// Asked by a stage before each piece of its work; an error ends the run as one of the stage's
    /// own would.
    pub watch: &'i (dyn Fn(Stage) -> io::Result<()> + Sync),
}

/// The stages of a run, each on a thread or two of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Read,
    Look,
    Order,
    Pack,
    Write,
}

impl Ingest<'_> {
    fn may_go_on(&self, stage: Stage) -> Result<(), IntakeError> {
        (self.watch)(stage).map_err(|error| IntakeError::Stage(stage, error))
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub bytes: u64,
    pub read: u64,
    pub opened: u64,
}

/// From the thread that puts things in order to the one that writes.
enum Message {
    Counts {
        read: u64,
        passed: u64,
        rejected: Vec<Rejected>,
        unanswered: BTreeMap<String, Unanswered>,
        bytes: u64,
    },
    Dictionary(Dictionary),
    Ready(Vec<Ready>),
    /// The end: which of those that may pass are drawn, and what was counted.
    Ended(Box<Ended>),
}

/// What is known at the end of the input.
struct Ended {
    drawn: Drawn,
    raised: Vec<AlarmRaised>,
}

/// Reads `input` to its end. `now` is asked for each entry; `progress` is told now and then.
///
/// An input that would block must say so ([`io::ErrorKind::WouldBlock`], after a wait of its own),
/// or a run that failed ends only when more comes.
///
/// # Errors
/// The first error of any stage, when all threads have ended. What was committed by then is kept.
pub fn ingest(
    db: &mut Db,
    key: &DeviceKey,
    author: &str,
    input: Input<'_>,
    plan: &Ingest<'_>,
    now: impl Fn() -> Moment + Sync,
    mut progress: impl FnMut(Progress),
) -> Result<Summary, IntakeError> {
    let known = db.explained(db::payload::any_dictionary)?.map(|(_, bytes)| Dictionary::new(bytes));
    let halt = AtomicBool::new(false);
    let mut profiles = db.explained(Profiles::load)?;
    let learned = &mut profiles;
    let counts = !plan.afresh && !plan.traps.points().is_empty();
    let counted = counts.then(|| db.reopen()).transpose()?;
    let mut summary = scope(|threads| {
        let (to_look, chunks) = sync_channel::<(u64, Arc<Chunk>)>(QUEUE);
        let (to_ask, asked) = sync_channel::<(u64, Scanned)>(QUEUE);
        let (to_order, looked) = sync_channel::<(u64, Scanned)>(QUEUE);
        let (to_pack, matured) = sync_channel::<Vec<Matured>>(QUEUE);
        let (to_write, messages) = sync_channel::<Message>(QUEUE);
        let chunks = Arc::new(Mutex::new(chunks));
        let mut stages = Vec::new();
        stages.push(spawn(threads, "read", &halt, {
            let halt = &halt;
            move || read(input, &to_look, plan, halt)
        })?);
        for _ in 0..LOOKERS {
            let chunks = Arc::clone(&chunks);
            let out = if plan.detectors.is_empty() { to_order.clone() } else { to_ask.clone() };
            stages.push(spawn(threads, "look", &halt, move || looker(&chunks, &out, plan))?);
        }
        if !plan.detectors.is_empty() {
            let (to_decide, told) = sync_channel(QUEUE);
            let to_order = to_order.clone();
            let halt = &halt;
            let stop = || halt.load(Ordering::Relaxed) || plan.stop.load(Ordering::Relaxed);
            let ask = move || detect::ask_all(&asked, &to_decide, plan.detectors, &stop);
            stages.push(spawn(threads, "plug-ins", halt, ask)?);
            let decide = move || detect::decide_all(&told, &to_order, plan.detectors, plan.traps);
            stages.push(spawn(threads, "decide", halt, decide)?);
        }
        // A queue ends when nobody is left at its other side: this thread is not to be there.
        drop((chunks, to_ask, to_order));
        let counts = to_write.clone();
        let clock = &now;
        stages.push(spawn(threads, "order", &halt, move || {
            order(&looked, (&to_pack, &counts), plan, (learned, counted), clock)
        })?);
        stages.push(spawn(threads, "pack", &halt, move || {
            pack_all(&matured, &to_write, plan, known)
        })?);
        let written = {
            let _ends = EndsAll { halt: &halt, done: false };
            write(db, key, author, &messages, plan, &now, &mut progress)
        };
        drop(messages);
        let ended: Vec<_> =
            stages.into_iter().map(|stage| stage.join().map_err(|_| IntakeError::Thread)).collect();
        let summary = written?;
        ended.into_iter().try_for_each(|stage| stage?)?;
        Ok::<_, IntakeError>(summary)
    })?;
    summary.stopped = plan.stop.load(Ordering::Relaxed);
    summary.of_other_stream = plan.traps.of_other_stream();
    summary.plugins = plan.detectors.counts();
    if let Some(redact) = plan.redact {
        summary.redacted = redact.counts();
        (summary.redactions, summary.redacted_of) = redact.hits(plan.dry_run);
    }
    let joined = summary.logs.take().unwrap_or_default();
    summary.logs = plan.logs.map(|index| LogSummary {
        lines: index.lines,
        not_understood: index.strangers.clone(),
        zoneless: index.zoneless.clone(),
        ..joined
    });
    summary.rejects.sort();
    if !plan.dry_run {
        db.explained(|conn| profiles.save(conn))?;
    }
    Ok(summary)
}

/// Ends the whole run when the stage that holds it fails, by a panic too: nothing that comes after
/// could be used.
struct EndsAll<'h> {
    halt: &'h AtomicBool,
    done: bool,
}

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.halt.store(true, Ordering::Relaxed);
        }
    }
}

fn spawn<'s>(
    threads: &'s std::thread::Scope<'s, '_>,
    name: &str,
    halt: &'s AtomicBool,
    work: impl FnOnce() -> Result<(), IntakeError> + Send + 's,
) -> Result<ScopedJoinHandle<'s, Result<(), IntakeError>>, IntakeError> {
    let watched = move || {
        let mut ends = EndsAll { halt, done: false };
        let result = work();
        ends.done = result.is_ok();
        result
    };
    Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn_scoped(threads, watched)
        .map_err(IntakeError::Temporary)
}

fn read(
    input: Input<'_>,
    to_look: &SyncSender<(u64, Arc<Chunk>)>,
    plan: &Ingest<'_>,
    halt: &AtomicBool,
) -> Result<(), IntakeError> {
    let mut number = 0;
    let mut failed = Ok(());
    let go_on = || !halt.load(Ordering::Relaxed) && !plan.stop.load(Ordering::Relaxed);
    let each = |chunk| {
        failed = plan.may_go_on(Stage::Read);
        number += 1;
        failed.is_ok() && go_on() && to_look.send((number - 1, chunk)).is_ok()
    };
    let read = match input {
        Input::Lines(input) => read_chunks(input, go_on, each),
        Input::Records(records) => record_chunks(records, each),
    };
    read.map_err(|error| IntakeError::Read("the input".to_owned(), error)).and(failed)
}

fn looker(
    chunks: &Mutex<Receiver<(u64, Arc<Chunk>)>>,
    out: &SyncSender<(u64, Scanned)>,
    plan: &Ingest<'_>,
) -> Result<(), IntakeError> {
    // What passes is counted too, and stands beside others.
    let keep_all = plan.neighbours > 0 || !plan.traps.takes_all();
    loop {
        let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, chunk)) = next else { return Ok(()) };
        plan.may_go_on(Stage::Look)?;
        let mut looked = look(&chunk, plan.traps, plan.source, keep_all);
        if let Some(redact) = plan.redact {
            let watched = looked.seen.iter_mut().flat_map(|seen| &mut seen.watched);
            watched.for_each(|watched| clean(watched, redact));
        }
        if !plan.detectors.is_empty() {
            detect::question(&mut looked.seen, plan.traps, plan.redact);
        }
        if out.send((number, looked)).is_err() {
            return Ok(());
        }
    }
}

/// Puts chunks back in order and finds the neighbours of each case.
fn order(
    looked: &Receiver<(u64, Scanned)>,
    (to_pack, to_write): (&SyncSender<Vec<Matured>>, &SyncSender<Message>),
    plan: &Ingest<'_>,
    (profiles, counted): (&mut Profiles, Option<Db>),
    now: &impl Fn() -> Moment,
) -> Result<(), IntakeError> {
    let mut alarms = plan.alarms.lock().unwrap_or_else(PoisonError::into_inner);
    let mut raised = Vec::new();
    let mut tell = |one, matured: &mut Vec<Matured>| {
        let (event, drawn) = told(one, plan.neighbours);
        raised.push(event);
        matured.extend(drawn);
    };
    let mut window = plan.window.lock().unwrap_or_else(PoisonError::into_inner);
    let pasts = plan.pasts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    let mut drawing = Drawing::new(plan.traps, pasts, plan.endless, counted);
    let mut early: BTreeMap<u64, Scanned> = BTreeMap::new();
    let mut next = 0;
    let mut matured = Vec::new();
    while let Ok((number, part)) = looked.recv() {
        early.insert(number, part);
        while let Some(part) = early.remove(&next) {
            next += 1;
            plan.may_go_on(Stage::Order)?;
            let Scanned { read, mut seen, rejected, unanswered, read_bytes: bytes } = part;
            seen.iter_mut().try_for_each(|seen| drawing.decide(seen))?;
            let at = now();
            for seen in &seen {
                for one in watch(&mut alarms, seen, at) {
                    tell(one, &mut matured);
                }
            }
            let flagged = seen.iter().filter(|seen| seen.flags.is_some()).count() as u64;
            let passed = read - flagged - rejected.len() as u64;
            let counts = Message::Counts { read, passed, rejected, unanswered, bytes };
            if to_write.send(counts).is_err() {
                return Ok(());
            }
            for mut seen in seen {
                seen.facts = profiles.look(&seen, plan.redact);
                window.push(seen, &mut matured);
            }
            while matured.len() >= BATCH {
                let rest = matured.split_off(BATCH);
                if to_pack.send(std::mem::replace(&mut matured, rest)).is_err() {
                    return Ok(());
                }
            }
            // A slow stream is not kept waiting for a batch to fill, and of long lines few are held.
            let held: usize = matured.iter().map(|one| one.seen.raw().len()).sum();
            if !matured.is_empty()
                && (bytes < (1 << 20) || held > BATCH_BYTES)
                && to_pack.send(std::mem::take(&mut matured)).is_err()
            {
                return Ok(());
            }
        }
    }
    if !plan.goes_on {
        for one in alarms.finish() {
            tell(one, &mut matured);
        }
    }
    window.finish(&mut matured);
    // A closed queue means that writing failed, which says so itself.
    let _ = to_pack.send(matured);
    *plan.pasts.lock().unwrap_or_else(PoisonError::into_inner) = drawing.take_pasts();
    let mut drawn = drawing.finish(plan.detectors.missed());
    if plan.detectors.asks_in_part() {
        drawn.told.clear();
        drawn.counts.clear();
    }
    let _ = to_write.send(Message::Ended(Box::new(Ended { drawn, raised })));
    Ok(())
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
    let mut hashes = Hashes::default();
    while let Ok(batch) = matured.recv() {
        plan.may_go_on(Stage::Pack)?;
        let mut rejected = Vec::new();
        let mut payloads = Vec::with_capacity(batch.len());
        for matured in &batch {
            if !plan.roots.is_empty() {
                // Files may be many and large.
                plan.may_go_on(Stage::Pack)?;
            }
            let files = (plan.roots, &mut hashes);
            match pack::payload_json(matured, plan.logs, plan.redact, files) {
                Ok(made) => payloads.push((matured, made)),
                Err(reject) => rejected.push(Rejected { line: matured.seen.number, reject }),
            }
        }
        if !learned && payloads.len() >= crate::journal::blob::SAMPLES_MIN {
            learned = true;
            let samples: Vec<&[u8]> =
                payloads.iter().map(|(_, made)| made.json.as_slice()).collect();
            if let Some(dictionary) = Dictionary::learn(&samples) {
                packer = Packer::new(Some(&dictionary))?;
                if out.send(Message::Dictionary(dictionary)).is_err() {
                    return Ok(());
                }
            }
        }
        let mut ready = Vec::with_capacity(payloads.len());
        for (matured, made) in payloads {
            let one = pack::ready(matured, made, plan.needs, &mut packer)?;
            match one.packed.bytes.len() > PACKED_BYTES_MAX {
                true => rejected.push(Rejected { line: one.line, reject: pack::too_large() }),
                false => ready.push(one),
            }
        }
        let unanswered = BTreeMap::new();
        let counts = Message::Counts { read: 0, passed: 0, rejected, unanswered, bytes: 0 };
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
    plan: &Ingest<'_>,
    now: &impl Fn() -> Moment,
    progress: &mut impl FnMut(Progress),
) -> Result<Summary, IntakeError> {
    let mut summary = Summary::default();
    let mut bytes_read = 0;
    let mut new = HashMap::new();
    let mut limited = HashSet::new();
    let path = db.path().to_owned();
    let mut waiting: Vec<Ready> = Vec::new();
    let mut end = None;
    loop {
        // Counts need no transaction, and none is open while nothing comes: others write too.
        let message = match messages.recv() {
            Ok(Message::Ended(ended)) => {
                end = Some(ended);
                continue;
            }
            Ok(message) => message,
            Err(_) => match end.take() {
                // What may pass is decided at the end.
                Some(mut ended) => {
                    let of_days = std::mem::take(&mut ended.drawn.of_days);
                    let due = std::mem::take(&mut waiting);
                    let known = std::mem::take(&mut new);
                    let mut decided = decide(db, (key, author), due, *ended, known, plan, now)?;
                    limited.extend(std::mem::take(&mut decided.limited));
                    add(&mut summary, decided);
                    count_kept(db, &of_days, &limited, &mut summary, plan.afresh)?;
                    return Ok(summary);
                }
                None => return Ok(summary),
            },
        };
        if !matches!(message, Message::Dictionary(_) | Message::Ready(_)) {
            count(message, &mut summary, &mut bytes_read);
            progress(Progress { bytes: bytes_read, read: summary.read, opened: summary.opened });
            continue;
        }
        plan.may_go_on(Stage::Write)?;
        // A dry run is the run, but for what is written: it counts the same.
        let tx = if plan.dry_run { db.read()? } else { db.begin()? };
        let begun = clock::instant();
        let author = (!plan.dry_run).then_some((key, author));
        let mut admitter = Admitter::new(&tx, author, std::mem::take(&mut new))?;
        (admitter.afresh, admitter.again) = (plan.afresh, plan.again);
        let mut next = Some(message);
        while let Some(message) = next.take() {
            match message {
                Message::Dictionary(dictionary) => admitter.dictionary(&dictionary)?,
                Message::Ready(cases) => {
                    for case in cases {
                        if case.may_pass {
                            waiting.push(case);
                        } else {
                            admitter.admit(case, now())?;
                        }
                    }
                    // What is taken in too early is set right by what comes.
                    for case in waiting.drain(..waiting.len().saturating_sub(WAITING_MAX)) {
                        admitter.admit(case, now())?;
                    }
                }
                Message::Ended(ended) => end = Some(ended),
                counts => count(counts, &mut summary, &mut bytes_read),
            }
            let opened = summary.opened + admitter.admitted.opened;
            progress(Progress { bytes: bytes_read, read: summary.read, opened });
            let long = admitter.admitted.opened >= COMMIT_CASES || begun.elapsed() >= COMMIT_AFTER;
            if long && !plan.dry_run {
                break;
            }
            next = messages.recv_timeout(COMMIT_AFTER / 10).ok();
        }
        let (mut admitted, known) = admitter.finish(now())?;
        limited.extend(std::mem::take(&mut admitted.limited));
        if plan.dry_run {
            new = known; // nothing of it stands in the database
        }
        tx.commit().map_err(|error| db::explain(&path, error))?;
        add(&mut summary, admitted);
    }
}

fn add(summary: &mut Summary, admitted: Admitted) {
    for (trap, count) in &admitted.traps {
        summary.count_trap(trap, count);
    }
    for (trap, n) in &admitted.kept {
        summary.traps.entry(trap.clone()).or_default().kept += n;
    }
    summary.would_open.extend(admitted.would_open);
    // A warning asks nobody to look.
    summary.alarms += admitted.raised.iter().filter(|raised| raised.is_sure()).count() as u64;
    summary.raised.extend(admitted.raised);
    summary.opened += admitted.opened;
    summary.of_windows += admitted.of_windows;
    summary.duplicate += admitted.duplicate;
    summary.passed += admitted.passed;
    for (rule, n) in admitted.flagged {
        *summary.flagged.entry(rule).or_default() += n;
    }
    let logs = summary.logs.get_or_insert_default();
    logs.joined += admitted.log_lines;
    logs.cases += admitted.with_logs;
    summary.reject(admitted.rejected);
}

/// Takes in those that are drawn of the ones that could pass, and what was counted.
fn decide(
    db: &mut Db,
    (key, author): (&DeviceKey, &str),
    waiting: Vec<Ready>,
    Ended { drawn, raised }: Ended,
    known: HashMap<CaseId, Hash>,
    plan: &Ingest<'_>,
    now: &impl Fn() -> Moment,
) -> Result<Admitted, IntakeError> {
    let path = db.path().to_owned();
    let tx = if plan.dry_run { db.read()? } else { db.begin()? };
    let author = (!plan.dry_run).then_some((key, author));
    let mut admitter = Admitter::new(&tx, author, known)?;
    (admitter.afresh, admitter.again) = (plan.afresh, plan.again);
    for case in waiting {
        let event = &case.event;
        let of_day = || db::draw::would_be_drawn(&tx, &event.stream, event.occurred_ms, &event.why);
        if draw::is_drawn(&drawn.cases, event.case) && (plan.afresh || of_day()?) {
            admitter.admit(case, now())?;
        } else {
            admitter.admitted.passed += 1;
        }
    }
    for Told { tally, counted, instead } in drawn.told {
        let source = (tally.stream.as_str(), tally.day, tally.source.as_str());
        let told = |of: &TrapTally| {
            db::draw::has_tally(&tx, source, (&of.trap, &of.version), tally.missed)
        };
        let mut new = false;
        for of in &tally.traps {
            new |= !told(of)?;
        }
        if new {
            admitter.tell(Append::new(&tally), now())?;
        }
        if let (Some(counted), false) = (counted, plan.dry_run) {
            instead.map(|row| db::counted::remove(&tx, row)).transpose()?;
            db::counted::insert(&tx, counted, now())?;
        }
    }
    for event in raised {
        let known = db::document::latest_named(&tx, "alarm raised", &event.id())?;
        if known.is_none() {
            admitter.tell(Append::new(&event), now())?;
            admitter.admitted.raised.push(event);
        }
    }
    let (mut admitted, _) = admitter.finish(now())?;
    admitted.traps = drawn.counts;
    tx.commit().map_err(|error| db::explain(&path, error))?;
    Ok(admitted)
}

/// Counts those of the cases `opened` for each trap that takes some of a day.
fn count_kept(
    db: &Db,
    of_days: &[DrawnOfDay],
    opened: &HashSet<u64>,
    summary: &mut Summary,
    afresh: bool,
) -> Result<(), IntakeError> {
    let places = summary.would_open.iter().enumerate().map(|(place, case)| (case.key, place));
    let places: HashMap<u64, usize> = places.collect();
    for of in of_days {
        let known = |conn: &Connection| {
            let (rule, on) = ((&*of.trap, &*of.version), (&*of.stream, of.day));
            db::draw::smallest(conn, rule, on, of.most)
        };
        let known = if afresh { Vec::new() } else { db.explained(known)? };
        let kept = of.kept(opened, known);
        summary.traps.entry(of.trap.clone()).or_default().kept += kept.len() as u64;
        for place in kept.iter().filter_map(|key| places.get(key)) {
            summary.would_open[*place].kept_by.push(of.trap.clone());
        }
    }
    Ok(())
}

fn count(message: Message, summary: &mut Summary, bytes_read: &mut u64) {
    match message {
        Message::Counts { read, passed, rejected, unanswered, bytes } => {
            *bytes_read = bytes.max(*bytes_read);
            summary.read += read;
            summary.passed += passed;
            summary.reject(rejected);
            for (trap, unanswered) in unanswered {
                summary.unanswered.entry(trap).or_default().add(unanswered);
            }
        }
        Message::Dictionary(_) | Message::Ready(_) | Message::Ended(..) => {}
    }
}

/// Looks through a whole input for traps that look at the order, so that the order of its lines
/// does not matter. What is wrong with lines is said when they are taken in.
///
/// # Errors
/// Those of reading.
pub fn survey(
    input: Input<'_>,
    traps: &Traps,
    source: Option<&Mapping>,
    stop: &AtomicBool,
) -> Result<Vec<Option<Past>>, IntakeError> {
    scope(|threads| {
        let look = move || {
            let mut surveys = traps.surveys();
            let go_on = || !stop.load(Ordering::Relaxed);
            let each = |chunk: Arc<Chunk>| {
                rows_of(&chunk, source, |rows| traps.survey(rows, &mut surveys));
                go_on()
            };
            let read = match input {
                Input::Lines(input) => read_chunks(input, go_on, each),
                Input::Records(records) => record_chunks(records, each),
            };
            read.map_err(|error| IntakeError::Read("the input".to_owned(), error))?;
            Ok(surveys.into_iter().map(|survey| survey.map(Survey::finish)).collect())
        };
        // Rules need a large stack.
        let thread = Builder::new().stack_size(STACK_BYTES).spawn_scoped(threads, look);
        thread.map_err(IntakeError::Temporary)?.join().map_err(|_| IntakeError::Thread)?
    })
}

/// An index of the logs at `paths`, if there are any.
pub fn index_logs(
    paths: &[std::path::PathBuf],
    options: LogOptions,
    directory: &Path,
    lines_max: usize,
    stop: &AtomicBool,
) -> Result<Option<LogIndex>, IntakeError> {
    if paths.is_empty() {
        return Ok(None);
    }
    LogIndex::build(paths, options, directory, lines_max, &|| !stop.load(Ordering::Relaxed))
        .map(Some)
}
