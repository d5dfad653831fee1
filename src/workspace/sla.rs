//! What is due, what bounds are crossed, and telling people once.

use std::collections::BTreeMap;

use super::{WorkError, Workspace};
use crate::db::count;
use crate::domain::label::MAIN_ROUND;
use crate::domain::resolve::CaseState;
use crate::domain::threshold::{Measure, Threshold};
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::NudgeSent;
use crate::quality::agreement::{Resampling, measure};
use crate::retrain::outcomes::{is_above, is_below};
use crate::review::board::BoardSums;
use crate::review::board::{BoardSnapshot, snapshot};
use crate::review::disagreement::disagreements;
use crate::review::ratings::{By, ratings};
use crate::review::sla::{DueItem, Duty, cases_overdue, due_by, due_items, nudged};
use crate::review::trap_worth::Worth;

/// A bound with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub threshold: Threshold,
    /// Nothing where it can't be told, with the reason.
    pub value: Result<f64, &'static str>,
    /// Of a share: how many of how many.
    pub of: Option<(u64, u64)>,
    /// How many shares are looked at: one of them would be crossed by chance.
    pub shares: usize,
}

impl Bound {
    pub fn is_crossed(&self) -> bool {
        let bound = self.threshold.bound();
        let beyond = if self.threshold.is_lower() { is_below } else { is_above };
        self.value.is_ok_and(|value| self.threshold.is_crossed(value))
            && self.of.is_none_or(|(hits, n)| beyond(hits, n, bound, self.shares))
    }
}

/// What monitoring is told.
#[derive(Debug, Clone)]
pub struct Figures {
    /// By state.
    pub cases: Vec<(&'static str, u64)>,
    pub labels: u64,
    pub overdue: u64,
    /// Alarms that nobody has closed.
    pub alarms: u64,
    pub worth: Worth,
}

impl Workspace {
    /// How the work, the traps and the stream stand, for monitoring.
    pub fn figures_now(&self) -> Result<Figures, WorkError> {
        let conn = &self.db.conn;
        let states = CaseState::ALL.into_iter().chain([CaseState::Unsampled]);
        let of = |state: CaseState| {
            Ok((state.as_str(), count::get(conn, &format!("state:{}", state as i64))?))
        };
        let (due_items, _) = self.due_by(self.now())?;
        let open = self.raised_alarms()?.into_iter().filter(|alarm| alarm.closed.is_none());
        Ok(Figures {
            cases: states.map(of).collect::<Result<_, WorkError>>()?,
            labels: count::get(conn, "labels")?,
            overdue: cases_overdue(&due_items, self.now()) as u64,
            alarms: open.count() as u64,
            worth: self.trap_worth()?,
        })
    }

    /// Everything that is due, what is due first first.
    pub fn due_items(&self) -> Result<Vec<DueItem>, WorkError> {
        Ok(due_items(&self.db.conn, &self.policy()?, self.now())?)
    }

    /// The same without labels that are due only after a time, and how many these are.
    pub fn due_by(&self, until: Moment) -> Result<(Vec<DueItem>, usize), WorkError> {
        let found = due_by(&self.db.conn, &self.policy()?, self.now(), until)?;
        let open = count::get(&self.db.conn, &format!("state:{}", CaseState::Open as i64))?;
        let labels = found.iter().filter(|item| item.what == Duty::Label).count();
        Ok((found, (open as usize).saturating_sub(labels)))
    }

    /// The policy's bounds, each with where it stands.
    pub fn bounds(&self, due_items: &[DueItem]) -> Result<Vec<Bound>, WorkError> {
        let policy = self.policy()?;
        let mut known: BTreeMap<Measure, Result<f64, &'static str>> = BTreeMap::new();
        let mut shares: BTreeMap<Measure, (u64, u64)> = BTreeMap::new();
        for threshold in &policy.alert {
            if let std::collections::btree_map::Entry::Vacant(place) =
                known.entry(threshold.measure)
            {
                let measure = threshold.measure;
                let of = if measure.is_share() { Some(self.share(measure)?) } else { None };
                place.insert(match of {
                    Some((_, 0)) => Err("nothing turned out yet"),
                    Some((hits, n)) => Ok(hits as f64 / n as f64),
                    None => self.figure(measure, due_items)?,
                });
                shares.extend(of.map(|of| (measure, of)));
            }
        }
        let bound = |threshold: &Threshold| {
            let value =
                known.get(&threshold.measure).copied().unwrap_or(Err("it was not computed"));
            let of = shares.get(&threshold.measure).copied();
            Bound { threshold: *threshold, value, of, shares: shares.len() }
        };
        Ok(policy.alert.iter().map(bound).collect())
    }

