//! A directory as a store: local, NFS, sshfs. A file is written under a temporary name and linked
//! to its own, so it is there whole or not at all, and never over another.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{Listed, Options, Put, Store, StoreError, StoreErrorKind};
use crate::chance;
use crate::domain::ids::hex;

/// What is being written begins with this; readers pass over it.
pub(super) const TEMPORARY: &str = ".tmp-";

struct Directory {
    name: String,
    root: PathBuf,
}

pub(super) fn open(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    let root = PathBuf::from(url.strip_prefix("file://").unwrap_or(url));
    let store = Directory { name: url.to_owned(), root };
    if options.create {
        // Where it would lie is not made: a disk that is not mounted, or a typing error, looks so.
        match fs::create_dir(&store.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let parent = store.root.parent().unwrap_or(&store.root).display();
                let why = format!("{parent} is not there; is it mounted?");
                return Err(StoreError {
                    trouble: StoreErrorKind::Missing,
                    store: store.name,
                    why,
                });
            }
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(store.explain(&store.root, &error));
            }
            _ => {}
        }
    }
    let kind = fs::metadata(&store.root).map_err(|error| store.explain(&store.root, &error))?;
    if !kind.is_dir() {
        let why = "it is a file, not a directory".to_owned();
        return Err(StoreError { trouble: StoreErrorKind::Missing, store: store.name, why });
    }
    Ok(Box::new(store))
}

impl Directory {
    fn explain(&self, path: &Path, error: &io::Error) -> StoreError {
        let (trouble, why) = match error.kind() {
            ErrorKind::NotFound => {
                (StoreErrorKind::Missing, "the directory is not there; is it mounted?".to_owned())
            }
            ErrorKind::PermissionDenied => {
                (StoreErrorKind::Denied, format!("{}: permission denied", path.display()))
            }
            ErrorKind::ReadOnlyFilesystem => {
                (StoreErrorKind::ReadOnly, "the file system is read-only".to_owned())
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (StoreErrorKind::Full, "the disk is full".to_owned())
            }
            ErrorKind::StaleNetworkFileHandle | ErrorKind::TimedOut => {
                (StoreErrorKind::Unreachable, error.to_string())
            }
            _ => (StoreErrorKind::Other, format!("{}: {error}", path.display())),
        };
        StoreError { trouble, store: self.name.clone(), why }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<Put> {
        let directory = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(directory)?;
        let temporary = directory.join(format!("{TEMPORARY}{}", hex(&chance::bytes::<8>()?)));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        drop(file);
        let linked = written.and_then(|()| link(&temporary, path));
        // Whether it was linked or not, the temporary name has done its work.
        let removed = fs::remove_file(&temporary);
        let put = linked?;
        if put == Put::Created {
            File::open(directory)?.sync_all()?;
        }
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(put),
        }
    }

    fn walk(&self, directory: &Path, prefix: &str, out: &mut Vec<Listed>) -> io::Result<()> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(TEMPORARY) {
                continue;
            }
            let key = format!("{prefix}{name}");
            // Neither links nor pipes nor devices: nobody who means well makes them here.
            match entry.metadata() {
                Ok(kind) if kind.is_dir() => self.walk(&entry.path(), &format!("{key}/"), out)?,
                Ok(kind) if kind.is_file() => out.push(Listed { key, bytes: kind.len() }),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {} // it was merged away meanwhile
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Gives a file its name, if that is free.
fn link(temporary: &Path, path: &Path) -> io::Result<Put> {
    let linked = match fs::hard_link(temporary, path) {
        // No hard links here: rename without writing over.
        Err(error)
            if error.kind() == ErrorKind::Unsupported
                || error.kind() == ErrorKind::PermissionDenied =>
        {
            rename_new(temporary, path)
        }
        other => other,
    };
    match linked {
        Ok(()) => Ok(Put::Created),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::Exists),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(target_os = "linux"))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    // Creating the name claims it; readers check the hash in it until the bytes have come.
    let bytes = fs::read(from)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(to)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

impl Store for Directory {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        fs::metadata(&self.root).map_err(|error| self.explain(&self.root, &error))?;
        let path = self.path(key);
        self.write(&path, bytes).map_err(|error| self.explain(&path, &error))
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key);
        if fs::symlink_metadata(&path).is_ok_and(|kind| !kind.is_file()) {
            return Ok(None);
        }
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.explain(&path, &error)),
        }
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        fs::metadata(&self.root).map_err(|error| self.explain(&self.root, &error))?;
        let mut out = Vec::new();
        let directory = self.path(prefix);
        self.walk(&directory, prefix, &mut out)
            .map_err(|error| self.explain(&directory, &error))?;
        out.sort();
        Ok(out)
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.explain(&path, &error)),
            _ => Ok(()),
        }
    }
}
