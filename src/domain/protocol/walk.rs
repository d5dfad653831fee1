//! `walk(protocol, answers)`: a label's outcome is this and nothing else.

use serde_json::Value;

use super::{Places, Protocol, Question, QuestionKind, Reference, span};
use crate::domain::label::{Outcome, Step};
use crate::domain::number::Number;
use crate::domain::text::is_blank;

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
    /// What the path sets. May contain [`Reference`]s: see [`settle`].
    Ends(Outcome),
    /// This question does not take that answer.
    Stuck { question: &'p Question, answer: String },
}

/// An answer that a question takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What is recorded.
    pub recorded: String,
    /// What it sets.
    pub set: Outcome,
    /// Index of the next question.
    pub goto: Option<usize>,
}

/// Walks from the start as far as the answers lead. Answers to questions that are not met are not
/// used.
///
/// A question whose `when` does not hold is passed over. A list that is set joins what the field
/// has of earlier answers; any other value takes its place.
pub fn walk<'p>(protocol: &'p Protocol, answers: &[Step]) -> Walk<'p> {
    let mut at = Some(protocol.start);
    let mut path: Vec<Step> = Vec::new();
    let mut outcome = Outcome::new();
    // A checked protocol has no cycle, so no walk is longer than this.
    for _ in 0..=protocol.questions.len() {
        let Some(question) = at.and_then(|at| protocol.questions.get(at)) else { break };
        if let Some(when) = &question.when
            && !when.holds(&|at| answered(protocol, &path, at))
        {
            at = question.otherwise;
            continue;
        }
        let Some((_, answer)) = answers.iter().find(|(id, _)| *id == question.id) else {
            return Walk { path, end: Walked::Asks(question) };
        };
        let Some(taken) = accepts(protocol, question, answer) else {
            return Walk { path, end: Walked::Stuck { question, answer: answer.clone() } };
        };
        join(&mut outcome, taken.set);
        path.push((question.id.clone(), taken.recorded));
        at = taken.goto;
    }
    Walk { path, end: Walked::Ends(outcome) }
}

/// Whether somebody who went `path` said that what the model predicted is wrong where `question`
/// asks what is right: another answer of a question on the way sets the same field to the
/// prediction, and theirs did not.
pub fn rejects_prediction(protocol: &Protocol, path: &[Step], question: &Question) -> bool {
    let QuestionKind::Label { sets, .. } = &question.kind else { return false };
    let takes_it = |answer: &super::Answer| {
        answer.then.set.get(sets).and_then(Reference::of) == Some(Reference::Prediction)
    };
    path.iter().take_while(|(id, _)| *id != question.id).any(|(id, given)| {
        let Some(QuestionKind::Choice(answers)) = protocol.question(id).map(|one| &one.kind) else {
            return false;
        };
        answers.iter().any(takes_it)
            && !answers.iter().any(|answer| answer.key == *given && takes_it(answer))
    })
}

fn answered<'a>(protocol: &Protocol, path: &'a [Step], at: usize) -> Option<&'a str> {
    let id = &protocol.questions.get(at)?.id;
    path.iter().find(|(question, _)| question == id).map(|(_, answer)| answer.as_str())
}

fn join(outcome: &mut Outcome, set: Outcome) {
    for (field, value) in set {
        match (outcome.get_mut(&field), value) {
            (Some(Value::Array(known)), Value::Array(more)) => {
                let more: Vec<Value> =
                    more.into_iter().filter(|value| !known.contains(value)).collect();
                known.extend(more);
            }
            (_, value) => drop(outcome.insert(field, value)),
        }
    }
}

