//! What stands around a prediction when it is detected: the line itself, its logs, its neighbours.
//!
//! A payload is not part of any event: events name it by a salted hash, so it can be erased while
//! the chain that names it still verifies.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::attachment::FileThen;
use super::hygiene::Fact;
use super::ids::Hash;
use super::plugin::PluginFlag;
use super::time::Moment;

/// Everything a reviewer may look at for one case.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The prediction's line, byte for byte.
    pub prediction: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<PayloadLog>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// What was found wrong with the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// What plug-ins said of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<PluginFlag>,
    /// Files that it points to without a hash, as they were then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileThen>,
}

/// A [`Payload`] to be written, of parts that stand elsewhere.
#[derive(Debug, Serialize)]
pub struct PayloadRef<'p> {
    pub prediction: &'p RawValue,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub logs: &'p [PayloadLog],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub neighbours: &'p [Neighbour],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub facts: &'p [Fact],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub said: &'p [PluginFlag],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub files: &'p [FileThen],
}

/// A log line near the prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayloadLog {
    /// Name of the file it came from.
    pub file: String,
    /// Whether it belongs to the prediction's own trace; if not, it merely stands beside such a
    /// line.
    pub own: bool,
    /// Its time, where the line says no zone and it was said which it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    pub text: String,
}

/// A prediction before or after this one, in its stream or session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    pub id: String,
    pub at: Moment,
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    pub text: String,
    /// Whether it is of the same session.
    pub session: bool,
}

/// The bytes that make equal payloads unequal, so that a hash left after erasure tells nothing.
pub type Salt = [u8; 16];

/// The hash by which events name a payload: BLAKE3 of the salt and the payload's JSON.
pub fn payload_hash(salt: &Salt, json: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt);
    hasher.update(json);
    Hash(*hasher.finalize().as_bytes())
}
