//! Who is in now: a file for each session, locked for as long as the session lasts, whoever serves.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::ServeError;
use super::place::Place;
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
    _lock: File,
}

impl Entered {
    /// Says that a session is there.
    pub fn new(place: &Place, session: &Session) -> Result<Self, ServeError> {
        let path = place.live().join(session.process.to_string());
        let failed = |error| ServeError::File(path.display().to_string(), error);
        // Whatever an earlier process of this number left.
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut lock = options.open(&path).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| failed(error.into()))?;
        let text = serde_json::to_string(session).unwrap_or_default();
        lock.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Self { path, _lock: lock })
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
    for path in files.flatten().map(|file| file.path()) {
        let Ok(file) = File::open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            let old = file.metadata().and_then(|about| about.modified()).is_ok_and(|at| {
                at.elapsed().is_ok_and(|age| age.as_secs() > 5) // one that comes in just now has no lock yet
            });
            if old {
                let _ = fs::remove_file(&path);
            }
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        sessions.extend(serde_json::from_str::<Session>(&text).ok());
    }
    sessions.sort_by_key(|session| (session.since, session.process));
    sessions
}

/// Has a session end: it keeps what was begun.
pub fn end(session: &Session) {
    if let Some(process) = Pid::from_raw(session.process) {
        // It may have ended meanwhile.
        let _ = kill_process(process, Signal::TERM);
    }
}
