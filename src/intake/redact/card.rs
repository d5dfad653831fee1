//! Numbers of payment cards, by their checksum (ISO/IEC 7812, Luhn 1960).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Redactor, matches};

pub const REDACTOR: Redactor = Redactor { name: "card", about: "numbers of payment cards, by their checksum", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[2-6][0-9](?:[ -]?[0-9]){10,17}\b").unwrap());

fn find(text: &str) -> Vec<Range<usize>> {
    matches(&PATTERN, text, luhn)
}

fn luhn(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits.enumerate().map(|(i, d)| if i % 2 == 0 { d } else { (2 * d) / 10 + (2 * d) % 10 }).sum();
    sum.is_multiple_of(10)
}

#[test]
fn only_numbers_with_a_good_checksum_are_cards() {
    super::check(
        &REDACTOR,
        &[
            ("pay with 4111 1111 1111 1111 now", "pay with [4111 1111 1111 1111] now"),
            ("5500-0000-0000-0004.", "[5500-0000-0000-0004]."),
            ("378282246310005", "[378282246310005]"),
            ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
            ("trace 00000000000000000157", "trace 00000000000000000157"),
        ],
    );
}
