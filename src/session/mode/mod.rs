//! What a person is at other than the queue: a training, a calibration session, a ruling. What each
//! is stands here; how it goes on in a file of its own.

mod calibration;
mod ruling;
mod training;

use crate::domain::calibration::{Calibration, Stage};
use crate::domain::ids::CaseId;
use crate::domain::policy::Training as Rules;
use crate::domain::time::{Moment, short_span};
use crate::domain::training::Attempt;
use crate::workspace::{TrainingItem, TrainingSet};

/// A training under way.
#[derive(Debug, Clone)]
pub struct Training {
    /// Id of the protocol.
    pub protocol: String,
    pub items: Vec<TrainingItem>,
    pub rules: Rules,
    pub attempts: Vec<Attempt>,
}

impl Training {
    pub fn new(TrainingSet { protocol, all, rules, .. }: TrainingSet) -> Self {
        Self { protocol, items: all, rules, attempts: Vec::new() }
    }

    pub fn item(&self, id: CaseId) -> Option<&TrainingItem> {
        self.items.iter().find(|item| item.row.id == id)
    }

    /// The next case that was not answered yet.
    pub fn next(&self) -> Option<CaseId> {
        let done = |id: CaseId| self.attempts.iter().any(|attempt| attempt.case == id);
        self.items.iter().map(|item| item.row.id).find(|id| !done(*id))
    }

    pub fn right(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.right).count()
    }
}

/// A session that is sat in.
#[derive(Debug, Clone)]
pub struct InCalibration {
    pub session: Calibration,
    /// Cases that wait for a label in the round under way.
    pub left: usize,
}

impl InCalibration {
    /// What stands in the header: how many are left, and until when.
    pub fn describe(&self, now: Moment, me: &str) -> String {
        if !self.session.takes_part(me) {
            return format!("you moderate · {}", self.session.stage().as_str());
        }
        let of = self.session.opened.what.cases.len();
        let done = of.saturating_sub(self.left);
        let wait = self.session.deadline().0 - now.0;
        match self.session.stage() {
            Stage::Blind if wait > 0 => {
                format!("blind · {done} of {of} done · {} left", short_span(wait))
            }
            Stage::Blind => format!("blind · {done} of {of} done · time is over"),
            Stage::Discussion => format!("second round · {done} of {of} done"),
            stage @ (Stage::Closed | Stage::CalledOff) => stage.as_str().to_owned(),
        }
    }
}
