//! A text laid out in rows so that every sign on the screen is known by its place in the text: for
//! marking.
//!
//! Places are counted in characters (Unicode scalar values); a sign is what a reader sees as one (a
//! grapheme cluster), however many characters that takes: `é` of two, a flag, a family. No place is
//! ever inside a sign.

use unicode_segmentation::UnicodeSegmentation;

use super::protocol::Span;
use super::text::{break_places, visible, width};

/// A sign with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    pub place: Span,
    /// What is shown for it; a control character by its name.
    pub shown: String,
    pub wide: usize,
    /// It may begin a row: what comes before it may end one.
    starts_word: bool,
    blank: bool,
}

/// The signs of a text, line by line; what ends a line is in none.
fn lines(text: &str) -> Vec<Vec<Sign>> {
    let mut lines: Vec<Vec<Sign>> = vec![Vec::new()];
    let (mut at, mut column) = (0, 0);
    for grapheme in text.graphemes(true) {
        let place = Span { start: at, end: at + grapheme.chars().count() };
        at = place.end;
        if grapheme.contains('\n') {
            lines.push(Vec::new());
            column = 0;
            continue;
        }
        let shown = if grapheme == "\t" {
            " ".repeat(4 - column % 4)
        } else {
            visible(grapheme).into_owned()
        };
        let wide = width(&shown);
        column += wide;
        let blank = grapheme.chars().all(char::is_whitespace);
        if let Some(line) = lines.last_mut() {
            line.push(Sign { place, shown, wide, starts_word: false, blank });
        }
    }
    // Lines are broken by what is shown, as where places do not matter.
    for line in &mut lines {
        let shown: String = line.iter().map(|sign| sign.shown.as_str()).collect();
        let mut starts = [0].into_iter().chain(break_places(&shown)).peekable();
        let mut byte = 0;
        for sign in line {
            while starts.next_if(|start| *start < byte).is_some() {}
            sign.starts_word = starts.peek() == Some(&byte);
            byte += sign.shown.len();
        }
    }
    lines
}

/// The text in rows of at most `columns`: broken between words where it can, inside a word where it
/// must.
pub fn rows(text: &str, columns: usize) -> Vec<Vec<Sign>> {
    let columns = columns.max(1);
    let mut rows = Vec::new();
    for line in lines(text) {
        let mut row: Vec<Sign> = Vec::new();
        let mut used = 0;
        let mut words: Vec<Vec<Sign>> = Vec::new();
        for sign in line {
            match words.last_mut() {
                Some(word) if !sign.starts_word => word.push(sign),
                _ => words.push(vec![sign]),
            }
        }
        for word in words {
            let end = word.iter().rposition(|sign| !sign.blank).map_or(0, |last| last + 1);
            let wide: usize = word[..end].iter().map(|sign| sign.wide).sum();
            if used + wide > columns && wide <= columns && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            for (at, sign) in word.into_iter().enumerate() {
                if used + sign.wide > columns && at >= end {
                    break; // blanks at the end of a row are not seen
                }
                if used + sign.wide > columns && !row.is_empty() {
                    rows.push(std::mem::take(&mut row));
                    used = 0;
                }
                used += sign.wide;
                row.push(sign);
            }
        }
        rows.push(row);
    }
    rows
}

/// Places of the signs.
pub fn signs(text: &str) -> Vec<Span> {
    lines(text).into_iter().flatten().map(|sign| sign.place).collect()
}

/// Places of the words, and of what stands between them without being blank.
pub fn words(text: &str) -> Vec<Span> {
    let mut at = 0;
    let mut found = Vec::new();
    for word in text.split_word_bounds() {
        let place = Span { start: at, end: at + word.chars().count() };
        at = place.end;
        if !word.chars().all(char::is_whitespace) {
            found.push(place);
        }
    }
    found
}

/// What stands at a place.
pub fn at(text: &str, place: Span) -> &str {
    let mut bytes = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).skip(place.start);
    let Some(start) = bytes.next() else { return "" };
    let end = bytes.nth((place.end - place.start).saturating_sub(1)).unwrap_or(text.len());
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, columns: usize) -> Vec<String> {
        rows(text, columns)
            .iter()
            .map(|row| {
                row.iter().map(|sign| sign.shown.as_str()).collect::<String>().trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn a_text_is_broken_as_it_is_without_places() {
        for (text, columns) in
            [("move some money", 9), ("aaaaaaaaaa", 4), ("", 4), ("can i, please, move it?", 7)]
        {
            assert_eq!(shown(text, columns), crate::domain::text::wrap(text, columns), "{text}");
        }
        assert_eq!(shown("a\tb\r\n漢字漢字\u{1b}", 5), ["a   b", "漢字", "漢字", "«ESC»"]);
    }

    #[test]
    fn signs_and_words_have_places_in_characters() {
        let text = "cafe\u{301} 👩‍🔬, 漢字";
        let words: Vec<&str> = words(text).into_iter().map(|place| at(text, place)).collect();
        assert_eq!(words, ["cafe\u{301}", "👩‍🔬", ",", "漢", "字"]);
        let signs = signs(text);
        assert_eq!(
            signs[3],
            Span { start: 3, end: 5 },
            "e with its accent is one sign of two characters"
        );
        assert_eq!(at(text, signs[5]), "👩‍🔬");
    }

    proptest! {
        #[test]
        fn every_place_is_whole_and_in_order(text in "[a-z 漢é\u{301}👩\u{200d}🔬\n\t\u{1b}]{0,40}", columns in 1_usize..30) {
            let signs = signs(&text);
            let whole = text.chars().count();
            prop_assert!(signs.windows(2).all(|two| two[0].end <= two[1].start));
            prop_assert!(signs.iter().all(|place| place.end <= whole && !at(&text, *place).is_empty()));
            let boundary = |place: usize| place == 0 || place == whole || text.grapheme_indices(true).any(|(b, _)| text[..b].chars().count() == place);
            prop_assert!(words(&text).iter().all(|place| boundary(place.start) && boundary(place.end)));
            let rows = rows(&text, columns);
            prop_assert!(rows.iter().all(|row| row.len() < 2 || row.iter().map(|sign| sign.wide).sum::<usize>() <= columns));
        }
    }
}
