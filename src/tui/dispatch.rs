//! What happens to the screen, and what follows: keys go to the window that lies over the panes, or
//! to the actions that hold where the person looks.

use crossterm::event::{KeyCode, KeyEvent};

use super::action::{ACTIONS, Does};
use super::input::Reply;
use super::key::KeyPress;
use super::measure::measure;
use super::overlay::help::Help;
use super::overlay::prompt::Prompt;
use super::overlay::{Cx, Layer, Next};
use super::pane::input;
use super::pane::queue::HEAD;
use super::place::{Focus, Place};
use super::search;
use super::shell::{Shell, Wish};
use crate::domain::time::Moment;
use crate::session::NOT_SERVED;
use crate::session::command::{self as commands, Command, Needs, Said};
use crate::session::pages::QueueModel;
use crate::session::{Effect, Front, Input, Opened, Report};

/// What happens to the screen. Closed: there is nothing else.
#[derive(Debug, Clone)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// The mouse: a click at a cell, or the wheel.
    Click(u16, u16),
    Wheel(i64),
    /// Nothing was typed for a moment.
    Rest,
    /// The terminal said something of itself.
    Terminal(Reply),
}

impl Front for Shell {
    type Event = Event;

    fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        self.session.now = now;
        if self.needs_measures(&event) {
            self.measure();
        }
        let effects = self.take(event);
        self.settle(effects)
    }

    fn heard(&mut self, report: Report, now: Moment) -> Vec<Effect> {
        if let (Report::Edited(Some(text)), Some(layer)) = (&report, &mut self.layer) {
            layer.edited(text);
        }
        let failed = match &report {
            Report::Came { opened, .. } => matches!(**opened, Report::Failed(_)),
            report => matches!(report, Report::Failed(_)),
        };
        // More of a queue that is there, where that opens nothing.
        let more = matches!(report, Report::Page { .. }) && !self.session.queue.rows.is_empty();
        let open = self.session.open_id();
        let effects = self.session.take(Input::Report(report), now);
        self.only_moved = more && effects.is_empty() && open == self.session.open_id();
        let mut effects = self.settle(effects);
        // A key that waited for its case; what could not be opened is answered by nothing.
        let at = self.session.queue.current().map(|row| row.id);
        let opened = at.is_some() && at == self.session.open_id();
        if let Some(key) = self.held.take_if(|_| opened || failed)
            && opened
        {
            let more = self.take(Event::Key(key));
            effects.extend(self.settle(more));
        }
        if let (Some(layer), Some(pages)) = (&mut self.layer, &self.session.board) {
            layer.board(pages);
        }
        effects
    }

    fn is_typed(event: &Event) -> bool {
        matches!(event, Event::Key(_) | Event::Paste(_))
    }

    fn looks_at_board(&self) -> bool {
        self.is_over(Place::Board)
    }
}

const NO_CASE: &str = "No case is under the cursor.";

/// Terminals that put right-to-left text in order and can't be told not to, as they call themselves.
const ARRANGING: [&str; 2] = ["Konsole", "mlterm"];

impl Shell {
    /// Measures what was not measured since the last change.
    pub(super) fn measure(&mut self) {
        if self.measured.is_none() {
            self.measured = Some(measure(self));
        }
    }

    /// Whether what an event does depends on how large anything is. A key that is held in the queue
    /// is not measured for.
    fn needs_measures(&self, event: &Event) -> bool {
        match event {
            Event::Key(_) | Event::Wheel(_) => self.focus != Focus::Queue || self.layer.is_some(),
            Event::Click(..) => true,
            Event::Paste(_) | Event::Resize(..) | Event::Rest | Event::Terminal(_) => false,
        }
    }

