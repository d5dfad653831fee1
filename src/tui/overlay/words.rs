//! A window of words: what a training says of an answer, what was found, how steady somebody is.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, lines, list};
use crate::domain::text::{visible, wrap};
use crate::tui::key::KeyPress;
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// The window.
pub struct Words {
    pub title: String,
    pub words: Vec<String>,
    /// Whether a training goes on when it closes.
    pub trains_on: bool,
    pub scroll: usize,
}

impl Words {
    fn lines(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let line = |line: String| Line::from(Span::styled(line, theme.text));
        self.words.iter().flat_map(|words| wrap(&visible(words), columns)).map(line).collect()
    }

    fn close(&self, cx: &mut Cx<'_>) -> Next {
        if self.trains_on {
            let effects = cx.session.train_on();
            cx.then(effects);
        }
        Next::Closes
    }
}

impl Layer for Words {
    fn places(&self) -> &'static [Place] {
        &[Place::Lines, Place::Window]
    }

    /// Scrolls as far as there is more; any other key goes on.
    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let most = lines::overflow(self.lines(lines::columns(cx.size), cx.theme).len(), cx.size);
        let Some(by) = list::step(action, list::PAGE) else { return self.close(cx) };
        let to = (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
        if to == self.scroll {
            return self.close(cx);
        }
        self.scroll = to;
        Next::Stays
    }

    fn typed(&mut self, _: KeyEvent, cx: &mut Cx<'_>) -> Next {
        self.close(cx)
    }

    fn yields(&self) -> bool {
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let whole = lines::area(screen);
        let lines = self.lines(usize::from(whole.width.saturating_sub(4)), view.theme);
        // What is short needs no more room than it takes.
        let high = whole.height.min(lines.len() as u16 + 2);
        let named = (self.title.as_str(), "{line-down}");
        lines::draw(Rect { height: high, ..whole }, buf, view, named, &lines, self.scroll);
    }
}
