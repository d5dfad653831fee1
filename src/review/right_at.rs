//! How often each reviewer answers each question right, by the recorded estimate of paths.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::paths::Paths;

/// How often a reviewer answers a question right, by what is recorded of how they walk the protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RightAt {
    pub question: String,
    pub reviewer: String,
    pub share: f64,
}

impl RightAt {
    /// Of everybody of whom something is recorded, question by question.
    pub fn all(paths: &Paths) -> Vec<Self> {
        let choices = paths.choices.values().flat_map(|choice| choice.reviewers.keys());
        let names = paths.names.values().flat_map(|names| names.reviewers.keys());
        let reviewers: BTreeSet<&String> = choices.chain(names).collect();
        let of = |reviewer: &&String| {
            let reviewer = (*reviewer).clone();
            let mut shares = paths.right_at(&reviewer);
            // Of who never answered it, only what everybody does is known.
            shares.retain(|(question, _)| {
                let choice = paths.choices.get(*question);
                let names = paths.names.get(*question);
                choice.is_some_and(|choice| choice.reviewers.contains_key(&reviewer))
                    || names.is_some_and(|names| names.reviewers.contains_key(&reviewer))
            });
            let of = |(question, share): (&str, f64)| {
                let (question, reviewer) = (question.to_owned(), reviewer.clone());
                Self { question, reviewer, share }
            };
            shares.into_iter().map(of).collect::<Vec<_>>()
        };
        let mut all: Vec<Self> = reviewers.iter().flat_map(of).collect();
        all.sort_by(|a, b| (&a.question, &a.reviewer).cmp(&(&b.question, &b.reviewer)));
        all
    }
}
