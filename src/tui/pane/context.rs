//! The case in its context: what it is called, and the tab that is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{history, input, logs, model, neighbours};
use crate::domain::cues::Cue;
use crate::domain::text::{fit, visible, wrap};
use crate::session::Opened;
use crate::tui::paint::{heading, put_line};
use crate::tui::place::{Focus, Measured, Tab};
use crate::tui::shell::Shell;

pub fn draw(shell: &Shell, measured: &Measured, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(opened) = &shell.session.opened else {
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
        return;
    };
    put_line(buf, inner, 0, &title(shell, opened, usize::from(inner.width)));
    put_line(buf, inner, 1, &tabs(shell, opened, usize::from(inner.width)));
    let lines = &measured.context;
    let rows = usize::from(inner.height).saturating_sub(3);
    let scroll = shell.scroll[shell.tab.at()].min(lines.len().saturating_sub(1));
    for (row, line) in lines.iter().skip(scroll).take(rows).enumerate() {
        put_line(buf, inner, row as u16 + 3, line);
    }
    if lines.len() > scroll + rows && inner.height > 3 {
        let more = format!("{} more", lines.len() - scroll - rows);
        let x = inner.width.saturating_sub(more.len() as u16);
        let place = Rect { y: inner.y + 2, height: 1, ..inner };
        crate::tui::paint::put_at(buf, place, x, &Line::from(Span::styled(more, theme.dim)));
    }
}

/// The lines of the tab that is shown.
pub fn lines(shell: &Shell, columns: usize) -> Vec<Line<'static>> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    if let Some(trouble) = &opened.case.trouble {
        return vec![Line::from(Span::styled(trouble.clone(), shell.theme.bad))];
    }
    let hidden = |cue: Cue| {
        let until = if crate::domain::cues::hides(&opened.hide, cue, true) {
            "you have given your label"
        } else {
            "your first answer"
        };
        let words = format!(
            "The policy hides the {} until {until}, so that it sways nobody.",
            cue.as_str()
        );
        wrap(&words, columns)
            .into_iter()
            .map(|line| Line::from(Span::styled(line, shell.theme.dim)))
            .collect()
    };
    let cue = match shell.tab {
        Tab::Input => None,
        Tab::Logs => Some(Cue::Logs),
        Tab::Neighbours => Some(Cue::Neighbours),
        Tab::Model => Some(Cue::Prediction),
        Tab::History => Some(Cue::History),
    };
    if let Some(cue) = cue.filter(|cue| opened.hides(*cue)) {
        return hidden(cue);
    }
    match shell.tab {
        Tab::Input => input::lines(shell, opened, columns),
        Tab::Logs => logs::lines(shell, opened, columns),
        Tab::Neighbours => neighbours::lines(shell, opened, columns),
        Tab::Model => model::lines(shell, opened, columns),
        Tab::History => history::lines(shell, opened, columns),
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
    let roomy = columns >= 56;
    for tab in Tab::ALL {
        let count = match tab {
            Tab::Logs => Some(opened.case.own_logs()),
            Tab::Neighbours => Some(opened.case.neighbours.len()),
            _ => None,
        };
        let name = if roomy { tab.as_str() } else { &tab.as_str()[..tab.as_str().len().min(6)] };
        let count = count.filter(|n| *n > 0 && roomy).map(|n| format!(" {n}")).unwrap_or_default();
        if tab == shell.tab {
            let (open, close) = (theme.sign("‹", "<"), theme.sign("›", ">"));
            spans.push(Span::styled(format!("{open}{name}{count}{close} "), theme.accent));
        } else {
            spans.push(Span::styled(format!(" {name}{count}  "), theme.dim));
        }
    }
    Line::from(spans)
}
