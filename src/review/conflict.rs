//! Contradictions: settled cases with the same input, or nearly the same, that count as something
//! else. A model that is trained on both learns neither.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;

use super::gold;
use super::precedent::words;
use crate::db::case::{self, CaseRow, TEXT_CHARS_MAX};
use crate::db::{erasure, precedent};
use crate::domain::estimate::class_of;
use crate::domain::ids::{CaseId, Hash};
use crate::domain::label::Outcome;
use crate::domain::near;
use crate::domain::payload::Payload;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::CaseState;
use crate::journal::blob::{self, Unpacker};

/// Settled cases that contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// How much of the two texts is shared: 1 where they are the same.
    pub likeness: f64,
    pub same: bool,
    /// By what they count as, then by id.
    pub cases: Vec<CaseRow>,
}

/// Most settled cases that are looked at for one with the same input.
const SAME_MAX: usize = 400;

/// What a case counts as in what is compared.
fn class(row: &CaseRow, on: &[String]) -> String {
    row.outcome.as_ref().and_then(|outcome| class_of(outcome, on)).unwrap_or_default()
}

/// The input's whole text: a row's is cut short. Nothing where it was erased or is not here.
pub fn whole_text(
    conn: &Connection,
    unpacker: &mut Unpacker,
    row: &CaseRow,
) -> rusqlite::Result<String> {
    if row.text.chars().count() < TEXT_CHARS_MAX {
        return Ok(row.text.clone());
    }
    let Some(event) = erasure::payload_event(conn, row.id, row.event)? else {
        return Ok(String::new());
    };
    let Ok(json) = blob::read(conn, unpacker, event) else { return Ok(row.text.clone()) };
    let payload = serde_json::from_slice::<Payload>(&json).ok();
    let prediction = payload.and_then(|payload| Prediction::parse(payload.prediction.get()).ok());
    Ok(prediction.map(|prediction| prediction.text()).unwrap_or_default())
}

/// Every settled case with its text as it is compared; those without a text are none.
fn settled(
    conn: &Connection,
    unpacker: &mut Unpacker,
) -> rusqlite::Result<BTreeMap<String, Vec<CaseRow>>> {
    let mut rows = Vec::new();
    case::for_each(conn, |row| {
        rows.extend((row.state == CaseState::Resolved && row.outcome.is_some()).then_some(row));
    })?;
    let mut by_text: BTreeMap<String, Vec<CaseRow>> = BTreeMap::new();
    for row in rows {
        let text = near::normal(&whole_text(conn, unpacker, &row)?);
        if !text.is_empty() {
            by_text.entry(text).or_default().push(row);
        }
    }
    Ok(by_text)
}

/// Settled cases with the same input, or with one that shares at least `near` of it, that count as
/// something else in the fields `on`; the same first.
pub fn conflicts(
    conn: &Connection,
    unpacker: &mut Unpacker,
    on: &[String],
    near: f64,
) -> rusqlite::Result<Vec<Conflict>> {
    let by_text: Vec<(String, Vec<CaseRow>)> = settled(conn, unpacker)?.into_iter().collect();
    let classes: Vec<BTreeSet<String>> =
        by_text.iter().map(|(_, rows)| rows.iter().map(|row| class(row, on)).collect()).collect();
    let made = |likeness, same, mut cases: Vec<CaseRow>| {
        cases.sort_by_cached_key(|row| (class(row, on), row.id));
        Conflict { likeness, same, cases }
    };
    let mut found: Vec<Conflict> = by_text
        .iter()
        .zip(&classes)
        .filter(|(_, classes)| classes.len() > 1)
        .map(|((_, rows), _)| made(1.0, true, rows.clone()))
        .collect();
    let texts: Vec<&str> = by_text.iter().map(|(text, _)| text.as_str()).collect();
    let mut like = if near < 1.0 { near::pairs(&texts, near) } else { Vec::new() };
    like.sort_by(|a, b| b.jaccard.total_cmp(&a.jaccard).then((a.a, a.b).cmp(&(b.a, b.b))));
    for near::Pair { a, b, jaccard } in like {
        if classes[a] != classes[b] {
            found.push(made(jaccard, false, [&*by_text[a].1, &by_text[b].1].concat()));
        }
    }
    Ok(found)
}

/// Settled cases by their input, to find those that contradict each other.
#[derive(Default)]
pub struct ByInput {
    /// By the hash of the text as it is compared: which case, and what it counts as.
    cases: HashMap<Hash, Vec<(CaseId, String)>>,
    /// Those whose row holds only the beginning of their text.
    long: Vec<CaseRow>,
}

impl ByInput {
    /// Takes in a settled case.
    pub fn take(&mut self, row: &CaseRow, on: &[String]) {
        if row.text.chars().count() >= TEXT_CHARS_MAX {
            self.long.push(row.clone());
        } else {
            self.put(&row.text, row.id, class(row, on));
        }
    }

    fn put(&mut self, text: &str, id: CaseId, class: String) {
        let text = near::normal(text);
        if !text.is_empty() {
            self.cases.entry(Hash::of(text.as_bytes())).or_default().push((id, class));
        }
    }

    /// By case: the others with the same input that count as something else.
    ///
    /// # Errors
    /// Those of the database.
    pub fn contradicted(
        mut self,
        conn: &Connection,
        unpacker: &mut Unpacker,
        on: &[String],
    ) -> rusqlite::Result<BTreeMap<CaseId, Vec<CaseId>>> {
        for row in std::mem::take(&mut self.long) {
            let text = whole_text(conn, unpacker, &row)?;
            self.put(&text, row.id, class(&row, on));
        }
        let mut found = BTreeMap::new();
        for same in self.cases.into_values().filter(|same| same.len() > 1) {
            for (id, mine) in &same {
                let other = same.iter().filter(|(_, class)| class != mine);
                let mut others: Vec<CaseId> = other.map(|(id, _)| *id).collect();
                others.sort_unstable();
                if !others.is_empty() {
                    found.insert(*id, others);
                }
            }
        }
        Ok(found)
    }
}

/// Settled cases with the same input as one. What may still measure the reviewer is not among them.
pub fn same_input(
    conn: &Connection,
    unpacker: &mut Unpacker,
    row: &CaseRow,
    reviewer: &str,
) -> rusqlite::Result<Vec<CaseRow>> {
    let words = words(&row.text);
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let text = near::normal(&whole_text(conn, unpacker, row)?);
    let mut found = Vec::new();
    for num in precedent::with_words(conn, &all, SAME_MAX)? {
        let Some(other) = case::by_num(conn, num)?.filter(|other| other.id != row.id) else {
            continue;
        };
        let other = gold::masked(conn, reviewer, other)?;
        if other.outcome.is_some() && near::normal(&whole_text(conn, unpacker, &other)?) == text {
            found.push(other);
        }
    }
    Ok(found)
}

/// Whether a settled case counts as something else than `outcome`.
pub fn contradicts(row: &CaseRow, outcome: &Outcome, on: &[String]) -> bool {
    class(row, on) != class_of(outcome, on).unwrap_or_default()
}
