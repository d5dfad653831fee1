//! `training.finished`: a reviewer went through cases of known answers, and how that went.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::label::ProtocolRef;
use crate::domain::roster::Role;
use crate::domain::training::Attempt;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingFinished {
    pub reviewer: String,
    pub protocol: ProtocolRef,
    pub attempts: Vec<Attempt>,
    /// By the policy of that time.
    pub passed: bool,
}

impl TrainingFinished {
    pub fn right(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.right).count()
    }
}

impl Event for TrainingFinished {
    const KIND: &'static str = "training.finished";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Reviewer, Role::Lead, Role::Agent]);

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        if self.reviewer != stamp.author {
            return Some(format!("{} may not pass a training for {}", stamp.author, self.reviewer));
        }
        let cases: BTreeSet<_> = self.attempts.iter().map(|attempt| attempt.case).collect();
        let hollow = self.passed && (self.right() == 0 || cases.len() < self.attempts.len());
        hollow.then(|| "it says that a training was passed, and not by what".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.reviewer.clone();
        views.document("training", &name, 1, &self, stamp)
    }
}
