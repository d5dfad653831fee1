//! Calibration sessions, and how far everybody is: counts, never what they said.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list;
use crate::domain::calibration::Stage;
use crate::domain::text::{fit, visible};
use crate::domain::time::{Moment, short_span};
use crate::session::window::CalibrationProgress;
use crate::tui::theme::Theme;

/// The list.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub rows: Vec<CalibrationProgress>,
    pub cursor: usize,
    pub me: String,
    pub now: Moment,
}

impl Sessions {
    pub fn step(&mut self, by: i64) {
        self.cursor = list::moved(self.cursor, by, self.rows.len());
    }

    pub fn current(&self) -> Option<&CalibrationProgress> {
        self.rows.get(self.cursor)
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let columns = list::columns(screen);
        let entry = |(row, sat)| self.entry(sat, row == self.cursor, columns, theme);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        list::draw(screen, buf, theme, "Calibration (Enter sits in · r reveals · f findings · Esc)", self.cursor, entries);
    }

    fn entry(&self, sat: &CalibrationProgress, chosen: bool, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let what = &sat.session.opened.what;
        let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
        let style = if chosen { theme.strong } else { theme.text };
        let wait = what.deadline.0 - self.now.0;
        let state = match sat.session.stage() {
            Stage::Blind if wait > 0 => format!("{}, {} left", Stage::Blind.word(), short_span(wait)),
            Stage::Blind => format!("{}, overdue for {}", Stage::Blind.word(), short_span(-wait)),
            stage => stage.word().to_owned(),
        };
        let name = if what.title.is_empty() { what.session.clone() } else { format!("{}: {}", what.session, what.title) };
        let room = columns.saturating_sub(state.len() + 4);
        let mut lines = vec![Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(fit(&visible(&name), room).into_owned(), style),
            Span::styled(format!("  {state}"), theme.dim),
        ])];
        if chosen {
            let of = what.cases.len();
            for one in &sat.progress {
                let done = sat.done(&one.reviewer).unwrap_or(0);
                let full = done * 20 / of.max(1);
                let bar = format!("{}{}", "█".repeat(full), "·".repeat(20 - full));
                let who = fit(&visible(&one.reviewer), 16).into_owned();
                let mine = if one.reviewer == self.me { theme.strong } else { theme.text };
                lines.push(Line::from(vec![
                    Span::styled(format!("    {who:<16} "), mine),
                    Span::styled(bar, if done == of { theme.good } else { theme.accent }),
                    Span::styled(format!(" {done:>3} of {of}"), theme.dim),
                ]));
            }
        }
        lines
    }
}
