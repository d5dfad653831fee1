//! Cases whose right answer is known, and who has shown that they know it too.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::db::case::CaseRow;
use crate::db::{case, document, label};
use crate::domain::ids::CaseId;
use crate::domain::label::{GOLD_ROUND, GivenLabel, MAIN_ROUND};
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

/// A row as a reviewer may see it: one that would measure them looks like any other that waits.
pub fn masked(conn: &Connection, reviewer: &str, row: CaseRow) -> rusqlite::Result<CaseRow> {
    Ok(if measures(conn, reviewer, &row)? { row.masked() } else { row })
}

/// Whether a settled case would still measure a reviewer.
pub fn measures(conn: &Connection, reviewer: &str, row: &CaseRow) -> rusqlite::Result<bool> {
    if row.state == CaseState::Open || !is_gold(conn, row.id)? {
        return Ok(false);
    }
    Ok(!any_measuring(conn, row.id, reviewer)?)
}

/// Whether a reviewer gave a label on a case, for good or to measure. What was said in a session is
/// another matter.
fn any_measuring(conn: &Connection, id: CaseId, reviewer: &str) -> rusqlite::Result<bool> {
    let counts = |given: &GivenLabel| {
        given.label.reviewer == reviewer
            && [MAIN_ROUND, GOLD_ROUND].contains(&given.label.round.as_str())
    };
    Ok(label::live_of_case(conn, id)?.iter().any(counts))
}

pub fn is_gold(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    Ok(of_case(conn, id)?.is_some())
}

/// Every training that was gone through, the latest first.
pub fn trainings(conn: &Connection) -> rusqlite::Result<Vec<TrainingFinished>> {
    let rows = document::of_kind(conn, "training")?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(&row.body).ok()).collect())
}

/// Who passed a training of one of these protocols, under whatever version.
pub fn trained(conn: &Connection, in_force: &[&str]) -> rusqlite::Result<BTreeSet<String>> {
    let passed = |training: &TrainingFinished| {
        training.passed && in_force.contains(&training.protocol.id.as_str())
    };
    Ok(trainings(conn)?.into_iter().filter(passed).map(|training| training.reviewer).collect())
}

/// Cases of known answers to be mixed into the first rows of a reviewer's queue, each with its
/// place, so that of a hundred labels about `percent` measure. Nothing tells them from others.
pub fn mixed(
    conn: &Connection,
    reviewer: &str,
    percent: u32,
    rows: usize,
    mut fits: impl FnMut(&CaseRow) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Vec<(usize, CaseRow)>> {
    if percent == 0 || rows < 2 {
        return Ok(Vec::new());
    }
    let (given, measured) = label::counts_of(conn, reviewer, GOLD_ROUND)?;
    let every = u64::from(100 / percent).max(2);
    let drawn = |id: CaseId| *blake3::hash(&[&id.0[..], reviewer.as_bytes()].concat()).as_bytes();
    let mut candidates: Vec<CaseId> =
        all(conn)?.into_iter().take(LOOKED_AT_MAX).map(|gold| gold.case).collect();
    candidates.sort_by_key(|id| drawn(*id));
    // Whose answer was told in a training measures nothing any more.
    let trained = trainings(conn)?.into_iter().filter(|training| training.reviewer == reviewer);
    let told: BTreeSet<CaseId> =
        trained.flat_map(|training| training.attempts).map(|attempt| attempt.case).collect();
    candidates.retain(|id| !told.contains(id));
    let mut found = Vec::new();
    for id in candidates {
        // One in each stretch from now on, however many there should have been before.
        let number = measured.max(given / every) + found.len() as u64;
        // Not at equal distances: nobody should know when one comes.
        let early = u64::from(drawn(id)[0]) % every.div_ceil(2);
        let place = ((number + 1) * every).saturating_sub(early).saturating_sub(given) as usize;
        if place + 1 >= rows {
            break;
        }
        let Some(row) = case::by_id(conn, id)?
            .filter(|row| row.state != CaseState::Open && !row.text.is_empty())
        else {
            continue;
        };
        if !any_measuring(conn, id, reviewer)? && fits(&row)? {
            found.push((place, row.masked()));
        }
    }
    Ok(found)
}
