//! A protocol: the versioned decision tree, checklist and fields that reviewers decide by (DESIGN
//! §6).
//!
//! [`parse()`] reads its TOML and [`check()`] proves that every walk ends well; only what passed
//! both is a [`Protocol`]. [`walk()`] is then total: for any answers it says which question is
//! next, what the outcome is, or which answer does not fit. [`replay()`] walks the answers of an
//! older version through a newer one.

pub mod amend;
pub mod answered;
pub mod condition;
pub mod span;
pub mod places;
pub mod parse;
mod source;
mod states;
pub mod check;
pub mod advice;
pub mod walk;
pub mod typed;
pub mod rename;
pub mod replay;
pub mod render;
pub mod diff;

use super::hygiene::Defect;
use super::ids::Hash;
use super::label::{Outcome, ProtocolRef};

pub use answered::Answered;
pub use check::check;
pub use condition::Condition;
pub use parse::{parse, parse_published, parse_strictly};
pub use places::Places;
pub use rename::{RenamedLabels, Renames, VersionRenames};
pub use replay::replay;
pub use span::Span;
pub use walk::{Walk, Walked, walk};

/// What a value in a `set` stands for, if not for itself: in TOML `"{prediction}"` and `"{field}"`.
/// It is kept as an object, which nothing else in an outcome is, so that no words of a reviewer are
/// taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'v> {
    /// The label that the model predicted.
    Prediction,
    /// What the path set that field to.
    Field(&'v str),
}

impl<'v> Reference<'v> {
    /// The reference that a text of a `set` is.
    pub fn of_text(text: &'v str) -> Option<Self> {
        let name = text.strip_prefix('{')?.strip_suffix('}')?;
        Some(if name == "prediction" { Self::Prediction } else { Self::Field(name) })
    }

    /// The reference that a value of a walked outcome is.
    pub fn of(value: &'v serde_json::Value) -> Option<Self> {
        Self::of_text(value.as_object()?.get(REFERENCE)?.as_str()?)
    }
}

/// The name under which an object in an outcome holds the text of a reference.
pub(crate) const REFERENCE: &str = "$";

/// A protocol that was parsed and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    pub id: String,
    pub title: String,
    /// Index of the first question.
    pub start: usize,
    /// What a question of kind `label` chooses from; empty: any text.
    pub labels: Vec<LabelName>,
    /// Streams whose cases it is for; empty: all.
    pub streams: Vec<String>,
    /// Fields that every outcome must set.
    pub required: Vec<String>,
    pub questions: Vec<Question>,
    pub checklist: Vec<CheckItem>,
    /// What things of earlier versions are called in this one.
    pub renames: Renames,
    /// What the journal keeps: the TOML it was read from.
    pub source: String,
}

/// A label that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelName {
    pub name: String,
    /// For people; may be empty.
    pub title: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub id: String,
    pub ask: String,
    pub help: String,
    /// Ids of glossary terms.
    pub terms: Vec<String>,
    /// What it asks about of what was found wrong with the input at ingest.
    pub facts: Vec<Defect>,
    pub examples: Vec<Example>,
    pub kind: QuestionKind,
    /// It is asked only where this holds.
    pub when: Option<Condition>,
    /// Index of the question that follows where it is not asked; none: the path ends.
    pub otherwise: Option<usize>,
    /// Line of the source where it begins.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// One of a few answers.
    Choice(Vec<Answer>),
    /// Several of a few answers, kept as a list of their keys in the field `sets`.
    Multi {
        answers: Vec<Answer>,
        least: usize,
        most: usize,
        sets: Option<String>,
        then: Consequence,
    },
    /// One of the protocol's labels, kept in the field `sets`.
    Label { sets: String, then: Consequence },
    /// A whole number between two bounds, whose ends have words.
    Scale { least: i64, most: i64, low: String, high: String, sets: String, then: Consequence },
    /// Any number between two bounds.
    Number { least: f64, most: f64, unit: String, sets: String, then: Consequence },
    /// Free text of so many characters; the field is set unless it is empty.
    Text { least: usize, most: usize, sets: String, then: Consequence },
    /// Places in the input, as `[[start, end], …]`; the field is set unless there are none.
    Span { least: usize, most: usize, sets: String, then: Consequence },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What is recorded, and the key that gives it.
    pub key: String,
    pub text: String,
    /// Of an answer among several, only what it sets counts.
    pub then: Consequence,
}

/// What an answer leads to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Consequence {
    pub set: Outcome,
    /// Index of the next question; none: the path ends.
    pub goto: Option<usize>,
}

/// An input, and what is answered about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Example {
    pub input: String,
    pub answer: String,
    /// Of a counter-example: the answer that looks right and is not.
    pub not: Option<String>,
    pub why: String,
    /// What is answered to the other questions on its way.
    pub path: Vec<(String, String)>,
    /// What the outcome must have, at the end of that way.
    pub outcome: Outcome,
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

impl LabelName {
    /// As it stands on a line of a label file: the name, then a tab and the title, if there is one.
    pub fn line(&self) -> String {
        if self.title.is_empty() {
            self.name.clone()
        } else {
            format!("{}\t{}", self.name, self.title)
        }
    }

