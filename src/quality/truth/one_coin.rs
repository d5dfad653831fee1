//! Each reviewer is right with one share, and wrong in every way alike: the one-coin form of Dawid
//! and Skene's model (Zhang, Chen, Zhou and Jordan, "Spectral methods meet EM", 2014, section 2).

use super::{Climb, Estimate, Fitting, LEAST, Reviewer, climb, right_of};
use crate::quality::ratings::Ratings;

/// A reviewer, with what a class gains by a label of it and what every other class does.
struct Coin {
    skill: f64,
    labels: usize,
    right: f64,
    wrong: f64,
}

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let others = k.saturating_sub(1) as f64;
    let coin = |(right, labels): (f64, usize)| {
        let skill = (right + fitting.smoothing)
            / (labels as f64 + fitting.smoothing * (1.0 + others)).max(LEAST);
        let wrong = ((1.0 - skill) / others.max(1.0)).max(LEAST).ln();
        Coin { skill, labels, right: skill.max(LEAST).ln(), wrong }
    };
    let Climb { beliefs, priors, parameters, iterations, converged, log_likelihood } = climb(
        ratings,
        fitting,
        |beliefs| right_of(ratings, beliefs, k).into_iter().map(coin).collect::<Vec<_>>(),
        |coins, rating, logs| {
            let Coin { right, wrong, .. } = coins[rating.reviewer as usize];
            for (class, log) in logs.iter_mut().enumerate() {
                *log += if class == rating.value as usize { right } else { wrong };
            }
        },
    );
    let reviewer = |Coin { skill, labels, .. }: Coin| Reviewer { skill, labels, confusion: None };
    let reviewers = parameters.into_iter().map(reviewer).collect();
    Estimate { beliefs, classes: k, priors, reviewers, iterations, converged, log_likelihood }
}
