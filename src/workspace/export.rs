//! Labels on their way out, each row with the event it comes from.

use std::collections::BTreeSet;

use super::{WorkError, Workspace};
use crate::dataset::{CaseExport, ExportRow, LabelExport, Rows};
use crate::db::case::CaseRow;
use crate::db::{case, document, erasure, label};
use crate::domain::ids::EventId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, Outcome, that_count};
use crate::domain::payload::Payload;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::journal::kind::LabelsExported;
use crate::journal::{Append, blob};
use crate::review::Blind;

/// What an export came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    pub rows: u64,
    /// Rows that whoever exported may not see.
    pub left_out: usize,
}

impl Workspace {
    /// Whether an export by whoever is at work is of everything: they review nothing, so that
    /// nothing is kept from them.
    pub fn exports_everything(&self) -> Result<bool, WorkError> {
        Ok(self.blindness()? == Blind::Never)
    }

    /// Records that everything is exported, as a role that reviews nothing may.
    ///
    /// # Errors
    /// Nobody without such a role may.
    pub fn record_export(&mut self, rows: &str, format: &str) -> Result<(), WorkError> {
        let (rows, format) = (rows.to_owned(), format.to_owned());
        self.append(vec![Append::new(&LabelsExported { rows, format })]).map(drop)
    }

    /// Who exported everything, when, and what; the latest first.
    pub fn exports(&self) -> Result<Vec<(Moment, String, LabelsExported)>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "export")?.into_iter();
        let read = |row: document::DocumentRow| {
            let exported = serde_json::from_str(&row.body).ok()?;
            Some((row.at.moment(), row.author, exported))
        };
        Ok(rows.filter_map(read).collect())
    }

    /// Calls `each` with every row that whoever is at work may see: labels that count, or resolved
    /// cases, by case.
    pub fn export<E: From<WorkError>>(
        &mut self,
        rows: Rows,
        mut each: impl FnMut(&ExportRow) -> Result<(), E>,
    ) -> Result<Exported, E> {
        let ids = label::labeled_cases(&self.db.conn).map_err(WorkError::from)?;
        let mut sight = self.sight()?;
        let mut exported = Exported::default();
        for id in ids {
            let Some(row) = case::by_id(&self.db.conn, id).map_err(WorkError::from)? else {
                continue;
            };
            let all = label::live_of_case(&self.db.conn, id).map_err(WorkError::from)?;
            // What is hidden in a session is not given out, not even by its author.
            let hidden = |given: &GivenLabel| sight.hides_round(&given.label.round);
            let all: Vec<GivenLabel> = all.into_iter().filter(|given| !hidden(given)).collect();
            if rows == Rows::Cases && row.state != CaseState::Resolved || all.is_empty() {
                continue;
            }
            if rows == Rows::Cases
                && sight.is_blind_to(&self.db.conn, id).map_err(WorkError::from)?
            {
                exported.left_out += 1;
                continue;
            }
            let mut labels = Vec::with_capacity(all.len());
            for given in all {
                if sight.sees(&self.db.conn, &given).map_err(WorkError::from)? {
                    labels.push(given);
                } else {
                    exported.left_out += usize::from(rows == Rows::Labels);
                }
            }
            if labels.is_empty() {
                continue;
            }
            let text = self.whole_text(&row)?;
            let made: Vec<ExportRow> = match rows {
                Rows::Labels => {
                    let counting = counting(&labels);
                    let row = |given: &GivenLabel| {
                        label_row(&row, &text, given, counting.contains(&given.event))
                    };
                    labels.iter().map(row).collect()
                }
                Rows::Cases => vec![case_row(&row, &text, &labels)],
            };
            for row in &made {
                each(row)?;
                exported.rows += 1;
            }
        }
        Ok(exported)
    }

    /// The input's whole text: the queue's is cut short.
    fn whole_text(&mut self, row: &CaseRow) -> Result<String, WorkError> {
        let Some(event) = erasure::payload_event(&self.db.conn, row.id, row.event)? else {
            return Ok(String::new());
        };
        let Ok(json) = blob::read(&self.db.conn, &mut self.unpacker, event) else {
            return Ok(String::new());
        };
        let payload = serde_json::from_slice::<Payload>(&json).ok();
        let prediction =
            payload.and_then(|payload| Prediction::parse(payload.prediction.get()).ok());
        Ok(prediction.map(|prediction| prediction.text()).unwrap_or_default())
    }
}

fn training_label(outcome: &Outcome) -> Option<String> {
    outcome.get("label").and_then(|value| value.as_str()).map(str::to_owned)
}

/// Which labels of a case count.
fn counting(labels: &[GivenLabel]) -> BTreeSet<EventId> {
    that_count(labels).into_iter().map(|given| given.event).collect()
}

fn label_row(row: &CaseRow, text: &str, given: &GivenLabel, counts: bool) -> ExportRow {
    let label = given.label.clone();
    ExportRow::Label(Box::new(LabelExport {
        case: row.id,
        id: row.external_id.clone(),
        stream: row.stream.clone(),
        occurred_at: row.occurred_at.rfc3339(),
        text: text.to_owned(),
        predicted: row.predicted.clone(),
        protocol: label.protocol.id,
        version: label.protocol.version,
        protocol_hash: label.protocol.hash,
        path: label.path,
        label: training_label(&label.outcome),
        outcome: label.outcome,
        author: given.author.clone(),
        reviewer: label.reviewer,
        round: label.round,
        checked: label.checked,
        confidence: label.confidence,
        tags: label.tags,
        rationale: label.rationale,
        evidence: label.evidence,
        cites: label.cites,
        seen: label.seen,
        at: given.given_at().rfc3339(),
        duration_ms: label.duration_ms,
        event: given.event,
        counts,
        state: row.state.as_str().to_owned(),
    }))
}

fn case_row(row: &CaseRow, text: &str, labels: &[GivenLabel]) -> ExportRow {
    let counting = counting(labels);
    let counts = |given: &&GivenLabel| counting.contains(&given.event);
    // In the order given.
    let main: Vec<&GivenLabel> =
        labels.iter().filter(counts).filter(|given| given.label.round == MAIN_ROUND).collect();
    let outcome = row.outcome.clone().unwrap_or_default();
    let mut protocols: Vec<String> = main
        .iter()
        .map(|given| format!("{} v{}", given.label.protocol.id, given.label.protocol.version))
        .collect();
    protocols.dedup();
    ExportRow::Case(Box::new(CaseExport {
        case: row.id,
        id: row.external_id.clone(),
        stream: row.stream.clone(),
        occurred_at: row.occurred_at.rfc3339(),
        text: text.to_owned(),
        predicted: row.predicted.clone(),
        label: training_label(&outcome),
        outcome,
        reviewers: main.iter().map(|given| given.label.reviewer.clone()).collect(),
        authors: main.iter().map(|given| given.author.clone()).collect(),
        protocols,
        rationales: main
            .iter()
            .map(|given| given.label.rationale.clone())
            .filter(|why| !why.is_empty())
            .collect(),
        events: main.iter().map(|given| given.event).collect(),
    }))
}
