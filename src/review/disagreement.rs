//! Where the labels that count differ: by question, pair, category, reviewer and case, in one reading.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Protocols;
use super::ratings::for_each_case;
use crate::db::renames;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, Outcome, Step, value_text};
use crate::domain::protocol::replay::translated;
use crate::quality::divergence::Divergence;

/// Pairs of labels on one case, and how many of them part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub pairs: usize,
    pub parted: usize,
    /// Pairs whose outcomes differ in what counts.
    pub differ: usize,
}

impl Tally {
    fn count(&mut self, parted: bool, differ: bool) {
        self.pairs += 1;
        self.parted += usize::from(parted);
        self.differ += usize::from(differ);
    }
}

/// Two labels of one case that part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub case: CaseId,
    pub reviewers: [String; 2],
    pub question: String,
    pub answers: [Option<String>; 2],
    pub differ: bool,
}

/// All that labels of a round differ in.
#[derive(Debug, Clone, Default)]
pub struct Disagreements {
    pub divergence: Divergence,
    pub pairs: BTreeMap<[String; 2], Tally>,
    pub reviewers: BTreeMap<String, Tally>,
    /// By what either of the two named as category.
    pub categories: BTreeMap<String, Tally>,
    pub cases: BTreeMap<CaseId, Tally>,
    /// By case.
    pub splits: Vec<Split>,
}

/// Compares the labels of a round. Paths are read by the names of the version in force; outcomes differ if they do in the fields
/// `on`, or in any if none is named.
pub fn disagreements(conn: &Connection, round: &str, protocols: &Protocols, on: &[String]) -> rusqlite::Result<Disagreements> {
    let renamed = renames::all(conn)?;
    let mut found = Disagreements::default();
    for_each_case(conn, round, |labels| {
        let read = |given: &GivenLabel| {
            let label = &given.label;
            (translated(&protocols.after(&label.protocol), &label.path), renamed.outcome(label))
        };
        let read: Vec<(Vec<Step>, Outcome)> = labels.iter().map(read).collect();
        for (at, one) in labels.iter().enumerate() {
            for (other, two) in labels.iter().enumerate().skip(at + 1) {
                if one.label.protocol.id == two.label.protocol.id {
                    let [left, right] = [&read[at], &read[other]];
                    found.compare([one, two], [(&left.0, &left.1), (&right.0, &right.1)], on);
                }
            }
        }
    })?;
    Ok(found)
}

impl Disagreements {
    /// Counts two labels of one case, with their paths and outcomes by the names of today.
    pub fn compare(&mut self, labels: [&GivenLabel; 2], read: [(&[Step], &Outcome); 2], on: &[String]) {
        let [(one, left), (two, right)] = read;
        let differ = if on.is_empty() { left != right } else { on.iter().any(|field| left.get(field) != right.get(field)) };
        let case = labels[0].label.case;
        let reviewers = labels.map(|given| given.label.reviewer.clone());
        let parting = self.divergence.count(one, two, differ);
        let parted = parting.is_some();
        if let Some(parting) = parting {
            let (question, answers) = (parting.question.to_owned(), parting.answers.map(|answer| answer.map(str::to_owned)));
            self.splits.push(Split { case, reviewers: reviewers.clone(), question, answers, differ });
        }
        let mut categories: Vec<String> =
            [left, right].iter().filter_map(|outcome| outcome.get("category")).map(value_text).collect();
        categories.dedup();
        categories.into_iter().for_each(|category| self.categories.entry(category).or_default().count(parted, differ));
        reviewers.iter().for_each(|reviewer| self.reviewers.entry(reviewer.clone()).or_default().count(parted, differ));
        self.pairs.entry(reviewers).or_default().count(parted, differ);
        self.cases.entry(case).or_default().count(parted, differ);
    }
}
