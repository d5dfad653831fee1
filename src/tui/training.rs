//! Training: cases whose right answer is known, one after another, each compared as soon as it is answered.
//! Nothing is written until the last; then one event says how it went.

use super::app::App;
use super::effect::Effect;
use super::opened::Opened;
use super::overlay::Overlay;
use crate::domain::ids::CaseId;
use crate::domain::label::Label;
use crate::domain::policy::Training as Rules;
use crate::domain::training::{Attempt, compare};
use crate::review::feedback::{feedback, summary};
use crate::workspace::{Lesson, Lessons};

/// A training under way.
#[derive(Debug, Clone)]
pub struct Training {
    /// Id of the protocol.
    pub protocol: String,
    pub lessons: Vec<Lesson>,
    pub rules: Rules,
    pub attempts: Vec<Attempt>,
}

impl Training {
    pub fn new(Lessons { protocol, all, rules, .. }: Lessons) -> Self {
        Self { protocol, lessons: all, rules, attempts: Vec::new() }
    }

    pub fn lesson(&self, id: CaseId) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.row.id == id)
    }

    /// The next case that was not answered yet.
    pub fn next(&self) -> Option<CaseId> {
        let done = |id: CaseId| self.attempts.iter().any(|attempt| attempt.case == id);
        self.lessons.iter().map(|lesson| lesson.row.id).find(|id| !done(*id))
    }

    pub fn right(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.right).count()
    }
}

impl App {
    /// Takes an answer in a training: nothing is written of it yet.
    pub(super) fn trained(&mut self, label: Label) -> Vec<Effect> {
        let Some(training) = &mut self.training else { return Vec::new() };
        let Some(protocol) = self.opened.as_ref().and_then(Opened::protocol) else { return Vec::new() };
        let Some(lesson) = training.lesson(label.case).cloned() else { return Vec::new() };
        let found = compare(protocol, &lesson.right, &label.path, &label.outcome);
        let words = feedback(&self.protocols, protocol, &lesson.why, &found, &label.outcome);
        let parted_at = found.parted_at.map(|(question, _)| question);
        training.attempts.push(Attempt { case: label.case, path: label.path, right: found.right, parted_at });
        let title = format!("{} of {} (any key goes on)", training.attempts.len(), training.lessons.len());
        self.queue.remove(label.case);
        self.overlay = Some(Overlay::Feedback { title, words, scroll: 0 });
        Vec::new()
    }

    /// On to the next case of a training, or to its end.
    pub(super) fn train_on(&mut self) -> Vec<Effect> {
        let Some(training) = &self.training else { return Vec::new() };
        if let Some(next) = training.next() {
            return vec![Effect::Open { id: next }];
        }
        if self.opened.take().is_none() {
            // The end was said.
            return vec![Effect::Quit];
        }
        let words = vec![summary(&training.rules, training.right(), training.attempts.len())];
        let finished = Effect::FinishTraining(Box::new(training.clone()));
        self.overlay = Some(Overlay::Feedback { title: "The training is over (any key leaves)".to_owned(), words, scroll: 0 });
        vec![finished]
    }
}

/// Whether an effect has a place in a training: nothing else is written or looked up meanwhile.
pub fn allows(effect: &Effect) -> bool {
    let shows = matches!(effect, Effect::Open { .. } | Effect::Editor(_) | Effect::Repaint | Effect::Suspend | Effect::Quit);
    shows || matches!(effect, Effect::FinishTraining(_))
}
