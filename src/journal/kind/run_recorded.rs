//! `run.recorded`: a retraining, done here or elsewhere. What its model said of the evaluation is a payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecorded {
    /// A UUID (version 7).
    pub run: String,
    /// What the pipeline is called, the hash of its text, and the text.
    pub pipeline: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    pub cut: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    pub began: Moment,
    pub ended: Moment,
    /// `done`, `failed`, `stopped` (at a limit), `interrupted`, or `recorded` (it ran elsewhere).
    pub state: String,
    /// Why it is not done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Inputs that changed while it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tainted: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<RunFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RunStep>,
    /// Names of the environment that steps were given, and the hash of it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_hash: Option<Hash>,
    /// What held steps back, and what it did not.
    pub sandbox: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restricted: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outs: Vec<RunFile>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// What was installed where it ran.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub versions: String,
    /// `same bytes`, `same predictions`, `churn 0.0013` or `differs`, of two runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// The share of predictions that differ between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<RunCode>,
    /// The predictions, by their content.
    pub predictions: Option<Hash>,
}

/// A file that went in or came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// One program of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStep {
    pub name: String,
    pub argv: Vec<String>,
    /// What it ended with; none where it was stopped.
    pub exit: Option<i32>,
    pub wall_ms: u64,
    pub cpu_ms: u64,
    pub memory_bytes: u64,
    /// The end of what it printed on standard error, made visible.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
}

/// Where the code of a pipeline stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCode {
    pub commit: String,
    pub dirty: bool,
}

impl Event for RunRecorded {
    const KIND: &'static str = "run.recorded";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn payload(raw: &str) -> Option<Hash> {
        #[derive(Deserialize)]
        struct Named {
            predictions: Option<Hash>,
        }
        serde_json::from_str::<Named>(raw).ok()?.predictions
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("run", &self.run.clone(), 1, &self, stamp)
    }
}
