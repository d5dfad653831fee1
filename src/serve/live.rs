//! Who is in now: a file for each session, locked for as long as the session lasts, whoever serves.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind::{QuotaExceeded, StorageFull};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::ServeError;
use super::place::Place;
use crate::clock;
use crate::domain::ids::CaseId;
use crate::domain::time::Moment;

/// How the name ends of what nobody is to see yet.
const NEW: &str = ".new";

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub process: i32,
    pub name: String,
    /// The key's fingerprint.
    pub key: String,
    /// From where.
    pub client: String,
    pub since: Moment,
    /// What was asked for; empty: the screen, or line by line.
    pub command: String,
    /// What holds it back.
    pub held: String,
    /// The terminal at which its person sits, if there is one.
    #[serde(default)]
    pub tty: Option<PathBuf>,
    /// The case that is open there, and since when.
    #[serde(default)]
    pub case: Option<(CaseId, Moment)>,
    /// Whether that is one of a blind round.
    #[serde(default)]
    pub blind_round: bool,
}

impl Session {
    /// For how many seconds nothing was typed, as far as its terminal tells.
    pub fn idle(&self, now: Moment) -> Option<i64> {
        let about = fs::metadata(self.tty.as_ref()?).ok()?;
        Some((now.0 / 1_000 - about.atime()).max(0))
    }
}

/// The terminal at which whoever started this process sits.
pub fn terminal() -> Option<PathBuf> {
    let name = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok()?;
    Some(PathBuf::from(name.to_str().ok()?))
}

/// When something was typed there last, to some seconds; none where there is no terminal.
pub fn typed_at() -> Option<i64> {
    rustix::fs::fstat(std::io::stdin()).ok().map(|about| about.st_atime)
}

/// A session of this process, until it is dropped.
#[derive(Debug)]
pub struct Entered {
    path: PathBuf,
    lock: File,
    session: Session,
}

/// That of this process, if it is one of a desk.
static HERE: Mutex<Option<Entered>> = Mutex::new(None);

/// Says that somebody is in, until [`leave`] is said or the process ends.
pub fn stay(entered: Entered) {
    *here() = Some(entered);
}

/// Says that they are not any more.
pub fn leave() {
    here().take();
}

fn here() -> MutexGuard<'static, Option<Entered>> {
    HERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the person of this process has a case of a blind round before them.
pub fn in_blind_round() -> bool {
    here().as_ref().is_some_and(|entered| entered.session.blind_round)
}

/// Counts the lines that a person sent who has no terminal.
static LINES: AtomicU64 = AtomicU64::new(0);

/// Says that the person of this process sent a line.
pub fn sent_a_line() {
    LINES.fetch_add(1, Ordering::Relaxed);
}

/// How many that were.
pub fn lines_sent() -> u64 {
    LINES.load(Ordering::Relaxed)
}

/// Says at which case the person of this process is, and whether in a blind round; gives their other sessions that are at it too,
/// the first to come first.
pub fn at_case(case: CaseId, blind_round: bool) -> Vec<Session> {
    let mut here = here();
    let Some(entered) = here.as_mut() else { return Vec::new() };
    let known = entered.session.case.is_some_and(|(known, _)| known == case);
    if !known || entered.session.blind_round != blind_round {
        let case = Some((case, clock::now()));
        let session = Session { case, blind_round, ..entered.session.clone() };
        // That nobody can be told is no reason not to work.
        let _ = entered.say(&session);
    }
    let Some(directory) = entered.path.parent() else { return Vec::new() };
    let (name, process) = (&entered.session.name, entered.session.process);
    let mut others = of_files(directory, &format!("{name}@"));
    others.retain(|other| {
        other.process != process && other.case.is_some_and(|(theirs, _)| theirs == case)
    });
    others
}

