//! Cues: what on the screen may sway a reviewer. A policy can hide some for a while, and every
//! label says which were seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Something that is shown beside the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cue {
    /// What the model said, how sure it was, what else it considered.
    Prediction,
    /// What another model said.
    Challenger,
    /// What weighed in.
    Features,
    /// Why the case was flagged.
    Flags,
    /// Log lines, which may name the prediction.
    Logs,
    /// Predictions around it.
    Neighbours,
    /// Resolved cases like it.
    Precedents,
    /// What was found wrong with the input.
    Facts,
    /// What happened to the case.
    History,
    /// What a labeler, a program, would answer.
    Suggestion,
    /// Something that a later version of this program shows.
    #[serde(other)]
    Other,
}

impl Cue {
    pub const ALL: [Self; 10] = [
        Self::Prediction,
        Self::Challenger,
        Self::Features,
        Self::Flags,
        Self::Logs,
        Self::Neighbours,
        Self::Precedents,
        Self::Facts,
        Self::History,
        Self::Suggestion,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prediction => "prediction",
            Self::Challenger => "challenger",
            Self::Features => "features",
            Self::Flags => "flags",
            Self::Logs => "logs",
            Self::Neighbours => "neighbours",
            Self::Precedents => "precedents",
            Self::Facts => "facts",
            Self::History => "history",
            Self::Suggestion => "suggestion",
            Self::Other => "other",
        }
    }
}

/// How long something is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Until the first question is answered.
    Answer,
    /// Until the label is given.
    Submit,
}

/// A cue that a policy hides: `prediction until answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hiding {
    pub cue: Cue,
    pub until: Until,
}

impl fmt::Display for Hiding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = match self.until {
            Until::Answer => "answer",
            Until::Submit => "submit",
        };
        write!(f, "{} until {until}", self.cue.as_str())
    }
}

impl FromStr for Hiding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, until) = match words.as_slice() {
            [name] | [name, "until", "answer"] => (*name, Until::Answer),
            [name, "until", "submit"] => (*name, Until::Submit),
            _ => return Err(format!("`{text}`: write CUE until answer, or CUE until submit")),
        };
        let cue = Cue::ALL.into_iter().find(|cue| cue.as_str() == name);
        let all = || Cue::ALL.map(Cue::as_str).join(", ");
        let cue = cue.ok_or_else(|| format!("`{name}` is no cue: there are {}", all()))?;
        Ok(Self { cue, until })
    }
}

impl TryFrom<String> for Hiding {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Hiding> for String {
    fn from(hiding: Hiding) -> Self {
        hiding.to_string()
    }
}

/// Whether a cue is hidden from somebody who has `answered` a question of the case, or not, and has
/// not labeled it.
pub fn hides(hidings: &[Hiding], cue: Cue, answered: bool) -> bool {
    // A suggestion is an answer: nobody sees it before they gave one of their own.
    if cue == Cue::Suggestion && !answered {
        return true;
    }
    let held = |hiding: &&Hiding| hiding.cue == cue;
    hidings.iter().filter(held).any(|hiding| hiding.until == Until::Submit || !answered)
}

/// Which cues were on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Before the first answer.
    pub first: Vec<Cue>,
    /// Before the label was given.
    pub all: Vec<Cue>,
    /// Of each two answers to be compared, the field that stood first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stood_first: Vec<String>,
    /// Fields whose file was not there to be seen as it was meant, at the beginning or later: missing,
    /// changed, not to be read, or not looked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen_files: Vec<String>,
    /// How many more of them there were.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unseen_more: usize,
}

fn is_none(n: &usize) -> bool {
    *n == 0
}

impl Seen {
    /// What was on the screen, in words.
    pub fn words(&self) -> String {
        let cues = self.all.iter().map(|cue| cue.as_str()).collect::<Vec<_>>().join(", ");
        let mut words = if cues.is_empty() { "the input".to_owned() } else { cues };
        for field in &self.stood_first {
            words.push_str(&format!("; {field} stood first"));
        }
        if !self.unseen_files.is_empty() {
            words.push_str(&format!("; not to be seen: {}", self.unseen_files.join(", ")));
        }
        if self.unseen_more > 0 {
            words.push_str(&format!(" and {} more", self.unseen_more));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidings_are_read_and_written() {
        for text in ["prediction until answer", "precedents until submit"] {
            assert_eq!(text.parse::<Hiding>().unwrap().to_string(), text);
        }
        assert_eq!("logs".parse::<Hiding>().unwrap().until, Until::Answer);
        assert!(
            "moon until answer".parse::<Hiding>().unwrap_err().contains("prediction, challenger")
        );
        assert!("logs until noon".parse::<Hiding>().is_err());
        let hidings = ["prediction".parse().unwrap(), "logs until submit".parse().unwrap()];
        assert!(hides(&hidings, Cue::Prediction, false) && !hides(&hidings, Cue::Prediction, true));
        assert!(hides(&hidings, Cue::Logs, true) && !hides(&hidings, Cue::Flags, false));
        assert!(hides(&[], Cue::Suggestion, false) && !hides(&[], Cue::Suggestion, true));
        let late = ["suggestion until submit".parse().unwrap()];
        assert!(hides(&late, Cue::Suggestion, true));
    }
}
