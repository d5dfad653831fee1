//! The case that is open, with the label in the making.

use std::collections::BTreeSet;

use crate::domain::attachment::Attachment;
use crate::domain::cues::{Cue, Hiding};
use crate::domain::label::Outcome;
use crate::domain::modality;
use crate::domain::prediction::Scored;
use crate::domain::protocol::walk::rejects_prediction;
use crate::domain::protocol::{Protocol, Question, QuestionKind};
use crate::domain::time::Moment;
use crate::review::{Draft, OpenCase, Precedent, Published};

/// The open case.
#[derive(Debug, Clone)]
pub struct Opened {
    pub case: OpenCase,
    pub published: Option<Published>,
    pub draft: Draft,
    /// The draft as it was opened: while they are equal there is nothing to keep.
    pub untouched: Draft,
    /// When it was opened this time; the draft knows of the times before.
    pub since: Moment,
    pub sending: bool,
    /// Its answers are for a ruling, not for a label.
    pub ruling: bool,
    /// What the policy hides at first.
    pub hide: Vec<Hiding>,
    /// What was on the screen since it was opened.
    pub seen: BTreeSet<Cue>,
    /// The page that was read last of a long text, and of which.
    pub page: Option<(usize, usize)>,
    /// Resolved cases like it; none before they were looked for.
    pub precedents: Option<Vec<Precedent>>,
}

impl Opened {
    pub fn protocol(&self) -> Option<&Protocol> {
        self.published.as_ref().map(|published| &published.protocol)
    }

    /// The question to be answered next.
    pub fn question(&self) -> Option<&Question> {
        self.draft.question(self.protocol()?)
    }

    /// Whether the path has come to its end.
    pub fn ended(&self) -> bool {
        self.published.is_some() && self.question().is_none()
    }

    /// What the answers come to, once the path has ended; while the prediction is hidden, with what
    /// it stands for left open.
    pub fn outcome(&self, protocol: &Protocol) -> Option<Outcome> {
        self.draft.outcome_shown(
            protocol,
            self.case.row.predicted.as_deref(),
            self.hides(Cue::Prediction),
        )
    }

    /// Whether something is hidden for now, so that it sways nobody.
    pub fn hides(&self, cue: Cue) -> bool {
        self.case.hides(&self.hide, cue, !self.draft.answers.is_empty())
    }

    /// Whether a program that is shown would give an answer to a question.
    pub fn is_suggested(&self, question: &Question, answer: &str) -> bool {
        let several = matches!(question.kind, QuestionKind::Multi { .. });
        let gives = |given: &str| match several {
            true => given.split(',').any(|one| one == answer),
            false => given == answer,
        };
        let shown = self.case.suggestions.iter().filter(|_| !self.hides(Cue::Suggestion));
        let mut steps = shown.flat_map(|(suggestion, _)| &suggestion.answers);
        steps.any(|(asked, given)| *asked == question.id && gives(given))
    }

    /// What labelers, which are programs, would answer, as far as that is shown now.
    pub fn suggestions(&self) -> Vec<String> {
        let shown = self.case.suggestions.iter().filter(|_| !self.hides(Cue::Suggestion));
        shown.map(|(suggestion, _)| suggestion.words()).collect()
    }

    /// Adds what the person has before them now: what stands there always, and `more`.
    pub fn note_seen(&mut self, more: &[Cue]) {
        let facts = (!self.case.facts.is_empty()).then_some(Cue::Facts);
        let suggested = (!self.case.suggestions.is_empty()).then_some(Cue::Suggestion);
        // All that the models considered is hidden with what they said.
        let hidden = |cue: Cue| {
            self.hides(cue)
                || (matches!(cue, Cue::Challenger | Cue::Features) && self.hides(Cue::Prediction))
        };
        let none_alike = self.precedents.as_ref().is_none_or(Vec::is_empty);
        let more = more.iter().copied().filter(|cue| !(*cue == Cue::Precedents && none_alike));
        let now =
            [Cue::Prediction, Cue::Flags].into_iter().chain(more).chain(facts).chain(suggested);
        let shown: Vec<Cue> = now.filter(|cue| !hidden(*cue)).collect();
        self.seen.extend(shown);
    }

    /// Writes into the draft what was seen up to now.
    pub fn keep_seen(&mut self) {
        let hides = |cue| self.hides(cue);
        let (first, unseen) = (self.case.stood_first(hides), self.case.unseen_files(hides));
        self.draft.keep_seen(&self.seen, first, unseen);
    }

    /// Whether an answer is what the model said, where that was said to be wrong. While the
    /// prediction is hidden, nothing tells it.
    pub fn is_rejected(&self, question: &Question, answer: &str) -> bool {
        let said = self.case.row.predicted.as_deref().filter(|_| !self.hides(Cue::Prediction));
        said == Some(answer)
            && self.protocol().is_some_and(|protocol| {
                rejects_prediction(protocol, &self.draft.path(protocol), question)
            })
    }

    /// Labels offered by digit for a question of kind label: those that the models considered,
    /// unless that is hidden or was said to be wrong.
    pub fn offered(&self) -> Vec<Scored> {
        let mut offered = self.case.offered(self.protocol(), |cue| self.hides(cue));
        if let Some(question) = self.question() {
            offered.retain(|said| !self.is_rejected(question, &said.name));
        }
        offered
    }

    /// The texts of the case in which places can be marked, by name.
    pub fn texts(&self) -> Vec<(String, String)> {
        let parts = self.case.parts(|cue| self.hides(cue));
        let texts = modality::texts(&parts).into_iter();
        let texts = texts.filter(|(_, text)| !text.is_empty());
        texts.map(|(name, text)| (name, text.to_owned())).collect()
    }

    /// The names of the texts of which only the beginning is held.
    pub fn long_texts(&self) -> Vec<String> {
        let long = self.case.long_texts(|cue| self.hides(cue)).into_iter();
        long.map(|(_, name)| name.to_owned()).collect()
    }

    /// What the case brings besides words, each with the field it stands in.
    pub fn attachments(&self) -> Vec<(String, Attachment)> {
        modality::named_attachments(&self.case.parts(|cue| self.hides(cue)))
    }

    /// What digit `n` answers to the question asked now: a place in a list, or a step of a scale.
    pub fn answer_of_digit(&self, n: usize) -> Option<String> {
        let question = self.question()?;
        match &question.kind {
            QuestionKind::Choice(answers) | QuestionKind::Multi { answers, .. } => {
                answers.get(n.checked_sub(1)?).map(|answer| answer.key.clone())
            }
            QuestionKind::Label { .. } => {
                self.offered().get(n.checked_sub(1)?).map(|said| said.name.clone())
            }
            QuestionKind::Scale { least, most, .. } => {
                (*least..=*most).contains(&(n as i64)).then(|| n.to_string())
            }
            QuestionKind::Number { .. } | QuestionKind::Text { .. } | QuestionKind::Span { .. } => {
                None
            }
        }
    }

    /// What a typed character answers to the question asked now, by the answer's own key.
    pub fn answer_of_key(&self, key: char) -> Option<String> {
        let mut name = [0; 4];
        let name = key.encode_utf8(&mut name);
        let answers = self.question()?.kind.answers();
        answers.iter().find(|answer| answer.key == *name).map(|answer| answer.key.clone())
    }

    /// Which of several answers are ticked for the question asked now.
    pub fn ticked(&self) -> Vec<String> {
        let Some(question) = self.question() else { return Vec::new() };
        let answer = self.draft.begun(&question.id).unwrap_or_default();
        answer.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }
}
