//! One field of a line by its path, without reading the rest of the line.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The field at `path` (`input.channel`) as it stands in the line; of several of one name the first.
pub fn raw_field<'a>(raw: &'a str, path: &str) -> Option<&'a str> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(raw);
    let seek = Seek { path, found: &mut found };
    // What is wrong behind the field is somebody else's to say.
    let _ = seek.deserialize(&mut reader);
    found
}

/// The field as a text; numbers and truths as they are written, nothing for anything else.
pub fn text_field<'a>(raw: &'a str, path: &str) -> Option<Cow<'a, str>> {
    text_of_raw(raw_field(raw, path)?)
}

/// The field as a number; truths are 1 and 0.
pub fn number_field(raw: &str, path: &str) -> Option<f64> {
    match raw_field(raw, path)? {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

fn text_of_raw(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes() {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
            Some(Cow::Borrowed(&raw[1..raw.len() - 1]))
        }
        [b'"', ..] => serde_json::from_str(raw).ok().map(Cow::Owned),
        [b'n' | b'[' | b'{', ..] => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

struct Seek<'p, 'f, 'a> {
    path: &'p str,
    found: &'f mut Option<&'a str>,
}

impl<'a> DeserializeSeed<'a> for Seek<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Seek<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let (name, rest) =
            self.path.split_once('.').map_or((self.path, None), |(name, rest)| (name, Some(rest)));
        while let Some(key) = map.next_key::<Cow<'a, str>>()? {
            if key != name {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            match rest {
                None => *self.found = Some(map.next_value::<&'a RawValue>()?.get()),
                Some(path) => {
                    let inner = map.next_value::<&'a RawValue>()?.get();
                    *self.found = raw_field(inner, path);
                }
            }
            // Found: the rest need not be read.
            return Err(A::Error::custom("found"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_path() {
        let line = r#"{"a":1,"input":{"channel":"vo\"ice","n":2.50,"b":true,"deep":{"x":[1,2]}},"z":null}"#;
        assert_eq!(text_field(line, "input.channel").as_deref(), Some("vo\"ice"));
        assert_eq!(text_field(line, "input.n").as_deref(), Some("2.50"));
        assert_eq!(raw_field(line, "input.deep.x"), Some("[1,2]"));
        assert_eq!(
            (number_field(line, "input.b"), number_field(line, "a")),
            (Some(1.0), Some(1.0))
        );
        for none in ["b", "a.b", "input.deep", "z", "input.deep.x.0"] {
            assert_eq!(text_field(line, none), None, "{none}");
        }
        assert_eq!(raw_field("[1]", "a"), None);
        assert_eq!(raw_field("{\"a\":", "a"), None);
    }
}
