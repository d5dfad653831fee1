//! Small things that all panes and windows are painted with.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::place::WIDE;
use super::theme::Theme;
use crate::domain::text::{fit, visible, width};

/// Writes a line into row `row` of `area`, cut at its right edge.
pub fn put_line(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buf.set_line(area.x, area.y + row, line, area.width);
        // What does not fit is said to go on.
        if line_width(line) > usize::from(area.width) && area.width > 0 {
            buf[(area.right() - 1, area.y + row)].set_symbol("…");
        }
    }
}

/// Columns that a line takes.
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// Writes a line into the first row of `area`, from column `x` of it.
pub fn put_at(buf: &mut Buffer, area: Rect, x: u16, line: &Line<'_>) {
    if x < area.width {
        buf.set_line(area.x + x, area.y, line, area.width - x);
    }
}

/// A rectangle in the middle of `screen`.
pub fn centered(screen: Rect, wide: u16, high: u16) -> Rect {
    let (wide, high) = (wide.min(screen.width), high.min(screen.height));
    Rect {
        x: screen.x + (screen.width - wide) / 2,
        y: screen.y + (screen.height - high) / 2,
        width: wide,
        height: high,
    }
}

/// A rectangle beside the text that is judged: over the guide where that stands beside the case, else
/// at the foot of the screen, at most half of it.
pub fn beside(screen: Rect, high: u16) -> Rect {
    if screen.width >= WIDE {
        let wide = (screen.width * 29 / 100).max(44);
        let high = high.min(screen.height.saturating_sub(2));
        return Rect { x: screen.right() - wide, y: screen.y + 1, width: wide, height: high };
    }
    let high = high.min(screen.height / 2);
    Rect { y: screen.bottom().saturating_sub(high + 1), height: high, ..screen }
}

/// Draws an empty frame with a title; returns the room inside.
pub fn boxed(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str) -> Rect {
    let [h, v, a, b, c, d] = if theme.unicode {
        ["─", "│", "┌", "┐", "└", "┘"]
    } else {
        ["-", "|", "+", "+", "+", "+"]
    };
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let symbol = match (
                x == area.left(),
                x + 1 == area.right(),
                y == area.top(),
                y + 1 == area.bottom(),
            ) {
                (true, _, true, _) => a,
                (_, true, true, _) => b,
                (true, _, _, true) => c,
                (_, true, _, true) => d,
                (true, ..) | (_, true, ..) => v,
                (_, _, true, _) | (_, _, _, true) => h,
                _ => " ",
            };
            buf[(x, y)].reset();
            buf[(x, y)].set_symbol(symbol).set_style(theme.dim);
        }
    }
    for y in area.top() + 1..area.bottom().saturating_sub(1) {
        for x in area.left() + 1..area.right().saturating_sub(1) {
            buf[(x, y)].set_style(theme.text).set_fg(ratatui::style::Color::Reset);
        }
    }
    let title = format!(" {} ", fit(&visible(title), usize::from(area.width).saturating_sub(6)));
    put_at(buf, area, 2, &Line::from(Span::styled(title, theme.strong)));
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// A heading line of a pane: strong where the keys go.
pub fn heading(theme: &Theme, text: String, focused: bool) -> Span<'static> {
    Span::styled(
        text,
        if focused { theme.accent.add_modifier(ratatui::style::Modifier::BOLD) } else { theme.dim },
    )
}
