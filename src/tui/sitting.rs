//! Sitting in a calibration session: the queue holds its cases, labels go to its round, nothing else is shown or done meanwhile.

use super::app::{App, Focus};
use super::effect::Effect;
use super::overlay::Overlay;
use super::queue_model::QueueModel;
use crate::domain::calibration::{Calibration, Stage};
use crate::domain::text::visible;
use crate::domain::time::short_span;
use crate::review::CaseRow;

/// A session that is sat in.
#[derive(Debug, Clone)]
pub struct Sitting {
    pub session: Calibration,
    /// Cases that wait for a label in the round under way.
    pub left: usize,
}

/// A session with how far everybody is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sat {
    pub session: Calibration,
    pub progress: Vec<crate::review::calibration::Progress>,
}

impl Sat {
    /// How many cases somebody has labeled in the round under way, or in the last.
    pub fn done(&self, reviewer: &str) -> Option<usize> {
        let which = usize::from(self.session.stage().is_revealed());
        self.progress.iter().find(|one| one.reviewer == reviewer).map(|one| one.done[which])
    }
}

impl Sitting {
    /// What stands in the header: how many are left, and until when.
    pub fn words(&self, now: crate::domain::time::Moment) -> String {
        let of = self.session.opened.what.cases.len();
        let done = of.saturating_sub(self.left);
        let wait = self.session.opened.what.deadline.0 - now.0;
        match self.session.stage() {
            Stage::Blind if wait > 0 => format!("blind · {done} of {of} done · {} left", short_span(wait)),
            Stage::Blind => format!("blind · {done} of {of} done · time is over"),
            Stage::Discussion => format!("second round · {done} of {of} done"),
            stage @ (Stage::Closed | Stage::CalledOff) => stage.word().to_owned(),
        }
    }
}

impl App {
    /// Takes a seat in a session, or leaves it.
    pub(super) fn sat(&mut self, session: Option<Calibration>, rows: Vec<CaseRow>) -> Vec<Effect> {
        let was = self.sitting.is_some();
        self.opened = None;
        self.returning = None;
        self.overlay = None;
        self.view = None;
        self.filter.clear();
        self.listing = None;
        self.generation += 1;
        let Some(session) = session else {
            self.sitting = None;
            if was {
                self.queue = QueueModel::default();
            }
            return vec![Effect::View(None), QueueModel::start(), Effect::Count { all: true }];
        };
        let (left, first) = (rows.len(), rows.first().map(|row| row.id));
        self.queue.take_filtered(rows.into_iter().map(CaseRow::masked).collect());
        let stage = session.stage();
        self.focus = Focus::Context;
        self.sitting = Some(Sitting { session, left });
        match (first, stage) {
            (Some(id), _) => vec![Effect::Open { id }],
            (None, Stage::Blind) => self.say("You have labeled every case of this session. Esc leaves it until it is revealed."),
            (None, _) => self.say("You have labeled every case again. Esc leaves the session."),
        }
    }

    /// One case less is left.
    pub(super) fn labeled_in_session(&mut self) {
        let Some(sitting) = &mut self.sitting else { return };
        sitting.left = self.queue.rows.len();
        if sitting.left == 0 {
            self.message = Some("That was the last one. Esc leaves the session; C shows how far the others are.".to_owned());
        }
    }

    /// The sessions that there are.
    pub(super) fn sessions(&mut self, rows: Vec<Sat>) -> Vec<Effect> {
        if rows.is_empty() {
            return self.say("No calibration session was opened. A lead opens one: casework calibrate open NAME --divergent 12");
        }
        let cursor = match &self.overlay {
            Some(Overlay::Sessions(sessions)) => sessions.cursor.min(rows.len() - 1),
            _ => 0,
        };
        self.overlay = Some(Overlay::Sessions(super::overlay::Sessions { rows, cursor, me: self.me.clone(), now: self.now }));
        Vec::new()
    }

    /// What the header says of the session instead of the team.
    pub(super) fn sitting_name(&self) -> Option<String> {
        self.sitting.as_ref().map(|sitting| format!(" casework · calibration {}", visible(sitting.session.name())))
    }
}

/// Whether an effect has a place in a session: the list of its cases stays as it is.
pub fn allows(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::Page { .. }
            | Effect::View(_)
            | Effect::Filter { .. }
            | Effect::Worklist
            | Effect::Precedents { .. }
            | Effect::KeepPlace(_)
    )
}
