//! A protocol: the versioned decision tree, checklist and fields that reviewers decide by (DESIGN §6).
//!
//! [`parse()`] reads its TOML and [`check()`] proves that every walk ends well; only what passed both is a
//! [`Protocol`]. [`walk()`] is then total: for any answers it says which question is next, what the outcome
//! is, or which answer does not fit.

pub mod parse;
pub mod check;
pub mod walk;

use super::ids::Hash;
use super::label::{Outcome, ProtocolRef};

pub use check::check;
pub use parse::parse;
pub use walk::{Walk, Walked, walk};

/// In a `set`, this text stands for the label that the model predicted, and `{field}` for what the path set
/// that field to.
pub const PREDICTION: &str = "{prediction}";

/// A protocol that was parsed and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    pub id: String,
    pub title: String,
    /// Index of the first question.
    pub start: usize,
    /// What a question of kind `label` chooses from; empty: any text.
    pub labels: Vec<String>,
    /// Streams whose cases it is for; empty: all.
    pub streams: Vec<String>,
    /// Fields that every outcome must set.
    pub required: Vec<String>,
    pub questions: Vec<Question>,
    pub checklist: Vec<CheckItem>,
    /// What the journal keeps: the TOML it was read from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub id: String,
    pub ask: String,
    pub help: String,
    /// Ids of glossary terms.
    pub terms: Vec<String>,
    pub examples: Vec<Example>,
    pub kind: QuestionKind,
    /// Line of the source where it begins.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// One of a few answers.
    Choice(Vec<Answer>),
    /// One of the protocol's labels, kept in the field `sets`.
    Label { sets: String, then: Consequence },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What is recorded, and the key that gives it.
    pub key: String,
    pub text: String,
    pub then: Consequence,
}

/// What an answer leads to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Consequence {
    pub set: Outcome,
    /// Index of the next question; none: the path ends.
    pub goto: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub input: String,
    pub answer: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CheckItem {
    pub id: String,
    pub text: String,
    pub required: bool,
}

/// What is wrong with a protocol or glossary, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// 1-based line of the source.
    pub line: usize,
    pub message: String,
}

impl Fault {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// The 1-based line of `source` in which byte `offset` stands.
pub(crate) fn line_of(source: &str, offset: usize) -> usize {
    source.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

impl Protocol {
    /// The hash that tells versions apart: of the source and of every label.
    pub fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.source.as_bytes());
        for label in &self.labels {
            hasher.update(b"\0");
            hasher.update(label.as_bytes());
        }
        Hash(*hasher.finalize().as_bytes())
    }

    pub fn reference(&self, version: u32) -> ProtocolRef {
        ProtocolRef { id: self.id.clone(), version, hash: self.hash() }
    }

    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Most questions that a path can have.
    pub fn longest_path(&self) -> usize {
        fn from(protocol: &Protocol, at: usize, known: &mut [usize]) -> usize {
            if known[at] == 0 {
                let next = protocol.questions[at].kind.consequences().filter_map(|then| then.goto);
                let next: Vec<usize> = next.collect();
                known[at] = 1 + next.into_iter().map(|next| from(protocol, next, known)).max().unwrap_or(0);
            }
            known[at]
        }
        from(self, self.start, &mut vec![0; self.questions.len()])
    }

    /// The tree in indented words.
    pub fn outline(&self) -> String {
        let mut out = format!("{} · {}\n", self.id, self.title);
        for question in &self.questions {
            out.push_str(&format!("{}  {}\n", question.id, question.ask));
            match &question.kind {
                QuestionKind::Choice(answers) => {
                    for (i, answer) in answers.iter().enumerate() {
                        let leads = self.consequence_words(&answer.then);
                        out.push_str(&format!("  {}  {} ({})  {leads}\n", i + 1, answer.text, answer.key));
                    }
                }
                QuestionKind::Label { sets, then } => {
                    let count = self.labels.len();
                    let of = if count == 0 { "any label".to_owned() } else { format!("one of {count} labels") };
                    out.push_str(&format!("  {of} sets {sets}  {}\n", self.consequence_words(then)));
                }
            }
        }
        for item in &self.checklist {
            let must = if item.required { "required" } else { "optional" };
            out.push_str(&format!("[ ] {} ({}, {must})\n", item.text, item.id));
        }
        out
    }

    fn consequence_words(&self, then: &Consequence) -> String {
        let set = if then.set.is_empty() { String::new() } else { format!(" {}", super::label::outcome_words(&then.set)) };
        match then.goto {
            Some(next) => format!("→ {}{set}", self.questions[next].id),
            None => format!("■{set}"),
        }
    }
}

impl QuestionKind {
    /// Where its answers lead.
    pub fn consequences(&self) -> impl Iterator<Item = &Consequence> {
        let (answers, label) = match self {
            Self::Choice(answers) => (answers.as_slice(), None),
            Self::Label { then, .. } => (&[][..], Some(then)),
        };
        answers.iter().map(|answer| &answer.then).chain(label)
    }
}
