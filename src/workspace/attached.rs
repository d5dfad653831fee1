//! Files that a case points to, looked at where they stand: whether each is the one that was meant.

use std::sync::Arc;

use crate::domain::attachment::{Attachment, Standing, is_known_by_its_beginning, kind_of};
use crate::domain::modality::{named_attachments, parts};
use crate::domain::text::cut;
use crate::media::Unreadable;
use crate::media::file::{self, Hashes};
use crate::media::picture::Picture;
use crate::media::sound::{Sound, Strip};
use crate::review::OpenCase;

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
    /// It is a file, and was not there as it was meant, or is none that can be shown.
    pub unseen: bool,
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
        unseen: false,
        shown: Shown::Nothing,
    };
    let bytes = match content(attachment, roots) {
        Ok(bytes) => bytes,
        Err(why) => {
            looked.unseen = attachment.meant().is_some();
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
    let mut is_one = true;
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
                Err(error) => {
                    is_one = false;
                    looked.wrong.push(error.to_string());
                }
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
                Err(error) => {
                    is_one = false;
                    looked.wrong.push(error.to_string());
                }
            }
        }
        _ if bytes.is_empty() => {
            is_one = false;
            looked.wrong.push(Unreadable::Empty.to_string());
        }
        kind => match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => {
                if kind.is_none() && is_known_by_its_beginning(said) && attachment.meant().is_some()
                {
                    looked.wrong.push(format!("it says it is {said}, and it is none"));
                }
                looked.shown = Shown::Source(cut(text, TEXT_BYTES_MAX).into_owned());
            }
            _ if said.starts_with("image/") || said.starts_with("audio/") => {
                is_one = false;
                looked.wrong.push(Unreadable::Unknown.to_string());
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

/// The files that a case points to, each with its field and how it stands; where no folder is given,
/// none was looked up.
pub fn standings(case: &OpenCase, roots: &[String]) -> Vec<(String, Attachment)> {
    let Some(prediction) = &case.prediction else { return Vec::new() };
    let mut hashes = Hashes::default();
    hashes.begin();
    let look = |(field, mut attachment): (String, Attachment)| {
        attachment.as_it_was(&field, &case.files_then);
        let meant = attachment.meant()?;
        let found = (!roots.is_empty()).then(|| hashes.standing(roots, meant.path, &meant));
        if let Attachment::File { standing, .. } = &mut attachment {
            *standing = found;
        }
        Some((field, attachment))
    };
    named_attachments(&parts(&prediction.line, |_| true)).into_iter().filter_map(look).collect()
}
