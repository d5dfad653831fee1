//! Keys and tokens: by the beginnings that their makers gave them, and what stands after words like `password=`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Redactor;

pub const REDACTOR: Redactor = Redactor { name: "token", about: "keys, tokens and passwords", find };

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let known = [
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{30,}\b",
        r"\bglpat-[A-Za-z0-9_-]{20,}",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"\bsk-[A-Za-z0-9_-]{20,}",
        r"\bAIza[0-9A-Za-z_-]{35}\b",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    ];
    let named = r#"(?i:\b(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization)\b["']?\s*[:=]\s*["']?(?:bearer\s+|basic\s+)?)([^\s"',;&\[]{6,})"#;
    Regex::new(&format!("(?:{})|{named}", known.join("|"))).unwrap()
});

fn find(text: &str) -> Vec<Range<usize>> {
    // Of what stands after a word, the word stays.
    PATTERN.captures_iter(text).filter_map(|found| found.get(1).or_else(|| found.get(0))).map(|part| part.range()).collect()
}

#[test]
fn keys_and_tokens_are_found_and_counts_of_tokens_are_not() {
    super::check(
        &REDACTOR,
        &[
            ("key AKIAIOSFODNN7EXAMPLE leaked", "key [AKIAIOSFODNN7EXAMPLE] leaked"),
            ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [abc.def-123456]"),
            ("password=hunter22&x=1", "password=[hunter22]&x=1"),
            (r#"{"api_key": "0123456789"}"#, r#"{"api_key": "[0123456789]"}"#),
            ("tokens=12 unk=3 token_count=512000", "tokens=12 unk=3 token_count=512000"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[ghp_0123456789abcdefghijABCDEFGHIJ012345]"),
        ],
    );
}
