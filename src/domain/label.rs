//! A label: what one reviewer recorded of one case in one round.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cues::Seen;
use super::ids::{CaseId, EventId, Hash};
use super::protocol::{Places, Span};
use super::time::{Hlc, Moment};

/// The fields that a path through a protocol sets, by name.
pub type Outcome = BTreeMap<String, Value>;

/// One step of a path: a question's id and the answer given to it.
pub type Step = (String, String);

/// The round in which most labels are given.
pub const MAIN_ROUND: &str = "main";

/// The round of labels on cases whose right answer is known: they measure, and settle nothing.
pub const GOLD_ROUND: &str = "gold";

/// The round of labels that a reviewer gives on a case again, without being told: they measure, and
/// settle nothing.
pub const REPEAT_ROUND: &str = "repeat";

/// The round of the labels that a pass over cases gave: the first is the main one, the second
/// repeats it, and a third and more, which only imports have, have rounds of their own.
pub fn round_of_pass(pass: u64) -> String {
    match pass {
        0 | 1 => MAIN_ROUND.to_owned(),
        2 => REPEAT_ROUND.to_owned(),
        more => format!("{REPEAT_ROUND}-{more}"),
    }
}

/// Whether labels of a round are given on a case again, to measure.
pub fn is_repeat(round: &str) -> bool {
    let after = round.strip_prefix(REPEAT_ROUND);
    let pass = after.and_then(|after| after.strip_prefix('-'));
    after == Some("") || pass.is_some_and(|pass| pass.parse::<u32>().is_ok())
}

/// Whether labels of a round measure and settle nothing.
pub fn measures(round: &str) -> bool {
    round == GOLD_ROUND || is_repeat(round)
}

/// The exact version of a protocol that a label was given under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProtocolRef {
    pub id: String,
    pub version: u32,
    /// Of its source and labels: two replicas may both have published a version 3.
    pub hash: Hash,
}

/// A label as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    pub case: CaseId,
    pub reviewer: String,
    pub round: String,
    pub protocol: ProtocolRef,
    /// Question and answer, in the order asked.
    pub path: Vec<Step>,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checked: Vec<String>,
    /// 1 (a guess) to 5 (certain).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rationale: String,
    /// Places in the input that bear it out, beside those that questions ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Span>,
    /// The same in its other texts.
    #[serde(default, skip_serializing_if = "Places::is_empty")]
    pub evidence_in: Places,
    /// Earlier cases that it refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cites: Vec<CaseId>,
    /// What was on the screen; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What others said of the case could be seen when it was given: it counts, and is not compared
    /// with theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_others: bool,
    /// Milliseconds from first sight of the case to the submit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// When it was given, where that is not when it was recorded (an import).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Moment>,
    /// What another program said beside it that nothing here maps, by its names.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Label {
    /// Whether it is what a program suggested, and no person's.
    pub fn is_of_program(&self) -> bool {
        self.reviewer.starts_with(PROGRAM)
    }

    /// A label without answers.
    pub fn empty(case: CaseId, reviewer: &str, round: &str, protocol: ProtocolRef) -> Self {
        Self {
            case,
            reviewer: reviewer.to_owned(),
            round: round.to_owned(),
            protocol,
            path: Vec::new(),
            outcome: Outcome::new(),
            checked: Vec::new(),
            confidence: None,
            tags: Vec::new(),
            rationale: String::new(),
            evidence: Vec::new(),
            evidence_in: Places::default(),
            cites: Vec::new(),
            seen: None,
            after_others: false,
            duration_ms: None,
            given_at: None,
            extra: Map::new(),
        }
    }

    /// The evidence, in whatever text it stands.
    pub fn places(&self) -> Places {
        Places::together(&self.evidence, &self.evidence_in)
    }
}

/// A label with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenLabel {
    pub event: EventId,
    pub at: Hlc,
    /// Whose key signed it: somebody else's than the reviewer's where it was imported.
    pub author: String,
    pub label: Label,
}

impl GivenLabel {
    /// Who imported it, if its reviewer did not sign it.
    pub fn imported_by(&self) -> Option<&str> {
        (self.author != self.label.reviewer).then_some(self.author.as_str())
    }

