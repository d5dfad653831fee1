//! What is recorded of reviewers for a model of truth: by whoever asks for it, and as labels grow.

use super::{WorkError, Workspace};
use crate::db::{count, store};
use crate::domain::estimate::{Estimate, Habits};
use crate::domain::label::MAIN_ROUND;
use crate::domain::paths::Paths;
use crate::domain::policy::Rule;
use crate::domain::roster::Role;
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::ConsensusEstimated;
use crate::quality::ratings::Ratings;
use crate::quality::truth::{self, Fitting, Minimum, PATHS, model};
use crate::review::ratings::{By, Which};
use crate::review::walks::WalksFitted;

/// Labels that a device knew when it last looked.
const LOOKED_AT: &str = "labels_learned_from";
/// It looks again with so many more, or with such a share more.
const LABELS_MORE: i64 = 25;
const LABELS_SHARE: i64 = 10;
/// Closer than this nobody asks for what is looked at again soon, nor for longer.
const TOLERANCE: f64 = 1e-6;
const ITERATIONS: usize = 500;

impl Workspace {
    /// Records what a model of truth found out about the reviewers.
    pub fn record_estimate(&mut self, estimate: Estimate) -> Result<Appended, WorkError> {
        self.append(vec![Append::new(&ConsensusEstimated(estimate))])
    }

    /// Records what labels say of the reviewers, where cases are settled by how they walk the
    /// protocol and labels have grown enough since. It is for the device of a lead or an engineer;
    /// on others, and where labels are too few or the fit does not converge, nothing is recorded.
    ///
    /// # Errors
    /// Those of the database and of writing.
    pub fn learn(&mut self) -> Result<Option<Appended>, WorkError> {
        let policy = self.policy()?;
        if policy.rule != Rule::Paths {
            return Ok(None);
        }
        let labels = count::get(&self.db.conn, "labels")? as i64;
        let before: i64 = store::setting(&self.db.conn, LOOKED_AT)?
            .and_then(|n| n.parse().ok())
            .unwrap_or_default();
        if labels < before + LABELS_MORE.max(before / LABELS_SHARE) {
            return Ok(None);
        }
        if self.needs_role(&[Role::Lead, Role::Engineer], "lead or engineer").is_err() {
            return Ok(None);
        }
        self.db.write(|conn| store::set_setting(conn, LOOKED_AT, &labels.to_string()))?;
        self.learn_now()
    }

    /// Records what labels say of the reviewers now, if they are enough.
    ///
    /// # Errors
    /// Those of the database and of writing.
    pub fn learn_now(&mut self) -> Result<Option<Appended>, WorkError> {
        let policy = self.policy()?;
        let made = self.ratings(MAIN_ROUND, Which::ThatCount, &[By::Outcome(policy.on.clone())])?;
        let ratings = made.into_iter().next().unwrap_or_default();
        let Some(model) = model(PATHS) else { return Ok(None) };
        if model.enough(&ratings, Minimum::default()).is_err() {
            return Ok(None);
        }
        let fitting =
            Fitting { tolerance: TOLERANCE, iterations: ITERATIONS, ..Fitting::default() };
        let fitted = self.fit_walks(MAIN_ROUND, &policy.on, &ratings, &fitting)?;
        if model.unfit(&ratings, &fitted.estimate).is_some() {
            return Ok(None);
        }
        let WalksFitted { estimate, paths } = fitted;
        let estimate = recorded(model, &ratings, &estimate, Some(paths), policy.on);
        self.record_estimate(estimate).map(Some)
    }
}

/// An estimate as it is recorded: shares to six places, those of nothing left out.
pub fn recorded(
    model: &truth::Model,
    ratings: &Ratings,
    fitted: &truth::Estimate,
    paths: Option<Paths>,
    on: Vec<String>,
) -> Estimate {
    let (cases, labels) = (ratings.tasks.len() as u64, ratings.labels() as u64);
    if let Some(paths) = paths {
        return Estimate::of_paths(paths, on, cases, labels);
    }
    let k = fitted.classes;
    let name = |class: usize| ratings.values.name(class as u32).to_owned();
    let round = |share: f64| (share * 1e6).round() / 1e6;
    let habits = |of: &truth::Reviewer| -> Habits {
        let row = |truth: usize| {
            let share = |said: usize| match &of.confusion {
                Some(confusion) => confusion.shares[truth * k + said],
                None if said == truth => of.skill,
                None => (1.0 - of.skill) / (k as f64 - 1.0).max(1.0),
            };
            // Of a class that they never met, nothing is said.
            let met =
                of.confusion.as_ref().is_none_or(|confusion| confusion.rests_on[truth] > 1e-6);
            let shares = (0..k)
                .map(|said| (name(said), round(share(said))))
                .filter(|(_, share)| *share > 0.0);
            met.then(|| (name(truth), shares.collect()))
        };
        (0..k).filter_map(row).collect()
    };
    Estimate {
        model: model.name.to_owned(),
        on,
        priors: fitted
            .priors
            .iter()
            .enumerate()
            .map(|(class, share)| (name(class), round(*share)))
            .collect(),
        reviewers: ratings
            .reviewers
            .iter()
            .map(str::to_owned)
            .zip(fitted.reviewers.iter().map(habits))
            .collect(),
        paths: None,
        cases,
        labels,
    }
}
