//! The logs of the prediction's trace, and the lines beside them on demand.

use ratatui::text::{Line, Span};

use crate::domain::logline::Level;
use crate::domain::text::{fit, visible};
use crate::session::Opened;
use crate::tui::shell::Shell;

pub fn lines(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let case = &opened.case;
    if case.logs.is_empty() {
        return vec![Line::raw(
            "No log line was found for it: `casework ingest --logs FILE` joins them.",
        )];
    }
    let mut lines = Vec::new();
    for log in case.logs.iter().filter(|log| shell.all_logs || log.own) {
        let line = &log.line;
        let style = match line.level {
            Some(Level::Error) => theme.bad,
            Some(Level::Warn) => theme.warn,
            Some(Level::Debug) => theme.dim,
            Some(Level::Info) | None => theme.text,
        };
        let own = if log.own { theme.sign("│", "|") } else { " " };
        let at = line.at.map_or_else(|| " ".repeat(8), |at| at.clock());
        let level = line.level.map_or("    ", Level::as_str);
        let service = line
            .service
            .as_deref()
            .or(Some(&log.file))
            .map(|name| fit(&visible(name), 14).into_owned())
            .unwrap_or_default();
        let room = columns.saturating_sub(17 + service.chars().count());
        let message = fit(&visible(&line.message), room.max(20)).into_owned();
        lines.push(Line::from(vec![
            Span::styled(own, theme.accent),
            Span::styled(format!("{at} "), theme.dim),
            Span::styled(format!("{level} "), style),
            Span::styled(format!("{} ", service), theme.dim),
            Span::styled(message, if log.own { style } else { theme.dim }),
        ]));
    }
    lines
}
