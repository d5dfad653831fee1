//! Payloads in the views: the text that is kept of each, and what becomes of those that are to be
//! forgotten.

use super::{EventContext, Views};
use crate::db::erasure::{self, ErasedRow};
use crate::db::{self, case, draft};
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::modality::glance;
use crate::domain::payload::Payload;
use crate::domain::policy::Copies;
use crate::domain::text::head;
use crate::journal::JournalError;

impl Views<'_, '_> {
    /// Forgets the payload of a case, here and for good.
    pub fn erase(
        &mut self,
        id: CaseId,
        reason: &str,
        instead: Option<Hash>,
        stamp: &EventContext,
    ) -> rusqlite::Result<()> {
        let (by, reason, at) = (stamp.author.clone(), reason.to_owned(), stamp.at.moment());
        self.any_erased = true;
        erasure::insert(self.tx, &ErasedRow { id, event: stamp.event, at, by, reason, instead })?;
        if instead.is_none() {
            draft::delete_all_of(self.tx, id)?;
        }
        self.settle_erasure(id)
    }

    /// Deletes what is to be forgotten of a case, and gives it the text of what is left.
    pub(in crate::journal) fn settle_erasure(&mut self, id: CaseId) -> rusqlite::Result<()> {
        let held = (self.held_detections)(self.tx)?
            .into_iter()
            .filter(|(case, _)| *case == id)
            .map(|(_, event)| event);
        for event in erasure::forgotten(self.tx, id)?.into_iter().chain(held) {
            db::payload::delete(self.tx, event)?;
        }
        let text = self.text_after_erasure(id)?;
        match case::by_id(self.tx, id)? {
            Some(row) if row.text != text => self.change_text(&row, &text),
            _ => Ok(()),
        }
    }

    /// Gives a case another text; it has other copies then.
    pub(in crate::journal) fn change_text(
        &mut self,
        row: &case::CaseRow,
        text: &str,
    ) -> rusqlite::Result<()> {
        let pooled = self.policy.copies == Copies::Pooled;
        if !pooled {
            return case::set_text(self.tx, row, text, pooled);
        }
        self.change_case(row.id, |views| case::set_text(views.tx, row, text, pooled))
    }

    /// The text of the payload that took the place of an erased one, if there is one.
    fn text_after_erasure(&mut self, id: CaseId) -> rusqlite::Result<String> {
        let rows = erasure::of_case(self.tx, id)?;
        let latest = rows.last().filter(|_| rows.iter().all(|row| row.instead.is_some()));
        let Some((event, Some(named))) = latest.map(|row| (row.event, row.instead)) else {
            return Ok(String::new());
        };
        self.stored_text(event, named)
    }

    /// Whether the payloads of a case are to be forgotten.
    pub(in crate::journal) fn forgets(&self, id: CaseId) -> rusqlite::Result<bool> {
        Ok(self.any_erased && erasure::is_erased(self.tx, id)?)
    }

    /// Deletes what lies beside an event about a case whose input was erased for good.
    pub fn forget_if_gone(&mut self, id: CaseId, event: EventId) -> rusqlite::Result<()> {
        if self.any_erased && erasure::is_gone(self.tx, id)? {
            db::payload::delete(self.tx, event)?;
        }
        Ok(())
    }

    /// Takes note of a detection of a case besides the one that counts.
    pub fn detected_again(&mut self, id: CaseId, event: EventId) -> rusqlite::Result<()> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
        }
        erasure::insert_detection(self.tx, id, event)
    }

    /// The text of the input in the payload of `event`, for the queue and for search; empty if the
    /// payload is not there (it was erased, has not arrived, or was not the one named and is thrown
    /// away).
    pub fn payload_text(
        &mut self,
        id: CaseId,
        event: EventId,
        named: Hash,
    ) -> rusqlite::Result<String> {
        if self.forgets(id)? {
            db::payload::delete(self.tx, event)?;
            return self.text_after_erasure(id);
        }
        if let Some(text) = self.texts.remove(&event) {
            return Ok(text);
        }
        self.stored_text(event, named)
    }

    /// The text of a payload that stands here; empty if it does not, or was not the one named and
    /// is thrown away.
    fn stored_text(&mut self, event: EventId, named: Hash) -> rusqlite::Result<String> {
        let Some(row) = db::payload::get(self.tx, event)? else { return Ok(String::new()) };
        let json = if row.hash == named {
            self.unpacker.unpack(self.tx, &row)
        } else {
            Err(JournalError::BadPayload(event))
        };
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
    let text =
        serde_json::from_str(payload.prediction.get()).map_or(String::new(), |line| glance(&line));
    short_text(&text)
}

/// The part of an input's text that is kept for the queue and for search.
pub fn short_text(text: &str) -> String {
    head(text, case::TEXT_CHARS_MAX).to_owned()
}
