//! Settled labels that the model's own probabilities make doubtful, as a worklist.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::sight::Sight;
use crate::db::case::{self, CaseRow};
use crate::db::{document, erasure};
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, value_text};
use crate::domain::payload::Payload;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::CaseState;
use crate::domain::training::Gold;
use crate::journal::blob::{self, Unpacker};
use crate::quality::suspects::{Found, Judged, find};

/// A case whose label is doubtful.
#[derive(Debug, Clone)]
pub struct DoubtfulCase {
    pub row: CaseRow,
    pub given: String,
    pub suggested: String,
    pub self_confidence: f64,
    pub by_noise_rate: bool,
    pub by_confident_joint: bool,
}

/// A case, its label, and what the model gives each class.
type LabelAndModel = (CaseRow, String, Vec<(String, f64)>);

/// Which labels are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// What cases are settled as.
    Settled,
    /// Gold items: known answers can be wrong too.
    Gold,
}

/// Doubtful labels, the most doubtful first; with how many were looked at, and how many whoever
/// looks may not see.
pub fn suspects(
    conn: &Connection,
    sight: &mut Sight,
    which: Labels,
) -> rusqlite::Result<(Vec<DoubtfulCase>, u64, u64)> {
    let mut unpacker = Unpacker::default();
    let mut left_out = 0;
    let mut said: Vec<LabelAndModel> = Vec::new();
    for (id, outcome) in labels(conn, which)? {
        let Some(row) = case::by_id(conn, id)? else { continue };
        if sight.is_blind_to(conn, id)? {
            left_out += 1;
            continue;
        }
        let Some(label) = label_of(&outcome, row.predicted.as_deref()) else { continue };
        let event = erasure::payload_event(conn, id, row.event)?.unwrap_or(row.event);
        let Ok(json) = blob::read(conn, &mut unpacker, event) else { continue };
        let payload = serde_json::from_slice::<Payload>(&json).ok();
        let Some(prediction) =
            payload.and_then(|payload| Prediction::parse(payload.prediction.get()).ok())
        else {
            continue;
        };
        let scored = prediction.top_k.into_iter();
        let mut p: Vec<(String, f64)> = scored.map(|said| (said.name, said.number)).collect();
        if p.is_empty()
            && let (Some(label), Some(confidence)) = (prediction.label, prediction.confidence)
        {
            p.push((label, confidence));
        }
        if !p.is_empty() {
            said.push((row, label, p));
        }
    }
    let names: BTreeSet<&str> = said
        .iter()
        .flat_map(|(_, label, p)| p.iter().map(|(name, _)| name.as_str()).chain([label.as_str()]))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let place = |name: &str| names.binary_search(&name).unwrap_or(0);
    let judged: Vec<Judged> = said
        .iter()
        .map(|(_, label, p)| {
            let mut all = vec![0.0; names.len()];
            p.iter().for_each(|(name, p)| all[place(name)] = *p);
            Judged { given: place(label), p: all }
        })
        .collect();
    let Found { suspects, .. } = find(&judged, names.len());
    let doubtful = suspects
        .into_iter()
        .map(|suspect| DoubtfulCase {
            row: said[suspect.row].0.clone(),
            given: said[suspect.row].1.clone(),
            suggested: names[suspect.suggested].to_owned(),
            self_confidence: suspect.self_confidence,
            by_noise_rate: suspect.by_noise_rate,
            by_confident_joint: suspect.by_confident_joint,
        })
        .collect();
    Ok((doubtful, said.len() as u64, left_out))
}

fn labels(conn: &Connection, which: Labels) -> rusqlite::Result<Vec<(CaseId, Outcome)>> {
    if which == Labels::Gold {
        let gold = document::of_kind(conn, "gold")?.into_iter();
        let gold = gold.filter_map(|row| serde_json::from_str::<Gold>(&row.body).ok());
        let mut seen = BTreeSet::new();
        // The latest first: earlier answers to a case count no more.
        return Ok(gold
            .filter(|gold| seen.insert(gold.case))
            .map(|gold| (gold.case, gold.outcome))
            .collect());
    }
    let mut found = Vec::new();
    let keep = |row: &CaseRow| {
        found.extend(row.outcome.clone().map(|outcome| (row.id, outcome)));
        false
    };
    case::scan(conn, CaseState::Resolved, 1, keep, || false)?;
    Ok(found)
}

/// The label that an outcome gives: its own, or the prediction where that is said to be right.
fn label_of(outcome: &Outcome, predicted: Option<&str>) -> Option<String> {
    let own = ["corrected_label", "label"].iter().find_map(|field| outcome.get(*field));
    match own {
        Some(label) => Some(value_text(label)),
        None => {
            let wrong = crate::domain::traps::model_was_wrong(outcome, predicted)?;
            predicted.filter(|_| !wrong).map(str::to_owned)
        }
    }
}
