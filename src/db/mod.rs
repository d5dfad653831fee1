//! One SQLite file: opening it, its tables, and one folder per projection (row types beside their
//! SQL).
//!
//! Three kinds of table. `journal_*` is the truth and migrates forward only. `view_*` is computed
//! from it: dropped and folded again when [`VIEWS_VERSION`] changes. `local_*` belongs to this
//! device alone (drafts, where the reviewer was) and migrates like the journal.
//!
//! `synchronous=FULL`, always: with NORMAL a commit could be lost by a power cut after its entry
//! was shown or shipped, and this replica would then write a second entry with the same number.

pub mod arbitration;
pub mod case;
pub mod count;
pub mod counted;
pub mod document;
pub mod draft;
pub mod draw;
pub mod erasure;
pub mod journal;
pub mod label;
pub mod note;
pub mod observed;
mod as_of;
pub mod payload;
pub mod precedent;
pub mod renames;
pub mod roster;
pub mod sealed;
pub mod store;
pub mod suggestion;
mod turn;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

pub use as_of::Until;
use turn::Turn;

use crate::domain::advice::Advice;

/// Changes of the lasting tables, oldest first. Only ever appended to.
const MIGRATIONS: &[&str] = &[
    include_str!("migration_1.sql"),
    include_str!("migration_2.sql"),
    include_str!("migration_3.sql"),
    include_str!("migration_4.sql"),
    include_str!("migration_5.sql"),
];
const VIEWS: &str = include_str!("views.sql");
/// Goes up when `views.sql` or the fold changes.
pub const VIEWS_VERSION: i64 = 24;
/// "CSWK": tells our files from other programs' SQLite files.
const APPLICATION_ID: i64 = 0x4353_574B;
/// Bytes without which nothing can be written: a page of the log, and what belongs to it.
const ROOM_MIN: u64 = 64 << 10;
/// How long to wait for another process that is writing.
const BUSY: Duration = Duration::from_secs(5);

/// Changes when another connection, of this process or another one, has written.
pub fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("no workspace at {}", .0.display())]
    Missing(PathBuf),
    #[error("{} is empty: the workspace that was in it is gone", .0.display())]
    Empty(PathBuf),
    #[error("{} is not a casework database", .0.display())]
    Foreign(PathBuf),
    #[error("{} was written by a newer casework (format {found}; this one reads up to {known})", path.display())]
    Newer { path: PathBuf, found: usize, known: usize },
    #[error("{} is locked by another process", .0.display())]
    Locked(PathBuf),
    #[error("{} is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, String),
    #[error("the disk is full: nothing of this change was written to {}", .0.display())]
    Full(PathBuf),
    #[error("{} cannot be written: {}", .0.display(), .1)]
    ReadOnly(PathBuf, String),
    #[error("{}: {}", .0.display(), .1)]
    Sqlite(PathBuf, rusqlite::Error),
}

impl Advice for DbError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Missing(_) => {
                "Create one with `casework init --name TEAM --as YOU`, or look around with `casework demo`."
            }
            Self::Newer { .. } => "Install a newer casework; this one changes nothing in it.",
            Self::Locked(_) => {
                "Another casework is writing for long: wait for it, or see `casework doctor`."
            }
            Self::Damaged(..) => {
                "Keep the file as it is. Put a copy of `casework backup` in its place, or join the team's store again: \
             casework join URL --as YOU --workspace NEWDIR. What was synced is there."
            }
            Self::Empty(_) => {
                "This device's key is still beside it. Put a copy of `casework backup` in its place, or join the team's store \
             again: casework join URL --as YOU --workspace NEWDIR. What was synced is there."
            }
            Self::Foreign(_) => "Name another directory with --workspace.",
            Self::Full(_) => "Make room and do it again; what was saved before is safe.",
            Self::ReadOnly(..) => "The directory and the file must be writable for you.",
            Self::Sqlite(..) => return None,
        };
        Some(step.to_owned())
    }
}

