//! International bank account numbers, by their checksum and the lengths of countries (ISO 13616,
//! ISO 7064 MOD 97-10).

use std::ops::Range;

use super::Redactor;

pub const REDACTOR: Redactor = Redactor {
    name: "iban",
    about: "bank accounts, by their checksum",
    find,
    plainly: |found| {
        found.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    },
    fields: &["iban"],
};

/// Letters and digits of the shortest and of the longest.
const LENGTHS: std::ops::RangeInclusive<usize> = 15..=34;

fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at + *LENGTHS.start() <= bytes.len() {
        let begins = matches!(bytes[at..], [a, b, c, d, ..]
            if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit());
        let alone = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        match (begins && alone).then(|| account(text, at)).flatten() {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            // Only this beginning was none: an account may begin inside what seemed to belong to
            // it.
            None => at += 1,
        }
    }
    found
}

/// Where the account ends that begins at `start`. A word after it may look like its next group: the
/// longest good beginning counts.
fn account(text: &str, start: usize) -> Option<usize> {
    let mut compact = String::new();
    let mut good = None;
    let mut separators = 0;
    for (i, c) in text[start..].char_indices() {
        if c.is_ascii_alphanumeric() {
            compact.push(c.to_ascii_uppercase());
            separators = 0;
            if compact.len() > *LENGTHS.end() {
                break;
            }
            let end = start + i + 1;
            let follows = text[end..].chars().next();
            if LENGTHS.contains(&compact.len())
                && !follows.is_some_and(char::is_alphanumeric)
                && compact.parse::<iban::Iban>().is_ok()
            {
                good = Some(end);
            }
        } else if matches!(c, ' ' | '-' | '.' | '_') && separators < 3 {
            separators += 1;
        } else {
            break;
        }
    }
    good
}

#[test]
fn only_accounts_with_a_good_checksum_are_found() {
    super::check(
        &REDACTOR,
        &[
            (
                "send to DE89 3704 0044 0532 0130 00 please",
                "send to [DE89 3704 0044 0532 0130 00] please",
            ),
            ("GB82WEST12345698765432", "[GB82WEST12345698765432]"),
            ("fr1420041010050500013m02606", "[fr1420041010050500013m02606]"),
            ("DE88 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
            ("to DE89-3704-0044-0532-0130-00 please", "to [DE89-3704-0044-0532-0130-00] please"),
            ("KW48 bitte DE89 3704 0044 0532 0130 00", "KW48 bitte [DE89 3704 0044 0532 0130 00]"),
            ("FY25 invoice DE89370400440532013000", "FY25 invoice [DE89370400440532013000]"),
            ("iban_DE89370400440532013000", "iban_[DE89370400440532013000]"),
            ("XDE89370400440532013000", "XDE89370400440532013000"),
        ],
    );
}
