//! The bounds of the policy, each with where it stands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{WorkError, Workspace};
use crate::db::count;
use crate::domain::label::MAIN_ROUND;
use crate::domain::resolve::CaseState;
use crate::domain::threshold::{Measure, Threshold, Window};
use crate::quality::agreement::{Resampling, measure};
use crate::retrain::outcomes::{By, Judged, fair, groups, is_above, is_below};
use crate::review::disagreement::disagreements;
use crate::review::ratings::{By as Rated, Which, ratings};
use crate::review::reliability::reliability;
use crate::review::sla::{DueItem, cases_overdue};

/// Windows of time that are looked at, the latest of which something turned out.
const WINDOWS_MAX: usize = 30;

/// A share that is held against a bound by itself: of a day, of a reviewer, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of which; empty where it is of all.
    pub name: String,
    pub hits: u64,
    pub n: u64,
}

impl Part {
    fn share(&self) -> f64 {
        self.hits as f64 / self.n as f64
    }
}

/// A bound with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub threshold: Threshold,
    /// Nothing where it can't be told, with the reason. Of several shares, the one that lies
    /// furthest off.
    pub value: Result<f64, &'static str>,
    /// Of a share: each of them that was looked at, none of nothing.
    pub parts: Vec<Part>,
    /// How many shares are looked at by all bounds: one of them would be crossed by chance.
    looked_at: usize,
    /// Whether it is of flagged predictions alone, which do not stand for all.
    flagged_alone: bool,
}

impl Bound {
    fn crosses(&self, part: &Part) -> bool {
        let beyond = if self.threshold.is_lower() { is_below } else { is_above };
        self.threshold.is_crossed(part.share())
            && beyond(part.hits, part.n, self.threshold.bound(), self.looked_at)
    }

    /// The shares that are beyond the bound by more than chance, the furthest off first.
    pub fn crossed(&self) -> Vec<&Part> {
        let mut crossed: Vec<&Part> = self.parts.iter().filter(|part| self.crosses(part)).collect();
        crossed.sort_by(|a, b| a.share().total_cmp(&b.share()).then(a.name.cmp(&b.name)));
        if !self.threshold.is_lower() {
            crossed.reverse();
        }
        crossed
    }

    pub fn is_crossed(&self) -> bool {
        match self.threshold.measure.is_share() {
            true => !self.crossed().is_empty(),
            false => self.value.is_ok_and(|value| self.threshold.is_crossed(value)),
        }
    }

    /// Where it stands: `0.467`, `0.293 on 2026-06-05 and 4 more days`.
    pub fn words(&self) -> String {
        let value = match self.value {
            Ok(value) => value,
            Err(reason) => return format!("none: {reason}"),
        };
        let crossed = self.crossed();
        let of_flagged = if self.flagged_alone { ", of flagged predictions alone" } else { "" };
        let Some(worst) = crossed.first().filter(|part| !part.name.is_empty()) else {
            return format!("{}{of_flagged}", self.threshold.value_words(value))
                + &self.by_chance();
        };
        let (of, what) = match self.threshold.by {
            Some(Window::Day) => ("on", "day"),
            Some(Window::Week) => ("in the week of", "week"),
            None => ("of", "reviewer"),
        };
        let more = match crossed.len() - 1 {
            0 => String::new(),
            1 => format!(" and 1 more {what}"),
            n => format!(" and {n} more {what}s"),
        };
        let worst_is = self.threshold.value_words(worst.share());
        format!("{worst_is} {of} {}{more}{of_flagged}", worst.name)
    }

    /// Of a share beyond its bound that is not crossed: of how many it is, so that chance may do it.
    fn by_chance(&self) -> String {
        let beyond = |part: &&Part| self.threshold.is_crossed(part.share());
        match self.parts.iter().filter(beyond).map(|part| part.n).max() {
            Some(n) if !self.is_crossed() => format!(", which chance may do with {n}"),
            _ => String::new(),
        }
    }

    pub fn json(&self) -> Value {
        let part = |part: &Part| {
            json!({ "name": part.name, "hits": part.hits, "n": part.n, "value": part.share(),
                "crossed": self.crosses(part) })
        };
        json!({ "bound": self.threshold.to_string(), "value": self.value.ok(),
            "reason": self.value.err(), "crossed": self.is_crossed(), "flagged_alone": self.flagged_alone,
            "of": self.parts.iter().map(part).collect::<Vec<_>>() })
    }
}

impl Workspace {
    /// The policy's bounds, each with where it stands.
    pub fn bounds(&self, due_items: &[DueItem]) -> Result<Vec<Bound>, WorkError> {
        self.bounds_where(Some(due_items), None)
    }

    /// The days, of those that are held against a bound by themselves, which are beyond it.
    pub(super) fn crossed_days(&self, judged: &[Judged]) -> Result<BTreeSet<String>, WorkError> {
        let by_day = |bound: &Bound| bound.threshold.by == Some(Window::Day);
        if !self.policy()?.alert.iter().any(|threshold| threshold.by == Some(Window::Day)) {
            return Ok(BTreeSet::new());
        }
        let bounds = self.bounds_where(None, Some(judged))?;
        let crossed = bounds.iter().filter(|bound| by_day(bound)).flat_map(Bound::crossed);
        Ok(crossed.map(|part| part.name.clone()).collect())
    }

