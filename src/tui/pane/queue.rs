//! The queue: when a case is due, why it was flagged, what it says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::text::{fit, visible, width};
use crate::domain::time::short_span;
use crate::review::CaseRow;
use crate::tui::bars::view_words;
use crate::tui::paint::{heading, put_line};
use crate::tui::place::Focus;
use crate::tui::shell::Shell;

/// Columns from which on a row has room for its age.
const ROOMY: usize = 60;

pub fn draw(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let queue = &shell.session.queue;
    let total = if queue.filtered { queue.rows.len() as u64 } else { shell.session.shown_total() };
    let filter = if shell.session.filter.is_empty() {
        String::new()
    } else {
        format!("  /{}", visible(&shell.session.filter))
    };
    let title = match (&shell.session.training, &shell.session.listing) {
        (Some(training), _) => {
            format!(" Training  {} of {} done", training.attempts.len(), training.items.len())
        }
        _ if shell.session.calibration.is_some() => {
            format!(" Session  {} of {total} to label", queue.place())
        }
        (None, Some(listing)) => {
            format!(" Queue  {}  {} of {total}", visible(listing), queue.place())
        }
        (None, None) => {
            format!(" {}  {} of {total}{filter}", view_words(shell.session.view), queue.place())
        }
    };
    let title = fit(&title, usize::from(area.width)).into_owned();
    put_line(buf, area, 0, &Line::from(heading(theme, title, shell.focus == Focus::Queue)));
    if queue.rows.is_empty() {
        let words = match (shell.session.filter.is_empty(), shell.session.view) {
            _ if shell.session.calibration.is_some() => {
                "No case of the session is left. {clear} leaves it."
            }
            (false, _) => "No case fits the filter. {clear} drops it.",
            (true, None) => {
                "Nothing waits for you. {view} shows other cases; casework ingest brings new ones."
            }
            (true, Some(_)) => "No case is in this state. {view} shows others.",
        };
        for (row, line) in crate::domain::text::wrap(
            &shell.keymap.fill(words),
            usize::from(area.width).saturating_sub(3),
        )
        .into_iter()
        .enumerate()
        {
            put_line(
                buf,
                area,
                row as u16 + 2,
                &Line::from(vec![Span::raw("  "), Span::raw(line)]),
            );
        }
        return;
    }
    let open = shell.session.opened.as_ref().map(|opened| opened.case.row.id);
    let rows = usize::from(area.height).saturating_sub(1);
    for (row, case) in queue.rows.iter().enumerate().skip(queue.top).take(rows) {
        let line =
            line(shell, case, row == queue.cursor, open == Some(case.id), usize::from(area.width));
        put_line(buf, area, (row - queue.top) as u16 + 1, &line);
    }
}

fn line(shell: &Shell, case: &CaseRow, cursor: bool, open: bool, columns: usize) -> Line<'static> {
    let theme = &shell.theme;
    let mark = match (cursor, open) {
        (true, _) => theme.sign("▸", ">"),
        (false, true) => theme.sign("•", "*"),
        (false, false) => " ",
    };
    let wait = case.due.0 - shell.session.now.0;
    let late = wait < 0;
    let due = if late { format!("-{}", short_span(wait)) } else { short_span(wait) };
    // Where there is room, how long ago it happened stands before when it is due.
    let age = if columns >= ROOMY {
        format!("{:>4} ago  ", short_span(shell.session.now.0 - case.occurred_at.0))
    } else {
        String::new()
    };
    let flag_width = (columns / 4).clamp(8, 16);
    let hides = shell.session.protocols.policy.hide.iter().any(|hiding| hiding.cue == Cue::Flags);
    let flag = if hides { String::new() } else { visible(&case.flags.join(", ")).into_owned() };
    let flag = fit(&flag, flag_width).into_owned();
    let pad = " ".repeat(flag_width - width(&flag) + 1);
    let room = columns.saturating_sub(8 + flag_width + age.len());
    let text = fit(&visible(crate::domain::text::head(&case.text, 400)), room).into_owned();
    Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(age, theme.dim),
        Span::styled(format!("{due:>4} "), if late { theme.bad } else { theme.dim }),
        Span::styled(flag, theme.warn),
        Span::raw(pad),
        Span::raw(text),
    ])
}
