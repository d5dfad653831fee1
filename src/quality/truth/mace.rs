//! Each reviewer either knows the answer or guesses, in a way of their own (Hovy, Berg-Kirkpatrick,
//! Vaswani and Hovy, "Learning whom to trust with MACE", 2013, section 3): variational Bayes with
//! symmetric priors, from ten random starts, of which the one under which the labels are likeliest
//! is kept. A class is as likely as any other beforehand.

use statrs::function::gamma::digamma;

use super::{Estimate, Fitting, Reviewer, mean_beliefs, right_of};
use crate::domain::random::SplitMix64;
use crate::quality::ratings::Ratings;

const STARTS: usize = 10;
/// Rounds of each start, as the paper's program has them.
const ROUNDS_MAX: usize = 50;
/// Priors of knowing and of guessing (Beta), and of ways to guess (Dirichlet): the paper's.
const KNOWS: f64 = 0.5;
const GUESSES: f64 = 0.5;
const WAY: f64 = 10.0;

/// What a start came to.
#[derive(Default)]
struct Start {
    likelihood: f64,
    beliefs: Vec<f64>,
    habits: Habits,
    rounds: usize,
    at_rest: bool,
}

/// What is believed of reviewers.
#[derive(Default)]
struct Habits {
    /// How often each knows and guesses.
    knows: Vec<f64>,
    guesses: Vec<f64>,
    /// By reviewer and class: how often they guess it.
    ways: Vec<f64>,
}

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let mut dice = SplitMix64::new(fitting.seed);
    let mut best: Option<Start> = None;
    for _ in 0..STARTS {
        let n = ratings.reviewers.len();
        let mut any = |n: usize| -> Vec<f64> { (0..n).map(|_| 1.0 + dice.share()).collect() };
        let (knows, ways) = (any(n), any(n * k));
        let mut habits =
            Habits { guesses: knows.iter().map(|knows| 3.0 - knows).collect(), knows, ways };
        habits.normalize(k, |share, all| share / all);
        let mut beliefs = vec![0.0; ratings.tasks.len() * k];
        let (mut likelihood, mut rounds, mut at_rest) = (f64::NEG_INFINITY, 0, false);
        while rounds < ROUNDS_MAX.min(fitting.iterations) && !at_rest {
            rounds += 1;
            let (next, now) = round(ratings, &habits, &mut beliefs, k);
            habits = next;
            // Expectations of logarithms: not quite shares any more.
            habits.normalize(k, |share, all| (digamma(share) - digamma(all)).exp());
            let gained = now - likelihood;
            likelihood = now;
            at_rest = gained.abs() <= 1e-9 * now.abs();
        }
        if best.as_ref().is_none_or(|other| likelihood > other.likelihood) {
            best = Some(Start { likelihood, beliefs, habits, rounds, at_rest });
        }
    }
    let Start { likelihood, beliefs, habits, rounds, at_rest } = best.unwrap_or_default();
    let priors = mean_beliefs(ratings, &beliefs, k);
    let labels = right_of(ratings, &beliefs, k);
    let knows =
        habits.knows.iter().zip(&habits.guesses).map(|(knows, guesses)| knows / (knows + guesses));
    let reviewers = knows
        .zip(labels)
        .map(|(skill, (_, labels))| Reviewer { skill, labels, confusion: None })
        .collect();
    Estimate {
        beliefs,
        classes: k,
        priors,
        reviewers,
        iterations: rounds,
        converged: at_rest,
        log_likelihood: Some(likelihood),
    }
}

/// Beliefs under these habits, with the habits that they come to, counted with their priors; and
/// the log-likelihood.
fn round(ratings: &Ratings, habits: &Habits, beliefs: &mut [f64], k: usize) -> (Habits, f64) {
    let n = ratings.reviewers.len();
    let mut counted =
        Habits { knows: vec![KNOWS; n], guesses: vec![GUESSES; n], ways: vec![WAY; n * k] };
    let mut likelihood = 0.0;
    for (task, beliefs) in beliefs.chunks_exact_mut(k).enumerate() {
        let given = ratings.of_task(task);
        if given.is_empty() {
            continue;
        }
        beliefs.fill(0.0);
        for rating in given {
            let who = rating.reviewer as usize;
            let by_guess = habits.guesses[who] * habits.ways[who * k + rating.value as usize];
            let common = by_guess.max(1e-300).ln();
            let known = (habits.knows[who] + by_guess).max(1e-300).ln();
            for (class, log) in beliefs.iter_mut().enumerate() {
                *log += if class == rating.value as usize { known } else { common };
            }
        }
        likelihood += super::normalize_logs(beliefs) - (k as f64).ln();
        for rating in given {
            let (who, said) = (rating.reviewer as usize, rating.value as usize);
            let by_guess = habits.guesses[who] * habits.ways[who * k + said];
            let knew =
                beliefs[said] * habits.knows[who] / (habits.knows[who] + by_guess).max(1e-300);
            counted.knows[who] += knew;
            counted.guesses[who] += 1.0 - knew;
            counted.ways[who * k + said] += 1.0 - knew;
        }
    }
    (counted, likelihood)
}

impl Habits {
    fn normalize(&mut self, k: usize, to: impl Fn(f64, f64) -> f64) {
        for (knows, guesses) in self.knows.iter_mut().zip(&mut self.guesses) {
            let all = *knows + *guesses;
            (*knows, *guesses) = (to(*knows, all), to(*guesses, all));
        }
        for ways in self.ways.chunks_mut(k.max(1)) {
            let all: f64 = ways.iter().sum();
            ways.iter_mut().for_each(|way| *way = to(*way, all));
        }
    }
}
