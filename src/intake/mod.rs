//! The way in: lines are read, looked at, joined with their logs and neighbours, and admitted as
//! cases.
//!
//! ```text
//!  read ──chunks──▶ look (2 threads) ──in order──▶ window ──cases──▶ pack ──payloads──▶ admit
//!  lines, limits    parse, rules                   neighbours        logs, redact,      journal
//!                                                                    compress
//! ```
//!
//! Every arrow is a short queue, so memory does not grow with the input. Admitting is one
//! transaction for many cases; what was not committed when a run was stopped is found again by the
//! next run, and what was is a duplicate then.

pub mod alert;
pub mod answered;
pub mod follow;
mod following;
pub mod recognize;
pub mod read;
pub mod scan;
pub mod detect;
mod counted;
mod draw;
mod profile;
pub mod window;
pub mod logindex;
pub mod redact;
pub mod pack;
pub mod admit;
pub mod labels;

mod alarmed;
mod names;
mod run;
mod summary;

pub use admit::Admitter;
pub use detect::Detectors;
pub use following::Following;
pub use names::checked;
pub use redact::{BadRedaction, Redact};
pub use run::{Ingest, Progress, Stage, index_logs, ingest, survey};
pub use summary::{
    FormatSeen, LogSummary, RejectLine, Summary, TrapCount, Unanswered, UnseenField,
};
pub use window::{Window, reach};

use crate::domain::advice::Advice;
use crate::domain::prediction::Reject;

/// What can stop an ingest.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("{0}: {1}")]
    Read(String, std::io::Error),
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
    #[error("a temporary file: {0}")]
    Temporary(std::io::Error),
    #[error("no randomness: {0}")]
    Random(std::io::Error),
    #[error("a worker thread ended early: this is a fault of casework; what was committed is kept")]
    Thread,
    #[error(transparent)]
    Rule(#[from] crate::trap::BadRule),
    #[error(transparent)]
    Trap(#[from] crate::trap::BadTrap),
    #[error("{0:?}: {1}")]
    Stage(Stage, std::io::Error),
}

impl Advice for IntakeError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.next_step(),
            Self::Journal(error) => error.next_step(),
            Self::Rule(error) => error.next_step(),
            Self::Trap(error) => error.next_step(),
            _ => None,
        }
    }
}

/// A line that was not taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// 1-based.
    pub line: u64,
    pub reject: Reject,
}
