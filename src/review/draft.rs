//! A label in the making: answers so far, checks, confidence, tags, rationale. The same for the screen and
//! for the command.

use serde::{Deserialize, Serialize};

use super::Published;
use crate::db::case::CaseRow;
use crate::domain::label::{Label, MAIN_ROUND, Outcome, Step};
use crate::domain::protocol::walk::settle;
use crate::domain::protocol::{Protocol, Question, Walked, walk};

/// What a reviewer has begun on one case. Kept on disk as it is typed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub answers: Vec<Step>,
    pub checked: Vec<String>,
    pub confidence: Option<u8>,
    pub tags: Vec<String>,
    pub rationale: String,
    /// Milliseconds spent on it so far.
    pub spent_ms: u64,
}

/// The first thing that is wanted before a draft can be submitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    Question(String),
    /// An answer that the question does not take.
    Stuck {
        question: String,
        answer: String,
    },
    Check {
        id: String,
        text: String,
    },
}

impl Draft {
    /// The draft that a label was submitted from.
    pub fn of(label: &Label) -> Self {
        Self {
            answers: label.path.clone(),
            checked: label.checked.clone(),
            confidence: label.confidence,
            tags: label.tags.clone(),
            rationale: label.rationale.clone(),
            spent_ms: label.duration_ms.unwrap_or(0),
        }
    }

    /// Whether there is anything to lose.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
            && self.checked.is_empty()
            && self.confidence.is_none()
            && self.tags.is_empty()
            && self.rationale.is_empty()
    }

    /// The question to be answered next, if the path has not ended.
    pub fn question<'p>(&self, protocol: &'p Protocol) -> Option<&'p Question> {
        match walk(protocol, &self.answers).end {
            Walked::Asks(question) | Walked::Stuck { question, .. } => Some(question),
            Walked::Ends(_) => None,
        }
    }

    /// The answers that count, in the order asked.
    pub fn path(&self, protocol: &Protocol) -> Vec<Step> {
        walk(protocol, &self.answers).path
    }

    /// Gives an answer, over an earlier one to the same question. Answers further on are kept, in case
    /// the path comes to them again.
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.answers.retain(|(id, _)| id != question);
        self.answers.push((question.to_owned(), answer.to_owned()));
    }

    /// Takes back the answer at `step` of the path, and those after it.
    pub fn take_back(&mut self, protocol: &Protocol, step: usize) {
        let path = self.path(protocol);
        let kept: Vec<&String> = path.iter().take(step).map(|(id, _)| id).collect();
        self.answers.retain(|(id, _)| kept.contains(&id));
    }

    pub fn toggle_check(&mut self, id: &str) {
        match self.checked.iter().position(|checked| checked == id) {
            Some(at) => drop(self.checked.remove(at)),
            None => self.checked.push(id.to_owned()),
        }
    }

    /// The outcome, once the path has ended.
    pub fn outcome(&self, protocol: &Protocol, predicted: Option<&str>) -> Option<Outcome> {
        match walk(protocol, &self.answers).end {
            Walked::Ends(outcome) => Some(settle(outcome, predicted)),
            Walked::Asks(_) | Walked::Stuck { .. } => None,
        }
    }

    /// What is still wanted; nothing if the draft can be submitted.
    pub fn missing(&self, protocol: &Protocol) -> Option<Missing> {
        match walk(protocol, &self.answers).end {
            Walked::Asks(question) => return Some(Missing::Question(question.id.clone())),
            Walked::Stuck { question, answer } => return Some(Missing::Stuck { question: question.id.clone(), answer }),
            Walked::Ends(_) => {}
        }
        let unchecked = protocol.checklist.iter().find(|item| item.required && !self.checked.contains(&item.id));
        unchecked.map(|item| Missing::Check { id: item.id.clone(), text: item.text.clone() })
    }

    /// The label, if nothing is missing.
    pub fn label(&self, case: &CaseRow, published: &Published, reviewer: &str) -> Result<Label, Missing> {
        let protocol = &published.protocol;
        if let Some(missing) = self.missing(protocol) {
            return Err(missing);
        }
        let known = |id: &&String| protocol.checklist.iter().any(|item| item.id == **id);
        Ok(Label {
            case: case.id,
            reviewer: reviewer.to_owned(),
            round: MAIN_ROUND.to_owned(),
            protocol: published.reference.clone(),
            path: self.path(protocol),
            outcome: self.outcome(protocol, case.predicted.as_deref()).unwrap_or_default(),
            checked: self.checked.iter().filter(known).cloned().collect(),
            confidence: self.confidence,
            tags: self.tags.clone(),
            rationale: self.rationale.trim_end().to_owned(),
            duration_ms: (self.spent_ms > 0).then_some(self.spent_ms),
            given_at: None,
        })
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Question(id) => write!(f, "the question `{id}` is not answered"),
            Self::Stuck { question, answer } => write!(f, "`{answer}` is no answer to `{question}`"),
            Self::Check { id, text } => write!(f, "not checked: {text} ({id})"),
        }
    }
}
