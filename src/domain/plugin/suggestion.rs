//! What a labeler suggested of a case, and which of all that it ever did stands.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CaseId, Hash};
use crate::domain::label::{
    Label, MAIN_ROUND, Outcome, PROGRAM, ProtocolRef, Step, outcome_in_short,
};
use crate::domain::time::Hlc;

/// What a labeler suggested of a case, as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    pub case: CaseId,
    pub plugin: String,
    /// Its own word for its version, and its files' hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    pub sha256: String,
    /// What was pinned of it, in a word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pin: String,
    /// The model that it asked, if it says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    pub protocol: ProtocolRef,
    /// The questions that it answers, in the order in which they are asked.
    pub answers: Vec<Step>,
    /// What they come to; nothing where they do not lead to an end.
    #[serde(default, skip_serializing_if = "Outcome::is_empty")]
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// It would rather not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abstained: bool,
    /// What it says in its own words, which may repeat the input: it lies beside the event, as the
    /// input does, and goes when that is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Hash>,
    /// The words of the payload, where they are here; an earlier version had them in the event.
    #[serde(flatten)]
    pub own: OwnWords,
}

/// What a labeler says in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnWords {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rationale: String,
    /// Why it would rather not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub abstains: String,
}

impl OwnWords {
    pub fn is_empty(&self) -> bool {
        self.rationale.is_empty() && self.abstains.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Suggestion {
    /// As whose label it is listed where it counts as one: no person is called so.
    pub fn reviewer(&self) -> String {
        format!("{PROGRAM}{}", self.plugin)
    }

    /// Whether it would rather not say.
    pub fn abstains(&self) -> bool {
        self.abstained || !self.own.abstains.is_empty()
    }

    /// What it says, in a line: `llm suggests verdict wrong_label · category slang, 80 % sure: …`.
    pub fn words(&self) -> String {
        let name = match self.model.as_str() {
            "" => self.plugin.clone(),
            model => format!("{} ({model})", self.plugin),
        };
        if self.abstains() {
            let why = match self.own.abstains.as_str() {
                "" => String::new(),
                why => format!(": {why}"),
            };
            return format!("{name} would rather not say{why}");
        }
        let said = if self.outcome.is_empty() {
            let steps =
                self.answers.iter().map(|(question, answer)| format!("{question} {answer}"));
            steps.collect::<Vec<_>>().join(" · ")
        } else {
            outcome_in_short(&self.outcome)
        };
        let sure =
            self.confidence.map_or(String::new(), |share| format!(", {:.0} % sure", share * 100.0));
        let why = match self.own.rationale.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        format!("{name} suggests {said}{sure}{why}")
    }

    /// The label that it counts as, where it does.
    pub fn label(&self) -> Label {
        Label {
            path: self.answers.clone(),
            outcome: self.outcome.clone(),
            rationale: self.own.rationale.clone(),
            ..Label::empty(self.case, &self.reviewer(), MAIN_ROUND, self.protocol.clone())
        }
    }
}

/// Which of all that a labeler suggested of a case stands; it is given in the order in which it was
/// said, with when. Whoever asks the same program again gets no other vote, and nobody gets one by
/// pinning another once a person has said what the case is: only the first of a pin and a protocol
/// counts, and of these the last that came before the first label.
pub fn that_stands(said: &[(Hlc, &Suggestion)], labeled: Option<Hlc>) -> Option<usize> {
    let same = |a: &Suggestion, b: &Suggestion| a.pin == b.pin && a.protocol == b.protocol;
    let first = |at: &usize| !said[..*at].iter().any(|(_, one)| same(one, said[*at].1));
    let early = |at: &usize| labeled.is_none_or(|labeled| said[*at].0 < labeled);
    let last = (0..said.len()).filter(first).rfind(early);
    last.or_else(|| (!said.is_empty()).then_some(0))
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn no_vote_is_rolled_again() {
        let suggestion = |pin: &str| Suggestion {
            case: CaseId([0; 16]),
            plugin: "llm".to_owned(),
            version: String::new(),
            sha256: String::new(),
            pin: pin.to_owned(),
            model: String::new(),
            protocol: ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
            answers: Vec::new(),
            outcome: Outcome::new(),
            confidence: None,
            abstained: false,
            payload: None,
            own: OwnWords::default(),
        };
        let said = ["a", "a", "b", "a", "c"].map(suggestion);
        let at = |ms| Hlc { ms, n: 0 };
        let said: Vec<_> = said.iter().enumerate().map(|(n, one)| (at(n as i64), one)).collect();
        assert_eq!(that_stands(&[], None), None);
        assert_eq!(that_stands(&said, None), Some(4));
        assert_eq!(that_stands(&said, Some(at(4))), Some(2), "another pin after the label");
        assert_eq!(that_stands(&said, Some(at(2))), Some(0), "the same asked again");
        assert_eq!(that_stands(&said, Some(at(0))), Some(0), "labeled before anything was said");
        assert_eq!(that_stands(&said[..2], None), Some(0));
    }
}