/// What becomes of `answer`, or `None` if the question does not take it.
///
/// A choice is named by its key alone, as it is recorded (see [`super::typed`]); several, with
/// commas between them, in any order. Spans are `4-9,12-20`. A number of more digits than can be
/// kept is not taken.
pub fn accepts(protocol: &Protocol, question: &Question, answer: &str) -> Option<Taken> {
    let (recorded, own) = match &question.kind {
        QuestionKind::Choice(answers) => {
            let choice = choice_of(answers, answer)?;
            let then = &choice.then;
            return Some(Taken {
                recorded: choice.key.clone(),
                set: then.set.clone(),
                goto: then.goto,
            });
        }
        QuestionKind::Multi { answers, least, most, .. } => {
            let parts: Vec<&str> =
                answer.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
            let mut chosen: Vec<usize> = Vec::new();
            for part in parts {
                let choice = choice_of(answers, part)?;
                chosen.push(answers.iter().position(|one| one.key == choice.key)?);
            }
            chosen.sort_unstable();
            chosen.dedup();
            if !(*least..=*most).contains(&chosen.len()) {
                return None;
            }
            let keys: Vec<&str> = chosen.iter().map(|at| answers[*at].key.as_str()).collect();
            let mut set = Outcome::new();
            chosen.iter().for_each(|at| join(&mut set, answers[*at].then.set.clone()));
            let own = Some(Value::from(keys.clone()));
            return Some(with_own(question, keys.join(","), own, set));
        }
        QuestionKind::Label { .. } => {
            (protocol.has_label(answer).then(|| answer.to_owned())?, Some(Value::from(answer)))
        }
        QuestionKind::Scale { least, most, .. } => {
            let n: i64 = answer.trim().parse().ok().filter(|n| (*least..=*most).contains(n))?;
            (n.to_string(), Some(Value::from(n)))
        }
        QuestionKind::Number { least, most, .. } => {
            let n = Number::parse(answer).filter(|n| (*least..=*most).contains(&n.as_f64()))?;
            (n.text(), Some(n.value()))
        }
        QuestionKind::Text { least, most, .. } => {
            // What nobody can see is nothing.
            let text = if is_blank(answer) { "" } else { answer.trim() };
            let long = text.chars().count();
            (*least..=*most).contains(&long).then_some(())?;
            (text.to_owned(), (long > 0).then(|| Value::from(text)))
        }
        QuestionKind::Span { least, most, .. } => {
            let places =
                Places::parse(answer).filter(|places| (*least..=*most).contains(&places.len()))?;
            (places.words(), (!places.is_empty()).then(|| places.value()))
        }
    };
    Some(with_own(question, recorded, own, Outcome::new()))
}

fn choice_of<'a>(answers: &'a [super::Answer], key: &str) -> Option<&'a super::Answer> {
    answers.iter().find(|choice| choice.key == key)
}

/// What a question sets whose answers lead to one place: its own field, then what answers and
/// question `set`.
fn with_own(
    question: &Question,
    recorded: String,
    own: Option<Value>,
    of_answers: Outcome,
) -> Taken {
    let mut set = Outcome::new();
    if let (Some(field), Some(value)) = (question.kind.field(), own) {
        set.insert(field.to_owned(), value);
    }
    join(&mut set, of_answers);
    let then = question
        .kind
        .consequences()
        .last()
        .filter(|_| !matches!(question.kind, QuestionKind::Choice(_)));
    join(&mut set, then.map(|then| then.set.clone()).unwrap_or_default());
    Taken { recorded, set, goto: then.and_then(|then| then.goto) }
}

/// The outcome for a case whose model predicted `label`: `{prediction}` becomes that label,
/// `{field}` what the path set that field to. A field that stands for something which is not there
/// is left out.
pub fn settle(outcome: Outcome, label: Option<&str>) -> Outcome {
    let meant = |value| meant(&outcome, value, label);
    outcome.iter().filter_map(|(field, value)| Some((field.clone(), meant(value)?))).collect()
}

fn meant<'v>(outcome: &'v Outcome, mut value: &'v Value, label: Option<&str>) -> Option<Value> {
    // One may stand for another, at most as often as there are fields.
    for _ in 0..=outcome.len() {
        match Reference::of(value) {
            None => return Some(value.clone()),
            Some(Reference::Prediction) => return label.map(Value::from),
            Some(Reference::Field(other)) => value = outcome.get(other)?,
        }
    }
    None
}

