//! A list that is narrowed by typing: every action, or the labels of a protocol.

use crossterm::event::KeyEvent;
use fuzzy_matcher::FuzzyMatcher as _;
use fuzzy_matcher::skim::SkimMatcherV2;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View};
use crate::domain::text::{fit, visible, width, wrap};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::{beside, boxed, centered, put_line};
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("pick", "Enter", Place::Picking, "take it", "take what is chosen"),
    KeyRow::new("pick-down", "Down Tab ctrl-n ctrl-j", Place::Picking, "", "one down"),
    KeyRow::new("pick-up", "Up BackTab ctrl-p ctrl-k", Place::Picking, "", "one up"),
    KeyRow::new("pick-page-down", "PageDown", Place::Picking, "", "ten down"),
    KeyRow::new("pick-page-up", "PageUp", Place::Picking, "", "ten up"),
    KeyRow::new("pick-erase", "Backspace", Place::Picking, "", "take the last letter away"),
];

/// What becomes of what was picked.
type Taken = Box<dyn Fn(&Choice, &mut Cx<'_>) -> Next>;
/// What becomes of what was typed where nothing fits it; none if nothing does.
type Typed = Box<dyn Fn(&str, &mut Cx<'_>) -> Next>;

/// One thing that can be picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub value: String,
    pub about: String,
    /// By what it is found too, though that is not shown.
    pub words: String,
    /// What it means, shown of the one that is chosen.
    pub more: String,
}

impl Choice {
    pub fn new(value: &str, about: &str) -> Self {
        Self {
            value: value.to_owned(),
            about: about.to_owned(),
            words: String::new(),
            more: String::new(),
        }
    }
}

/// The list, what was typed, and what of it fits.
pub struct Pick {
    title: String,
    query: String,
    choices: Vec<Choice>,
    /// Indices of choices that fit, best first.
    found: Vec<usize>,
    cursor: usize,
    taken: Taken,
    typed: Option<Typed>,
    /// Whether it stands beside the case, so that the text can be read while one chooses.
    beside: bool,
}

impl Pick {
    pub fn new(
        title: &str,
        choices: Vec<Choice>,
        taken: impl Fn(&Choice, &mut Cx<'_>) -> Next + 'static,
    ) -> Self {
        let found = (0..choices.len()).collect();
        let title = title.to_owned();
        Self {
            title,
            query: String::new(),
            choices,
            found,
            cursor: 0,
            taken: Box::new(taken),
            typed: None,
            beside: false,
        }
    }

    /// The same beside the case and not over it.
    pub fn beside(self) -> Self {
        Self { beside: true, ..self }
    }

    /// The same where what is typed may be taken though no choice fits it.
    pub fn or_typed(self, typed: impl Fn(&str, &mut Cx<'_>) -> Next + 'static) -> Self {
        Self { typed: Some(Box::new(typed)), ..self }
    }

    fn picked(&self) -> Option<&Choice> {
        self.choices.get(*self.found.get(self.cursor)?)
    }

    fn step(&mut self, by: i64) {
        let last = self.found.len().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64 + by).clamp(0, last) as usize;
    }

    fn type_text(&mut self, text: &str) {
        self.query.push_str(&visible(text));
        self.narrow();
    }

    fn backspace(&mut self) {
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
        let mut found: Vec<(i64, usize)> = self
            .choices
            .iter()
            .enumerate()
            .filter_map(|(i, choice)| Some((score(choice)?, i)))
            .collect();
        found.sort_by_key(|(score, i)| (-score, *i));
        self.found = found.into_iter().map(|(_, i)| i).collect();
        self.cursor = 0;
    }
}

impl Layer for Pick {
    fn places(&self) -> &'static [Place] {
        &[Place::Picking, Place::Writing]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        match action {
            "pick" => match (self.picked(), &self.typed) {
                (Some(choice), _) => return (self.taken)(choice, cx),
                (None, Some(typed)) if !self.query.trim().is_empty() => {
                    return typed(self.query.trim(), cx);
                }
                (None, _) => {
                    cx.session.hint("Nothing fits what was typed. {leave} leaves.");
                }
            },
            "pick-down" => self.step(1),
            "pick-up" => self.step(-1),
            "pick-page-down" => self.step(10),
            "pick-page-up" => self.step(-10),
            "pick-erase" => self.backspace(),
            _ => return Next::Closes,
        }
        Next::Stays
    }

    fn typed(&mut self, event: KeyEvent, _: &mut Cx<'_>) -> Next {
        if let Some(c) = KeyPress::of(&event).char() {
            self.type_text(c.encode_utf8(&mut [0; 4]));
        }
        Next::Stays
    }

    fn pasted(&mut self, text: &str, _: &mut Cx<'_>) -> bool {
        self.type_text(text);
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let area = if self.beside {
            // The choices, what was typed, and what the chosen one means.
            let more = self.choices.iter().any(|choice| !choice.more.is_empty());
            beside(screen, (self.choices.len() + 3 + if more { 6 } else { 0 }).min(999) as u16)
        } else {
            let wide = screen.width.saturating_sub(4).min(100);
            // As high as all choices are, with what is typed.
            let high = (self.choices.len() + 3).min(24) as u16;
            centered(screen, wide, screen.height.saturating_sub(4).min(high))
        };
        let inner = boxed(area, buf, theme, &self.title);
        let count = format!(" {}/{}", self.found.len(), self.choices.len());
        let typed = fit(&self.query, usize::from(inner.width).saturating_sub(width(&count) + 4))
            .into_owned();
        let prompt = vec![
            Span::styled("> ", theme.accent),
            Span::raw(typed),
            Span::styled("_", theme.accent),
            Span::styled(count, theme.dim),
        ];
        put_line(buf, inner, 0, &Line::from(prompt));
        // What the chosen one means stands at the foot.
        let more = self.found.get(self.cursor).map(|at| self.choices[*at].more.as_str());
        let more = more.filter(|more| self.beside && !more.is_empty());
        let more =
            more.map_or_else(Vec::new, |more| wrap(&visible(more), usize::from(inner.width)));
        let foot = more.len().min(usize::from(inner.height) / 3);
        for (row, line) in more.into_iter().take(foot).enumerate() {
            let row = usize::from(inner.height) - foot + row;
            put_line(buf, inner, row as u16, &Line::from(Span::styled(line, theme.dim)));
        }
        let rows = usize::from(inner.height).saturating_sub(1 + foot);
        let top = (self.cursor + 1).saturating_sub(rows);
        let name_width =
            self.choices.iter().map(|choice| width(&choice.value)).max().unwrap_or(0).min(32);
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
