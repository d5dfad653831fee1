//! Text that is read from right to left, put in the order in which it is seen: for terminals that
//! show cells as they are written, from left to right.
//!
//! Rows are broken in the order of reading, and each is then put in order by itself, with the
//! direction of its whole paragraph. What moves is what a reader takes for one sign (a grapheme
//! cluster), its marks after their letter; shaping is the terminal's. Brackets are mirrored. Places
//! in a text, searches and copies stay in the order of reading.

use std::borrow::Cow;
use std::ops::Range;

use unicode_bidi::{BidiInfo, Level, get_base_direction};
use unicode_bidi_mirroring::get_mirrored;
use unicode_segmentation::UnicodeSegmentation;

/// Where a paragraph begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Left,
    Right,
}

impl Direction {
    /// That of a text's first letter that has one.
    pub fn of(text: &str) -> Self {
        if !has_right_to_left(text) {
            return Self::Left;
        }
        match get_base_direction(text) {
            unicode_bidi::Direction::Rtl => Self::Right,
            _ => Self::Left,
        }
    }

    fn level(self) -> Level {
        if self == Self::Right { Level::rtl() } else { Level::ltr() }
    }
}

/// Whether a text holds letters of a script that is written from right to left.
pub fn has_right_to_left(text: &str) -> bool {
    // All of them are beyond the first 0x590 characters: two bytes that begin with 0xD6 or more.
    text.bytes().any(|byte| byte >= 0xd6) && text.chars().any(is_right_to_left)
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// A sign where it stands in a text, and whether it is mirrored.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub place: Range<usize>,
    pub mirrored: bool,
}

/// The signs of one row in the order in which they are seen, from left to right.
pub fn order(row: &str, base: Direction) -> Vec<Seen> {
    let info = BidiInfo::new(row, Some(base.level()));
    // A row is one paragraph; what would end one was made visible.
    let levels: Vec<Level> = info
        .paragraphs
        .iter()
        .flat_map(|one| info.reordered_levels(one, one.range.clone())[one.range.clone()].to_vec())
        .collect();
    let signs: Vec<(Range<usize>, Level)> = row
        .grapheme_indices(true)
        .map(|(at, sign)| (at..at + sign.len(), levels.get(at).copied().unwrap_or(base.level())))
        .collect();
    let of_signs: Vec<Level> = signs.iter().map(|(_, level)| *level).collect();
    let seen = BidiInfo::reorder_visual(&of_signs).into_iter();
    seen.filter_map(|at| signs.get(at))
        .map(|(place, level)| Seen { place: place.clone(), mirrored: level.is_rtl() })
        .collect()
}

/// A row as it is seen.
pub fn arranged(row: &str, base: Direction) -> Cow<'_, str> {
    if base == Direction::Left && !has_right_to_left(row) {
        return Cow::Borrowed(row);
    }
    let sign = |seen: Seen| {
        let sign = &row[seen.place];
        if seen.mirrored { mirrored(sign) } else { Cow::Borrowed(sign) }
    };
    Cow::Owned(order(row, base).into_iter().map(sign).collect())
}

/// What stands for a sign where it is read from right to left: a bracket opens to the other side.
pub fn mirrored(sign: &str) -> Cow<'_, str> {
    let mut chars = sign.chars();
    match (chars.next().and_then(get_mirrored), chars.next()) {
        (Some(other), None) => Cow::Owned(other.to_string()),
        _ => Cow::Borrowed(sign),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_put_in_the_order_in_which_they_are_seen() {
        let seen = |text: &str| arranged(text, Direction::of(text)).into_owned();
        assert_eq!(seen("plain (text)"), "plain (text)");
        assert_eq!(seen("אבג"), "גבא");
        assert_eq!(seen("see אבג now"), "see גבא now");
        assert_eq!(seen("אב (42) ג"), "ג (42) בא", "numbers stay, brackets turn");
        assert_eq!(seen("שָׁלוֹם"), "םוֹלשָׁ", "marks stand after their letter");
        assert_eq!(Direction::of("42 אב"), Direction::Right, "by the first letter");
        assert_eq!(Direction::of("see אב"), Direction::Left);
    }

    proptest! {
        /// Every sign is seen once, and none is cut.
        #[test]
        fn no_sign_is_lost(row in "[a-z אבגم ا() 0-9لا\u{64b}\u{5b8}🇵🇹👩‍🔬]{0,40}", right in any::<bool>()) {
            let base = if right { Direction::Right } else { Direction::Left };
            let seen = order(&row, base);
            let mut places: Vec<Range<usize>> = seen.into_iter().map(|one| one.place).collect();
            places.sort_by_key(|place| place.start);
            let signs: Vec<Range<usize>> =
                row.grapheme_indices(true).map(|(at, sign)| at..at + sign.len()).collect();
            prop_assert_eq!(places, signs);
        }
    }
}
