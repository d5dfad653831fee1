//! How sure somebody is of their label, asked for by itself: a digit typed ahead to answer a question
//! never says it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::put_line;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] =
    &[KeyRow::new("sure", "1 2 3 4 5", Place::Sure, "", "how sure you are: 1 a guess, 5 certain")];

/// The question, in the last row.
pub struct Sure;

impl Layer for Sure {
    fn places(&self) -> &'static [Place] {
        &[Place::Sure, Place::Window]
    }

    fn act(&mut self, action: &str, key: KeyPress, cx: &mut Cx<'_>) -> Next {
        if let Some(step) = cx.keymap.place_of("sure", key).filter(|_| action == "sure") {
            let effects = cx.session.set_confidence(step as u8 + 1);
            cx.then(effects);
        }
        Next::Closes
    }

    fn is_in_the_footer(&self) -> bool {
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let foot = Rect { y: screen.bottom().saturating_sub(1), height: 1, ..screen };
        for x in foot.left()..foot.right() {
            buf[(x, foot.y)].reset();
        }
        let words = format!(
            " How sure are you? {} a guess … {} certain   {} leaves it as it is",
            view.keymap.nth("sure", 0).unwrap_or_default(),
            view.keymap.nth("sure", 4).unwrap_or_default(),
            view.keymap.first("close")
        );
        put_line(buf, foot, 0, &Line::from(Span::styled(words, view.theme.strong)));
    }
}
