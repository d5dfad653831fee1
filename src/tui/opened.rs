//! The case that is open, with the label in the making.

use crate::domain::protocol::{Protocol, Question, QuestionKind};
use crate::domain::time::Moment;
use crate::review::{Draft, OpenCase, Published};

/// Labels that the model itself considered, offered by digit.
pub const OFFERED_MAX: usize = 5;

/// A tab of the context pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Input,
    Logs,
    Neighbours,
    Model,
    History,
}

impl Tab {
    pub const ALL: [Self; 5] = [Self::Input, Self::Logs, Self::Neighbours, Self::Model, Self::History];

    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Logs => "Logs",
            Self::Neighbours => "Neighbours",
            Self::Model => "Model",
            Self::History => "History",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.word() == word)
    }

    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0) as isize + by;
        Self::ALL[at.rem_euclid(Self::ALL.len() as isize) as usize]
    }
}

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
    pub tab: Tab,
    /// First line shown of each tab.
    pub scroll: [usize; 5],
    pub guide_scroll: usize,
    /// Whether lines beside those of the trace are shown too.
    pub all_logs: bool,
    pub sending: bool,
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

    pub fn asks_label(&self) -> bool {
        self.question().is_some_and(|question| matches!(question.kind, QuestionKind::Label { .. }))
    }

    /// Labels offered by digit for a question of kind label: those that the models considered.
    pub fn offered(&self) -> Vec<(String, f64)> {
        let Some(prediction) = &self.case.prediction else { return Vec::new() };
        let known = |label: &str| {
            self.protocol().is_none_or(|protocol| protocol.labels.is_empty() || protocol.labels.iter().any(|l| l == label))
        };
        let rival = prediction.challenger.as_ref().map(|rival| rival.top_k.as_slice()).unwrap_or_default();
        let mut offered: Vec<(String, f64)> = Vec::new();
        for (label, p) in prediction.top_k.iter().chain(rival) {
            if known(label) && !offered.iter().any(|(other, _)| other == label) && offered.len() < OFFERED_MAX {
                offered.push((label.clone(), *p));
            }
        }
        offered
    }

    /// What digit `n` (from 1) answers to the question asked now.
    pub fn answer_of_digit(&self, n: usize) -> Option<String> {
        let question = self.question()?;
        match &question.kind {
            QuestionKind::Choice(answers) => answers.get(n.checked_sub(1)?).map(|answer| answer.key.clone()),
            QuestionKind::Label { .. } => self.offered().get(n.checked_sub(1)?).map(|(label, _)| label.clone()),
        }
    }

    /// What a typed character answers to the question asked now, by the answer's own key.
    pub fn answer_of_key(&self, key: char) -> Option<String> {
        match &self.question()?.kind {
            QuestionKind::Choice(answers) => {
                let mut name = [0; 4];
                let name = key.encode_utf8(&mut name);
                answers.iter().find(|answer| answer.key == *name).map(|answer| answer.key.clone())
            }
            QuestionKind::Label { .. } => None,
        }
    }

    /// Labels for the picker: the protocol's, or those that the models considered.
    pub fn labels(&self) -> Vec<String> {
        match self.protocol() {
            Some(protocol) if !protocol.labels.is_empty() => protocol.labels.clone(),
            _ => self.offered().into_iter().map(|(label, _)| label).collect(),
        }
    }

    pub fn scroll(&mut self) -> &mut usize {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        &mut self.scroll[at]
    }

    pub fn scroll_now(&self) -> usize {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.scroll[at]
    }
}
