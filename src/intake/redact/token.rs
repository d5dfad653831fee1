//! Keys and tokens: by the beginnings that their makers gave them, by the name that stands before
//! them (`password=`, `client_secret:`), by the name of their field, and in addresses
//! (`://user:secret@host`).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Redactor;

pub const REDACTOR: Redactor = Redactor {
    name: "token",
    about: "keys, tokens and passwords",
    find,
    plainly: |found| {
        found
            .chars()
            .filter(|c| c.is_alphanumeric() || "@.:_".contains(*c))
            .flat_map(char::to_lowercase)
            .collect()
    },
    fields: &[], // see `is_secret`: they are known by how their names end
};

/// Names whose value is a secret whatever it looks like, and names whose value is one if it does
/// not look like a word.
const ALWAYS: &[&str] = &["password", "passwd", "passphrase", "pwd"];
const NAMES: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "authorization",
    "credential",
    "credentials",
    "sessionkey",
    "accesskeyid",
    "cookie",
];
/// Characters of a secret whose name promises less.
const LENGTH_MIN: usize = 6;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static KNOWN: LazyLock<Regex> = LazyLock::new(|| {
    let known = [
        r"(?:AKIA|ASIA)[0-9A-Z]{16}",
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        r"github_pat_[A-Za-z0-9_]{22,}",
        r"glpat-[A-Za-z0-9_-]{20,}",
        r"xox[abeprs]-[A-Za-z0-9-]{10,}",
        r"xapp-[A-Za-z0-9-]{10,}",
        r"sk-[A-Za-z0-9_-]{20,}",
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"AIza[0-9A-Za-z_-]{35}",
        r"ya29\.[0-9A-Za-z_-]{20,}",
        r"hf_[A-Za-z0-9]{30,}",
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-[A-Za-z0-9_-]{50,}",
        r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    ];
    let block =
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)";
    let address = r"://[^\s:/@]*:([^\s/@]+)@";
    Regex::new(&format!("(?:^|[^A-Za-z0-9])({})|({block})|{address}", known.join("|"))).unwrap()
});
/// A name, how it is set to something, and what.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and the test below uses it")]
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let scheme = r"(?i:(?:bearer|basic|token)\s+)?";
    Regex::new(&format!(r#"([A-Za-z0-9][A-Za-z0-9_.-]*)(["'\\]*\s*[:=]>?\s*["'\\]*)({scheme})([^\s"',;&\[\]\\<>{{}}]+)"#))
        .unwrap()
});

fn find(text: &str) -> Vec<Range<usize>> {
    let known = KNOWN
        .captures_iter(text)
        .filter_map(|found| (1..=3).find_map(|group| found.get(group)).map(|part| part.range()));
    let mut found: Vec<Range<usize>> = known.collect();
    for place in named(text) {
        if !found.iter().any(|known| known.start < place.end && place.start < known.end) {
            found.push(place);
        }
    }
    found.sort_by_key(|place| place.start);
    found
}

/// What stands after names of secrets; the name stays. What follows a name may be a name itself:
/// `next=token=…`.
fn named(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = NAMED.captures_at(text, at) {
        let (Some(name), Some(between), Some(scheme), Some(value)) =
            (next.get(1), next.get(2), next.get(3), next.get(4))
        else {
            break;
        };
        if text[..name.start()].ends_with('[') {
            at = value.end(); // a pseudonym
            continue;
        }
        // `password: ` before words of a sentence promises less than `password=`.
        let loose = between.as_str().contains(": ")
            && !between.as_str().ends_with(['"', '\''])
            && scheme.is_empty();
        let last_of_line =
            text[value.end()..].lines().next().is_none_or(|rest| rest.trim().is_empty());
        if is_secret(name.as_str(), value.as_str(), loose && !last_of_line, !scheme.is_empty()) {
            found.push(value.range());
            at = value.end();
        } else {
            at = between.end();
        }
    }
    found
}

/// Whether a field of this name holds a secret, being `value`.
pub fn is_secret_field(name: &str, value: &str) -> bool {
    !value.is_empty() && is_secret(name, value, false, false)
}

/// `loose`: it may be a word of a sentence; `sworn`: `Bearer` or the like stood before it.
fn is_secret(name: &str, value: &str, loose: bool, sworn: bool) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let ends = |names: &[&str]| names.iter().any(|known| name.ends_with(known));
    let (digits, letters) =
        (value.chars().any(|c| c.is_ascii_digit()), value.chars().any(char::is_alphabetic));
    let signs = value.chars().any(|c| !c.is_alphanumeric() && !"._-".contains(c));
    let mixed =
        value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    let odd = digits || signs || mixed;
    if ends(ALWAYS) {
        return !loose || odd;
    }
    let long = value.chars().count() >= LENGTH_MIN;
    ends(NAMES) && long && (sworn || odd && (letters || value.len() >= 10) || value.len() >= 20)
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
            (
                "ghp_0123456789abcdefghijABCDEFGHIJ012345",
                "[ghp_0123456789abcdefghijABCDEFGHIJ012345]",
            ),
            (
                "k_ghp_0123456789abcdefghijABCDEFGHIJ012345",
                "k_[ghp_0123456789abcdefghijABCDEFGHIJ012345]",
            ),
            (
                "GET /cb?access_token=abcdef1234567890&x=1",
                "GET /cb?access_token=[abcdef1234567890]&x=1",
            ),
            ("client_secret=abcdef1234567890", "client_secret=[abcdef1234567890]"),
            (
                "DB_PASSWORD=hunter2222 dbPassword: 'hunter'",
                "DB_PASSWORD=[hunter2222] dbPassword: '[hunter]'",
            ),
            (r#"{\"password\":\"hunter2222\"}"#, r#"{\"password\":\"[hunter2222]\"}"#),
            ("postgres://ana:s3cret@db.example/x", "postgres://ana:[s3cret]@db.example/x"),
            (
                "password: wrong, try again; password: hunter2 too",
                "password: wrong, try again; password: [hunter2] too",
            ),
            ("db:\n  password: hunter\n", "db:\n  password: [hunter]\n"),
            (
                "token: expired session; next_token=transfer",
                "token: expired session; next_token=transfer",
            ),
            ("x-api-key: 0123456789abcdef", "x-api-key: [0123456789abcdef]"),
        ],
    );
    assert!(
        is_secret_field("password", "hunter") && is_secret_field("accessToken", "abcdef1234567890")
    );
    assert!(!is_secret_field("token", "transfer") && !is_secret_field("token_count", "512000"));
}
