//! Resolved cases like the open one, with how they were decided; one can be cited.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list;
use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::Precedent;
use crate::tui::theme::Theme;

/// The list.
#[derive(Debug, Clone)]
pub struct Precedents {
    pub rows: Vec<Precedent>,
    pub cursor: usize,
}

impl Precedents {
    pub fn step(&mut self, by: i64) {
        self.cursor = list::moved(self.cursor, by, self.rows.len());
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let columns = list::columns(screen);
        let entry = |(row, precedent)| {
            let mut lines = entry(precedent, row == self.cursor, columns, theme);
            if row > 0 {
                lines.insert(0, Line::default());
            }
            lines
        };
        let entries = self.rows.iter().enumerate().map(entry).collect();
        list::draw(screen, buf, theme, "Cases like this one (Enter cites · Esc)", self.cursor, entries);
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
