//! Who is in now: a file for each session, locked for as long as the session lasts, whoever serves.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::ServeError;
use super::place::Place;
use crate::clock;
use crate::domain::time::Moment;

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
}

impl Entered {
    /// Says that a session is there.
    pub fn new(place: &Place, session: &Session) -> Result<Self, ServeError> {
        let path = place.live().join(session.process.to_string());
        let failed = |error| ServeError::File(path.display().to_string(), error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        // It is locked before anybody can see it.
        let made = path.with_extension("new");
        let lock = options.open(&made).map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let mut entered = Self { path: path.clone(), lock };
        entered.say(session)?;
        fs::rename(&made, &path).map_err(failed)?;
        Ok(entered)
    }

    /// Says what became of it.
    pub fn say(&mut self, session: &Session) -> Result<(), ServeError> {
        let text = serde_json::to_string(session).unwrap_or_default();
        let written = self.lock.set_len(0).and_then(|()| self.lock.rewind());
        written
            .and_then(|()| self.lock.write_all(text.as_bytes()))
            .map_err(|error| ServeError::File(self.path.display().to_string(), error))
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
    let Ok(files) = fs::read_dir(place.live()) else { return Vec::new() };
    let mut sessions: Vec<Session> = Vec::new();
    let paths = files.flatten().map(|file| file.path());
    for path in paths.filter(|path| path.extension().is_none()) {
        let Ok(file) = File::open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            let _ = fs::remove_file(&path);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        sessions.extend(serde_json::from_str::<Session>(&text).ok());
    }
    sessions.sort_by_key(|session| (session.since, session.process));
    sessions
}

/// How long a session has to keep what was begun.
pub const TO_LEAVE: Duration = Duration::from_secs(4);

/// Has sessions end: they keep what was begun. Who comes in meanwhile is told too; who does not leave
/// is ended.
pub fn end(place: &Place, patience: Duration, which: impl Fn(&Session) -> bool) {
    let signal = |signal| {
        let mut left = all(place);
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
