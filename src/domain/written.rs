//! A JSON text as it is written: where its strings stand, and its tree with every number as it came.

use std::collections::HashSet;
use std::fmt;
use std::iter;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// The insides of the strings of a JSON text, and whether each is a value.
pub fn strings(json: &[u8]) -> impl Iterator<Item = (bool, Range<usize>)> + '_ {
    let mut at = 0;
    iter::from_fn(move || {
        let start = at + memchr::memchr(b'"', json.get(at..)?)? + 1;
        let end = start + end_of_string(json.get(start..)?)?;
        at = end + 1;
        Some((json.get(at) != Some(&b':'), start..end))
    })
}

/// Where the quote is that ends a string.
pub fn end_of_string(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Reads a JSON text as a tree. serde_json keeps the digits of a number, and writes its exponent in a
/// way of its own: `1E5` as `1e+5`.
///
/// # Errors
/// Those of serde_json.
pub fn read(json: &str) -> Result<Value, serde_json::Error> {
    let value = serde_json::from_str(json)?;
    let numbers = with_exponents(json.as_bytes());
    if numbers.is_empty() {
        return Ok(value);
    }
    // Each is read as a text that begins as no text of the line does, and then made a number again.
    let mark = (0..).map(|n| format!("{n}:")).find(|mark| !any_begins(&value, mark));
    let mark = mark.unwrap_or_default();
    let (mut marked, mut at) = (String::with_capacity(json.len() + 8 * numbers.len()), 0);
    for number in numbers {
        marked.extend([&json[at..number.start], "\"", &mark, &json[number.clone()], "\""]);
        at = number.end;
    }
    marked.push_str(&json[at..]);
    let mut value = serde_json::from_str(&marked)?;
    unmark(&mut value, &mark);
    Ok(value)
}

/// Fields that stand more than once in their object, by their paths, a few of them: whoever reads a line
/// sees the last of each.
pub fn named_twice(json: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(json);
    // What is no JSON is somebody else's to say.
    let _ = Below { path: String::new(), found: &mut found }.deserialize(&mut reader);
    found
}

/// Fields that are told.
const TWICE_MAX: usize = 3;

/// What stands at a path.
struct Below<'f> {
    path: String,
    found: &'f mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for at in 1.. {
            let path = format!("{}[{at}]", self.path);
            if seq.next_element_seed(Below { path, found: self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = match self.path.as_str() {
                "" => name.clone(),
                above => format!("{above}.{name}"),
            };
            if !names.insert(name) && self.found.len() < TWICE_MAX && !self.found.contains(&path) {
                self.found.push(path.clone());
            }
            map.next_value_seed(Below { path, found: self.found })?;
        }
        Ok(())
    }
}

/// Where the numbers with an exponent stand in a sound JSON text.
fn with_exponents(json: &[u8]) -> Vec<Range<usize>> {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let (mut numbers, mut from) = (Vec::new(), 0);
    let ends = strings(json).map(|(_, at)| at).chain(iter::once(json.len()..json.len()));
    for string in ends {
        let between = &json[from.min(string.start)..string.start];
        let mut at = 0;
        for e in memchr::memchr2_iter(b'e', b'E', between) {
            if e < at || e == 0 || !between[e - 1].is_ascii_digit() {
                continue;
            }
            let start = e - between[..e].iter().rev().take_while(|byte| is_of_number(byte)).count();
            at = e + between[e..].iter().take_while(|byte| is_of_number(byte)).count();
            numbers.push(from + start..from + at);
        }
        from = string.end + 1;
    }
    numbers
}

fn any_begins(value: &Value, mark: &str) -> bool {
    match value {
        Value::String(text) => text.starts_with(mark),
        Value::Array(list) => list.iter().any(|item| any_begins(item, mark)),
        Value::Object(object) => object.values().any(|item| any_begins(item, mark)),
        _ => false,
    }
}

fn unmark(value: &mut Value, mark: &str) {
    match value {
        Value::String(text) => {
            if let Some(number) = text.strip_prefix(mark) {
                // Every other way to a number writes its exponent anew.
                *value = Value::Number(Number::from_string_unchecked(number.to_owned()));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| unmark(item, mark)),
        Value::Object(object) => object.values_mut().for_each(|item| unmark(item, mark)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// JSON without blanks, as somebody may write it.
    fn json() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
        let word = "\"(0:|1:|e|E|-|1E5|[a-z]|\\\\\"|\\\\u0030:){0,4}\"";
        let plain = prop_oneof![4 => number, 2 => word, 1 => "true|false|null"];
        plain.prop_recursive(4, 40, 6, move |inner| {
            let fields = prop::collection::vec((word, inner.clone()), 0..5).prop_map(|fields| {
                let named: std::collections::BTreeMap<_, _> = fields
                    .into_iter()
                    .enumerate()
                    .map(|(n, (name, value))| (format!("\"{n}{}", &name[1..]), value))
                    .collect();
                let fields: Vec<String> =
                    named.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            });
            let list = prop::collection::vec(inner, 0..5)
                .prop_map(|items| format!("[{}]", items.join(",")));
            prop_oneof![fields, list]
        })
    }

    proptest! {
        #[test]
        fn a_tree_is_written_as_it_came(text in json()) {
            let read = read(&text).unwrap();
            // Of texts there is more than one way to write each.
            prop_assert_eq!(read.to_string(), text.replace("\\u0030", "0"));
            // It is the tree that everybody reads.
            let usual: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&read.to_string()).unwrap(), usual);
        }
    }

    #[test]
    fn what_stands_twice_is_named() {
        let line = r#"{"a":1,"b":[{"k":1e5,"k":2}],"c":{"z":{"y":1,"y":2,"y":3},"x":1},"a":{"d":0,"d":1}}"#;
        assert_eq!(named_twice(line), ["b[1].k", "c.z.y", "a"]);
        assert_eq!(
            named_twice(r#"{"a":{"k":1},"b":{"k":1},"c":[1,1,null,true,"x",-2.5]}"#),
            [""; 0]
        );
        assert_eq!(named_twice("{\"a\":"), [""; 0]);
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_counts() {
        assert_eq!(
            read("{\"a\":1E5,\"b\": [2e-3 ,true],\"a\":7}").unwrap().to_string(),
            "{\"a\":7,\"b\":[2e-3,true]}"
        );
        assert_eq!(read("1E5").unwrap().as_f64(), Some(1e5));
        assert_eq!(read("\"0:\"").unwrap(), json!("0:"));
        assert!(read("{\"a\":1E}").is_err() && read("1e5e5").is_err() && read("").is_err());
    }
}
