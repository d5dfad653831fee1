//! What is called otherwise than in earlier versions. No label is ever rewritten: old answers are
//! read by these names where they are walked through the new version, and old outcomes where they
//! are compared.
//!
//! ```toml
//! [rename]
//! labels = { transfer_money = "transfer", move_money = "transfer" }   # two become one
//! questions = { legible = "readable" }
//! answers = { readable = { yes = "y", no = "n" } }                    # by the question's new id
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::typed::{Written, take};
use super::{Protocol, QuestionKind};
use crate::domain::label::{Outcome, Step};

/// Old names to new ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Renames {
    pub labels: BTreeMap<String, String>,
    pub questions: BTreeMap<String, String>,
    /// By the new id of the question.
    pub answers: BTreeMap<String, BTreeMap<String, String>>,
}

impl Renames {
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.questions.is_empty() && self.answers.is_empty()
    }

    /// Old answers in the names of `protocol`, whose renames these are.
    pub fn steps(&self, protocol: &Protocol, answers: &[Step]) -> Vec<Step> {
        let step = |(question, answer): &Step| {
            let question = self.questions.get(question).unwrap_or(question);
            let renames = self.answers.get(question);
            let asked = protocol.question(question);
            // An author may have written the new answer by its text; what is not renamed stays the
            // key it was.
            let renamed =
                |answer: &str| match (renames.and_then(|answers| answers.get(answer)), asked) {
                    (Some(new), Some(asked)) => take(protocol, asked, new, Written::Now)
                        .map_or_else(|| new.clone(), |taken| taken.recorded),
                    _ => answer.to_owned(),
                };
            let answer = match asked.map(|question| &question.kind) {
                Some(QuestionKind::Multi { .. }) => {
                    answer.split(',').map(renamed).collect::<Vec<_>>().join(",")
                }
                Some(QuestionKind::Label { .. }) => {
                    self.labels.get(answer).cloned().unwrap_or_else(|| renamed(answer))
                }
                _ => renamed(answer),
            };
            (question.clone(), answer)
        };
        answers.iter().map(step).collect()
    }

    /// New values of the outcome's fields, by field and old value: of labels, and of keys that
    /// questions of several answers keep.
    pub fn by_field(&self, protocol: &Protocol) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut fields: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        if !self.labels.is_empty() {
            fields.extend(
                protocol
                    .label_fields()
                    .into_iter()
                    .map(|field| (field.to_owned(), self.labels.clone())),
            );
        }
        for (id, answers) in &self.answers {
            let kind = protocol.question(id).map(|question| &question.kind);
            if let Some(
                QuestionKind::Multi { sets: Some(field), .. }
                | QuestionKind::Label { sets: field, .. },
            ) = kind
            {
                fields.entry(field.clone()).or_default().extend(answers.clone());
            }
        }
        fields
    }

    /// What a model may still say by an old name, in an outcome of today.
    pub fn labels_of(&self, protocol: &Protocol, mut outcome: Outcome) -> Outcome {
        if !self.labels.is_empty() {
            let fields = protocol
                .label_fields()
                .into_iter()
                .map(|field| (field.to_owned(), self.labels.clone()));
            rename_values(&mut outcome, &fields.collect());
        }
        outcome
    }

    /// An old outcome by the names of `protocol`, whose renames these are.
    pub fn outcome(&self, protocol: &Protocol, outcome: &Outcome) -> Outcome {
        let mut outcome = outcome.clone();
        if !self.is_empty() {
            rename_values(&mut outcome, &self.by_field(protocol));
        }
        outcome
    }

    /// What is wrong with them in `protocol`, whose renames these are.
    pub fn faults(&self, protocol: &Protocol) -> Vec<String> {
        let mut faults = Vec::new();
        for (old, new) in &self.labels {
            if !protocol.labels.is_empty() && !protocol.has_label(new) {
                faults.push(format!("[rename] labels: `{old}` becomes `{new}`, which is no label: add it to `labels`"));
            }
            if !protocol.labels.is_empty() && protocol.has_label(old) {
                faults.push(format!("[rename] labels: `{old}` is still a label: take it out of `labels`, or out of here"));
            }
        }
        for (old, new) in &self.questions {
            if protocol.question(new).is_none() {
                faults.push(format!(
                    "[rename] questions: `{old}` becomes `{new}`, which is no question"
                ));
            }
            if protocol.question(old).is_some() {
                faults.push(format!("[rename] questions: `{old}` is still a question"));
            }
        }
        for (id, answers) in &self.answers {
            let Some(question) = protocol.question(id) else {
                faults.push(format!("[rename] answers: `{id}` is no question"));
                continue;
            };
            for (old, new) in answers {
                if take(protocol, question, new, Written::Now).is_none() {
                    faults.push(format!(
                        "[rename] answers: `{old}` becomes `{new}`, which is no answer to `{id}`"
                    ));
                }
                let beside = |other: &&super::Question| {
                    other.id == *id
                        || (other.kind.field().is_some()
                            && other.kind.field() == question.kind.field())
                };
                let live = protocol
                    .questions
                    .iter()
                    .filter(beside)
                    .find(|other| other.kind.answers().iter().any(|answer| answer.key == *old));
                if let Some(live) = live {
                    faults.push(format!(
                        "[rename] answers: `{old}` is still an answer to `{}`",
                        live.id
                    ));
                }
            }
        }
        faults
    }
}

/// The labels that versions of protocols renamed, in the order of the versions: for comparing old
/// labels with new ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenamedLabels(pub Vec<VersionRenames>);

/// What one version renamed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionRenames {
    pub protocol: String,
    pub version: u32,
    /// New values by field and old value.
    pub by_field: BTreeMap<String, BTreeMap<String, String>>,
}

fn rename_values(outcome: &mut Outcome, by_field: &BTreeMap<String, BTreeMap<String, String>>) {
    let rename = |value: &mut Value, names: &BTreeMap<String, String>| {
        if let Some(new) = value.as_str().and_then(|old| names.get(old)) {
            *value = Value::from(new.as_str());
        }
    };
    for (field, names) in by_field {
        match outcome.get_mut(field) {
            Some(Value::Array(values)) => values.iter_mut().for_each(|value| rename(value, names)),
            Some(value) => rename(value, names),
            None => {}
        }
    }
}

impl RenamedLabels {
    /// A label's outcome by the names of today.
    pub fn outcome(&self, label: &crate::domain::label::Label) -> Outcome {
        self.of_version(Some(&label.protocol), &label.outcome)
    }

    /// An outcome that is meant by the names of a version, by those of today.
    pub fn of_version(
        &self,
        version: Option<&crate::domain::label::ProtocolRef>,
        outcome: &Outcome,
    ) -> Outcome {
        let mut outcome = outcome.clone();
        let Some(given) = version else { return outcome };
        let later = self
            .0
            .iter()
            .filter(|later| later.protocol == given.id && later.version > given.version);
        later.for_each(|later| rename_values(&mut outcome, &later.by_field));
        outcome
    }
}
