//! What labels come to when reviewers differ, and how good each reviewer seems: models of truth.
//!
//! A model gives each task a share of belief in each class, and each reviewer a skill or a
//! confusion matrix. A reviewer who labels a task twice counts twice. To add a model: a file with a
//! function from ratings to [`Estimate`], and a line in [`MODELS`].

mod dawid_skene;
mod hierarchical;
mod mace;
mod majority;
mod one_coin;
pub mod paths;
mod strength;

use super::ratings::{Rating, Ratings};

/// How a model is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitting {
    /// Most rounds of expectation and maximization.
    pub iterations: usize,
    /// It ends when no belief changes by more than that in a round.
    pub tolerance: f64,
    /// Labels of each kind that every reviewer is taken to have given beforehand (a symmetric
    /// Dirichlet prior, less one).
    pub smoothing: f64,
    /// Of random restarts.
    pub seed: u64,
}

impl Default for Fitting {
    fn default() -> Self {
        Self { iterations: 1000, tolerance: 1e-9, smoothing: 0.0, seed: 1 }
    }
}

/// How good a reviewer seems.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewer {
    /// Share of labels that are right, as the model sees it.
    pub skill: f64,
    pub labels: usize,
    /// Row: the true class; column: what they say; and how many labels each row rests on. Nothing
    /// where the model has none.
    pub confusion: Option<Confusion>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    /// By true class, then by class said.
    pub shares: Vec<f64>,
    /// Labels on tasks of each true class, by belief.
    pub rests_on: Vec<f64>,
}

/// What a model says.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// By task, then by class. All nothing for a task without labels.
    pub beliefs: Vec<f64>,
    pub classes: usize,
    /// Share of each class.
    pub priors: Vec<f64>,
    pub reviewers: Vec<Reviewer>,
    pub iterations: usize,
    /// Whether it ended because nothing changed any more.
    pub converged: bool,
    /// Natural logarithm of how likely the labels are, where the model has that.
    pub log_likelihood: Option<f64>,
}

/// What a task comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    pub class: usize,
    pub belief: f64,
    /// How many classes share the first place.
    pub tied: usize,
}

impl Estimate {
    pub fn beliefs_of(&self, task: usize) -> &[f64] {
        &self.beliefs[task * self.classes..(task + 1) * self.classes]
    }

    /// The class most believed in; of several, the first in sorted order, and how many they are.
    /// Nothing without labels.
    pub fn answer(&self, task: usize) -> Option<Answer> {
        let beliefs = self.beliefs_of(task);
        let best = beliefs.iter().copied().fold(0.0, f64::max);
        let first =
            beliefs.iter().position(|belief| *belief >= best - 1e-12).filter(|_| best > 0.0)?;
        let tied = beliefs.iter().filter(|belief| **belief >= best - 1e-12).count();
        Some(Answer { class: first, belief: best, tied })
    }
}

/// The model that walks the protocol.
pub const PATHS: &str = "paths";

/// A model of truth.
pub struct Model {
    pub name: &'static str,
    pub about: &'static str,
    /// Nothing: it weighs the paths of labels ([`paths`]), which ratings do not hold.
    pub fit: Option<fn(&Ratings, &Fitting) -> Estimate>,
    /// Whether reviewers are told apart: that takes labels enough.
    pub weighs_reviewers: bool,
    /// Fewest tasks with two labels for each class that it settles cases by.
    pub per_class: usize,
}

/// The first is taken unless one is named.
pub static MODELS: &[Model] = &[
    Model {
        name: "hierarchical",
        about: "each reviewer has a confusion matrix, drawn towards what all do",
        fit: Some(hierarchical::fit),
        weighs_reviewers: true,
        per_class: 0,
    },
    Model {
        name: "majority",
        about: "what most say",
        fit: Some(majority::fit),
        weighs_reviewers: false,
        per_class: 0,
    },
    Model {
        name: "dawid-skene",
        about: "each reviewer has a confusion matrix",
        fit: Some(dawid_skene::fit),
        weighs_reviewers: true,
        per_class: 2,
    },
    Model {
        name: "one-coin",
        about: "each reviewer has one skill",
        fit: Some(one_coin::fit),
        weighs_reviewers: true,
        per_class: 0,
    },
    Model {
        name: "mace",
        about: "each reviewer knows or guesses in a way of their own",
        fit: Some(mace::fit),
        weighs_reviewers: true,
        per_class: 0,
    },
    Model {
        name: PATHS,
        about: "each reviewer answers each question with shares of their own",
        fit: None,
        weighs_reviewers: true,
        per_class: 0,
    },
];

