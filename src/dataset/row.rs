//! What an exported row holds: enough to trace it to the event that made it.

use serde::Serialize;

use crate::domain::cues::Seen;
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::label::{Outcome, Step};
use crate::domain::protocol::Span;

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One row a label.
    Labels,
    /// One row a resolved case.
    Cases,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ExportRow {
    Label(Box<LabelExport>),
    Case(Box<CaseExport>),
}

/// One label with all that says where it came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelExport {
    pub case: CaseId,
    /// The stream's own id.
    pub id: String,
    pub stream: String,
    pub occurred_at: String,
    pub text: String,
    pub predicted: Option<String>,
    pub reviewer: String,
    /// Whose key signed it: somebody else's than the reviewer's where it was imported.
    pub author: String,
    pub round: String,
    pub protocol: String,
    pub version: u32,
    pub protocol_hash: Hash,
    pub path: Vec<Step>,
    pub outcome: Outcome,
    /// The outcome's `label`: what to train on, if anything.
    pub label: Option<String>,
    pub checked: Vec<String>,
    pub confidence: Option<u8>,
    pub tags: Vec<String>,
    pub rationale: String,
    /// Places in the text that bear it out, as characters from and up to.
    pub evidence: Vec<Span>,
    /// Earlier cases that it refers to.
    pub cites: Vec<CaseId>,
    /// What was on the screen before the first answer and before the label; none where that is not
    /// known.
    pub seen: Option<Seen>,
    pub at: String,
    pub duration_ms: Option<u64>,
    /// The event that gave it.
    pub event: EventId,
    /// Whether it is its reviewer's latest of its round on the case: an earlier one was replaced.
    pub counts: bool,
    /// Where the case stands now.
    pub state: String,
}

/// One resolved case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseExport {
    pub case: CaseId,
    pub id: String,
    pub stream: String,
    pub occurred_at: String,
    pub text: String,
    pub predicted: Option<String>,
    pub outcome: Outcome,
    pub label: Option<String>,
    pub reviewers: Vec<String>,
    /// Whose key signed each of their labels.
    pub authors: Vec<String>,
    pub protocols: Vec<String>,
    pub rationales: Vec<String>,
    /// The events that its outcome rests on.
    pub events: Vec<EventId>,
}

impl ExportRow {
    /// The row as names and plain texts, in a fixed order: for formats with columns.
    pub fn columns(&self) -> Vec<(String, String)> {
        let json = serde_json::to_value(self).unwrap_or_default();
        let object = json.as_object().cloned().unwrap_or_default();
        let text = |value: serde_json::Value| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        object.into_iter().map(|(name, value)| (name, text(value))).collect()
    }
}
