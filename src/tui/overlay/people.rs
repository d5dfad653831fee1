//! Who may do what, and who asks to be let in: a list on which a lead admits and retires.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::text::{fit, visible};
use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::theme::Theme;
use crate::workspace::Holder;

/// A person on a device, with what their SSH key said.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub holder: Holder,
    /// The fingerprint of the SSH key that signed the join, or why that is not good.
    pub ssh: Result<Option<String>, String>,
}

/// The list.
#[derive(Debug, Clone, Default)]
pub struct People {
    pub rows: Vec<Person>,
    pub cursor: usize,
}

/// Roles that are offered, the usual first.
pub const ROLES: &[&str] =
    &["reviewer", "reviewer engineer", "lead reviewer", "lead reviewer engineer", "engineer", "auditor", "agent"];

impl People {
    pub fn current(&self) -> Option<&Person> {
        self.rows.get(self.cursor)
    }

    pub fn step(&mut self, by: i64) {
        let last = self.rows.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last) as usize;
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = centered(screen, screen.width.saturating_sub(2).min(110), screen.height.saturating_sub(2).min(30));
        let inner = boxed(area, buf, theme, "People (a admit · x retire · Esc)");
        let columns = usize::from(inner.width);
        let rows = usize::from(inner.height / 2).max(1);
        let top = (self.cursor + 1).saturating_sub(rows);
        for (row, person) in self.rows.iter().enumerate().skip(top).take(rows) {
            let chosen = row == self.cursor;
            let y = (row - top) as u16 * 2;
            let (state, style) = state(&person.holder, theme);
            let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
            let name = format!("{:<16} ", fit(&visible(&person.holder.name), 16));
            let strong = if chosen { theme.strong } else { theme.text };
            let here = if person.holder.here { "  this device" } else { "" };
            let spans = vec![
                Span::styled(mark, theme.accent),
                Span::styled(name, strong),
                Span::styled(state, style),
                Span::styled(here, theme.dim),
            ];
            put_line(buf, inner, y, &Line::from(spans));
            put_line(buf, inner, y + 1, &Line::from(Span::styled(fit(&key(person), columns).into_owned(), theme.dim)));
        }
    }
}

fn state(holder: &Holder, theme: &Theme) -> (String, ratatui::style::Style) {
    match holder.retired_after {
        Some(after) => (format!("retired after entry {after}"), theme.dim),
        None if holder.waits() => ("asks to be let in".to_owned(), theme.warn),
        None => (holder.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", "), theme.text),
    }
}

fn key(person: &Person) -> String {
    let device = person.holder.replica.short();
    match &person.ssh {
        Ok(None) => format!("    device {device}  key {}", person.holder.fingerprint()),
        Ok(Some(ssh)) => format!("    device {device}  signed by SSH {ssh}"),
        Err(why) => format!("    device {device}  the SSH signature is NOT good: {}", visible(why)),
    }
}
