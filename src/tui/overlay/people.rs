//! Who may do what, and who asks to be let in: a list on which a lead admits and retires.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list;
use crate::domain::text::{fit, visible};
use crate::tui::theme::Theme;
use crate::workspace::Person;

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
        self.cursor = list::moved(self.cursor, by, self.rows.len());
    }

    /// What the list of roles is called, with a warning if the name is taken.
    pub fn admission_title(&self) -> String {
        match self.current() {
            Some(person) if self.is_another(person) => format!("Let ANOTHER {} in as", person.holder.name),
            Some(person) => format!("Let {} in as", person.holder.name),
            None => String::new(),
        }
    }

    /// Whether somebody asks under a name that works on another device.
    fn is_another(&self, person: &Person) -> bool {
        let same = |other: &Person| other.holder.name == person.holder.name && other.holder.works();
        person.holder.waits() && self.rows.iter().any(same)
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let entry = |(row, person)| self.lines(person, row == self.cursor, theme);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        list::draw(screen, buf, theme, "People (a admit · x retire or turn down · Esc)", self.cursor, entries);
    }

    /// Name and state; then each key on a line of its own, to be compared.
    fn lines(&self, person: &Person, chosen: bool, theme: &Theme) -> Vec<Line<'static>> {
        let holder = &person.holder;
        let (state, style) = match holder.retired_after {
            Some(0) if holder.roles.is_empty() => ("was turned down".to_owned(), theme.dim),
            Some(after) => (format!("retired after entry {after}"), theme.dim),
            None if self.is_another(person) => (format!("ANOTHER {} asks to be let in", visible(&holder.name)), theme.bad),
            None if holder.waits() => ("asks to be let in".to_owned(), theme.warn),
            None => (holder.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", "), theme.text),
        };
        let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
        let name = format!("{:<16} ", fit(&visible(&holder.name), 16));
        let here = if holder.here { "  this device" } else { "" };
        let mut lines = vec![
            Line::from(vec![
                Span::styled(mark, theme.accent),
                Span::styled(name, if chosen { theme.strong } else { theme.text }),
                Span::styled(state, style),
                Span::styled(here, theme.dim),
            ]),
            Line::from(Span::styled(format!("    {}  key {}", holder.replica.short(), holder.fingerprint()), theme.dim)),
        ];
        match &person.ssh {
            Ok(None) => {}
            Ok(Some(ssh)) => lines.push(Line::from(Span::styled(format!("    signed by SSH {}", visible(ssh)), theme.dim))),
            Err(why) => {
                lines.push(Line::from(Span::styled(format!("    the SSH signature is NOT good: {}", visible(why)), theme.bad)))
            }
        }
        lines
    }
}
