//! Marking places in the input, by word and by character. Drawn in the input itself, which takes the keys meanwhile.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::layout;
use crate::domain::protocol::{Span as Place, span};
use crate::domain::text::{fit, head, visible};
use crate::tui::draw::put_line;
use crate::tui::key::KeyPress;
use crate::tui::theme::Theme;

/// Bytes of a text in which places can be marked on the screen: beyond, it is read in its file.
pub const TEXT_BYTES_MAX: usize = 200_000;

/// What marking came to by a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Marked {
    /// It goes on.
    On,
    /// It is done: these are the places.
    Done(Vec<Place>),
    /// It is given up.
    Left,
}

/// Places that are being marked. One sign or word is under the cursor; stretched, all from where that began.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The question that is answered by it; none: it is evidence.
    pub question: Option<String>,
    pub ask: String,
    pub text: String,
    signs: Vec<Place>,
    words: Vec<Place>,
    cursor: Place,
    /// Where stretching began.
    anchor: Option<Place>,
    pub spans: Vec<Place>,
}

impl Mark {
    /// Nothing, if the text has nothing to mark.
    pub fn new(question: Option<String>, ask: &str, text: &str, spans: Vec<Place>) -> Option<Self> {
        let text = head(text, TEXT_BYTES_MAX).to_owned();
        let (signs, words) = (layout::signs(&text), layout::words(&text));
        let cursor = *words.first().or(signs.first())?;
        Some(Self { question, ask: ask.to_owned(), text, signs, words, cursor, anchor: None, spans })
    }

    /// What is selected.
    pub fn selected(&self) -> Place {
        let Place { start, end } = self.anchor.unwrap_or(self.cursor);
        Place { start: start.min(self.cursor.start), end: end.max(self.cursor.end) }
    }

    pub fn stretches(&self) -> bool {
        self.anchor.is_some()
    }

    pub fn key(&mut self, key: KeyPress, columns: usize) -> Marked {
        match key.code {
            KeyCode::Esc => return Marked::Left,
            KeyCode::Enter => {
                if self.spans.is_empty() || self.anchor.is_some() {
                    self.mark();
                }
                return Marked::Done(self.spans.clone());
            }
            KeyCode::Right | KeyCode::Char('l' | 'w') => self.forward(true),
            KeyCode::Left | KeyCode::Char('h' | 'b') => self.back(true),
            KeyCode::Char('.') => self.forward(false),
            KeyCode::Char(',') => self.back(false),
            KeyCode::Down | KeyCode::Char('j') => self.row(1, columns),
            KeyCode::Up | KeyCode::Char('k') => self.row(-1, columns),
            KeyCode::Home | KeyCode::Char('g') => self.cursor = self.words.first().copied().unwrap_or(self.cursor),
            KeyCode::End | KeyCode::Char('G') => self.cursor = self.words.last().copied().unwrap_or(self.cursor),
            KeyCode::Char('v') => self.anchor = if self.anchor.is_some() { None } else { Some(self.cursor) },
            KeyCode::Char(' ' | 'm') => self.mark(),
            KeyCode::Tab => self.next_span(),
            KeyCode::Char('0') => return Marked::Done(Vec::new()),
            KeyCode::Backspace | KeyCode::Char('u') => drop(self.spans.pop()),
            _ => {}
        }
        Marked::On
    }

    /// Marks what is selected, or takes the mark away where it is.
    fn mark(&mut self) {
        let selected = self.selected();
        self.anchor = None;
        let inside = |span: &Place| span.start <= selected.start && selected.end <= span.end;
        match self.spans.iter().position(inside) {
            Some(at) => drop(self.spans.remove(at)),
            None => {
                self.spans.push(selected);
                self.spans = span::joined(std::mem::take(&mut self.spans));
            }
        }
    }

    fn forward(&mut self, by_word: bool) {
        let end = self.cursor.end;
        let next = match by_word {
            true => self.words.iter().find(|word| word.start >= end),
            // From a word to its first sign, then on.
            false if self.anchor.is_none() && self.is_many() => self.signs.iter().find(|sign| sign.start >= self.cursor.start),
            false => self.signs.iter().find(|sign| sign.start >= end),
        };
        self.cursor = next.copied().unwrap_or(self.cursor);
    }

    fn back(&mut self, by_word: bool) {
        let start = self.cursor.start;
        let before = match by_word {
            true => self.words.iter().rev().find(|word| word.end <= start || (word.start < start && start < word.end)),
            false if self.anchor.is_none() && self.is_many() => self.signs.iter().rev().find(|sign| sign.end <= self.cursor.end),
            false => self.signs.iter().rev().find(|sign| sign.end <= start),
        };
        self.cursor = before.copied().unwrap_or(self.cursor);
    }

