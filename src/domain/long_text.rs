//! Texts that are too long to be held while a case is open: of each its beginning is, and the rest is
//! read on in pages.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{self, Deserializer as _, Visitor};
use serde_json::Value;

use super::modality::name_in_tree;
use super::text::{cut, head};
use super::written::{end_of_string, strings};

/// Bytes of a payload up to which all of it is held.
pub const WHOLE_BYTES: u64 = 4 << 20;
/// Bytes of a text that are held of a larger payload.
pub const HELD_BYTES: usize = 1 << 20;
/// Bytes of a page, or a little less: it ends where a line does, or a word.
const PAGE_BYTES: usize = 256 << 10;
/// How far before its end a page may end.
const EARLIER_BYTES: usize = 4 << 10;
/// What an attachment that stands in a field begins with: half of one is none.
const INLINE: &str = "data:";

/// What is asked for of a long text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A page, from 0; the last, where there are fewer.
    Page(usize),
    /// The next page from one on, round the end, in which some words stand, or the one before it.
    Find { words: String, from: usize, forward: bool },
}

/// A part of a long text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Which of the long texts of its case, from 0.
    pub at: usize,
    pub name: String,
    /// From 0, of how many.
    pub number: usize,
    pub pages: usize,
    pub text: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// Bytes of the whole text.
    pub bytes: usize,
    pub found: Option<Found>,
}

/// What was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In small letters.
    pub words: String,
    /// In how many places it stands, how many of them before the page, and in it.
    pub places: usize,
    pub before: usize,
    pub here: usize,
    pub forward: bool,
}

/// How large something is, in words.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Where the insides of the values of a line stand that may be too long to be held.
fn long_ones(line: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    strings(line.as_bytes()).filter_map(|(is_value, at)| {
        let inside = &line[at.clone()];
        (is_value && inside.len() > HELD_BYTES && !inside.starts_with(INLINE)).then_some(at)
    })
}

/// Reads the string whose inside stands there; it is not kept beside the line for that.
fn read<T>(line: &str, at: &Range<usize>, each: impl FnOnce(&str) -> T) -> Option<T> {
    struct Each<F>(F);

    impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Each<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok(self.0(text))
        }
    }

    let quoted = &line[at.start - 1..=at.end];
    serde_json::Deserializer::from_str(quoted).deserialize_str(Each(each)).ok()
}

/// The line with the beginnings of its long texts, each with how much more there is, and their names:
/// `input.text`.
pub fn beginnings(line: &str) -> (Cow<'_, str>, Vec<String>) {
    let (mut short, mut at, mut long) = (String::new(), 0, 0);
    for range in long_ones(line) {
        let beginning = read(line, &range, |text| {
            (text.len() > HELD_BYTES).then(|| serde_json::to_string(&cut(text, HELD_BYTES)))
        });
        let Some(Some(Ok(beginning))) = beginning else { continue };
        short.push_str(&line[at..range.start - 1]);
        short.push_str(&beginning);
        (at, long) = (range.end + 1, long + 1);
    }
    if long == 0 {
        return (Cow::Borrowed(line), Vec::new());
    }
    short.push_str(&line[at..]);
    let mut texts = names(&serde_json::from_str(&short).unwrap_or_default());
    if texts.len() != long {
        // Of a name that stands twice in an object one counts: which of them is whose is not known.
        texts = (1..=long).map(|n| format!("long text {n}")).collect();
    }
    (Cow::Owned(short), texts)
}

