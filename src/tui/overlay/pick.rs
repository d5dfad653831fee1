//! A list that is narrowed by typing: every action, or the labels of a protocol.

use fuzzy_matcher::FuzzyMatcher as _;
use fuzzy_matcher::skim::SkimMatcherV2;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::ids::ReplicaId;
use crate::domain::text::{fit, visible, width};
use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::theme::Theme;

/// What is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickKind {
    /// An action by name; the word before the list is `:` or nothing.
    Action,
    /// The answer to a question of kind label.
    Label,
    /// One of the answers to a question.
    Answer,
    /// A snippet to begin a rationale with.
    Snippet,
    /// The roles in which somebody is let in.
    Roles,
}

/// One thing that can be picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub value: String,
    pub about: String,
    /// By what it is found too, though that is not shown.
    pub words: String,
}

impl Choice {
    pub fn new(value: &str, about: &str) -> Self {
        Self { value: value.to_owned(), about: about.to_owned(), words: String::new() }
    }
}

/// The list, what was typed, and what of it fits.
#[derive(Debug, Clone)]
pub struct Pick {
    pub kind: PickKind,
    pub title: String,
    pub query: String,
    /// The person on a device for whom it is picked.
    pub person: Option<(String, ReplicaId)>,
    choices: Vec<Choice>,
    /// Indices of choices that fit, best first.
    found: Vec<usize>,
    cursor: usize,
}

impl Pick {
    pub fn new(kind: PickKind, title: &str, choices: Vec<Choice>) -> Self {
        let found = (0..choices.len()).collect();
        Self { kind, title: title.to_owned(), query: String::new(), person: None, choices, found, cursor: 0 }
    }

    pub fn picked(&self) -> Option<&Choice> {
        self.choices.get(*self.found.get(self.cursor)?)
    }

    pub fn step(&mut self, by: i64) {
        let last = self.found.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last) as usize;
    }

    pub fn type_text(&mut self, text: &str) {
        self.query.push_str(&visible(text));
        self.narrow();
    }

    pub fn backspace(&mut self) {
        self.query.pop();
        self.narrow();
    }

    fn narrow(&mut self) {
        let matcher = SkimMatcherV2::default().ignore_case();
        let score = |choice: &Choice| {
            let value = matcher.fuzzy_match(&choice.value, &self.query).map(|score| score + 1_000);
            let about = || matcher.fuzzy_match(&choice.about, &self.query).map(|score| score + 500);
            value.or_else(about).or_else(|| matcher.fuzzy_match(&choice.words, &self.query))
        };
        let mut found: Vec<(i64, usize)> =
            self.choices.iter().enumerate().filter_map(|(i, choice)| Some((score(choice)?, i))).collect();
        found.sort_by_key(|(score, i)| (-score, *i));
        self.found = found.into_iter().map(|(_, i)| i).collect();
        self.cursor = 0;
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let wide = screen.width.saturating_sub(4).min(72);
        let area = centered(screen, wide, screen.height.saturating_sub(4).min(24));
        let inner = boxed(area, buf, theme, &self.title);
        let count = format!(" {}/{}", self.found.len(), self.choices.len());
        let typed = fit(&self.query, usize::from(inner.width).saturating_sub(width(&count) + 4)).into_owned();
        let prompt = vec![
            Span::styled("> ", theme.accent),
            Span::raw(typed),
            Span::styled("_", theme.accent),
            Span::styled(count, theme.dim),
        ];
        put_line(buf, inner, 0, &Line::from(prompt));
        let rows = usize::from(inner.height).saturating_sub(1);
        let top = (self.cursor + 1).saturating_sub(rows);
        let name_width = self.choices.iter().map(|choice| width(&choice.value)).max().unwrap_or(0).min(32);
        for (row, index) in self.found.iter().skip(top).take(rows).enumerate() {
            let choice = &self.choices[*index];
            let chosen = top + row == self.cursor;
            let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
            let name = fit(&visible(&choice.value), 32).into_owned();
            let pad = " ".repeat(name_width.saturating_sub(width(&name)) + 2);
            let style = if chosen { theme.strong } else { theme.text };
            let line = vec![
                Span::styled(mark, theme.accent),
                Span::styled(name, style),
                Span::raw(pad),
                Span::styled(visible(&choice.about).into_owned(), theme.dim),
            ];
            put_line(buf, inner, row as u16 + 1, &Line::from(line));
        }
    }
}
