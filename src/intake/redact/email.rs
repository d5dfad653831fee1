//! Addresses of mail.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Redactor, matches};

pub const REDACTOR: Redactor = Redactor { name: "email", about: "addresses of mail", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)[\p{L}0-9._%+'-]*[\p{L}0-9_%+]@[\p{L}0-9-]+(?:\.[\p{L}0-9-]+)+").unwrap());

fn find(text: &str) -> Vec<Range<usize>> {
    if text.contains('@') { matches(&PATTERN, text, |_| true) } else { Vec::new() }
}

#[test]
fn addresses_are_found_in_text() {
    super::check(
        &REDACTOR,
        &[
            ("write to ana.b+x@mail.example.com, please", "write to [ana.b+x@mail.example.com], please"),
            ("<jörg@müller.de>", "<[jörg@müller.de]>"),
            ("user=bo@x.org;", "user=[bo@x.org];"),
            ("meet @ noon, @handle, a@b", "meet @ noon, @handle, a@b"),
        ],
    );
}
