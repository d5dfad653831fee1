//! Each reviewer has a confusion matrix, found together with the truth by expectation and
//! maximization (Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the
//! EM algorithm", 1979, equations 2.3 to 2.5). It begins with the shares of labels in each task; no
//! count of labels is taken for less than 1e-10.

use super::{Climb, Confusion, Estimate, Fitting, LEAST, Reviewer, climb};
use crate::quality::ratings::{Rating, Ratings};

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let Climb { beliefs, priors, parameters, iterations, converged, log_likelihood } = climb(
        ratings,
        fitting,
        |beliefs| maximize(ratings, beliefs, k, fitting.smoothing),
        |said, rating, logs| weigh(said, rating, logs, k),
    );
    let reviewers = reviewers(ratings, &beliefs, &parameters, k);
    Estimate { beliefs, classes: k, priors, reviewers, iterations, converged, log_likelihood }
}

/// Adds to each class how likely a label is of a task of that class.
pub(super) fn weigh(said: &[f64], rating: Rating, logs: &mut [f64], k: usize) {
    let at = (rating.reviewer as usize * k + rating.value as usize) * k;
    logs.iter_mut().zip(&said[at..at + k]).for_each(|(sum, log)| *sum += log);
}

/// By reviewer, class said, and true class: how often they said that of it, by belief.
pub(super) fn said(ratings: &Ratings, beliefs: &[f64], k: usize, smoothing: f64) -> Vec<f64> {
    let mut said = vec![smoothing; ratings.reviewers.len() * k * k];
    for (task, of_task) in beliefs.chunks_exact(k).enumerate() {
        for rating in ratings.of_task(task) {
            let at = (rating.reviewer as usize * k + rating.value as usize) * k;
            said[at..at + k].iter_mut().zip(of_task).for_each(|(sum, belief)| *sum += belief);
        }
    }
    said
}

/// By reviewer, class said, and true class: the logarithm of how often they say that of it.
fn maximize(ratings: &Ratings, beliefs: &[f64], k: usize, smoothing: f64) -> Vec<f64> {
    let mut said = said(ratings, beliefs, k, smoothing);
    // What a reviewer never says is nothing that they could say.
    for row in said.chunks_mut(k).filter(|row| row.iter().any(|n| *n > 0.0)) {
        row.iter_mut().for_each(|n| *n = n.max(LEAST));
    }
    let mut sums = vec![0.0; k];
    for of_reviewer in said.chunks_mut(k * k) {
        sums.fill(0.0);
        of_reviewer
            .chunks(k)
            .for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n));
        for row in of_reviewer.chunks_mut(k) {
            for (n, sum) in row.iter_mut().zip(&sums) {
                *n = if *n > 0.0 { (*n / sum).ln() } else { LEAST.ln() };
            }
        }
    }
    said
}

pub(super) fn reviewers(
    ratings: &Ratings,
    beliefs: &[f64],
    said: &[f64],
    k: usize,
) -> Vec<Reviewer> {
    let mut rests_on = vec![0.0; ratings.reviewers.len() * k];
    let mut right = vec![(0.0, 0); ratings.reviewers.len()];
    for (task, of_task) in beliefs.chunks_exact(k).enumerate() {
        for rating in ratings.of_task(task) {
            let who = rating.reviewer as usize;
            rests_on[who * k..(who + 1) * k]
                .iter_mut()
                .zip(of_task)
                .for_each(|(sum, belief)| *sum += belief);
            right[who].0 += of_task[rating.value as usize];
            right[who].1 += 1;
        }
    }
    let shares = |of_reviewer: &[f64]| {
        let mut shares = vec![0.0; k * k];
        for (observed, row) in of_reviewer.chunks(k).enumerate() {
            row.iter()
                .enumerate()
                .for_each(|(truth, log)| shares[truth * k + observed] = log.exp());
        }
        shares
    };
    let made = said.chunks(k * k).zip(rests_on.chunks(k)).zip(right);
    made.map(|((of_reviewer, rests_on), (right, labels))| Reviewer {
        skill: right / f64::max(1.0, labels as f64),
        labels,
        confusion: Some(Confusion { shares: shares(of_reviewer), rests_on: rests_on.to_vec() }),
    })
    .collect()
}
