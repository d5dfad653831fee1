//! What a model of truth found out about the reviewers, recorded once, so that every device weighs
//! labels alike.
//!
//! Fitting a model moves with every label; a recorded estimate does not. A case is then one step of
//! expectation (Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the
//! EM algorithm", 1979, equation 2.5): the share of a class, times how often each reviewer says
//! what they said where that class is true. Only products and quotients, so that every machine
//! comes to the same bits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::label::{Outcome, outcome_words, value_text};
use super::paths::Paths;

pub use super::paths::Habits;

/// No share is taken for less: who never did something may do it yet.
const LEAST: f64 = 1e-6;

/// A recorded estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// `hierarchical`, `dawid-skene`, `one-coin` or `paths`.
    pub model: String,
    /// The outcome's fields that were compared; none: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// Share of each class among the cases it was fitted to.
    pub priors: BTreeMap<String, f64>,
    pub reviewers: BTreeMap<String, Habits>,
    /// Of the model that walks the protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Paths>,
    /// What it was fitted to.
    pub cases: u64,
    pub labels: u64,
}

/// What an outcome says in these fields, in words; nothing if it sets the one field that is asked
/// for not at all.
pub fn class_of(outcome: &Outcome, on: &[String]) -> Option<String> {
    match on {
        [] => Some(outcome_words(outcome)),
        // Who set nothing there said nothing about it.
        [field] => outcome.get(field).map(value_text),
        fields => {
            let values: Vec<String> = fields
                .iter()
                .map(|field| outcome.get(field).map(value_text).unwrap_or_default())
                .collect();
            Some(values.join(" · "))
        }
    }
}

impl Estimate {
    /// Of the model that walks the protocol.
    pub fn of_paths(paths: Paths, on: Vec<String>, cases: u64, labels: u64) -> Self {
        let (priors, reviewers) = (BTreeMap::new(), BTreeMap::new());
        Self { model: "paths".to_owned(), on, priors, reviewers, paths: Some(paths), cases, labels }
    }

    /// How many times likelier it is that somebody says a class where it is right than that they
    /// do not; 1 of whom nothing is known.
    pub fn odds(&self, reviewer: &str, class: &str) -> f64 {
        let habits = self.reviewers.get(reviewer);
        let right = habits.and_then(|habits| habits.get(class)?.get(class)).copied();
        let right = right.unwrap_or(0.5).clamp(0.01, 0.99);
        right / (1.0 - right)
    }

    /// Shares of belief in each class, given who said what; empty if none of them is known here.
    pub fn beliefs(&self, said: &[(&str, String)]) -> Vec<(&str, f64)> {
        let known: Vec<(&Habits, &str)> = said
            .iter()
            .filter_map(|(who, what)| Some((self.reviewers.get(*who)?, what.as_str())))
            .collect();
        if known.is_empty() {
            return Vec::new();
        }
        let mut beliefs: Vec<(&str, f64)> =
            self.priors.iter().map(|(class, share)| (class.as_str(), share.max(LEAST))).collect();
        for (habits, what) in known {
            for (class, belief) in &mut beliefs {
                // Of a class that they never met, nothing is known of them.
                let share = habits.get(*class).map_or(1.0 / self.priors.len() as f64, |row| {
                    row.get(what).copied().unwrap_or(0.0)
                });
                *belief *= share.max(LEAST);
            }
            // Kept away from nothing, however many there are.
            let most = beliefs.iter().fold(0.0, |most: f64, (_, belief)| most.max(*belief));
            beliefs.iter_mut().for_each(|(_, belief)| *belief /= most);
        }
        let all: f64 = beliefs.iter().map(|(_, belief)| belief).sum();
        beliefs.iter_mut().for_each(|(_, belief)| *belief /= all);
        beliefs
    }

    /// The class most believed in, with its share; of several, the first in order.
    pub fn answer(&self, said: &[(&str, String)]) -> Option<(&str, f64)> {
        let beliefs = self.beliefs(said);
        let best = beliefs.iter().fold(0.0, |most: f64, (_, belief)| most.max(*belief));
        beliefs.into_iter().find(|(_, belief)| *belief >= best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habits(right: f64) -> Habits {
        let row = |is: &str, other: &str| {
            (is.to_owned(), [(is.to_owned(), right), (other.to_owned(), 1.0 - right)].into())
        };
        [row("x", "y"), row("y", "x")].into()
    }

    #[test]
    fn whoever_is_good_outweighs_two_who_guess() {
        let estimate = Estimate {
            model: "dawid-skene".into(),
            on: Vec::new(),
            priors: [("x".to_owned(), 0.5), ("y".to_owned(), 0.5)].into(),
            reviewers: [
                ("a".to_owned(), habits(0.95)),
                ("b".to_owned(), habits(0.6)),
                ("c".to_owned(), habits(0.6)),
            ]
            .into(),
            paths: None,
            cases: 0,
            labels: 0,
        };
        let said = |who: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            who.iter().map(|(who, what)| (*who, (*what).to_owned())).collect()
        };
        let (class, share) = estimate.answer(&said(&[("a", "x"), ("b", "y"), ("c", "y")])).unwrap();
        // 0.95 · 0.4 · 0.4 against 0.05 · 0.6 · 0.6
        assert_eq!((class, (share * 1e6).round()), ("x", 894_118.0));
        assert_eq!(estimate.answer(&said(&[("stranger", "x")])), None);
        let many: Vec<(&str, String)> =
            (0..5_000).map(|i| ("b", if i % 2 == 0 { "x" } else { "y" }.to_owned())).collect();
        assert!(
            estimate.answer(&many).is_some_and(|(_, share)| (share - 0.5).abs() < 1e-9),
            "thousands of labels are no trouble"
        );
    }
}
