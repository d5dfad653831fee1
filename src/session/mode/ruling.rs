//! Ruling on a disputed case: its labels side by side, a walk anew, on to the next.

use crate::domain::ids::CaseId;
use crate::domain::protocol::places::INPUT_TEXT;
use crate::domain::resolve::CaseState;
use crate::review::Draft;
use crate::review::arbitration::Dispute;
use crate::session::effect::{Effect, Look};
use crate::session::state::Session;
use crate::session::window::Window;
use crate::workspace::arbitration::RulingChoice;

impl Session {
    /// Lays the labels of a case side by side, to rule on it.
    pub fn arbitrate(&mut self, case: CaseId) -> Vec<Effect> {
        // Its input stands beside, and its guide may be walked.
        let mut effects = if self.open_id() == Some(case) { Vec::new() } else { self.open(case) };
        effects.push(Effect::Dispute { case });
        effects
    }

    /// Leaves a ruling that was begun: the draft is again what it was.
    pub fn rule_no_more(&mut self) {
        if let Some(opened) = self.opened.as_mut().filter(|opened| opened.ruling) {
            (opened.ruling, opened.draft) = (false, opened.untouched.clone());
        }
    }

    /// Begins to walk a disputed case anew.
    pub fn walk_anew(&mut self, case: CaseId) -> Vec<Effect> {
        let Some(opened) = self.opened.as_mut().filter(|opened| opened.case.row.id == case) else {
            return Vec::new();
        };
        (opened.ruling, opened.draft) = (true, Draft::default());
        self.hint("Answer it again; {submit} at the end asks why you rule so.");
        vec![Effect::Look(Look::Case)]
    }

    /// Labels of a case came, to be laid side by side; what was answered again meanwhile only lacks
    /// its reason.
    pub(in crate::session) fn disputed(&mut self, dispute: Dispute) -> Vec<Effect> {
        let opened = self.opened.as_ref().filter(|opened| opened.case.row.id == dispute.row.id);
        let prediction = opened.and_then(|opened| opened.case.prediction.as_ref());
        let text =
            prediction.map_or_else(|| dispute.row.text.clone(), |prediction| prediction.text());
        // The text that the case is called by, and whatever others something is marked in.
        let marked =
            |name: &str| dispute.sides.iter().any(|side| side.given.label.evidence_in.has(name));
        let others = opened.map(crate::session::Opened::texts).unwrap_or_default().into_iter();
        let others = others.filter(|(name, _)| marked(name));
        let texts = [(INPUT_TEXT.to_owned(), text)].into_iter().chain(others).collect();
        let walked = opened
            .filter(|opened| opened.ruling && opened.ended())
            .map(|opened| opened.draft.clone());
        let walked = walked.map(|draft| RulingChoice::Walked(Box::new(draft)));
        vec![Effect::Show(Window::Dispute { dispute: Box::new(dispute), texts, walked })]
    }

    /// On from a case that was ruled on: to the next that is disputed, if those are being gone
    /// through.
    pub(in crate::session) fn ruled(&mut self, case: CaseId, words: &str) -> Vec<Effect> {
        self.wrote();
        self.say(words);
        let mut effects = vec![Effect::Count { all: false }];
        let is_open = self.open_id() == Some(case);
        if self.view != Some(CaseState::Disputed) || !is_open {
            effects.extend(is_open.then_some(Effect::Open { id: case }));
            return effects;
        }
        self.queue.go_to(case);
        self.leaves_queue(case);
        match self.queue.current().map(|row| row.id) {
            Some(id) => effects.extend([Effect::Open { id }, Effect::Dispute { case: id }]),
            None => self.opened = None,
        }
        effects
    }
}
