//! `walk(protocol, answers)`: a label's outcome is this and nothing else.

use serde_json::Value;

use super::{Consequence, PREDICTION, Protocol, Question, QuestionKind};
use crate::domain::label::{Outcome, Step};

/// How far some answers lead.
#[derive(Debug, PartialEq)]
pub struct Walk<'p> {
    /// The answers used, in the order asked.
    pub path: Vec<Step>,
    pub end: Walked<'p>,
}

#[derive(Debug, PartialEq)]
pub enum Walked<'p> {
    /// The next question.
    Asks(&'p Question),
    /// What the path sets. May contain [`PREDICTION`]: see [`settle`].
    Ends(Outcome),
    /// This question does not take that answer.
    Stuck { question: &'p Question, answer: String },
}

/// Walks from the start as far as the answers lead. Answers to questions that are not met are not used.
pub fn walk<'p>(protocol: &'p Protocol, answers: &[Step]) -> Walk<'p> {
    let mut at = protocol.start;
    let mut path = Vec::new();
    let mut outcome = Outcome::new();
    // A checked protocol has no cycle, so no walk is longer than this.
    for _ in 0..=protocol.questions.len() {
        let Some(question) = protocol.questions.get(at) else { break };
        let Some((_, answer)) = answers.iter().find(|(id, _)| *id == question.id) else {
            return Walk { path, end: Walked::Asks(question) };
        };
        let Some((recorded, then)) = accepts(protocol, question, answer) else {
            return Walk { path, end: Walked::Stuck { question, answer: answer.clone() } };
        };
        if let QuestionKind::Label { sets, .. } = &question.kind {
            outcome.insert(sets.clone(), Value::from(recorded.as_str()));
        }
        outcome.extend(then.set.iter().map(|(field, value)| (field.clone(), value.clone())));
        path.push((question.id.clone(), recorded));
        match then.goto {
            Some(next) => at = next,
            None => break,
        }
    }
    Walk { path, end: Walked::Ends(outcome) }
}

/// What is recorded for `answer` and where it leads, or `None` if the question does not take it.
///
/// A choice is named by its key, its text in any case, or its place counted from 1.
pub fn accepts<'p>(protocol: &Protocol, question: &'p Question, answer: &str) -> Option<(String, &'p Consequence)> {
    match &question.kind {
        QuestionKind::Choice(answers) => {
            let by_key = answers.iter().find(|choice| choice.key == answer);
            let by_text = || answers.iter().find(|choice| choice.text.to_lowercase() == answer.to_lowercase());
            let by_place = || answer.parse::<usize>().ok().and_then(|place| answers.get(place.checked_sub(1)?));
            let choice = by_key.or_else(by_text).or_else(by_place)?;
            Some((choice.key.clone(), &choice.then))
        }
        QuestionKind::Label { then, .. } => {
            let known = match protocol.labels.as_slice() {
                [] => !answer.trim().is_empty() && answer.len() <= 200,
                labels => labels.iter().any(|label| label == answer),
            };
            known.then(|| (answer.to_owned(), then))
        }
    }
}

/// The outcome for a case whose model predicted `label`: [`PREDICTION`] becomes that label, `{field}` what
/// the path set that field to. A field that stands for something which is not there is left out.
pub fn settle(outcome: Outcome, label: Option<&str>) -> Outcome {
    let mut settled = Outcome::new();
    for (field, value) in &outcome {
        let meant = match value.as_str() {
            Some(PREDICTION) => label.map(Value::from),
            Some(text) => match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
                Some(other) => outcome.get(other).filter(|value| *value != text).cloned(),
                None => Some(value.clone()),
            },
            None => Some(value.clone()),
        };
        settled.extend(meant.map(|meant| (field.clone(), meant)));
    }
    settled
}

/// The text of an answer, for people: `No` where `n` is recorded.
pub fn answer_text<'a>(question: &'a Question, recorded: &'a str) -> &'a str {
    match &question.kind {
        QuestionKind::Choice(answers) => {
            answers.iter().find(|choice| choice.key == recorded).map_or(recorded, |choice| choice.text.as_str())
        }
        QuestionKind::Label { .. } => recorded,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::protocol::parse;

    fn protocol() -> Protocol {
        parse(
            r#"
id = "p"
title = "t"
start = "a"
labels = ["x", "y"]
[require]
fields = ["verdict"]
[[question]]
id = "a"
ask = "A?"
answers = [
  { key = "y", text = "Yes", goto = "b" },
  { key = "n", text = "No", set = { verdict = "ok", label = "{prediction}" } },
]
[[question]]
id = "b"
ask = "B?"
kind = "label"
sets = "corrected_label"
set = { verdict = "wrong" }
"#,
            None,
        )
        .unwrap()
    }

    fn steps(answers: &[(&str, &str)]) -> Vec<Step> {
        answers.iter().map(|(q, a)| (q.to_string(), a.to_string())).collect()
    }

    #[test]
    fn answers_lead_to_the_next_question_or_an_outcome() {
        let protocol = protocol();
        assert!(matches!(walk(&protocol, &[]).end, Walked::Asks(q) if q.id == "a"));
        assert!(matches!(walk(&protocol, &steps(&[("a", "yes")])).end, Walked::Asks(q) if q.id == "b"));
        assert!(matches!(walk(&protocol, &steps(&[("a", "maybe")])).end, Walked::Stuck { .. }));
        let end = walk(&protocol, &steps(&[("b", "y"), ("a", "1")]));
        assert_eq!(end.path, steps(&[("a", "y"), ("b", "y")]));
        let Walked::Ends(outcome) = end.end else { panic!("it ends") };
        assert_eq!(outcome["corrected_label"], "y");
    }

    #[test]
    fn the_predicted_label_is_filled_in() {
        let protocol = protocol();
        let Walked::Ends(outcome) = walk(&protocol, &steps(&[("a", "n")])).end else { panic!("it ends") };
        assert_eq!(settle(outcome.clone(), Some("pay"))["label"], "pay");
        assert_eq!(settle(outcome, None).get("label"), None);
    }

    proptest! {
        #[test]
        fn a_walk_is_total_and_walks_its_own_path_again(
            answers in proptest::collection::vec(("[abc]", "[ynxz1-3]"), 0..6)
        ) {
            let protocol = protocol();
            let walked = walk(&protocol, &answers);
            let again = walk(&protocol, &walked.path);
            prop_assert_eq!(&again.path, &walked.path);
            if let Walked::Ends(outcome) = &walked.end {
                prop_assert!(outcome.contains_key("verdict"));
                prop_assert_eq!(&again.end, &walked.end);
            }
        }
    }
}
