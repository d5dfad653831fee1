//! Places in the texts of a case: of which text, and where in it.
//!
//! A text is called by the field it stands in: `input.text`, `output`, `input.customer.note`; the
//! text of a turn by the field and the number of the turn, `input.messages[4]`, and what a turn says
//! in its second piece `input.messages[4/2]`. As words, places of `input.text` are only numbers, as
//! `4-9,12-20`, and others say their text before each, as `output:4-9`. A comma, a colon, a
//! percent sign or a blank in the name of a text is written as in a URL.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::span::{self, SPANS_MAX, Span};

/// The text that a case is called by: places in it need no name.
pub const INPUT_TEXT: &str = "input.text";

/// Signs of a text's name that mean something between places.
const ESCAPED: [char; 3] = ['%', ',', ':'];

/// Places in the texts of a case, in order, none of them touching another.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Places(BTreeMap<String, Vec<Span>>);

impl Places {
    /// Places in one text.
    pub fn of(text: &str, spans: Vec<Span>) -> Self {
        let mut places = Self::default();
        places.set(text, spans);
        places
    }

    /// Replaces the places in one text.
    pub fn set(&mut self, text: &str, spans: Vec<Span>) {
        if spans.is_empty() {
            self.0.remove(text);
        } else {
            self.0.insert(text.to_owned(), span::joined(spans));
        }
    }

    pub fn add(&mut self, other: Self) {
        for (text, spans) in other.0 {
            let all = self.in_text(&text).iter().copied().chain(spans).collect();
            self.set(&text, all);
        }
    }

    /// The places in one text.
    pub fn in_text(&self, text: &str) -> &[Span] {
        self.0.get(text).map_or(&[], Vec::as_slice)
    }

    pub fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    /// The texts in which there are places, with them.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &[Span])> {
        self.0.iter().map(|(text, spans)| (text.as_str(), spans.as_slice()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Those in the text that needs no name, and the others.
    pub fn apart(&self) -> (Vec<Span>, Self) {
        let mut others = self.clone();
        let own = others.0.remove(INPUT_TEXT).unwrap_or_default();
        (own, others)
    }

    /// What [`Self::apart`] took apart.
    pub fn together(own: &[Span], others: &Self) -> Self {
        let mut all = others.clone();
        all.add(Self::of(INPUT_TEXT, own.to_vec()));
        all
    }

    /// Reads `4-9,output:12-20`; nothing if that is not what it says.
    pub fn parse(words: &str) -> Option<Self> {
        let mut places = Self::default();
        for piece in words.split(',').filter(|_| !words.trim().is_empty()) {
            let (text, span) = piece.trim().rsplit_once(':').unwrap_or((INPUT_TEXT, piece));
            let spans = span::parse(span).filter(|spans| !spans.is_empty())?;
            places.add(Self::of(&unescaped(text)?, spans));
        }
        Some(places).filter(|places| places.len() <= SPANS_MAX)
    }

    /// Writes places as [`Self::parse`] reads them.
    pub fn words(&self) -> String {
        let (own, others) = self.apart();
        let named = |(text, spans): (&str, &[Span])| {
            let name = escaped(text);
            spans.iter().map(|span| format!("{name}:{span}")).collect::<Vec<_>>()
        };
        let others = others.texts().flat_map(named).collect::<Vec<_>>();
        let all = own.iter().map(Span::to_string).chain(others);
        all.collect::<Vec<_>>().join(",")
    }

    /// Each as `[from, to]`, or `[text, from, to]`.
    pub fn value(&self) -> Value {
        let (own, others) = self.apart();
        let own = own.iter().map(|span| Value::from(vec![span.start, span.end]));
        let named = |(text, spans): (&str, &[Span])| {
            let one = |span: &Span| serde_json::json!([text, span.start, span.end]);
            spans.iter().map(one).collect::<Vec<Value>>()
        };
        own.chain(others.texts().flat_map(named)).collect()
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// Drafts had the places of the one text that there was.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Own(Vec<Span>),
            All(BTreeMap<String, Vec<Span>>),
        }
        let mut places = Self::default();
        match Written::deserialize(from)? {
            Written::Own(spans) => places.set(INPUT_TEXT, spans),
            Written::All(all) => all.into_iter().for_each(|(text, spans)| places.set(&text, spans)),
        }
        Ok(places)
    }
}

fn escaped(text: &str) -> String {
    let sign = |c: char| {
        if ESCAPED.contains(&c) || c.is_control() || c.is_whitespace() {
            let bytes = c.to_string().into_bytes();
            bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
        } else {
            c.to_string()
        }
    };
    text.chars().map(sign).collect()
}

fn unescaped(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_written_and_read() {
        let places = Places::parse("12-20, output:4-9,input.messages[4]:0-3,4-9").unwrap();
        assert_eq!(places.words(), "4-9,12-20,input.messages[4]:0-3,output:4-9");
        let value = json!([[4, 9], [12, 20], ["input.messages[4]", 0, 3], ["output", 4, 9]]);
        assert_eq!((places.value(), places.len()), (value, 4));
        assert_eq!(Places::parse(""), Some(Places::default()));
        for bad in ["x", "output:", "output:9-4", ":4-9", "a%zz:4-9", "4-9,,5-6"] {
            assert_eq!(Places::parse(bad), None, "{bad}");
        }
        let old: Places = serde_json::from_str("[[4,9]]").unwrap();
        assert_eq!(old, Places::of(INPUT_TEXT, vec![(4, 9).into()]));
    }

    proptest! {
        #[test]
        fn whatever_a_text_is_called(name in ".{1,12}", start in 0_usize..50, own in 0_usize..9) {
            let mut places = Places::of(&name, vec![Span { start, end: start + 3 }]);
            places.add(Places::of(INPUT_TEXT, vec![Span { start: own, end: own + 1 }]));
            prop_assert_eq!(Places::parse(&places.words()), Some(places.clone()));
            let (own, others) = places.apart();
            prop_assert_eq!(Places::together(&own, &others), places.clone());
            let json = serde_json::to_string(&places).unwrap();
            prop_assert_eq!(serde_json::from_str::<Places>(&json).unwrap(), places);
        }
    }
}