/// The text of an answer, for people: `No` where `n` is recorded.
pub fn answer_text(question: &Question, recorded: &str) -> String {
    let text_of = |key: &str| {
        let answer = question.kind.answers().iter().find(|choice| choice.key == key);
        answer.map_or(key, |choice| choice.text.as_str()).to_owned()
    };
    match &question.kind {
        QuestionKind::Choice(_) => text_of(recorded),
        QuestionKind::Multi { .. } if recorded.is_empty() => "none".to_owned(),
        QuestionKind::Multi { .. } => {
            recorded.split(',').map(text_of).collect::<Vec<_>>().join(", ")
        }
        QuestionKind::Scale { most, .. } => format!("{recorded} of {most}"),
        QuestionKind::Number { unit, .. } if !unit.is_empty() => format!("{recorded} {unit}"),
        QuestionKind::Span { .. } => match Places::parse(recorded).map_or(0, |places| places.len())
        {
            0 => "nothing marked".to_owned(),
            1 => format!("1 place ({recorded})"),
            n => format!("{n} places ({recorded})"),
        },
        QuestionKind::Text { .. } if recorded.is_empty() => "nothing".to_owned(),
        QuestionKind::Label { .. } | QuestionKind::Number { .. } | QuestionKind::Text { .. } => {
            recorded.to_owned()
        }
    }
}

/// Answers that are named in a refusal.
const NAMED_MAX: usize = 12;

impl Question {
    /// What it takes, in words, for somebody who gave `answer`: with the answers that there are.
    pub fn wanted_instead_of(&self, answer: &str) -> String {
        let answers = self.kind.answers();
        if answers.is_empty() {
            let too_long = matches!(self.kind, QuestionKind::Number { .. })
                && answer.trim().parse::<f64>().is_ok_and(f64::is_finite)
                && Number::parse(answer).is_none();
            let digits = if too_long { ", of no more digits than can be kept exactly" } else { "" };
            return self.wanted() + digits;
        }
        let named = answers
            .iter()
            .take(NAMED_MAX)
            .map(|answer| format!("{} ({})", answer.key, answer.text));
        let more = answers.len().saturating_sub(NAMED_MAX);
        let more = (more > 0).then(|| format!("and {more} more"));
        format!("{}: {}", self.wanted(), named.chain(more).collect::<Vec<_>>().join(", "))
    }

