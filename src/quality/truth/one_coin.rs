//! Each reviewer is right with one share, and wrong in every way alike: the one-coin form of Dawid and Skene's model (Zhang, Chen,
//! Zhou and Jordan, "Spectral methods meet EM", 2014, section 2).

use super::{Estimate, Fitting, Reviewer, label_shares, mean_beliefs, normalize_logs, right_of};
use crate::quality::ratings::Ratings;

const LEAST: f64 = 1e-10;

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let mut beliefs = label_shares(ratings);
    let mut priors = mean_beliefs(ratings, &beliefs, k);
    let skills = |beliefs: &[f64]| -> Vec<f64> {
        let wrong = k.saturating_sub(1) as f64;
        let skill = |(right, labels): (f64, usize)| {
            (right + fitting.smoothing) / (labels as f64 + fitting.smoothing * (1.0 + wrong)).max(LEAST)
        };
        right_of(ratings, beliefs, k).into_iter().map(skill).collect()
    };
    let mut skill = skills(&beliefs);
    let (mut iterations, mut converged, mut log_likelihood) = (0, false, None);
    while iterations < fitting.iterations && !converged {
        let (change, likelihood) = expect(ratings, &priors, &skill, &mut beliefs, k);
        priors = mean_beliefs(ratings, &beliefs, k);
        skill = skills(&beliefs);
        iterations += 1;
        log_likelihood = Some(likelihood);
        converged = change <= fitting.tolerance;
    }
    let labels = right_of(ratings, &beliefs, k);
    let reviewer = |(skill, (_, labels)): (f64, (f64, usize))| Reviewer { skill, labels, confusion: None };
    let reviewers = skill.into_iter().zip(labels).map(reviewer).collect();
    Estimate { beliefs, classes: k, priors, reviewers, iterations, converged, log_likelihood }
}

fn expect(ratings: &Ratings, priors: &[f64], skill: &[f64], beliefs: &mut [f64], k: usize) -> (f64, f64) {
    let priors: Vec<f64> = priors.iter().map(|prior| prior.max(LEAST).ln()).collect();
    let wrong = k.saturating_sub(1).max(1) as f64;
    // What a class gains by a label of it, beside what every class gets by that label.
    let logs_of: Vec<(f64, f64)> =
        skill.iter().map(|skill| (skill.max(LEAST).ln(), ((1.0 - skill) / wrong).max(LEAST).ln())).collect();
    let (mut change, mut likelihood) = (0.0_f64, 0.0);
    let mut logs = vec![0.0; k];
    for (task, of_task) in beliefs.chunks_exact_mut(k).enumerate() {
        let given = ratings.of_task(task);
        if given.is_empty() {
            continue;
        }
        logs.copy_from_slice(&priors);
        for rating in given {
            let (right, wrong) = logs_of[rating.reviewer as usize];
            for (class, log) in logs.iter_mut().enumerate() {
                *log += if class == rating.value as usize { right } else { wrong };
            }
        }
        likelihood += normalize_logs(&mut logs);
        for (old, new) in of_task.iter_mut().zip(&logs) {
            change = change.max((*old - new).abs());
            *old = *new;
        }
    }
    (change, likelihood)
}
