//! Redaction: what must not be kept is replaced before anything is written.
//!
//! Each thing that is found becomes a pseudonym such as `[email:7k2mqxd4]`, made with a key that
//! only the workspace's devices know: the same address is the same pseudonym everywhere in the
//! workspace, so that a reviewer still sees that two requests are of one person, and nobody outside
//! can try addresses until one fits.
//!
//! To add a kind, add a file with its [`Redactor`] and a line in [`REDACTORS`].

mod card;
mod digits;
mod email;
mod iban;
mod ip;
mod phone;
mod plain;
mod token;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use regex::Regex;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::config;
use plain::Plain;

/// One kind of thing that can be found in a text.
pub struct Redactor {
    pub name: &'static str,
    pub about: &'static str,
    /// Where it stands in a plain text, without overlaps, in the order of the text.
    pub find: fn(&str) -> Vec<Range<usize>>,
    /// The same thing written otherwise comes to the same: what a pseudonym is made from.
    pub plainly: fn(&str) -> String,
    /// Names of fields that hold nothing else, in small letters and digits alone.
    pub fields: &'static [&'static str],
}

/// Every kind, in the order in which they are looked for: what one took, a later one does not see.
pub const REDACTORS: &[Redactor] = &[
    token::REDACTOR,
    email::REDACTOR,
    iban::REDACTOR,
    card::REDACTOR,
    ip::REDACTOR,
    phone::REDACTOR,
];

/// Parts of a prediction line that are no text of anybody's: they are kept as they are, but for
/// fields that are named.
const KEPT: &[&str] = &["id", "occurred_at", "stream", "model", "latency_ms"];
/// What a model said is kept so too; what else stands beside it may be a text.
const SAID: &[&str] = &["prediction", "challenger"];
const KEPT_OF_SAID: &[&str] = &["label", "confidence", "top_k", "model"];
/// Those that identify it, and that somebody may have written something into: it is counted, for a
/// person to know.
const IDENTIFYING: &[&str] = &["id", "stream"];
/// Under which name that is counted.
const KEPT_COUNT: &str = "kept in id or stream";
/// Letters and digits of what a field of a known name holds, at least.
const FIELD_LENGTH_MIN: usize = 6;
/// Letters of a pseudonym: no two that look alike.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// A configuration of redaction that can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadRedaction {
    #[error("redact.kinds: there is no `{0}`; there are {known}", known = kind_names())]
    Kind(String),
    #[error("redact.paths: `{0}` is what a prediction is known by, and can't be replaced")]
    Path(String),
    #[error("redact.pattern `{0}`: {1}")]
    Pattern(String, String),
}

fn kind_names() -> String {
    REDACTORS.iter().map(|redactor| redactor.name).collect::<Vec<_>>().join(", ")
}

/// What is redacted in one run, and how often that happened.
pub struct Redact {
    kinds: Vec<&'static Redactor>,
    patterns: Vec<(String, Regex)>,
    paths: Vec<Vec<String>>,
    key: [u8; 32],
    counts: Mutex<BTreeMap<String, u64>>,
    hits: Mutex<(BTreeMap<String, Hits>, u64)>,
}

/// Examples of a kind that are shown.
pub const EXAMPLES_MAX: usize = 3;
/// Letters of an example.
const EXAMPLE_CHARS: usize = 40;

/// In how many lines a kind was found, and what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    pub lines: u64,
    /// What was found, for a person to see whether that is right: in a dry run only, for nothing
    /// that is to be redacted is shown or kept else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

impl Hits {
    /// Whether that is so many lines that somebody should look first.
    pub fn is_many(&self, of: u64) -> bool {
        of >= 20 && self.lines * 5 > of
    }
}

