//! What is called otherwise than in earlier versions. No label is ever rewritten: old answers are read by
//! these names where they are walked through the new version, and old outcomes where they are compared.
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

use super::Protocol;
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
            let by_answer = self.answers.get(question).and_then(|answers| answers.get(answer));
            let is_label = protocol.question(question).is_some_and(|q| matches!(q.kind, super::QuestionKind::Label { .. }));
            let by_label = || self.labels.get(answer).filter(|_| is_label);
            (question.clone(), by_answer.or_else(by_label).unwrap_or(answer).clone())
        };
        answers.iter().map(step).collect()
    }

    /// An old outcome with the labels in `fields` called by their new names.
    pub fn outcome(&self, fields: &[&str], outcome: &Outcome) -> Outcome {
        let rename = |(field, value): (&String, &Value)| {
            let renamed = value.as_str().filter(|_| fields.contains(&field.as_str())).and_then(|old| self.labels.get(old));
            (field.clone(), renamed.map_or_else(|| value.clone(), |new| Value::from(new.as_str())))
        };
        if self.labels.is_empty() { outcome.clone() } else { outcome.iter().map(rename).collect() }
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
                faults.push(format!("[rename] questions: `{old}` becomes `{new}`, which is no question"));
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
                if super::walk::accepts(protocol, question, new).is_none() {
                    faults.push(format!("[rename] answers: `{old}` becomes `{new}`, which is no answer to `{id}`"));
                }
                if question.kind.answers().iter().any(|answer| answer.key == *old) {
                    faults.push(format!("[rename] answers: `{old}` is still an answer to `{id}`"));
                }
            }
        }
        faults
    }
}

/// The labels that versions of protocols renamed, in the order of the versions: for comparing old labels with new ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenamedLabels(pub Vec<VersionRenames>);

/// What one version renamed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionRenames {
    pub protocol: String,
    pub version: u32,
    /// Fields that hold labels.
    pub fields: Vec<String>,
    pub labels: BTreeMap<String, String>,
}

impl RenamedLabels {
    /// A label's outcome by the names of today.
    pub fn outcome(&self, label: &crate::domain::label::Label) -> Outcome {
        let mut outcome = label.outcome.clone();
        let later = self.0.iter().filter(|later| later.protocol == label.protocol.id && later.version > label.protocol.version);
        for VersionRenames { fields, labels, .. } in later {
            for field in fields {
                if let Some(value) = outcome.get_mut(field)
                    && let Some(new) = value.as_str().and_then(|old| labels.get(old))
                {
                    *value = Value::from(new.as_str());
                }
            }
        }
        outcome
    }
}
