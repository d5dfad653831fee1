//! Marking places in the texts of the case, by word and by character. Drawn in the input itself, which takes
//! the keys meanwhile.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Marks, Next, View};
use crate::domain::protocol::Span as Marked;
use crate::domain::protocol::places::{INPUT_TEXT, Places};
use crate::domain::text::{fit, head, visible, width};
use crate::domain::text_rows;
use crate::session::window::ToMark;
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
    KeyRow::new("mark-next-text", "]", Place::Marking, "", "the next field or turn"),
    KeyRow::new("mark-previous-text", "[", Place::Marking, "", "the field or turn before"),
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

/// Places that are being marked. One sign or word is under the cursor; stretched, all from where
/// that began. The cursor goes from text to text.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The question that is answered by it; none: it is evidence.
    pub question: Option<String>,
    pub ask: String,
    /// The texts of the case, by name.
    texts: Vec<(String, String)>,
    /// The one that the cursor is in.
    at: usize,
    signs: Vec<Marked>,
    words: Vec<Marked>,
    cursor: Marked,
    /// Where stretching began.
    anchor: Option<Marked>,
    pub places: Places,
}

impl Mark {
    /// Begins in the text called `first`, or where something is marked; nothing, if there is
    /// nothing to mark.
    pub fn new(to_mark: ToMark, first: Option<&str>) -> Option<Self> {
        let ToMark { question, ask, mut texts, places } = to_mark;
        for (_, text) in &mut texts {
            text.truncate(head(text, TEXT_BYTES_MAX).len());
        }
        let named = |name: &str| texts.iter().position(|(known, _)| known == name);
        let marked = texts.iter().position(|(name, _)| places.has(name));
        let begin = marked.or(first.and_then(named)).unwrap_or(0);
        let nothing = Marked { start: 0, end: 0 };
        let mut mark = Self {
            question,
            ask,
            texts,
            at: begin,
            signs: Vec::new(),
            words: Vec::new(),
            cursor: nothing,
            anchor: None,
            places,
        };
        (mark.enter(begin) || mark.step_text(1) || mark.step_text(-1)).then_some(mark)
    }

    fn name(&self) -> &str {
        self.texts.get(self.at).map_or("", |(name, _)| name)
    }

    fn text(&self) -> &str {
        self.texts.get(self.at).map_or("", |(_, text)| text)
    }

    /// Goes to the first word of a text; whether it has any.
    fn enter(&mut self, at: usize) -> bool {
        let Some((_, text)) = self.texts.get(at) else { return false };
        let (signs, words) = (text_rows::signs(text), text_rows::words(text));
        let Some(cursor) = words.first().or(signs.first()).copied() else { return false };
        (self.at, self.signs, self.words, self.cursor, self.anchor) =
            (at, signs, words, cursor, None);
        true
    }

    /// Goes to the next text that has a word; whether there is one.
    fn step_text(&mut self, by: isize) -> bool {
        let mut at = self.at;
        while let Some(next) = at.checked_add_signed(by).filter(|next| *next < self.texts.len()) {
            if self.enter(next) {
                return true;
            }
            at = next;
        }
        false
    }

