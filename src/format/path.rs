//! Where something stands in a record: names and places after one another, what is wrapped in a text
//! unwrapped on the way, or a constant.
//!
//! ```text
//! req.user.id                    fields, a name that itself holds dots too
//! predictions[0].label           a place in a list (`predictions.0.label` is the same)
//! body.json().messages.last()    JSON in a text; the first() or last() of a list
//! Data.base64().json().id        base64 in a text
//! score.percent()                a hundredth of a number (`87`, `87 %`)
//! logprob.exp()                  what a logarithm is of
//! 'intent-lr'                    this text
//! ```

use std::borrow::Cow;

use crate::domain::written;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

pub use crate::domain::logline::scalar;

/// A path as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    Constant(String),
    Steps(Vec<Step>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Name(String),
    Place(usize),
    Json,
    Base64,
    First,
    Last,
    Percent,
    Exp,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What can't be read, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('\'') {
            let inner = rest
                .strip_suffix('\'')
                .ok_or_else(|| format!("`{text}`: a constant ends with a quote"))?;
            return Ok(Self::Constant(inner.to_owned()));
        }
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut places) = part.split_at(part.find('[').unwrap_or(part.len()));
            match name {
                "" if places.is_empty()
                    || steps.is_empty() && name.is_empty() && !places.starts_with('[') =>
                {
                    return Err(format!("`{text}`: a name is missing"));
                }
                "" => {}
                "json()" => steps.push(Step::Json),
                "base64()" => steps.push(Step::Base64),
                "first()" => steps.push(Step::First),
                "last()" => steps.push(Step::Last),
                "percent()" => steps.push(Step::Percent),
                "exp()" => steps.push(Step::Exp),
                name if name.ends_with("()") => {
                    return Err(format!(
                        "`{text}`: no step `{name}`: there is json(), base64(), first(), last(), percent() and exp()"
                    ));
                }
                name => steps.push(Step::Name(name.to_owned())),
            }
            while !places.is_empty() {
                let inside = places.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let (number, rest) =
                    inside.ok_or_else(|| format!("`{text}`: a place is [0], [1] …"))?;
                let number = number
                    .parse()
                    .map_err(|_| format!("`{text}`: `{number}` is no place in a list"))?;
                steps.push(Step::Place(number));
                places = rest;
            }
        }
        Ok(Self::Steps(steps))
    }

    /// What stands there, if anything but null does.
    pub fn find<'v>(&self, object: &'v Map<String, Value>) -> Option<Cow<'v, Value>> {
        let found = match self {
            Self::Constant(text) => return Some(Cow::Owned(Value::from(text.as_str()))),
            Self::Steps(steps) => in_object(object, steps)?,
        };
        (!found.is_null()).then_some(found)
    }

    /// Whether it leads anywhere, be it to null.
    pub fn leads(&self, object: &Map<String, Value>) -> bool {
        let Self::Steps(steps) = self else { return true };
        let has = |object: &Map<String, Value>, name: &str| object.contains_key(name);
        match steps.as_slice() {
            _ if self.find(object).is_some() => true,
            [Step::Name(name)] => has(object, name),
            [before @ .., Step::Name(name)] => {
                let found = in_object(object, before);
                found.is_some_and(|found| found.as_object().is_some_and(|inner| has(inner, name)))
            }
            _ => false,
        }
    }

    /// What stands there as a text: a text itself, or what else there is as JSON.
    pub fn text<'v>(&self, object: &'v Map<String, Value>) -> Option<Cow<'v, str>> {
        Some(match self.find(object)? {
            Cow::Borrowed(value) => scalar(value),
            Cow::Owned(value) => Cow::Owned(scalar(&value).into_owned()),
        })
    }
}

fn in_object<'v>(object: &'v Map<String, Value>, steps: &[Step]) -> Option<Cow<'v, Value>> {
    // A name that itself holds dots is found first.
    let names =
        steps.iter().take_while(|step| matches!(step, Step::Name(_) | Step::Place(_))).count();
    for n in (1..=names).rev() {
        let mut key = String::new();
        for (i, step) in steps[..n].iter().enumerate() {
            match step {
                Step::Name(name) if i == 0 => key.push_str(name),
                Step::Name(name) => key.push_str(&format!(".{name}")),
                Step::Place(place) => key.push_str(&format!("[{place}]")),
                _ => {}
            }
        }
        if let Some(value) = object.get(&key)
            && let Some(found) = in_value(Cow::Borrowed(value), &steps[n..])
        {
            return Some(found);
        }
    }
    None
}

