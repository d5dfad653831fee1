//! Drawing: a frame is a function of the state and of what was measured of it. Nothing here reads
//! anything else, or changes anything.

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::bars::{footer, header, message};
use super::measure::measure;
use super::overlay::View;
use super::paint::{arrange, put_line};
use super::pane;
use super::place::{Layout, Measured};
use super::rows::Link;
use super::shell::Shell;
use super::theme::Theme;
use crate::media::picture::Picture;

/// Under this the screen says that it is too small.
const COLUMNS_MIN: u16 = 32;
const ROWS_MIN: u16 = 8;

fn is_too_small((columns, rows): (u16, u16)) -> bool {
    columns < COLUMNS_MIN || rows < ROWS_MIN
}

/// What was measured, or is measured now.
fn measures(shell: &Shell) -> Cow<'_, Measured> {
    shell.measured.as_ref().map_or_else(|| Cow::Owned(measure(shell)), Cow::Borrowed)
}

/// Where the case and the guide stand, and which change they were drawn after: until the next they
/// look the same. None where something may lie over them.
pub fn panes(shell: &Shell) -> Option<(Rect, u64)> {
    if shell.layer.is_some() || shell.session.message.is_some() || is_too_small(shell.size) {
        return None;
    }
    let (columns, rows) = shell.size;
    let queue = measures(shell).layout.queue?;
    let place = Rect { x: queue.right(), y: 1, width: columns - queue.right(), height: rows - 2 };
    Some((place, shell.changes))
}

/// Draws the whole screen but for the case and the guide, which stand there as they are.
pub fn draw_around_panes(shell: &Shell, area: Rect, buf: &mut Buffer) {
    arrange(shell.arranges());
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    let head = Rect { height: 1, ..area };
    let queue = measures(shell).layout.queue;
    for place in [Some(head), queue, Some(foot)].into_iter().flatten() {
        for y in place.top()..place.bottom() {
            let row = buf.index_of(place.x, y)..;
            let row = buf.content[row].iter_mut().take(place.width.into());
            row.for_each(Cell::reset);
        }
    }
    header(shell, head, buf);
    if let Some(place) = queue {
        pane::queue::draw(shell, place, buf);
    }
    footer(shell, foot, buf);
    in_ascii(shell, buf);
}

/// Draws the whole screen.
pub fn draw(shell: &Shell, area: Rect, buf: &mut Buffer) {
    arrange(shell.arranges());
    if is_too_small((area.width, area.height)) {
        let words = [
            format!("{}x{}: too small.", area.width, area.height),
            "Make the window larger".to_owned(),
            "or the letters smaller.".to_owned(),
        ];
        for (row, line) in words.iter().enumerate() {
            put_line(buf, area, row as u16, &Line::raw(line.clone()));
        }
        return;
    }
    header(shell, Rect { height: 1, ..area }, buf);
    let measured = &*measures(shell);
    let places = measured.layout;
    if let Some(place) = places.queue {
        pane::queue::draw(shell, place, buf);
    }
    if let Some(place) = places.context {
        pane::context::draw(shell, measured, place, buf);
    }
    if let Some(place) = places.guide {
        pane::guide::draw(shell, measured, place, buf);
    }
    separators(shell, &places, buf);
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    let foot_is_free = shell.layer.as_ref().is_none_or(|layer| !layer.is_in_the_footer());
    if foot_is_free {
        footer(shell, foot, buf);
    }
    if let Some(layer) = &shell.layer {
        layer.draw(area, buf, &view(shell));
    }
    if foot_is_free {
        // Over a window too: its end says what to do.
        message(shell, foot, buf);
    }
    in_ascii(shell, buf);
}

fn in_ascii(shell: &Shell, buf: &mut Buffer) {
    if shell.theme.unicode {
        return;
    }
    for cell in &mut buf.content {
        if let Some(symbol) = Theme::in_ascii(cell.symbol()) {
            cell.set_symbol(symbol);
        }
    }
}

fn view(shell: &Shell) -> View<'_> {
    let (session, theme, keymap) = (&shell.session, &shell.theme, &shell.keymap);
    View { session, theme, keymap, canvas: shell.canvas }
}

/// The addresses that can be followed from the screen. Under a window there are none.
pub fn links(shell: &Shell) -> Vec<Link> {
    if !shell.links || shell.layer.is_some() || is_too_small(shell.size) {
        return Vec::new();
    }
    let measured = &*measures(shell);
    let place = measured.layout.context;
    place.map(|place| pane::context::links(shell, measured, place)).unwrap_or_default()
}

/// The picture that is to be drawn in points, and where.
pub fn picture(shell: &Shell, area: Rect) -> Option<(Arc<Picture>, Rect)> {
    let layer = shell.layer.as_ref().filter(|_| shell.canvas.is_some())?;
    if is_too_small((area.width, area.height)) {
        return None;
    }
    layer.picture(area, &view(shell))
}

fn separators(shell: &Shell, places: &Layout, buf: &mut Buffer) {
    let theme = &shell.theme;
    let bar = theme.sign("│", "|");
    for place in [places.context, places.guide].into_iter().flatten().filter(|place| place.x > 0) {
        for y in place.top()..place.bottom() {
            buf[(place.x - 1, y)].set_symbol(bar).set_style(theme.dim);
        }
    }
    let (case, guide) = (places.context, places.guide);
    // Where both are low there is no line between them.
    let guide = guide.filter(|guide| case.is_some_and(|case| case.bottom() < guide.y));
    if let (None, Some(guide)) = (places.queue, guide) {
        let line = theme.sign("─", "-").repeat(usize::from(guide.width));
        put_line(
            buf,
            Rect { y: guide.y - 1, height: 1, ..guide },
            0,
            &Line::from(Span::styled(line, theme.dim)),
        );
    }
}
