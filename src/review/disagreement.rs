//! Where the labels that count differ: by question, pair, category, reviewer and case, in one
//! reading.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Protocols;
use super::ratings::{Which, for_each_case};
use crate::db::renames;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, Outcome, value_text};
use crate::domain::protocol::Answered;
use crate::quality::divergence::{Change, Divergence};

/// Pairs of labels on one case, and how many of them part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub pairs: usize,
    pub diverged: usize,
    /// Pairs whose outcomes differ in what counts.
    pub differ: usize,
}

impl Tally {
    fn change(&mut self, diverged: bool, differ: bool, change: Change) {
        change.one(&mut self.pairs);
        change.by(&mut self.diverged, usize::from(diverged));
        change.by(&mut self.differ, usize::from(differ));
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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disagreements {
    pub divergence: Divergence,
    pub pairs: BTreeMap<[String; 2], Tally>,
    pub reviewers: BTreeMap<String, Tally>,
    /// By what either of the two named as category.
    pub categories: BTreeMap<String, Tally>,
    pub cases: BTreeMap<CaseId, Tally>,
    pub splits: BTreeMap<CaseId, Vec<Split>>,
}

/// Compares the labels of a round. Paths are read by the names of the version in force; outcomes
/// differ if they do in the fields `on`, or in any if none is named.
pub fn disagreements(
    conn: &Connection,
    round: &str,
    protocols: &Protocols,
    on: &[String],
) -> rusqlite::Result<Disagreements> {
    let renamed = renames::all(conn)?;
    let mut found = Disagreements::default();
    for_each_case(conn, round, Which::GivenBlind, |labels| {
        let read =
            |given: &GivenLabel| (protocols.answered(&given.label), renamed.outcome(&given.label));
        let read: Vec<(Answered, Outcome)> = labels.iter().map(read).collect();
        for (at, one) in labels.iter().enumerate() {
            for (other, two) in labels.iter().enumerate().skip(at + 1) {
                if one.label.protocol.id == two.label.protocol.id {
                    let [left, right] = [&read[at], &read[other]];
                    let names = [&*one.label.reviewer, &two.label.reviewer];
                    let read = [(&left.0, &left.1), (&right.0, &right.1)];
                    found.change(one.label.case, names, read, on, Change::Add);
                }
            }
        }
    })?;
    Ok(found)
}

impl Disagreements {
    /// Counts two labels of one case, with their paths and outcomes by the names of today; or takes
    /// them away if they were counted.
    pub fn change(
        &mut self,
        case: CaseId,
        of: [&str; 2],
        read: [(&Answered, &Outcome); 2],
        on: &[String],
        change: Change,
    ) {
        let [(one, left), (two, right)] = read;
        let differ = if on.is_empty() {
            left != right
        } else {
            on.iter().any(|field| left.get(field) != right.get(field))
        };
        let reviewers = of.map(str::to_owned);
        let first_divergence = self.divergence.change(one, two, differ, change);
        let diverged = first_divergence.is_some();
        match (first_divergence, change) {
            (Some(first_divergence), Change::Add) => {
                let (question, answers) = (
                    first_divergence.question.to_owned(),
                    first_divergence.answers.map(|answer| answer.map(str::to_owned)),
                );
                let split = Split { case, reviewers: reviewers.clone(), question, answers, differ };
                self.splits.entry(case).or_default().push(split);
            }
            (Some(_), Change::Take) => {
                let splits = self.splits.entry(case).or_default();
                splits.retain(|split| split.reviewers != reviewers);
                if splits.is_empty() {
                    self.splits.remove(&case);
                }
            }
            (None, _) => {}
        }
        let mut categories: Vec<String> = [left, right]
            .iter()
            .filter_map(|outcome| outcome.get("category"))
            .map(value_text)
            .collect();
        categories.dedup();
        categories
            .into_iter()
            .for_each(|category| tally(&mut self.categories, category, diverged, differ, change));
        reviewers.iter().for_each(|reviewer| {
            tally(&mut self.reviewers, reviewer.clone(), diverged, differ, change)
        });
        tally(&mut self.pairs, reviewers, diverged, differ, change);
        tally(&mut self.cases, case, diverged, differ, change);
    }
}

fn tally<K: Ord + Clone>(
    tallies: &mut BTreeMap<K, Tally>,
    of: K,
    diverged: bool,
    differ: bool,
    change: Change,
) {
    let tally = tallies.entry(of.clone()).or_default();
    tally.change(diverged, differ, change);
    if tally.pairs == 0 {
        tallies.remove(&of);
    }
}
