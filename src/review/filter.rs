//! What is typed after `/`: words to find in the text, `name:value` pairs, and by what the cases are
//! sorted.

use std::cmp::Ordering;

use crate::db::case::CaseRow;
use crate::domain::cues::{Cue, Hiding};
use crate::domain::folding::folded;
use crate::domain::label::outcome_in_short;

/// What a queue is narrowed to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    pub words: Vec<String>,
    flag: Vec<String>,
    label: Vec<String>,
    stream: Vec<String>,
    model: Vec<String>,
    id: Vec<String>,
    /// Without one, in the queue's own order.
    pub sort: Option<Sort>,
}

/// By what cases are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: Column,
    /// The other way round.
    pub reversed: bool,
}

/// A column of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The least confident first.
    Confidence,
    /// What the case counts as, or else what the model said.
    Label,
    Flag,
    /// The latest first.
    Seen,
    /// So that cases of one text stand together.
    Text,
}

impl Column {
    pub const ALL: [Self; 5] = [Self::Confidence, Self::Label, Self::Flag, Self::Seen, Self::Text];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confidence => "confidence",
            Self::Label => "label",
            Self::Flag => "flag",
            Self::Seen => "seen",
            Self::Text => "text",
        }
    }

    /// How the rows stand then.
    pub fn about(self) -> &'static str {
        match self {
            Self::Confidence => "the least confident first",
            Self::Label => "by what it counts as, or what the model said",
            Self::Flag => "by why it was flagged",
            Self::Seen => "the latest first",
            Self::Text => "those of one text together",
        }
    }

    /// What it would tell of what a policy hides.
    fn cue(self) -> Option<Cue> {
        match self {
            Self::Confidence | Self::Label => Some(Cue::Prediction),
            Self::Flag => Some(Cue::Flags),
            Self::Seen | Self::Text => None,
        }
    }
}

impl Sort {
    /// Reads the name of a column, or how it begins, with `-` before it for the other way round.
    fn parse(word: &str) -> Option<Self> {
        let (reversed, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
        let by = Column::ALL.into_iter().find(|column| column.as_str().starts_with(name))?;
        Some(Self { by, reversed })
    }

    /// How two rows stand to each other; where they are even, as in the queue.
    pub fn compare(self, one: &CaseRow, other: &CaseRow) -> Ordering {
        let label = |row: &CaseRow| {
            let counts = row.outcome.as_ref().map(outcome_in_short);
            counts.or_else(|| row.predicted.clone()).map(|label| folded(&label).into_owned())
        };
        // What is not known stands last, either way.
        let known = |one: bool, other: bool| other.cmp(&one);
        let (first, then) = match self.by {
            Column::Confidence => (
                known(one.confidence.is_some(), other.confidence.is_some()),
                one.confidence.unwrap_or(0.0).total_cmp(&other.confidence.unwrap_or(0.0)),
            ),
            Column::Label => {
                let (one, other) = (label(one), label(other));
                (known(one.is_some(), other.is_some()), one.cmp(&other))
            }
            Column::Flag => {
                (known(!one.flags.is_empty(), !other.flags.is_empty()), one.flags.cmp(&other.flags))
            }
            Column::Seen => (Ordering::Equal, other.occurred_at.cmp(&one.occurred_at)),
            Column::Text => (
                known(!one.text.trim().is_empty(), !other.text.trim().is_empty()),
                folded(&one.text).cmp(&folded(&other.text)),
            ),
        };
        let then = if self.reversed { then.reverse() } else { then };
        first.then(then).then_with(|| one.key().cmp(&other.key()))
    }
}

/// The names that may stand before a colon, for help.
pub const NAMES: &[(&str, &str)] = &[
    ("flag:", "why it was flagged"),
    ("label:", "what the model predicted"),
    ("stream:", "where it came from"),
    ("model:", "name or version"),
    ("id:", "the stream's id, or the case's"),
    ("sort:", "by confidence, label, flag, seen or text; sort:-label the other way round"),
];

impl Filter {
    /// Reads a filter. A name that is not known is a word like any other.
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for part in text.split_whitespace() {
            let part = folded(part).into_owned();
            let (name, value) = part.split_once(':').unwrap_or(("", &part));
            let list = match name {
                "flag" => &mut filter.flag,
                "label" => &mut filter.label,
                "stream" => &mut filter.stream,
                "model" => &mut filter.model,
                "id" => &mut filter.id,
                "sort" if value.is_empty() || Sort::parse(value).is_some() => {
                    filter.sort = Sort::parse(value).filter(|_| !value.is_empty());
                    continue;
                }
                _ => {
                    filter.words.push(part);
                    continue;
                }
            };
            if !value.is_empty() {
                list.push(value.to_owned());
            }
        }
        filter
    }

    /// The words of a filter, sorted by this column and by no other; none for the queue's own order.
    pub fn sorted_by(text: &str, column: &str) -> String {
        let others = text.split_whitespace().filter(|word| !word.starts_with("sort:"));
        let sort = (!column.is_empty()).then(|| format!("sort:{column}"));
        others.map(str::to_owned).chain(sort).collect::<Vec<_>>().join(" ")
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What it asks about that a policy hides, if anything: to narrow by it would tell it.
    pub fn asks_hidden(&self, hidings: &[Hiding]) -> Option<Cue> {
        let hidden = |cue: Cue| hidings.iter().any(|hiding| hiding.cue == cue);
        let asked =
            [(Cue::Prediction, !self.label.is_empty()), (Cue::Flags, !self.flag.is_empty())];
        let narrowed = asked.into_iter().find(|(cue, asked)| *asked && hidden(*cue));
        let sorted = self.sort.and_then(|sort| sort.by.cue()).filter(|cue| hidden(*cue));
        narrowed.map(|(cue, _)| cue).or(sorted)
    }

    /// Whether a case passes. Every pair and every word must be found.
    pub fn matches(&self, case: &CaseRow) -> bool {
        let has = |wanted: &[String], text: &str| {
            wanted.is_empty() || {
                let text = folded(text);
                wanted.iter().all(|part| text.contains(part.as_str()))
            }
        };
        has(&self.label, case.predicted.as_deref().unwrap_or_default())
            && has(&self.stream, &case.stream)
            && has(&self.model, &case.model)
            && (self.flag.is_empty() || has(&self.flag, &case.flags.join("\n")))
            && (self.id.is_empty() || has(&self.id, &format!("{} {}", case.external_id, case.id)))
            && has(&self.words, &case.text)
    }

    /// The words as a query for full-text search, if the filter has any.
    pub fn query(&self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.join(" "))
    }
}
