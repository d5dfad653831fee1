//! How large everything is: where the panes stand, and all lines of each, made once after a change.

use ratatui::layout::Rect;

use super::pane::guide::Room;
use super::pane::{context, guide};
use super::place::{Focus, Layout, Measured, WIDE, case_rows};
use super::shell::Shell;

/// Rows under which the guide says everything but the question in short.
const LOW: u16 = 14;

/// Rows of the screen's middle under which case and guide together are low.
const LOW_BOTH: u16 = 12;

/// Measures the screen at its size: panes side by side, or stacked with the guide in the lower
/// third.
pub fn measure(shell: &Shell) -> Measured {
    let (columns, rows) = shell.size;
    let body = Rect { x: 0, y: 1, width: columns, height: rows.saturating_sub(2) };
    let case =
        |place: Rect| context::rows(shell, shell.tab(), inner(place.width), case_rows(place));
    if shell.zoomed && shell.focus == Focus::Context && shell.session.opened.is_some() {
        let layout = Layout { context: Some(body), ..Layout::default() };
        return Measured { layout, context: case(body), ..Measured::default() };
    }
    if columns >= WIDE {
        let queue = (columns * 28 / 100).max(30);
        let guide = (columns * 29 / 100).max(36);
        let context = columns - queue - guide - 2;
        let layout = Layout {
            queue: Some(Rect { width: queue, ..body }),
            context: Some(Rect { x: queue + 1, width: context, ..body }),
            guide: Some(Rect { x: queue + context + 2, width: guide, ..body }),
        };
        let room = if body.height < LOW { Room::Low } else { Room::All };
        let guide = guide::lines(shell, inner(guide), room);
        let context = layout.context.map(case).unwrap_or_default();
        return Measured { layout, context, guide };
    }
    if shell.focus == Focus::Queue {
        return Measured {
            layout: Layout { queue: Some(body), ..Layout::default() },
            ..Measured::default()
        };
    }
    // The lower third; more where a question has more answers, so that none is out of sight.
    // Nobody answers what they can't see a word of: where both are low, the guide's title stands in
    // the line between them.
    let between = u16::from(body.height >= LOW_BOTH);
    let least = if between == 0 { 2 + u16::from(body.height > 6) } else { 0 };
    let most = (body.height / 2 + 2).min(body.height.saturating_sub(least));
    let in_short = guide::lines(shell, inner(columns), Room::Low);
    let wanted = (in_short.len() + 1).min(usize::from(most)) as u16;
    let usual = if between == 0 { 0 } else { (body.height / 3).max(7) };
    let lower = usual.max(wanted).min(most);
    let upper = body.height.saturating_sub(lower + between);
    let layout = Layout {
        queue: None,
        context: Some(Rect { height: upper, ..body }),
        guide: Some(Rect { y: body.y + upper + between, height: lower, ..body }),
    };
    // All of it is shown only where it fits.
    let fits = |lines: &Vec<_>| lines.len() < usize::from(lower);
    let full = (lower >= LOW).then(|| guide::lines(shell, inner(columns), Room::All));
    let guide = full.filter(fits).unwrap_or_else(|| match between {
        0 if !fits(&in_short) => guide::lines(shell, inner(columns), Room::Least),
        _ => in_short,
    });
    Measured { layout, context: layout.context.map(case).unwrap_or_default(), guide }
}

/// Columns that a pane has for its lines.
fn inner(width: u16) -> usize {
    usize::from(width).saturating_sub(2)
}
