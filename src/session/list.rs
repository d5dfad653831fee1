//! Which cases the queue shows: mine, those of a state, those to renew, or what a filter lets
//! through.

use super::effect::{Aside, Effect, Look};
use super::pages::QueueModel;
use super::state::Session;
use super::window::{RELIABILITY_TITLE, Window};
use crate::domain::resolve::CaseState;
use crate::review::CaseRow;
use crate::review::Filter;

impl Session {
    /// Opens the board as it stood last, and has it worked out anew.
    pub fn show_board(&mut self) -> Vec<Effect> {
        vec![Effect::Show(Window::Board), Effect::Board]
    }

    /// How steady the person is: with themselves, with known answers, with others.
    pub fn show_reliability(&mut self) -> Vec<Effect> {
        vec![
            Effect::Show(Window::Counting { title: RELIABILITY_TITLE.to_owned() }),
            Effect::Reliability,
        ]
    }

    pub fn next_view(&mut self) -> Vec<Effect> {
        let next = match self.view {
            None => Some(CaseState::Disputed),
            Some(CaseState::Disputed) => Some(CaseState::Resolved),
            Some(CaseState::Resolved) => Some(CaseState::Open),
            Some(CaseState::Open | CaseState::Unsampled) => None,
        };
        self.set_view(next)
    }

    /// Shows the cases of a state, or those that are the person's to label.
    pub fn show_view(&mut self, view: Option<CaseState>) -> Vec<Effect> {
        self.set_view(view)
    }

    fn set_view(&mut self, view: Option<CaseState>) -> Vec<Effect> {
        self.view = view;
        self.listing = None;
        self.unfiltered = None;
        self.filter.clear();
        self.generation += 1;
        vec![
            Effect::Look(Look::Queue),
            Effect::View(view),
            QueueModel::start(),
            Effect::Count { all: true },
        ]
    }

    /// Lists the cases that the person deferred; after those, what is escalated.
    pub fn show_set_aside(&mut self) -> Vec<Effect> {
        let deferred = self.listing.as_deref() == Some(Aside::Deferred.title());
        vec![Effect::SetAside(if deferred { Aside::Escalated } else { Aside::Deferred })]
    }

    /// Shows the cases whose label lacks an answer.
    pub fn show_worklist(&mut self) -> Vec<Effect> {
        if self.worklist.is_empty() {
            return self.say("Nothing is asked of you besides the queue.");
        }
        self.show_listing("asked of you".to_owned(), self.worklist.clone())
    }

    /// Shows certain cases: those behind a number of the board, or those that want something.
    pub(super) fn show_listing(&mut self, title: String, rows: Vec<CaseRow>) -> Vec<Effect> {
        let mut effects = self.set_view(None);
        effects.retain(|effect| !matches!(effect, Effect::Page { .. }));
        self.queue.take_filtered(rows);
        self.listing = Some(title);
        effects
    }

    pub fn set_filter(&mut self, text: &str) -> Vec<Effect> {
        if let Some(cue) = Filter::parse(text).asks_hidden(&self.protocols.policy.hide) {
            return self.say(&format!(
                "The policy hides the {}: the queue can't be narrowed or sorted by it.",
                cue.as_str()
            ));
        }
        if text == self.filter && self.listing.is_none() {
            return vec![Effect::Look(Look::Queue)];
        }
        // What the filter narrows comes back as it was, with the cursor.
        if self.filter.is_empty() {
            self.unfiltered = self.listing.is_none().then(|| self.queue.clone());
        } else if text.is_empty()
            && let Some(all) = self.unfiltered.take()
        {
            self.filter.clear();
            self.generation += 1;
            self.queue = QueueModel::again(all, self.queue.shown);
            return vec![Effect::Look(Look::Queue)];
        }
        // The list is what was asked for before: it is narrowed no further.
        self.listing = None;
        self.filter = text.to_owned();
        self.generation += 1;
        let look = Effect::Look(Look::Queue);
        if text.is_empty() {
            return vec![look, QueueModel::start()];
        }
        vec![look, Effect::Filter { text: text.to_owned(), generation: self.generation }]
    }

    /// Sorts the queue by a column; by none, it stands in its own order.
    pub fn sort_queue(&mut self, column: &str) -> Vec<Effect> {
        let words = Filter::sorted_by(&self.filter, column);
        if self.listing.is_none() {
            return self.set_filter(&words);
        }
        // A list that was asked for is all here.
        let filter = Filter::parse(&words);
        if let Some(cue) = filter.asks_hidden(&self.protocols.policy.hide) {
            return self.say(&format!("The policy hides the {}.", cue.as_str()));
        }
        match filter.sort {
            Some(sort) => self.queue.rows.sort_by(|one, other| sort.compare(one, other)),
            None => self.queue.rows.sort_by_key(CaseRow::key),
        }
        (self.queue.cursor, self.queue.top) = (0, 0);
        vec![Effect::Look(Look::Queue)]
    }

    pub fn clear(&mut self) -> Vec<Effect> {
        if self.calibration.is_some() {
            let mut effects = self.settle_time();
            effects.push(Effect::EnterCalibration(None));
            return effects;
        }
        if !self.filter.is_empty() {
            return self.set_filter("");
        }
        if self.view.is_some() || self.listing.is_some() {
            return self.set_view(None);
        }
        Vec::new()
    }
}
