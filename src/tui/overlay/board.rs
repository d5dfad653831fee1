//! The board: how the work stands, and where labels differ, on a few pages; each number opens the
//! cases behind it. While it is looked at it follows what is written, here or by others.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, list};
use crate::domain::text::visible;
use crate::review::board::pages::{Page, Pages, Row, Tone};
use crate::session::Effect;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::{boxed, centered, put_line};
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("board-cases", "Enter", Place::Board, "cases", "list the cases behind this number"),
    KeyRow::new("board-next", "l Right Tab", Place::Board, "", "next page"),
    KeyRow::new("board-previous", "h Left BackTab", Place::Board, "", "page before"),
    KeyRow::new("board-page", "1 2 3 4 5 6 7 8 9", Place::Board, "", "this page"),
    KeyRow::new("board-leave", "q", Place::Board, "", "close the board"),
];

/// The window.
#[derive(Default)]
pub struct Board {
    /// None while they are worked out for the first time.
    pub pages: Option<Arc<Pages>>,
    pub page: Page,
    pub cursor: usize,
}

impl Board {
    fn rows(&self) -> &[Row] {
        self.pages.as_ref().map_or(&[], |pages| pages.rows(self.page))
    }
}

impl Layer for Board {
    fn places(&self) -> &'static [Place] {
        &[Place::Board, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, key: KeyPress, cx: &mut Cx<'_>) -> Next {
        match action {
            "board-next" => (self.page, self.cursor) = (self.page.turned(1), 0),
            "board-previous" => (self.page, self.cursor) = (self.page.turned(-1), 0),
            "board-page" => {
                let page = cx.keymap.place_of("board-page", key).and_then(|at| Page::ALL.get(at));
                (self.page, self.cursor) = (page.copied().unwrap_or(self.page), 0);
            }
            "board-cases" => {
                if let Some(row) = self.rows().get(self.cursor) {
                    let ids = row.behind.cases.clone();
                    if !ids.is_empty() {
                        cx.then([Effect::Cases { title: row.title.clone(), ids }]);
                    }
                    let nothing = || "No case stands behind this row.".to_owned();
                    let nothing = row.behind.cases.is_empty().then(nothing);
                    let told = row.left_out().or(nothing).map(|words| cx.session.say(&words));
                    cx.then(told.unwrap_or_default());
                    return if row.behind.cases.is_empty() { Next::Stays } else { Next::Closes };
                }
            }
            "board-leave" | "close" => return Next::Closes,
            action => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                self.cursor = list::moved(self.cursor, by, self.rows().len());
            }
        }
        Next::Stays
    }

    /// Shows what was counted since; the cursor stays on its row.
    fn board(&mut self, pages: &Arc<Pages>) {
        if self.pages.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, pages)) {
            return;
        }
        let title = self
            .rows()
            .get(self.cursor)
            .map(|row| row.title.clone())
            .filter(|title| !title.is_empty());
        self.pages = Some(Arc::clone(pages));
        let rows =
            self.rows().iter().enumerate().filter(|(_, row)| title.as_ref() == Some(&row.title));
        // Of several rows of one title, the nearest.
        let place = rows.map(|(at, _)| at).min_by_key(|at| at.abs_diff(self.cursor));
        self.cursor = place.unwrap_or(self.cursor.min(self.rows().len().saturating_sub(1)));
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let area = centered(
            screen,
            screen.width.saturating_sub(2).min(196),
            screen.height.saturating_sub(2),
        );
        let title = view
            .keymap
            .fill("Board ({board-previous} {board-next} page · {board-cases} cases · {close})");
        let inner = boxed(area, buf, theme, &title);
        let mut tabs = Vec::new();
        // Where there is no room for blanks between all of them, one is enough.
        let names: usize = Page::ALL.iter().map(|page| page.as_str().len() + 3).sum();
        let wide = names <= usize::from(inner.width);
        for page in Page::ALL {
            let here = page == self.page;
            let word = if here {
                format!("{}{}{} ", theme.sign("‹", "<"), page.as_str(), theme.sign("›", ">"))
            } else if wide {
                format!(" {}  ", page.as_str())
            } else {
                format!("{} ", page.as_str())
            };
            tabs.push(Span::styled(word, if here { theme.accent } else { theme.dim }));
        }
        put_line(buf, inner, 0, &Line::from(tabs));
        let Some(pages) = &self.pages else {
            put_line(buf, inner, 2, &Line::from(Span::styled("  Counting …", theme.dim)));
            return;
        };
        // Names of classes are long and begin alike: the chosen one is said in full.
        let whole = self
            .rows()
            .get(self.cursor)
            .filter(|row| self.page == Page::Matrix && !row.title.is_empty());
        let head = whole.map_or_else(
            || pages.head(self.page).to_owned(),
            |row| format!("  {}", visible(&row.title)),
        );
        put_line(buf, inner, 1, &Line::from(Span::styled(head, theme.dim)));
        let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
        let (rows, height) = (self.rows(), usize::from(list.height));
        let top = (self.cursor + 1).saturating_sub(height);
        for (y, (at, row)) in rows.iter().enumerate().skip(top).take(height).enumerate() {
            let mark = if at == self.cursor { theme.sign("▸ ", "> ") } else { "  " };
            let words = row
                .words
                .iter()
                .map(|words| Span::styled(words.in_columns(), style(words.tone, theme)));
            put_line(
                buf,
                list,
                y as u16,
                &Line::from_iter(std::iter::once(Span::styled(mark, theme.accent)).chain(words)),
            );
        }
        if rows.is_empty() {
            put_line(buf, list, 0, &Line::from(Span::styled("  Nothing to show yet.", theme.dim)));
        }
        let more = rows.len().saturating_sub(top + height);
        let more = match more {
            0 => String::new(),
            more => view.keymap.fill(&format!(" {more} more: {{line-down}} ")),
        };
        let left_out = rows.get(self.cursor).and_then(Row::left_out);
        let below = left_out.map_or(more.clone(), |words| format!("{more} {words} "));
        let border = Rect { y: inner.bottom(), height: 1, ..inner };
        put_line(buf, border, 0, &Line::from(Span::styled(below, theme.dim)));
    }
}

fn style(tone: Tone, theme: &Theme) -> Style {
    match tone {
        Tone::Text => theme.text,
        Tone::Dim => theme.dim,
        Tone::Strong => theme.strong,
        Tone::Accent => theme.accent,
        Tone::Warn => theme.warn,
    }
}