/// The names of the texts of which only a beginning is held, in the order of the line.
fn names(line: &Value) -> Vec<String> {
    fn walk(name: &str, value: &Value, found: &mut Vec<String>) {
        let below =
            |key: &str| if name.is_empty() { key.to_owned() } else { name_in_tree(name, Ok(key)) };
        match value {
            Value::String(text) if text.len() > HELD_BYTES && !text.starts_with(INLINE) => {
                found.push(name.to_owned());
            }
            Value::Object(object) => {
                object.iter().for_each(|(key, value)| walk(&below(key), value, found));
            }
            Value::Array(list) => {
                let items = list.iter().enumerate();
                items.for_each(|(at, value)| walk(&name_in_tree(name, Err(at)), value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk("", line, &mut found);
    found
}

/// A long text of a line: which of them, from 0.
pub fn text_of(line: &str, at: usize) -> Option<Cow<'_, str>> {
    let mut before = at;
    for range in long_ones(line) {
        let inside = &line[range.clone()];
        let is_plain = memchr::memchr(b'\\', inside.as_bytes()).is_none();
        let found = read(line, &range, |text| match text.len() > HELD_BYTES {
            true if before == 0 => Some((!is_plain).then(|| text.to_owned())),
            is_long => {
                before -= usize::from(is_long);
                None
            }
        });
        if let Some(Some(text)) = found {
            return Some(text.map_or(Cow::Borrowed(inside), Cow::Owned));
        }
    }
    None
}

/// Where the pages of a text begin, and where the last ends.
fn bounds(text: &str) -> Vec<usize> {
    let end = |at: usize| {
        let at = head(text, at).len();
        let near = &text[head(text, at - EARLIER_BYTES.min(at)).len()..at];
        let whole = near.rfind('\n').or_else(|| near.rfind(' '));
        whole.map_or(at, |found| at - near.len() + found + 1)
    };
    let inner = (1..text.len().div_ceil(PAGE_BYTES)).map(|n| end(n * PAGE_BYTES));
    [0].into_iter().chain(inner).chain([text.len()]).collect()
}

/// In how many places words in small letters begin in each page. The last may go on in the next page.
fn places(text: &str, bounds: &[usize], words: &str) -> Vec<usize> {
    let pages = bounds.windows(2).map(|two| (two[0], two[1]));
    // What is small may be longer or shorter than it was.
    let (over, mut skip) = (4 * words.len() + 8, 0);
    pages
        .map(|(start, end)| {
            if words.is_empty() {
                return 0;
            }
            let mut small = text[start..end].to_lowercase();
            let here = small.len();
            small.push_str(&head(&text[end..], over).to_lowercase());
            let (mut n, mut at) = (0, skip);
            while let Some(found) = small.get(at..).and_then(|rest| rest.find(words)) {
                if at + found >= here {
                    break;
                }
                n += 1;
                at += found + words.len();
            }
            skip = at.saturating_sub(here);
            n
        })
        .collect()
}

/// What is asked for of a text: which of the case it is, and what it is called. Words that stand nowhere
/// are found in no place, and the page stays.
pub fn page((at, name): (usize, &str), text: &str, ask: &Ask) -> Page {
    let bounds = bounds(text);
    let pages = bounds.len() - 1;
    let of = |number: usize| &text[bounds[number]..bounds[number + 1]];
    let (number, found) = match ask {
        Ask::Page(number) => ((*number).min(pages - 1), None),
        Ask::Find { words, from, forward } => {
            let words = words.to_lowercase();
            let counts = places(text, &bounds, &words);
            let from = (*from).min(pages - 1);
            let mut round: Vec<usize> = (from..pages).chain(0..from).collect();
            if !forward {
                round = (0..=from).rev().chain((from + 1..pages).rev()).collect();
            }
            let number = round.into_iter().find(|number| counts[*number] > 0).unwrap_or(from);
            let found = Found {
                words,
                places: counts.iter().sum(),
                before: counts[..number].iter().sum(),
                here: counts[number],
                forward: *forward,
            };
            (number, Some(found))
        }
    };
    let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..bounds[number]]).count() + 1;
    let (name, bytes) = (name.to_owned(), text.len());
    Page { at, name, number, pages, text: of(number).to_owned(), line, bytes, found }
}

/// What a JSON text begins with, where the rest is not there: what is open is closed. Nothing where it
/// ends in the middle of what has no beginning.
pub fn begun(json: &[u8]) -> Option<Value> {
    let (mut open, mut in_string, mut at) = (Vec::new(), false, 0);
    while at < json.len() {
        match json[at] {
            b'"' => match end_of_string(&json[at + 1..]) {
                Some(end) => at += end + 1,
                None => {
                    in_string = true;
                    break;
                }
            },
            b'{' => open.push('}'),
            b'[' => open.push(']'),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
        at += 1;
    }
    let mut text = match std::str::from_utf8(json) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&json[..error.valid_up_to()]).ok()?,
    };
    if !in_string {
        return None;
    }
    // An escape that is cut is left out: the longest is `\uD83D\uDE00`.
    let whole = text;
    for less in 0..12 {
        text = head(whole, whole.len().checked_sub(less)?);
        let closed: String = [text, "\""]
            .into_iter()
            .map(str::to_owned)
            .chain(open.iter().rev().map(char::to_string))
            .collect();
        if let Ok(value) = serde_json::from_str(&closed) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn line(text: &str) -> String {
        let turns =
            json!([{"role": "user", "content": "short"}, {"role": "tool", "content": text}]);
        json!({"id": "a", "input": {"text": text, "messages": turns}, "p": [0.50]}).to_string()
    }

    #[test]
    fn of_a_long_text_the_beginning_is_held_and_the_rest_is_counted() {
        let text = "zwölf \"Wörter\"\n".repeat(HELD_BYTES / 8);
        let line = line(&text);
        let (short, long) = beginnings(&line);
        assert_eq!(long, ["input.text", "input.messages[2].content"]);
        let held: Value = serde_json::from_str(&short).unwrap();
        let held = held["input"]["text"].as_str().unwrap();
        let (begin, more) = held.rsplit_once("… (").unwrap();
        assert!(text.starts_with(begin) && begin.len() > HELD_BYTES - 4);
        let more: usize = more.strip_suffix(" more characters)").unwrap().parse().unwrap();
        assert_eq!(begin.chars().count() + more, text.chars().count());
        for at in 0..2 {
            assert_eq!(text_of(&line, at).unwrap(), text);
        }
        assert_eq!(text_of(&line, 2), None);
        assert!(short.ends_with("\"p\":[0.5]}"), "what comes after it stays");
    }

    #[test]
    fn a_picture_in_a_field_and_what_is_short_are_whole() {
        let line = line(&format!("data:image/png;base64,{}", "A".repeat(2 * HELD_BYTES)));
        assert_eq!(beginnings(&line), (Cow::Borrowed(line.as_str()), Vec::new()));
    }

    #[test]
    fn of_a_name_that_stands_twice_every_text_can_be_read() {
        let (first, second) = ("a".repeat(2 * HELD_BYTES), "b".repeat(2 * HELD_BYTES));
        let line = format!(r#"{{"context":{{"k":"{first}","k":"{second}"}}}}"#);
        let (_, names) = beginnings(&line);
        assert_eq!(names, ["long text 1", "long text 2"]);
        assert_eq!(text_of(&line, 1).unwrap(), second);
    }

    #[test]
    fn words_are_found_from_a_page_on_and_round_the_end() {
        let text = format!(
            "{}NEEDLE\n{}needle needle\n",
            "hay\n".repeat(200_000),
            "hay\n".repeat(200_000)
        );
        let find = |from, forward| {
            let ask = Ask::Find { words: "Needle".to_owned(), from, forward };
            let page = page((0, "t"), &text, &ask);
            let found = page.found.unwrap();
            (page.number, page.pages, found.before, found.here, found.places)
        };
        assert_eq!(find(0, true), (3, 7, 0, 1, 3));
        assert_eq!(find(4, true), (6, 7, 1, 2, 3));
        assert_eq!(find(2, false), (6, 7, 1, 2, 3));
        let none =
            page((0, "t"), &text, &Ask::Find { words: "straw".into(), from: 2, forward: true });
        assert_eq!((none.number, none.found.unwrap().places), (2, 0));
        let last = page((0, "t"), &text, &Ask::Page(99));
        assert_eq!(last.line, text[..text.len() - last.text.len()].lines().count() + 1);
    }

    proptest! {
        /// Whatever lies at the end of a page: as many as there are in the whole, one after another.
        #[test]
        fn no_place_is_lost_between_pages(
            piece in "[ab\nΣß漢]{1,9}", times in 60_000_usize..120_000, words in "[abß漢]{1,4}",
        ) {
            let text = piece.repeat(times);
            let ask = Ask::Find { words: words.clone(), from: 0, forward: true };
            let found = page((0, "t"), &text, &ask).found.unwrap();
            let whole = text.to_lowercase().matches(&words.to_lowercase()).count();
            prop_assert_eq!(found.places, whole);
        }

        #[test]
        fn pages_are_the_whole_text(
            piece in "[a-z \n漢é👩\u{200d}🔬]{1,40}", times in 1_usize..30_000,
        ) {
            let text = piece.repeat(times);
            let pages = page((0, "t"), &text, &Ask::Page(0)).pages;
            let all: Vec<Page> = (0..pages).map(|n| page((0, "t"), &text, &Ask::Page(n))).collect();
            prop_assert_eq!(all.iter().map(|page| page.text.as_str()).collect::<String>(), text);
            prop_assert!(all.iter().all(|page| page.text.len() <= PAGE_BYTES + EARLIER_BYTES));
        }

        #[test]
        fn what_is_cut_anywhere_in_a_text_is_its_beginning(
            text in "[a-z\"\\\\\n漢é👩\u{200d}🔬]{1,40}", at in 0_usize..200,
        ) {
            let json = json!({"p": {"input": {"text": text}}, "q": [1]}).to_string();
            let begins = json.find("text\":\"").unwrap() + 7;
            let at = (begins + at).min(json.len() - 12);
            let begun = begun(&json.as_bytes()[..at.max(begins)]);
            if let Some(value) = begun {
                let held = value["p"]["input"]["text"].as_str().unwrap();
                prop_assert!(text.starts_with(held) && held.len() + 16 > (at - begins) / 2);
            } else {
                prop_assert!(at >= json.len() - 12);
            }
        }
    }
}
