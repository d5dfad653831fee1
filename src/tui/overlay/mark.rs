//! Marking places in the input, by word and by character. Drawn in the input itself, which takes
//! the keys meanwhile.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View};
use crate::domain::protocol::{Span as Marked, span};
use crate::domain::text::{fit, head, visible, width};
use crate::domain::text_rows;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::put_line;
use crate::tui::place::Place;

/// Bytes of a text in which places can be marked on the screen: beyond, it is read in its file.
pub const TEXT_BYTES_MAX: usize = 200_000;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new(
        "mark-done",
        "Enter",
        Place::Marking,
        "",
        "done; with nothing marked, mark what is selected first",
    ),
    KeyRow::new(
        "mark-here",
        "m Space",
        Place::Marking,
        "mark",
        "mark what is selected, or take its mark away",
    ),
    KeyRow::new(
        "mark-stretch",
        "v",
        Place::Marking,
        "",
        "extend the selection from here, or stop extending it",
    ),
    KeyRow::new("mark-next-word", "l Right w", Place::Marking, "", "next word"),
    KeyRow::new("mark-previous-word", "h Left b", Place::Marking, "", "word before"),
    KeyRow::new("mark-next-sign", ".", Place::Marking, "", "next character"),
    KeyRow::new("mark-previous-sign", ",", Place::Marking, "", "character before"),
    KeyRow::new("mark-row-down", "j Down", Place::Marking, "", "a row down"),
    KeyRow::new("mark-row-up", "k Up", Place::Marking, "", "a row up"),
    KeyRow::new("mark-first", "g Home", Place::Marking, "", "the first word"),
    KeyRow::new("mark-last", "G End", Place::Marking, "", "the last word"),
    KeyRow::new("mark-next-place", "Tab", Place::Marking, "", "to the next place that is marked"),
    KeyRow::new("unmark", "u Backspace", Place::Marking, "unmark", "take the last mark away"),
    KeyRow::new("mark-nothing", "0", Place::Marking, "", "done, with no place"),
    KeyRow::new(
        "mark-leave",
        "Esc ctrl-c",
        Place::Marking,
        "leave",
        "leave: what is marked is kept",
    ),
];

/// Span_s that are being marked. One sign or word is under the cursor; stretched, all from where
/// that began.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The question that is answered by it; none: it is evidence.
    pub question: Option<String>,
    pub ask: String,
    pub text: String,
    signs: Vec<Marked>,
    words: Vec<Marked>,
    cursor: Marked,
    /// Where stretching began.
    anchor: Option<Marked>,
    pub spans: Vec<Marked>,
}

impl Mark {
    /// Nothing, if the text has nothing to mark.
    pub fn new(
        question: Option<String>,
        ask: &str,
        text: &str,
        spans: Vec<Marked>,
    ) -> Option<Self> {
        let text = head(text, TEXT_BYTES_MAX).to_owned();
        let (signs, words) = (text_rows::signs(&text), text_rows::words(&text));
        let cursor = *words.first().or(signs.first())?;
        Some(Self {
            question,
            ask: ask.to_owned(),
            text,
            signs,
            words,
            cursor,
            anchor: None,
            spans,
        })
    }

    /// What is selected.
    pub fn selected(&self) -> Marked {
        let Marked { start, end } = self.anchor.unwrap_or(self.cursor);
        Marked { start: start.min(self.cursor.start), end: end.max(self.cursor.end) }
    }

    pub fn stretches(&self) -> bool {
        self.anchor.is_some()
    }

    /// Does what a key of the table stands for; the places, once they are done.
    fn go(&mut self, action: &str, columns: usize) -> Option<Vec<Marked>> {
        match action {
            "mark-done" => {
                if self.spans.is_empty() || self.anchor.is_some() {
                    self.mark();
                }
                return Some(self.spans.clone());
            }
            "mark-next-word" => self.forward(true),
            "mark-previous-word" => self.back(true),
            "mark-next-sign" => self.forward(false),
            "mark-previous-sign" => self.back(false),
            "mark-row-down" => self.row(1, columns),
            "mark-row-up" => self.row(-1, columns),
            "mark-first" => self.cursor = self.words.first().copied().unwrap_or(self.cursor),
            "mark-last" => self.cursor = self.words.last().copied().unwrap_or(self.cursor),
            "mark-stretch" => {
                self.anchor = if self.anchor.is_some() { None } else { Some(self.cursor) }
            }
            "mark-here" => self.mark(),
            "mark-next-place" => self.next_span(),
            "mark-nothing" => return Some(Vec::new()),
            "unmark" => drop(self.spans.pop()),
            _ => {}
        }
        None
    }

    /// Marks what is selected, or takes the mark away where it is.
    fn mark(&mut self) {
        let selected = self.selected();
        self.anchor = None;
        let inside = |span: &Marked| span.start <= selected.start && selected.end <= span.end;
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
            false if self.anchor.is_none() && self.is_many() => {
                self.signs.iter().find(|sign| sign.start >= self.cursor.start)
            }
            false => self.signs.iter().find(|sign| sign.start >= end),
        };
        self.cursor = next.copied().unwrap_or(self.cursor);
    }

    fn back(&mut self, by_word: bool) {
        let start = self.cursor.start;
        let before = match by_word {
            true => self
                .words
                .iter()
                .rev()
                .find(|word| word.end <= start || (word.start < start && start < word.end)),
            false if self.anchor.is_none() && self.is_many() => {
                self.signs.iter().rev().find(|sign| sign.end <= self.cursor.end)
            }
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
        let rows = text_rows::rows(&self.text, columns);
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
            self.cursor =
                self.words.iter().find(|word| word.start >= span.start).copied().unwrap_or(*span);
        }
    }
}

