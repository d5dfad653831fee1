//! How steady each reviewer is: the same answer on old cases, right answers on known ones,
//! agreement with others, pace; and whether that drifts from week to week.
//!
//! These figures are about a person, who sees them first: others see them up to the beginning of
//! the week, with intervals, in the order of names. There is no ranking.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Serialize, Serializer};

use super::gold;
use crate::db::{label, renames};
use crate::domain::estimate::class_of;
use crate::domain::label::{
    GOLD_ROUND, GivenLabel, MAIN_ROUND, given_blind, is_repeat, that_count_in,
};
use crate::domain::policy::Policy;
use crate::domain::time::Moment;
use crate::journal::views;
use crate::quality::figure::{Figure, wilson};

/// Weeks that are told apart.
const WEEKS_MAX: usize = 12;
/// Fewest labels on either side from which a drift is told.
const DRIFT_LABELS_MIN: f64 = 20.0;

/// A share with its interval; nothing where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Share {
    pub n: f64,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
}

/// As a figure, and how many it rests on is a whole number.
impl Serialize for Share {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value = self.value.ok_or("there is nothing to compare yet");
        Figure::new(value, self.n as usize).with(self.interval).serialize(to)
    }
}

/// A usual time, in milliseconds and as it was told before.
fn median_written<S: Serializer>(seconds: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Written {
        median_ms: Option<u64>,
        median_seconds: Option<f64>,
    }
    let median_ms = seconds.map(|seconds| (seconds * 1_000.0).round() as u64);
    Written { median_ms, median_seconds: *seconds }.serialize(to)
}

impl Share {
    fn of(right: f64, n: f64) -> Self {
        let value = (n > 0.0).then(|| right / n);
        Self { n, value, interval: value.and_then(|value| wilson(value, n)) }
    }

    /// `87.5 % (52.9 to 97.8) of 8`.
    pub fn describe(&self) -> String {
        match (self.value, self.interval) {
            (Some(value), Some((low, high))) => {
                format!(
                    "{:.1} % ({:.1} to {:.1}) of {:.0}",
                    value * 100.0,
                    low * 100.0,
                    high * 100.0,
                    self.n
                )
            }
            _ => "none yet".to_owned(),
        }
    }
}

/// A week of a reviewer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Week {
    #[serde(with = "crate::domain::time::rfc3339")]
    pub from: Moment,
    pub labels: usize,
    /// With others' labels of the same cases.
    pub agreement: Share,
    #[serde(flatten, serialize_with = "median_written")]
    pub median_seconds: Option<f64>,
}

/// How often somebody answers a question right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtQuestion {
    pub question: String,
    pub skill: f64,
}

/// One reviewer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    pub reviewer: String,
    pub labels: usize,
    /// On old cases that came back.
    pub with_self: Share,
    /// On cases whose answer is known.
    pub with_known: Share,
    /// On cases that others labeled too: the mean share of them who say the same.
    pub with_others: Share,
    #[serde(flatten, serialize_with = "median_written")]
    pub median_seconds: Option<f64>,
    /// How often right at each question of the protocol, as what is recorded for the policy's model
    /// of truth has it.
    pub questions: Vec<AtQuestion>,
    pub weeks: Vec<Week>,
    /// What has changed between the weeks before and the last two, if the intervals do not meet.
    pub drift: Option<String>,
}

/// What was given in one week.
#[derive(Default, Clone)]
struct InWeek {
    labels: usize,
    /// With how many of the others, of how many.
    with_others: (f64, f64),
    seconds: Vec<f64>,
}

#[derive(Default)]
struct Tally {
    labels: usize,
    with_self: (f64, f64),
    with_known: (f64, f64),
    with_others: (f64, f64),
    seconds: Vec<f64>,
    /// By Monday.
    weeks: BTreeMap<i64, InWeek>,
}

