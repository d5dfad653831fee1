//! What can be wrong with an input as such, whatever the model made of it: facts to be shown, not
//! verdicts.
//!
//! Found from the line alone: text that is empty, damaged, cut off, redacted, or has nothing to
//! read. Found against what the stream showed before ([`Profile`]): a feature that is absent, of
//! another type, out of the range seen so far, or stuck at one value. A profile learns numbers,
//! types and presence, never texts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kinds of trouble: the words of DESIGN §6 for hygiene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Defect {
    Missing,
    Corrupt,
    Truncated,
    Redacted,
    Unlabelable,
}

impl Defect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Truncated => "truncated",
            Self::Redacted => "redacted",
            Self::Unlabelable => "unlabelable",
        }
    }
}

/// Something found, about a field of the line as `input.amount`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub trouble: Defect,
    pub field: String,
    pub what: String,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.trouble.as_str(), self.field, self.what)
    }
}

/// Most facts that are kept of one line, and most features that a profile follows.
const FACTS_MAX: usize = 12;
const FEATURES_MAX: usize = 200;
/// Longest name of a feature, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Objects in objects that are looked into.
const DEPTH_MAX: usize = 4;
/// Values seen before ranges, types and presence mean anything.
const SEEN_MIN: u64 = 100;
/// So many times the same number in a row, after others, and a feature counts as stuck.
const STUCK_AFTER: u64 = 50;
/// Lengths at which systems cut texts, in characters or bytes.
const CUT_AT: [usize; 9] = [140, 255, 256, 280, 500, 512, 1000, 1024, 2048];

/// What the line itself shows. `input` is its input, `text` the text of it.
pub fn facts_of_line(input: &Value, text: &str) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut say =
        |trouble, what: String| facts.push(Fact { trouble, field: "input.text".to_owned(), what });
    // A null is told below.
    let has_text = input.get("text").is_some_and(|text| !text.is_null()) || !text.is_empty();
    if has_text {
        of_text(text, &mut say);
    }
    each_leaf(input, &mut |field, value| {
        if value.is_null() {
            facts.push(Fact {
                trouble: Defect::Missing,
                field: field.to_owned(),
                what: "is null".to_owned(),
            });
        }
    });
    facts.truncate(FACTS_MAX);
    facts
}

fn of_text(text: &str, say: &mut dyn FnMut(Defect, String)) {
    // Nearly all texts are plain, and are looked at no more than they need.
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_blank(c)).is_empty() {
        let what = if text.is_empty() {
            "is empty".to_owned()
        } else {
            format!("is {} blank characters", text.chars().count())
        };
        return say(Defect::Missing, what);
    }
    if !plain {
        of_odd_text(text, say);
    }
    let holes = if text.contains('?') { holes(text) } else { 0 };
    if holes > 0 {
        say(Defect::Corrupt, format!("has question marks inside {holes} word{}", plural(holes)));
    }
    if let Some(what) = cut(text) {
        say(Defect::Truncated, what);
    }
    if let Some(what) = redacted(text) {
        say(Defect::Redacted, what);
    }
    if !text.chars().any(char::is_alphanumeric) {
        say(Defect::Unlabelable, "has no letter and no digit".to_owned());
    } else if is_one_thing_again(text) {
        say(Defect::Unlabelable, "is one character again and again".to_owned());
    }
}