impl Layer for Mark {
    fn places(&self) -> &'static [Place] {
        &[Place::Marking]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        if action == "mark-leave" {
            return Next::Closes;
        }
        if let Some(spans) = self.go(action, cx.context_columns) {
            return self.done(spans, cx);
        }
        // What is marked is kept as it is marked.
        cx.row_to_show =
            place_of(&text_rows::rows(&self.text, cx.context_columns), self.selected().start)
                .map(|(row, _)| row);
        let draft = cx.session.opened.as_ref().map(|opened| &opened.draft);
        let spans = self.spans.clone();
        let effects = match &self.question {
            Some(question) => {
                let pending = (question.clone(), span::text(&spans));
                let changed = draft.is_some_and(|draft| draft.pending.as_ref() != Some(&pending));
                if changed {
                    cx.session.change_draft(|draft| draft.pending = Some(pending))
                } else {
                    Vec::new()
                }
            }
            None if draft.is_some_and(|draft| draft.evidence != spans) => {
                cx.session.change_draft(|draft| draft.evidence = spans)
            }
            None => Vec::new(),
        };
        cx.then(effects);
        Next::Stays
    }

    fn is_in_the_footer(&self) -> bool {
        true
    }

    fn marks(&self) -> Option<(&[Marked], Marked)> {
        Some((&self.spans, self.selected()))
    }

    /// What can be done, in one line.
    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let line = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        for x in line.left()..line.right() {
            buf[(x, line.y)].reset();
        }
        let mut spans =
            vec![Span::styled(format!(" {}  ", fit(&visible(&self.ask), 34)), theme.accent)];
        let stretch = if self.stretches() { "stop extending" } else { "extend" };
        let done = if self.spans.is_empty() { "mark it, done" } else { "done" };
        let keys = [
            ("{mark-done}", done),
            ("{mark-here}", "mark"),
            ("{mark-stretch}", stretch),
            ("{mark-previous-word} {mark-next-word}", "word"),
            ("{mark-previous-sign} {mark-next-sign}", "character"),
            ("{mark-row-down} {mark-row-up}", "row"),
            ("{unmark}", "unmark"),
            ("{mark-leave}", "leave"),
        ];
        let mut used = spans[0].width();
        for (key, word) in keys {
            let key = view.keymap.fill(key);
            used += width(&key) + word.len() + 3;
            if used <= usize::from(line.width) {
                spans.extend([Span::styled(key, theme.key), Span::raw(format!(" {word}  "))]);
            }
        }
        put_line(buf, line, 0, &Line::from(spans));
    }
}

impl Mark {
    /// Takes the places as the answer, or as evidence.
    fn done(&mut self, spans: Vec<Marked>, cx: &mut Cx<'_>) -> Next {
        let Some(question) = self.question.clone() else {
            let effects = cx.session.change_draft(|draft| draft.evidence = spans);
            cx.then(effects);
            return Next::Closes;
        };
        let effects = cx.session.answer_to(&question, &span::text(&spans));
        cx.then(effects);
        match cx.session.message.take() {
            // Too many or too few: what was marked stays, to be mended.
            Some(message) => {
                self.ask = message.words;
                Next::Stays
            }
            None => Next::Closes,
        }
    }
}

/// Row and column at which the sign that begins at a place is drawn.
pub fn place_of(rows: &[Vec<text_rows::Sign>], start: usize) -> Option<(usize, usize)> {
    rows.iter().enumerate().find_map(|(row, signs)| {
        let at = signs.iter().position(|sign| sign.place.start == start)?;
        Some((row, signs[..at].iter().map(|sign| sign.wide).sum()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Keymap;

    fn marked(text: &str, keys: &str) -> Vec<String> {
        let mut mark = Mark::new(None, "", text, Vec::new()).unwrap();
        let keymap = Keymap::new(&Default::default(), KEYS.iter().collect());
        let mut spans = Vec::new();
        for key in keys.split(' ') {
            let action = keymap.find(key.parse().unwrap(), &[Place::Marking]).unwrap().name;
            if let Some(done) = mark.go(action, 12) {
                spans = done;
            }
        }
        spans.into_iter().map(|span| text_rows::at(text, span).to_owned()).collect()
    }

    #[test]
    fn places_are_marked_by_word_and_by_sign() {
        let text = "move some cafe\u{301} money 漢字 👩‍🔬!";
        assert_eq!(marked(text, "Enter"), ["move"]);
        assert_eq!(marked(text, "w w Enter"), ["cafe\u{301}"]);
        assert_eq!(marked(text, "w v w Enter"), ["some cafe\u{301}"]);
        assert_eq!(marked(text, "m w w m Enter"), ["move", "cafe\u{301}"]);
        assert_eq!(marked(text, "m m w Enter"), ["some"]);
        assert_eq!(
            marked(text, "w w . . . . Enter"),
            ["e\u{301}"],
            "an accent is not cut off its letter"
        );
        assert_eq!(marked(text, "w w . v . . Enter"), ["caf"]);
        assert_eq!(marked(text, "G b Enter"), ["👩‍🔬"]);
        assert_eq!(marked(text, "j Enter"), ["cafe\u{301}"], "the row below");
        assert_eq!(marked(text, "m 0"), Vec::<String>::new());
        assert!(Mark::new(None, "", "", Vec::new()).is_none());
    }
}
