//! A case opened for reading: its row, its payload understood, its history as this reviewer may see it.

use rusqlite::Connection;

use super::gold;
use super::history::{HistoryLine, history};
use crate::db::case::CaseRow;
use crate::db::erasure::{self, ErasedRow};
use crate::db::label;
use crate::domain::hygiene::Fact;
use crate::domain::ids::CaseId;
use crate::domain::label::{GOLD_ROUND, GivenLabel, MAIN_ROUND};
use crate::domain::logline::LogLine;
use crate::domain::payload::{Neighbour, Payload};
use crate::domain::prediction::Prediction;
use crate::domain::resolve::CaseState;
use crate::journal::JournalError;
use crate::journal::blob::{self, Unpacker};

/// A log line with what was understood of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLog {
    pub file: String,
    /// Whether it is of the prediction's own trace.
    pub own: bool,
    pub line: LogLine,
}

/// Everything that is shown of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCase {
    pub row: CaseRow,
    /// None if the payload was erased, has not arrived, or is damaged; `trouble` says which.
    pub prediction: Option<Prediction>,
    pub trouble: Option<String>,
    pub logs: Vec<ReadLog>,
    pub neighbours: Vec<Neighbour>,
    /// What was found wrong with the input at ingest.
    pub facts: Vec<Fact>,
    pub history: Vec<HistoryLine>,
    /// This reviewer's own label that counts.
    pub mine: Option<GivenLabel>,
    /// The right answer is known, and this reviewer's only measures.
    pub gold: bool,
}

impl OpenCase {
    pub fn load(conn: &Connection, unpacker: &mut Unpacker, row: CaseRow, reviewer: &str) -> Result<Self, JournalError> {
        let event = erasure::payload_event(conn, row.id, row.event)?.unwrap_or(row.event);
        let (payload, trouble) = match blob::read(conn, unpacker, event) {
            Ok(json) => (serde_json::from_slice::<Payload>(&json).ok(), None),
            Err(error @ (JournalError::NoPayload(_) | JournalError::BadPayload(_))) => {
                let erased = erasure::of_case(conn, row.id)?;
                let erased = erased.into_iter().find(|row| row.instead.is_none());
                let words = |row: ErasedRow| format!("erased by {} on {}: {}", row.by, row.at.minute(), row.reason);
                (None, Some(erased.map_or_else(|| error.to_string(), words)))
            }
            Err(error) => return Err(error),
        };
        let live = label::live_of_case(conn, row.id)?;
        let mine = live.into_iter().rev().find(|given| given.label.reviewer == reviewer);
        let read =
            |log: crate::domain::payload::PayloadLog| ReadLog { file: log.file, own: log.own, line: LogLine::parse(&log.text) };
        let (prediction, logs, mut neighbours, facts) = match payload {
            Some(Payload { prediction, logs, neighbours, facts }) => {
                (Prediction::parse(prediction.get()).ok(), logs.into_iter().map(read).collect(), neighbours, facts)
            }
            None => (None, Vec::new(), Vec::new(), Vec::new()),
        };
        if erasure::any(conn)? {
            // A neighbour whose case was erased is not shown, even where its text is still in this payload.
            let mut kept = Vec::with_capacity(neighbours.len());
            for neighbour in neighbours {
                if !erasure::is_gone(conn, CaseId::of(&row.stream, &neighbour.id))? {
                    kept.push(neighbour);
                }
            }
            neighbours = kept;
        }
        let gold = row.state != CaseState::Open && mine.is_none() && gold::is_gold(conn, row.id)?;
        let mut row = row;
        if gold {
            // It looks like any other that waits: what it counts as would give the answer away.
            (row.state, row.outcome, row.labels) = (CaseState::Open, None, 0);
        }
        let history = history(conn, &row, reviewer)?;
        Ok(Self { row, prediction, trouble, logs, neighbours, facts, history, mine, gold })
    }

    /// The round that a label of this reviewer would be of.
    pub fn round(&self) -> &'static str {
        if self.gold { GOLD_ROUND } else { MAIN_ROUND }
    }

    /// How many log lines are of the prediction's own trace.
    pub fn own_logs(&self) -> usize {
        self.logs.iter().filter(|log| log.own).count()
    }
}
