//! Builds the payload of a case and the event that will name it.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::logindex::LogIndex;
use super::look::Seen;
use super::window::Matured;
use crate::domain::ids::CaseId;
use crate::domain::payload::{PayloadRef, Salt};
use crate::domain::prediction::{Prediction, Reject, check_whole, not_json};
use crate::journal::blob::{Dictionary, PAYLOAD_BYTES_MAX, Packed, Packer};
use crate::journal::fold::short_text;
use crate::journal::kind::CaseDetected;

/// A case ready to be admitted.
#[derive(Debug)]
pub struct Ready {
    /// Line of the input.
    pub line: u64,
    pub event: CaseDetected,
    pub packed: Packed,
    pub text: String,
    /// To tell a line sent again from one that says something else.
    pub seen: Arc<Seen>,
}

/// The payload's JSON, if the line is sound all through.
pub fn payload_json(matured: &Matured, logs: Option<&LogIndex>) -> Result<(Vec<u8>, String), Reject> {
    let seen = &matured.seen;
    let raw = seen.raw().trim();
    // The rules looked only at what they needed; a person will look at everything.
    check_whole(raw)?;
    let text = match seen.text() {
        "" => Prediction::parse(raw)?.text(),
        text => text.to_owned(),
    };
    let too_large = || Reject::NotJson("its context is too large".to_owned());
    let prediction = serde_json::from_str::<&RawValue>(raw).map_err(|error| not_json(&error))?;
    let logs = logs.and_then(|logs| logs.lines_for(seen.trace(), seen.at).ok()).unwrap_or_default();
    let payload = PayloadRef { prediction, logs: &logs, neighbours: &matured.neighbours };
    let json = serde_json::to_vec(&payload).map_err(|_| too_large())?;
    if json.len() > PAYLOAD_BYTES_MAX { Err(too_large()) } else { Ok((json, short_text(&text))) }
}

/// Compresses a payload and makes the event of its case.
pub fn ready(matured: &Matured, json: &[u8], text: String, packer: &mut Packer) -> Result<Ready, super::IntakeError> {
    let seen = &matured.seen;
    let salt: Salt = crate::chance::bytes().map_err(super::IntakeError::Random)?;
    let packed = packer.pack(json, salt)?;
    let event = CaseDetected {
        case: CaseId::of(seen.stream(), seen.id()),
        stream: seen.stream().to_owned(),
        id: seen.id().to_owned(),
        occurred_ms: seen.at,
        model: seen.model.to_string(),
        predicted: Some(seen.label().to_owned()).filter(|label| !label.is_empty()),
        confidence: seen.confidence,
        flags: seen.flags.clone().unwrap_or_default(),
        rank: rank(seen.margin, seen.confidence),
        payload: packed.hash,
        language: String::new(),
        needs: Vec::new(),
    };
    Ok(Ready { line: seen.number, event, packed, text, seen: Arc::clone(seen) })
}

/// What a label is worth: the less sure the model, the more. 0 is worth most.
fn rank(margin: Option<f64>, confidence: Option<f64>) -> u16 {
    let sure = margin.or(confidence).unwrap_or(0.0).clamp(0.0, 1.0);
    (sure * 1000.0).round() as u16
}

/// Learns a dictionary from the first payloads, if there are enough.
pub fn learn(samples: &[Vec<u8>]) -> Option<Dictionary> {
    Dictionary::learn(samples)
}
