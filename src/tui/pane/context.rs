//! The case in its context: what it is called, and the tab that is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{history, input, logs, model, neighbours, overview};
use crate::domain::cues::Cue;
use crate::domain::long_text::megabytes;
use crate::domain::reading::{Paragraph, Tone};
use crate::domain::text::{fit, head, visible, width, wrap};
use crate::session::Opened;
use crate::session::report::Coming;
use crate::tui::paint::{heading, put_line};
use crate::tui::place::{Focus, Measured, Tab, case_head, case_rows};
use crate::tui::rows::{Laid, Link, Rows, lit};
use crate::tui::shell::Shell;

/// The addresses that it shows, by the cells of the screen.
pub fn links(shell: &Shell, measured: &Measured, area: Rect) -> Vec<Link> {
    if shell.session.opened.is_none() {
        return Vec::new();
    }
    let all = &measured.context;
    let rows = case_rows(area);
    let scroll = shell.scroll[shell.tab().at()].min(all.len().saturating_sub(1));
    let (x, y) = (usize::from(area.x) + 1, usize::from(area.y + case_head(area)));
    let end = x + usize::from(area.width.saturating_sub(2));
    let on_screen = |link: Link| {
        let columns = link.columns.start + x..(link.columns.end + x).min(end);
        Link { row: link.row + y, columns, ..link }
    };
    let links = all.links(scroll, rows).into_iter().map(on_screen);
    links.filter(|link| !link.columns.is_empty()).collect()
}

/// A large case while it is read: what its input begins with.
fn draw_coming(shell: &Shell, coming: &Coming, inner: Rect, buf: &mut Buffer) {
    let (theme, wide) = (&shell.theme, usize::from(inner.width));
    let name = fit(&visible(&coming.row.external_id), wide).into_owned();
    put_line(buf, inner, 0, &Line::from(heading(theme, name, shell.focus == Focus::Context)));
    let (head_rows, high) = (case_head(inner), case_rows(inner));
    if head_rows > 1 {
        let words = format!("The case is being read: {}.", megabytes(coming.bytes));
        put_line(buf, inner, 1, &Line::from(Span::styled(words, theme.dim)));
    }
    // No more of it than the screen can show.
    let begins = head(coming.begins.as_deref().unwrap_or_default(), 4 * wide * high);
    let lines = begins.split('\n').map(|line| Paragraph::new(Tone::Text, 0, line));
    let laid = Laid::new(lines.collect(), wide);
    for row in 0..laid.len().min(high) {
        put_line(buf, inner, row as u16 + head_rows, &laid.line(row, theme));
    }
}

pub fn draw(shell: &Shell, measured: &Measured, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(opened) = &shell.session.opened else {
        if let Some(coming) = &shell.session.coming {
            return draw_coming(shell, coming, inner, buf);
        }
        put_line(
            buf,
            inner,
            0,
            &Line::from(heading(
                theme,
                "No case is open".to_owned(),
                shell.focus == Focus::Context,
            )),
        );
        let words = if shell.session.calibration.is_some() {
            "Nothing of the session waits for you. {clear} leaves it; {sessions} shows how far the others are."
        } else if shell.session.queue.rows.is_empty() {
            "Cases come with `casework ingest FILE`, or from the team with {exchange}."
        } else {
            "{next-case} opens the first case of the queue."
        };
        for (row, line) in
            wrap(&shell.keymap.fill(words), usize::from(inner.width)).into_iter().enumerate()
        {
            put_line(buf, inner, row as u16 + 2, &Line::from(Span::styled(line, theme.dim)));
        }
        return;
    };
    put_line(buf, inner, 0, &title(shell, opened, usize::from(inner.width)));
    let (head, rows) = (case_head(area), case_rows(area));
    if head > 1 {
        put_line(buf, inner, 1, &tabs(shell, opened, usize::from(inner.width)));
    }
    let all = &measured.context;
    let scroll = shell.scroll[shell.tab().at()].min(all.len().saturating_sub(1));
    for (row, line) in all.from(scroll, rows, theme).into_iter().enumerate() {
        let line = match &shell.search {
            Some(search) => lit(line, &search.query, theme),
            None => line,
        };
        put_line(buf, inner, row as u16 + head, &line);
    }
    if all.len() > scroll + rows {
        let mut more = format!("{} more", all.len() - scroll - rows);
        if !opened.long_texts().is_empty() {
            more.push_str(&shell.keymap.fill(", and {read-on} reads on"));
        }
        let x = inner.width.saturating_sub(width(&more) as u16);
        let place = Rect { y: inner.y + head - 1, height: 1, ..inner };
        crate::tui::paint::put_at(buf, place, x, &Line::from(Span::styled(more, theme.dim)));
    }
}

