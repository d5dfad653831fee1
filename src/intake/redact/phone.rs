//! Numbers of telephones: with a plus or 00 before them, or in groups as people write them. A run of digits alone is no
//! telephone: it may be an order or an amount.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Redactor, matches};

pub const REDACTOR: Redactor = Redactor { name: "phone", about: "numbers of telephones", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:\+|\b00|\(|\b)[0-9](?:[0-9]|[ ./()-]{1,2}[0-9]){6,17}\b").unwrap());
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static DATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:[0-9]{4}[-./][0-9]{2}[-./][0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4})").unwrap());

fn find(text: &str) -> Vec<Range<usize>> {
    matches(&PATTERN, text, |found| {
        let digits = found.chars().filter(char::is_ascii_digit).count();
        let marked = found.starts_with('+') || found.starts_with("00");
        let groups = found.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let grouped = groups.clone().count() >= 2 && groups.clone().all(|part| part.len() <= 8) && digits >= 9;
        digits <= 15 && (marked && digits >= 8 || grouped) && !DATE.is_match(found) && !is_decimal(found)
    })
}

/// `1234567.89` is an amount.
fn is_decimal(found: &str) -> bool {
    found.split('.').count() == 2 && found.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[test]
fn telephones_are_found_and_other_numbers_are_not() {
    super::check(
        &REDACTOR,
        &[
            ("call +49 30 1234567 today", "call [+49 30 1234567] today"),
            ("(555) 123-4567", "[(555) 123-4567]"),
            ("0049301234567", "[0049301234567]"),
            ("030 123 456 78", "[030 123 456 78]"),
            ("order 123456789012, 2026-11-24 10:00, 1234567.89 euros", "order 123456789012, 2026-11-24 10:00, 1234567.89 euros"),
            ("24.11.2026 and 3.1.0", "24.11.2026 and 3.1.0"),
        ],
    );
}
