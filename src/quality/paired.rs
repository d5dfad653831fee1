//! What changed between two rounds of the same people on the same cases: the change of alpha with
//! an interval, and a paired test.
//!
//! The test asks whether the share of pairs that agree on a case changed: under the hypothesis that
//! nothing did, the sign of each case's change is a coin (Fisher, "The design of experiments",
//! 1935, section 21: randomization of paired differences). With up to [`EXACT_MAX`] cases that
//! changed every combination of signs is looked at, with more a number of them drawn with a seed.

use super::agreement::Resampling;
use super::figure::{Figure, middle};
use crate::domain::random::SplitMix64;

/// Up to this many changed cases all combinations of signs are counted.
pub const EXACT_MAX: usize = 16;
/// Combinations drawn otherwise.
const DRAWN: usize = 20_000;

/// How often each value was given to one case.
pub type Counts = Vec<u32>;

/// What changed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Paired {
    /// Cases that have two labels or more in both rounds.
    pub cases: usize,
    /// Krippendorff's nominal alpha of the same people on the same cases in the first round, in the
    /// second, and what it changed by.
    pub before: Figure,
    pub after: Figure,
    pub change: Figure,
    /// Cases on which more pairs agree than before, and on which fewer do.
    pub better: usize,
    pub worse: usize,
    /// How often a change as large would come about if nothing had changed, both ways; nothing if
    /// no case changed.
    pub p: Option<f64>,
}

/// Krippendorff's nominal alpha of cases, each counted `times` (Krippendorff, "Computing
/// Krippendorff's alpha-reliability", 2011).
pub fn nominal<'c>(cases: impl Iterator<Item = (&'c Counts, u32)>) -> Result<f64, &'static str> {
    let (mut all, mut observed) = (0.0, 0.0);
    let mut of_value: Vec<f64> = Vec::new();
    for (counts, times) in cases {
        let labels: u32 = counts.iter().sum();
        if labels < 2 || times == 0 {
            continue;
        }
        let (labels, times) = (f64::from(labels), f64::from(times));
        all += labels * times;
        if of_value.len() < counts.len() {
            of_value.resize(counts.len(), 0.0);
        }
        for (value, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let n = f64::from(*n);
            of_value[value] += n * times;
            observed += n * (labels - n) / (labels - 1.0) * times;
        }
    }
    if all == 0.0 {
        return Err(super::agreement::because::NO_OVERLAP);
    }
    let expected = (all * all - of_value.iter().map(|n| n * n).sum::<f64>()) / (all - 1.0);
    if expected == 0.0 {
        Err(super::agreement::because::ONE_CLASS)
    } else {
        Ok(1.0 - observed / expected)
    }
}

/// Share of pairs of labels that agree.
fn agreeing(counts: &Counts) -> f64 {
    let labels = f64::from(counts.iter().sum::<u32>());
    counts.iter().map(|n| f64::from(*n) * (f64::from(*n) - 1.0)).sum::<f64>()
        / (labels * (labels - 1.0))
}

