//! Cases whose right answer is known: comparing what somebody answered with it, to teach and to
//! measure.

use serde::{Deserialize, Serialize};

use super::ids::CaseId;
use super::label::{Label, Outcome, ProtocolRef, Step};
use super::protocol::replay::translated;
use super::protocol::{Protocol, QuestionKind, Walked, walk};

/// The right answer to a case, as a lead gave it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gold {
    pub case: CaseId,
    /// The version it was given under.
    pub protocol: ProtocolRef,
    pub path: Vec<Step>,
    pub outcome: Outcome,
    /// Said to whoever answers otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How one case of a training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub case: CaseId,
    pub path: Vec<Step>,
    pub right: bool,
    /// The first question answered otherwise than right.
    #[serde(default, rename = "parted_at", skip_serializing_if = "Option::is_none")]
    pub diverged_at: Option<String>,
}

/// What an answer came to beside the right one.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub right: bool,
    /// The first question answered otherwise, with what would have been right, if the right path
    /// asks it.
    pub diverged_at: Option<(String, Option<String>)>,
    /// The right outcome, by the names of the protocol that was walked.
    pub outcome: Outcome,
}

impl Gold {
    pub fn of(label: &Label, why: &str) -> Self {
        let Label { case, protocol, path, outcome, .. } = label.clone();
        Self { case, protocol, path, outcome, why: why.to_owned() }
    }

    /// The right path and outcome under the last of `chain` (the versions after its own), or under
    /// its own version if there are none. Nothing if that version asks for more, or no longer takes
    /// these answers.
    pub fn under(
        &self,
        protocol: &Protocol,
        chain: &[&Protocol],
        predicted: Option<&str>,
    ) -> Option<(Vec<Step>, Outcome)> {
        let walked = walk(protocol, &translated(chain, &self.path));
        match walked.end {
            Walked::Ends(outcome) => Some((walked.path, protocol.outcome(outcome, predicted))),
            Walked::Asks(_) | Walked::Stuck { .. } => None,
        }
    }
}

/// Compares a path that was walked to its end with the right one. Words and places in the input may
/// differ.
pub fn compare(
    protocol: &Protocol,
    right: &(Vec<Step>, Outcome),
    path: &[Step],
    outcome: &Outcome,
) -> Comparison {
    let free = |question: &str| {
        let kind = protocol.question(question).map(|question| &question.kind);
        matches!(kind, Some(QuestionKind::Text { .. } | QuestionKind::Span { .. }))
    };
    let free_fields: Vec<&str> = protocol
        .questions
        .iter()
        .filter(|question| free(&question.id))
        .filter_map(|question| question.kind.field())
        .collect();
    let counts = |outcome: &Outcome| -> Outcome {
        outcome
            .iter()
            .filter(|(field, _)| !free_fields.contains(&field.as_str()))
            .map(|(f, v)| (f.clone(), v.clone()))
            .collect()
    };
    let is_right = counts(outcome) == counts(&right.1);
    let other = path.iter().find_map(|(question, answer)| {
        let expected = right.0.iter().find(|(id, _)| id == question).map(|(_, answer)| answer);
        (expected != Some(answer) && !free(question)).then(|| (question.clone(), expected.cloned()))
    });
    Comparison {
        right: is_right,
        diverged_at: other.filter(|_| !is_right),
        outcome: right.1.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::parse;

    #[test]
    fn the_question_where_the_paths_part_is_named() {
        let source = "id=\"p\"\ntitle=\"t\"\nstart=\"a\"\n[[question]]\nid=\"a\"\nask=\"?\"\ngoto=\"b\"\nanswers=[{key=\"y\",text=\"Yes\"},{key=\"n\",text=\"No\",end=true,set={v=0}}]\n[[question]]\nid=\"b\"\nask=\"?\"\ngoto=\"c\"\nanswers=[{key=\"1\",text=\"One\",set={v=1}},{key=\"2\",text=\"Two\",set={v=2}}]\n[[question]]\nid=\"c\"\nask=\"?\"\nkind=\"text\"\nsets=\"note\"\n";
        let protocol = parse(source, None).unwrap();
        let done = |answers: &[(&str, &str)]| {
            let answers: Vec<Step> =
                answers.iter().map(|(q, a)| (q.to_string(), a.to_string())).collect();
            let walked = walk(&protocol, &answers);
            let Walked::Ends(outcome) = walked.end else { panic!("it ends") };
            (walked.path, outcome)
        };
        let right = done(&[("a", "y"), ("b", "2"), ("c", "so")]);
        let check = |answers: &[(&str, &str)]| {
            let (path, outcome) = done(answers);
            let Comparison { right, diverged_at, .. } = compare(&protocol, &right, &path, &outcome);
            (right, diverged_at)
        };
        assert_eq!(check(&[("a", "y"), ("b", "2"), ("c", "other words")]), (true, None));
        assert_eq!(
            check(&[("a", "y"), ("b", "1"), ("c", "so")]),
            (false, Some(("b".to_owned(), Some("2".to_owned()))))
        );
        assert_eq!(check(&[("a", "n")]), (false, Some(("a".to_owned(), Some("y".to_owned())))));
    }
}
