//! Editing text: one line at a prompt, or a rationale of several.

use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use crate::domain::text::visible_lines;

/// A text under the cursor.
#[derive(Debug, Clone)]
pub struct Edit {
    area: TextArea<'static>,
}

impl Edit {
    pub fn new(text: &str) -> Self {
        let lines = visible_lines(text);
        let mut area = TextArea::new(lines);
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_cursor_line_style(ratatui::style::Style::new());
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.area.input(key)
    }

    /// Pasted text comes from outside: what would act is named.
    pub fn paste(&mut self, text: &str, one_line: bool) {
        // Terminals send the ends of pasted lines as carriage returns.
        let lines = visible_lines(&text.replace("\r\n", "\n").replace('\r', "\n"));
        self.area.insert_str(lines.join(if one_line { " " } else { "\n" }));
    }

    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }
}