/// What only characters beyond plain ASCII can show.
fn of_odd_text(text: &str, say: &mut dyn FnMut(Defect, String)) {
    let count = |odd: fn(char) -> bool| text.chars().filter(|c| odd(*c)).count();
    let lost = count(|c| c == '\u{fffd}');
    if lost > 0 {
        say(Defect::Corrupt, format!("has {lost} replacement sign{}", plural(lost)));
    }
    let controls = count(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if controls > 0 {
        say(Defect::Corrupt, format!("has {controls} control character{}", plural(controls)));
    }
    let unseen = count(
        |c| matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'),
    );
    if unseen > 0 {
        say(
            Defect::Corrupt,
            format!(
                "has {unseen} invisible character{}, which change how it is read",
                plural(unseen)
            ),
        );
    }
    if let Some(meant) = mojibake(text) {
        say(Defect::Corrupt, format!("was decoded wrongly: as UTF-8 a part of it is “{meant}”"));
    }
}

fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{3164}' | '\u{2800}'
    )
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// What a run of characters was before UTF-8 was read as Latin-1 or Windows-1252, if that is what
/// happened.
fn mojibake(text: &str) -> Option<String> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut found = None;
    for c in text.chars().chain([' ']) {
        match byte_of(c) {
            Some(byte) if byte >= 0x80 => bytes.push(byte),
            _ => {
                if bytes.len() >= 2 && found.is_none() {
                    found = String::from_utf8(std::mem::take(&mut bytes)).ok();
                }
                bytes.clear();
            }
        }
    }
    found
}

/// The byte that Windows-1252 (and Latin-1 where that has none) writes a character as.
fn byte_of(c: char) -> Option<u8> {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let code = u32::from(c);
    if code < 0x80 || (0xa0..0x100).contains(&code) {
        return u8::try_from(code).ok();
    }
    HIGH.iter().position(|high| *high == c).map(|at| 0x80 + at as u8)
}

/// Words with question marks between their letters: what is left where an encoder had no sign.
fn holes(text: &str) -> usize {
    let has_hole = |word: &str| {
        let inner: Vec<char> =
            word.trim_matches(|c: char| !c.is_alphanumeric() && c != '?').chars().collect();
        let marked = inner.windows(3).any(|three| {
            three[0].is_alphanumeric()
                && three[1] == '?'
                && (three[2] == '?' || three[2].is_alphanumeric())
        });
        marked
            && !word.contains("://")
            && !word.contains('=')
            && inner.last().is_some_and(|c| *c != '?')
    };
    text.split_whitespace().filter(|word| has_hole(word)).count()
}

fn cut(text: &str) -> Option<String> {
    let end = text.trim_end();
    let (chars, bytes) = (text.chars().count(), text.len());
    let round = CUT_AT
        .into_iter()
        .find(|n| *n == chars || *n == bytes)
        .or_else(|| (chars >= 4000 && chars % 1000 == 0).then_some(chars));
    if let Some(n) = round
        && !end.ends_with(['.', '!', '?'])
    {
        return Some(format!("is exactly {n} long and ends without a stop"));
    }
    let last = end.rsplit(char::is_whitespace).next().unwrap_or_default();
    if last.contains('&')
        && !last.contains(';')
        && last.len() < 8
        && last.rsplit('&').next().is_some_and(|name| {
            "amp lt gt quot nbsp"
                .split(' ')
                .any(|known| !name.is_empty() && known.starts_with(name))
        })
    {
        return Some("ends inside a sign of HTML".to_owned());
    }
    let opens = end.starts_with(['{', '['])
        && !end.ends_with(['}', ']'])
        && serde_json::from_str::<Value>(end).is_err();
    if opens && end.contains(':') {
        return Some("begins as JSON and does not end as such".to_owned());
    }
    end.ends_with("[truncated]").then(|| "says that it was cut".to_owned())
}

fn redacted(text: &str) -> Option<String> {
    if !text.contains(['[', '<', '*', 'X', '█']) {
        return None;
    }
    let lower = text.to_lowercase();
    let words = [
        "[redacted]",
        "<redacted>",
        "[removed]",
        "[masked]",
        "<person>",
        "<email",
        "<phone",
        "[name]",
        "[email]",
        "[phone]",
    ];
    if let Some(word) = words.into_iter().find(|word| lower.contains(word)) {
        return Some(format!("has {word}"));
    }
    let run = |sign: char, least: usize| {
        let mut long = 0;
        text.chars().any(|c| {
            long = if c == sign { long + 1 } else { 0 };
            long >= least
        })
    };
    if run('█', 2) || run('*', 4) || run('X', 6) {
        return Some("has a blacked-out part".to_owned());
    }
    None
}

