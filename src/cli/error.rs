//! Errors in words: what happened, where, what to type next, and the exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::domain::advice::Advice as _;
use crate::domain::text::visible;
use crate::workspace::{DbError, Kind, WorkError};

/// How a command that worked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// The answer is no: a check failed, nothing was found.
    No,
    /// Something is past its time.
    Breach,
}

/// What stops a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("writing the output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Use(String),
    /// Not now: it is no fault of whoever asks.
    #[error("{0}")]
    No(String),
    /// A step could not begin: told to whoever watches it.
    #[error("{0}")]
    Cannot(String),
}

impl From<crate::domain::protocol::typed::BadAnswer> for CliError {
    fn from(error: crate::domain::protocol::typed::BadAnswer) -> Self {
        Self::Work(error.into())
    }
}

impl From<crate::format::open::BadInput> for CliError {
    fn from(error: crate::format::open::BadInput) -> Self {
        Self::Work(error.into())
    }
}

impl From<DbError> for CliError {
    fn from(error: DbError) -> Self {
        Self::Work(error.into())
    }
}

/// Prints an error, if it was one, and tells the exit code: 0 done, 1 no, 2 wrong use or bad input,
/// 3 past its time.
pub fn exit_code(result: Result<Exit, CliError>) -> ExitCode {
    match result {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::No) => ExitCode::from(1),
        Ok(Exit::Breach) => ExitCode::from(3),
        // The reader of our output went away; there is nobody to tell.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(CliError::Cannot(why)) => {
            super::out::say(&why);
            ExitCode::from(126)
        }
        Err(error) => {
            tracing::error!("{error}");
            let code = match &error {
                CliError::No(_) => 1,
                CliError::Work(error) if error.kind() == Kind::No => 1,
                _ => 2,
            };
            explain(&error);
            ExitCode::from(code)
        }
    }
}

/// With `--json`, prints the faults of a check as a document too; the error goes on to its exit
/// code.
pub fn or_faults<T>(json: bool, result: Result<T, WorkError>) -> Result<T, CliError> {
    if let (true, Some((_, faults))) = (json, result.as_ref().err().and_then(WorkError::faults)) {
        let list: Vec<_> = faults
            .iter()
            .map(|fault| serde_json::json!({ "line": fault.line, "fault": fault.message }))
            .collect();
        super::out::done(json, "", &serde_json::json!({ "ok": false, "faults": list }))?;
    }
    Ok(result?)
}

/// Prints what happened and what to do about it.
pub fn explain(error: &CliError) {
    let mut err = io::stderr().lock();
    // Standard error may be closed; there is nowhere else to say so.
    let _ = writeln!(err, "casework: {}", visible(&error.to_string()));
    let CliError::Work(error) = error else { return };
    if let Some((name, faults)) = error.faults() {
        for fault in faults.iter().take(50) {
            let _ =
                writeln!(err, "  {}:{}: {}", visible(name), fault.line, visible(&fault.message));
        }
        if faults.len() > 50 {
            let _ = writeln!(err, "  … and {} more", faults.len() - 50);
        }
    }
    if let Some(step) = error.next_step() {
        let _ = writeln!(err, "  {step}");
    }
}
