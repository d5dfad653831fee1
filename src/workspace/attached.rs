//! Files that a case points to, looked at where they stand: whether each is the one that was meant.

use std::sync::Arc;

use crate::domain::attachment::{
    Attachment, Standing, acts, is_known_by_its_beginning, is_same_kind, is_whole, kind_of,
};
use crate::domain::modality::{named_attachments, parts};
use crate::domain::text::cut;
use crate::media::Unreadable;
use crate::media::file::{self, Hashes};
use crate::media::picture::{Picture, size_of, too_large};
use crate::media::sound::{Sound, Strip};
use crate::review::OpenCase;

/// Columns and rows of what is drawn of a sound.
const STRIP: (usize, usize) = (72, 10);
/// Bytes of a file that are looked at to tell what it is, and files of a case of which they are.
const BEGINNING_BYTES: u64 = 1 << 20;
const LOOKED_AT_MAX: usize = 200;
/// Points of pictures of a case that are read to tell whether they can be: a tenth of a second.
const POINTS_MAX: u64 = 4_000_000;
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
    /// It is a file, and was not there as it was meant, or is none that can be shown.
    pub unseen: bool,
    pub shown: Shown,
}

impl LookedAt {
    /// Adds what is wrong, unless it was told already.
    fn tell(&mut self, wrong: Option<String>) {
        let told = |wrong: &String| self.wrong.iter().any(|told| told.contains(wrong.as_str()));
        let wrong = wrong.filter(|wrong| !told(wrong));
        self.wrong.extend(wrong);
    }
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
        unseen: false,
        shown: Shown::Nothing,
    };
    let bytes = match content(attachment, roots) {
        Ok(bytes) => bytes,
        Err(why) => {
            looked.unseen = attachment.meant().is_some();
            looked.tell(Some(why));
            return looked;
        }
    };
    let said = attachment.media_type();
    let odd = odd_at_first(said, &bytes);
    looked.tell(odd);
    let mut is_one = true;
    match kind_of(&bytes) {
        Some(kind @ ("image/png" | "image/jpeg" | "image/gif")) => match Picture::read(&bytes) {
            Ok(picture) => {
                let moving = match picture.frames {
                    0 | 1 => String::new(),
                    n => format!(", the first of {n} frames"),
                };
                let (width, height) = (picture.width, picture.height);
                looked.facts.push(format!("{kind}, {width} × {height} points{moving}"));
                looked.shown = Shown::Picture(Arc::new(picture));
            }
            Err(error) => {
                is_one = false;
                looked.tell(Some(error.to_string()));
            }
        },
        Some("audio/wav") => match Sound::read(&bytes) {
            Ok(sound) => {
                let (facts, wrong) = sound.facts();
                looked.facts.push(facts);
                looked.tell(wrong);
                looked.shown = Shown::Sound(sound.strip(STRIP.0, STRIP.1));
            }
            Err(error) => {
                is_one = false;
                looked.tell(Some(error.to_string()));
            }
        },
        _ if bytes.is_empty() => is_one = false,
        _ => match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => {
                looked.shown = Shown::Source(cut(text, TEXT_BYTES_MAX).into_owned());
            }
            _ if said.starts_with("image/") || said.starts_with("audio/") => {
                is_one = false;
                looked.tell(Some(Unreadable::Unknown.to_string()));
            }
            _ => {}
        },
    }
    looked.unseen = !is_one && attachment.meant().is_some();
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
        Attachment::File { path, .. } => {
            let meant = attachment.meant().unwrap_or_default();
            file::read(roots, path, &meant).map_err(refused)
        }
    }
}

/// What the beginning of an attachment tells to be wrong with it: it is of another type than the line
/// says, or a picture that is too large.
fn odd_at_first(said: &str, beginning: &[u8]) -> Option<String> {
    if beginning.is_empty() {
        return Some(Unreadable::Empty.to_string());
    }
    let other = match kind_of(beginning) {
        Some(kind) => (!said.is_empty() && !is_same_kind(kind, said)).then_some(kind),
        None => is_known_by_its_beginning(said).then_some("none"),
    };
    let other = other.map(|kind| format!("it says it is {said}, and it is {kind}"));
    let other =
        other.or_else(|| acts(said).then(|| "it can act: it is never run or drawn".to_owned()));
    other
        .into_iter()
        .chain(too_large(beginning).map(|error| error.to_string()))
        .reduce(|one, two| format!("{one}; {two}"))
}

/// What is wrong with an attachment of which all is there: pictures are read as far as `points` go, all
/// of a case together.
fn odd_in_whole(bytes: &[u8], points: &mut u64) -> Option<String> {
    match kind_of(bytes)? {
        "audio/wav" => match Sound::read(bytes) {
            Ok(sound) => sound.facts().1,
            Err(error) => Some(error.to_string()),
        },
        kind if !is_whole(kind, bytes) => Some("it ends in the middle".to_owned()),
        "image/png" | "image/jpeg" | "image/gif" => {
            let (width, height) = size_of(bytes)?;
            *points = points.checked_sub(u64::from(width) * u64::from(height))?;
            Picture::read(bytes).err().map(|error| error.to_string())
        }
        _ => None,
    }
}

/// The attachments of a case, each with its field: how those stand that are files, and what is wrong
/// with what they begin with. Where no folder is given, no file was looked up.
pub fn known(case: &OpenCase, roots: &[String]) -> Vec<(String, Attachment)> {
    let Some(prediction) = &case.prediction else { return Vec::new() };
    let mut hashes = Hashes::default();
    hashes.begin();
    let (mut looked, mut points) = (0, POINTS_MAX);
    let look = |(field, mut attachment): (String, Attachment)| {
        attachment.as_it_was(&field, &case.files_then);
        let said = attachment.media_type().to_owned();
        let found = attachment.meant().filter(|_| !roots.is_empty()).map(|meant| {
            let standing = hashes.standing(roots, meant.path, &meant);
            let is_looked_at = standing.is_meant() && looked < LOOKED_AT_MAX;
            looked += usize::from(is_looked_at);
            let odd = is_looked_at.then(|| {
                let read = file::beginning(roots, meant.path, BEGINNING_BYTES);
                let all = (read.len() as u64) < BEGINNING_BYTES;
                let whole = || all.then(|| odd_in_whole(&read, &mut points)).flatten();
                odd_at_first(&said, &read).or_else(whole)
            });
            (standing, odd.flatten())
        });
        match (&mut attachment, found) {
            (Attachment::File { standing, odd, .. }, Some((stands, told))) => {
                (*standing, *odd) = (Some(stands), told);
            }
            // What else its beginning tells is known from the line alone.
            (Attachment::Data { content, odd, .. }, _) => {
                let large = too_large(content).map(|error| error.to_string());
                *odd = Some(large.or_else(|| odd_in_whole(content, &mut points))?);
            }
            (Attachment::Url { .. }, _) => return None,
            _ => {}
        }
        Some((field, attachment))
    };
    named_attachments(&parts(&prediction.line, |_| true)).into_iter().filter_map(look).collect()
}
