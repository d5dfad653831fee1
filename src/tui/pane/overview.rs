//! All that a case is decided by, at once: what is odd first, then the input, what the model said,
//! and what happened around it on one time axis. Each part is as high as it needs and the room
//! allows; what does not fit is said, with the key that shows it all.

use ratatui::text::{Line, Span};

use super::neighbours::{Row, around, when};
use super::{input, logs, model};
use crate::domain::cues::Cue;
use crate::domain::logline::Level;
use crate::domain::text::{fit, visible, width};
use crate::review::open::ReadLog;
use crate::session::Opened;
use crate::tui::rows::Rows;
use crate::tui::shell::Shell;

/// Candidates that are shown.
const CANDIDATES: usize = 3;
/// Rows that the time axis has at least, where the input is long.
const AXIS_MIN: usize = 6;
/// Rows of the input that are shown at least, with the one that says that there are more.
const INPUT_MIN: usize = 3;
/// Rows in which the parts have no room beside each other.
const LOW: usize = 8;

pub fn rows(shell: &Shell, opened: &Opened, columns: usize, rows: usize) -> Rows {
    let theme = &shell.theme;
    let mut lines = input::asked(shell, opened, columns);
    lines.extend(input::facts(shell, opened, columns));
    let said = if opened.hides(Cue::Prediction) {
        Vec::new()
    } else {
        model::candidates(shell, opened, columns, CANDIDATES)
    };
    let axis = axis(shell, opened, columns);
    let read = input::whole(shell, opened, columns);
    // A blank row before each part but the first, and a heading over the axis.
    let gaps = usize::from(!said.is_empty()) + if axis.is_empty() { 0 } else { 2 };
    let room = rows.saturating_sub(lines.len() + said.len() + gaps);
    // What is judged is there before what is said of it.
    let least = read.len().min(INPUT_MIN);
    if rows <= LOW || room < least {
        // Words of the case come first, and all is there to be scrolled to.
        let mut all = read;
        lines.extend(said);
        lines.extend(axis.into_iter().map(|one| one.line));
        all.made(lines);
        return all;
    }
    let of_axis = axis.len().min(room.saturating_sub(read.len()).max(AXIS_MIN.min(room / 2)));
    let of_axis = of_axis.min(room - least);
    let of_input = room - of_axis;

    let mut all: Rows = lines.into();
    let mut lines = Vec::new();
    if read.len() <= of_input {
        all.extend(read);
    } else {
        let kept = of_input.saturating_sub(1);
        lines.push(pointer(shell, read.len() - kept, "{input} shows all of it"));
        all.extend(read.first(kept));
    }
    if !said.is_empty() {
        lines.push(Line::default());
        lines.extend(said);
    }
    if !axis.is_empty() {
        lines.push(Line::default());
        let zone = opened.case.row.occurred_at;
        let words = format!("Around {} {}", zone.clock(), zone.zone_words());
        lines.push(Line::from(Span::styled(words, theme.strong)));
        lines.extend(nearest(shell, axis, of_axis));
    }
    all.made(lines);
    all
}

fn pointer(shell: &Shell, more: usize, words: &str) -> Line<'static> {
    let words = format!("… {more} more rows: {}", shell.keymap.fill(words));
    Line::from(Span::styled(words, shell.theme.dim))
}

/// Something that happened around the prediction.
struct Happened {
    at: i64,
    /// What is kept first where there is no room for all.
    weight: u8,
    line: Line<'static>,
}

/// Predictions around this one and log lines of its request, in the order of time.
fn axis(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Happened> {
    let case = &opened.case;
    let here = case.row.occurred_at.0;
    let mut happened = Vec::new();
    let near = if opened.hides(Cue::Neighbours) { Vec::new() } else { around(opened) };
    // The prediction alone is no axis.
    if near.len() > 1 {
        let wide =
            near.iter().map(|row| width(&visible(&row.label))).max().unwrap_or(8).clamp(8, 20);
        happened.extend(near.iter().map(|row| of_prediction(shell, row, here, wide, columns)));
    }
    if !opened.hides(Cue::Logs) {
        let own = case.logs.iter().filter(|log| log.own);
        happened.extend(own.map(|log| of_log(shell, log, here, columns)));
    }
    happened.sort_by_key(|one| one.at);
    happened
}

fn of_prediction(shell: &Shell, row: &Row, here: i64, wide: usize, columns: usize) -> Happened {
    let theme = &shell.theme;
    let at = if row.own { "now".to_owned() } else { when(row.at - here, theme) };
    let label = fit(&visible(&row.label), wide).into_owned();
    let pad = " ".repeat(wide - width(&label));
    let p = row.p.map_or_else(|| "    ".to_owned(), |p| format!("{p:.2}"));
    let mark = match (row.own, row.session) {
        (true, _) => theme.sign("◂", "<"),
        (false, true) => theme.sign("┃", "#"),
        (false, false) => " ",
    };
    let text = fit(&visible(&row.text), columns.saturating_sub(14 + wide)).into_owned();
    let (strong, dim) = if row.own { (theme.strong, theme.text) } else { (theme.text, theme.dim) };
    let line = Line::from(vec![
        Span::styled(format!("{at:>5} "), if row.own { theme.accent } else { theme.dim }),
        Span::styled(mark, theme.accent),
        Span::styled(format!(" {label}{pad} "), strong),
        Span::styled(format!("{p} "), theme.text),
        Span::styled(text, dim),
    ]);
    let weight = if row.own { 0 } else { 3 - u8::from(row.session) };
    Happened { at: row.at, weight, line }
}

fn of_log(shell: &Shell, log: &ReadLog, here: i64, columns: usize) -> Happened {
    let theme = &shell.theme;
    // A line without a time stands where the prediction does.
    let at = log.line.at.map_or(here, |at| at.0);
    let when = log.line.at.map_or(String::new(), |at| when(at.0 - here, theme));
    let level = log.line.level.map_or("", |level| level.as_str().trim());
    let service = fit(&logs::service(log), 12).into_owned();
    let room = columns.saturating_sub(10 + level.len() + width(&service));
    let message = fit(&visible(&log.line.message), room).into_owned();
    let style = logs::style(log.line.level, theme);
    let line = Line::from(vec![
        Span::styled(format!("{when:>5} "), theme.dim),
        Span::styled(theme.sign("│", "|"), theme.accent),
        Span::styled(format!(" {level} "), style),
        Span::styled(format!("{service} "), theme.dim),
        Span::styled(message, style),
    ]);
    let weight = match log.line.level {
        Some(Level::Error | Level::Warn) => 1,
        _ => 3,
    };
    Happened { at, weight, line }
}

/// So many rows of what happened: the prediction, what is odd, its session, then what is nearest.
fn nearest(shell: &Shell, all: Vec<Happened>, rows: usize) -> Vec<Line<'static>> {
    if all.len() <= rows {
        return all.into_iter().map(|one| one.line).collect();
    }
    let own = all.iter().find(|one| one.weight == 0).map_or(0, |one| one.at);
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| (all[*at].weight, (all[*at].at - own).abs()));
    let kept = rows.saturating_sub(1);
    let more = all.len() - kept;
    let mut chosen: Vec<usize> = order.into_iter().take(kept).collect();
    chosen.sort_unstable();
    let mut lines: Vec<Option<Line<'static>>> = all.into_iter().map(|one| Some(one.line)).collect();
    let mut shown: Vec<Line<'static>> =
        chosen.into_iter().filter_map(|at| lines[at].take()).collect();
    shown.push(pointer(shell, more, "{neighbours} and {logs} show them"));
    shown
}
