//! The desk's reviewers: how often each is right, and what they answer.

use super::sentences::{BY_LABEL, WHY};
use super::stream::Truth;
use crate::domain::label::Step;
use crate::domain::random::SplitMix64;

/// A reviewer who was here before you.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub name: &'static str,
    /// How often the answer is the right one.
    pub care: f64,
    /// Usual seconds for a label.
    pub seconds: f64,
}

/// The four of them.
pub const PEOPLE: [Person; 4] = [
    Person { name: "ana", care: 0.97, seconds: 24.0 },
    Person { name: "bo", care: 0.90, seconds: 15.0 },
    Person { name: "chidi", care: 0.85, seconds: 19.0 },
    Person { name: "dee", care: 0.78, seconds: 7.0 },
];

/// A label as a reviewer would give it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub answers: Vec<Step>,
    pub confidence: u8,
    pub rationale: String,
    pub spent_ms: u64,
}

/// What `person` answers to a message that is `truth` and was taken for `predicted`.
pub fn answers_of(person: &Person, truth: &Truth, predicted: &str, seed: u64) -> Answered {
    let mut dice = SplitMix64::new(
        seed ^ person.name.bytes().fold(7, |hash, byte| hash * 31 + u64::from(byte)),
    );
    let careful = dice.chance(person.care);
    let mut steps: Vec<Step> = Vec::new();
    let mut step =
        |question: &str, answer: &str| steps.push((question.to_owned(), answer.to_owned()));
    let hard = *dice.pick(&["a", "f", "f", "w", "z"]);
    let verdict = match truth {
        Truth::Unreadable => {
            step("readable", "n");
            step("damage", "c");
            "unreadable"
        }
        Truth::OtherLanguage => {
            step("readable", "n");
            step("damage", "o");
            "other_language"
        }
        Truth::OutOfScope if careful => {
            step("readable", "y");
            step("scope", "n");
            "out_of_scope"
        }
        Truth::OutOfScope => {
            for (question, answer) in
                [("readable", "y"), ("scope", "y"), ("label", "y"), ("why", hard)]
            {
                step(question, answer);
            }
            "model_correct"
        }
        Truth::Label(label) => {
            let right = if careful { label } else { dice.pick(BY_LABEL).0 };
            step("readable", "y");
            step("scope", "y");
            step("label", if right == predicted { "y" } else { "n" });
            if right != predicted {
                step("corrected", right);
            }
            step("why", hard);
            if right == predicted { "model_correct" } else { "wrong_label" }
        }
    };
    let reasons =
        WHY.iter().find(|(name, _)| *name == verdict).map_or(&[""][..], |(_, reasons)| reasons);
    let spent_ms = (dice.between(0.4, 2.0) * person.seconds * 1000.0) as u64;
    Answered {
        answers: steps,
        confidence: 2 + dice.below(4) as u8,
        rationale: (*dice.pick(reasons)).to_owned(),
        spent_ms,
    }
}
