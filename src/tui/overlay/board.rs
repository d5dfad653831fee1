//! The board: how the work stands, and where labels differ, on a few pages; each number opens the cases behind it. While it is
//! looked at it follows what is written, here or by others.

use std::sync::Arc;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::ids::CaseId;
use crate::domain::text::visible;
use crate::review::board::pages::{Page, Pages, Row, Tone};
use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::key::KeyPress;
use crate::tui::theme::Theme;

/// The window.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// None while they are worked out for the first time.
    pub pages: Option<Arc<Pages>>,
    pub page: Page,
    pub cursor: usize,
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Boarded {
    On,
    Left,
    /// The cases behind a number, and what they are.
    Cases(String, Vec<CaseId>),
}

impl Board {
    /// Shows what was counted since; the cursor stays on its row.
    pub fn take(&mut self, pages: &Arc<Pages>) {
        if self.pages.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, pages)) {
            return;
        }
        let title = self.rows().get(self.cursor).map(|row| row.title.clone()).filter(|title| !title.is_empty());
        self.pages = Some(Arc::clone(pages));
        let rows = self.rows().iter().enumerate().filter(|(_, row)| title.as_ref() == Some(&row.title));
        // Of several rows of one title, the nearest.
        let place = rows.map(|(at, _)| at).min_by_key(|at| at.abs_diff(self.cursor));
        self.cursor = place.unwrap_or(self.cursor.min(self.rows().len().saturating_sub(1)));
    }

    fn rows(&self) -> &[Row] {
        self.pages.as_ref().map_or(&[], |pages| pages.rows(self.page))
    }

    pub fn key(&mut self, key: KeyPress) -> Boarded {
        match key.code {
            KeyCode::Esc | KeyCode::Char('q') => return Boarded::Left,
            KeyCode::Char('c') if key.ctrl => return Boarded::Left,
            KeyCode::Char('l') | KeyCode::Right | KeyCode::Tab => (self.page, self.cursor) = (self.page.turned(1), 0),
            KeyCode::Char('h') | KeyCode::Left | KeyCode::BackTab => (self.page, self.cursor) = (self.page.turned(-1), 0),
            KeyCode::Char(c @ '1'..='7') => (self.page, self.cursor) = (Page::ALL[c as usize - '1' as usize], 0),
            KeyCode::Down | KeyCode::Char('j') => self.cursor += 1,
            KeyCode::Up | KeyCode::Char('k') => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.cursor += 10,
            KeyCode::Char('g') | KeyCode::Home => self.cursor = 0,
            KeyCode::Char('G') | KeyCode::End => self.cursor = usize::MAX,
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(10),
            KeyCode::Enter => {
                let row = self.rows().get(self.cursor).filter(|row| !row.cases.is_empty());
                return row.map_or(Boarded::On, |row| Boarded::Cases(row.title.clone(), row.cases.clone()));
            }
            _ => {}
        }
        self.cursor = self.cursor.min(self.rows().len().saturating_sub(1));
        Boarded::On
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = centered(screen, screen.width.saturating_sub(2).min(124), screen.height.saturating_sub(2));
        let inner = boxed(area, buf, theme, "Board (h l page · Enter cases · Esc)");
        let mut tabs = Vec::new();
        for page in Page::ALL {
            let here = page == self.page;
            let word = if here {
                format!("{}{}{} ", theme.sign("‹", "<"), page.word(), theme.sign("›", ">"))
            } else {
                format!(" {}  ", page.word())
            };
            tabs.push(Span::styled(word, if here { theme.accent } else { theme.dim }));
        }
        put_line(buf, inner, 0, &Line::from(tabs));
        let Some(pages) = &self.pages else {
            put_line(buf, inner, 2, &Line::from(Span::styled("  Counting …", theme.dim)));
            return;
        };
        // Names of classes are long and begin alike: the chosen one is said in full.
        let whole = self.rows().get(self.cursor).filter(|row| self.page == Page::Matrix && !row.title.is_empty());
        let head = whole.map_or_else(|| pages.head(self.page).to_owned(), |row| format!("  {}", visible(&row.title)));
        put_line(buf, inner, 1, &Line::from(Span::styled(head, theme.dim)));
        let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
        let (rows, height) = (self.rows(), usize::from(list.height));
        let top = (self.cursor + 1).saturating_sub(height);
        for (y, (at, row)) in rows.iter().enumerate().skip(top).take(height).enumerate() {
            let mark = if at == self.cursor { theme.sign("▸ ", "> ") } else { "  " };
            let words = row.words.iter().map(|(words, tone)| Span::styled(words.as_str(), style(*tone, theme)));
            put_line(buf, list, y as u16, &Line::from_iter(std::iter::once(Span::styled(mark, theme.accent)).chain(words)));
        }
        if rows.is_empty() {
            put_line(buf, list, 0, &Line::from(Span::styled("  Nothing to show yet.", theme.dim)));
        }
        if rows.len() > top + height {
            let more = Rect { y: inner.bottom(), height: 1, ..inner };
            put_line(buf, more, 0, &Line::from(Span::styled(format!(" {} more: j ", rows.len() - top - height), theme.dim)));
        }
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
