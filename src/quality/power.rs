//! How many cases a session needs to show that people agree better than so much.
//!
//! By simulation with our own alpha: reviewers who know the class with a certain chance and
//! otherwise draw one by the shares of the classes agree to an alpha of that chance squared
//! (observed agreement is p² + (1 − p²)·Σπ², and Σπ² is that by chance). Alpha is shown to lie
//! above a bound when it exceeds what 95 % of sessions would give whose true alpha is the bound.
//! Power is the share of sessions of the true alpha that do.

use super::paired::{Counts, nominal};
use crate::domain::random::SplitMix64;

/// Sessions that are simulated for each number of cases.
const SESSIONS: usize = 400;
/// Most cases that are tried.
pub const CASES_MAX: usize = 2_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What alpha is expected to be, and above what it is to be shown.
    pub alpha: f64,
    pub above: f64,
    pub reviewers: usize,
    /// Shares of the classes.
    pub classes: Vec<f64>,
    /// Chance to show it, 0 to 1.
    pub power: f64,
    pub seed: u64,
}

/// Fewest cases that do; nothing if [`CASES_MAX`] do not.
pub fn cases(question: &Question) -> Option<usize> {
    let enough = |n: usize| power(question, n) >= question.power;
    let mut high = 4;
    while !enough(high) {
        high *= 2;
        if high > CASES_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// Chance to show it with so many cases.
pub fn power(question: &Question, cases: usize) -> f64 {
    // Each number of cases has its own dice, so that it does not matter in what order they are
    // tried.
    let mut dice = SplitMix64::new(question.seed ^ (cases as u64) << 20);
    let mut under = sample(question, question.above, cases, &mut dice);
    under.sort_unstable_by(f64::total_cmp);
    let Some(bound) = under
        .get((under.len() as f64 * 0.95).ceil() as usize - usize::from(!under.is_empty()))
        .copied()
    else {
        return 0.0;
    };
    let found = sample(question, question.alpha, cases, &mut dice);
    found.iter().filter(|alpha| **alpha > bound).count() as f64 / SESSIONS as f64
}

/// Alphas of sessions whose true alpha is this. One in which everybody always said the same shows
/// nothing.
fn sample(question: &Question, alpha: f64, cases: usize, dice: &mut SplitMix64) -> Vec<f64> {
    let knows = alpha.max(0.0).sqrt();
    let draw = |dice: &mut SplitMix64| {
        let mut at = dice.share() * question.classes.iter().sum::<f64>();
        let found = question.classes.iter().position(|share| {
            at -= share;
            at < 0.0
        });
        found.unwrap_or(question.classes.len() - 1)
    };
    let mut alphas = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        let session: Vec<Counts> = (0..cases)
            .map(|_| {
                let mut counts = vec![0; question.classes.len()];
                let truth = draw(dice);
                for _ in 0..question.reviewers {
                    let said = if dice.chance(knows) { truth } else { draw(dice) };
                    counts[said] += 1;
                }
                counts
            })
            .collect();
        alphas.extend(nominal(session.iter().map(|counts| (counts, 1))).ok());
    }
    alphas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(alpha: f64, above: f64, reviewers: usize) -> Question {
        Question { alpha, above, reviewers, classes: vec![0.6, 0.3, 0.1], power: 0.8, seed: 1 }
    }

    #[test]
    fn simulated_sessions_have_the_alpha_that_is_asked_for() {
        for alpha in [0.0, 0.4, 0.8] {
            let all = sample(&question(alpha, 0.0, 4), alpha, 60, &mut SplitMix64::new(3));
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            assert!((mean - alpha).abs() < 0.02, "{mean} and not {alpha}");
        }
    }

    #[test]
    fn what_is_nearer_to_the_bound_or_has_fewer_reviewers_needs_more_cases() {
        let of = |alpha, above, reviewers| cases(&question(alpha, above, reviewers)).unwrap();
        let base = of(0.8, 0.6, 4);
        assert!((8..80).contains(&base), "{base}");
        assert!(of(0.75, 0.6, 4) > base);
        assert!(of(0.8, 0.6, 2) > base);
        assert_eq!(of(0.8, 0.6, 4), base, "the same seed, the same answer");
        assert_eq!(cases(&question(0.61, 0.6, 3)), None, "beyond what anybody would label");
    }
}