/// Every reviewer by name, from labels given before `until`.
pub fn reliability(
    conn: &Connection,
    policy: &Policy,
    until: Moment,
) -> rusqlite::Result<Vec<Reliability>> {
    let renamed = renames::all(conn)?;
    let known: BTreeMap<_, _> =
        gold::all(conn)?.into_iter().map(|gold| (gold.case, gold)).collect();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let class = |given: &GivenLabel| class_of(&renamed.outcome(&given.label), &policy.on);
    label::for_each_case(conn, |all| {
        for given in that_count_in(&all, MAIN_ROUND) {
            if given.given_at() >= until {
                continue;
            }
            let tally = tallies.entry(given.label.reviewer.clone()).or_default();
            let week = tally.weeks.entry(given.given_at().monday().0).or_default();
            tally.labels += 1;
            week.labels += 1;
            if let Some(ms) = given.label.duration_ms {
                tally.seconds.push(ms as f64 / 1000.0);
                week.seconds.push(ms as f64 / 1000.0);
            }
        }
        // What is compared was given blind.
        let labels = given_blind(&all);
        let of = |round: &'static str| {
            labels.iter().copied().filter(move |given| given.label.round == round)
        };
        for given in of(MAIN_ROUND).filter(|given| given.given_at() < until) {
            let tally = tallies.entry(given.label.reviewer.clone()).or_default();
            let week = tally.weeks.entry(given.given_at().monday().0).or_default();
            let mine = class(given);
            let others: Vec<_> = of(MAIN_ROUND)
                .filter(|other| other.label.reviewer != given.label.reviewer)
                .collect();
            if !others.is_empty() {
                let same = others.iter().filter(|other| class(other) == mine).count() as f64
                    / others.len() as f64;
                tally.with_others.0 += same;
                tally.with_others.1 += 1.0;
                week.with_others.0 += same;
                week.with_others.1 += 1.0;
            }
            let again = labels.iter().find(|other| {
                is_repeat(&other.label.round)
                    && other.label.reviewer == given.label.reviewer
                    && other.given_at() < until
            });
            if let Some(again) = again {
                tally.with_self.0 += f64::from(u8::from(class(again) == mine));
                tally.with_self.1 += 1.0;
            }
        }
        for given in of(GOLD_ROUND).filter(|given| given.given_at() < until) {
            let Some(gold) = known.get(&given.label.case) else { continue };
            let right =
                class_of(&renamed.of_version(Some(&gold.protocol), &gold.outcome), &policy.on)
                    == class(given);
            let tally = tallies.entry(given.label.reviewer.clone()).or_default();
            tally.with_known.0 += f64::from(u8::from(right));
            tally.with_known.1 += 1.0;
        }
    })?;
    let paths = views::estimate_of(conn, policy)?.and_then(|estimate| estimate.paths);
    let at_questions = |reviewer: &str| -> Vec<AtQuestion> {
        let shares = paths.iter().flat_map(|paths| paths.right_at(reviewer));
        shares
            .map(|(question, skill)| AtQuestion { question: question.to_owned(), skill })
            .collect()
    };
    let summed = |(reviewer, tally): (String, Tally)| Reliability {
        questions: at_questions(&reviewer),
        ..summed(reviewer, tally)
    };
    Ok(tallies.into_iter().map(summed).collect())
}

fn summed(reviewer: String, mut tally: Tally) -> Reliability {
    let share = |(right, n): (f64, f64)| Share::of(right, n);
    let weeks: Vec<(i64, InWeek)> = std::mem::take(&mut tally.weeks).into_iter().collect();
    let drift = drift(&weeks);
    let skip = weeks.len().saturating_sub(WEEKS_MAX);
    let week = |(from, mut week): (i64, InWeek)| Week {
        from: Moment(from),
        labels: week.labels,
        agreement: share(week.with_others),
        median_seconds: median(&mut week.seconds),
    };
    Reliability {
        reviewer,
        labels: tally.labels,
        with_self: share(tally.with_self),
        with_known: share(tally.with_known),
        with_others: share(tally.with_others),
        median_seconds: median(&mut tally.seconds),
        questions: Vec::new(),
        weeks: weeks.into_iter().skip(skip).map(week).collect(),
        drift,
    }
}

