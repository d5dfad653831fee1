//! Numbers of telephones: with a plus or 00 before them, or in groups as people write them. A run
//! of digits alone is no telephone: it may be an order or an amount. Dates and times beside a
//! number are no part of it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::digits::{longest, runs};
use super::{Redactor, only_digits};

pub const REDACTOR: Redactor = Redactor {
    name: "phone",
    about: "numbers of telephones",
    find,
    plainly,
    fields: &[
        "phone",
        "phonenumber",
        "telephone",
        "tel",
        "mobile",
        "mobilenumber",
        "msisdn",
        "fax",
    ],
};

/// Digits of a number with its country (ITU-T E.164).
const DIGITS_MAX: usize = 15;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static TIMES: LazyLock<Regex> = LazyLock::new(|| {
    let date = r"[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}";
    let time = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?";
    Regex::new(&format!(r"(?:{date})(?:[T ]{time})?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}}\b)?|{time}"))
        .unwrap()
});

fn find(text: &str) -> Vec<Range<usize>> {
    let whole = |found: &Range<usize>| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        !digit(text[..found.start].chars().next_back()) && !digit(text[found.end..].chars().next())
    };
    let times: Vec<Range<usize>> =
        TIMES.find_iter(text).map(|found| found.range()).filter(whole).collect();
    let mut found = Vec::new();
    for run in runs(text, " ./()-", &times) {
        for part in longest(&run, |part| is_phone(text, part)) {
            found.push(with_marks(text, part));
        }
    }
    found
}

/// The number with the plus and the bracket before it.
fn with_marks(text: &str, part: Range<usize>) -> Range<usize> {
    let before = &text[..part.start];
    let marks = before.len() - before.trim_end_matches(['+', '(']).len();
    part.start - marks.min(2)..part.end
}

fn is_phone(text: &str, part: &[Range<usize>]) -> bool {
    let groups: Vec<&str> = part.iter().map(|group| &text[group.clone()]).collect();
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let (before, after) = (&text[..part[0].start], &text[part[part.len() - 1].end..]);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let touched = before.ends_with(word) || after.starts_with(word);
    // Letters may touch a plus; two zeros in an id mean nothing.
    let plus = before.trim_end_matches('(').ends_with('+');
    let marked = plus || (groups[0].starts_with("00") && !touched);
    if digits > DIGITS_MAX {
        return false;
    }
    if marked {
        // Numbers of country 1 have one length.
        let north_america = plus && groups[0].starts_with('1');
        return if north_america { digits == 11 } else { digits >= 8 };
    }
    let gaps: Vec<&str> = part.windows(2).map(|pair| &text[pair[0].end..pair[1].start]).collect();
    let in_groups = groups.len() >= 2 && groups.iter().all(|group| group.len() <= 8) && digits >= 9;
    in_groups && !touched && !is_number(before, &groups, &gaps)
}

/// Groups that are one number, some numbers in a row, or an address: `1234567.89`, `12 500 000`, `3
/// 14 15 92 65`.
fn is_number(before: &str, groups: &[&str], gaps: &[&str]) -> bool {
    let dialled = groups[0].starts_with('0') || before.ends_with('(');
    let decimal = gaps == ["."] || groups[0] == "0" && gaps.first() == Some(&".");
    let thousands = groups[1..].iter().all(|group| group.len() == 3)
        && groups[0].len() <= 3
        && gaps.iter().all(|gap| gap == &gaps[0]);
    let small = groups.iter().all(|group| group.len() <= 2);
    let address = groups.len() == 4
        && gaps.iter().all(|gap| *gap == ".")
        && groups.iter().all(|group| group.len() <= 3);
    // A fraction that stands before it: the first group is the rest of a number with a point.
    let rest = matches!(before.as_bytes(), [.., digit, b'.'] if digit.is_ascii_digit());
    decimal || address || rest || (!dialled && (thousands || small))
}

/// Its digits; the country's are the same after `+` and after `00`.
fn plainly(found: &str) -> String {
    let digits = only_digits(found);
    digits.strip_prefix("00").map_or(digits.clone(), str::to_owned)
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
            (
                "order 123456789012, 2026-11-24 10:00, 1234567.89 euros",
                "order 123456789012, 2026-11-24 10:00, 1234567.89 euros",
            ),
            ("24.11.2026 and 3.1.0", "24.11.2026 and 3.1.0"),
            ("call +49 30 1234567 2026-11-24", "call [+49 30 1234567] 2026-11-24"),
            ("2026-11-24 0171 2345678 called", "2026-11-24 [0171 2345678] called"),
            ("+1 (555) 123 - 4567", "[+1 (555) 123 - 4567]"),
            ("+1.555.123.4567 555.123.4567", "[+1.555.123.4567] [555.123.4567]"),
            ("tel:+49301234567abc", "tel:[+49301234567]abc"),
            ("2026-11-24 10:00:00", "2026-11-24 10:00:00"),
            (
                "24.11.2026 09:15:30.123 took 12 500 000 ns",
                "24.11.2026 09:15:30.123 took 12 500 000 ns",
            ),
            ("3 14 15 92 65 35", "3 14 15 92 65 35"),
            ("01 23 45 67 89", "[01 23 45 67 89]"),
            (
                "10.200.30.40 and 1717372801.875 and 0.4857 1234 5678",
                "10.200.30.40 and 1717372801.875 and 0.4857 1234 5678",
            ),
            ("trace a4abea001234567890cd1d", "trace a4abea001234567890cd1d"),
            ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ],
    );
}