/// The rows of a tab, in so many columns; so many are seen at once.
pub fn rows(shell: &Shell, tab: Tab, columns: usize, seen: usize) -> Rows {
    let Some(opened) = &shell.session.opened else { return Rows::default() };
    if let Some(trouble) = &opened.case.trouble {
        let lines = wrap(&visible(trouble), columns).into_iter();
        let line = |words| Line::from(Span::styled(words, shell.theme.bad));
        return lines.map(line).collect::<Vec<_>>().into();
    }
    let hidden = |cue: Cue| -> Rows {
        let until = if crate::domain::cues::hides(&opened.hide, cue, true) {
            "you have given your label"
        } else {
            "your first answer"
        };
        let words = format!(
            "The policy hides the {} until {until}, so that it sways nobody.",
            cue.as_str()
        );
        let line = |line| Line::from(Span::styled(line, shell.theme.dim));
        wrap(&words, columns).into_iter().map(line).collect::<Vec<_>>().into()
    };
    let cue = match tab {
        Tab::Overview | Tab::Input => None,
        Tab::Logs => Some(Cue::Logs),
        Tab::Neighbours => Some(Cue::Neighbours),
        Tab::Model => Some(Cue::Prediction),
        Tab::History => Some(Cue::History),
    };
    if let Some(cue) = cue.filter(|cue| opened.hides(*cue)) {
        return hidden(cue);
    }
    match tab {
        Tab::Overview => overview::rows(shell, opened, columns, seen),
        Tab::Input => input::rows(shell, opened, columns, seen),
        Tab::Logs => logs::lines(shell, opened, columns).into(),
        Tab::Neighbours => neighbours::lines(shell, opened, columns).into(),
        Tab::Model => model::rows(shell, opened, columns),
        Tab::History => history::lines(shell, opened, columns).into(),
    }
}

fn title(shell: &Shell, opened: &Opened, columns: usize) -> Line<'static> {
    let (theme, row) = (&shell.theme, &opened.case.row);
    let said = match (&row.predicted, row.confidence) {
        _ if opened.hides(Cue::Prediction) => "prediction hidden".to_owned(),
        (Some(label), Some(p)) => format!("{} {p:.2}", visible(label)),
        (Some(label), None) => visible(label).into_owned(),
        (None, _) => "no prediction".to_owned(),
    };
    let state = if row.state == crate::domain::resolve::CaseState::Open {
        String::new()
    } else {
        format!(" · {}", row.state.as_str())
    };
    let text = format!("{}  {said}  {}{state}", visible(&row.external_id), visible(&row.model));
    let text = fit(&text, columns).into_owned();
    Line::from(heading(theme, text, shell.focus == Focus::Context))
}

fn tabs(shell: &Shell, opened: &Opened, columns: usize) -> Line<'static> {
    let theme = &shell.theme;
    let mut spans = Vec::new();
    // Names first: counts and room between them only where all names fit.
    let roomy = columns >= 60;
    let gap = if roomy { " " } else { "" };
    for tab in Tab::ALL {
        let count = match tab {
            Tab::Logs => opened.case.own_logs(),
            Tab::Neighbours => opened.case.neighbours.len(),
            _ => 0,
        };
        let count = if count > 0 && roomy { format!(" {count}") } else { String::new() };
        let name = tab.as_str();
        if tab == shell.tab() {
            let (open, close) = (theme.sign("‹", "<"), theme.sign("›", ">"));
            spans.push(Span::styled(format!("{open}{name}{count}{close}{gap}"), theme.accent));
        } else {
            spans.push(Span::styled(format!(" {name}{count} {gap}"), theme.dim));
        }
    }
    Line::from(spans)
}
