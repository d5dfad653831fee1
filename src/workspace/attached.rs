//! Files that a case points to, looked at where they stand: whether each is the one that was meant.
//!
//! Only what lies under a folder of `[attachments] roots` is opened, and only regular files: a path
//! that leaves it, a link, a device or a FIFO is refused by the system before anything is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::domain::attachment::{Attachment, Standing, kind_of};
use crate::domain::ids::hex;
use crate::domain::modality::attachments;
use crate::domain::text::cut;
use crate::media::Unreadable;
use crate::media::picture::Picture;
use crate::media::sound::{Sound, Strip};
use crate::review::OpenCase;

/// Bytes of a file that are hashed at most.
const BYTES_MAX: u64 = 64 << 20;

/// Columns and rows of what is drawn of a sound.
const STRIP: (usize, usize) = (72, 10);
/// Bytes of a text that are shown.
const TEXT_BYTES_MAX: usize = 200_000;

/// An attachment that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedAt {
    /// The field that it stands in.
    pub name: String,
    /// What is to be known of it.
    pub facts: Vec<String>,
    /// What is wrong with it.
    pub wrong: Vec<String>,
    pub shown: Shown,
}

/// What there is to be seen of an attachment.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    Picture(Arc<Picture>),
    Sound(Strip),
    /// The source of something that is text: it is never run or drawn.
    Source(String),
    Nothing,
}

/// Reads an attachment and says what it is; its bytes decide, and not what the line says.
pub fn look_at(name: &str, attachment: &Attachment, roots: &[String]) -> LookedAt {
    let (facts, wrong) = attachment.facts();
    let mut looked = LookedAt {
        name: name.to_owned(),
        facts: vec![facts],
        wrong: wrong.into_iter().collect(),
        shown: Shown::Nothing,
    };
    let bytes = match content(attachment, roots) {
        Ok(bytes) => bytes,
        Err(why) => {
            if !looked.wrong.contains(&why) {
                looked.wrong.push(why);
            }
            return looked;
        }
    };
    let said = attachment.media_type();
    let mut differs = |kind: &str| {
        // Of data in the line that was said already.
        let told = matches!(attachment, Attachment::Data { .. });
        if !said.is_empty() && said != kind && !told {
            looked.wrong.push(format!("it says it is {said}, and it is {kind}"));
        }
    };
    match kind_of(&bytes) {
        Some(kind @ ("image/png" | "image/jpeg" | "image/gif")) => {
            differs(kind);
            match Picture::read(&bytes) {
                Ok(picture) => {
                    let moving = match picture.frames {
                        0 | 1 => String::new(),
                        n => format!(", the first of {n} frames"),
                    };
                    let (width, height) = (picture.width, picture.height);
                    looked.facts.push(format!("{kind}, {width} × {height} points{moving}"));
                    looked.shown = Shown::Picture(Arc::new(picture));
                }
                Err(error) => looked.wrong.push(error.to_string()),
            }
        }
        Some(kind @ "audio/wav") => {
            differs(kind);
            match Sound::read(&bytes) {
                Ok(sound) => {
                    let (facts, wrong) = sound.facts();
                    looked.facts.push(facts);
                    looked.wrong.extend(wrong);
                    looked.shown = Shown::Sound(sound.strip(STRIP.0, STRIP.1));
                }
                Err(error) => looked.wrong.push(error.to_string()),
            }
        }
        _ if bytes.is_empty() => looked.wrong.push(Unreadable::Empty.to_string()),
        _ => match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => {
                looked.shown = Shown::Source(cut(text, TEXT_BYTES_MAX).into_owned());
            }
            _ if said.starts_with("image/") || said.starts_with("audio/") => {
                looked.wrong.push(Unreadable::Unknown.to_string());
            }
            _ => {}
        },
    }
    looked
}

/// The bytes of an attachment: of a file only if it is the one that was meant, as far as the line
/// tells.
///
/// # Errors
/// Why they are not to be had, in words.
pub fn content(attachment: &Attachment, roots: &[String]) -> Result<Vec<u8>, String> {
    let refused = |standing: Standing| {
        standing.words().1.unwrap_or_else(|| "it can't be read here".to_owned())
    };
    match attachment {
        Attachment::Data { content, .. } => Ok(content.to_vec()),
        Attachment::Url { .. } => Err("an address is not fetched".to_owned()),
        Attachment::File { .. } if roots.is_empty() => {
            Err("no folder is named in which to look it up ([attachments] roots)".to_owned())
        }
        Attachment::File { path, bytes, sha256, .. } => {
            let file = found(roots, path).map_err(refused)?;
            let failed = |_| refused(Standing::Unreadable);
            let size = file.metadata().map_err(failed)?;
            if !size.is_file() {
                return Err(refused(Standing::NoFile));
            }
            if size.len() > BYTES_MAX {
                return Err(refused(Standing::TooLarge));
            }
            let mut read = Vec::with_capacity(size.len() as usize);
            file.take(BYTES_MAX).read_to_end(&mut read).map_err(failed)?;
            // What was read is compared, and not what stood there a moment ago.
            if bytes.as_ref().is_some_and(|bytes| *bytes != read.len().to_string()) {
                return Err(refused(Standing::AnotherSize(read.len() as u64)));
            }
            let hash = hex(&Sha256::digest(&read));
            if sha256.as_ref().is_some_and(|meant| !meant.eq_ignore_ascii_case(&hash)) {
                return Err(refused(Standing::AnotherHash));
            }
            Ok(read)
        }
    }
}

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
    match found(roots, path) {
        Ok(file) => compare(file, bytes, sha256).unwrap_or(Standing::Unreadable),
        Err(standing) => standing,
    }
}

/// The file of that path, in the first folder that has it.
fn found(roots: &[String], path: &str) -> Result<File, Standing> {
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
