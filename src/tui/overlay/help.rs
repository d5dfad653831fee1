//! Every key there is, from the table of actions.

use ratatui::text::{Line, Span};

use crate::domain::text::width;
use crate::review::filter::NAMES;
use crate::tui::App;
use crate::tui::action::{ACTIONS, Place};

/// The lines of the window.
pub fn lines(app: &App) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let mut lines = Vec::new();
    for place in Place::ALL {
        let mut of_place = ACTIONS.iter().enumerate().filter(|(_, action)| action.place == place).peekable();
        if of_place.peek().is_none() {
            continue;
        }
        lines.push(Line::from(Span::styled(place.title(), theme.strong)));
        for (index, action) in of_place {
            let keys = app.keymap.words(index);
            let pad = " ".repeat(23_usize.saturating_sub(width(&keys)).max(2));
            lines.push(Line::from(vec![Span::raw("  "), Span::styled(keys, theme.key), Span::raw(pad), Span::raw(action.help)]));
        }
        lines.push(Line::default());
    }
    lines.push(Line::from(Span::styled("In a filter", theme.strong)));
    for (name, about) in NAMES {
        let pad = " ".repeat(23_usize.saturating_sub(name.len()));
        lines.push(Line::from(vec![Span::raw("  "), Span::styled(*name, theme.key), Span::raw(pad), Span::raw(*about)]));
    }
    lines
}
