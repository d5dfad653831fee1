//! A window of lines that can be scrolled; any other key closes it.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, list};
use crate::session::Effect;
use crate::tui::key::KeyPress;
use crate::tui::paint::{boxed, centered, put_line};
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// The window.
pub struct Lines {
    title: &'static str,
    places: &'static [Place],
    /// Its lines at so many columns.
    lines: fn(&View<'_>, usize) -> Vec<Line<'static>>,
    scroll: usize,
}

impl Lines {
    /// `title` may name actions, whose keys are shown.
    pub fn new(
        title: &'static str,
        places: &'static [Place],
        lines: fn(&View<'_>, usize) -> Vec<Line<'static>>,
    ) -> Self {
        Self { title, places, lines, scroll: 0 }
    }
}

/// Where keys of a window of nothing but lines hold.
pub const LINES: &[Place] = &[Place::Lines, Place::Window];

/// The room of a window of lines.
pub fn area(screen: Rect) -> Rect {
    centered(screen, screen.width.saturating_sub(4).min(84), screen.height.saturating_sub(2))
}

/// How far so many lines can be scrolled on a screen of a size.
pub fn overflow(lines: usize, (width, height): (u16, u16)) -> usize {
    lines.saturating_sub(usize::from(area(Rect::new(0, 0, width, height)).height.saturating_sub(2)))
}

/// Columns that lines have on a screen of a size.
pub fn columns((width, height): (u16, u16)) -> usize {
    usize::from(area(Rect::new(0, 0, width, height)).width.saturating_sub(4))
}

/// Draws lines in a frame, from one on. `down` names the action by which more is seen.
pub fn draw(
    area: Rect,
    buf: &mut Buffer,
    view: &View<'_>,
    (title, down): (&str, &str),
    lines: &[Line<'static>],
    scroll: usize,
) {
    let theme: &Theme = view.theme;
    let inner = boxed(area, buf, theme, title);
    for (row, line) in lines.iter().skip(scroll).take(usize::from(inner.height)).enumerate() {
        put_line(buf, inner, row as u16, line);
    }
    if lines.len() > scroll + usize::from(inner.height) {
        let more = Rect { y: inner.bottom(), height: 1, ..inner };
        let words = format!(" more: {} ", view.keymap.fill(down));
        put_line(buf, more, 0, &Line::from(Span::styled(words, theme.dim)));
    }
}

impl Layer for Lines {
    fn places(&self) -> &'static [Place] {
        self.places
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        if action == "exchange-now" {
            cx.then([Effect::SyncNow]);
            return Next::Stays;
        }
        let Some(by) = list::step(action, usize::from(cx.size.1 / 2)) else { return Next::Closes };
        let most = overflow((self.lines)(&cx.view(), columns(cx.size)).len(), cx.size);
        self.scroll = (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
        Next::Stays
    }

    fn typed(&mut self, _: KeyEvent, _: &mut Cx<'_>) -> Next {
        Next::Closes
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let area = area(screen);
        let lines = (self.lines)(view, usize::from(area.width.saturating_sub(4)));
        let title = view.keymap.fill(self.title);
        draw(area, buf, view, (&title, "{line-down}"), &lines, self.scroll);
    }
}
