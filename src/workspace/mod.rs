//! A workspace, opened: database, key, configuration, and who is at work. What `cli` and `tui`
//! hold.

pub mod create;
pub mod answered_here;
pub mod arbitration;
pub mod calibration;
mod session_keys;
pub mod cuts;
pub mod cutting;
pub mod gates;
pub mod imported;
mod lineage;
pub mod loop_rows;
pub mod outcome_audit;
mod decided;
pub mod deployed;
pub mod plugins;
pub mod suggesting;
pub mod validating;
pub mod vouched;
pub mod profile;
pub mod proposals;
mod public;
pub mod catalog;
pub mod retraining;
pub mod runs;
mod undo;
mod aside;
pub mod attached;
pub mod conflicts;
pub mod reading;
mod people;
pub mod ssh;
mod sync;
pub mod cases;
mod labels;
pub mod learning;
pub mod error;
pub mod documents;
pub mod doors;
mod audit;
mod backup;
mod demo;
mod demo_loop;
mod erase;
pub mod export;
pub mod bounds;
pub mod sla;
mod status;
pub mod reliability;
mod training;
pub mod references;
pub mod traps;

use std::io::Read as _;
use std::path::Path;

use crate::clock;
use crate::config::{Config, Env, Paths};
use crate::db::{Db, Until, document, journal, roster};
use crate::domain::cues::Hiding;
use crate::domain::time::Moment;
use crate::intake::recognize::{HEAD_BYTES, recognize};
use crate::journal::blob::Unpacker;
use crate::journal::chain::Appended;
use crate::journal::entry::Body;
use crate::journal::kind::{ReplicaJoined, Visit, WorkspaceFounded};
use crate::journal::{Append, DeviceKey, chain, device, fold, identity};

pub use crate::db::DbError;
pub use demo::DEMO_TEAM;
pub use erase::Erased;
pub use error::{DoorError, Kind, Told, WorkError};
pub use people::{Holder, Person};
pub use status::{Status, StatusCases};
pub use sync::SyncStatus;
pub use training::{TrainingItem, TrainingSet};
pub use undo::{Deed, Undone};

/// An open workspace.
pub struct Workspace {
    /// Nobody above this floor reads it: see [`reading`].
    db: Db,
    pub paths: Paths,
    pub config: Config,
    pub env: Env,
    /// Who is at work.
    pub me: String,
    /// The moment that is looked at, if that is not now: nothing can be written then.
    pub at: Option<Moment>,
    /// The round of a calibration session in which cases are opened and labeled, if not in the
    /// usual one.
    pub in_round: Option<String>,
    /// Whether somebody works on it who has no account here: no program of this machine is run for
    /// them, and the desk exchanges with the store, not they.
    pub served: bool,
    /// How they came in, which names what they write.
    visit: Option<Visit>,
    /// What is hidden today, while the past is looked at.
    hide_today: Vec<Hiding>,
    key: DeviceKey,
    unpacker: Unpacker,
    /// Plug-ins that run.
    hosts: plugins::Hosts,
    /// What is known of streams whose next piece is to come.
    following: Option<crate::intake::Following>,
}

impl Workspace {
    /// Opens the workspace at `paths` in the name of `name`, else of who the configuration names,
    /// else of the device's owner.
    pub fn open(paths: Paths, env: Env, name: Option<&str>) -> Result<Self, WorkError> {
        let config = Config::load(&paths.config())?;
        let mut db = Db::open(&paths.database())?;
        settle_key(&db, &paths)?;
        if db.views_are_stale()? {
            let tx = db.begin()?;
            fold::refold(&tx)?;
            tx.commit()?;
        }
        let key = DeviceKey::load(&paths.key())?;
        let me = match (name, config.review.name.as_str()) {
            (Some(name), _) => name.to_owned(),
            (None, "") => owner(&db, &key)?,
            (None, name) => name.to_owned(),
        };
        // Whoever joined may look while they wait to be let in. Nobody takes the name of another whose
        // own devices alone they work on: they would see what is kept from themselves.
        let grants = roster::all(&db.conn)?;
        let (known, here) = grants
            .iter()
            .filter(|grant| grant.name == me)
            .fold((false, false), |(_, here), grant| {
                (true, here || grant.replica == key.replica())
            });
        if !here && me != owner(&db, &key)? {
            return Err(if known { WorkError::Elsewhere(me) } else { WorkError::Stranger(me) });
        }
        Ok(Self::with(db, paths, config, env, me, key))
    }

    fn with(db: Db, paths: Paths, config: Config, env: Env, me: String, key: DeviceKey) -> Self {
        Self {
            db,
            paths,
            config,
            env,
            me,
            at: None,
            in_round: None,
            served: false,
            visit: None,
            hide_today: Vec::new(),
            key,
            unpacker: Unpacker::default(),
            hosts: plugins::Hosts::new(),
            following: None,
        }
    }

    /// Opens the workspace as it stood at a moment, to be read.
    pub fn open_at(
        paths: Paths,
        env: Env,
        name: Option<&str>,
        at: Moment,
    ) -> Result<Self, WorkError> {
        Self::open(paths, env, name)?.until(Until::At(at), at)
    }

    /// The same workspace as it stood, to be read; `at` is what it takes for now.
    fn until(self, until: Until<'_>, at: Moment) -> Result<Self, WorkError> {
        let hide_today = self.policy()?.hide;
        let time_of = |body: &[u8]| Body::parse(body).map(|body| body.at.moment());
        let mut db = Db::as_of(&self.paths.database(), until, time_of)?;
        let tx = db.begin()?;
        fold::refold(&tx)?;
        tx.commit()?;
        if journal::count_entries(&db.conn)? == 0 {
            return Err(WorkError::BeforeAll(at));
        }
        Ok(Self { db, at: Some(at), hide_today, ..self })
    }

