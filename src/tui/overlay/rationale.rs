//! The rationale, written in place. It is kept as it is typed.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget as _;

use super::{Cx, Layer, Next, View};
use crate::session::Effect;
use crate::tui::edit::Edit;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::{beside, boxed};
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[KeyRow::new(
    "write-in-editor",
    "ctrl-e",
    Place::Rationale,
    "",
    "write on in your own editor",
)
.outside()];

/// The window.
pub struct Rationale(pub Edit);

impl Rationale {
    pub fn new(text: &str) -> Self {
        Self(Edit::new(text))
    }

    fn keep(&self, cx: &mut Cx<'_>) {
        let text = self.0.text();
        let effects = cx.session.change_draft(|draft| draft.rationale = text);
        cx.then(effects);
    }
}

impl Layer for Rationale {
    fn places(&self) -> &'static [Place] {
        &[Place::Rationale, Place::Writing]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        if action == "write-in-editor" {
            cx.then([Effect::Editor(self.0.text())]);
        }
        Next::Closes
    }

    fn typed(&mut self, event: KeyEvent, cx: &mut Cx<'_>) -> Next {
        if self.0.key(event) {
            self.keep(cx);
        }
        Next::Stays
    }

    fn pasted(&mut self, text: &str, cx: &mut Cx<'_>) -> bool {
        self.0.paste(text, false);
        self.keep(cx);
        true
    }

    fn edited(&mut self, text: &str) {
        self.0 = Edit::new(text);
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let area = beside(screen, 14);
        let title = if view.keymap.served {
            "Why ({leave}: done)"
        } else {
            "Why ({leave}: done; {write-in-editor}: in your editor)"
        };
        let title = view.keymap.fill(title);
        let inner = boxed(area, buf, view.theme, &title);
        self.0.area().render(inner, buf);
    }
}