/// Compares two rounds, case by case.
pub fn compare(cases: &[[Counts; 2]], resampling: Resampling) -> Paired {
    let several = |counts: &Counts| counts.iter().sum::<u32>() > 1;
    let cases: Vec<&[Counts; 2]> =
        cases.iter().filter(|rounds| rounds.iter().all(several)).collect();
    let alpha = |round: usize, times: &[u32]| {
        nominal(cases.iter().map(|rounds| &rounds[round]).zip(times.iter().copied()))
    };
    let once = vec![1; cases.len()];
    let [before, after] = [alpha(0, &once), alpha(1, &once)];
    let mut drawn: [Vec<f64>; 3] = Default::default();
    let mut dice = SplitMix64::new(resampling.seed);
    let draws = if cases.len() < 2 { 0 } else { resampling.times };
    for _ in 0..draws {
        let mut times = vec![0; cases.len()];
        (0..cases.len()).for_each(|_| times[dice.below(cases.len())] += 1);
        let [one, two] =
            [alpha(0, &times), alpha(1, &times)].map(|alpha| alpha.unwrap_or(f64::NAN));
        drawn.iter_mut().zip([one, two, two - one]).for_each(|(drawn, value)| drawn.push(value));
    }
    let changes: Vec<f64> = cases
        .iter()
        .map(|[one, two]| agreeing(two) - agreeing(one))
        .filter(|by| by.abs() > 1e-12)
        .collect();
    let change = before.and_then(|before| after.map(|after| after - before));
    let mut figures = [before, after, change].into_iter().zip(drawn);
    let mut next = || {
        let figure = figures
            .next()
            .map(|(value, drawn)| Figure::new(value, cases.len()).with(middle(drawn)));
        figure.unwrap_or_else(|| Figure::new(Err("it was not computed"), 0))
    };
    Paired {
        cases: cases.len(),
        before: next(),
        after: next(),
        change: next(),
        better: changes.iter().filter(|by| **by > 0.0).count(),
        worse: changes.iter().filter(|by| **by < 0.0).count(),
        p: test(&changes, &mut dice),
    }
}

/// How often the sum of changes is as far from nothing, if each sign were a coin.
fn test(changes: &[f64], dice: &mut SplitMix64) -> Option<f64> {
    if changes.is_empty() {
        return None;
    }
    let seen = changes.iter().sum::<f64>().abs() - 1e-9;
    let far = |signs: &mut dyn FnMut(usize) -> bool| {
        let sum: f64 =
            changes.iter().enumerate().map(|(at, by)| if signs(at) { *by } else { -by }).sum();
        sum.abs() >= seen
    };
    if changes.len() <= EXACT_MAX {
        let all = 1_u32 << changes.len();
        let as_far = (0..all).filter(|signs| far(&mut |at| signs >> at & 1 == 1)).count();
        return Some(as_far as f64 / f64::from(all));
    }
    let as_far = (0..DRAWN).filter(|_| far(&mut |_| dice.roll() >> 63 == 1)).count();
    // The change itself is one of the ways.
    Some((as_far + 1) as f64 / (DRAWN + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_that_of_the_paper() {
        // Krippendorff 2011, section C: values 1 to 5 of twelve units, four observers, missing
        // values.
        let units = [
            "111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3",
        ];
        let counts: Vec<Counts> = units
            .iter()
            .map(|unit| {
                (1..=5)
                    .map(|value: u32| {
                        unit.chars().filter(|c| c.to_digit(10) == Some(value)).count() as u32
                    })
                    .collect()
            })
            .collect();
        let alpha = nominal(counts.iter().map(|counts| (counts, 1))).unwrap();
        assert!((alpha - 0.743).abs() < 5e-4, "{alpha}");
    }

    #[test]
    fn the_test_counts_signs() {
        let resampling = Resampling { times: 200, seed: 1 };
        let check = |cases: Vec<[Counts; 2]>, better: usize, worse: usize, p: Option<f64>| {
            let found = compare(&cases, resampling);
            assert_eq!((found.better, found.worse, found.p), (better, worse, p));
            assert_eq!(found, compare(&cases, resampling));
            assert!(!serde_json::to_string(&found).unwrap().contains("NaN"));
        };
        let (split, same, other) = (vec![1, 1], vec![2, 0], vec![0, 2]);
        // Five changes all for the better: all signs alike either way, 2 of 32.
        let better = |n| vec![[split.clone(), same.clone()]; n];
        check([better(4), vec![[split.clone(), other.clone()]]].concat(), 5, 0, Some(2.0 / 32.0));
        check(vec![[same.clone(), same.clone()], [other.clone(), other.clone()]], 0, 0, None);
        check(vec![], 0, 0, None);
        check(vec![[split.clone(), vec![1, 0]]], 0, 0, None);
        let found = compare(&[better(30), vec![[other.clone(), other]; 10]].concat(), resampling);
        assert!(
            found.p.unwrap() < 0.001
                && found.change.value.unwrap() > 0.5
                && found.change.interval.is_some()
        );
    }
}
