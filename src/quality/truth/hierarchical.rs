//! Each reviewer has a confusion matrix, drawn towards what all reviewers do together, and that
//! towards the plain belief that most labels are right: the hierarchical form of Dawid and Skene's
//! model (Kim and Ghahramani, "Bayesian classifier combination", 2012; Paun et al., "Comparing
//! Bayesian models of annotation", 2018, section 3.4). Who has said little is taken for one of the
//! crowd, and a crowd that has said little for people who are mostly right, so that thin labels come
//! to what most say.
//!
//! A row of a reviewer's matrix is a Dirichlet draw around the crowd's row. How near to it they stay
//! (the [`Strength`]: so many labels' worth) is learned from all of them.

use std::cell::Cell;

use super::strength::{Gain, Strength};
use super::{Climb, Estimate, Fitting, climb, dawid_skene};
use crate::quality::ratings::Ratings;

/// The crowd itself is taken to have given so many labels of each class beforehand, of which this
/// share was right.
const CROWD_LABELS: f64 = 10.0;
const CROWD_RIGHT: f64 = 0.7;

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let strength = Cell::new(Strength::default());
    let Climb { beliefs, priors, parameters, iterations, converged, log_likelihood } = climb(
        ratings,
        fitting,
        |beliefs| {
            let mut said = dawid_skene::said(ratings, beliefs, k, fitting.smoothing);
            let mut learned = strength.get();
            let crowd = crowd(&said, k, learned.value);
            learned.learn(|gain| gather(&said, &crowd, k, gain));
            strength.set(learned);
            draw_towards(&mut said, &crowd, k, learned.value);
            said
        },
        |said, rating, logs| dawid_skene::weigh(said, rating, logs, k),
    );
    let reviewers = dawid_skene::reviewers(ratings, &beliefs, &parameters, k);
    Estimate { beliefs, classes: k, priors, reviewers, iterations, converged, log_likelihood }
}

/// Labels of a reviewer on tasks of each class.
fn of_class(of_reviewer: &[f64], k: usize) -> Vec<f64> {
    let mut sums = vec![0.0; k];
    for row in of_reviewer.chunks_exact(k) {
        sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
    }
    sums
}

/// How often each class is said of each true class by all: by class said, then true class. Whoever
/// says much counts for less than all they say, since they are one.
fn crowd(said: &[f64], k: usize, strength: f64) -> Vec<f64> {
    let wrong = (1.0 - CROWD_RIGHT) / k.saturating_sub(1).max(1) as f64;
    let mut crowd = vec![CROWD_LABELS * wrong; k * k];
    (0..k).for_each(|class| crowd[class * k + class] = CROWD_LABELS * CROWD_RIGHT);
    for of_reviewer in said.chunks_exact(k * k) {
        let weights: Vec<f64> =
            of_class(of_reviewer, k).iter().map(|n| strength / (n + strength)).collect();
        for (sums, row) in crowd.chunks_exact_mut(k).zip(of_reviewer.chunks_exact(k)) {
            for ((sum, n), weight) in sums.iter_mut().zip(row).zip(&weights) {
                *sum += n * weight;
            }
        }
    }
    let sums = of_class(&crowd, k);
    for row in crowd.chunks_exact_mut(k) {
        row.iter_mut().zip(&sums).for_each(|(share, sum)| *share /= sum);
    }
    crowd
}

fn gather(said: &[f64], crowd: &[f64], k: usize, gain: &mut Gain) {
    for of_reviewer in said.chunks_exact(k * k) {
        of_reviewer.iter().zip(crowd).for_each(|(n, share)| gain.cell(*n, *share));
        of_class(of_reviewer, k).into_iter().for_each(|n| gain.total(n));
    }
}

/// Makes of what each said the logarithm of how often they say it.
fn draw_towards(said: &mut [f64], crowd: &[f64], k: usize, strength: f64) {
    for of_reviewer in said.chunks_exact_mut(k * k) {
        let totals = of_class(of_reviewer, k);
        for (row, shares) in of_reviewer.chunks_exact_mut(k).zip(crowd.chunks_exact(k)) {
            for ((n, share), total) in row.iter_mut().zip(shares).zip(&totals) {
                *n = ((*n + strength * share) / (total + strength)).ln();
            }
        }
    }
}