impl Redact {
    /// Nothing, if the configuration names nothing. `key` makes the pseudonyms.
    pub fn new(config: &config::Redact, key: [u8; 32]) -> Result<Option<Self>, BadRedaction> {
        let kind = |name: &String| {
            REDACTORS
                .iter()
                .find(|redactor| redactor.name == name)
                .ok_or_else(|| BadRedaction::Kind(name.clone()))
        };
        let mut kinds = config.kinds.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
        kinds.sort_by_key(|kind| REDACTORS.iter().position(|other| other.name == kind.name));
        let pattern = |pattern: &config::Pattern| {
            let bad = |error: regex::Error| {
                let words = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                BadRedaction::Pattern(pattern.name.clone(), words)
            };
            Ok((pattern.name.clone(), Regex::new(&pattern.regex).map_err(bad)?))
        };
        let patterns =
            config.pattern.iter().map(pattern).collect::<Result<Vec<_>, BadRedaction>>()?;
        let paths: Vec<Vec<String>> =
            config.paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        let known_by = ["id", "occurred_at", "stream", "prediction.label"];
        if let Some(path) = config.paths.iter().find(|path| known_by.contains(&path.as_str())) {
            return Err(BadRedaction::Path(path.clone()));
        }
        if kinds.is_empty() && patterns.is_empty() && paths.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            kinds,
            patterns,
            paths,
            key,
            counts: Mutex::default(),
            hits: Mutex::default(),
        }))
    }

    /// How often each kind was replaced so far.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// In how many lines each kind was found, of how many; with examples or without.
    pub fn hits(&self, examples: bool) -> (BTreeMap<String, Hits>, u64) {
        let (mut hits, lines) = self.locked_hits().clone();
        hits.retain(|_, hits| hits.lines > 0);
        if !examples {
            hits.values_mut().for_each(|hits| hits.examples.clear());
        }
        (hits, lines)
    }

    fn locked_hits(&self) -> std::sync::MutexGuard<'_, (BTreeMap<String, Hits>, u64)> {
        self.hits.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether whole fields are replaced, which only a line tells.
    pub fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Takes note of a line that becomes a case, as it came and as it is kept.
    pub fn looked_through(&self, raw: &str, kept: Option<&str>) {
        let names = self.kinds.iter().map(|kind| kind.name);
        let names = names.chain(self.patterns.iter().map(|(name, _)| name.as_str()));
        let mut hits = self.locked_hits();
        hits.1 += 1;
        for name in names.chain(["field"]) {
            let begins = format!("[{name}:");
            let more = kept
                .is_some_and(|kept| kept.matches(&begins).count() > raw.matches(&begins).count());
            if more {
                hits.0.entry(name.to_owned()).or_default().lines += 1;
            }
        }
    }

    /// A text without what is to be redacted.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut current = Cow::Borrowed(text);
        for kind in &self.kinds {
            let plain = Plain::of(&current);
            let found: Vec<Range<usize>> =
                (kind.find)(plain.text()).into_iter().map(|place| plain.original(place)).collect();
            if !found.is_empty() {
                let replaced = self.replaced(kind.name, Some(kind), &current, &found);
                current = Cow::Owned(replaced);
            }
        }
        for (name, regex) in &self.patterns {
            let found: Vec<Range<usize>> = regex
                .find_iter(&current)
                .map(|found| found.range())
                .filter(|range| !range.is_empty())
                .collect();
            if !found.is_empty() {
                current = Cow::Owned(self.replaced(name, None, &current, &found));
            }
        }
        current
    }

    fn replaced(
        &self,
        name: &str,
        kind: Option<&Redactor>,
        text: &str,
        found: &[Range<usize>],
    ) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            out.push_str(&text[at..range.start]);
            out.push_str(&self.pseudonym(name, kind, &text[range.clone()]));
            at = range.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn pseudonym(&self, name: &str, kind: Option<&Redactor>, what: &str) -> String {
        self.count(name);
        {
            let mut hits = self.locked_hits();
            let examples = &mut hits.0.entry(name.to_owned()).or_default().examples;
            let example = || cut_chars(what, EXAMPLE_CHARS);
            if examples.len() < EXAMPLES_MAX && !examples.contains(&example()) {
                examples.push(example());
            }
        }
        let plain = match kind {
            Some(kind) => (kind.plainly)(Plain::of(what).text()),
            None => what
                .chars()
                .filter(|c| c.is_alphanumeric() || "@.:_".contains(*c))
                .flat_map(char::to_lowercase)
                .collect(),
        };
        let hash = blake3::keyed_hash(&self.key, format!("{name}\0{plain}").as_bytes());
        let letters: String = hash.as_bytes()[..8]
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect();
        format!("[{name}:{letters}]")
    }

    fn count(&self, name: &str) {
        *self
            .counts
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .entry(name.to_owned())
            .or_default() += 1;
    }

    /// The kind that the whole of a field is, by its name.
    fn kind_of_field(&self, name: &str, value: &str) -> Option<&'static Redactor> {
        if value.starts_with('[') && value.ends_with(']') {
            return None; // a pseudonym
        }
        let letters: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let holds = |kind: &Redactor| {
            kind.name == token::REDACTOR.name && token::is_secret_field(name, value)
                || kind.fields.contains(&letters.as_str())
                    && (kind.plainly)(Plain::of(value).text()).len() >= FIELD_LENGTH_MIN
        };
        self.kinds.iter().copied().find(|kind| holds(kind))
    }

    /// A text without what is to be redacted, being the value of the field that `path` leads to.
    fn text_of_field<'t>(&self, text: &'t str, path: &[String]) -> Cow<'t, str> {
        match path.last().and_then(|name| self.kind_of_field(name, text)) {
            Some(kind) => Cow::Owned(self.pseudonym(kind.name, Some(kind), text)),
            None => self.text(text),
        }
    }

    /// A number of a line: a number is replaced as a whole or not at all.
    fn number(&self, raw: &str, path: &[String]) -> Option<String> {
        if let Some(kind) = path.last().and_then(|name| self.kind_of_field(name, raw)) {
            return Some(self.pseudonym(kind.name, Some(kind), raw));
        }
        let whole = |found: &[Range<usize>]| matches!(found, [one] if *one == (0..raw.len()));
        if raw.bytes().all(|byte| byte.is_ascii_digit())
            && let Some(kind) = self.kinds.iter().find(|kind| whole(&(kind.find)(raw)))
        {
            return Some(self.pseudonym(kind.name, Some(kind), raw));
        }
        let named = self.patterns.iter().find(|(_, regex)| {
            regex.find(raw).is_some_and(|found| found.range() == (0..raw.len()))
        });
        named.map(|(name, _)| self.pseudonym(name, None, raw))
    }

    /// A prediction line, byte for byte but for what is redacted. Names of fields, and what
    /// identifies the prediction, are kept.
    pub fn line<'l>(&self, raw: &'l str) -> Cow<'l, str> {
        self.value(raw, &mut Vec::new())
    }

    fn value<'r>(&self, raw: &'r str, path: &mut Vec<String>) -> Cow<'r, str> {
        if !path.is_empty() && self.paths.iter().any(|wanted| wanted == path) && raw != "null" {
            let text = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
            return Cow::Owned(quoted(&self.pseudonym("field", None, &text)));
        }
        let kept = is_kept(path);
        if kept && path.len() == 1 && IDENTIFYING.contains(&path[0].as_str()) {
            let plain = Plain::of(raw);
            let found = |kind: &&&Redactor| !(kind.find)(plain.text()).is_empty();
            if self.kinds.iter().any(|kind| found(&kind)) {
                self.count(KEPT_COUNT);
            }
        }
        let first = raw.as_bytes().first();
        // A field in what is kept is replaced where it is named, and nothing else of it.
        let leads_on = || self.paths.iter().any(|wanted| wanted.starts_with(path));
        if kept && (!matches!(first, Some(b'{' | b'[')) || !leads_on()) {
            return Cow::Borrowed(raw);
        }
        match first {
            Some(b'"') => match serde_json::from_str::<String>(raw) {
                Ok(text) => match self.text_of_field(&text, path) {
                    Cow::Borrowed(_) => Cow::Borrowed(raw),
                    Cow::Owned(text) => Cow::Owned(quoted(&text)),
                },
                Err(_) => Cow::Borrowed(raw),
            },
            Some(b'{') => {
                let Ok(Members(members)) = serde_json::from_str::<Members<'_>>(raw) else {
                    return Cow::Borrowed(raw);
                };
                self.children(
                    raw,
                    members.into_iter().map(|(name, value)| (Some(name), value)),
                    path,
                )
            }
            Some(b'[') => {
                let Ok(items) = serde_json::from_str::<Items<'_>>(raw) else {
                    return Cow::Borrowed(raw);
                };
                self.children(raw, items.0.into_iter().map(|value| (None, value)), path)
            }
            // A number may be that of a card, or of a telephone.
            Some(b'-' | b'0'..=b'9') => {
                self.number(raw, path).map_or(Cow::Borrowed(raw), |text| Cow::Owned(quoted(&text)))
            }
            _ => Cow::Borrowed(raw),
        }
    }

    /// The text of an object or a list, with those of its parts replaced that changed.
    fn children<'r>(
        &self,
        raw: &'r str,
        parts: impl Iterator<Item = (Option<String>, &'r RawValue)>,
        path: &mut Vec<String>,
    ) -> Cow<'r, str> {
        let mut out = String::new();
        let mut at = 0;
        for (name, part) in parts {
            let part = part.get();
            // Parts are pieces of the whole, which is where they stand in it.
            let start = part.as_ptr() as usize - raw.as_ptr() as usize;
            let named = name.is_some();
            path.extend(name);
            if let Cow::Owned(changed) = self.value(part, path) {
                out.push_str(&raw[at..start]);
                out.push_str(&changed);
                at = start + part.len();
            }
            if named {
                path.pop();
            }
        }
        if at == 0 {
            return Cow::Borrowed(raw);
        }
        out.push_str(&raw[at..]);
        Cow::Owned(out)
    }
}