    /// Goes to the text before, to its last word.
    fn step_back(&mut self) {
        if self.anchor.is_none() && self.step_text(-1) {
            self.cursor = self.words.last().or(self.signs.last()).copied().unwrap_or(self.cursor);
        }
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
    fn go(&mut self, action: &str, columns: usize) -> Option<Places> {
        match action {
            "mark-done" => {
                if self.places.is_empty() || self.anchor.is_some() {
                    self.mark();
                }
                return Some(self.places.clone());
            }
            "mark-next-text" => drop(self.step_text(1)),
            "mark-previous-text" => drop(self.step_text(-1)),
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
            "mark-nothing" => return Some(Places::default()),
            "unmark" => self.unmark(),
            _ => {}
        }
        None
    }

    /// Marks what is selected, or takes the mark away where it is.
    fn mark(&mut self) {
        let selected = self.selected();
        self.anchor = None;
        let inside = |span: &Marked| span.start <= selected.start && selected.end <= span.end;
        let (name, mut spans) = (self.name().to_owned(), self.spans().to_vec());
        match spans.iter().position(inside) {
            Some(at) => drop(spans.remove(at)),
            None => spans.push(selected),
        }
        self.places.set(&name, spans);
    }

    /// What is marked in the text that the cursor is in.
    fn spans(&self) -> &[Marked] {
        self.places.in_text(self.name())
    }

    /// Takes the last mark of this text away, or of the last text that has one.
    fn unmark(&mut self) {
        let last = self.texts.iter().rev().map(|(name, _)| name.as_str());
        let with = |name: &&str| self.places.has(name);
        let Some(name) = [self.name()].into_iter().chain(last).find(with).map(str::to_owned) else {
            return;
        };
        let mut spans = self.places.in_text(&name).to_vec();
        spans.pop();
        self.places.set(&name, spans);
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
        match next {
            Some(next) => self.cursor = *next,
            None if self.anchor.is_none() => drop(self.step_text(1)),
            None => {}
        }
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
        match before {
            Some(before) => self.cursor = *before,
            None => self.step_back(),
        }
    }

    /// Whether more than one sign is under the cursor.
    fn is_many(&self) -> bool {
        !self.signs.contains(&self.cursor)
    }

    /// To the word below or above.
    fn row(&mut self, by: isize, columns: usize) {
        let rows = text_rows::rows(self.text(), columns);
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
        // Beyond the last row is the next text.
        match by {
            1 if self.anchor.is_none() => drop(self.step_text(1)),
            -1 => self.step_back(),
            _ => {}
        }
    }

    fn next_span(&mut self) {
        let (start, texts) = (self.selected().start, self.texts.len());
        let here = self.spans().iter().find(|span| span.start > start).copied();
        let after = (1..=texts).map(|by| (self.at + by) % texts);
        let others =
            after.filter_map(|at| Some((at, *self.places.in_text(&self.texts[at].0).first()?)));
        let Some((at, span)) = here.map(|span| (self.at, span)).or(others.into_iter().next())
        else {
            return;
        };
        if at == self.at || self.enter(at) {
            let word = self.words.iter().find(|word| word.start >= span.start);
            self.cursor = word.copied().unwrap_or(span);
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
        if let Some(places) = self.go(action, cx.context_columns) {
            return self.done(places, cx);
        }
        // What is marked is kept as it is marked.
        cx.place_to_show = Some((self.name().to_owned(), self.selected().start));
        let draft = cx.session.opened.as_ref().map(|opened| &opened.draft);
        let places = self.places.clone();
        let effects = match &self.question {
            Some(question) => {
                let pending = (question.clone(), places.words());
                let changed = draft.is_some_and(|draft| draft.pending.as_ref() != Some(&pending));
                if changed {
                    cx.session.change_draft(|draft| draft.pending = Some(pending))
                } else {
                    Vec::new()
                }
            }
            None if draft.is_some_and(|draft| draft.evidence != places) => {
                cx.session.change_draft(|draft| draft.evidence = places)
            }
            None => Vec::new(),
        };
        cx.then(effects);
        Next::Stays
    }

    fn is_in_the_footer(&self) -> bool {
        true
    }

    fn marks(&self) -> Option<Marks<'_>> {
        Some(Marks { places: &self.places, text: self.name(), selected: self.selected() })
    }

    /// What can be done, in one line.
    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let line = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        for x in line.left()..line.right() {
            buf[(x, line.y)].reset();
        }
        // Where it is in another text than one thinks of, it says in which.
        let of = if self.name() == INPUT_TEXT { "" } else { self.name() };
        let between = if of.is_empty() { "" } else { " · " };
        let of = fit(&visible(of), 28).into_owned();
        let ask = format!(" {}{between}{of}  ", fit(&visible(&self.ask), 34));
        let mut spans = vec![Span::styled(ask, theme.accent)];
        let stretch = if self.stretches() { "stop extending" } else { "extend" };
        let done = if self.places.is_empty() { "mark it, done" } else { "done" };
        let keys = [
            ("{mark-done}", done),
            ("{mark-here}", "mark"),
            ("{mark-stretch}", stretch),
            ("{mark-previous-word} {mark-next-word}", "word"),
            ("{mark-previous-sign} {mark-next-sign}", "character"),
            ("{mark-row-down} {mark-row-up}", "row"),
            (
                "{mark-previous-text} {mark-next-text}",
                if self.texts.len() > 1 { "text" } else { "" },
            ),
            ("{unmark}", "unmark"),
            ("{mark-leave}", "leave"),
        ];
        let mut used = spans[0].width();
        for (key, word) in keys {
            if word.is_empty() {
                continue;
            }
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
    fn done(&mut self, places: Places, cx: &mut Cx<'_>) -> Next {
        let Some(question) = self.question.clone() else {
            let effects = cx.session.change_draft(|draft| draft.evidence = places);
            cx.then(effects);
            return Next::Closes;
        };
        let effects = cx.session.answer_to(&question, &places.words());
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

    fn begin(texts: &[(&str, &str)]) -> Option<Mark> {
        let texts = texts.iter().map(|(name, text)| (name.to_string(), text.to_string()));
        let (question, ask, places) = (None, String::new(), Places::default());
        Mark::new(ToMark { question, ask, texts: texts.collect(), places }, None)
    }

    fn marked(text: &str, keys: &str) -> Vec<String> {
        let mark = begin(&[(INPUT_TEXT, text)]).unwrap();
        let places = pressed(mark, keys);
        places
            .in_text(INPUT_TEXT)
            .iter()
            .map(|span| text_rows::at(text, *span).to_owned())
            .collect()
    }

    /// What is marked after some keys.
    fn pressed(mut mark: Mark, keys: &str) -> Places {
        let keymap = Keymap::new(&Default::default(), KEYS.iter().collect());
        let mut places = Places::default();
        for key in keys.split(' ') {
            let action = keymap.find(key.parse().unwrap(), &[Place::Marking]).unwrap().name;
            if let Some(done) = mark.go(action, 12) {
                places = done;
            }
        }
        places
    }

    #[test]
    fn the_cursor_goes_from_text_to_text() {
        let texts = [("output", "one two"), ("empty", ""), ("input.messages[2]", "three")];
        let words = |keys: &str| pressed(begin(&texts).unwrap(), keys).words();
        assert_eq!(words("w m w m Enter"), "input.messages[2]:0-5,output:4-7");
        assert_eq!(words("] Enter"), "input.messages[2]:0-5");
        assert_eq!(words("j m b m Enter"), "input.messages[2]:0-5,output:4-7");
        assert_eq!(words("] m k m u Enter"), "input.messages[2]:0-5");
        assert_eq!(words("v w w w m Enter"), "output:0-7", "what is extended stays in its text");
        assert_eq!(words("m ] m g Tab m Enter"), "input.messages[2]:0-5");
        assert!(begin(&[("output", ""), ("x", "")]).is_none());
        assert_eq!(begin(&[("output", ""), ("x", "y")]).unwrap().name(), "x");
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
        assert!(begin(&[(INPUT_TEXT, "")]).is_none());
    }
}
