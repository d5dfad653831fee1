//! International bank account numbers, by their checksum (ISO 13616, ISO 7064 MOD 97-10).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Redactor;

pub const REDACTOR: Redactor = Redactor { name: "iban", about: "bank accounts, by their checksum", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b").unwrap());
/// Letters and digits of the shortest.
const SHORTEST: usize = 15;

fn find(text: &str) -> Vec<Range<usize>> {
    let whole = |range: Range<usize>| {
        // A word after it may look like its next group: the longest beginning that is good is the account.
        let ends = text[range.clone()].char_indices().rev().map(|(at, c)| at + c.len_utf8());
        let good = |end: &usize| {
            let part = &text[range.start..range.start + end];
            let follows = text[range.start + end..].chars().next();
            part.chars().filter(|c| *c != ' ').count() >= SHORTEST && !follows.is_some_and(char::is_alphanumeric) && is_good(part)
        };
        ends.into_iter().find(good).map(|end| range.start..range.start + end)
    };
    PATTERN.find_iter(text).filter_map(|found| whole(found.range())).collect()
}

fn is_good(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    let turned = letters[4..].iter().chain(&letters[..4]);
    let rest =
        turned.filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| (rest * if digit < 10 { 10 } else { 100 } + digit) % 97);
    rest == 1
}

#[test]
fn only_accounts_with_a_good_checksum_are_found() {
    super::check(
        &REDACTOR,
        &[
            ("send to DE89 3704 0044 0532 0130 00 please", "send to [DE89 3704 0044 0532 0130 00] please"),
            ("GB82WEST12345698765432", "[GB82WEST12345698765432]"),
            ("fr1420041010050500013m02606", "[fr1420041010050500013m02606]"),
            ("DE88 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        ],
    );
}
