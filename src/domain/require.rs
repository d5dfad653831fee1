//! When a label must say more than its answers: a policy's rules for rationale, confidence,
//! evidence and checks.
//!
//! ```text
//! rationale on override          the outcome has not the label that the model said
//! confidence always
//! rationale if sure <= 2         of 5; not said is not sure
//! span if category = adversarial
//! check logs always              an item of the protocol's checklist
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::label::{Outcome, value_text};
use crate::domain::text::is_blank;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Rationale,
    Confidence,
    /// At least one place in the input, by a question or as evidence.
    Span,
    /// This item of the checklist.
    Check(String),
}

/// When it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    Always,
    /// The outcome does not name the label that the model said, and it said one.
    Override,
    /// Confidence is this or less, or not said.
    Unsure(u8),
    /// A field of the outcome has this value.
    Outcome {
        field: String,
        value: String,
    },
}

/// A rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Requirement {
    pub wanted: Wanted,
    pub occasion: Occasion,
}

/// What a label in the making comes to so far.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    pub outcome: &'f Outcome,
    pub predicted: Option<&'f str>,
    pub confidence: Option<u8>,
    pub rationale: &'f str,
    pub marked: bool,
    pub checked: &'f [String],
}

impl Requirement {
    /// Whether it asks for something that is not there.
    pub fn is_unmet(&self, facts: &Facts<'_>) -> bool {
        let due = match &self.occasion {
            Occasion::Always => true,
            Occasion::Override => facts.predicted.is_some_and(|said| {
                !facts.outcome.values().any(|value| value.as_str() == Some(said))
            }),
            Occasion::Unsure(most) => facts.confidence.is_none_or(|sure| sure <= *most),
            Occasion::Outcome { field, value } => facts.outcome.get(field).is_some_and(|is| {
                let items = is.as_array().map(Vec::as_slice).unwrap_or_default();
                value_text(is) == *value || items.iter().any(|item| value_text(item) == *value)
            }),
        };
        due && match &self.wanted {
            Wanted::Rationale => is_blank(facts.rationale),
            Wanted::Confidence => facts.confidence.is_none(),
            Wanted::Span => !facts.marked,
            Wanted::Check(id) => !facts.checked.contains(id),
        }
    }
}

impl Occasion {
    /// Why something is wanted, after its name: `the rationale: the label differs from the prediction`.
    pub fn why(&self) -> String {
        match self {
            Self::Always => "the policy always wants it".to_owned(),
            Self::Override => "the label differs from the prediction".to_owned(),
            Self::Unsure(most) => format!("you are not sure (at most {most} of 5)"),
            Self::Outcome { field, value } => format!("{field} is {value}"),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Rationale => write!(f, "rationale ")?,
            Wanted::Confidence => write!(f, "confidence ")?,
            Wanted::Span => write!(f, "span ")?,
            Wanted::Check(id) => write!(f, "check {id} ")?,
        }
        match &self.occasion {
            Occasion::Always => write!(f, "always"),
            Occasion::Override => write!(f, "on override"),
            Occasion::Unsure(most) => write!(f, "if sure <= {most}"),
            Occasion::Outcome { field, value } => write!(f, "if {field} = {value}"),
        }
    }
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let spaced = text.replace("<=", " <= ").replace('=', " = ").replace("< =", "<=");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let (wanted, rest) = match words.as_slice() {
            ["rationale", rest @ ..] => (Wanted::Rationale, rest),
            ["confidence", rest @ ..] => (Wanted::Confidence, rest),
            ["span" | "evidence", rest @ ..] => (Wanted::Span, rest),
            ["check", id, rest @ ..] => (Wanted::Check((*id).to_owned()), rest),
            _ => {
                return Err(format!(
                    "`{text}`: begin with rationale, confidence, span, or check and an item's id"
                ));
            }
        };
        let occasion = match rest {
            ["always"] | [] => Occasion::Always,
            ["on", "override"] => Occasion::Override,
            ["if", "sure", "<", "=", most] | ["if", "sure", "<=", most] => {
                let most = most.parse().ok().filter(|most| (1..=5).contains(most));
                Occasion::Unsure(
                    most.ok_or_else(|| format!("`{text}`: how sure one is goes from 1 to 5"))?,
                )
            }
            ["if", field, "=", value @ ..] if !value.is_empty() => {
                Occasion::Outcome { field: (*field).to_owned(), value: value.join(" ") }
            }
            _ => {
                return Err(format!(
                    "`{text}`: end with always, on override, if sure <= N, or if FIELD = VALUE"
                ));
            }
        };
        Ok(Self { wanted, occasion })
    }
}

impl TryFrom<String> for Requirement {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for text in [
            "rationale on override",
            "confidence always",
            "rationale if sure <= 2",
            "span if category = adversarial",
            "check logs if verdict = wrong label",
        ] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
        assert_eq!(
            "rationale if sure<=2".parse::<Requirement>().unwrap().occasion,
            Occasion::Unsure(2)
        );
        for bad in ["", "song always", "rationale sometimes", "rationale if sure <= 9", "check"] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rules_hold_when_they_say() {
        let outcome: Outcome = [
            ("label".to_owned(), "pay".into()),
            ("tags".to_owned(), serde_json::json!(["odd", "new"])),
        ]
        .into();
        let facts = Facts {
            outcome: &outcome,
            predicted: Some("pay"),
            confidence: Some(3),
            rationale: " ",
            marked: false,
            checked: &[],
        };
        let unmet =
            |text: &str, facts: &Facts<'_>| text.parse::<Requirement>().unwrap().is_unmet(facts);
        assert!(unmet("rationale always", &facts) && !unmet("rationale on override", &facts));
        assert!(unmet("rationale on override", &Facts { predicted: Some("call"), ..facts }));
        assert!(!unmet("rationale on override", &Facts { predicted: None, ..facts }));
        assert!(
            !unmet("confidence always", &facts)
                && unmet("span if tags = new", &facts)
                && unmet("span if sure <= 3", &facts)
        );
        assert!(
            unmet("check logs", &facts)
                && !unmet("check logs", &Facts { checked: &["logs".to_owned()], ..facts })
        );
    }
}
