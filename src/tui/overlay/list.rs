//! A window with a list of entries, each of some lines: as high as it must be, scrolled so that the
//! chosen one is seen to its end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::keymap::KeyRow;
use crate::tui::paint::{boxed, centered, put_line};
use crate::tui::place::Place;
use crate::tui::theme::Theme;

const WIDE_MAX: u16 = 96;

/// Keys of every window with lines or a list, and of every window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("line-down", "j Down", Place::Lines, "down", "a line or an entry down"),
    KeyRow::new("line-up", "k Up", Place::Lines, "up", "a line or an entry up"),
    KeyRow::new("lines-down", "PageDown Space", Place::Lines, "", "a page down"),
    KeyRow::new("lines-up", "PageUp", Place::Lines, "", "a page up"),
    KeyRow::new("lines-first", "g Home", Place::Lines, "", "to the top"),
    KeyRow::new("lines-last", "G End", Place::Lines, "", "to the end"),
    KeyRow::new("close", "Esc ctrl-c", Place::Window, "close", "close the window"),
    KeyRow::new(
        "leave",
        "Esc ctrl-c",
        Place::Writing,
        "leave",
        "leave: what is kept as it is typed stays, the rest is dropped",
    ),
];

/// How far a key of a list moves, if it moves. `page` is how far a page is.
pub fn step(action: &str, page: usize) -> Option<i64> {
    let page = page.max(1) as i64;
    Some(match action {
        "line-down" => 1,
        "line-up" => -1,
        "lines-down" => page,
        "lines-up" => -page,
        "lines-first" => i64::MIN / 2,
        "lines-last" => i64::MAX / 2,
        _ => return None,
    })
}

fn wide(screen: Rect) -> u16 {
    screen.width.saturating_sub(2).min(WIDE_MAX)
}

/// How many columns an entry has.
pub fn columns(screen: Rect) -> usize {
    usize::from(wide(screen)).saturating_sub(4)
}

/// A cursor moved among so many entries.
pub fn moved(cursor: usize, by: i64, entries: usize) -> usize {
    (cursor as i64).saturating_add(by).clamp(0, entries.saturating_sub(1) as i64) as usize
}

/// How many entries a page is.
pub const PAGE: usize = 10;

pub fn draw(
    screen: Rect,
    buf: &mut Buffer,
    theme: &Theme,
    title: &str,
    chosen: usize,
    entries: Vec<Vec<Line<'static>>>,
) {
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
