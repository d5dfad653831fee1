//! Addresses of machines.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Redactor, matches};

pub const REDACTOR: Redactor = Redactor { name: "ip", about: "IPv4 and IPv6 addresses", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|(?:[0-9a-f]{1,4})?(?::{1,2}[0-9a-f]{1,4}){2,7}\b").unwrap()
});

fn find(text: &str) -> Vec<Range<usize>> {
    let v6 = |found: &str| found.parse::<Ipv6Addr>().is_ok() && (found.contains("::") || found.matches(':').count() == 7);
    matches(&PATTERN, text, |found| found.parse::<Ipv4Addr>().is_ok() || v6(found))
}

#[test]
fn addresses_are_found_and_times_are_not() {
    super::check(
        &REDACTOR,
        &[
            ("from 192.168.1.77:8080", "from [192.168.1.77]:8080"),
            ("peer=2001:db8::8a2e:370:7334 up", "peer=[2001:db8::8a2e:370:7334] up"),
            ("at 12:04:11 version 3.1.0", "at 12:04:11 version 3.1.0"),
            ("999.1.1.1", "999.1.1.1"),
        ],
    );
}
