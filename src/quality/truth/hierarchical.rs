//! Each reviewer has a confusion matrix, drawn towards what all reviewers do together, and that
//! towards the plain belief that most labels are right: the hierarchical form of Dawid and Skene's
//! model (Kim and Ghahramani, "Bayesian classifier combination", 2012; Paun et al., "Comparing
//! Bayesian models of annotation", 2018, section 3.4). Who has said little is taken for one of the
//! crowd, and a crowd that has said little for people who are mostly right, so that thin labels come
//! to what most say.
//!
//! A row of a reviewer's matrix is a Dirichlet draw around the crowd's row. How near to it they stay
//! (the strength: so many labels' worth) is learned from all of them: where a Dirichlet-multinomial is
//! likeliest (Minka, "Estimating a Dirichlet distribution", 2000, equation 53), under an exponential
//! prior.

use std::cell::Cell;

use statrs::function::gamma::digamma;

use super::{Climb, Estimate, Fitting, climb, dawid_skene};
use crate::quality::ratings::Ratings;

/// The crowd itself is taken to have given so many labels of each class beforehand, of which this
/// share was right.
const CROWD_LABELS: f64 = 10.0;
const CROWD_RIGHT: f64 = 0.7;
/// The strength that is begun with, its prior's rate, its bounds, and how often they are halved.
const STRENGTH: f64 = 4.0;
const STRENGTH_RATE: f64 = 0.5;
pub(super) const STRENGTHS: (f64, f64) = (0.5, 200.0);
const HALVINGS: usize = 16;
/// A strength that changes by less than this share stays as it is.
const STRENGTH_STEADY: f64 = 1e-2;
/// Less of a label says nothing about strength.
const TRACE: f64 = 1e-6;

pub fn fit(ratings: &Ratings, fitting: &Fitting) -> Estimate {
    let k = ratings.values.len();
    let (strength, steady) = (Cell::new(STRENGTH), Cell::new(false));
    let Climb { beliefs, priors, parameters, iterations, converged, log_likelihood } = climb(
        ratings,
        fitting,
        |beliefs| {
            let mut said = dawid_skene::said(ratings, beliefs, k, fitting.smoothing);
            let crowd = crowd(&said, k, strength.get());
            if !steady.get() {
                let next = likeliest_strength(&said, &crowd, k);
                steady.set((next / strength.get() - 1.0).abs() < STRENGTH_STEADY);
                strength.set(next);
            }
            draw_towards(&mut said, &crowd, k, strength.get());
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

/// The strength under which what reviewers say is likeliest: where the gain of a larger one is
/// nothing, by halving.
fn likeliest_strength(said: &[f64], crowd: &[f64], k: usize) -> f64 {
    let (mut low, mut high) = (STRENGTHS.0.ln(), STRENGTHS.1.ln());
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if gains_by_more(said, crowd, k, middle.exp()) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high).exp()
}

fn gains_by_more(said: &[f64], crowd: &[f64], k: usize, strength: f64) -> bool {
    let at_rest: Vec<f64> = crowd.iter().map(|share| digamma(strength * share)).collect();
    let of_all = digamma(strength);
    let (mut gain, mut loss) = (0.0, STRENGTH_RATE);
    for of_reviewer in said.chunks_exact(k * k) {
        for ((n, share), at_rest) in of_reviewer.iter().zip(crowd).zip(&at_rest) {
            if *n > TRACE {
                gain += share * (digamma(n + strength * share) - at_rest);
            }
        }
        let totals = of_class(of_reviewer, k).into_iter().filter(|n| *n > TRACE);
        loss += totals.map(|n| digamma(n + strength) - of_all).sum::<f64>();
    }
    gain > loss
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
