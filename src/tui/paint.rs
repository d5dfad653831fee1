//! Small things that all panes and windows are painted with.

use std::borrow::Cow;
use std::cell::Cell;

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::place::WIDE;
use super::rows::UNSURE_EDGE;
use super::theme::Theme;
use crate::domain::bidi::{Direction, Seen, arranged, has_right_to_left, mirrored, order};
use crate::domain::text::{fit, has_unsure, is_all_cells, visible, width, wrap};

thread_local! {
    /// Whether what is read from right to left is put in the order in which it is seen.
    static ARRANGES: Cell<bool> = const { Cell::new(true) };
}

/// Says, before a frame is drawn, whether what is read from right to left is put in the order in
/// which it is seen.
pub fn arrange(arranges: bool) {
    ARRANGES.set(arranges);
}

/// Writes a line into row `row` of `area`, cut at its right edge. A line that has an alignment is one
/// row of a paragraph of that direction; else each piece of it is put in order by itself.
pub fn put_line(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row >= area.height || area.width == 0 {
        return;
    }
    let unsure = line.spans.iter().any(|span| has_unsure(&span.content));
    let room =
        usize::from(area.width) - if unsure { UNSURE_EDGE.min(area.width.into()) } else { 0 };
    // What does not fit is said to go on.
    let cut;
    let mut line = line;
    if line_width(line) > room {
        cut = fitted(line, room);
        line = &cut;
    }
    let arranged;
    if ARRANGES.get() && line.spans.iter().any(|span| has_right_to_left(&span.content)) {
        arranged = as_seen(line);
        line = &arranged;
    }
    let start = match line.alignment {
        Some(Alignment::Right) if ARRANGES.get() => area.width - line_width(line) as u16,
        _ => 0,
    };
    set_line(buf, (area.x + start, area.y + row), line, area.width - start);
}

/// As [`Buffer::set_line`]; what is a sign in each cell is not taken apart to find that.
fn set_line(buf: &mut Buffer, (x, y): (u16, u16), line: &Line<'_>, columns: u16) {
    let (mut at, end) = (x, x.saturating_add(columns).min(buf.area.right()));
    for span in &line.spans {
        let style = line.style.patch(span.style);
        if !is_all_cells(&span.content) {
            (at, _) = buf.set_stringn(at, y, &span.content, end.saturating_sub(at).into(), style);
            continue;
        }
        if at >= end {
            return;
        }
        let first = buf.index_of(at, y);
        let cells = buf.content[first..].iter_mut().take(usize::from(end - at));
        for (cell, c) in cells.zip(span.content.chars()) {
            cell.set_char(c).set_style(style);
            at += 1;
        }
    }
}

/// The start of a line that fits in so many columns.
fn fitted(line: &Line<'_>, room: usize) -> Line<'static> {
    let mut left = room;
    let mut spans = Vec::new();
    for span in &line.spans {
        let wide = width(&span.content);
        // What is left for the next piece is at least the sign that it goes on.
        if wide >= left {
            let text = format!("{} ", span.content);
            spans.push(Span::styled(fit(&text, left).into_owned(), span.style));
            break;
        }
        left -= wide;
        spans.push(Span::styled(span.content.clone().into_owned(), span.style));
    }
    Line { style: line.style, alignment: line.alignment, spans }
}

/// A line with its signs in the order in which they are seen.
fn as_seen(line: &Line<'_>) -> Line<'static> {
    let base = match line.alignment {
        Some(Alignment::Right) => Direction::Right,
        Some(_) => Direction::Left,
        None => {
            let span = |span: &Span<'_>| {
                let text = arranged(&span.content, Direction::of(&span.content));
                Span::styled(text.into_owned(), span.style)
            };
            return Line { spans: line.spans.iter().map(span).collect(), ..Line::default() };
        }
    };
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let mut ends = Vec::with_capacity(line.spans.len());
    for span in &line.spans {
        ends.push(ends.last().copied().unwrap_or(0) + span.content.len());
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    for Seen { place, mirrored: turned } in order(&text, base) {
        let style = line.spans[ends.partition_point(|end| *end <= place.start)].style;
        let sign = &text[place];
        let sign = if turned { mirrored(sign) } else { Cow::Borrowed(sign) };
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(&sign),
            _ => spans.push(Span::styled(sign.into_owned(), style)),
        }
    }
    Line { style: line.style, alignment: line.alignment, spans }
}

/// A row of a paragraph: where that reads from left to right, so does the row, whatever it begins with.
pub fn row_of(paragraph: &str, line: Line<'static>) -> Line<'static> {
    match Direction::of(paragraph) {
        Direction::Left => line.alignment(Alignment::Left),
        Direction::Right => line,
    }
}

/// Words on as many rows as they take, the first after a mark.
pub fn hanging(
    mark: &'static str,
    words: &str,
    columns: usize,
    (first, style): (Style, Style),
) -> Vec<Line<'static>> {
    let lines = wrap(&visible(words), columns.saturating_sub(2)).into_iter().enumerate();
    lines
        .map(|(i, line)| {
            let mark = if i == 0 { mark } else { "  " };
            let line = Line::from(vec![Span::styled(mark, first), Span::styled(line, style)]);
            row_of(words, line)
        })
        .collect()
}

/// Columns that a line takes.
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// Writes a line into the first row of `area`, from column `x` of it.
pub fn put_at(buf: &mut Buffer, area: Rect, x: u16, line: &Line<'_>) {
    if x < area.width {
        set_line(buf, (area.x + x, area.y), line, area.width - x);
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
    inside(area)
}

/// What a box of that size holds.
pub fn inside(area: Rect) -> Rect {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier};

    use super::*;

    #[test]
    fn a_row_reads_as_its_paragraph_does() {
        let words = "as they say, \u{5d3}\u{5d4} done";
        let row = || Line::from(vec![Span::raw("  "), Span::raw("\u{5d3}\u{5d4} done")]);
        let shown = |line: Line<'static>| -> String {
            as_seen(&line).spans.iter().map(|span| span.content.to_string()).collect()
        };
        assert_eq!(shown(row_of(words, row())), "  \u{5d4}\u{5d3} done");
        let arabic = "\u{5d3}\u{5d4} done";
        assert_eq!(shown(row_of(arabic, row())), "  done \u{5d4}\u{5d3}");
    }

    proptest! {
        #[test]
        fn a_line_is_set_as_ratatui_sets_it(
            texts in prop::collection::vec("[a-z ]{0,6}|[─│é…]{0,4}|[世界éक\u{301}\u{1f468}\u{200d}]{0,4}", 0..5),
            x in 0_u16..12,
            columns in 0_u16..14,
        ) {
            let style = |i: usize| Style::new().fg(Color::Indexed(i as u8));
            let spans = texts.iter().enumerate().map(|(i, text)| Span::styled(text.as_str(), style(i)));
            let line = Line::from(spans.collect::<Vec<_>>()).style(Modifier::BOLD);
            let empty = Buffer::with_lines(["............"; 2]);
            let (mut ours, mut theirs) = (empty.clone(), empty);
            set_line(&mut ours, (x, 1), &line, columns);
            theirs.set_line(x, 1, &line, columns);
            prop_assert_eq!(ours, theirs);
        }
    }
}