    /// Of two labels of a reviewer on a case in a round, the one that counts has the greater:
    /// nothing that somebody imports takes the place of what the reviewer signed.
    pub fn precedence(&self) -> (bool, Hlc, EventId) {
        (self.imported_by().is_none(), self.at, self.event)
    }

    /// When the reviewer gave it.
    pub fn given_at(&self) -> Moment {
        self.label.given_at.unwrap_or(self.at.moment())
    }
}

/// The labels that count, of those of one case that were not withdrawn: of each reviewer the latest
/// in each round, by round and name. Nothing else answers that.
pub fn that_count<L: Borrow<GivenLabel>>(labels: impl IntoIterator<Item = L>) -> Vec<L> {
    fn key(given: &GivenLabel) -> (&str, &str) {
        (&given.label.round, &given.label.reviewer)
    }
    let mut labels: Vec<L> = labels.into_iter().collect();
    labels.sort_by(|a, b| {
        let (a, b): (&GivenLabel, &GivenLabel) = (a.borrow(), b.borrow());
        key(a).cmp(&key(b)).then_with(|| b.precedence().cmp(&a.precedence()))
    });
    labels.dedup_by(|later, first| key((*later).borrow()) == key((*first).borrow()));
    labels
}

/// Those of them in one round, by the reviewers' names.
pub fn that_count_in<L: Borrow<GivenLabel>>(
    labels: impl IntoIterator<Item = L>,
    round: &str,
) -> Vec<L> {
    that_count(labels.into_iter().filter(|given| given.borrow().label.round == round))
}

/// What is said of a label that was given after.
pub const AFTER_OTHERS: &str = "others' labels could be seen";

/// The labels that are compared to measure reviewers: of each the latest in each round that was given
/// before what others said could be seen, by round and name. Who changes a label later agrees with
/// what they saw.
pub fn given_blind<L: Borrow<GivenLabel>>(labels: impl IntoIterator<Item = L>) -> Vec<L> {
    that_count(labels.into_iter().filter(|given| !given.borrow().label.after_others))
}

/// What the name begins with under which a program's suggestion counts: no person is called so.
pub const PROGRAM: &str = "agent:";

/// An outcome in one line: `verdict wrong_label · corrected_label transfer`.
pub fn outcome_words(outcome: &Outcome) -> String {
    let word = |(field, value): (&String, &Value)| format!("{field} {}", value_text(value));
    if outcome.is_empty() {
        "nothing".to_owned()
    } else {
        outcome.iter().map(word).collect::<Vec<_>>().join(" · ")
    }
}

/// The tags in what somebody typed: words, whatever stands between them, each once; `#` before one
/// is how people write it, and no part of it.
pub fn tags_of(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let words = text.split(|c: char| c.is_whitespace() || [',', ';'].contains(&c));
    for tag in words.map(|word| word.trim_start_matches('#')).filter(|word| !word.is_empty()) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

/// The same with what matters most first, for where there is little room.
pub fn outcome_in_short(outcome: &Outcome) -> String {
    const FIRST: [&str; 3] = ["verdict", "label", "category"];
    let place = |field: &str| FIRST.iter().position(|first| *first == field).unwrap_or(FIRST.len());
    let mut fields: Vec<(&String, &Value)> = outcome.iter().collect();
    fields.sort_by_key(|(field, _)| place(field));
    fields
        .into_iter()
        .map(|(field, value)| format!("{field} {}", value_text(value)))
        .collect::<Vec<_>>()
        .join(" · ")
}

/// A field's value without quotes: a list with commas, a place in the input as `4-9`.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => match items.as_slice() {
            [start @ Value::Number(_), end @ Value::Number(_)] => format!("{start}-{end}"),
            items => items.iter().map(value_text).collect::<Vec<_>>().join(", "),
        },
        // What stands for another value, before it is known.
        Value::Object(reference) => reference.values().map(value_text).collect(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words_however_they_are_written() {
        assert_eq!(tags_of("#spanish, typo;typo  two-words"), ["spanish", "typo", "two-words"]);
        assert!(tags_of(" , # ").is_empty());
    }
}
