//! The journal: an append-only, hash-chained, signed log of events, and the fold that computes
//! everything else from it (DESIGN §2, §5).
//!
//! An [`entry`] is one commit by one replica, signed as OpenSSH signs files ([`sshsig`]) with the
//! device's [`key`]. [`chain`] appends our own entries and links in those of others. The [`fold`]
//! takes entries into the [`views`], in any order across replicas; [`kind`] has one file for each
//! kind of event. [`blob`] keeps payloads beside the journal, [`verify`] reads it all again and
//! names what is wrong, [`digest`] tells whether two replicas hold the same. [`secret`] is what
//! devices of the roster know and others don't, [`sealed`] what nobody reads yet, [`agekey`] with what both are
//! encrypted. [`check`] says what makes an entry good.
//! [`identity`] says as whom this device writes, [`device`] gives it another key.

pub mod sshsig;
pub mod key;
pub mod entry;
pub mod blob;
pub mod views;
pub mod kind;
pub mod fold;
pub mod check;
pub mod identity;
pub mod chain;
pub mod verify;
pub mod views_check;
pub mod skew;
pub mod digest;
pub mod agekey;
pub mod sealed;
pub mod secret;
pub mod device;

pub use chain::{Append, Delivered, Writer};
pub use key::DeviceKey;

use crate::db::DbError;
use crate::domain::advice::Advice;
use crate::domain::ids::EventId;
use crate::domain::text::visible;

/// What can go wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the device key {0}: {1}")]
    Key(String, std::io::Error),
    #[error("the device key {0} is not a casework key")]
    KeyFormat(String),
    #[error("{author} may not do this: {reason}")]
    NotAllowed { author: String, reason: String, retired: bool },
    #[error("the payload of {0} is not there: it was erased, or has not come yet")]
    NoPayload(EventId),
    #[error("the payload of {0} is damaged")]
    BadPayload(EventId),
    #[error("compression: {0}")]
    Zstd(std::io::Error),
    #[error("encryption: {0}")]
    Seal(String),
    #[error("this device signs with another key by now")]
    StaleKey,
    #[error("this workspace is a copy: it needs a key of its own")]
    Copy,
    #[error("the database has no workspace in it")]
    NoWorkspace,
}

impl Advice for JournalError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Db(error) => error.next_step(),
            Self::NotAllowed { retired: true, .. } => Some(
                "Who was retired comes back by joining again: casework join URL --as NAME --workspace DIR."
                    .to_owned(),
            ),
            Self::NotAllowed { author, .. } => Some(format!(
                "A lead can let them: `casework roster admit {} --role ROLE`.",
                visible(author)
            )),
            _ => None,
        }
    }

    fn at_work(&self) -> Option<&'static str> {
        matches!(self, Self::NotAllowed { retired: false, .. })
            .then_some("{people} lists names; a lead admits them there.")
    }
}
