//! Taking part in a calibration session: the queue holds its cases, labels go to its round, nothing
//! else is shown or done meanwhile.

use super::InCalibration;
use crate::domain::calibration::{Calibration, Stage};
use crate::domain::text::visible;
use crate::review::CaseRow;
use crate::session::effect::{Effect, Look};
use crate::session::pages::QueueModel;
use crate::session::state::Session;
use crate::session::window::{CalibrationProgress, Window};

impl Session {
    /// Takes a seat in a session, or leaves it.
    pub(in crate::session) fn entered_calibration(
        &mut self,
        session: Option<Calibration>,
        rows: Vec<CaseRow>,
    ) -> Vec<Effect> {
        let was = self.calibration.is_some();
        self.opened = None;
        self.first = None;
        self.view = None;
        self.filter.clear();
        self.listing = None;
        self.generation += 1;
        let Some(session) = session else {
            self.calibration = None;
            if was {
                self.queue.take_filtered(Vec::new());
            }
            return vec![
                Effect::Show(Window::Closed),
                Effect::View(None),
                QueueModel::start(),
                Effect::Count { all: true },
            ];
        };
        let (left, first) = (rows.len(), rows.first().map(|row| row.id));
        self.queue.take_filtered(rows.into_iter().map(CaseRow::masked).collect());
        let (stage, moderates) = (session.stage(), !session.takes_part(&self.me));
        self.calibration = Some(InCalibration { session, left });
        if moderates {
            let words = match stage {
                Stage::Blind => {
                    "You moderate this session: what people say of its cases is shown once it is revealed. {sessions} ends the blind round."
                }
                _ => {
                    "You moderate this session: everything said of a case is in {history}; you comment, and label nothing."
                }
            };
            let mut effects = vec![Effect::Show(Window::Closed), Effect::Look(Look::Case)];
            effects.extend(first.map(|id| Effect::Open { id }));
            effects.extend(self.hint(words));
            return effects;
        }
        let mut effects = vec![Effect::Show(Window::Closed), Effect::Look(Look::Case)];
        effects.extend(match (first, stage) {
            (Some(id), _) => vec![Effect::Open { id }],
            (None, Stage::Blind) => {
                self.hint("You have labeled every case of this session. {clear} leaves it until it is revealed.")
            }
            (None, _) => self.hint("You have labeled every case again. {clear} leaves the session."),
        });
        effects
    }

    /// Whether whoever is at work sits in a session in which they do not label.
    pub fn moderates(&self) -> bool {
        self.calibration
            .as_ref()
            .is_some_and(|calibration| !calibration.session.takes_part(&self.me))
    }

    /// One case less is left.
    pub(in crate::session) fn labeled_in_session(&mut self) {
        let Some(calibration) = &mut self.calibration else { return };
        calibration.left = self.queue.rows.len();
        if calibration.left == 0 {
            self.hint("That was the last one. {clear} leaves the session; {sessions} shows how far the others are.");
        }
    }

    /// Sits in a session.
    pub fn enter_calibration(&mut self, name: String) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.push(Effect::EnterCalibration(Some(name)));
        effects
    }

    /// The sessions that there are.
    pub(in crate::session) fn sessions(&mut self, rows: Vec<CalibrationProgress>) -> Vec<Effect> {
        let none = rows.is_empty();
        let mut effects = vec![Effect::Show(Window::Calibrations(rows))];
        if none {
            effects.extend(self.hint(
                "No calibration session was opened yet: a lead opens one by {open-session}.",
            ));
        }
        effects
    }

    /// What the header says of the session instead of the team.
    pub fn calibration_name(&self) -> Option<String> {
        self.calibration.as_ref().map(|calibration| {
            format!(" casework · calibration {}", visible(calibration.session.name()))
        })
    }
}
