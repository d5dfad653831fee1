//! What a label answered, by the names of today, and what it was asked: so that a question which
//! one version asks and another does not is never taken for a difference between two people.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::label::Step;

/// The answers of one label, and the version they were given under.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    pub path: Vec<Step>,
    pub version: u32,
    /// Every question of that version, by the names of today.
    pub questions: Arc<BTreeSet<String>>,
}

impl Answered {
    /// Its answers to questions that the other's version has too, in order.
    pub fn comparable_with<'a>(&'a self, other: &Self) -> Vec<&'a Step> {
        let both = |(question, _): &&Step| {
            self.version == other.version || other.questions.contains(question)
        };
        self.path.iter().filter(both).collect()
    }

    /// Whether two answers to one question, nothing where it was not asked, are told apart by the
    /// people and not by the versions they were asked under.
    pub fn parts_from(&self, other: &Self, answers: [Option<&str>; 2]) -> bool {
        let asked = answers.iter().all(Option::is_some);
        answers[0] != answers[1] && (asked || self.version == other.version)
    }

    pub fn answer(&self, question: &str) -> Option<&str> {
        self.path.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer.as_str())
    }
}
