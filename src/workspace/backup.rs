//! A copy of the workspace, made while it is in use.
//!
//! A copy must not write under the same key as the original: both would number their entries alike.
//! So the copy is marked, and whoever first writes in it gets a key of its own, for which the old
//! one vouches.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::{WorkError, Workspace};
use crate::config::Paths;
use crate::journal::identity;

/// Pages that are copied at a time; between two, others write.
const PAGES: i32 = 4_096;
const PAUSE: Duration = Duration::from_millis(5);

impl Workspace {
    /// Copies the workspace into a new directory; returns the bytes of its database.
    pub fn backup(&self, directory: &Path) -> Result<u64, WorkError> {
        let failed =
            |path: &Path, error| WorkError::File { path: path.display().to_string(), error };
        let to = Paths { workspace: directory.to_owned() };
        if to.database().exists() || to.key().exists() {
            return Err(WorkError::Exists(directory.display().to_string()));
        }
        super::private_directory(directory).map_err(|error| failed(directory, error))?;
        let unfinished: PathBuf = directory.join("casework.db.part");
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(|error| failed(&unfinished, error))?;
        }
        {
            let mut copy = Connection::open(&unfinished)?;
            {
                let backup = Backup::new(&self.db.conn, &mut copy)?;
                loop {
                    match backup.step(PAGES)? {
                        StepResult::Done => break,
                        StepResult::More => {}
                        _ => std::thread::sleep(PAUSE), // somebody writes
                    }
                }
            }
            identity::mark_copy(&copy)?;
            copy.pragma_update(None, "journal_mode", "DELETE")?;
        }
        fs::File::open(&unfinished)
            .and_then(|file| file.sync_all())
            .map_err(|error| failed(&unfinished, error))?;
        self.key.save_new(&to.key())?;
        if self.paths.config().exists() {
            fs::copy(self.paths.config(), to.config())
                .map_err(|error| failed(&to.config(), error))?;
        }
        fs::rename(&unfinished, to.database()).map_err(|error| failed(directory, error))?;
        fs::File::open(directory)
            .and_then(|file| file.sync_all())
            .map_err(|error| failed(directory, error))?;
        let bytes = fs::metadata(to.database()).map_err(|error| failed(directory, error))?.len();
        Ok(bytes)
    }
}
