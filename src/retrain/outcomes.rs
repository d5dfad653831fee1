//! What became of predictions, by what turned out to be right: how often the model was, by day,
//! model, trap or category, and where that is below what a team asks for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::ids::CaseId;
use crate::domain::time::Moment;
use crate::quality::figure::{Figure, wilson};
use crate::quality::mcnemar::at_most;

/// A prediction of which something turned out.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub case: CaseId,
    pub day: String,
    pub model: String,
    pub traps: Vec<String>,
    pub category: String,
    /// Whether the prediction was right; none where what turned out is a number alone.
    pub right: Option<bool>,
    pub confidence: Option<f64>,
    /// Whether it was drawn from all predictions alike, so that it can speak for them: by a trap that
    /// samples, or because every prediction became a case.
    pub is_fair: bool,
}

/// The outcomes that say how good a model is.
pub struct Fair<'j> {
    pub judged: Cow<'j, [Judged]>,
    /// Nothing is known of any that no trap flagged: what was flagged does not stand for all
    /// predictions.
    pub flagged_alone: bool,
}

/// Of predictions that turned out, those that speak for all of them; where there are none, all.
pub fn fair(judged: &[Judged]) -> Fair<'_> {
    let drawn: Vec<Judged> = judged.iter().filter(|one| one.is_fair).cloned().collect();
    match drawn.len() {
        0 => Fair { judged: judged.into(), flagged_alone: !judged.is_empty() },
        n if n == judged.len() => Fair { judged: judged.into(), flagged_alone: false },
        _ => Fair { judged: drawn.into(), flagged_alone: false },
    }
}

/// By what outcomes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    All,
    Day,
    Week,
    Model,
    Trap,
    Slice,
}

impl By {
    pub const NAMES: [&'static str; 5] = ["day", "week", "model", "trap", "slice"];

    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "day" => Self::Day,
            "week" => Self::Week,
            "model" => Self::Model,
            "trap" => Self::Trap,
            "slice" => Self::Slice,
            _ => return None,
        })
    }
}

/// How good the model was on some predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    pub cases: Vec<CaseId>,
    pub n: u64,
    pub right: u64,
    pub accuracy: Figure,
    /// The mean of the model's own confidence: its opinion, not what it is worth.
    pub expected: Figure,
}

/// Groups by name.
pub fn groups(judged: &[Judged], by: By) -> Vec<Group> {
    #[derive(Default)]
    struct Sums {
        cases: Vec<CaseId>,
        n: u64,
        right: u64,
        sure: f64,
        said: u64,
    }
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for one in judged {
        let names = match by {
            By::All => vec!["all".to_owned()],
            By::Day => vec![one.day.clone()],
            By::Week => vec![week_of(&one.day)],
            By::Model => vec![one.model.clone()],
            By::Trap => one.traps.clone(),
            By::Slice => vec![one.category.clone()],
        };
        for name in names {
            let sum = sums.entry(name).or_default();
            sum.cases.push(one.case);
            if let Some(right) = one.right {
                sum.n += 1;
                sum.right += u64::from(right);
            }
            if let Some(confidence) = one.confidence {
                sum.said += 1;
                sum.sure += confidence;
            }
        }
    }
    let group = |(name, sums): (String, Sums)| {
        let (n, right) = (sums.n as f64, sums.right as f64);
        let accuracy = match sums.n {
            0 => Figure::new(Err("no outcome says whether it was right"), 0),
            _ => Figure::new(Ok(right / n), sums.n as usize).with(wilson(right / n, n)),
        };
        let expected = match sums.said {
            0 => Err("the model said no confidence"),
            _ => Ok(sums.sure / sums.said as f64),
        };
        let expected = Figure::new(expected, sums.said as usize);
        Group { name, cases: sums.cases, n: sums.n, right: sums.right, accuracy, expected }
    };
    sums.into_iter().map(group).collect()
}

/// The Monday of a day's week.
fn week_of(day: &str) -> String {
    let at = Moment::parse(&format!("{day}T00:00:00Z"));
    at.map_or_else(|| day.to_owned(), |at| at.monday().date().to_string())
}

/// How often something may look as if a bound were crossed, of all that is looked at.
pub const ALARM_SHARE: f64 = 0.05;

/// Whether a share of `hits` in `n` lies below `target` by more than chance, where so many windows
/// and measures are looked at.
pub fn is_below(hits: u64, n: u64, target: f64, looked_at: usize) -> bool {
    n > 0 && at_most(hits, n, target) < ALARM_SHARE / looked_at.max(1) as f64
}

/// The same above it.
pub fn is_above(hits: u64, n: u64, target: f64, looked_at: usize) -> bool {
    is_below(n - hits.min(n), n, 1.0 - target, looked_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_below_its_target_where_chance_would_not_do_it() {
        // shared/data/loop/outcomes/binomial_housing.json
        let right = [236, 258, 152, 88, 156, 141, 140, 196, 210];
        let below: Vec<usize> = (0..right.len())
            .filter(|at| is_below(right[*at], 300, 0.646_667, right.len()))
            .collect();
        assert_eq!(below, [2, 3, 4, 5, 6]);
        assert!(!is_below(0, 0, 0.5, 1));
        assert!(is_above(40, 50, 0.3, 1) && !is_above(16, 50, 0.3, 1));
    }

    #[test]
    fn predictions_are_counted_by_what_is_asked() {
        let one = |day: &str, right, confidence| Judged {
            case: CaseId([1; 16]),
            day: day.to_owned(),
            model: "m".to_owned(),
            traps: vec!["a".to_owned(), "b".to_owned()],
            category: String::new(),
            right,
            confidence,
            is_fair: true,
        };
        let all = [
            one("1", Some(true), Some(0.8)),
            one("2", Some(false), None),
            one("2", None, Some(0.4)),
        ];
        let told = |by| -> Vec<(String, u64, u64)> {
            groups(&all, by).into_iter().map(|group| (group.name, group.n, group.right)).collect()
        };
        assert_eq!(told(By::Day), [("1".to_owned(), 1, 1), ("2".to_owned(), 1, 0)]);
        assert_eq!(told(By::Week), [("1".to_owned(), 1, 1), ("2".to_owned(), 1, 0)]);
        assert_eq!(
            (week_of("2026-05-31"), week_of("2026-06-01")),
            ("2026-05-25".into(), "2026-06-01".into())
        );
        assert_eq!(told(By::Trap), [("a".to_owned(), 2, 1), ("b".to_owned(), 2, 1)]);
        let expected = &groups(&all, By::All)[0].expected;
        assert!((expected.value.unwrap() - 0.6).abs() < 1e-12, "{expected:?}");
    }
}
