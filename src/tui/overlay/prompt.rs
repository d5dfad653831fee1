//! One line asked for at the bottom: a filter, a reason, a comment, tags, an answer.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::{Cx, Layer, Next, View};
use crate::domain::ids::CaseId;
use crate::domain::text::{fit, visible, width};
use crate::session::{Effect, Session};
use crate::tui::edit::Edit;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::put_line;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] =
    &[KeyRow::new("written", "Enter", Place::Prompt, "", "done: take what was written")];

/// What becomes of what was written.
type Done = Box<dyn Fn(&str, &mut Cx<'_>) -> Vec<Effect>>;

/// The prompt.
pub struct Prompt {
    ask: &'static str,
    /// What it is about, said before what is asked.
    about: String,
    edit: Edit,
    /// What stood there at first, where what is left is kept to go on with.
    before: Option<String>,
    done: Done,
    /// Whether it is the answer to a question: kept as it is typed, and mended where it is refused.
    answers: bool,
    /// Whether what was written is kept until it is known to have been taken: it may be refused later.
    keeps: bool,
    /// The window that it came from, to which it goes back.
    back: Option<Box<dyn Layer>>,
    /// Whether it is done with every letter; left, it is done with what stood there first.
    live: Option<String>,
}

impl Prompt {
    pub fn new(
        ask: &'static str,
        text: &str,
        done: impl Fn(&str, &mut Cx<'_>) -> Vec<Effect> + 'static,
    ) -> Self {
        Self {
            ask,
            about: String::new(),
            edit: Edit::new(text),
            before: None,
            done: Box::new(done),
            answers: false,
            keeps: false,
            back: None,
            live: None,
        }
    }

    /// The same, kept until it is known to have been taken.
    pub fn kept(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// The same, over a window, which is there again when it is done or left.
    pub fn over(self, window: Box<dyn Layer>) -> Self {
        Self { back: Some(window), ..self }
    }

    /// What becomes of it when it is done or left.
    fn ends(&mut self) -> Next {
        self.back.take().map_or(Next::Closes, Next::Opens)
    }

    /// The same, done with every letter: what it comes to is seen while it is typed.
    pub fn live(self) -> Self {
        Self { live: Some(self.edit.text()), ..self }
    }

    pub fn about(self, about: String) -> Self {
        Self { about, ..self }
    }

    /// The answer to the question that is asked now, which takes `wanted`.
    pub fn answer(wanted: &str, text: &str) -> Self {
        let done = |text: &str, cx: &mut Cx<'_>| cx.session.answer(text);
        Self { answers: true, ..Self::new("> ", text, done).about(format!("{wanted} ")) }
    }

    /// What it asks, about which case.
    fn asked(&self, session: &Session) -> (Option<CaseId>, String) {
        (session.open_id(), format!("{}{}", self.about, self.ask))
    }

    fn keep(&self, cx: &mut Cx<'_>) {
        if self.answers {
            let effects = cx.session.keep_pending(&self.edit.text());
            cx.then(effects);
        }
        if self.live.is_some() {
            let effects = (self.done)(self.edit.text().trim(), cx);
            cx.then(effects);
        }
    }
}

impl Layer for Prompt {
    fn places(&self) -> &'static [Place] {
        &[Place::Prompt, Place::Writing]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        if action != "written" {
            if let Some(before) = &self.live {
                let effects = (self.done)(before, cx);
                cx.then(effects);
            } else if self.before.as_ref().is_some_and(|before| *before != self.edit.text()) {
                let effects = cx.session.say("What you wrote is kept for when you ask again.");
                cx.then(effects);
                cx.session.unsent.insert(self.asked(cx.session), self.edit.text());
            }
            return self.ends();
        }
        let text = self.edit.text();
        let asked = self.asked(cx.session);
        match self.keeps {
            true => drop(cx.session.unsent.insert(asked, text.clone())),
            false => drop(cx.session.unsent.remove(&asked)),
        }
        let effects = (self.done)(text.trim(), cx);
        cx.then(effects);
        match cx.session.message.take_if(|_| self.answers) {
            // It was refused: what was typed stays, to be mended, and why stands before it.
            Some(message) => {
                self.about = format!("{} ", message.words);
                Next::Stays
            }
            None => self.ends(),
        }
    }

    fn typed(&mut self, event: KeyEvent, cx: &mut Cx<'_>) -> Next {
        if self.edit.key(event) {
            self.keep(cx);
        }
        Next::Stays
    }

    fn pasted(&mut self, text: &str, cx: &mut Cx<'_>) -> bool {
        self.edit.paste(text, true);
        self.keep(cx);
        true
    }

    fn resumes(&mut self, session: &Session) {
        if self.answers || self.live.is_some() {
            return;
        }
        self.before = Some(self.edit.text());
        if let Some(text) = session.unsent.get(&self.asked(session)) {
            self.edit = Edit::new(text);
        }
    }

    fn lets_look(&self) -> bool {
        self.live.is_some()
    }

    fn is_in_the_footer(&self) -> bool {
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let line = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        for x in line.left()..line.right() {
            buf[(x, line.y)].reset();
        }
        let ask = format!("{}{}", visible(&self.about), self.ask);
        let room = usize::from(line.width).saturating_sub(12);
        // What was typed needs its room too.
        let ask = if width(&ask) > room { format!("{}> ", fit(&ask, room * 2 / 3)) } else { ask };
        let used = width(&ask) as u16 + 1;
        put_line(buf, line, 0, &Line::from(vec![Span::raw(" "), Span::styled(ask, theme.accent)]));
        let rest = Rect {
            x: line.x + used.min(line.width),
            width: line.width.saturating_sub(used),
            ..line
        };
        self.edit.area().render(rest, buf);
    }
}
