//! A workspace, opened: database, key, configuration, and who is at work. What `cli` and `tui`
//! hold.

pub mod found;
pub mod arbitration;
pub mod calibration;
pub mod reading;
mod people;
pub mod ssh;
mod sync;
pub mod cases;
mod labels;
mod next_step;
pub mod documents;
mod audit;
mod backup;
mod demo;
mod erase;
pub mod export;
pub mod sla;
mod status;
pub mod reliability;
mod training;

use std::path::Path;

use crate::config::{Config, ConfigError, Env, Paths};
use crate::db::{Db, document, journal, roster};
use crate::domain::calibration::Stage;
use crate::domain::cues::Hiding;
use crate::domain::ids::CaseId;
use crate::domain::protocol::Fault;
use crate::domain::time::Moment;
use crate::intake::recognize::{HEAD_BYTES, recognize};
use crate::journal::blob::Unpacker;
use crate::journal::chain::Appended;
use crate::journal::entry::Body;
use crate::journal::kind::{ReplicaJoined, WorkspaceFounded};
use crate::journal::{Append, DeviceKey, JournalError, chain, device, fold, identity};
use crate::{clock, intake};

pub use crate::db::DbError;
pub use demo::DEMO_TEAM;
pub use erase::Erased;
pub use labels::Undone;
pub use next_step::Told;
pub use people::{Holder, Person};
pub use status::{Status, StatusCases};
pub use sync::SyncStatus;
pub use training::{TrainingItem, TrainingSet};

