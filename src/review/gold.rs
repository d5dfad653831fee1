//! Cases whose right answer is known, and who has shown that they know it too.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::db::{case, document, label};
use crate::domain::ids::CaseId;
use crate::domain::label::GOLD_ROUND;
use crate::domain::resolve::CaseState;
use crate::domain::training::Gold;
use crate::journal::kind::{GoldSet, TrainingFinished};

/// Most cases of known answers that are looked through for one to mix in.
const LOOKED_AT_MAX: usize = 2_000;

/// Every right answer that counts.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<Gold>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    // The latest first: it alone counts.
    for row in document::of_kind(conn, "gold")? {
        if seen.insert(row.name.clone())
            && let Ok(GoldSet { gold, dropped: false }) = serde_json::from_str(&row.body)
        {
            found.push(gold);
        }
    }
    Ok(found)
}

/// The right answer to one case.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<Gold>> {
    let row = document::latest_named(conn, "gold", &id.to_string())?;
    let set = row.and_then(|row| serde_json::from_str::<GoldSet>(&row.body).ok());
    Ok(set.filter(|set| !set.dropped).map(|set| set.gold))
}

pub fn is_gold(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    Ok(of_case(conn, id)?.is_some())
}

/// Every training that was gone through, the latest first.
pub fn trainings(conn: &Connection) -> rusqlite::Result<Vec<TrainingFinished>> {
    let rows = document::of_kind(conn, "training")?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(&row.body).ok()).collect())
}

/// The case that is to be mixed into a reviewer's queue now, so that of a hundred labels about `percent` measure.
pub fn next_for(conn: &Connection, reviewer: &str, percent: u32) -> rusqlite::Result<Option<CaseId>> {
    if percent == 0 {
        return Ok(None);
    }
    let (given, measured) = label::counts_of(conn, reviewer, GOLD_ROUND)?;
    if given * u64::from(percent) / 100 <= measured {
        return Ok(None);
    }
    let drawn = |id: CaseId| *blake3::hash(&[&id.0[..], reviewer.as_bytes()].concat()).as_bytes();
    let mut candidates: Vec<CaseId> = all(conn)?.into_iter().take(LOOKED_AT_MAX).map(|gold| gold.case).collect();
    candidates.sort_by_key(|id| drawn(*id));
    for id in candidates {
        let settled = case::by_id(conn, id)?.is_some_and(|row| row.state != CaseState::Open && !row.text.is_empty());
        if settled && !label::live_of_case(conn, id)?.iter().any(|given| given.label.reviewer == reviewer) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
