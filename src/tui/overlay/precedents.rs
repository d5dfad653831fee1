//! Resolved cases like the open one, with how they were decided; one can be cited.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, list};
use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::Precedent;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[KeyRow::new(
    "cite-this",
    "Enter +",
    Place::Precedents,
    "cites",
    "cite this case in the rationale, or no longer",
)];

/// The list.
pub struct Precedents {
    pub rows: Vec<Precedent>,
    pub cursor: usize,
}

impl Layer for Precedents {
    fn places(&self) -> &'static [Place] {
        &[Place::Precedents, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        match action {
            "cite-this" => {
                let effects =
                    self.rows.get(self.cursor).map(|precedent| cx.session.cite(precedent));
                cx.then(effects.unwrap_or_default());
                Next::Closes
            }
            "close" => Next::Closes,
            action => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                self.cursor = list::moved(self.cursor, by, self.rows.len());
                Next::Stays
            }
        }
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let columns = list::columns(screen);
        let entry = |(row, precedent)| {
            let mut lines = entry(precedent, row == self.cursor, columns, view.theme);
            if row > 0 {
                lines.insert(0, Line::default());
            }
            lines
        };
        let entries = self.rows.iter().enumerate().map(entry).collect();
        let title = view.keymap.fill("Cases like this one ({cite-this} cites · {close})");
        list::draw(screen, buf, view.theme, &title, self.cursor, entries);
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
    let room = columns.saturating_sub(2 + 10 + 2 + alike.len() + said.len());
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(format!("{}  ", precedent.case.short()), theme.dim),
        Span::styled(
            fit(&visible(&outcome_in_short(&precedent.outcome)), room).into_owned(),
            style,
        ),
        Span::styled(format!("  {alike}{said}"), theme.dim),
    ])];
    let mut more = |text: &str, style, rows: usize| {
        for line in wrap(&visible(text), columns.saturating_sub(4)).into_iter().take(rows) {
            lines.push(Line::from(Span::styled(format!("    {line}"), style)));
        }
    };
    more(&fit(&precedent.text, 300), theme.text, 2);
    let path: Vec<String> =
        precedent.path.iter().map(|(question, answer)| format!("{question} {answer}")).collect();
    more(&path.join(" · "), theme.dim, 2);
    if !precedent.rationale.is_empty() {
        more(&format!("“{}”", precedent.rationale), theme.text, 3);
    }
    lines
}