    /// Has what is shown be as it will be so many milliseconds from now, if nothing is done.
    pub fn look_ahead(&mut self, ms: i64) {
        self.at = Some(Moment(clock::now().0.saturating_add(ms)));
    }

    /// What time it is, for what is shown.
    pub fn now(&self) -> Moment {
        self.at.unwrap_or_else(clock::now)
    }

    /// The same workspace on another connection, for another thread.
    pub fn reopen(&self) -> Result<Self, WorkError> {
        let db = self.db.reopen()?;
        if self.served {
            db.keep_small()?;
        }
        Ok(Self {
            db,
            paths: self.paths.clone(),
            config: self.config.clone(),
            env: self.env.clone(),
            me: self.me.clone(),
            at: None,
            in_round: self.in_round.clone(),
            served: self.served,
            visit: self.visit.clone(),
            hide_today: Vec::new(),
            key: DeviceKey::load(&self.paths.key())?,
            unpacker: Unpacker::default(),
            hosts: plugins::Hosts::new(),
            following: None,
        })
    }

    /// Appends one entry by whoever is at work. When it returns, the entry is on disk.
    pub fn append(&mut self, events: Vec<Append>) -> Result<Appended, WorkError> {
        self.ready_to_write()?;
        let begun = clock::instant();
        let by = chain::By { name: &self.me, visit: self.visit_event() };
        let appended = chain::append(&mut self.db, &self.key, by, events, clock::now())?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        tracing::info!(seq = appended.seq, replica = %self.key.replica(), ms, "wrote an entry");
        Ok(appended)
    }

    /// Must come before anything is written: a copy gets a key of its own, and a key that was
    /// replaced is read anew.
    fn ready_to_write(&mut self) -> Result<(), WorkError> {
        self.reload_key()?;
        if identity::is_copy(&self.db.conn)? {
            self.change_key(device::Because::Copied { last: u64::MAX })?;
        }
        self.write_visit()
    }

    /// The key may have been replaced by another process or thread.
    fn reload_key(&mut self) -> Result<(), WorkError> {
        if identity::current(&self.db.conn)?.is_some_and(|replica| replica != self.key.replica()) {
            settle_key(&self.db, &self.paths)?;
            self.key = DeviceKey::load(&self.paths.key())?;
        }
        Ok(())
    }

    /// Whether the disk has no room for what would be written.
    pub fn is_full(&self) -> bool {
        crate::db::is_full(&self.paths.workspace)
    }

    /// The team's name, as it was founded.
    pub fn team(&self) -> Result<String, WorkError> {
        let row = document::latest(&self.db.conn, "workspace")?;
        let founded = row.and_then(|row| serde_json::from_str::<WorkspaceFounded>(&row.body).ok());
        Ok(founded.map(|founded| founded.name).unwrap_or_default())
    }
}

/// Makes a directory that only its owner may look into: what is shown to reviewers lies open in it.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Finishes or drops a change of key that was cut short: the database says which key this device
/// has.
fn settle_key(db: &Db, paths: &Paths) -> Result<(), WorkError> {
    let (path, next) = (paths.key(), paths.next_key());
    if !next.exists() {
        return Ok(());
    }
    let failed = |error| WorkError::File { path: next.display().to_string(), error };
    match identity::current(&db.conn)? {
        Some(replica) if DeviceKey::load(&next).is_ok_and(|key| key.replica() == replica) => {
            std::fs::rename(&next, &path).map_err(failed)
        }
        _ => Ok(()), // it is being made, or will be made anew
    }
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], WorkError> {
    crate::chance::bytes().map_err(|error| WorkError::File { path: "randomness".to_owned(), error })
}

/// Who this device belongs to.
fn owner(db: &Db, key: &DeviceKey) -> Result<String, WorkError> {
    let replica = key.replica().to_string();
    let rows = document::of_kind(&db.conn, "replica")?;
    let joined = rows.iter().find(|row| row.name == replica);
    let joined = joined.and_then(|row| serde_json::from_str::<ReplicaJoined>(&row.body).ok());
    Ok(joined.map(|joined| joined.name).unwrap_or_default())
}

/// What stands for standard input in the place of a file.
pub const STANDARD_INPUT: &str = "-";
/// So much of it is read as a file.
const STANDARD_INPUT_MAX: u64 = 8 << 20;

/// Reads a file that the user named, or standard input for `-`.
pub fn read_file(path: &Path) -> Result<String, WorkError> {
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let bytes = if path.as_os_str() == STANDARD_INPUT {
        let mut bytes = Vec::new();
        let mut input = std::io::stdin().lock().take(STANDARD_INPUT_MAX + 1);
        input.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > STANDARD_INPUT_MAX {
            let words = "standard input holds more than 8 MB: name a file";
            return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, words)));
        }
        bytes
    } else {
        std::fs::read(path).map_err(failed)?
    };
    let what =
        recognize(&bytes[..bytes.len().min(HEAD_BYTES)]).map(|words| format!("it is {words}"));
    let text = String::from_utf8(bytes).map_err(|_| {
        let words = what.unwrap_or_else(|| "not UTF-8: save it as UTF-8".to_owned());
        failed(std::io::Error::new(std::io::ErrorKind::InvalidData, words))
    })?;
    // A mark that says how bytes are ordered is no part of the text.
    let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned);
    // Where no line feed is, a carriage return ends a line.
    Ok(if text.contains('\n') { text } else { text.replace('\r', "\n") })
}
