//! The files of a desk that is served: `serve/` in the workspace, which nobody else may look into.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::ServeError;

#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
}

impl Place {
    /// The directory of a workspace's desk, made if it is not there; nobody else's.
    pub fn open(workspace: &Path) -> Result<Self, ServeError> {
        let place = Self::of(workspace);
        let failed = |error| ServeError::File(place.directory.display().to_string(), error);
        match DirBuilder::new().mode(0o700).create(&place.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        own(&place.directory, 0o077, "looked into", "700")?;
        let live = place.live();
        match DirBuilder::new().mode(0o700).create(&live) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(place),
        }
    }

    /// The same, without looking whether it is there.
    pub fn of(workspace: &Path) -> Self {
        Self { directory: workspace.join("serve") }
    }

    pub fn host_key(&self) -> PathBuf {
        self.directory.join("hostkey")
    }

    pub fn config(&self) -> PathBuf {
        self.directory.join("sshd_config")
    }

    pub fn authorized_keys(&self) -> PathBuf {
        self.directory.join("authorized_keys")
    }

    /// The names that certificates may be for.
    pub fn principals(&self) -> PathBuf {
        self.directory.join("principals")
    }

    pub fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub fn banner(&self) -> PathBuf {
        self.directory.join("banner")
    }

    pub fn process_id(&self) -> PathBuf {
        self.directory.join("sshd.pid")
    }

    /// A file for each session.
    pub fn live(&self) -> PathBuf {
        self.directory.join("live")
    }

    /// Makes sure that nobody else serves this workspace, for as long as the file is kept.
    pub fn alone(&self) -> Result<File, ServeError> {
        let path = self.directory.join("lock");
        let failed = |error| ServeError::File(path.display().to_string(), error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(&path).map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let other = fs::read_to_string(&path).unwrap_or_default();
            return Err(ServeError::Served(other.trim().to_owned()));
        }
        lock.set_len(0).map_err(failed)?;
        write!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(lock)
    }

    /// Waits until nobody else is coming in, for as long as the file is kept.
    pub fn threshold(&self) -> Result<File, ServeError> {
        let path = self.directory.join("threshold");
        let failed = |error| ServeError::File(path.display().to_string(), error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&path).map_err(failed)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        Ok(lock)
    }

    /// Writes a file whole, or leaves it as it was.
    pub fn write(&self, path: &Path, text: &str) -> Result<(), ServeError> {
        let failed = |error| ServeError::File(path.display().to_string(), error);
        let mut next = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        next.write_all(text.as_bytes()).map_err(failed)?;
        next.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Keeps the log small: anybody who knocks writes a line into it. What is older stands beside it,
    /// once.
    pub fn turn_log(&self) -> std::io::Result<()> {
        let path = self.log();
        if fs::metadata(&path).map_or(0, |about| about.len()) < LOG_MAX {
            return Ok(());
        }
        fs::copy(&path, path.with_extension("1"))?;
        // sshd has it open, and goes on at its end.
        OpenOptions::new().write(true).open(&path)?.set_len(0)
    }

    /// The log, to be written on.
    pub fn append_log(&self) -> Result<File, ServeError> {
        let path = self.log();
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        options.open(&path).map_err(|error| ServeError::File(path.display().to_string(), error))
    }
}

/// Bytes of a log.
const LOG_MAX: u64 = 8 << 20;

/// Whether a file is only its owner's.
pub fn own(
    path: &Path,
    mask: u32,
    what: &'static str,
    mode: &'static str,
) -> Result<(), ServeError> {
    let shown = || path.display().to_string();
    let about = fs::metadata(path).map_err(|error| ServeError::File(shown(), error))?;
    if about.mode() & mask != 0 {
        return Err(ServeError::Open { path: shown(), what, mode });
    }
    Ok(())
}

/// Whether nobody but root could put another file in this one's place: sshd runs no other program
/// to look up keys.
pub fn is_roots(path: &Path) -> bool {
    path.is_absolute()
        && path.ancestors().all(|part| {
            fs::symlink_metadata(part).is_ok_and(|about| {
                about.uid() == 0 && (about.is_symlink() || about.mode() & 0o022 == 0)
            })
        })
}
