//! Resolved cases like the open one, with how they were decided; one can be cited.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::Precedent;
use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::theme::Theme;

/// The list.
#[derive(Debug, Clone)]
pub struct Precedents {
    pub rows: Vec<Precedent>,
    pub cursor: usize,
}

impl Precedents {
    pub fn step(&mut self, by: i64) {
        let last = self.rows.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last) as usize;
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let wide = screen.width.saturating_sub(2).min(96);
        let mut lines = Vec::new();
        let mut last = 0;
        for (row, precedent) in self.rows.iter().enumerate() {
            if row > 0 {
                lines.push(Line::default());
            }
            lines.extend(entry(precedent, row == self.cursor, usize::from(wide).saturating_sub(4), theme));
            if row <= self.cursor {
                last = lines.len();
            }
        }
        let high = screen.height.saturating_sub(2).min(lines.len() as u16 + 2);
        let inner = boxed(centered(screen, wide, high), buf, theme, "Cases like this one (Enter cites · Esc)");
        let rows = usize::from(inner.height);
        let top = last.saturating_sub(rows);
        for (y, line) in lines.iter().skip(top).take(rows).enumerate() {
            put_line(buf, inner, y as u16, line);
        }
    }
}

/// What was decided, of what, by which way, and why.
fn entry(precedent: &Precedent, chosen: bool, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
    let style = if chosen { theme.strong } else { theme.text };
    let said = match (precedent.same_pair, precedent.same_label) {
        (true, _) => "  models said the same",
        (false, true) => "  model said the same",
        (false, false) => "",
    };
    let alike = format!("{:>3.0} %", precedent.likeness * 100.0);
    let room = columns.saturating_sub(2 + 10 + alike.len() + said.len());
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(format!("{}  ", precedent.case.short()), theme.dim),
        Span::styled(fit(&visible(&outcome_in_short(&precedent.outcome)), room).into_owned(), style),
        Span::styled(format!("  {alike}{said}"), theme.dim),
    ])];
    let mut more = |text: &str, style, rows: usize| {
        for line in wrap(&visible(text), columns.saturating_sub(4)).into_iter().take(rows) {
            lines.push(Line::from(Span::styled(format!("    {line}"), style)));
        }
    };
    more(&fit(&precedent.text, 300), theme.text, 2);
    let path: Vec<String> = precedent.path.iter().map(|(question, answer)| format!("{question} {answer}")).collect();
    more(&path.join(" · "), theme.dim, 2);
    if !precedent.rationale.is_empty() {
        more(&format!("“{}”", precedent.rationale), theme.text, 3);
    }
    lines
}
