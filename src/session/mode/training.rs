//! Training: cases whose right answer is known, one after another, each compared as soon as it is
//! answered. Nothing is written until the last; then one event says how it went.

use crate::domain::label::Label;
use crate::domain::training::{Attempt, compare};
use crate::review::feedback::{feedback, summary};
use crate::session::command::train::finish;
use crate::session::effect::Effect;
use crate::session::open_case::Opened;
use crate::session::state::Session;
use crate::session::window::Window;

impl Session {
    /// Takes an answer in a training: nothing is written of it yet.
    pub(in crate::session) fn trained(&mut self, label: Label) -> Vec<Effect> {
        let Some(training) = &mut self.training else { return Vec::new() };
        let Some(protocol) = self.opened.as_ref().and_then(Opened::protocol) else {
            return Vec::new();
        };
        let Some(item) = training.item(label.case).cloned() else { return Vec::new() };
        let found = compare(protocol, &item.right, &label.path, &label.outcome);
        let words = feedback(&self.protocols, protocol, &item.why, &found, &label.outcome);
        let diverged_at = found.diverged_at.map(|(question, _)| question);
        training.attempts.push(Attempt {
            case: label.case,
            path: label.path,
            right: found.right,
            diverged_at,
        });
        let title = format!("{} of {}", training.attempts.len(), training.items.len());
        self.leaves_queue(label.case);
        vec![Effect::Show(Window::Feedback { title, words, is_end: false })]
    }

    /// On to the next case of a training, or to its end.
    pub fn train_on(&mut self) -> Vec<Effect> {
        let Some(training) = &self.training else { return Vec::new() };
        if let Some(next) = training.next() {
            return vec![Effect::Open { id: next }];
        }
        if self.opened.take().is_none() {
            // The end was said.
            return vec![Effect::Quit];
        }
        let words = vec![summary(&training.rules, training.right(), training.attempts.len())];
        let mut effects = finish(training);
        effects.push(Effect::Show(Window::Feedback {
            title: "The training is over".to_owned(),
            words,
            is_end: true,
        }));
        effects
    }
}