/// The open database.
pub struct Db {
    pub conn: Connection,
    path: PathBuf,
    /// Whether nobody else can have it open.
    is_private: bool,
}

/// A transaction, and the turn in which it writes, if it may.
pub struct Tx<'c> {
    tx: Transaction<'c>,
    /// Ends after the transaction.
    _turn: Option<Turn>,
}

impl Tx<'_> {
    pub fn commit(self) -> rusqlite::Result<()> {
        self.tx.commit()
    }
}

impl<'c> std::ops::Deref for Tx<'c> {
    type Target = Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

/// Lets `conn` prepare each statement once, however often it is asked for.
fn prepare_once(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(96);
    // A plan never depends on what is bound: where a table has a partial index, SQLite would else
    // prepare a statement anew for each value.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

impl Db {
    /// Makes a new database; its directory exists. Fails if there is one.
    pub fn create(path: &Path) -> Result<Self, DbError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Self::connect(path, flags)?;
        db.migrate()?;
        Ok(db)
    }

    /// Opens a database that exists, bringing its lasting tables up to date.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        if !path.exists() {
            return Err(DbError::Missing(path.to_owned()));
        }
        // Before anything is written to it.
        if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            return Err(DbError::Empty(path.to_owned()));
        }
        let mut db = Self::connect(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let tables = db.explained(|conn| {
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        })?;
        if tables == 0 {
            return Err(DbError::Empty(path.to_owned()));
        }
        db.migrate()?;
        Ok(db)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, DbError> {
        let conn =
            Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
        let db = Self { conn, path: path.to_owned(), is_private: false };
        db.explained(|conn| {
            conn.busy_timeout(BUSY)?;
            prepare_once(conn)?;
            conn.pragma_update(None, "journal_mode", "WAL")?;
            conn.pragma_update(None, "synchronous", "FULL")?;
            conn.pragma_update(None, "cache_size", -32_768)?; // 32 MiB
            conn.pragma_update(None, "wal_autocheckpoint", 16_384)?; // 64 MiB: an ingest writes each page twice, not five times
            conn.pragma_update(None, "temp_store", "MEMORY")?;
            conn.pragma_update(None, "secure_delete", true)?; // what is erased must not stay in pages that are free
            conn.pragma_update(None, "trusted_schema", false)
        })?;
        Ok(db)
    }

    /// Another connection to the same file, for another thread.
    pub fn reopen(&self) -> Result<Self, DbError> {
        Self::open(&self.path)
    }

    /// Keeps few pages in memory: many have the same file open, and the system keeps its pages once for
    /// all of them.
    pub fn keep_small(&self) -> Result<(), DbError> {
        self.explained(|conn| conn.pragma_update(None, "cache_size", -1_024)) // 1 MiB
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn migrate(&mut self) -> Result<(), DbError> {
        let path = self.path.clone();
        let known = MIGRATIONS.len();
        let found = self.explained(|conn| {
            let app: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let tables: i64 =
                conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((app, version, tables))
        })?;
        match found {
            (0, 0, 0) => {}
            (APPLICATION_ID, version, _) if version as usize == known => return Ok(()),
            (APPLICATION_ID, version, _) if version as usize > known => {
                return Err(DbError::Newer { path, found: version as usize, known });
            }
            (APPLICATION_ID, ..) => {}
            _ => return Err(DbError::Foreign(path)),
        }
        let tx = self.begin()?;
        let steps = || {
            let done: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for sql in MIGRATIONS.iter().skip(done as usize) {
                tx.execute_batch(sql)?;
            }
            if done == 0 {
                tx.execute_batch(VIEWS)?;
                tx.pragma_update(None, "application_id", APPLICATION_ID)?;
                set_views_version(&tx, VIEWS_VERSION)?;
            }
            tx.pragma_update(None, "user_version", known as i64)
        };
        steps().map_err(|error| explain(&path, error))?;
        tx.commit().map_err(|error| explain(&path, error))
    }

    /// Starts a transaction that may write; waits for other writers, who are served as they came.
    pub fn begin(&mut self) -> Result<Tx<'_>, DbError> {
        let turn = self.turn()?;
        let path = &self.path;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| explain(path, error))?;
        Ok(Tx { tx, _turn: turn })
    }

    fn turn(&self) -> Result<Option<Turn>, DbError> {
        if self.is_private {
            return Ok(None);
        }
        Turn::wait(&self.path).map(Some).map_err(|_| DbError::Locked(self.path.clone()))
    }

    /// Writes one thing that needs no transaction, when its turn comes.
    pub fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        let _turn = self.turn()?;
        self.explained(work)
    }

    /// Starts a transaction that only reads, and keeps nobody from writing.
    pub fn read(&mut self) -> Result<Tx<'_>, DbError> {
        let path = &self.path;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(|error| explain(path, error))?;
        Ok(Tx { tx, _turn: None })
    }

    /// Runs `work`, turning SQLite's errors into words about this file.
    pub fn explained<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        work(&self.conn).map_err(|error| explain(&self.path, error))
    }

    /// Whether the views were folded by another version of this program.
    pub fn views_are_stale(&self) -> Result<bool, DbError> {
        self.explained(|conn| {
            let version = journal::meta(conn, "views")?;
            Ok(version.as_deref() != Some(VIEWS_VERSION.to_string().as_bytes()))
        })
    }

    /// What SQLite itself finds wrong with the file; nothing if it is sound.
    pub fn damage(&self) -> Result<Vec<String>, DbError> {
        self.explained(|conn| {
            let mut found = conn.prepare("PRAGMA quick_check(20)")?;
            let lines = found
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
    }
}

/// Empties the views, to be folded again in the same transaction.
pub fn reset_views(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let names: Vec<String> = tx
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'view_*' AND name NOT GLOB 'view_search_*' AND name NOT GLOB 'view_precedent_*'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in names {
        tx.execute_batch(&format!("DROP TABLE \"{name}\""))?;
    }
    tx.execute_batch(VIEWS)?;
    set_views_version(tx, VIEWS_VERSION)
}

fn set_views_version(conn: &Connection, version: i64) -> rusqlite::Result<()> {
    journal::set_meta(conn, "views", version.to_string().as_bytes())
}

/// Whether the disk that holds `path` has no room left for whoever asks.
pub fn is_full(path: &Path) -> bool {
    let directory = path.ancestors().find(|part| part.is_dir()).unwrap_or(path);
    // A file system that counts no blocks is not a full one.
    rustix::fs::statvfs(directory)
        .is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail * disk.f_frsize < ROOM_MIN)
}

/// Puts an SQLite error into words about the file at `path`.
pub fn explain(path: &Path, error: rusqlite::Error) -> DbError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => DbError::Foreign(path),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DbError::Locked(path),
        Some(ErrorCode::DatabaseCorrupt) => DbError::Damaged(path, error.to_string()),
        Some(ErrorCode::DiskFull) => DbError::Full(path),
        // Where SQLite can't make a file larger, it says no more than this.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(&path) => {
            DbError::Full(path)
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            DbError::ReadOnly(path, error.to_string())
        }
        _ => DbError::Sqlite(path, error),
    }
}

/// A column that must hold an id of a fixed length.
pub(crate) fn id_column<T>(
    bytes: &[u8],
    column: usize,
    make: impl Fn(&[u8]) -> Option<T>,
) -> rusqlite::Result<T> {
    make(bytes).ok_or_else(|| {
        let words = format!("an id of {} bytes", bytes.len());
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, words.into())
    })
}

/// A column that must hold JSON.
pub(crate) fn json_column<T: serde::de::DeserializeOwned>(
    text: &str,
    column: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// JSON for a column. Our own types always have a JSON form.
pub fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
