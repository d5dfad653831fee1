//! What a plug-in says, line by line: read, cut to what is of use, made visible.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::declared::PluginKind;
use crate::domain::text::{cut, visible};

/// The version of the lines that are exchanged. Another one is another language.
pub const LINES_VERSION: u64 = 1;

/// Bytes of a line, either way.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What a plug-in says of one row is cut to so many bytes.
const WORDS_BYTES_MAX: usize = 500;

/// What a plug-in says of itself at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    pub plugin: String,
    /// A text, or a number.
    #[serde(default, deserialize_with = "text_of_any")]
    pub version: String,
    pub casework: u64,
    /// Whether it says the same of the same row each time.
    #[serde(default)]
    pub deterministic: bool,
}

fn text_of_any<'de, D: Deserializer<'de>>(of: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(of)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// A flag that a detector raises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    pub flag: String,
    #[serde(default)]
    pub score: Option<f64>,
    #[serde(default)]
    pub why: Option<String>,
}

/// A flag that was raised, as it is kept beside the case: by whom, and what they said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginFlag {
    pub plugin: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    pub flag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl fmt::Display for PluginFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} says {}", self.plugin, self.flag)?;
        if let Some(score) = self.score {
            write!(f, " {}", (score * 1e3).round() / 1e3)?;
        }
        if self.why.is_empty() { Ok(()) } else { write!(f, ": {}", self.why) }
    }
}

/// What a labeler suggests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suggested {
    pub answers: BTreeMap<String, String>,
    /// 0 to 1.
    pub confidence: Option<f64>,
    pub rationale: String,
    pub model: String,
    /// Why it would rather not.
    pub abstains: Option<String>,
}

/// What a validator finds wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub what: String,
    pub severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Whoever goes on says why.
    Error,
    Warn,
}

/// What a plug-in says of a row, by what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Flags(Vec<Raised>),
    Label(Suggested),
    Problems(Vec<Problem>),
}

impl Said {
    /// What an answer of a plug-in says.
    ///
    /// # Errors
    /// It is no answer of such a plug-in, or says more than is kept.
    pub fn read(kind: PluginKind, answer: &Map<String, Value>) -> Result<Self, String> {
        Ok(match kind {
            PluginKind::Detector => Self::Flags(raised(answer)?),
            PluginKind::Labeler => Self::Label(suggested(answer)?),
            PluginKind::Validator => Self::Problems(problems(answer)?),
        })
    }
}

/// Flags, problems and answers that a plug-in may have of one row.
const LIST_MAX: usize = 100;
/// Bytes of an answer that a labeler suggests.
const ANSWER_BYTES_MAX: usize = 16 << 10;

fn few<T>(what: &str, list: &[T]) -> Result<(), String> {
    if list.len() > LIST_MAX {
        return Err(format!("`{what}`: {} of them, and at most {LIST_MAX} are kept", list.len()));
    }
    Ok(())
}

/// Whether a text is a name, and no words that may repeat an input.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
    text.len() <= 80 && text.chars().all(plain)
}

/// What is shown and kept of a text that a plug-in said.
pub fn words(text: &str) -> String {
    cut(&visible(text.trim()), WORDS_BYTES_MAX).into_owned()
}

/// What a detector's answer says.
///
/// # Errors
/// It is no answer of a detector.
fn raised(answer: &Map<String, Value>) -> Result<Vec<Raised>, String> {
    let Some(flags) = answer.get("flags") else { return Ok(Vec::new()) };
    let mut flags: Vec<Raised> =
        serde_json::from_value(flags.clone()).map_err(|error| format!("`flags`: {error}"))?;
    few("flags", &flags)?;
    for raised in &mut flags {
        raised.flag = words(&raised.flag);
        raised.why = raised.why.take().map(|why| words(&why));
        raised.score = raised.score.filter(|score| score.is_finite());
    }
    Ok(flags)
}