/// Whether the last two weeks differ from those before.
fn drift(weeks: &[(i64, InWeek)]) -> Option<String> {
    let split = weeks.len().checked_sub(2).filter(|split| *split > 0)?;
    let agreement = |weeks: &[(i64, InWeek)]| {
        let sum = weeks
            .iter()
            .map(|(_, week)| week.with_others)
            .fold((0.0, 0.0), |(same, n), (more, of)| (same + more, n + of));
        Share::of(sum.0, sum.1)
    };
    let seconds = |weeks: &[(i64, InWeek)]| {
        let mut all: Vec<f64> =
            weeks.iter().flat_map(|(_, week)| week.seconds.iter().copied()).collect();
        (all.len() as f64, median(&mut all))
    };
    let mut words = Vec::new();
    let (before, now) = (agreement(&weeks[..split]), agreement(&weeks[split..]));
    if let (Some((low, high)), Some((low_now, high_now))) = (before.interval, now.interval)
        && before.n >= DRIFT_LABELS_MIN
        && now.n >= DRIFT_LABELS_MIN
        && (high_now < low || low_now > high)
    {
        let (was, is) =
            (before.value.unwrap_or_default() * 100.0, now.value.unwrap_or_default() * 100.0);
        words.push(format!("agreement with others went from {was:.0} % to {is:.0} %"));
    }
    let ((n, was), (n_now, is)) = (seconds(&weeks[..split]), seconds(&weeks[split..]));
    if let (Some(was), Some(is)) = (was, is)
        && n >= DRIFT_LABELS_MIN
        && n_now >= DRIFT_LABELS_MIN
        && (is < was / 2.0 || is > was * 2.0)
    {
        words.push(format!("the usual time for a label went from {was:.0} s to {is:.0} s"));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    Some(values[values.len() / 2])
}

impl Reliability {
    /// In words, a line each.
    pub fn describe(&self) -> Vec<String> {
        let pace = |seconds: Option<f64>| {
            seconds.map_or("none yet".to_owned(), |seconds| format!("{seconds:.0} s"))
        };
        let mut lines = vec![
            format!("{}: {} labels", self.reviewer, self.labels),
            format!("  the same on old cases     {}", self.with_self.describe()),
            format!("  right on known cases      {}", self.with_known.describe()),
            format!("  the same as others        {}", self.with_others.describe()),
            format!("  usual time for a label    {}", pace(self.median_seconds)),
        ];
        let at = |at: &AtQuestion| format!("{} {:.0} %", at.question, at.skill * 100.0);
        if !self.questions.is_empty() {
            let words: Vec<String> = self.questions.iter().map(at).collect();
            lines.push(format!("  right at each question    {}", words.join(" · ")));
        }
        lines.extend(
            self.drift.as_ref().map(|drift| format!("  in the last two weeks     {drift}")),
        );
        if self.weeks.len() > 1 {
            lines.push(format!(
                "  {:<12} {:>7} {:>7}  {}",
                "week from", "labels", "time", "the same as others"
            ));
        }
        for week in self.weeks.iter().filter(|_| self.weeks.len() > 1) {
            let (pace, agreement) = (pace(week.median_seconds), week.agreement.describe());
            lines.push(format!(
                "  {:<12} {:>7} {pace:>7}  {agreement}",
                week.from.date().to_string(),
                week.labels
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_drifts_are_told_only_where_intervals_do_not_meet() {
        assert_eq!(Moment(1_780_000_000_000).monday().date().to_string(), "2026-05-25");
        let week = |from: i64, same: f64, n: f64, seconds: f64| {
            (
                from,
                InWeek {
                    labels: n as usize,
                    with_others: (same * n, n),
                    seconds: vec![seconds; n as usize],
                },
            )
        };
        let good = [week(0, 0.9, 50.0, 20.0), week(1, 0.9, 50.0, 20.0), week(2, 0.9, 50.0, 18.0)];
        assert_eq!(drift(&good), None);
        let bad = [week(0, 0.9, 50.0, 20.0), week(1, 0.5, 50.0, 20.0), week(2, 0.5, 50.0, 5.0)];
        assert_eq!(drift(&bad).unwrap(), "agreement with others went from 90 % to 50 %");
        let hasty = [week(0, 0.9, 50.0, 20.0), week(1, 0.9, 50.0, 8.0), week(2, 0.9, 50.0, 5.0)];
        assert!(drift(&hasty).unwrap().starts_with("the usual time"));
        assert_eq!(
            drift(&[week(0, 0.9, 5.0, 1.0), week(1, 0.1, 5.0, 1.0), week(2, 0.1, 5.0, 1.0)]),
            None,
            "too few to tell"
        );
    }
}