    /// The bounds; those of shares alone, where what is due is not told. `judged` is read where it is
    /// not told.
    pub(super) fn bounds_where(
        &self,
        due_items: Option<&[DueItem]>,
        judged: Option<&[Judged]>,
    ) -> Result<Vec<Bound>, WorkError> {
        let policy = self.policy()?;
        let asked: BTreeSet<(Measure, Option<Window>)> =
            policy.alert.iter().map(|threshold| (threshold.measure, threshold.by)).collect();
        let mut judged: Option<Cow<'_, [Judged]>> = judged.map(Cow::Borrowed);
        let mut values: BTreeMap<Measure, Result<f64, &'static str>> = BTreeMap::new();
        let mut parts: BTreeMap<(Measure, Option<Window>), Vec<Part>> = BTreeMap::new();
        for (measure, by) in asked {
            if measure.is_share() {
                let found = self.parts(measure, by, &mut judged)?;
                parts.insert((measure, by), found);
            } else if let Some(due_items) = due_items {
                values.insert(measure, self.figure(measure, due_items)?);
            }
        }
        let flagged_alone = judged.as_deref().is_some_and(|judged| fair(judged).flagged_alone);
        let is_lead = self.is_lead()?;
        // Chance is the same for whoever looks; of reviewers leads alone are told.
        let looked_at = parts.values().map(Vec::len).sum();
        if !is_lead {
            parts.retain(|(measure, _), _| *measure != Measure::ReviewerGold);
        }
        let bound = |threshold: &Threshold| {
            let parts = parts.get(&(threshold.measure, threshold.by)).cloned().unwrap_or_default();
            let shares = parts.iter().map(Part::share);
            let furthest = match threshold.is_lower() {
                true => shares.min_by(f64::total_cmp),
                false => shares.max_by(f64::total_cmp),
            };
            let value = values.get(&threshold.measure).copied();
            let none = match threshold.measure {
                Measure::ReviewerGold if is_lead => {
                    "nobody labeled gold items in weeks that are over"
                }
                Measure::ReviewerGold => "leads are told",
                _ => "nothing turned out yet",
            };
            let value = value.unwrap_or_else(|| furthest.ok_or(none));
            let flagged_alone =
                flagged_alone && matches!(threshold.measure, Measure::Accuracy | Measure::Wrong);
            Bound { threshold: *threshold, value, parts, looked_at, flagged_alone }
        };
        Ok(policy.alert.iter().map(bound).collect())
    }

    /// The shares that a measure is of: of predictions that turned out right or wrong, of settled
    /// labels that are contradicted, of gold items that a reviewer labels right, up to the
    /// beginning of the week.
    fn parts(
        &self,
        what: Measure,
        by: Option<Window>,
        judged: &mut Option<Cow<'_, [Judged]>>,
    ) -> Result<Vec<Part>, WorkError> {
        if what == Measure::LabelErrors {
            let (wrong, n) = self.contradicted_labels()?;
            let whole = Part { name: String::new(), hits: wrong.len() as u64, n };
            return Ok(vec![whole].into_iter().filter(|part| part.n > 0).collect());
        }
        if what == Measure::ReviewerGold {
            let all = reliability(&self.db.conn, &self.policy()?, self.now().monday())?;
            let known = all.into_iter().filter(|one| one.with_known.n > 0.0);
            let part = |one: crate::review::reliability::Reliability| {
                let n = one.with_known.n;
                let hits = (one.with_known.value.unwrap_or_default() * n).round() as u64;
                Part { name: one.reviewer, hits, n: n as u64 }
            };
            return Ok(known.map(part).collect());
        }
        if judged.is_none() {
            *judged = Some(self.judged()?.into());
        }
        let by = match by {
            None => By::All,
            Some(Window::Day) => By::Day,
            Some(Window::Week) => By::Week,
        };
        let found = groups(&fair(judged.as_deref().unwrap_or_default()).judged, by);
        let part = |group: crate::retrain::outcomes::Group| Part {
            name: if by == By::All { String::new() } else { group.name },
            hits: if what == Measure::Accuracy { group.right } else { group.n - group.right },
            n: group.n,
        };
        let mut parts: Vec<Part> =
            found.into_iter().filter(|group| group.n > 0).map(part).collect();
        parts.drain(..parts.len().saturating_sub(WINDOWS_MAX));
        Ok(parts)
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
                Ok(raised.filter(|alarm| alarm.is_open()).count() as f64)
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
            Measure::Accuracy | Measure::Wrong | Measure::LabelErrors | Measure::ReviewerGold => {
                Err("it is a share")
            }
            Measure::Alpha => {
                let made =
                    ratings(conn, MAIN_ROUND, Which::GivenBlind, &[Rated::Outcome(policy.on)])?;
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
}
