//! Payloads in the fold: the text that is kept of each, and what becomes of those that are to be forgotten.

use serde_json::value::RawValue;

use super::{Fold, Stamp};
use crate::db::erasure::{self, ErasedRow};
use crate::db::{self, case, draft, roster};
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::payload::Payload;
use crate::domain::prediction::Prediction;
use crate::domain::text::head;
use crate::journal::JournalError;
use crate::journal::entry::Body;
use crate::journal::kind::{CaseDetected, Event, Head, PayloadErased};

impl Fold<'_, '_> {
    /// Forgets the payload of a case, here and for good.
    pub fn erase(&mut self, id: CaseId, reason: &str, instead: Option<Hash>, stamp: &Stamp) -> rusqlite::Result<()> {
        let (by, reason, at) = (stamp.author.clone(), reason.to_owned(), stamp.at.moment());
        self.any_erased = true;
        erasure::insert(self.tx, &ErasedRow { id, event: stamp.event, at, by, reason, instead })?;
        if instead.is_none() {
            draft::delete_all_of(self.tx, id)?;
        }
        self.settle_erasure(id)
    }

    /// An event that does not count has a payload all the same, which must not outlive an erasure.
    pub(super) fn held_detection(&mut self, stamp: &Stamp, raw: &RawValue) -> rusqlite::Result<()> {
        if let Some(case) = detected_case(raw.get())
            && self.forgets(case)?
        {
            db::payload::delete(self.tx, stamp.event)?;
        }
        Ok(())
    }

    /// Deletes what is to be forgotten of a case, and gives it the text of what is left.
    fn settle_erasure(&mut self, id: CaseId) -> rusqlite::Result<()> {
        let held = held_detections(self.tx)?.into_iter().filter(|(case, _)| *case == id).map(|(_, event)| event);
        for event in erasure::forgotten(self.tx, id)?.into_iter().chain(held) {
            db::payload::delete(self.tx, event)?;
        }
        let text = self.text_after_erasure(id)?;
        match case::by_id(self.tx, id)? {
            Some(row) if row.text != text => case::set_text(self.tx, &row, &text),
            _ => Ok(()),
        }
    }

    /// The text of the payload that took the place of an erased one, if there is one.
    fn text_after_erasure(&mut self, id: CaseId) -> rusqlite::Result<String> {
        let rows = erasure::of_case(self.tx, id)?;
        let latest = rows.last().filter(|_| rows.iter().all(|row| row.instead.is_some()));
        let Some((event, Some(named))) = latest.map(|row| (row.event, row.instead)) else { return Ok(String::new()) };
        self.stored_text(event, named)
    }

    /// Whether the payloads of a case are to be forgotten.
    fn forgets(&self, id: CaseId) -> rusqlite::Result<bool> {
        Ok(self.any_erased && erasure::is_erased(self.tx, id)?)
    }

    /// Takes note of a detection of a case besides the one that counts.
    pub fn detected_again(&mut self, id: CaseId, event: EventId) -> rusqlite::Result<()> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
        }
        erasure::insert_detection(self.tx, id, event)
    }

    /// Takes in a payload that came after the event which names it.
    pub fn payload_arrived(&mut self, event: EventId) -> Result<(), JournalError> {
        let Some(row) = db::journal::entry(self.tx, event.replica, event.seq)? else { return Ok(()) };
        let body = Body::parse(&row.body);
        let raw = body.as_ref().and_then(|body| body.events.get(event.n as usize)).map_or("", |raw| raw.get());
        let kind = serde_json::from_str::<Head<'_>>(raw).map(|head| head.kind).unwrap_or_default();
        if kind == PayloadErased::KIND {
            return match serde_json::from_str::<PayloadErased>(raw) {
                Ok(erased) if erasure::of_case(self.tx, erased.case)?.iter().any(|row| row.event == event) => {
                    Ok(self.settle_erasure(erased.case)?)
                }
                _ => Ok(db::payload::delete(self.tx, event)?),
            };
        }
        let detected = (kind == CaseDetected::KIND).then(|| serde_json::from_str::<CaseDetected>(raw).ok()).flatten();
        let Some(detected) = detected else { return Ok(db::payload::delete(self.tx, event)?) };
        let text = self.payload_text(detected.case, event, detected.payload)?;
        if let Some(row) = case::by_id(self.tx, detected.case)?.filter(|row| row.event == event && row.text != text) {
            case::set_text(self.tx, &row, &text)?;
        }
        Ok(())
    }

    /// The text of the input in the payload of `event`, for the queue and for search; empty if the
    /// payload is not there (it was erased, has not arrived, or was not the one named and is thrown away).
    pub fn payload_text(&mut self, id: CaseId, event: EventId, named: Hash) -> rusqlite::Result<String> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
            return self.text_after_erasure(id);
        }
        if let Some(text) = self.texts.remove(&event) {
            return Ok(text);
        }
        self.stored_text(event, named)
    }

    /// The text of a payload that stands here; empty if it does not, or was not the one named and is thrown away.
    fn stored_text(&mut self, event: EventId, named: Hash) -> rusqlite::Result<String> {
        let Some(row) = db::payload::get(self.tx, event)? else { return Ok(String::new()) };
        let json = if row.hash == named { self.unpacker.unpack(self.tx, &row) } else { Err(JournalError::BadPayload(event)) };
        match json {
            Ok(json) => Ok(text_of_payload(&json)),
            Err(JournalError::Sqlite(error)) => Err(error),
            Err(_) => {
                self.bad_payloads.push(event);
                db::payload::delete(self.tx, event)?;
                Ok(String::new())
            }
        }
    }
}

/// What the queue shows and search finds of a payload's JSON.
pub fn text_of_payload(json: &[u8]) -> String {
    let Ok(payload) = serde_json::from_slice::<Payload>(json) else { return String::new() };
    let text = Prediction::parse(payload.prediction.get()).map(|prediction| prediction.text()).unwrap_or_default();
    short_text(&text)
}

/// The part of an input's text that is kept for the queue and for search.
pub fn short_text(text: &str) -> String {
    head(text, case::TEXT_CHARS_MAX).to_owned()
}

fn detected_case(raw: &str) -> Option<CaseId> {
    let head: Head<'_> = serde_json::from_str(raw).ok()?;
    (head.kind == CaseDetected::KIND).then(|| serde_json::from_str::<CaseDetected>(raw).ok()).flatten().map(|event| event.case)
}

/// Detections that do not count, with their cases: their payloads are stored and shared like others.
pub fn held_detections(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<(CaseId, EventId)>> {
    let mut found = Vec::new();
    let mut read: Option<Body> = None;
    for (event, _) in roster::held(conn)? {
        if read.as_ref().is_none_or(|body| (body.replica, body.seq) != (event.replica, event.seq)) {
            read = db::journal::entry(conn, event.replica, event.seq)?.and_then(|row| Body::parse(&row.body));
        }
        let raw = read.as_ref().and_then(|body| body.events.get(event.n as usize));
        found.extend(raw.and_then(|raw| detected_case(raw.get())).map(|case| (case, event)));
    }
    Ok(found)
}