fn cut_chars(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

/// The members of an object, in order, the same name twice if it stands there twice.
struct Members<'r>(Vec<(String, &'r RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Each)
    }
}

/// The items of a list.
struct Items<'r>(Vec<&'r RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Items<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        from.deserialize_seq(Each)
    }
}

fn only_digits(found: &str) -> String {
    found.chars().filter(char::is_ascii_digit).collect()
}

/// Checks one kind on texts: `expect` is the text with each find in brackets.
/// Whether a part of a line is kept but for fields that are named.
fn is_kept(path: &[String]) -> bool {
    match path {
        [top, ..] if KEPT.contains(&top.as_str()) => true,
        [top, field, ..] => SAID.contains(&top.as_str()) && KEPT_OF_SAID.contains(&field.as_str()),
        _ => false,
    }
}

#[cfg(test)]
fn check(redactor: &Redactor, cases: &[(&str, &str)]) {
    for (text, expect) in cases {
        let mut marked = String::new();
        let mut at = 0;
        let plain = Plain::of(text);
        for range in (redactor.find)(plain.text()).into_iter().map(|place| plain.original(place)) {
            marked.push_str(&format!("{}[{}]", &text[at..range.start], &text[range.clone()]));
            at = range.end;
        }
        marked.push_str(&text[at..]);
        assert_eq!(&marked, expect, "{}", redactor.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(kinds: &[&str], paths: &[&str]) -> Redact {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        let pattern = vec![config::Pattern { name: "order".into(), regex: "ORD-[0-9]+".into() }];
        Redact::new(&config::Redact { kinds: own(kinds), paths: own(paths), pattern }, [7; 32])
            .unwrap()
            .unwrap()
    }

    #[test]
    fn a_line_keeps_every_byte_that_is_not_redacted() {
        let redact = redact(&["email"], &["input.user.name", "input.age"]);
        let raw = r#"{"id":"a@b.de", "n":0.10, "input":{"text":"mail \"me\" at ana@example.com", "user":{"name":"Ana","x":[1, "ORD-77"]},"age":3e0}}"#;
        let line = redact.line(raw);
        let mail = redact.pseudonym("email", Some(&email::REDACTOR), "ana@example.com");
        let (name, age) =
            (redact.pseudonym("field", None, "Ana"), redact.pseudonym("field", None, "3e0"));
        let order = redact.pseudonym("order", None, "ORD-77");
        let expect = format!(
            r#"{{"id":"a@b.de", "n":0.10, "input":{{"text":"mail \"me\" at {mail}", "user":{{"name":"{name}","x":[1, "{order}"]}},"age":"{age}"}}}}"#
        );
        assert_eq!(line, expect);
        assert_eq!(
            redact.line(r#"{"id":"x","input":{"text":"nothing here"}}"#),
            r#"{"id":"x","input":{"text":"nothing here"}}"#
        );
    }

    #[test]
    fn one_thing_has_one_pseudonym_and_another_key_another() {
        let one = redact(&["email", "phone"], &[]);
        assert_eq!(one.text("Ana@Example.com"), one.text("ana@example.com"));
        assert_eq!(one.text("+49 30 1234567"), one.text("+49 (30) 123-4567"));
        assert_eq!(one.text("+49.30.1234567"), one.text("0049 30 1234567"));
        let ip = redact(&["ip", "card"], &[]);
        assert_eq!(ip.text("2001:db8::1"), ip.text("2001:DB8:0:0:0:0:0:1"));
        assert_eq!(ip.text("::ffff:10.0.0.1"), ip.text("10.0.0.1"));
        assert_eq!(ip.text("4111 1111 1111 1111"), ip.text("４111.1111.1111.1111"));
        let other = Redact { key: [8; 32], ..redact(&["email"], &[]) };
        assert_ne!(one.text("ana@example.com"), other.text("ana@example.com"));
        assert_eq!(one.counts()["email"], 3);
        assert_eq!(one.text("jo\u{308}rg@x.org"), one.text("jörg%40x.org"));
        assert_eq!(
            one.text(&one.text("ana@example.com")),
            one.text("ana@example.com"),
            "a pseudonym is not redacted again"
        );
    }

    #[test]
    fn fields_are_known_by_their_names_and_numbers_are_never_touched_inside() {
        let redact = redact(&["token", "email", "iban", "card", "ip", "phone"], &[]);
        let check = |line: &str, changed: bool| {
            assert_eq!(matches!(redact.line(line), Cow::Owned(_)), changed, "{line}")
        };
        for score in [
            "0.5309136012499991",
            "-0.52470182069312",
            "0.4111111111111111",
            "4.111111111111111e15",
            "-4111111111111111",
        ] {
            check(&format!(r#"{{"input":{{"x":{score},"y":[{score}]}}}}"#), false);
        }
        check(r#"{"input":{"x":4111111111111111}}"#, true);
        check(r#"{"input":{"x":4111111111111112}}"#, false);
        check(r#"{"input":{"password":"hunter","n":1}}"#, true);
        check(r#"{"input":{"phone":491712345678}}"#, true);
        check(r#"{"input":{"phone":"01712345678"}}"#, true);
        check(r#"{"input":{"order":"01712345678"}}"#, false);
        check(r#"{"input":{"phone":""},"token":"transfer","mobile":true}"#, false);
        let line = redact.line(r#"{"input":{"api_key":"0123456789abcdef"}}"#).into_owned();
        assert_eq!(redact.line(&line), line, "a pseudonym is not redacted again");
    }

    #[test]
    fn mistakes_are_named() {
        let config = |kinds: &[&str], regex: &str| config::Redact {
            kinds: kinds.iter().map(|s| (*s).to_owned()).collect(),
            paths: Vec::new(),
            pattern: vec![config::Pattern { name: "p".into(), regex: regex.into() }],
        };
        let words = |config| {
            Redact::new(&config, [0; 32]).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(words(config(&["mail"], "x")).contains("email, iban"));
        assert!(words(config(&[], "(")).contains("pattern `p`"));
    }
}