/// What a labeler's answer says.
///
/// # Errors
/// It is no answer of a labeler.
fn suggested(answer: &Map<String, Value>) -> Result<Suggested, String> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(words);
    if let Some(why) = text("abstain") {
        return Ok(Suggested { abstains: Some(why), ..Suggested::default() });
    }
    let Some(answers) = answer.get("answers") else {
        return Err("it has neither `answers` nor `abstain`".to_owned());
    };
    let answers = answers.as_object().ok_or("`answers` is an object: question to answer")?;
    few("answers", &answers.iter().collect::<Vec<_>>())?;
    let answers = answers.iter().map(|(question, answer)| {
        let text = match answer {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(several) => {
                let one = |value: &Value| value.as_str().map(str::to_owned);
                let texts: Option<Vec<String>> = several.iter().map(one).collect();
                texts.ok_or_else(|| format!("`{question}`: an answer is a text"))?.join(",")
            }
            _ => return Err(format!("`{question}`: an answer is a text")),
        };
        if text.len() > ANSWER_BYTES_MAX {
            return Err(format!(
                "`{question}`: an answer of more than {} KiB",
                ANSWER_BYTES_MAX >> 10
            ));
        }
        Ok((question.clone(), text))
    });
    let confidence = answer.get("confidence").and_then(Value::as_f64);
    if confidence.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err("`confidence` is a share from 0 to 1".to_owned());
    }
    Ok(Suggested {
        answers: answers.collect::<Result<_, String>>()?,
        confidence,
        rationale: text("rationale").unwrap_or_default(),
        model: text("model").filter(|name| is_name(name)).unwrap_or_default(),
        abstains: None,
    })
}

/// What a validator's answer says.
///
/// # Errors
/// It is no answer of a validator.
fn problems(answer: &Map<String, Value>) -> Result<Vec<Problem>, String> {
    let Some(found) = answer.get("problems") else { return Ok(Vec::new()) };
    let mut found: Vec<Problem> =
        serde_json::from_value(found.clone()).map_err(|error| format!("`problems`: {error}"))?;
    few("problems", &found)?;
    found.iter_mut().for_each(|problem| problem.what = words(&problem.what));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn answers_are_read_and_what_is_none_is_refused_by_its_reason() {
        assert_eq!(raised(&answer(json!({ "n": 1 }))), Ok(vec![]));
        let flags = raised(&answer(json!({ "flags": [{ "flag": "a\u{1b}b", "score": 1.5 }] })));
        assert_eq!(flags.unwrap()[0].flag, visible("a\u{1b}b"));
        assert!(raised(&answer(json!({ "flags": "toxic" }))).unwrap_err().contains("flags"));

        let given = suggested(&answer(
            json!({ "answers": { "q": "y", "n": 4, "m": ["a", "b"] }, "confidence": 0.8 }),
        ));
        let given = given.unwrap();
        assert_eq!((given.answers["n"].as_str(), given.answers["m"].as_str()), ("4", "a,b"));
        assert_eq!(given.confidence, Some(0.8));
        let abstains = suggested(&answer(json!({ "abstain": "no idea" }))).unwrap();
        assert_eq!(abstains.abstains.as_deref(), Some("no idea"));
        for (bad, why) in [
            (json!({}), "neither"),
            (json!({ "answers": [] }), "object"),
            (json!({ "answers": { "q": true } }), "`q`"),
            (json!({ "answers": {}, "confidence": 7 }), "from 0 to 1"),
        ] {
            assert!(suggested(&answer(bad.clone())).unwrap_err().contains(why), "{bad}");
        }
        let found = json!({ "problems": [{ "what": "empty", "severity": "error" }] });
        assert_eq!(problems(&answer(found)).unwrap()[0].severity, Severity::Error);
        let odd = json!({ "problems": [{ "what": "empty", "severity": "fatal" }] });
        assert!(problems(&answer(odd)).unwrap_err().contains("fatal"));
    }
}
