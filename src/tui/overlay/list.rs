//! A window with a list of entries, each of some lines: as high as it must be, scrolled so that the chosen one is seen to its end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::theme::Theme;

const WIDE_MAX: u16 = 96;

fn wide(screen: Rect) -> u16 {
    screen.width.saturating_sub(2).min(WIDE_MAX)
}

/// How many columns an entry has.
pub fn columns(screen: Rect) -> usize {
    usize::from(wide(screen)).saturating_sub(4)
}

/// A cursor moved among so many entries.
pub fn moved(cursor: usize, by: i64, entries: usize) -> usize {
    (cursor as i64 + by).clamp(0, entries.saturating_sub(1) as i64) as usize
}

pub fn draw(screen: Rect, buf: &mut Buffer, theme: &Theme, title: &str, chosen: usize, entries: Vec<Vec<Line<'static>>>) {
    let end: usize = entries.iter().take(chosen + 1).map(Vec::len).sum();
    let lines: Vec<Line<'static>> = entries.into_iter().flatten().collect();
    let high = screen.height.saturating_sub(2).min(lines.len() as u16 + 2);
    let inner = boxed(centered(screen, wide(screen), high), buf, theme, title);
    let rows = usize::from(inner.height);
    let top = end.saturating_sub(rows);
    for (y, line) in lines.iter().skip(top).take(rows).enumerate() {
        put_line(buf, inner, y as u16, line);
    }
}
