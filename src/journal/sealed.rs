//! Labels that nobody reads yet: encrypted to the key of a calibration session, whose secret half is
//! published when the session is revealed, and to the device of whoever gave them.
//!
//! How long a label is would tell what it says; so it is filled up with blanks.

use std::io::Write as _;

use age::x25519::Recipient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::agekey::{self, Secret};
use super::{DeviceKey, JournalError};
use crate::db::sealed::SealedRow;
use crate::db::to_json;
use crate::domain::label::{GivenLabel, Label};

/// Labels are filled up to a multiple of so many bytes.
const FILLED_TO: usize = 2_048;
/// Longer ones, as they are written, are none.
pub const SEALED_MAX: usize = 1 << 20;

/// A label, encrypted to a session's key and to this device: an age file, base64.
///
/// # Errors
/// The session's key is none.
pub fn seal(label: &Label, session: &str, device: &DeviceKey) -> Result<String, JournalError> {
    let failed = |error: &dyn std::fmt::Display| JournalError::Seal(error.to_string());
    let session: Recipient = session.parse().map_err(|error| failed(&error))?;
    let own = agekey::recipient_of(&device.public()).ok_or_else(|| failed(&"not a key"))?;
    let mut text = to_json(label);
    let blanks = text.len().next_multiple_of(FILLED_TO) - text.len();
    text.extend(std::iter::repeat_n(' ', blanks));
    let both: [&dyn age::Recipient; 2] = [&session, &own];
    let sealing = age::Encryptor::with_recipients(both.into_iter());
    let mut sealed = Vec::new();
    let sealing = sealing.map_err(|error| failed(&error))?;
    let mut writer = sealing.wrap_output(&mut sealed).map_err(|error| failed(&error))?;
    writer.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(STANDARD.encode(sealed))
}

/// The label that was sealed, by the secret half of a session's key; nothing if that does not open
/// it, or if it is another than it was said to be.
pub fn opened(row: &SealedRow, secret: &Secret) -> Option<GivenLabel> {
    given(row, &secret.decrypt(&STANDARD.decode(&row.sealed).ok()?)?)
}

/// The same by this device, where it was sealed on it.
pub fn opened_here(row: &SealedRow, device: &DeviceKey) -> Option<GivenLabel> {
    let own = agekey::identity_of(device)?;
    given(row, &age::decrypt(&own, &STANDARD.decode(&row.sealed).ok()?).ok()?)
}

fn given(row: &SealedRow, text: &[u8]) -> Option<GivenLabel> {
    let mut label: Label = serde_json::from_slice(text).ok()?;
    let said = (&label.reviewer, label.case, &label.round);
    if said != (&row.author, row.case, &row.round) {
        return None;
    }
    label.given_at = label.given_at.or(row.given_at);
    Some(GivenLabel { event: row.event, at: row.at, author: row.author.clone(), label })
}