    /// The label on a line of an author's file.
    pub fn of_line(line: &str) -> Self {
        let (name, title) = line.split_once('\t').unwrap_or((line, ""));
        Self { name: name.trim().to_owned(), title: title.trim().to_owned() }
    }

    /// A name alone, as events hold it, whatever is in it.
    pub fn of_name(name: &str) -> Self {
        Self { name: name.trim().to_owned(), title: String::new() }
    }
}

impl Protocol {
    /// The hash that tells versions apart: of the source and of every label.
    pub fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.source.as_bytes());
        for label in &self.labels {
            hasher.update(b"\0");
            hasher.update(label.line().as_bytes());
        }
        Hash(*hasher.finalize().as_bytes())
    }

    pub fn reference(&self, version: u32) -> ProtocolRef {
        ProtocolRef { id: self.id.clone(), version, hash: self.hash() }
    }

    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Whether a question of kind label can be answered by `label`.
    pub fn has_label(&self, label: &str) -> bool {
        match self.labels.as_slice() {
            [] => !label.trim().is_empty() && label.len() <= 200,
            labels => labels.iter().any(|known| known.name == label),
        }
    }

    /// Every field that some path sets.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let own = self.questions.iter().filter_map(|question| question.kind.field());
        own.chain(
            self.questions.iter().flat_map(|question| question.kind.sets().map(|(field, _)| field)),
        )
    }

    /// Fields that hold what a question of kind label was answered: each value of them is one of
    /// the labels.
    pub fn fields_of_label_questions(&self) -> Vec<&str> {
        let sets = || self.questions.iter().flat_map(|question| question.kind.sets());
        let own: Vec<&str> =
            sets().filter(|(_, value)| value.is_none()).map(|(field, _)| field).collect();
        let of = |value: Option<&serde_json::Value>| match value.and_then(Reference::of) {
            Some(Reference::Field(of)) => own.contains(&of),
            _ => false,
        };
        let more: Vec<&str> =
            sets().filter(|(_, value)| of(*value)).map(|(field, _)| field).collect();
        own.iter().copied().chain(more).collect()
    }

    /// Fields that hold one of the labels: set by a question of kind label, to the prediction, or
    /// to such a field.
    pub fn label_fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = Vec::new();
        let sets = self.questions.iter().flat_map(|question| question.kind.sets());
        for (field, value) in sets.clone() {
            if value.is_none_or(|value| Reference::of(value) == Some(Reference::Prediction)) {
                fields.push(field);
            }
        }
        for (field, value) in sets {
            if let Some(Reference::Field(of)) = value.and_then(Reference::of)
                && fields.contains(&of)
            {
                fields.push(field);
            }
        }
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// Most questions that a path can have.
    pub fn longest_path(&self) -> usize {
        let mut longest = vec![0; self.questions.len()];
        for at in states::postorder(self) {
            longest[at] = 1 + states::next_of(self, at)
                .into_iter()
                .map(|next| longest[next])
                .max()
                .unwrap_or(0);
        }
        longest.get(self.start).copied().unwrap_or(0)
    }
}

impl QuestionKind {
    /// Its name in a source.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Choice(_) => "choice",
            Self::Multi { .. } => "multi",
            Self::Label { .. } => "label",
            Self::Scale { .. } => "scale",
            Self::Number { .. } => "number",
            Self::Text { .. } => "text",
            Self::Span { .. } => "span",
        }
    }

    /// Where its answers lead.
    pub fn consequences(&self) -> impl Iterator<Item = &Consequence> {
        let (answers, one) = match self {
            Self::Choice(answers) => (answers.as_slice(), None),
            Self::Multi { then, .. }
            | Self::Label { then, .. }
            | Self::Scale { then, .. }
            | Self::Number { then, .. }
            | Self::Text { then, .. }
            | Self::Span { then, .. } => (&[][..], Some(then)),
        };
        answers.iter().map(|answer| &answer.then).chain(one)
    }

    /// The answers that are listed.
    pub fn answers(&self) -> &[Answer] {
        match self {
            Self::Choice(answers) | Self::Multi { answers, .. } => answers,
            _ => &[],
        }
    }

    /// The field that keeps the answer itself.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Choice(_) => None,
            Self::Multi { sets, .. } => sets.as_deref(),
            Self::Label { sets, .. }
            | Self::Scale { sets, .. }
            | Self::Number { sets, .. }
            | Self::Text { sets, .. }
            | Self::Span { sets, .. } => Some(sets),
        }
    }

    /// Every field that it may set, with the value, or with nothing where that is a label.
    fn sets(&self) -> impl Iterator<Item = (&str, Option<&serde_json::Value>)> + Clone {
        let label = match self {
            Self::Label { sets, .. } => Some((sets.as_str(), None)),
            _ => None,
        };
        let then = match self {
            Self::Choice(_) => None,
            Self::Multi { then, .. }
            | Self::Label { then, .. }
            | Self::Scale { then, .. }
            | Self::Number { then, .. }
            | Self::Text { then, .. }
            | Self::Span { then, .. } => Some(then),
        };
        let all = self.answers().iter().map(|answer| &answer.then).chain(then);
        all.flat_map(|then| then.set.iter().map(|(field, value)| (field.as_str(), Some(value))))
            .chain(label)
    }
}
