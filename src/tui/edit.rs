//! Editing text: one line at a prompt, or a rationale of several.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use unicode_segmentation::UnicodeSegmentation;

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

    /// Whether the text changed. What a reader takes for one sign is moved over and taken away as
    /// one.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let before = self.signs().into_iter().take_while(|(from, _)| *from < self.column()).last();
        let after = self.signs().into_iter().find(|(from, _)| *from >= self.column());
        let erases = key.code == KeyCode::Backspace
            || key.code == KeyCode::Char('h') && key.modifiers == KeyModifiers::CONTROL;
        let plain = key.modifiers.is_empty() || erases;
        let control = key.modifiers == KeyModifiers::CONTROL;
        let changed = match (key.code, before, after) {
            // As in a shell: to the start of the line.
            (KeyCode::Char('u'), ..) if control => self.area.delete_line_by_head(),
            (KeyCode::Char('z'), ..) if control => self.area.undo(),
            _ if !plain => self.area.input(key),
            (_, Some((from, to)), _) if erases => {
                self.go(from);
                self.area.delete_str(to - from)
            }
            (KeyCode::Delete, _, Some((from, to))) => self.area.delete_str(to - from),
            (KeyCode::Left, Some((from, _)), _) => {
                self.go(from);
                false
            }
            (KeyCode::Right, _, Some((_, to))) => {
                self.go(to);
                false
            }
            _ => self.area.input(key),
        };
        // Up, down and by words one may come to stand inside a sign.
        let column = self.column();
        if let Some((from, _)) =
            self.signs().into_iter().find(|(from, to)| (*from + 1..*to).contains(&column))
        {
            self.go(from);
        }
        changed
    }

    /// Where the signs of the line begin and end, in characters.
    fn signs(&self) -> Vec<(usize, usize)> {
        let line = self.area.lines().get(self.area.cursor().0).map_or("", String::as_str);
        let mut at = 0;
        let sign = |sign: &str| {
            let from = at;
            at += sign.chars().count();
            (from, at)
        };
        line.graphemes(true).map(sign).collect()
    }

    fn column(&self) -> usize {
        self.area.cursor().1
    }

    fn go(&mut self, column: usize) {
        while self.column() > column {
            self.area.move_cursor(CursorMove::Back);
        }
        while self.column() < column {
            self.area.move_cursor(CursorMove::Forward);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_u_takes_the_line_away_up_to_the_cursor() {
        let mut edit = Edit::new("one\ntwo words");
        for _ in 0..5 {
            edit.key(KeyEvent::new(KeyCode::Left, KeyModifiers::NONE));
        }
        let control = |c: char| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        assert!(edit.key(control('u')));
        assert_eq!(edit.text(), "one\nwords");
        assert!(edit.key(control('z')));
        assert_eq!(edit.text(), "one\ntwo words");
    }

    #[test]
    fn what_looks_like_one_sign_is_one() {
        let check = |text: &str, keys: &[KeyCode], expect: &str| {
            let mut edit = Edit::new(text);
            for code in keys {
                edit.key(KeyEvent::new(*code, KeyModifiers::NONE));
            }
            assert_eq!(edit.text(), expect, "{text} {keys:?}");
        };
        use KeyCode::{Backspace, Char, Delete, Home, Left, Right};
        check("a👩‍🚒", &[Backspace], "a");
        check("🇩🇪🇫🇷", &[Backspace], "🇩🇪");
        check("1️⃣", &[Left, Char('x')], "x1️⃣");
        check("1️⃣b", &[Home, Right, Char('x')], "1️⃣xb");
        check("👩‍🚒b", &[Home, Delete], "b");
        check("ne\u{301}", &[Backspace], "n");
        check("ab", &[Left, Backspace, Right, Char('c')], "bc");
        check("a\nb", &[Left, Left, Backspace], "\nb");
        check("a\nb", &[Home, Backspace], "ab");
        check("", &[Backspace, Delete, Left, Right, Char('x')], "x");
    }
}