/// What can go wrong with work in a workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Intake(#[from] intake::IntakeError),
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Sync(#[from] crate::sync::SyncError),
    #[error("there is a workspace at {0} already")]
    Exists(String),
    #[error("{store} holds a workspace already: {theirs}")]
    Taken { store: String, theirs: String },
    #[error("{store} holds no workspace")]
    NothingThere { store: String },
    #[error("{store} holds no workspace whose id begins with {expected}, but {}", ids.join(", "))]
    AnotherThere { store: String, expected: String, ids: Vec<String> },
    #[error("{store} holds more than one workspace: {}", ids.join(", "))]
    SeveralThere { store: String, ids: Vec<String> },
    #[error("this workspace has no shared store")]
    NoStore,
    #[error("{0} is not empty")]
    NotEmpty(String),
    #[error("nothing was there yet at {}", .0.rfc3339())]
    BeforeAll(Moment),
    #[error("{0}")]
    Ssh(String),
    #[error("no device begins with `{0}`")]
    NoDevice(String),
    #[error("several devices ask to join as `{0}`")]
    SeveralAsk(String),
    #[error("{0} is the last lead: nobody could let anyone in after that")]
    LastLead(String),
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("`{0}` is not a name: use 1 to 40 letters, digits, `.`, `_` or `-`")]
    Name(String),
    #[error("nobody called `{0}` was admitted to this workspace")]
    Stranger(String),
    #[error("no case is called `{0}`")]
    NoCase(String),
    #[error("`{0}` may mean several cases: {1}")]
    Ambiguous(String, String),
    #[error("no protocol is published for the stream `{0}`")]
    NoProtocol(String),
    #[error("{0}")]
    Incomplete(crate::review::Missing),
    #[error("{name} does not check")]
    Faults { name: String, faults: Vec<Fault> },
    #[error("you labeled {} meanwhile, at {}", .0.short(), .1.clock())]
    LabeledMeanwhile(CaseId, Moment),
    #[error("{0} has not labeled that case")]
    NotLabeled(String),
    #[error("that case is no gold item")]
    NotGold,
    #[error("{id} v{version} is not published: nobody said what changed")]
    NoChanges { id: String, version: u32 },
    #[error("the glossary is not published: protocols in force use terms that are not in it any longer: {}", .0.join(", "))]
    TermsInUse(Vec<String>),
    #[error("nothing was set: {0}")]
    PolicyField(String),
    #[error(
        "{id} is not published: the version before renamed the label `{old}`, and this one does not know that name"
    )]
    RenameDropped { id: String, old: String, new: String },
    #[error("no protocol `{0}` is published")]
    NoSuchProtocol(String),
    #[error("there is nothing to rule on {}: its labels are not in dispute", .0.short())]
    NoConflict(CaseId),
    #[error("no ruling counts on {}", .0.short())]
    NoRuling(CaseId),
    #[error("the ruling on {} says what your label said, or you gave none", .0.short())]
    NotOverruled(CaseId),
    #[error("you have appealed on {} already: each may once on a case", .0.short())]
    AppealedAlready(CaseId),
    #[error("no calibration session is called `{0}`")]
    NoSession(String),
    #[error("there is a calibration session `{0}` already")]
    SessionExists(String),
    #[error("a session takes two reviewers or more")]
    SessionOfOne,
    #[error("no case was chosen")]
    SessionEmpty,
    #[error("that can't be done now with the session `{0}`: {stage}", stage = .1.word())]
    SessionStage(String, Stage),
    #[error("{late} of {of} reviewers have not labeled every case, and there is still time")]
    SessionUnderWay { late: usize, of: usize },
    #[error("{reviewer} was not asked into the session `{session}`")]
    NotInvited { session: String, reviewer: String },
    #[error("{} is no case of the session `{session}`", case.short())]
    NotOfSession { session: String, case: CaseId },
    #[error("the labels of the session `{0}` are hidden until it is revealed")]
    Hidden(String),
    #[error("that is for leads")]
    LeadsOnly,
    #[error("gold items measure reviewers: only a lead lists them")]
    KnownAnswers,
    #[error("say why: nothing was written, so nothing was done")]
    NoRationale,
    #[error("say what it counts as: one of the labels, fields, or answers")]
    NoVerdict,
    #[error("no label here is called {0}: there are {names}", names = .1.iter().map(char::to_string).collect::<Vec<_>>().join(", "))]
    NoSide(char, Vec<char>),
    #[error("{side} was not asked `{question}`")]
    NotAsked { side: char, question: String },
    #[error("say at which question `{0}` must change: the labels diverge at none that it has")]
    NoQuestion(String),
    #[error("`{question}` is no question of `{protocol}`")]
    NotAQuestion { protocol: String, question: String },
    #[error("`{protocol}` sets no field `{field}`: there are {known}")]
    NoField { protocol: String, field: String, known: String },
    #[error("`{protocol}` wants `{field}` of every outcome")]
    Required { protocol: String, field: String },
    #[error("no answer sets `{field}` to `{value}`: there are {known}")]
    NoValue { field: String, value: String, known: String },
    #[error("`{0}` is no lead, and could not rule")]
    OwnerNoLead(String),
    #[error("`{protocol}` has no label `{label}`")]
    NoLabel { protocol: String, label: String },
    #[error("there is no label of {0} to take back")]
    NothingToUndo(String),
    #[error(transparent)]
    Policy(#[from] crate::domain::policy::BadPolicy),
    #[error(transparent)]
    Answer(#[from] crate::domain::protocol::typed::BadAnswer),
    #[error(transparent)]
    Rule(#[from] crate::trap::BadRule),
    #[error("config.toml: {0}")]
    Redaction(#[from] intake::BadRedaction),
    #[error("this device was not given the workspace's secret, which makes pseudonyms")]
    NoSecret,
}

impl WorkError {
    /// The same, or that the disk is full, where that is why something could not be written to
    /// `directory`: SQLite and the system call it by other names.
    pub fn unless_full(self, directory: &Path) -> Self {
        let mut cause: Option<&dyn std::error::Error> = Some(&self);
        while let Some(error) = cause {
            let of_sqlite = error
                .downcast_ref::<rusqlite::Error>()
                .and_then(rusqlite::Error::sqlite_error_code);
            let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            let writing = matches!(
                of_sqlite,
                Some(
                    rusqlite::ErrorCode::SystemIoFailure
                        | rusqlite::ErrorCode::CannotOpen
                        | rusqlite::ErrorCode::DiskFull
                )
            ) || matches!(
                io,
                Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            );
            if writing && crate::db::is_full(directory) {
                return Self::Db(DbError::Full(directory.to_owned()));
            }
            cause = error.source();
        }
        self
    }
}

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
    pub sitting: Option<String>,
    /// What is hidden today, while the past is looked at.
    hide_today: Vec<Hiding>,
    key: DeviceKey,
    unpacker: Unpacker,
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
        // Whoever joined may look while they wait to be let in.
        if !roster::all(&db.conn)?.iter().any(|grant| grant.name == me) && me != owner(&db, &key)? {
            return Err(WorkError::Stranger(me));
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
            sitting: None,
            hide_today: Vec::new(),
            key,
            unpacker: Unpacker::default(),
        }
    }

    /// Opens the workspace as it stood at a moment, to be read.
    pub fn open_at(
        paths: Paths,
        env: Env,
        name: Option<&str>,
        at: Moment,
    ) -> Result<Self, WorkError> {
        let now = Self::open(paths, env, name)?;
        let hide_today = now.policy()?.hide;
        let time_of = |body: &[u8]| Body::parse(body).map(|body| body.at.moment());
        let mut db = Db::as_of(&now.paths.database(), at, time_of)?;
        let tx = db.begin()?;
        fold::refold(&tx)?;
        tx.commit()?;
        if journal::count_entries(&db.conn)? == 0 {
            return Err(WorkError::BeforeAll(at));
        }
        Ok(Self { db, at: Some(at), hide_today, ..now })
    }

    /// What time it is, for what is shown.
    pub fn now(&self) -> Moment {
        self.at.unwrap_or_else(clock::now)
    }

    /// The same workspace on another connection, for another thread.
    pub fn again(&self) -> Result<Self, WorkError> {
        Ok(Self {
            db: self.db.again()?,
            paths: self.paths.clone(),
            config: self.config.clone(),
            env: self.env.clone(),
            me: self.me.clone(),
            at: None,
            sitting: self.sitting.clone(),
            hide_today: Vec::new(),
            key: DeviceKey::load(&self.paths.key())?,
            unpacker: Unpacker::default(),
        })
    }

    /// Appends one entry by whoever is at work. When it returns, the entry is on disk.
    pub fn append(&mut self, events: Vec<Append>) -> Result<Appended, WorkError> {
        self.ready_to_write()?;
        let begun = clock::instant();
        let appended = chain::append(&mut self.db, &self.key, &self.me, events, clock::now())?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        tracing::info!(seq = appended.seq, replica = %self.key.replica(), ms, "wrote an entry");
        Ok(appended)
    }

    /// Must come before anything is written: a copy gets a key of its own, and a key that was
    /// replaced is read anew.
    fn ready_to_write(&mut self) -> Result<(), WorkError> {
        self.reload_key()?;
        if identity::is_copy(&self.db.conn)? {
            self.renew(device::Because::Copied { last: u64::MAX })?;
        }
        Ok(())
    }

    /// The key may have been replaced by another process or thread.
    fn reload_key(&mut self) -> Result<(), WorkError> {
        if identity::current(&self.db.conn)?.is_some_and(|replica| replica != self.key.replica()) {
            settle_key(&self.db, &self.paths)?;
            self.key = DeviceKey::load(&self.paths.key())?;
        }
        Ok(())
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

/// Reads a file that the user named.
pub fn read_file(path: &Path) -> Result<String, WorkError> {
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let bytes = std::fs::read(path).map_err(failed)?;
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
