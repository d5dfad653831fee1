//! Every key there is, from the tables: those that hold here first, narrowed by typing. It lies over
//! whatever was there, and gives it back.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lines::{area, columns, draw, overflow};
use super::{Cx, Layer, Next, View};
use crate::domain::text::{fit, visible, width, wrap};
use crate::review::filter::NAMES;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::put_line;
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// Columns from the keys of a line to what they do.
const KEYS_WIDE: usize = 24;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("help-down", "Down Tab ctrl-n", Place::Helping, "down", "a line down"),
    KeyRow::new("help-up", "Up BackTab ctrl-p", Place::Helping, "up", "a line up"),
    KeyRow::new("help-page-down", "PageDown", Place::Helping, "", "a page down"),
    KeyRow::new("help-page-up", "PageUp", Place::Helping, "", "a page up"),
    KeyRow::new("help-erase", "Backspace", Place::Helping, "", "take the last letter away"),
    KeyRow::new("help-close", "Enter", Place::Helping, "", "back to what was there"),
];

/// The window.
pub struct Help {
    /// Where keys hold now, the most particular first.
    here: Vec<Place>,
    query: String,
    scroll: usize,
    /// The window that it lies over.
    under: Option<Box<dyn Layer>>,
}

impl Help {
    pub fn new(here: Vec<Place>, under: Option<Box<dyn Layer>>) -> Self {
        Self { here, query: String::new(), scroll: 0, under }
    }

    fn closes(&mut self) -> Next {
        self.under.take().map_or(Next::Closes, Next::Opens)
    }

    /// The lines, in so many columns.
    fn lines(&self, view: &View<'_>, columns: usize) -> Vec<Line<'static>> {
        let (theme, query) = (view.theme, self.query.to_lowercase());
        let found = |words: &[&str]| {
            query.is_empty() || words.iter().any(|word| word.to_lowercase().contains(&query))
        };
        let mut lines = Vec::new();
        let mut section = |title: &str, entries: Vec<Vec<Line<'static>>>| {
            if !entries.is_empty() {
                lines.push(Line::from(Span::styled(title.to_owned(), theme.strong)));
                lines.extend(entries.into_iter().flatten());
                lines.push(Line::default());
            }
        };
        let others = Place::ALL.into_iter().filter(|place| !self.here.contains(place));
        for place in self.here.iter().copied().chain(others) {
            let of_place = view.keymap.rows().into_iter().filter(|row| row.place == place);
            let entries = of_place.filter_map(|row| {
                let (keys, help) = (view.keymap.words(row.name), view.keymap.fill(row.help));
                found(&[&keys, &help, row.name]).then(|| entry(theme, &keys, &help, columns))
            });
            section(place.title(), entries.collect());
        }
        let names = NAMES.iter().filter(|(name, about)| found(&[name, about]));
        section(
            "In a filter",
            names.map(|(name, about)| entry(theme, name, about, columns)).collect(),
        );
        if query.is_empty() {
            let words = view.keymap.fill("{manual} opens the manual; `casework help` prints it.");
            lines.insert(0, Line::from(Span::styled(words, theme.dim)));
        } else if lines.is_empty() {
            lines.push(Line::from(Span::styled("No key is called so, or does that.", theme.dim)));
        }
        lines
    }
}

impl Layer for Help {
    fn places(&self) -> &'static [Place] {
        &[Place::Helping, Place::Writing]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let page = i64::from(cx.size.1 / 2).max(1);
        let by = match action {
            "help-down" => 1,
            "help-up" => -1,
            "help-page-down" => page,
            "help-page-up" => -page,
            "help-erase" => {
                self.query.pop();
                self.scroll = 0;
                return Next::Stays;
            }
            _ => return self.closes(),
        };
        let most = overflow(self.lines(&cx.view(), columns(cx.size)).len() + 1, cx.size);
        self.scroll = (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
        Next::Stays
    }

    fn typed(&mut self, event: KeyEvent, _: &mut Cx<'_>) -> Next {
        // Asked for again, it goes.
        match KeyPress::of(&event).char() {
            Some('?') if self.query.is_empty() => return self.closes(),
            Some(c) => {
                self.query.push(c);
                self.scroll = 0;
            }
            None => {}
        }
        Next::Stays
    }

    fn pasted(&mut self, text: &str, _: &mut Cx<'_>) -> bool {
        self.query.push_str(&visible(text));
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let area = area(screen);
        let wide = usize::from(area.width.saturating_sub(4));
        let mut lines = self.lines(view, wide);
        // What is typed stands in the first row, whatever is scrolled.
        lines.insert(self.scroll.min(lines.len()), Line::default());
        draw(
            area,
            buf,
            view,
            ("Keys: those that hold here first; type to narrow them", "{help-down}"),
            &lines,
            self.scroll,
        );
        let typed = vec![
            Span::styled("> ", view.theme.accent),
            Span::raw(fit(&self.query, wide.saturating_sub(4)).into_owned()),
            Span::styled("_", view.theme.accent),
        ];
        let first = Rect { x: area.x + 2, y: area.y + 1, width: wide as u16, height: 1 };
        put_line(buf, first, 0, &Line::from(typed));
    }
}

/// Keys and what they do, on as many lines as that takes.
fn entry(theme: &Theme, keys: &str, about: &str, columns: usize) -> Vec<Line<'static>> {
    let pad = KEYS_WIDE.saturating_sub(width(keys)).max(2);
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
