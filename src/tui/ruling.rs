//! Ruling on a disputed case: its labels side by side, a walk anew, on to the next.

use super::app::{App, Focus};
use super::effect::Effect;
use super::overlay::{Arbitrate, Overlay};
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::review::Draft;
use crate::review::arbitration::Dispute;
use crate::workspace::arbitration::Verdict;

impl App {
    /// Lays the labels of the case at hand side by side, to rule on it.
    pub fn arbitrate(&mut self) -> Vec<Effect> {
        let row = self.queue.current().filter(|_| self.focus == Focus::Queue).map(|row| row.id);
        match row.or(self.opened.as_ref().map(|opened| opened.case.row.id)) {
            Some(case) => {
                let open = self.opened.as_ref().is_some_and(|opened| opened.case.row.id == case);
                // Its input stands beside, and its guide may be walked.
                let mut effects = if open { Vec::new() } else { self.open(case) };
                effects.push(Effect::Dispute { case });
                effects
            }
            None => self.say("No case is open."),
        }
    }

    /// Begins to walk a disputed case anew.
    pub(super) fn walk_anew(&mut self, case: CaseId) -> Vec<Effect> {
        let Some(opened) = self.opened.as_mut().filter(|opened| opened.case.row.id == case) else { return Vec::new() };
        (opened.ruling, opened.draft) = (true, Draft::default());
        self.focus = Focus::Context;
        self.say("Walk it anew; Enter at the end asks why you rule so.")
    }

    /// Labels of a case came, to be laid side by side; what was walked anew meanwhile only lacks its reason.
    pub(super) fn disputed(&mut self, dispute: Dispute) -> Vec<Effect> {
        let opened = self.opened.as_ref().filter(|opened| opened.case.row.id == dispute.row.id);
        let prediction = opened.and_then(|opened| opened.case.prediction.as_ref());
        let text = prediction.map_or_else(|| dispute.row.text.clone(), |prediction| prediction.text());
        let walked = opened.filter(|opened| opened.ruling && opened.ended()).map(|opened| opened.draft.clone());
        let mut window = Arbitrate::new(dispute, &text);
        if let Some(draft) = walked {
            window = window.walked(Verdict::Walked(Box::new(draft)));
        }
        self.overlay = Some(Overlay::Arbitrate(Box::new(window)));
        Vec::new()
    }

    /// On from a case that was ruled on: to the next that is disputed, if those are being gone through.
    pub(super) fn ruled(&mut self, case: CaseId, words: &str) -> Vec<Effect> {
        self.wrote();
        self.say(words);
        let mut effects = vec![Effect::Count { all: false }];
        let is_open = self.opened.as_ref().is_some_and(|opened| opened.case.row.id == case);
        if self.view != Some(CaseState::Disputed) || !is_open {
            effects.extend(is_open.then_some(Effect::Open { id: case }));
            return effects;
        }
        let height = self.queue_height();
        self.queue.go_to(case, height);
        self.queue.remove(case);
        match self.queue.current().map(|row| row.id) {
            Some(id) => effects.extend([Effect::Open { id }, Effect::Dispute { case: id }]),
            None => self.opened = None,
        }
        effects
    }
}
