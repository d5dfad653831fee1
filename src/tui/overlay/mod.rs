//! What lies over the panes for a moment: help, lists to pick from, prompts, the rationale, people,
//! the exchange. Each window has a file, with a table of its keys, what they do, and how it is
//! drawn.

pub mod arbitrate;
pub mod attachment;
pub mod board;
pub mod calibrations;
pub mod exchange;
pub mod help;
pub mod lines;
pub mod list;
pub mod mark;
pub mod overruled;
pub mod overtaken;
pub mod page;
pub mod people;
pub mod pick;
pub mod precedents;
pub mod prompt;
pub mod rationale;
pub mod sure;
pub mod terms;
pub mod tree;
pub mod words;

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::key::KeyPress;
use super::keymap::Keymap;
use super::pixels::Canvas;
use super::place::Place;
use super::theme::Theme;
use crate::domain::protocol::{Places, Span};
use crate::media::picture::Picture;
use crate::review::board::pages::Pages;
use crate::session::{Effect, Input, Session};

/// What a window may read.
pub struct View<'a> {
    pub session: &'a Session,
    pub theme: &'a Theme,
    pub keymap: &'a Keymap,
    /// How the terminal draws points, if it does.
    pub canvas: Option<Canvas>,
}

/// What a window may do, while it takes a key.
pub struct Cx<'a> {
    pub session: &'a mut Session,
    pub theme: &'a Theme,
    pub keymap: &'a Keymap,
    pub canvas: Option<Canvas>,
    pub size: (u16, u16),
    /// Columns in which the context is laid out.
    pub context_columns: usize,
    /// What is to be done of it.
    pub effects: Vec<Effect>,
    /// A text of the case, and a place in it that should be on the screen.
    pub place_to_show: Option<(String, usize)>,
    /// What is to be put in the clipboard.
    pub copy: Option<String>,
    /// What is to be searched for in the case, in small letters.
    pub search: Option<String>,
}

impl Cx<'_> {
    pub fn view(&self) -> View<'_> {
        let (session, theme, keymap) = (&*self.session, self.theme, self.keymap);
        View { session, theme, keymap, canvas: self.canvas }
    }

    /// Gives the session something to take in.
    pub fn take(&mut self, input: Input) -> Vec<Effect> {
        self.session.take(input, self.session.now)
    }

    pub fn then(&mut self, effects: impl IntoIterator<Item = Effect>) {
        self.effects.extend(effects);
    }
}

/// What becomes of a window by a key.
pub enum Next {
    Stays,
    Closes,
    /// Another window is opened instead.
    Opens(Box<dyn Layer>),
    /// It closes, and the action of that name is done.
    Does(&'static str),
}

/// What is marked, and what is selected in which text.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'m> {
    pub places: &'m Places,
    pub text: &'m str,
    pub selected: Span,
}

/// A window over the panes. At most one is open, and takes the keys.
pub trait Layer {
    /// Where its keys hold, the most particular first.
    fn places(&self) -> &'static [Place];

    /// Does what a key of one of its places stands for, by its name in the table.
    fn act(&mut self, action: &str, key: KeyPress, cx: &mut Cx<'_>) -> Next;

    /// Takes a key that is in no table.
    fn typed(&mut self, _: KeyEvent, _: &mut Cx<'_>) -> Next {
        Next::Stays
    }

    /// Takes pasted text; whether it could.
    fn pasted(&mut self, _: &str, _: &mut Cx<'_>) -> bool {
        false
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>);

    /// Whether it is drawn in the last row, over the footer.
    fn is_in_the_footer(&self) -> bool {
        false
    }

    /// Whether the case under the cursor is shown while it stands there.
    fn lets_look(&self) -> bool {
        false
    }

    /// Whether a page of a text that comes takes its place.
    fn awaits_page(&self) -> bool {
        false
    }

    /// Whether words that come unasked may take its place.
    fn yields(&self) -> bool {
        false
    }

    /// The row that is chosen, to be chosen again when the rows are read anew.
    fn cursor(&self) -> usize {
        0
    }

    /// Takes up what was written there before and not given, where there is such.
    fn resumes(&mut self, _: &Session) {}

    /// Takes what was written in an editor.
    fn edited(&mut self, _: &str) {}

    /// Takes a board that was made anew.
    fn board(&mut self, _: &Arc<Pages>) {}

    /// A picture that is to be drawn in points, and where: it leaves those cells blank.
    fn picture(&self, _screen: Rect, _view: &View<'_>) -> Option<(Arc<Picture>, Rect)> {
        None
    }

    /// The places in the case that are being marked, and what is selected.
    fn marks(&self) -> Option<Marks<'_>> {
        None
    }
}