/// Has the person's other sessions at a case end: they keep what was begun. Gives how many those
/// were.
pub fn take_over(case: CaseId) -> usize {
    let blind_round = in_blind_round();
    let others: Vec<i32> = at_case(case, blind_round).iter().map(|other| other.process).collect();
    let directory = here().as_ref().and_then(|here| Some(here.path.parent()?.to_owned()));
    if let Some(directory) = directory.filter(|_| !others.is_empty()) {
        end_in(&directory, TO_LEAVE, |session| others.contains(&session.process));
    }
    others.len()
}

impl Entered {
    /// Says that a session is there.
    pub fn new(place: &Place, session: &Session) -> Result<Self, ServeError> {
        let path = place.live().join(format!("{}@{}", session.name, session.process));
        let failed = |error| ServeError::File(path.display().to_string(), error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        // It is locked before anybody can see it.
        let made = place.live().join(format!("{}{NEW}", session.process));
        let lock = options.open(&made).map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let mut entered = Self { path: path.clone(), lock, session: session.clone() };
        entered.say(session)?;
        fs::rename(&made, &path).map_err(failed)?;
        Ok(entered)
    }

    /// Says what became of it. On a full disk its file's name says who it is, and no more.
    pub fn say(&mut self, session: &Session) -> Result<(), ServeError> {
        self.session = session.clone();
        let text = serde_json::to_string(session).unwrap_or_default();
        let emptied = self.lock.set_len(0).and_then(|()| self.lock.rewind());
        match emptied.and_then(|()| self.lock.write_all(text.as_bytes())) {
            Err(error) if !matches!(error.kind(), StorageFull | QuotaExceeded) => {
                Err(ServeError::File(self.path.display().to_string(), error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // The next one that looks finds that nobody holds it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Everybody who is in, the first to come first. What ended without a word is taken away.
pub fn all(place: &Place) -> Vec<Session> {
    of_files(&place.live(), "")
}

/// Those whose files begin so.
fn of_files(directory: &Path, begin: &str) -> Vec<Session> {
    let Ok(files) = fs::read_dir(directory) else { return Vec::new() };
    let named = files.flatten().filter(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with(begin) && !name.ends_with(NEW)
    });
    let mut sessions: Vec<Session> = named.filter_map(|file| of_file(&file.path())).collect();
    sessions.sort_by_key(|session| (session.since, session.process));
    sessions
}

fn of_file(path: &Path) -> Option<Session> {
    let file = File::open(path).ok()?;
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        let _ = fs::remove_file(path);
        return None;
    }
    // It may just be written.
    let told = (0..20).find_map(|_| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let session = serde_json::from_str::<Session>(&text).ok();
        if session.is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        session
    });
    told.or_else(|| of_name(path, &file))
}

/// What the name of a session's file says of it, where the disk had no room for more.
fn of_name(path: &Path, file: &File) -> Option<Session> {
    let (name, process) = path.file_name()?.to_str()?.rsplit_once('@')?;
    let made = file.metadata().ok()?.mtime();
    Some(Session {
        process: process.parse().ok()?,
        name: name.to_owned(),
        key: String::new(),
        client: String::new(),
        since: Moment(made.saturating_mul(1_000)),
        command: String::new(),
        held: String::new(),
        tty: None,
        case: None,
        blind_round: false,
    })
}

/// How long a session has to keep what was begun.
pub const TO_LEAVE: Duration = Duration::from_secs(4);

/// Has sessions end: they keep what was begun. Who comes in meanwhile is told too; who does not leave
/// is ended.
pub fn end(place: &Place, patience: Duration, which: impl Fn(&Session) -> bool) {
    end_in(&place.live(), patience, which);
}

fn end_in(directory: &Path, patience: Duration, which: impl Fn(&Session) -> bool) {
    let signal = |signal| {
        let mut left = of_files(directory, "");
        left.retain(&which);
        for process in left.iter().filter_map(|session| Pid::from_raw(session.process)) {
            // It may have ended meanwhile.
            let _ = kill_process(process, signal);
        }
        left.len()
    };
    let begun = clock::instant();
    while signal(Signal::TERM) > 0 && begun.elapsed() < patience {
        std::thread::sleep(Duration::from_millis(100));
    }
    signal(Signal::KILL);
}
