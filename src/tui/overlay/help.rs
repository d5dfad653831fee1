//! Every key there is, from the tables.

use ratatui::text::{Line, Span};

use super::View;
use crate::domain::text::{width, wrap};
use crate::review::filter::NAMES;
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// Columns from the keys of a line to what they do.
const KEYS: usize = 24;

/// The lines of the window, which is so many columns wide.
pub fn lines(view: &View<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let manual = view.keymap.fill("{manual} opens the manual; `casework help` prints it.");
    let mut lines = vec![Line::from(Span::styled(manual, theme.dim)), Line::default()];
    for place in Place::ALL {
        let mut of_place = view.keymap.rows().iter().filter(|row| row.place == place).peekable();
        if of_place.peek().is_none() {
            continue;
        }
        lines.push(Line::from(Span::styled(place.title(), theme.strong)));
        for row in of_place {
            lines.extend(entry(
                theme,
                &view.keymap.words(row.name),
                &view.keymap.fill(row.help),
                columns,
            ));
        }
        lines.push(Line::default());
    }
    lines.push(Line::from(Span::styled("In a filter", theme.strong)));
    for (name, about) in NAMES {
        lines.extend(entry(theme, name, about, columns));
    }
    lines
}

/// Keys and what they do, on as many lines as that takes.
fn entry(theme: &Theme, keys: &str, about: &str, columns: usize) -> Vec<Line<'static>> {
    let pad = KEYS.saturating_sub(width(keys)).max(2);
    let left = 2 + width(keys) + pad;
    let about = wrap(about, columns.saturating_sub(left));
    let line = |(row, about): (usize, String)| match row {
        0 => Line::from(vec![
            Span::raw("  "),
            Span::styled(keys.to_owned(), theme.key),
            Span::raw(" ".repeat(pad)),
            Span::raw(about),
        ]),
        _ => Line::from(format!("{}{about}", " ".repeat(left))),
    };
    about.into_iter().enumerate().map(line).collect()
}
