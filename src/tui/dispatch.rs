//! What happens to the screen, and what follows: keys go to the window that lies over the panes, or to the actions that hold
//! where the person looks.

use crossterm::event::KeyEvent;

use super::action::ACTIONS;
use super::key::KeyPress;
use super::measure::measure;
use super::overlay::Overlay;
use super::place::{Focus, Place, Tab};
use super::shell::Shell;
use crate::domain::protocol::QuestionKind;
use crate::domain::time::Moment;
use crate::session::{Effect, Front, Opened, Report};

/// What happens to the screen. Closed: there is nothing else.
#[derive(Debug, Clone)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// The mouse: a click at a cell, or the wheel.
    Click(u16, u16),
    Wheel(i64),
}

impl Front for Shell {
    type Event = Event;

    fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        self.session.now = now;
        let effects = self.take(event);
        self.settle(effects)
    }

    fn heard(&mut self, report: Report, now: Moment) -> Vec<Effect> {
        if let (Report::Edited(Some(text)), Some(Overlay::Rationale(edit))) = (&report, &mut self.overlay) {
            *edit = super::edit::Edit::new(text);
        }
        let effects = self.session.heard(report, now);
        let effects = self.settle(effects);
        if let (Some(Overlay::Board(board)), Some(pages)) = (&mut self.overlay, &self.session.board) {
            board.take(pages);
        }
        effects
    }

    fn is_typed(event: &Event) -> bool {
        matches!(event, Event::Key(_) | Event::Paste(_))
    }

    fn looks_at_board(&self) -> bool {
        matches!(self.overlay, Some(Overlay::Board(_)))
    }
}

impl Shell {
    /// Follows what the session wants, and measures what came of it.
    pub(super) fn settle(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let left = self.follow(effects);
        let left = self.session.allowed(left);
        let cues = self.cues_on_screen();
        if let Some(opened) = &mut self.session.opened {
            opened.note_seen(&cues);
        }
        self.measured = measure(self);
        let rows = self.measured.layout.queue.map_or(self.size.1, |area| area.height.saturating_sub(1));
        let rows = usize::from(rows).max(1);
        if self.session.queue.shown != rows {
            self.session.queue.shown = rows;
            self.session.queue.show_cursor();
        }
        left
    }

    fn take(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) => {
                self.session.message = None;
                self.key(key)
            }
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => {
                self.size = (width, height);
                Vec::new()
            }
            Event::Click(x, y) => self.click(x, y),
            Event::Wheel(by) if self.focus == Focus::Queue => self.session.queue.step(by),
            Event::Wheel(by) => self.scroll(by),
        }
    }

    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        let key = KeyPress::of(&event);
        if let Some(overlay) = self.overlay.take() {
            return self.overlay_key(overlay, event, key);
        }
        if let Some(index) = self.keymap.action(key, &self.places()) {
            if let Some(words) = self.refuses(ACTIONS[index].name) {
                return self.say(words);
            }
            return (ACTIONS[index].run)(self, key);
        }
        let answers = |opened: &Opened| key.char().and_then(|c| opened.answer_of_key(c));
        match self.session.opened.as_ref().filter(|_| self.focus != Focus::Queue).and_then(answers) {
            Some(answer) => self.session.give(&answer),
            None if self.covers_the_case() && key.char().is_some_and(|c| c.is_ascii_digit()) => {
                self.say("Open the case first: Enter.")
            }
            None => Vec::new(),
        }
    }

    /// Whether the queue covers the case that is open.
    fn covers_the_case(&self) -> bool {
        self.focus == Focus::Queue && !self.is_wide()
    }

    /// Why an action has no place now: in a training, or while the queue covers the case it would change.
    pub(super) fn refuses(&self, action: &str) -> Option<&'static str> {
        const OF_THE_CASE: [&str; 11] =
            ["take-back", "rationale", "snippet", "evidence", "precedents", "cite", "check", "tags", "editor", "gold", "tree"];
        const NOT_IN_TRAINING: [&str; 18] = [
            "defer",
            "escalate",
            "comment",
            "undo",
            "view",
            "worklist",
            "arbitrate",
            "overruled",
            "sessions",
            "board",
            "gold",
            "filter",
            "next-case",
            "previous-case",
            "people",
            "open",
            "precedents",
            "cite",
        ];
        if self.session.training.is_some() && NOT_IN_TRAINING.contains(&action) {
            return Some("Not in a training: q leaves it, and nothing is recorded then.");
        }
        const NOT_IN_A_SESSION: [&str; 11] =
            ["defer", "escalate", "view", "worklist", "gold", "filter", "overruled", "precedents", "cite", "people", "board"];
        if self.session.sitting.is_some() && NOT_IN_A_SESSION.contains(&action) {
            return Some("Not in a calibration session: Esc leaves it.");
        }
        (self.covers_the_case() && OF_THE_CASE.contains(&action)).then_some("Open the case first: Enter.")
    }

    /// Where keys hold now, the most particular first.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(4);
        if let Some(opened) =
            self.session.opened.as_ref().filter(|opened| self.focus != Focus::Queue && opened.published.is_some())
        {
            places.push(match opened.question().map(|question| &question.kind) {
                None => Place::Ended,
                Some(QuestionKind::Choice(_)) => Place::Asking,
                Some(QuestionKind::Multi { .. }) => Place::AskingSeveral,
                Some(QuestionKind::Label { .. }) => Place::AskingLabel,
                Some(QuestionKind::Scale { .. }) => Place::AskingScale,
                Some(QuestionKind::Number { .. } | QuestionKind::Text { .. }) => Place::AskingWords,
                Some(QuestionKind::Span { .. }) => Place::AskingSpan,
            });
        }
        match self.focus {
            Focus::Queue => places.push(Place::Queue),
            Focus::Guide => places.push(Place::Guide),
            Focus::Context => {
                if self.session.opened.is_some() && self.tab == Tab::Logs {
                    places.push(Place::Logs);
                }
                places.push(Place::Context);
            }
        }
        places.push(Place::Any);
        places
    }

    fn click(&mut self, x: u16, y: u16) -> Vec<Effect> {
        let layout = self.measured.layout;
        let inside = |area: ratatui::layout::Rect| area.contains((x, y).into());
        if layout.queue.is_some_and(inside) {
            self.focus = Focus::Queue;
            let queue = &mut self.session.queue;
            let row = queue.top + usize::from(y.saturating_sub(layout.queue.map_or(0, |area| area.y + 1)));
            return queue.step(row as i64 - queue.cursor as i64);
        }
        if layout.context.is_some_and(inside) {
            self.focus = Focus::Context;
        } else if layout.guide.is_some_and(inside) {
            self.focus = Focus::Guide;
        }
        Vec::new()
    }
}
