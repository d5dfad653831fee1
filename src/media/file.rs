//! Files that a line points to, opened where they stand and nowhere else.
//!
//! Only what lies below a folder that is given is opened, and only regular files are read: a path that
//! leaves it, a link, a device or a FIFO is refused by the system before anything is read.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::domain::attachment::{Meant, Standing};
use crate::domain::ids::hex;

/// Bytes of a file that are read at most.
const BYTES_MAX: u64 = 64 << 20;
/// Bytes of files that are read for one case to be compared: a quarter of a second.
const TOGETHER_MAX: u64 = 256 << 20;
/// Hashes that are kept.
const KNOWN_MAX: usize = 10_000;

/// The file of that path, in the first folder that has it.
pub fn found(roots: &[String], path: &str) -> Result<File, Standing> {
    let relative = Path::new(path);
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.contains('\0') || path.is_empty() || !relative.components().all(inside) {
        return Err(Standing::Outside);
    }
    let mut last = Standing::Missing;
    for root in roots {
        match open(Path::new(root), relative) {
            Ok(file) => return Ok(file),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(Errno::XDEV | Errno::LOOP) => last = Standing::Outside,
            Err(_) => last = Standing::Unreadable,
        }
    }
    Err(last)
}

/// Opens a file below `root`, without following a link and without waiting for anybody.
#[cfg(target_os = "linux")]
fn open(root: &Path, path: &Path) -> Result<File, Errno> {
    use rustix::fs::ResolveFlags;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let below = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let root = rustix::fs::open(root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::openat2(&root, path, flags, Mode::empty(), below).map(File::from)
}

/// The same, folder by folder, where the system can't be told so at once.
#[cfg(not(target_os = "linux"))]
fn open(root: &Path, path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let mut at = rustix::fs::open(root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    for part in path.components() {
        at = rustix::fs::openat(&at, part.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(File::from(at))
}

/// SHA-256 of files, each worked out once as long as it stays as it is.
#[derive(Debug, Default)]
pub struct Hashes {
    /// By device, number, size and when it was changed last.
    known: HashMap<[u64; 5], String>,
    /// Bytes that are still read for one case.
    left: u64,
}

impl Hashes {
    /// Begins with the files of another case.
    pub fn begin(&mut self) {
        self.left = TOGETHER_MAX;
        if self.known.len() > KNOWN_MAX {
            self.known.clear();
        }
    }

    /// How large a file is, and the SHA-256 of what is in it.
    ///
    /// # Errors
    /// It is no regular file, too large, or can't be read; or much was read for the case already.
    pub fn of(&mut self, file: File) -> Result<(u64, String), Standing> {
        let about = regular(&file)?;
        let changed = [about.mtime() as u64, about.mtime_nsec() as u64];
        let key = [about.dev(), about.ino(), about.len(), changed[0], changed[1]];
        if let Some(hash) = self.known.get(&key) {
            return Ok((about.len(), hash.clone()));
        }
        self.left = self.left.checked_sub(about.len()).ok_or(Standing::TooMany)?;
        let (mut hasher, mut size) = (Sha256::new(), 0);
        each_piece(file, &mut |bytes| {
            size += bytes.len() as u64;
            hasher.update(bytes);
        })?;
        let hash = hex(&hasher.finalize());
        if size == about.len() {
            self.known.insert(key, hash.clone());
        }
        Ok((size, hash))
    }

    /// How a file stands, whatever that is.
    pub fn standing(&mut self, roots: &[String], path: &str, meant: &Meant<'_>) -> Standing {
        let mut look = || {
            let file = found(roots, path)?;
            let about = regular(&file)?;
            let another = meant.is_of_another_size(about.len());
            if !meant.has_hash() || another {
                return Ok(meant.stands(about.len(), String::new));
            }
            let (size, hash) = self.of(file)?;
            Ok(meant.stands(size, || hash))
        };
        look().unwrap_or_else(|standing| standing)
    }
}

/// What is known of a file that may be read.
fn regular(file: &File) -> Result<Metadata, Standing> {
    let about = file.metadata().map_err(|_| Standing::Unreadable)?;
    if !about.is_file() {
        return Err(Standing::NoFile);
    }
    if about.len() > BYTES_MAX { Err(Standing::TooLarge) } else { Ok(about) }
}

/// What a file begins with; nothing where it can't be read.
pub fn beginning(roots: &[String], path: &str, bytes: u64) -> Vec<u8> {
    let mut read = Vec::new();
    if let Ok(file) = found(roots, path)
        && regular(&file).is_ok()
    {
        // What could be read until then is a beginning too.
        let _ = file.take(bytes).read_to_end(&mut read);
    }
    read
}

/// What is in a file, if it is the one that is meant, as far as that is known.
///
/// # Errors
/// How it stands otherwise.
pub fn read(roots: &[String], path: &str, meant: &Meant<'_>) -> Result<Vec<u8>, Standing> {
    let mut bytes = Vec::new();
    each_piece(found(roots, path)?, &mut |piece| bytes.extend_from_slice(piece))?;
    // What was read is compared, and not what stood there a moment ago.
    let (size, hash) = (bytes.len() as u64, || hex(&Sha256::digest(&bytes)));
    match meant.stands(size, hash) {
        standing if standing.is_meant() => Ok(bytes),
        standing => Err(standing),
    }
}

/// Reads a regular file that is not too large, piece by piece.
fn each_piece(mut file: File, add: &mut dyn FnMut(&[u8])) -> Result<(), Standing> {
    regular(&file)?;
    let mut buffer = vec![0; 1 << 16];
    let mut left = BYTES_MAX;
    // No more than that, should it grow meanwhile.
    while left > 0 {
        match file.by_ref().take(left).read(&mut buffer).map_err(|_| Standing::Unreadable)? {
            0 => break,
            n => {
                add(&buffer[..n]);
                left -= n as u64;
            }
        }
    }
    Ok(())
}
