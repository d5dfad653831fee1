//! What can go wrong with work in a workspace, as a person is told it. Each
//! kind has a file, with what to do about it; here stand those of the whole.

mod calibration;
mod door;
mod label;
mod plugin;
mod publish;
mod retrain;
mod roster;
mod ruling;
mod shared_store;
mod training;

use std::path::Path;

use crate::config::ConfigError;
use crate::db::DbError;
use crate::domain::advice::Advice;
use crate::domain::policy::BadPolicy;
use crate::domain::protocol::Fault;
use crate::domain::protocol::typed::BadAnswer;
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::intake::{BadRedaction, IntakeError};
use crate::journal::JournalError;
use crate::retrain::cut::CutError;
use crate::review::Missing;
use crate::sync::SyncError;
use crate::trap::{BadRule, BadTrap};

pub use calibration::CalibrationError;
pub use door::DoorError;
pub use label::LabelError;
pub use plugin::PluginError;
pub use publish::PublishError;
pub use retrain::RetrainError;
pub use roster::RosterError;
pub use ruling::RulingError;
pub use shared_store::SharedStoreError;
pub use training::TrainingError;

/// What can go wrong with work in a workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error(transparent)]
    Label(#[from] LabelError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Retrain(#[from] RetrainError),
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error(transparent)]
    Ruling(#[from] RulingError),
    #[error(transparent)]
    SharedStore(#[from] SharedStoreError),
    #[error(transparent)]
    Training(#[from] TrainingError),

    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Input(#[from] crate::format::open::BadInput),
    #[error("[source]: {0}")]
    Mapping(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Answer(#[from] BadAnswer),
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    #[error("config.toml: {0}")]
    Redaction(#[from] BadRedaction),
    #[error(transparent)]
    Rule(#[from] BadRule),
    #[error(transparent)]
    Trap(#[from] BadTrap),
    #[error("{0}")]
    Reference(String),
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("{0}")]
    Ssh(String),

    #[error("there is a workspace at {0} already")]
    Exists(String),
    #[error("{0} is not empty")]
    NotEmpty(String),
    #[error("nothing was there yet at {}", .0.rfc3339())]
    BeforeAll(Moment),
    #[error("`{0}` is not a name: use 1 to 40 letters, digits, `.`, `_` or `-`")]
    Name(String),
    #[error("nobody called `{0}` was admitted to this workspace")]
    Stranger(String),
    #[error("{0} does not work on this device: they were admitted on others")]
    Elsewhere(String),
    #[error("no case is called `{0}`")]
    NoCase(String),
    #[error("`{0}` may mean several cases: {1}")]
    Ambiguous(String, String),
    #[error("no protocol sets the field `{field}`: there are {}", known.join(", "))]
    NoField { field: String, known: Vec<String> },
    #[error("no protocol is published for the stream `{0}`")]
    NoProtocol(String),
    #[error("{0}")]
    Incomplete(Missing),
    #[error("{name} does not check")]
    Faults { name: String, faults: Vec<Fault> },
    #[error("{name} names terms that the glossary lacks")]
    UnknownTerms { name: String, faults: Vec<Fault> },
    #[error("that is for leads")]
    LeadsOnly,
    #[error("gold items measure reviewers: only a lead lists them")]
    KnownAnswers,
    #[error("this device was not given the workspace's secret, which makes pseudonyms")]
    NoSecret,
}

/// What an error says of how a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A check failed: the answer is no.
    No,
    /// Wrong use, bad input, or something that could not be done.
    Failed,
}

/// An error as a person at work is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub words: String,
    /// What they can do. An action in braces stands for the key or the command that does it.
    pub hint: &'static str,
}

impl From<&str> for Told {
    fn from(words: &str) -> Self {
        Self { words: words.to_owned(), hint: "" }
    }
}

impl From<String> for Told {
    fn from(words: String) -> Self {
        Self { words, hint: "" }
    }
}

impl WorkError {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Retrain(RetrainError::Cut(CutError::Leak { .. } | CutError::Empty(_))) => {
                Kind::No
            }
            _ if self.faults().is_some() => Kind::No,
            _ => Kind::Failed,
        }
    }

    /// The faults of a document that was checked, and what it is called.
    pub fn faults(&self) -> Option<(&str, &[Fault])> {
        match self {
            Self::Faults { name, faults } | Self::UnknownTerms { name, faults } => {
                Some((name, faults))
            }
            _ => None,
        }
    }

    /// What happened and what to do next, for where a person is at work: the step is one that can be
    /// taken there, and a command only where there is none.
    pub fn told(&self) -> Told {
        let words = self.to_string();
        match (self.at_work(), self.next_step()) {
            (Some(hint), _) => Told { words, hint },
            (None, Some(step)) => {
                Told { words: format!("{}. {step}", words.trim_end_matches('.')), hint: "" }
            }
            (None, None) => Told { words, hint: "" },
        }
    }

    /// The error of another file that this one passes on.
    fn of_another(&self) -> Option<&dyn Advice> {
        Some(match self {
            Self::Calibration(error) => error,
            Self::Door(error) => error,
            Self::Label(error) => error,
            Self::Plugin(error) => error,
            Self::Publish(error) => error,
            Self::Retrain(error) => error,
            Self::Roster(error) => error,
            Self::Ruling(error) => error,
            Self::SharedStore(error) => error,
            Self::Training(error) => error,
            Self::Config(error) => error,
            Self::Db(error) => error,
            Self::Input(error) => error,
            Self::Intake(error) => error,
            Self::Journal(error) => error,
            Self::Sync(error) => error,
            Self::Rule(error) => error,
            Self::Trap(error) => error,
            _ => return None,
        })
    }

    /// The same, or that the disk is full, where that is why something could not be written to
    /// `directory`: SQLite and the system call it by other names.
    pub fn unless_full(self, directory: &Path) -> Self {
        if let Self::Journal(JournalError::Db(full @ DbError::Full(_))) = self {
            return Self::Db(full);
        }
        let mut cause: Option<&dyn std::error::Error> = Some(&self);
        while let Some(error) = cause {
            let of_sqlite = error
                .downcast_ref::<rusqlite::Error>()
                .and_then(rusqlite::Error::sqlite_error_code);
            let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            let writing = matches!(
                of_sqlite,
                Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::CannotOpen)
            ) || matches!(
                io,
                Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            );
            let said = of_sqlite == Some(rusqlite::ErrorCode::DiskFull);
            if said || writing && crate::db::is_full(directory) {
                return Self::Db(DbError::Full(directory.to_owned()));
            }
            cause = error.source();
        }
        self
    }
}

impl Advice for WorkError {
    fn next_step(&self) -> Option<String> {
        if let Some(error) = self.of_another() {
            return error.next_step();
        }
        let step = match self {
            Self::Stranger(name) => {
                return Some(format!(
                    "`casework roster show` lists names; a lead can admit them: `casework roster admit {} --role ROLE`.",
                    visible(name)
                ));
            }
            Self::Elsewhere(name) => {
                return Some(format!(
                    "A lead lets them work here: `casework roster admit {} --role ROLE --here`.",
                    visible(name)
                ));
            }
            Self::UnknownTerms { .. } => {
                "Add them to your glossary, then `casework glossary publish FILE`. `casework glossary starter` prints all terms that casework ships."
            }
            Self::NoCase(_) => "`casework queue` and `casework search TEXT` list cases.",
            Self::NoProtocol(_) => "Publish one with `casework protocol publish FILE`.",
            Self::Incomplete(_) => {
                "Answer with --answer QUESTION=VALUE, check with --check ITEM; `casework protocol show` lists them."
            }
            Self::LeadsOnly => "Without --roster it shows yours.",
            Self::NoSecret => {
                "Sync: a lead's or an engineer's device gives it to those that were admitted."
            }
            Self::Exists(_) => {
                "Open it with `casework --workspace DIR`, or choose another directory."
            }
            _ => return None,
        };
        Some(step.to_owned())
    }

    fn at_work(&self) -> Option<&'static str> {
        if let Some(error) = self.of_another() {
            return error.at_work();
        }
        match self {
            Self::NoCase(_) => Some("{filter} and {view} list cases."),
            Self::Stranger(_) => Some("{people} lists names; a lead admits them there."),
            _ => None,
        }
    }
}
