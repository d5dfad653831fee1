//! Addresses of mail (RFC 5322), in plain and in percent-encoded text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::Redactor;

pub const REDACTOR: Redactor = Redactor {
    name: "email",
    about: "addresses of mail",
    find,
    plainly,
    fields: &["email", "emailaddress", "mail"],
};

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let local = r#"[\p{L}\p{M}\p{N}._%+'!#$&*/=?^{|}~`-]+|"(?:[^"\\\n]|\\.){1,64}""#;
    let domain = r"[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+";
    Regex::new(&format!("({local})(?:@|%40)({domain})")).unwrap()
});

fn find(text: &str) -> Vec<Range<usize>> {
    if !text.contains('@') && !text.contains("%40") {
        return Vec::new();
    }
    let address = |found: regex::Captures<'_>| {
        let (local, domain) = (found.get(1)?, found.get(2)?);
        let from = local.start() + begins(local.as_str())?;
        Some(from..domain.start() + domain_length(domain.as_str())?)
    };
    PATTERN.captures_iter(text).filter_map(address).collect()
}

/// Where the address begins in what may be its first part: after what names it (`user=`, `?email=`)
/// and what only looks like it. Nothing if no letter or digit is left.
fn begins(local: &str) -> Option<usize> {
    if local.starts_with('"') {
        return Some(0);
    }
    let name = |part: &str| {
        let part = part.rsplit(['?', '&']).next().unwrap_or(part);
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
    };
    let named = match local.rfind('=') {
        Some(at) if name(&local[..at]) => at + 1,
        _ => 0,
    };
    let rest = &local[named..];
    let from = named + rest.find(|c: char| !"/=?&|.{}`'*#".contains(c))?;
    local[from..].chars().any(char::is_alphanumeric).then_some(from)
}

/// How much of what stands after the `@` is a domain, whose last part is of letters. Nothing if it
/// is a version: `lr@3.1.0`.
fn domain_length(domain: &str) -> Option<usize> {
    let is_top = |part: &str| {
        let letters =
            part.chars().count() >= 2 && part.chars().all(|c| !c.is_ascii_digit() && c != '-');
        letters || part.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    let numbered =
        |part: &&str| part.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
    if domain.split('.').take(2).filter(numbered).count() == 2 {
        return None;
    }
    let mut rest = domain.trim_end_matches('-');
    while rest.contains('.') {
        let (before, last) = rest.rsplit_once('.')?;
        if is_top(last) {
            return Some(rest.len());
        }
        rest = before.trim_end_matches('-');
    }
    None
}

/// The address, however its letters are put together. Every sign counts: `ann-marie@x.org` and
/// `annmarie@x.org` are two people.
fn plainly(found: &str) -> String {
    found.replace("%40", "@").nfc().flat_map(char::to_lowercase).collect()
}

#[test]
fn two_addresses_are_two_and_one_is_one() {
    assert_ne!(plainly("ann-marie@x.org"), plainly("annmarie@x.org"));
    assert_ne!(plainly("a+b@x.org"), plainly("ab@x.org"));
    assert_ne!(plainly("o'neil@x.org"), plainly("oneil@x.org"));
    assert_eq!(plainly("Ana@X.org"), plainly("ana%40x.org"));
    assert_eq!(plainly("jo\u{308}rg@x.org"), plainly("j\u{f6}rg@x.org"));
}

#[test]
fn addresses_are_found_in_text() {
    super::check(
        &REDACTOR,
        &[
            (
                "write to ana.b+x@mail.example.com, please",
                "write to [ana.b+x@mail.example.com], please",
            ),
            ("<jörg@müller.de>", "<[jörg@müller.de]>"),
            ("jo\u{308}rg@mu\u{308}ller.de", "[jo\u{308}rg@mu\u{308}ller.de]"),
            ("user=bo@x.org;", "user=[bo@x.org];"),
            (
                "GET /reset?email=ana%40example.com&x=1 HTTP/1.1",
                "GET /reset?email=[ana%40example.com]&x=1 HTTP/1.1",
            ),
            ("a.b=1&c_d=ana@example.com", "a.b=1&c_d=[ana@example.com]"),
            (
                "jane-@example.com, ana/b=c@example.com",
                "[jane-@example.com], [ana/b=c@example.com]",
            ),
            (
                "o'neil@example.com a!b#c$d@example.com",
                "[o'neil@example.com] [a!b#c$d@example.com]",
            ),
            (r#""ana b"@example.com"#, r#"["ana b"@example.com]"#),
            ("https://ana@example.com/x", "https://[ana@example.com]/x"),
            ("bo@163.com bo@x.xn--p1ai", "[bo@163.com] [bo@x.xn--p1ai]"),
            ("meet @ noon, @handle, a@b", "meet @ noon, @handle, a@b"),
            (
                "model=intent-lr@3.1.0 gpt@v2.1.beta x@1.0",
                "model=intent-lr@3.1.0 gpt@v2.1.beta x@1.0",
            ),
        ],
    );
}