    /// Whether more than one sign is under the cursor.
    fn is_many(&self) -> bool {
        !self.signs.contains(&self.cursor)
    }

    /// To the word below or above.
    fn row(&mut self, by: isize, columns: usize) {
        let rows = layout::rows(&self.text, columns);
        let Some((row, column)) = place_of(&rows, self.cursor.start) else { return };
        let mut target = row as isize + by;
        while let Some(signs) = usize::try_from(target).ok().and_then(|target| rows.get(target)) {
            let mut at = 0;
            let near = signs.iter().take_while(|sign| {
                at += sign.wide;
                at <= column + 1
            });
            let near = near.last().or(signs.first()).map(|sign| sign.place.start);
            let word = near.and_then(|near| {
                let (first, last) = (signs.first()?.place.start, signs.last()?.place.start);
                let from = self.words.partition_point(|word| word.start < first);
                let on_row = self.words[from..].iter().take_while(|word| word.start <= last);
                on_row.min_by_key(|word| word.start.abs_diff(near))
            });
            if let Some(word) = word {
                self.cursor = *word;
                return;
            }
            target += by;
        }
    }

    fn next_span(&mut self) {
        let start = self.selected().start;
        let next = self.spans.iter().find(|span| span.start > start).or(self.spans.first());
        if let Some(span) = next {
            self.cursor = self.words.iter().find(|word| word.start >= span.start).copied().unwrap_or(*span);
        }
    }
}

impl Mark {
    /// What can be done, in one line.
    pub fn draw(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        let mut spans = vec![Span::styled(format!(" {}  ", fit(&visible(&self.ask), 34)), theme.accent)];
        let stretch = if self.stretches() { "stop stretching" } else { "stretch" };
        let done = if self.spans.is_empty() { "mark it, done" } else { "done" };
        let keys = [
            ("Enter", done),
            ("m", "mark"),
            ("v", stretch),
            ("h l", "word"),
            (", .", "sign"),
            ("j k", "row"),
            ("u", "unmark"),
            ("Esc", "leave"),
        ];
        let mut used = spans[0].width();
        for (key, word) in keys {
            used += key.len() + word.len() + 3;
            if used <= usize::from(line.width) {
                spans.extend([Span::styled(key, theme.key), Span::raw(format!(" {word}  "))]);
            }
        }
        put_line(buf, line, 0, &Line::from(spans));
    }
}

/// Row and column at which the sign that begins at a place is drawn.
pub fn place_of(rows: &[Vec<layout::Sign>], start: usize) -> Option<(usize, usize)> {
    rows.iter().enumerate().find_map(|(row, signs)| {
        let at = signs.iter().position(|sign| sign.place.start == start)?;
        Some((row, signs[..at].iter().map(|sign| sign.wide).sum()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, keys: &str) -> Vec<String> {
        let mut mark = Mark::new(None, "", text, Vec::new()).unwrap();
        let mut spans = Vec::new();
        for key in keys.split(' ') {
            if let Marked::Done(done) = mark.key(key.parse().unwrap(), 12) {
                spans = done;
            }
        }
        spans.into_iter().map(|span| layout::at(text, span).to_owned()).collect()
    }

    #[test]
    fn places_are_marked_by_word_and_by_sign() {
        let text = "move some cafe\u{301} money 漢字 👩‍🔬!";
        assert_eq!(marked(text, "Enter"), ["move"]);
        assert_eq!(marked(text, "w w Enter"), ["cafe\u{301}"]);
        assert_eq!(marked(text, "w v w Enter"), ["some cafe\u{301}"]);
        assert_eq!(marked(text, "m w w m Enter"), ["move", "cafe\u{301}"]);
        assert_eq!(marked(text, "m m w Enter"), ["some"]);
        assert_eq!(marked(text, "w w . . . . Enter"), ["e\u{301}"], "an accent is not cut off its letter");
        assert_eq!(marked(text, "w w . v . . Enter"), ["caf"]);
        assert_eq!(marked(text, "G b Enter"), ["👩‍🔬"]);
        assert_eq!(marked(text, "j Enter"), ["cafe\u{301}"], "the row below");
        assert_eq!(marked(text, "m 0"), Vec::<String>::new());
        assert!(Mark::new(None, "", "", Vec::new()).is_none());
    }
}