    /// What it takes, in words.
    pub fn wanted(&self) -> String {
        match &self.kind {
            QuestionKind::Choice(_) => "one of the answers".to_owned(),
            QuestionKind::Multi { least, most, .. } if least == most => {
                format!("exactly {least} of the answers")
            }
            QuestionKind::Multi { least, most, .. } => format!("{least} to {most} of the answers"),
            QuestionKind::Label { .. } => "one of the labels".to_owned(),
            QuestionKind::Scale { least, most, .. } => {
                format!("a whole number from {least} to {most}")
            }
            QuestionKind::Number { least, most, unit, .. } => {
                let unit = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
                match (*least > f64::MIN, *most < f64::MAX) {
                    (true, true) => format!("a number{unit} from {least} to {most}"),
                    (true, false) => format!("a number{unit} from {least}"),
                    (false, true) => format!("a number{unit} up to {most}"),
                    (false, false) => format!("a number{unit}"),
                }
            }
            QuestionKind::Text { least: 0, most, .. } => {
                format!("words, or none (at most {most} characters)")
            }
            QuestionKind::Text { least, most, .. } => {
                format!("words of {least} to {most} characters")
            }
            QuestionKind::Span { least: 0, most: span::SPANS_MAX, .. } => {
                "places in the case, or none".to_owned()
            }
            QuestionKind::Span { least: 1, most: span::SPANS_MAX, .. } => {
                "at least one place in the input".to_owned()
            }
            QuestionKind::Span { least, most, .. } => {
                format!("{least} to {most} places in the case")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::protocol::parse;

    /// One question of each kind, some of them only now and then.
    const ALL: &str = r#"
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
goto = "modes"
[[question]]
id = "modes"
ask = "What failed?"
kind = "multi"
sets = "modes"
goto = "bad"
answers = [
  { key = "t", text = "Tone", set = { tags = ["tone"] } },
  { key = "f", text = "Facts", set = { tags = ["facts"], verdict = "false" } },
]
[[question]]
id = "bad"
ask = "How bad?"
kind = "scale"
sets = "severity"
goto = "where"
[[question]]
id = "where"
ask = "Where?"
kind = "span"
sets = "evidence"
when = { modes = "f", bad = { at_least = 3 } }
goto = "cost"
[[question]]
id = "cost"
ask = "What did it cost?"
kind = "number"
min = 0
unit = "EUR"
sets = "cost"
when = { any = [ { bad = 5 }, { where = true } ] }
goto = "note"
[[question]]
id = "note"
ask = "Anything else?"
kind = "text"
min = 0
sets = "note"
"#;

    fn steps(answers: &[(&str, &str)]) -> Vec<Step> {
        answers.iter().map(|(q, a)| (q.to_string(), a.to_string())).collect()
    }

    fn outcome(protocol: &Protocol, answers: &[(&str, &str)]) -> String {
        match walk(protocol, &steps(answers)).end {
            Walked::Ends(outcome) => serde_json::to_string(&outcome).unwrap(),
            Walked::Asks(question) => format!("asks {}", question.id),
            Walked::Stuck { question, answer } => format!("stuck at {} with {answer}", question.id),
        }
    }

    #[test]
    fn answers_lead_to_the_next_question_or_an_outcome() {
        let protocol = parse(ALL, None).unwrap();
        let check = |answers: &[(&str, &str)], expect: &str| {
            assert_eq!(outcome(&protocol, answers), expect, "{answers:?}")
        };
        check(&[], "asks a");
        check(&[("a", "y")], "asks b");
        check(&[("a", "yes")], "stuck at a with yes");
        check(&[("a", "1")], "stuck at a with 1");
        check(&[("b", "y"), ("a", "n")], r#"{"label":{"$":"{prediction}"},"verdict":"ok"}"#);
        check(&[("a", "y"), ("b", "z")], "stuck at b with z");
        let up_to_bad = [("a", "y"), ("b", "x"), ("modes", "f,t"), ("bad", "2"), ("note", " ")];
        let quiet = r#"{"corrected_label":"x","modes":["t","f"],"severity":2,"tags":["tone","facts"],"verdict":"false"}"#;
        check(&up_to_bad, quiet);
        assert_eq!(
            walk(&protocol, &steps(&up_to_bad)).path,
            steps(&[("a", "y"), ("b", "x"), ("modes", "t,f"), ("bad", "2"), ("note", "")])
        );
        check(&[("a", "y"), ("b", "x"), ("modes", "f"), ("bad", "3")], "asks where");
        check(&[("a", "y"), ("b", "x"), ("modes", "f"), ("bad", "6")], "stuck at bad with 6");
        check(&[("a", "y"), ("b", "x"), ("modes", ""), ("bad", "5")], "asks cost");
        check(
            &[("a", "y"), ("b", "x"), ("modes", ""), ("bad", "5"), ("cost", "-1")],
            "stuck at cost with -1",
        );
        let all = [
            ("a", "y"),
            ("b", "x"),
            ("modes", "f"),
            ("bad", "3"),
            ("where", "9-12,0-4"),
            ("cost", "12.50"),
            ("note", "so"),
        ];
        let Walked::Ends(found) = walk(&protocol, &steps(&all)).end else { panic!("it ends") };
        assert_eq!(found["evidence"], serde_json::json!([[0, 4], [9, 12]]));
        assert_eq!((found["cost"].as_f64(), found["note"].as_str()), (Some(12.5), Some("so")));
    }

    #[test]
    fn the_predicted_label_is_filled_in() {
        let protocol = parse(ALL, None).unwrap();
        let Walked::Ends(outcome) = walk(&protocol, &steps(&[("a", "n")])).end else {
            panic!("it ends")
        };
        assert_eq!(settle(outcome.clone(), Some("pay"))["label"], "pay");
        assert_eq!(settle(outcome, None).get("label"), None);
        let of = |from: &str| serde_json::json!({ "$": from });
        let outcome: Outcome = [
            ("a".to_owned(), of("{b}")),
            ("b".to_owned(), of("{prediction}")),
            ("c".to_owned(), of("{c}")),
        ]
        .into();
        let outcome = outcome
            .into_iter()
            .chain([("words".to_owned(), Value::from("{prediction}"))])
            .collect();
        let settled = serde_json::to_string(&settle(outcome, Some("pay"))).unwrap();
        assert_eq!(
            settled, r#"{"a":"pay","b":"pay","words":"{prediction}"}"#,
            "what somebody typed is only words"
        );
        assert_eq!(protocol.label_fields(), ["corrected_label", "label"]);
    }

    proptest! {
        #[test]
        fn a_walk_is_total_and_walks_its_own_path_again(
            answers in proptest::collection::vec(("(a|b|modes|bad|where|cost|note|z)", "([ynxztf1-6]|t,f|0-3|7.25|)"), 0..12)
        ) {
            let protocol = parse(ALL, None).unwrap();
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
