//! What a label of a case is worth: how much surer of what is true it is expected to make, by what is
//! recorded of reviewers ([`crate::domain::paths`]). It orders the queue where the policy says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Connection;
use serde::Deserialize;

use crate::db::case::{self, CaseRow};
use crate::db::{document, renames};
use crate::domain::estimate::Estimate;
use crate::domain::ids::CaseId;
use crate::domain::label::{Label, MAIN_ROUND, that_count_in};
use crate::domain::paths::{Model, Weighed};
use crate::domain::policy::{Order, Policy, Term};
use crate::domain::protocol::RenamedLabels;
use crate::domain::resolve::{LABELS_TO_LEARN, teaches};
use crate::journal::views::{self, evidence::Evidence};

/// Less than this is hardly worth a label: such cases come last.
pub const GAIN_MIN: f64 = 0.03;
/// The same beside the doubt that the policy leaves, where that is less: who wants to be surer is
/// asked for more labels.
const OF_DOUBT: f64 = 0.6;
/// How many times more a label is worth of a kind on which the last gate failed or could not tell.
const NEED: f64 = 2.0;

/// What labels are weighed by.
#[derive(Debug, Clone)]
pub struct Valuer {
    model: Arc<Model>,
    estimate: Estimate,
    policy: Policy,
    renamed: RenamedLabels,
    /// Slices on which the last gate failed or could not tell.
    needed: BTreeSet<String>,
}

/// What one more label of a case by somebody is worth, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// The first of the cases that it says something of.
    pub pool: CaseId,
    /// How much surer it is expected to make: the mean of the largest belief after it, less the
    /// largest now.
    pub gain: f64,
    /// Whether anybody said what is most likely.
    pub is_said: bool,
    /// Cases that it says something of: this, and its copies.
    pub cases: usize,
    /// How many times more it is worth because retraining needs more of its kind.
    pub need: f64,
    /// Whether the case was drawn to know reviewers by, and wants more labels for that.
    pub teaches: bool,
    /// Less of a gain is hardly worth a label.
    pub least: f64,
}

impl Worth {
    /// By what cases are put in order: the largest first.
    pub fn value(&self) -> f64 {
        self.gain * self.cases as f64 * self.need + if self.teaches { 1.0 } else { 0.0 }
    }

    /// Whether a label would hardly teach anything. It always does while nobody said what is most
    /// likely: no model settles a case alone.
    pub fn is_little(&self) -> bool {
        self.gain < self.least && !self.teaches && self.is_said
    }
}

impl Valuer {
    /// Nothing unless the policy orders by value and an estimate is recorded.
    pub fn load(conn: &Connection) -> rusqlite::Result<Option<Self>> {
        let policy = views::policy(conn)?;
        if policy.order != Order::Value {
            return Ok(None);
        }
        let Some(estimate) = views::estimate_of(conn, &policy)? else { return Ok(None) };
        let Some(model) = estimate.paths.as_ref().map(|paths| paths.model()) else {
            return Ok(None);
        };
        let needed = match policy.worth.contains(&Term::Need) {
            true => needed(conn)?,
            false => BTreeSet::new(),
        };
        Ok(Some(Self { model, estimate, policy, renamed: renames::all(conn)?, needed }))
    }

    /// How often a reviewer comes to the end that is right.
    pub fn skill(&self, reviewer: &str) -> f64 {
        self.model.skill(reviewer)
    }

    /// What a label of a case by a reviewer is worth.
    pub fn worth(
        &self,
        conn: &Connection,
        row: &CaseRow,
        reviewer: &str,
    ) -> rusqlite::Result<Worth> {
        Ok(self.weighing(conn, row)?.of(self, reviewer))
    }

    /// Those of some people of whom a label of a case would hardly teach anything.
    pub fn idle<'n>(
        &self,
        conn: &Connection,
        id: CaseId,
        people: impl Iterator<Item = &'n str>,
    ) -> rusqlite::Result<Vec<String>> {
        let Some(row) = case::by_id(conn, id)? else { return Ok(Vec::new()) };
        let weighing = self.weighing(conn, &row)?;
        let idle = people.filter(|name| weighing.of(self, name).is_little());
        Ok(idle.map(str::to_owned).collect())
    }

    /// Whether a case is of a kind that retraining needs more of: its predicted label, or what
    /// flagged it, is a slice on which the last gate did not pass.
    fn is_needed(&self, row: &CaseRow) -> bool {
        let predicted =
            row.predicted.iter().flat_map(|label| [label.clone(), format!("label={label}")]);
        predicted.chain(row.flags.iter().cloned()).any(|slice| self.needed.contains(&slice))
    }

    /// What is known of a case, whoever is asked next.
    fn weighing(&self, conn: &Connection, row: &CaseRow) -> rusqlite::Result<Weighing> {
        let evidence = Evidence::of(conn, &self.policy, row)?;
        let by = evidence.by(row, &self.policy, &self.renamed, Some(&self.estimate));
        let voices = evidence.that_settle();
        let latest = that_count_in(&*voices, MAIN_ROUND);
        let said: Vec<&Label> = latest.iter().map(|given| &given.label).collect();
        let (weighed, labels) = (self.model.weighed(&said, by.opinion), said.len());
        let teaches = (1..LABELS_TO_LEARN).contains(&labels) && teaches(by.case, &self.policy);
        let worth = Worth {
            pool: by.case,
            gain: 0.0,
            is_said: weighed.likeliest_is_said(),
            cases: match self.policy.worth.contains(&Term::Copies) {
                true => 1 + evidence.copies.len(),
                false => 1,
            },
            need: if self.is_needed(row) { NEED } else { 1.0 },
            teaches,
            least: least_gain(&self.policy),
        };
        Ok(Weighing { weighed, worth })
    }
}

/// How much surer a label has to be expected to make, to be worth its minute.
fn least_gain(policy: &Policy) -> f64 {
    let doubt = 1.0 - f64::from(policy.sure_percent) / 100.0;
    GAIN_MIN.min(OF_DOUBT * doubt)
}

/// The slices on which the last gate failed or could not tell.
fn needed(conn: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Decided {
        lines: Vec<Line>,
    }
    #[derive(Deserialize)]
    struct Line {
        slice: String,
        verdict: String,
    }
    let row = document::latest(conn, "gate")?;
    let decided = row.and_then(|row| serde_json::from_str::<Decided>(&row.body).ok());
    let lines = decided.map(|decided| decided.lines).unwrap_or_default().into_iter();
    Ok(lines.filter(|line| line.verdict != "pass").map(|line| line.slice).collect())
}

struct Weighing {
    weighed: Weighed,
    worth: Worth,
}

impl Weighing {
    fn of(&self, valuer: &Valuer, reviewer: &str) -> Worth {
        Worth { gain: valuer.model.gain(&self.weighed, reviewer), ..self.worth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_to_be_surer_is_asked_for_more_labels() {
        let least = |sure_percent: u32| {
            let worth = |gain: f64| Worth {
                pool: CaseId([0; 16]),
                gain,
                is_said: true,
                cases: 1,
                need: 1.0,
                teaches: false,
                least: least_gain(&Policy { sure_percent, ..Policy::default() }),
            };
            (0..100).find(|gain| !worth(f64::from(*gain) / 1000.0).is_little()).unwrap()
        };
        assert_eq!([80, 95, 97, 99, 100].map(least), [30, 30, 19, 7, 0]);
    }
}