    /// Follows what the session wants.
    pub(super) fn settle(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let left = self.follow(effects);
        let left = self.session.allowed(left);
        let cues = self.cues_on_screen();
        if let Some(opened) = &mut self.session.opened {
            opened.note_seen(&cues);
        }
        if !std::mem::take(&mut self.only_moved) {
            self.measured = None;
            self.changes += 1;
        }
        let rows = self.queue_rows();
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
            Event::Wheel(by) if self.focus == Focus::Queue => self.moved(|queue| queue.step(by)),
            Event::Wheel(by) => self.scroll(by),
            Event::Rest => self.open_at_cursor(),
            Event::Terminal(reply) => self.heard_of_terminal(reply),
        }
    }

    /// Takes up what the terminal said of itself, where that was to be found out.
    fn heard_of_terminal(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Background { light } => {
                if let Some(themes) = &self.by_background {
                    self.theme = themes[usize::from(light)];
                }
            }
            Reply::Name(name) if self.asks_bidi => {
                if ARRANGING.iter().any(|known| name.starts_with(known)) {
                    self.leave_bidi_to_terminal();
                }
            }
            Reply::Name(_) | Reply::Done { .. } | Reply::Ready => {}
        }
        Vec::new()
    }

    /// Where the case stands beside the queue, it is the one under the cursor.
    fn open_at_cursor(&mut self) -> Vec<Effect> {
        let Some(id) = self.preview() else { return Vec::new() };
        self.tried = Some(id);
        self.session.open(id)
    }

    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        let key = KeyPress::of(&event);
        if let Some(layer) = self.layer.take() {
            return self.layer_key(layer, event, key);
        }
        let row = self.keymap.find(key, &self.places());
        // What is done is done to the case under the cursor, and not to the one that still stands
        // beside it.
        let digit = key.char().is_some_and(|c| c.is_ascii_digit());
        let of_the_case = digit || row.is_some_and(|row| is_of_the_case(row.name));
        let lacks_one =
            row.map_or(digit && self.has_no_case_at_hand(), |row| self.lacks_a_case(row.name));
        if lacks_one {
            return self.session.say(NO_CASE);
        }
        if self.preview().is_some() && of_the_case {
            self.held = Some(event);
            return self.open_at_cursor();
        }
        // Over the whole screen the case hides its question: nothing is answered unseen.
        if self.zoomed && row.is_some_and(|row| row.place.answers()) {
            self.zoomed = false;
            return self.session.say("Here is what is asked: press it again to answer.");
        }
        if let Some(row) = row {
            return self.do_action(row.name, key);
        }
        let answers = |opened: &Opened| key.char().and_then(|c| opened.answer_of_key(c));
        let is_seen = self.focus != Focus::Queue && !self.zoomed;
        match self.session.opened.as_ref().filter(|_| is_seen).and_then(answers) {
            Some(answer) => self.session.take(Input::Answer(answer), self.session.now),
            None if self.covers_the_case() && key.char().is_some_and(|c| c.is_ascii_digit()) => {
                self.session.hint("Open the case first: {open}.")
            }
            None => Vec::new(),
        }
    }

    /// Whether the cursor is in a queue that is narrowed to no case.
    fn shows_none_of_what_is_asked_for(&self) -> bool {
        let narrowed = !self.session.filter.is_empty() || self.session.view.is_some();
        narrowed && self.has_no_case_at_hand()
    }

    /// Whether an action is of a case, and there is none for it.
    pub(super) fn lacks_a_case(&self, name: &str) -> bool {
        let needs_one = || {
            let action = ACTIONS.iter().find(|action| action.row.name == name);
            action.is_some_and(|action| {
                matches!(action.does, Does::Command(command) if command.needs != Needs::Nothing)
            })
        };
        self.has_no_case_at_hand() && (needs_one() || is_of_the_case(name))
    }

    /// Does an action by its name, where it has a place.
    fn do_action(&mut self, name: &str, key: KeyPress) -> Vec<Effect> {
        let Some(action) = ACTIONS.iter().find(|action| action.row.name == name) else {
            return Vec::new();
        };
        if self.lacks_a_case(name) {
            return self.session.say(NO_CASE);
        }
        if is_of_the_case(name) && self.covers_the_case() {
            return self.session.hint("Open the case first: {open}.");
        }
        if action.row.outside && self.session.served {
            return self.session.say(NOT_SERVED);
        }
        match action.does {
            Does::Screen(run) | Does::OfTheCase(run) => {
                let lacked = self.shows_none_of_what_is_asked_for();
                let effects = run(self, key);
                // Nobody goes from there to a case that is none of those.
                if lacked && self.focus != Focus::Queue {
                    self.focus = Focus::Queue;
                    return self.session.say(NO_CASE);
                }
                effects
            }
            Does::Moves(run) => self.moved(run),
            Does::Command(command) => self.command(command),
        }
    }

    /// Moves through the queue: the case and the guide stay as they are.
    fn moved(&mut self, by: impl FnOnce(&mut QueueModel) -> Vec<Effect>) -> Vec<Effect> {
        self.only_moved = true;
        by(&mut self.session.queue)
    }

    /// Does a command, about the case at hand: in the queue the row under the cursor, else the open
    /// one. What it takes is asked for first.
    fn command(&mut self, command: &'static Command) -> Vec<Effect> {
        let row = self.session.queue.current().filter(|_| self.focus == Focus::Queue);
        let (case, own) = (row.map(|row| row.id), row.map(|row| row.external_id.clone()));
        if command.ask.is_empty() {
            let said = Said { case, ..Said::default() };
            return self.session.take(Input::Command(command, said), self.session.now);
        }
        if let Some(message) = command.refused(&self.session, case) {
            self.session.message = Some(message);
            return Vec::new();
        }
        let other =
            case.is_some() && case != self.session.open_id() && command.needs == Needs::Case;
        let about = own.filter(|_| other).map(|own| format!("{own}: ")).unwrap_or_default();
        let done = move |text: &str, cx: &mut Cx<'_>| {
            cx.take(Input::Command(command, Said { text: text.to_owned(), case }))
        };
        let prompt = Prompt::new(command.ask, &(command.begins)(&self.session), done).about(about);
        let is_filter = command.name == commands::list::FILTER.name;
        let mut prompt = if is_filter { prompt.live() } else { prompt };
        prompt.resumes(&self.session);
        self.layer = Some(Box::new(prompt));
        Vec::new()
    }

    /// A key while a window lies over the panes: one of its own, or something typed.
    fn layer_key(&mut self, layer: Box<dyn Layer>, event: KeyEvent, key: KeyPress) -> Vec<Effect> {
        let row = self.keymap.find(key, layer.places());
        // Help is there in every window in which letters are not text.
        let takes_text = layer.places().iter().any(|place| place.takes_text());
        let asks = self.keymap.find(key, &[Place::Any]).is_some_and(|row| row.name == "help");
        if row.is_none() && asks && !takes_text {
            let here = layer.places().to_vec();
            self.layer = Some(Box::new(Help::new(here, Some(layer))));
            return Vec::new();
        }
        let refused = row.is_some_and(|row| row.outside) && self.session.served;
        if refused {
            self.layer = Some(layer);
            return self.session.say(NOT_SERVED);
        }
        self.in_layer(layer, |layer, cx| match row {
            Some(row) => layer.act(row.name, key, cx),
            None => layer.typed(event, cx),
        })
    }

    /// Lets a window do something, and follows what becomes of it.
    fn in_layer(
        &mut self,
        mut layer: Box<dyn Layer>,
        act: impl FnOnce(&mut dyn Layer, &mut Cx<'_>) -> Next,
    ) -> Vec<Effect> {
        let context_columns = self.context_columns();
        let mut cx = Cx {
            session: &mut self.session,
            theme: &self.theme,
            keymap: &self.keymap,
            canvas: self.canvas,
            size: self.size,
            context_columns,
            effects: Vec::new(),
            place_to_show: None,
            copy: None,
            search: None,
        };
        let next = act(&mut *layer, &mut cx);
        let (mut effects, place, query) = (cx.effects, cx.place_to_show, cx.search);
        self.wishes.extend(cx.copy.map(Wish::Copy));
        match next {
            Next::Stays => self.layer = Some(layer),
            Next::Closes => {}
            Next::Opens(mut other) => {
                other.resumes(&self.session);
                self.layer = Some(other);
            }
            Next::Does(name) => {
                effects.extend(self.do_action(name, KeyPress::plain(KeyCode::Enter)))
            }
        }
        if let Some((text, start)) = place
            && let Some(row) = input::row_of_place(self, &text, start)
        {
            self.show_row(row);
        }
        if let Some(query) = query {
            effects.extend(search::begin(self, query));
        }
        effects
    }

    /// Scrolls the context so that a row of it is on the screen.
    fn show_row(&mut self, row: usize) {
        let height = self.context_height() as usize;
        let scroll = self.scroll_of_tab();
        *scroll = (*scroll).clamp((row + 1).saturating_sub(height), row);
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        let mut could = false;
        let mut effects = Vec::new();
        if let Some(layer) = self.layer.take() {
            effects = self.in_layer(layer, |layer, cx| {
                could = layer.pasted(text, cx);
                Next::Stays
            });
        }
        if !could {
            // A paste is never taken for keys.
            self.session.hint("Pasted text goes into a prompt or the rationale ({rationale}).");
        }
        effects
    }

    /// Whether the queue covers the case that is open.
    fn covers_the_case(&self) -> bool {
        self.focus == Focus::Queue && !self.is_wide()
    }

    fn click(&mut self, x: u16, y: u16) -> Vec<Effect> {
        let layout = self.layout();
        let inside = |area: ratatui::layout::Rect| area.contains((x, y).into());
        if layout.queue.is_some_and(inside) {
            self.focus = Focus::Queue;
            let queue = &mut self.session.queue;
            let row = queue.top
                + usize::from(
                    y.saturating_sub(layout.queue.map_or(0, |area| area.y) + HEAD as u16),
                );
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

/// Whether an action is done to the open case.
fn is_of_the_case(name: &str) -> bool {
    let action = ACTIONS.iter().find(|action| action.row.name == name);
    action.is_some_and(|action| match action.does {
        Does::Screen(_) | Does::Moves(_) => false,
        Does::OfTheCase(_) => true,
        Does::Command(command) => command.is_of_the_open_case(),
    })
}
