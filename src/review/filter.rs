//! What is typed after `/`: words to find in the text, and `name:value` pairs.

use crate::db::case::CaseRow;
use crate::domain::cues::{Cue, Hiding};
use crate::domain::folding::folded;

/// What a queue is narrowed to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    pub words: Vec<String>,
    flag: Vec<String>,
    label: Vec<String>,
    stream: Vec<String>,
    model: Vec<String>,
    id: Vec<String>,
}

/// The names that may stand before a colon, for help.
pub const NAMES: &[(&str, &str)] = &[
    ("flag:", "why it was flagged"),
    ("label:", "what the model predicted"),
    ("stream:", "where it came from"),
    ("model:", "name or version"),
    ("id:", "the stream's id, or the case's"),
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

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What it asks about that a policy hides, if anything: to narrow by it would tell it.
    pub fn asks_hidden(&self, hidings: &[Hiding]) -> Option<Cue> {
        let hidden = |cue: Cue| hidings.iter().any(|hiding| hiding.cue == cue);
        let asked =
            [(Cue::Prediction, !self.label.is_empty()), (Cue::Flags, !self.flag.is_empty())];
        asked.into_iter().find(|(cue, asked)| *asked && hidden(*cue)).map(|(cue, _)| cue)
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
