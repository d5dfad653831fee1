//! Numbers of payment cards: by who issues such numbers, how long theirs are, and the checksum
//! (ISO/IEC 7812, Luhn 1960).

use std::ops::Range;

use super::digits::{digits, longest, runs};
use super::{Redactor, only_digits};

pub const REDACTOR: Redactor = Redactor {
    name: "card",
    about: "numbers of payment cards, by their checksum",
    find,
    plainly: only_digits,
    fields: &["cardnumber", "cardno", "ccnumber", "ccnum", "creditcard", "pan"],
};

/// First digits from and up to, and lengths: of the schemes that are in use (ISO/IEC 7812-1 as its
/// registrants publish them).
const ISSUERS: &[(u32, u32, &[usize])] = &[
    (2200, 2204, &[16, 17, 18, 19]),
    (2221, 2720, &[16]),
    (300, 305, &[14, 16, 19]),
    (3095, 3095, &[14, 16, 19]),
    (34, 34, &[15]),
    (3528, 3589, &[16, 17, 18, 19]),
    (36, 36, &[14, 16, 19]),
    (37, 37, &[15]),
    (38, 39, &[14, 16, 19]),
    (4, 4, &[13, 16, 18, 19]),
    (50, 50, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (51, 55, &[16]),
    (56, 69, &[12, 13, 14, 15, 16, 17, 18, 19]),
];

/// Digits before the point of a number that is taken for one.
const WHOLE_MAX: usize = 6;

fn find(text: &str) -> Vec<Range<usize>> {
    let found = runs(text, " -./,_", &[]).into_iter().flat_map(|run| {
        longest(&run, |part| {
            is_card(&digits(text, part)) && !is_fraction(text, part) && !in_a_hash(text, part)
        })
    });
    found.collect()
}

fn is_card(number: &str) -> bool {
    let begins = |from: u32, to: u32| {
        let digits = from.to_string().len();
        number
            .get(..digits)
            .and_then(|first| first.parse().ok())
            .is_some_and(|first: u32| (from..=to).contains(&first))
    };
    let issued = ISSUERS
        .iter()
        .any(|(from, to, lengths)| lengths.contains(&number.len()) && begins(*from, *to));
    issued && luhn(number)
}

fn luhn(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { d } else { (2 * d) / 10 + (2 * d) % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether some groups are what stands after the point of a number, or a number with a point:
/// `0.4111111111111111`.
fn is_fraction(text: &str, part: &[Range<usize>]) -> bool {
    let before = &text[..part[0].start];
    // What stands before a point is short; two numbers in a list are not.
    let whole = |point: char| {
        let whole = before.strip_suffix(point)?;
        let digits = whole.bytes().rev().take_while(u8::is_ascii_digit).count();
        Some(digits <= WHOLE_MAX && (digits > 0 || !whole.ends_with(char::is_alphanumeric)))
    };
    let after_point = whole('.').or_else(|| whole(',')).unwrap_or(false);
    let decimal = part.len() == 2 && matches!(&text[part[0].end..part[1].start], "." | ",");
    // In several groups of four it is no number, whatever stands before.
    (after_point && part.len() == 1) || decimal
}

/// Whether the digits are part of a long run of hex digits: an id or a hash.
fn in_a_hash(text: &str, part: &[Range<usize>]) -> bool {
    let hex = |c: &char| c.is_ascii_hexdigit();
    let end = part.last().map_or(0, |group| group.end);
    let before = text[..part[0].start]
        .chars()
        .rev()
        .take_while(hex)
        .filter(char::is_ascii_alphabetic)
        .count();
    let after = text[end..].chars().take_while(hex).filter(char::is_ascii_alphabetic).count();
    before + after >= 3
}

#[test]
fn only_numbers_with_a_good_checksum_are_cards() {
    super::check(
        &REDACTOR,
        &[
            ("pay with 4111 1111 1111 1111 now", "pay with [4111 1111 1111 1111] now"),
            ("5500-0000-0000-0004.", "[5500-0000-0000-0004]."),
            ("378282246310005", "[378282246310005]"),
            ("3782 822463 10005", "[3782 822463 10005]"),
            ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
            ("trace 00000000000000000157", "trace 00000000000000000157"),
            ("card 4111 1111 1111 1111 12/26", "card [4111 1111 1111 1111] 12/26"),
            ("4111111111111111 123 ana", "[4111111111111111] 123 ana"),
            ("no 25 4111 1111 1111 1111 paid", "no 25 [4111 1111 1111 1111] paid"),
            ("4111.1111.1111.1111", "[4111.1111.1111.1111]"),
            ("4111 - 1111 - 1111 - 1111", "[4111 - 1111 - 1111 - 1111]"),
            ("pan_4111111111111111_end", "pan_[4111111111111111]_end"),
            ("x4111111111111111y", "x[4111111111111111]y"),
            ("4111111111111111,5500000000000004", "[4111111111111111],[5500000000000004]"),
            ("took 1748503543012 ms", "took 1748503543012 ms"),
            (
                "p=0.5309136012499991 q=.4111111111111111",
                "p=0.5309136012499991 q=.4111111111111111",
            ),
            ("12.4111111111111111 4111.111111111111", "12.4111111111111111 4111.111111111111"),
            ("trace af34111111111111111bc09e", "trace af34111111111111111bc09e"),
        ],
    );
}