    /// How many of how many: of predictions that turned out right or wrong, of settled labels that
    /// are contradicted.
    fn share(&self, what: Measure) -> Result<(u64, u64), WorkError> {
        if what == Measure::LabelErrors {
            let (wrong, all) = self.contradicted_labels()?;
            return Ok((wrong.len() as u64, all));
        }
        let told: Vec<bool> = self.judged()?.into_iter().filter_map(|one| one.right).collect();
        let right = told.iter().filter(|right| **right).count() as u64;
        let n = told.len() as u64;
        Ok(if what == Measure::Accuracy { (right, n) } else { (n - right, n) })
    }

    fn figure(
        &self,
        what: Measure,
        due_items: &[DueItem],
    ) -> Result<Result<f64, &'static str>, WorkError> {
        let conn = &self.db.conn;
        let of = |state: CaseState| {
            count::get(conn, &format!("state:{}", state as i64)).map(|n| n as f64)
        };
        let policy = self.policy()?;
        Ok(match what {
            Measure::Open => Ok(of(CaseState::Open)?),
            Measure::Disputed => Ok(of(CaseState::Disputed)?),
            Measure::Ready => Ok(of(CaseState::Resolved)?),
            Measure::Overdue => Ok(cases_overdue(due_items, self.now()) as f64),
            Measure::Alarms => {
                let raised = self.raised_alarms()?.into_iter();
                Ok(raised.filter(|alarm| alarm.closed.is_none()).count() as f64)
            }
            Measure::SinceCut => match self.cuts()?.first() {
                Some(cut) => Ok((self.now().0 - cut.at.0) as f64 / 86_400_000.0),
                None => Err("nothing was cut yet"),
            },
            Measure::ExpectedAccuracy => {
                let said: Vec<f64> =
                    self.judged()?.into_iter().filter_map(|one| one.confidence).collect();
                match said.len() {
                    0 => Err("nothing turned out yet"),
                    n => Ok(said.iter().sum::<f64>() / n as f64),
                }
            }
            Measure::Accuracy | Measure::Wrong | Measure::LabelErrors => {
                Err("it is a share of what turned out")
            }
            Measure::Alpha => {
                let made = ratings(conn, MAIN_ROUND, &[By::Outcome(policy.on)])?;
                let none = Err("there are no labels");
                made.first().map_or(none, |ratings| {
                    measure(ratings, Resampling { times: 0, seed: 1 })
                        .krippendorff_alpha
                        .nominal
                        .value
                })
            }
            Measure::Disagreement => {
                let found = disagreements(conn, MAIN_ROUND, &self.protocols()?, &policy.on)?;
                let differ = found.cases.values().filter(|tally| tally.differ > 0).count();
                if found.cases.is_empty() {
                    Err("no case has two labels")
                } else {
                    Ok(100.0 * differ as f64 / found.cases.len() as f64)
                }
            }
        })
    }

    /// How the work stands, with what was kept of the last time.
    pub fn board(&self, sums: &mut BoardSums) -> Result<BoardSnapshot, WorkError> {
        let protocols = self.protocols()?;
        sums.refresh(&self.db.conn, &protocols)?;
        let mut board = snapshot(
            &self.db.conn,
            sums,
            &protocols.policy,
            (self.blindness()?, &self.me),
            self.now(),
        )?;
        for note in self.change_notes()?.into_iter().filter(|note| note.answered_by.is_none()) {
            board.notes.entry(note.change.question).or_default().push(note.case);
        }
        (board.retraining, board.models) = self.loop_rows()?;
        Ok(board)
    }

    /// Keys of what people were told of already.
    pub fn nudged(&self) -> Result<std::collections::HashSet<String>, WorkError> {
        Ok(nudged(&self.db.conn)?)
    }

    /// Records that people were told.
    pub fn record_nudges(&mut self, sent: Vec<NudgeSent>) -> Result<Appended, WorkError> {
        self.append(sent.iter().map(Append::new).collect())
    }
}