pub fn model(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}

/// Least that a model which weighs reviewers needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minimum {
    pub reviewers: usize,
    /// Tasks with two labels or more.
    pub tasks: usize,
}

impl Default for Minimum {
    fn default() -> Self {
        Self { reviewers: 3, tasks: 20 }
    }
}

/// Why labels are too few for a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooFew {
    #[error("there are no labels")]
    Nothing,
    #[error(
        "{model} tells {needed} reviewers or more apart, and there are {found}: --method majority needs no minimum"
    )]
    Reviewers { model: &'static str, needed: usize, found: usize },
    #[error(
        "{model} needs {needed} tasks with two labels or more, and there are {found}: --method majority needs no minimum, --tasks-min sets another"
    )]
    Tasks { model: &'static str, needed: usize, found: usize },
    #[error("all labels are `{0}`: there is nothing to tell reviewers apart by")]
    OneClass(String),
}

impl Model {
    /// Fits it, if there is enough to go by.
    pub fn try_fit(
        &self,
        ratings: &Ratings,
        fitting: &Fitting,
        minimum: Minimum,
    ) -> Result<Estimate, TooFew> {
        self.enough(ratings, minimum)?;
        self.fit.map(|fit| fit(ratings, fitting)).ok_or(TooFew::Nothing)
    }
}

/// Why no case may be settled by what a model found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error(transparent)]
    TooFew(#[from] TooFew),
    #[error("it did not converge in {0} iterations: give it more with --iterations")]
    NotConverged(usize),
    #[error(
        "{model} learns how often each reviewer says each of {classes} classes, and {tasks} tasks with two labels or more are too few for that, less than {per_class} a class: compare by fewer fields (`casework policy set on=FIELD`), or take --method hierarchical"
    )]
    Thin { model: &'static str, classes: usize, tasks: usize, per_class: usize },
}

impl Model {
    /// Why cases can't be settled by an estimate, if they can't. What one may look at is less than
    /// what one may settle by.
    pub fn unfit(&self, ratings: &Ratings, estimate: &Estimate) -> Option<Unfit> {
        if !estimate.converged {
            return Some(Unfit::NotConverged(estimate.iterations));
        }
        if let Err(few) = self.enough(ratings, Minimum::default()) {
            return Some(few.into());
        }
        let (model, classes, tasks, per_class) =
            (self.name, ratings.values.len(), ratings.tasks_with_several(), self.per_class);
        (tasks < classes * per_class).then_some(Unfit::Thin { model, classes, tasks, per_class })
    }

    /// Whether there are labels enough to tell anything.
    pub fn enough(&self, ratings: &Ratings, minimum: Minimum) -> Result<(), TooFew> {
        if ratings.labels() == 0 {
            return Err(TooFew::Nothing);
        }
        if !self.weighs_reviewers {
            return Ok(());
        }
        let (model, found) = (self.name, ratings.reviewers.len());
        if ratings.values.len() < 2 {
            return Err(TooFew::OneClass(ratings.values.name(0).to_owned()));
        }
        if found < minimum.reviewers {
            return Err(TooFew::Reviewers { model, needed: minimum.reviewers, found });
        }
        let found = ratings.tasks_with_several();
        if found < minimum.tasks {
            return Err(TooFew::Tasks { model, needed: minimum.tasks, found });
        }
        Ok(())
    }
}

/// Shares of labels in each task: where every model begins.
fn label_shares(ratings: &Ratings) -> Vec<f64> {
    let k = ratings.values.len();
    let mut beliefs = vec![0.0; ratings.tasks.len() * k];
    for (task, beliefs) in beliefs.chunks_mut(k.max(1)).enumerate() {
        let of_task = ratings.of_task(task);
        of_task
            .iter()
            .for_each(|rating| beliefs[rating.value as usize] += 1.0 / of_task.len() as f64);
    }
    beliefs
}

