//! What happened to the case, every event in words.

use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::text::{visible, wrap};
use crate::session::Opened;
use crate::tui::shell::Shell;

pub fn lines(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let mut lines = Vec::new();
    for event in &opened.case.history {
        lines.push(Line::from(vec![
            Span::styled(format!("{}  ", event.at.minute()), theme.dim),
            Span::styled(visible(&event.who).into_owned(), theme.strong),
            Span::styled(
                format!("  {}:{}:{}", event.event.replica.short(), event.event.seq, event.event.n),
                theme.dim,
            ),
        ]));
        // The first says why it was flagged.
        let flags = event.event == opened.case.row.event && opened.hides(Cue::Flags);
        let words = if flags { "detected" } else { event.words.as_str() };
        for line in wrap(&visible(words), columns.saturating_sub(2)) {
            lines.push(Line::raw(format!("  {line}")));
        }
    }
    lines
}
