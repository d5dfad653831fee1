//! A text as those who look for numbers and addresses read it: signs that look like ASCII are
//! ASCII, and what nobody sees is not there. What is found in it is known by where it stands in the
//! text itself.

use std::borrow::Cow;
use std::ops::Range;

use crate::domain::text::is_invisible;

/// A text made plain.
pub struct Plain<'t> {
    text: Cow<'t, str>,
    /// For each byte of `text`, where its character stands in the original; empty where they are
    /// the same.
    from: Vec<Range<usize>>,
}

impl<'t> Plain<'t> {
    pub fn of(original: &'t str) -> Self {
        if original.is_ascii() {
            return Self { text: Cow::Borrowed(original), from: Vec::new() };
        }
        let mut text = String::with_capacity(original.len());
        let mut from = Vec::with_capacity(original.len());
        for (at, c) in original.char_indices() {
            let Some(plain) = plain(c) else { continue };
            text.push(plain);
            from.extend(std::iter::repeat_n(at..at + c.len_utf8(), plain.len_utf8()));
        }
        Self { text: Cow::Owned(text), from }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a place of the plain text is in the original, with what nobody sees inside it.
    pub fn original(&self, place: Range<usize>) -> Range<usize> {
        match (
            self.from.get(place.start),
            place.end.checked_sub(1).and_then(|last| self.from.get(last)),
        ) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => place,
        }
    }
}

fn plain(c: char) -> Option<char> {
    Some(match c {
        // The full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2024}' | '\u{fe52}' | '\u{3002}' | '\u{ff61}' => '.',
        '\u{fe6b}' => '@',
        '\n' | '\t' | '\r' => c,
        c if c.is_whitespace() => ' ',
        c if !c.is_ascii() && is_invisible(c) => return None,
        // Digits of other scripts.
        c if c.is_numeric() && !c.is_ascii() => digit(c).unwrap_or(c),
        c => c,
    })
}

/// The ASCII digit of a decimal digit of the scripts whose digits stand in rows of ten.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 12] =
        [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xe50, 0x17e0];
    let code = c as u32;
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

#[test]
fn what_is_found_in_the_plain_text_is_a_place_of_the_original() {
    let original = "a\u{200b}b４１\u{a0}１٣x";
    let plain = Plain::of(original);
    assert_eq!(plain.text(), "ab41 13x");
    let at = plain.text().find("41 13").unwrap();
    assert_eq!(&original[plain.original(at..at + 5)], "４１\u{a0}１٣");
    assert_eq!(&original[plain.original(0..2)], "a\u{200b}b");
}
