//! Files that a case points to, looked at where they stand: whether each is the one that was meant.
//!
//! Only what lies under a folder of `[attachments] roots` is opened, and only regular files: a path
//! that leaves it, a link, a device or a FIFO is refused by the system before anything is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::domain::attachment::{Attachment, Standing};
use crate::domain::ids::hex;
use crate::domain::modality::attachments;
use crate::review::OpenCase;

/// Bytes of a file that are hashed at most.
const BYTES_MAX: u64 = 64 << 20;

/// How the files that a case points to stand, by path; nothing where no folder is given.
pub fn standings(case: &OpenCase, roots: &[String]) -> BTreeMap<String, Standing> {
    let Some(prediction) = case.prediction.as_ref().filter(|_| !roots.is_empty()) else {
        return BTreeMap::new();
    };
    let of = |attachment: Attachment| match attachment {
        Attachment::File { path, bytes, sha256, .. } => {
            let standing = standing(roots, &path, bytes.as_deref(), sha256.as_deref());
            Some((path, standing))
        }
        _ => None,
    };
    attachments(&prediction.line).into_iter().filter_map(of).collect()
}

fn standing(roots: &[String], path: &str, bytes: Option<&str>, sha256: Option<&str>) -> Standing {
    let relative = Path::new(path);
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.contains('\0') || path.is_empty() || !relative.components().all(inside) {
        return Standing::Outside;
    }
    let mut last = Standing::Missing;
    for root in roots {
        match open(Path::new(root), relative) {
            Ok(file) => return compare(file, bytes, sha256).unwrap_or(Standing::Unreadable),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(Errno::XDEV | Errno::LOOP) => last = Standing::Outside,
            Err(_) => last = Standing::Unreadable,
        }
    }
    last
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

fn compare(file: File, bytes: Option<&str>, sha256: Option<&str>) -> io::Result<Standing> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok(Standing::NoFile);
    }
    if bytes.is_some_and(|bytes| bytes != found.len().to_string()) {
        return Ok(Standing::AnotherSize(found.len()));
    }
    let Some(sha256) = sha256 else { return Ok(Standing::NoHash) };
    if found.len() > BYTES_MAX {
        return Ok(Standing::TooLarge);
    }
    let mut hasher = Sha256::new();
    // No more than was promised, should it grow meanwhile.
    let (mut file, mut buffer) = (file.take(BYTES_MAX), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    let same = hex(&hasher.finalize()).eq_ignore_ascii_case(sha256);
    Ok(if same { Standing::Found } else { Standing::AnotherHash })
}