/// Mean belief in each class over tasks that have labels.
fn mean_beliefs(ratings: &Ratings, beliefs: &[f64], k: usize) -> Vec<f64> {
    let mut sums = vec![0.0; k];
    let mut tasks = 0.0_f64;
    for (task, of_task) in beliefs.chunks(k).enumerate() {
        if !ratings.of_task(task).is_empty() {
            tasks += 1.0;
            sums.iter_mut().zip(of_task).for_each(|(sum, belief)| *sum += belief);
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= tasks.max(1.0));
    sums
}

/// No share is taken for less.
const LEAST: f64 = 1e-10;

/// Rounds of expectation and maximization until no belief changes by more than the tolerance.
struct Climb<P> {
    beliefs: Vec<f64>,
    priors: Vec<f64>,
    /// What the last beliefs come to.
    parameters: P,
    iterations: usize,
    converged: bool,
    log_likelihood: Option<f64>,
}

/// Begins with the shares of labels in each task. `maximize` makes parameters of beliefs; `weigh`
/// adds to each class the logarithm of how likely a label is under them.
fn climb<P>(
    ratings: &Ratings,
    fitting: &Fitting,
    maximize: impl Fn(&[f64]) -> P,
    weigh: impl Fn(&P, Rating, &mut [f64]),
) -> Climb<P> {
    let k = ratings.values.len();
    let beliefs = label_shares(ratings);
    let (priors, parameters) = (mean_beliefs(ratings, &beliefs, k), maximize(&beliefs));
    let mut climb = Climb {
        beliefs,
        priors,
        parameters,
        iterations: 0,
        converged: false,
        log_likelihood: None,
    };
    while climb.iterations < fitting.iterations && !climb.converged {
        let (change, likelihood) =
            expect(ratings, &climb.priors, &mut climb.beliefs, k, |rating, logs| {
                weigh(&climb.parameters, rating, logs);
            });
        climb.priors = mean_beliefs(ratings, &climb.beliefs, k);
        climb.parameters = maximize(&climb.beliefs);
        climb.iterations += 1;
        climb.log_likelihood = Some(likelihood);
        climb.converged = change <= fitting.tolerance;
    }
    climb
}

/// New beliefs; the largest change of one, and the log-likelihood under the parameters they were
/// made with.
fn expect(
    ratings: &Ratings,
    priors: &[f64],
    beliefs: &mut [f64],
    k: usize,
    weigh: impl Fn(Rating, &mut [f64]),
) -> (f64, f64) {
    let priors: Vec<f64> = priors.iter().map(|prior| prior.max(LEAST).ln()).collect();
    let (mut change, mut likelihood) = (0.0_f64, 0.0);
    let mut logs = vec![0.0; k];
    for (task, of_task) in beliefs.chunks_exact_mut(k).enumerate() {
        let given = ratings.of_task(task);
        if given.is_empty() {
            continue;
        }
        logs.copy_from_slice(&priors);
        given.iter().for_each(|rating| weigh(*rating, &mut logs));
        likelihood += normalize_logs(&mut logs);
        for (old, new) in of_task.iter_mut().zip(&logs) {
            change = change.max((*old - new).abs());
            *old = *new;
        }
    }
    (change, likelihood)
}

/// Turns logarithms of weights into shares of belief; returns the logarithm of their sum.
fn normalize_logs(logs: &mut [f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for log in logs.iter_mut() {
        *log = (*log - most).exp();
        sum += *log;
    }
    logs.iter_mut().for_each(|share| *share /= sum);
    most + sum.ln()
}

/// Labels of each reviewer, and how many of them the beliefs bear out.
fn right_of(ratings: &Ratings, beliefs: &[f64], k: usize) -> Vec<(f64, usize)> {
    let mut right = vec![(0.0, 0); ratings.reviewers.len()];
    for task in 0..ratings.tasks.len() {
        for rating in ratings.of_task(task) {
            let (sum, labels) = &mut right[rating.reviewer as usize];
            *sum += beliefs[task * k + rating.value as usize];
            *labels += 1;
        }
    }
    right
}
