//! Addresses of machines.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use super::Redactor;

pub const REDACTOR: Redactor =
    Redactor { name: "ip", about: "IPv4 and IPv6 addresses", find, plainly, fields: &[] };

fn find(text: &str) -> Vec<Range<usize>> {
    let part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| part(byte)).count();
        if length == 0 {
            at += 1;
            continue;
        }
        found.extend(addresses(text, at..at + length));
        at += length;
    }
    found
}

/// The addresses in a run of hex digits, colons and points.
fn addresses(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let word = |c: char| c.is_alphanumeric();
    let before = text[..run.start].chars().next_back().filter(|c| word(*c));
    let after = text[run.end..].chars().next().filter(|c| word(*c));
    // Points and colons at the ends are those of a sentence.
    let whole = &text[run.clone()];
    let trimmed = whole.trim_end_matches('.');
    let trimmed = if trimmed.ends_with("::") { trimmed } else { trimmed.trim_end_matches(':') };
    if before.is_none() && after.is_none() && is_v6(trimmed) {
        let address = run.start..run.start + trimmed.len();
        return vec![address];
    }
    let mut found = Vec::new();
    let mut start = run.start;
    for part in whole.split(':') {
        // Letters beside the four numbers are no part of them: `host_10.0.0.1`, but not
        // `a10.0.0.1`.
        let touches = (start == run.start && before.is_some())
            || (start + part.len() == run.end && after.is_some());
        let address = part.trim_matches('.');
        if !touches && is_v4(address) {
            let from = start + (part.len() - part.trim_start_matches('.').len());
            found.push(from..from + address.len());
        }
        start += part.len() + 1;
    }
    found
}

fn is_v4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

/// With at least one digit: `a::b` may be a name in a program.
fn is_v6(text: &str) -> bool {
    text.contains(':')
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<Ipv6Addr>().is_ok()
}

/// The address itself, however it is written.
fn plainly(found: &str) -> String {
    match found.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => found.to_lowercase(),
    }
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
            ("::ffff:192.168.1.77 GET /", "[::ffff:192.168.1.77] GET /"),
            ("fe80::1 is up, [::1]:80, fe80::2.", "[fe80::1] is up, [[::1]]:80, [fe80::2]."),
            ("host_192.168.1.77, x192.168.1.77", "host_[192.168.1.77], x192.168.1.77"),
            (
                "std::vector abc::def 00:1a:2b:3c:4d:5e ::",
                "std::vector abc::def 00:1a:2b:3c:4d:5e ::",
            ),
            ("10.0.0.1: refused", "[10.0.0.1]: refused"),
        ],
    );
}
