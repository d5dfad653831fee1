//! What a new version of a protocol does to the labels there are, and the worklist that this makes.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Protocols, arbitration};
use crate::db::case::{self, CaseRow};
use crate::db::label;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, Label, MAIN_ROUND, Outcome, that_count, that_count_in};
use crate::domain::protocol::Protocol;
use crate::domain::protocol::replay::{Fate, replay};

/// Most cases of a worklist.
pub const WORKLIST_MAX: usize = 5_000;

/// A label that would come to another outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub case: CaseId,
    pub reviewer: String,
    pub from: Outcome,
    pub to: Outcome,
}

/// What becomes of every label of a protocol under another version of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    pub labels: u64,
    pub unchanged: u64,
    pub changed: Vec<Changed>,
    /// How many more would change that whoever asks may not see.
    pub left_out: usize,
    /// How many lack an answer, by question.
    pub needs: BTreeMap<String, u64>,
    /// How many no longer walk, by question and the answer that it no longer takes.
    pub stuck: BTreeMap<(String, String), u64>,
    /// Labels of other protocols, which it does not touch.
    pub others: u64,
}

impl Report {
    pub fn stuck_labels(&self) -> u64 {
        self.stuck.values().sum()
    }
}

/// Walks every label that counts through `newest`, which need not be published. Changes nothing.
pub fn report(
    conn: &Connection,
    protocols: &Protocols,
    newest: &Protocol,
) -> rusqlite::Result<Report> {
    let mut report = Report::default();
    let mut predicted: Option<(CaseId, Option<String>)> = None;
    let mut failed = None;
    let mut chains: BTreeMap<u32, Vec<&Protocol>> = BTreeMap::new();
    let mut take = |label: &Label| {
        if failed.is_some() {
            return;
        }
        if label.protocol.id != newest.id {
            report.others += 1;
            return;
        }
        // Labels come case by case.
        if predicted.as_ref().is_none_or(|(case, _)| *case != label.case) {
            match case::predicted(conn, label.case) {
                Ok(said) => predicted = Some((label.case, said)),
                Err(error) => return failed = Some(error),
            }
        }
        let chain = chains.entry(label.protocol.version).or_insert_with(|| {
            let mut chain = protocols.after(&label.protocol);
            if chain.last().is_none_or(|last| *last != newest) {
                chain.push(newest);
            }
            chain
        });
        report.take(chain, label, predicted.as_ref().and_then(|(_, said)| said.as_deref()));
    };
    label::for_each_case(conn, |labels| {
        that_count(&labels).into_iter().for_each(|given| take(&given.label));
    })?;
    failed.map_or(Ok(report), Err)
}

impl Report {
    fn take(&mut self, chain: &[&Protocol], label: &Label, predicted: Option<&str>) {
        self.labels += 1;
        match replay(chain, label, predicted) {
            Fate::Unchanged => self.unchanged += 1,
            Fate::Changed { from, to } => {
                self.changed.push(Changed {
                    case: label.case,
                    reviewer: label.reviewer.clone(),
                    from,
                    to,
                });
            }
            Fate::Needs(question) => *self.needs.entry(question).or_default() += 1,
            Fate::Stuck { question, answer } => {
                *self.stuck.entry((question, answer)).or_default() += 1
            }
        }
    }
}

/// Cases on which a reviewer's label that counts lacks an answer which the version in force asks,
/// or no longer walks through it, or about which they were asked something; at most
/// [`WORKLIST_MAX`], the earliest labels first.
pub fn worklist(
    conn: &Connection,
    protocols: &Protocols,
    reviewer: &str,
    stop: impl Fn() -> bool,
) -> rusqlite::Result<Vec<CaseRow>> {
    // What they were asked about comes first.
    let mut found = arbitration::returned_to(conn, reviewer)?;
    if !protocols.has_older() {
        return Ok(found); // no label lacks an answer
    }
    let mut of_case: BTreeMap<CaseId, Vec<GivenLabel>> = BTreeMap::new();
    let mut order: Vec<CaseId> = Vec::new();
    label::for_each_of(conn, reviewer, |row| {
        let given = row.given;
        if row.withdrawn.is_some() || given.label.round != MAIN_ROUND {
            return;
        }
        let labels = of_case.entry(given.label.case).or_default();
        if labels.is_empty() {
            order.push(given.label.case);
        }
        labels.push(given);
    })?;
    let asked: Vec<CaseId> = found.iter().map(|row| row.id).collect();
    for case in order.into_iter().filter(|case| !asked.contains(case)) {
        if found.len() >= WORKLIST_MAX || stop() {
            break;
        }
        let counting = of_case.get(&case).map(|labels| that_count_in(labels, MAIN_ROUND));
        let Some(given) = counting.as_deref().and_then(<[_]>::first) else { continue };
        let label = &given.label;
        let chain = protocols.after(&label.protocol);
        if chain.is_empty() {
            continue;
        }
        // What it was predicted as decides no question.
        if matches!(replay(&chain, label, None), Fate::Needs(_) | Fate::Stuck { .. }) {
            found.extend(case::by_id(conn, case)?);
        }
    }
    Ok(found)
}
