//! One folding of text for everything that finds by words: search, the queue's filter, precedents.
//! Two spellings of one word are one: in capitals, with accents put together or apart, or without;
//! in full width. Scripts that write no blanks between words are found by their characters.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text for comparing: what is found in it is found whatever its spelling.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let small = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        return if small { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
    }
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_accent(*c)).nfc().flat_map(char::to_lowercase) {
        match c {
            'đ' => out.push('d'),
            'ł' => out.push('l'),
            'ø' => out.push('o'),
            'ı' => out.push('i'),
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            // What small letters come with.
            c if is_accent(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A text as an index of words takes it: folded, and every character of a script without blanks a
/// word of its own.
pub fn for_index(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text); // the index folds these itself
    }
    let folded = folded(text);
    if !folded.chars().any(writes_no_blanks) {
        return Cow::Owned(folded.into_owned());
    }
    let mut out = String::with_capacity(folded.len() * 2);
    for c in folded.chars() {
        if writes_no_blanks(c) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// What somebody typed as a query of the index, in which no character of theirs is syntax: every
/// word must be there, the last may be unfinished. Nothing if no word is in it.
pub fn query(typed: &str) -> Option<String> {
    let phrase = |word: &str| {
        let words = for_index(word);
        let words: Vec<&str> =
            words.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
        (!words.is_empty()).then(|| format!("\"{}\"", words.join(" ")))
    };
    let phrases: Vec<String> = typed.split_whitespace().filter_map(phrase).collect();
    (!phrases.is_empty()).then(|| format!("{} *", phrases.join(" AND ")))
}

/// Marks that change a letter's look or sound, and that people leave out: not the vowels of other
/// scripts.
fn is_accent(c: char) -> bool {
    is_combining_mark(c)
        && matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Characters of Thai, Lao, Burmese, Khmer, Chinese and Japanese.
fn writes_no_blanks(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_word_are_one() {
        let same = |a: &str, b: &str| assert_eq!(folded(a), folded(b), "{a} {b}");
        same("café", "cafe\u{301}");
        same("CAFÉ", "cafe");
        same("Tiếng Việt", "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t");
        same("Đà Nẵng", "da nang");
        same("Straße", "STRASSE");
        same("ﾃｽﾄ", "テスト");
        same("ＡＢＣ", "abc");
        same("İstanbul", "istanbul");
        assert_ne!(folded("が"), folded("か"), "another sound is another letter");
        assert_ne!(folded("ที่"), folded("ท"), "vowels of Thai are letters");
        assert_eq!(query("Café ferm"), Some("\"cafe\" AND \"ferm\" *".to_owned()));
        assert_eq!(query("退款"), Some("\"退 款\" *".to_owned()));
        assert_eq!(query(" \" * "), None);
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = folded(&text).into_owned();
            prop_assert_eq!(folded(&once).into_owned(), once);
        }
    }
}
