//! Payloads in the fold: those of events that do not count, and those that come after their events.

use serde_json::value::RawValue;

use super::Fold;
use crate::db::{self, case, erasure, roster};
use crate::domain::ids::{CaseId, EventId};
use crate::journal::JournalError;
use crate::journal::entry::{Body, EventContext};
use crate::journal::kind::{CaseDetected, Event, Head, PayloadErased};

impl Fold<'_, '_> {
    /// An event that does not count has a payload all the same, which must not outlive an erasure.
    pub(super) fn held_detection(
        &mut self,
        stamp: &EventContext,
        raw: &RawValue,
    ) -> rusqlite::Result<()> {
        if let Some(case) = detected_case(raw.get())
            && self.views.forgets(case)?
        {
            db::payload::delete(self.views.tx, stamp.event)?;
        }
        Ok(())
    }

    /// Takes in a payload that came after the event which names it.
    pub fn payload_arrived(&mut self, event: EventId) -> Result<(), JournalError> {
        let Some(row) = db::journal::entry(self.views.tx, event.replica, event.seq)? else {
            return Ok(());
        };
        let body = Body::parse(&row.body);
        let raw = body
            .as_ref()
            .and_then(|body| body.events.get(event.n as usize))
            .map_or("", |raw| raw.get());
        let kind = serde_json::from_str::<Head<'_>>(raw).map(|head| head.kind).unwrap_or_default();
        if kind == PayloadErased::KIND {
            return match serde_json::from_str::<PayloadErased>(raw) {
                Ok(erased)
                    if erasure::of_case(self.views.tx, erased.case)?
                        .iter()
                        .any(|row| row.event == event) =>
                {
                    Ok(self.views.settle_erasure(erased.case)?)
                }
                _ => Ok(db::payload::delete(self.views.tx, event)?),
            };
        }
        let detected = (kind == CaseDetected::KIND)
            .then(|| serde_json::from_str::<CaseDetected>(raw).ok())
            .flatten();
        let Some(detected) = detected else {
            return Ok(db::payload::delete(self.views.tx, event)?);
        };
        let text = self.views.payload_text(detected.case, event, detected.payload)?;
        if let Some(row) = case::by_id(self.views.tx, detected.case)?
            .filter(|row| row.event == event && row.text != text)
        {
            self.views.change_text(&row, &text)?;
        }
        Ok(())
    }
}

fn detected_case(raw: &str) -> Option<CaseId> {
    let head: Head<'_> = serde_json::from_str(raw).ok()?;
    (head.kind == CaseDetected::KIND)
        .then(|| serde_json::from_str::<CaseDetected>(raw).ok())
        .flatten()
        .map(|event| event.case)
}

/// Detections that do not count, with their cases: their payloads are stored and shared like
/// others.
pub fn held_detections(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<(CaseId, EventId)>> {
    let mut found = Vec::new();
    let mut read: Option<Body> = None;
    for (event, _) in roster::held(conn)? {
        if read.as_ref().is_none_or(|body| (body.replica, body.seq) != (event.replica, event.seq)) {
            read = db::journal::entry(conn, event.replica, event.seq)?
                .and_then(|row| Body::parse(&row.body));
        }
        let raw = read.as_ref().and_then(|body| body.events.get(event.n as usize));
        found.extend(raw.and_then(|raw| detected_case(raw.get())).map(|case| (case, event)));
    }
    Ok(found)
}
