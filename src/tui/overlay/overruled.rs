//! Where a reviewer was overruled, and why; they can appeal once on a case.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::arbitration::PastRuling;
use crate::tui::draw::{boxed, centered, put_line};
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
        let last = self.rows.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last) as usize;
    }

    pub fn current(&self) -> Option<&PastRuling> {
        self.rows.get(self.cursor)
    }

    /// Whether the one under the cursor was appealed against by whoever looks.
    pub fn has_appealed(&self) -> bool {
        self.current().is_some_and(|past| past.appeals.iter().any(|(who, _)| *who == self.me))
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let wide = screen.width.saturating_sub(2).min(96);
        let mut lines = Vec::new();
        let mut last = 0;
        for (row, past) in self.rows.iter().enumerate() {
            lines.extend(self.entry(past, row == self.cursor, usize::from(wide).saturating_sub(4), theme));
            if row <= self.cursor {
                last = lines.len();
            }
        }
        let high = screen.height.saturating_sub(2).min(lines.len() as u16 + 2);
        let title = "Where you were overruled (Enter opens · a appeals · Esc)";
        let inner = boxed(centered(screen, wide, high), buf, theme, title);
        let rows = usize::from(inner.height);
        let top = last.saturating_sub(rows);
        for (y, line) in lines.iter().skip(top).take(rows).enumerate() {
            put_line(buf, inner, y as u16, line);
        }
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
