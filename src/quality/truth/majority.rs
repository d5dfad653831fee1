//! What most say. Of classes with equally many labels the first in sorted order is the answer, and
//! the tie is told.

use super::{Estimate, Fitting, Reviewer, label_shares, mean_beliefs, right_of};
use crate::quality::ratings::Ratings;

pub fn fit(ratings: &Ratings, _fitting: &Fitting) -> Estimate {
    let classes = ratings.values.len();
    let beliefs = label_shares(ratings);
    let priors = mean_beliefs(ratings, &beliefs, classes);
    let reviewer = |(right, labels): (f64, usize)| Reviewer {
        skill: right / labels.max(1) as f64,
        labels,
        confusion: None,
    };
    let reviewers = right_of(ratings, &beliefs, classes).into_iter().map(reviewer).collect();
    Estimate {
        beliefs,
        classes,
        priors,
        reviewers,
        iterations: 0,
        converged: true,
        log_likelihood: None,
    }
}