fn is_one_thing_again(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !c.is_whitespace());
    let first = signs.next();
    let rest: Vec<char> = signs.collect();
    rest.len() >= 5 && rest.iter().all(|c| Some(*c) == first)
}

/// Calls `each` with the values of an input and their paths, as `input.amount`; what is deeper than
/// objects in objects is one value.
fn each_leaf<'v>(input: &'v Value, each: &mut dyn FnMut(&str, &'v Value)) {
    fn walk<'v>(
        path: &mut String,
        value: &'v Value,
        depth: usize,
        left: &mut usize,
        each: &mut dyn FnMut(&str, &'v Value),
    ) {
        match value {
            Value::Object(object) if depth < DEPTH_MAX => {
                for (name, value) in object.iter().filter(|(name, _)| name.len() <= NAME_BYTES_MAX)
                {
                    if *left == 0 {
                        return;
                    }
                    let long = path.len();
                    path.push('.');
                    path.push_str(name);
                    walk(path, value, depth + 1, left, each);
                    path.truncate(long);
                }
            }
            value if *left > 0 => {
                *left -= 1;
                each(path, value);
            }
            _ => {}
        }
    }
    walk(&mut "input".to_owned(), input, 0, &mut FEATURES_MAX.clone(), each);
}

/// What a stream's inputs were like so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Profile {
    pub lines: u64,
    pub features: BTreeMap<String, Feature>,
}

/// What was seen of one feature.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Feature {
    pub seen: u64,
    /// How often it was of each type: null, true or false, a number, a text, a list, an object.
    pub types: [u64; TYPES.len()],
    pub least: Option<f64>,
    pub most: Option<f64>,
    /// Its latest number, and how often in a row it was that.
    pub last: Option<f64>,
    pub again: u64,
}

/// Types of values, in words.
const TYPES: [&str; 6] = ["null", "true or false", "a number", "a text", "a list", "an object"];

fn type_of(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

impl Profile {
    /// What stands out in an input against what was seen before it.
    pub fn facts(&self, input: &Value) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut usual = 0;
        let is_usual =
            |feature: &Feature| self.lines >= SEEN_MIN && feature.seen * 20 >= self.lines * 19;
        each_leaf(input, &mut |field, value| {
            let Some(feature) = self.features.get(field) else { return };
            usual += usize::from(is_usual(feature));
            let stands_out = feature.stands_out(value);
            facts.extend(stands_out.map(|(trouble, what)| Fact {
                trouble,
                field: field.to_owned(),
                what,
            }));
        });
        let expected = self.features.iter().filter(|(_, feature)| is_usual(feature));
        if usual < expected.clone().count() {
            let mut here = Vec::new();
            each_leaf(input, &mut |field, _| here.push(field.to_owned()));
            for (field, _) in expected.filter(|(field, _)| !here.contains(field)) {
                let what = "is absent; nearly all others have it".to_owned();
                facts.push(Fact { trouble: Defect::Missing, field: field.clone(), what });
            }
        }
        facts.truncate(FACTS_MAX);
        facts
    }

    /// Learns from an input.
    pub fn learn(&mut self, input: &Value) {
        self.lines += 1;
        each_leaf(input, &mut |field, value| {
            if value.is_null() {
                return;
            }
            if let Some(feature) = self.features.get_mut(field) {
                return feature.learn(value);
            }
            if self.features.len() < FEATURES_MAX {
                let mut feature = Feature::default();
                feature.learn(value);
                self.features.insert(field.to_owned(), feature);
            }
        });
    }
}

impl Feature {
    fn learn(&mut self, value: &Value) {
        self.seen += 1;
        self.types[type_of(value)] += 1;
        let Some(number) = value.as_f64() else { return };
        self.again = if self.last == Some(number) { self.again + 1 } else { 1 };
        self.last = Some(number);
        self.least = Some(self.least.map_or(number, |least| least.min(number)));
        self.most = Some(self.most.map_or(number, |most| most.max(number)));
    }

