//! Where a reviewer was overruled, and why; they can appeal once on a case.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list;
use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::arbitration::PastRuling;
use crate::tui::theme::Theme;

/// The list.
#[derive(Debug, Clone)]
pub struct Overruled {
    pub rows: Vec<PastRuling>,
    pub cursor: usize,
    pub me: String,
}

impl Overruled {
    pub fn step(&mut self, by: i64) {
        self.cursor = list::moved(self.cursor, by, self.rows.len());
    }

    pub fn current(&self) -> Option<&PastRuling> {
        self.rows.get(self.cursor)
    }

    /// Whether the one under the cursor was appealed against by whoever looks.
    pub fn has_appealed(&self) -> bool {
        self.current().is_some_and(|past| past.appeals.iter().any(|(who, _)| *who == self.me))
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let columns = list::columns(screen);
        let entry = |(row, past)| self.entry(past, row == self.cursor, columns, theme);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        list::draw(screen, buf, theme, "Where you were overruled (Enter opens · a appeals · Esc)", self.cursor, entries);
    }

    fn entry(&self, past: &PastRuling, chosen: bool, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
        let style = if chosen { theme.strong } else { theme.text };
        let text = fit(&visible(&past.row.text), columns.saturating_sub(14)).into_owned();
        let mut lines = vec![Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(format!("{}  ", past.row.id.short()), theme.dim),
            Span::styled(text, style),
        ])];
        let mut more = |text: String, style| {
            for line in wrap(&visible(&text), columns.saturating_sub(4)).into_iter().take(3) {
                lines.push(Line::from(Span::styled(format!("    {line}"), style)));
            }
        };
        let mine = past.overruled.iter().find(|given| given.label.reviewer == self.me);
        let mine = mine.map(|given| outcome_in_short(&given.label.outcome)).unwrap_or_default();
        more(format!("ruled     {}", outcome_in_short(&past.outcome)), theme.text);
        more(format!("you said  {mine}"), theme.text);
        more(format!("{}: {}", past.ruling.cause.word(), past.ruling.rationale), theme.dim);
        if let Some((_, why)) = past.appeals.iter().find(|(who, _)| *who == self.me) {
            more(format!("you appealed: {why}"), theme.warn);
        }
        lines
    }
}
