//! The logs of the prediction's trace, and the lines beside them on demand.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::logline::Level;
use crate::domain::text::{fit, visible, width, wrap};
use crate::review::open::ReadLog;
use crate::session::Opened;
use crate::tui::shell::Shell;
use crate::tui::theme::Theme;

/// Columns of what stands before a message: mark, time, level.
const BEFORE: usize = 15;

/// Every line that is shown, in as many rows as its message needs.
pub fn entries(
    shell: &Shell,
    opened: &Opened,
    columns: usize,
) -> Vec<(Option<Level>, Vec<Line<'static>>)> {
    let theme = &shell.theme;
    let shown = opened.case.logs.iter().filter(|log| shell.all_logs || log.own);
    let entry = |log: &ReadLog| {
        let line = &log.line;
        let style = style(line.level, theme);
        let own = if log.own { theme.sign("│", "|") } else { " " };
        let at = line.at.map_or_else(|| " ".repeat(8), |at| at.clock());
        let level = line.level.map_or("    ", Level::as_str);
        let service = service(log);
        let service = fit(&service, 14);
        let before = BEFORE + width(&service) + 1;
        let room = columns.saturating_sub(before).max(20);
        let message = if log.own { style } else { theme.dim };
        let mut lines = Vec::new();
        for (i, words) in wrap(&visible(&line.message), room).into_iter().enumerate() {
            if i > 0 {
                let gap = format!("{own}{}", " ".repeat(before - 1));
                lines.push(Line::from(vec![
                    Span::styled(gap, theme.accent),
                    Span::styled(words, message),
                ]));
                continue;
            }
            lines.push(Line::from(vec![
                Span::styled(own, theme.accent),
                Span::styled(format!("{at} "), theme.dim),
                Span::styled(format!("{level} "), style),
                Span::styled(format!("{service} "), theme.dim),
                Span::styled(words, message),
            ]));
        }
        (line.level, lines)
    };
    shown.map(entry).collect()
}

/// What a line of this level is written in.
pub fn style(level: Option<Level>, theme: &Theme) -> Style {
    match level {
        Some(Level::Error) => theme.bad,
        Some(Level::Warn) => theme.warn,
        Some(Level::Debug) => theme.dim,
        Some(Level::Info) | None => theme.text,
    }
}

/// Who wrote it: the service, else the file it stands in.
pub fn service(log: &ReadLog) -> String {
    visible(log.line.service.as_deref().unwrap_or(&log.file)).into_owned()
}

/// Rows before the first entry: what the times are of.
pub const HEAD: usize = 1;

pub fn lines(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    if opened.case.logs.is_empty() {
        let words = "No log line was found for it: `casework ingest --logs FILE` joins them.";
        return wrap(words, columns).into_iter().map(Line::raw).collect();
    }
    let zone = format!("Times in {}.", opened.case.row.occurred_at.zone_words());
    let head = Line::from(Span::styled(zone, shell.theme.dim));
    let entries = entries(shell, opened, columns).into_iter();
    [head].into_iter().chain(entries.flat_map(|(_, lines)| lines)).collect()
}