    fn stands_out(&self, value: &Value) -> Option<(Defect, String)> {
        if self.seen < SEEN_MIN || value.is_null() {
            return None;
        }
        let (usual, often) = self.types.iter().enumerate().max_by_key(|(_, n)| **n)?;
        let is = type_of(value);
        if is != usual && often * 100 >= self.seen * 99 {
            return Some((
                Defect::Corrupt,
                format!("is {}; it was {} until now", TYPES[is], TYPES[usual]),
            ));
        }
        let (number, least, most) = (value.as_f64()?, self.least?, self.most?);
        if number < least || number > most {
            return Some((
                Defect::Corrupt,
                format!("is {number}, outside of {least} to {most} seen until now"),
            ));
        }
        let stuck = self.last == Some(number) && self.again >= STUCK_AFTER && least < most;
        stuck.then(|| {
            (
                Defect::Corrupt,
                format!("has been {number} for {} lines; before, it varied", self.again),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let facts: Vec<String> =
            facts_of_line(&json!({ "text": text }), text).iter().map(Fact::to_string).collect();
        assert!(
            facts.len() == expect.len()
                && facts.iter().zip(expect).all(|(fact, expect)| fact.contains(expect)),
            "{text:?}: {facts:?}"
        );
    }

    #[test]
    fn damaged_texts_are_told_from_sound_ones() {
        check("can i move some money around before friday?", &[]);
        check("where is it?? really?", &[]);
        check("https://a.b/?q=1&r=2", &[]);
        check("¿Dónde está mi café?", &[]);
        check("Ärger über Öl", &[]);
        check("", &["missing: input.text is empty"]);
        check(" \u{200b}\n", &["missing: input.text is 3 blank"]);
        check(
            "b\u{fffd}\u{fffd}nce pl\u{fffd}se",
            &["2 replacement"].map(|_| "corrupt: input.text has 3 replacement signs"),
        );
        check("b??nce pl??se", &["corrupt: input.text has question marks inside 2 words"]);
        check("\u{1b}[31mred", &["corrupt: input.text has 1 control character"]);
        check("pay \u{202e}tnuocca", &["corrupt: input.text has 1 invisible character"]);
        check("cafÃ© to go", &["corrupt: input.text was decoded wrongly"]);
        check("itâ€™s late", &["“’”"]);
        check(
            &"word ".repeat(51).chars().take(255).collect::<String>(),
            &["truncated: input.text is exactly 255"],
        );
        check("{\"a\": 1, \"b\": [", &["truncated: input.text begins as JSON"]);
        check("call me at [REDACTED] please", &["redacted: input.text has [redacted]"]);
        check("card **** 1234", &["redacted"]);
        check("?!?!", &["unlabelable: input.text has no letter"]);
        check("aaaaaaaaaa", &["unlabelable: input.text is one character"]);
    }

    #[test]
    fn features_are_compared_with_what_was_seen() {
        let mut profile = Profile::default();
        for i in 0..200 {
            profile
                .learn(&json!({ "amount": 10 + i % 40, "country": "PT", "device": { "age": i } }));
        }
        let facts =
            |input: Value| profile.facts(&input).iter().map(Fact::to_string).collect::<Vec<_>>();
        assert_eq!(
            facts(json!({ "amount": 20, "country": "DE", "device": { "age": 7 } })),
            Vec::<String>::new()
        );
        assert_eq!(
            facts(json!({ "amount": 5000, "device": { "age": "7" } })),
            [
                "corrupt: input.amount is 5000, outside of 10 to 49 seen until now",
                "corrupt: input.device.age is a text; it was a number until now",
                "missing: input.country is absent; nearly all others have it",
            ]
        );
        (0..60).for_each(|_| {
            profile.learn(&json!({ "amount": 17, "country": "PT", "device": { "age": 3 } }))
        });
        let facts =
            profile.facts(&json!({ "amount": 17, "country": "PT", "device": { "age": 4 } }));
        assert_eq!(
            facts[0].to_string(),
            "corrupt: input.amount has been 17 for 60 lines; before, it varied"
        );
        let null = facts_of_line(&json!({ "amount": null }), "");
        assert_eq!(null[0].to_string(), "missing: input.amount is null");
    }
}