fn in_value<'v>(value: Cow<'v, Value>, steps: &[Step]) -> Option<Cow<'v, Value>> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Json => {
            let inner = written::read(value.as_str()?).ok()?;
            in_value(Cow::Owned(inner), rest)
        }
        Step::Base64 => {
            let bytes = STANDARD.decode(value.as_str()?.trim()).ok()?;
            in_value(Cow::Owned(Value::from(String::from_utf8(bytes).ok()?)), rest)
        }
        Step::Percent => reckoned(&value, |n| n / 100.0, rest),
        Step::Exp => reckoned(&value, f64::exp, rest),
        Step::First => in_list(value, 0, rest),
        Step::Last => {
            let last = value.as_array()?.len().checked_sub(1)?;
            in_list(value, last, rest)
        }
        Step::Place(place) => in_list(value, *place, rest),
        Step::Name(name) => match value {
            Cow::Borrowed(Value::Object(object)) => in_object(object, steps),
            Cow::Owned(Value::Object(object)) => {
                in_object(&object, steps).map(|found| Cow::Owned(found.into_owned()))
            }
            // `predictions.0.label`
            list => in_list(list, name.parse().ok()?, rest),
        },
    }
}

/// What is made of a number; a text that is none stays as it is, so that it is told of.
fn reckoned<'v>(
    value: &Value,
    of: impl FnOnce(f64) -> f64,
    rest: &[Step],
) -> Option<Cow<'v, Value>> {
    let text = scalar(value);
    let text = text.trim().trim_end_matches('%').trim_end();
    let number = text.parse::<f64>().or_else(|_| text.replace(',', ".").parse::<f64>());
    let found = match number {
        // Twelve digits are more than any score has, and hide what binary fractions add.
        Ok(number) => serde_json::json!((of(number) * 1e12).round() / 1e12),
        Err(_) => value.clone(),
    };
    in_value(Cow::Owned(found), rest)
}

fn in_list<'v>(value: Cow<'v, Value>, at: usize, rest: &[Step]) -> Option<Cow<'v, Value>> {
    match value {
        Cow::Borrowed(Value::Array(list)) => in_value(Cow::Borrowed(list.get(at)?), rest),
        Cow::Owned(Value::Array(mut list)) => (at < list.len())
            .then(|| list.swap_remove(at))
            .and_then(|value| in_value(Cow::Owned(value), rest)),
        _ => None,
    }
}

#[test]
fn paths_lead_through_names_lists_and_wrapped_texts() {
    let object: Value = serde_json::from_str(
        r#"{"a.b":1,"a":{"b":2,"c.d":{"e":"3"}},"l":[{"x":"p"},{"x":"q"}],"body":"{\"m\":[1,900719925474099312]}","d":"eyJpZCI6NX0=","p":87,"q":"87,5 %","lp":-1,"n":null}"#,
    )
    .unwrap();
    let object = object.as_object().unwrap();
    let check = |path: &str, expect: Option<&str>| {
        let found = Path::parse(path).unwrap();
        assert_eq!(found.text(object).as_deref(), expect, "{path}");
    };
    check("a.b", Some("1"));
    check("a.c.d.e", Some("3"));
    check("l[1].x", Some("q"));
    check("l.0.x", Some("p"));
    check("l.last().x", Some("q"));
    check("l.first().x", Some("p"));
    check("body.json().m[1]", Some("900719925474099312"));
    check("d.base64().json().id", Some("5"));
    check("'intent-lr'", Some("intent-lr"));
    check("p.percent()", Some("0.87"));
    check("q.percent()", Some("0.875"));
    check("lp.exp()", Some("0.367879441171"));
    check("a.c.d.e.percent()", Some("0.03"));
    check("d.percent()", Some("eyJpZCI6NX0="));
    check("n", None);
    let leads = |path: &str| Path::parse(path).unwrap().leads(object);
    assert!(["n", "a.b", "'x'", "l[0].x", "a.c.d.e"].into_iter().all(leads));
    assert!(!["m", "a.n", "l[0].y", "l[9].x", "body.json().k"].into_iter().any(leads));
    check("l[7].x", None);
    check("d.json().x", None);
    for bad in ["a..b", "", "a[b]", "a[1", "x.upper()", "'open"] {
        assert!(Path::parse(bad).is_err(), "{bad}");
    }
}
