//! What each stream's inputs were like so far, learned while lines pass, and what stands out
//! against it.
//!
//! Kept on this device between runs. Every line of a new stream is learned from, later one in
//! [`EVERY`]: ranges and types need no more, and reading inputs whole costs more than all else that
//! is done with a line that passes.

use std::collections::HashMap;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::redact::Redact;
use super::scan::Seen;
use crate::db::store;
use crate::domain::hygiene::{Fact, Profile, facts_of_line};

/// Lines of a stream that are all learned from.
const ALL_OF_THE_FIRST: u64 = 2_000;
/// One in so many after that.
const EVERY: u64 = 16;
/// Most streams whose profile is kept.
const STREAMS_MAX: usize = 100;
const SETTING: &str = "profiles";

/// The profiles of all streams.
#[derive(Default)]
pub struct Profiles {
    by_stream: HashMap<String, (u64, Profile)>,
}

impl Profiles {
    pub fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let text = store::setting(conn, SETTING)?;
        // What can't be read is learned anew.
        let by_stream = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(Self { by_stream })
    }

    pub fn save(&self, conn: &Connection) -> rusqlite::Result<()> {
        store::set_setting(conn, SETTING, &crate::db::to_json(&self.by_stream))
    }

    /// What is wrong with a line that becomes a case, by itself and against those before it; then
    /// learns from it, or from one that passes.
    pub fn look(&mut self, seen: &Seen, redact: Option<&Redact>) -> Vec<Fact> {
        let known = self.by_stream.len();
        let redacted = || redact.map(|redact| redact.line(seen.raw()));
        let Some((passed, profile)) = (match self.by_stream.get_mut(seen.stream()) {
            Some(found) => Some(found),
            None if known >= STREAMS_MAX => None,
            None => Some(self.by_stream.entry(seen.stream().to_owned()).or_default()),
        }) else {
            // Of more streams nothing is learned; what a line shows by itself is seen all the same.
            let redacted = redacted();
            let input = seen
                .flags
                .as_ref()
                .and_then(|_| input(redacted.as_deref().unwrap_or_else(|| seen.raw())));
            return input.map(|input| facts_of_line(&input, &text_of(&input))).unwrap_or_default();
        };
        *passed += 1;
        let learns = *passed <= ALL_OF_THE_FIRST || passed.is_multiple_of(EVERY);
        if !learns && seen.flags.is_none() {
            return Vec::new();
        }
        let redacted = redacted();
        let Some(input) = input(redacted.as_deref().unwrap_or_else(|| seen.raw())) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        if seen.flags.is_some() {
            facts = facts_of_line(&input, &text_of(&input));
            facts.extend(profile.facts(&input));
        }
        if learns {
            profile.learn(&input);
        }
        facts
    }
}

/// The text of an input, whatever it was written as.
fn text_of(input: &Value) -> String {
    match input.get("text") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// The input of a line.
fn input(raw: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        input: &'a RawValue,
    }
    serde_json::from_str(serde_json::from_str::<Line<'_>>(raw).ok()?.input.get()).ok()
}
