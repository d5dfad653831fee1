//! `when`: whether a question is asked, by the answers before it.
//!
//! ```toml
//! when = { verdict = "n" }                                  # this answer was given
//! when = { verdict = ["n", "o"], readable = "y" }           # one of these, and that one
//! when = { severity = { at_least = 3 } }                    # scale and number: also at_most
//! when = { evidence = true }                                # anything was answered
//! when = { any = [ { verdict = "o" }, { not = { severity = { at_most = 2 } } } ] }
//! ```
//!
//! A question that the path did not ask has no answer: every test of it is false, and `not` of that
//! is true.

use std::collections::{BTreeSet, HashMap};

use toml::Value;

use super::{Question, QuestionKind};
use crate::domain::number::Number;

/// Names in a condition that can't be ids of questions in one.
pub const WORDS: [&str; 3] = ["all", "any", "not"];
/// Conditions inside conditions.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// What was answered to the question of that index.
    Answer(usize, Test),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of these.
    OneOf(Vec<String>),
    /// Of a question with many answers: any of these is among them.
    AnyOf(Vec<String>),
    AtLeast(f64),
    AtMost(f64),
    /// Anything but nothing.
    Given,
}

impl Condition {
    /// Whether it holds, given what was answered to a question, if it was asked.
    pub fn holds<'a>(&self, answer: &dyn Fn(usize) -> Option<&'a str>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(answer)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(answer)),
            Self::Not(part) => !part.holds(answer),
            Self::Answer(question, test) => {
                answer(*question).is_some_and(|answer| test.passes(answer))
            }
        }
    }

    /// Adds the questions that it asks about.
    pub fn questions(&self, found: &mut BTreeSet<usize>) {
        self.tests(&mut |question, _| {
            found.insert(question);
        });
    }

    /// Calls `each` with every test in it.
    pub fn tests(&self, each: &mut dyn FnMut(usize, &Test)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.tests(each)),
            Self::Not(part) => part.tests(each),
            Self::Answer(question, test) => each(*question, test),
        }
    }

    /// In words, with questions by their ids.
    pub fn describe(&self, questions: &[Question]) -> String {
        let list = |parts: &[Self], between: &str| {
            parts.iter().map(|part| part.describe(questions)).collect::<Vec<_>>().join(between)
        };
        match self {
            Self::All(parts) if parts.len() == 1 => parts[0].describe(questions),
            Self::All(parts) => list(parts, " and "),
            Self::Any(parts) => format!("({})", list(parts, " or ")),
            Self::Not(part) => format!("not ({})", part.describe(questions)),
            Self::Answer(question, test) => {
                let id = questions.get(*question).map_or("?", |question| question.id.as_str());
                match test {
                    Test::OneOf(answers) | Test::AnyOf(answers) => {
                        format!("{id} is {}", answers.join(" or "))
                    }
                    Test::AtLeast(n) => format!("{id} is {n} or more"),
                    Test::AtMost(n) => format!("{id} is {n} or less"),
                    Test::Given => format!("{id} is answered"),
                }
            }
        }
    }
}

impl Test {
    fn passes(&self, answer: &str) -> bool {
        match self {
            Self::OneOf(wanted) => wanted.iter().any(|one| one == answer),
            Self::AnyOf(wanted) => {
                answer.split(',').any(|part| wanted.iter().any(|one| one == part))
            }
            Self::AtLeast(least) => answer.parse::<f64>().is_ok_and(|n| n >= *least),
            Self::AtMost(most) => answer.parse::<f64>().is_ok_and(|n| n <= *most),
            Self::Given => !answer.is_empty(),
        }
    }
}

/// Reads a condition; `Err` says what is wrong with it.
pub fn read(
    table: &toml::Table,
    index: &HashMap<String, usize>,
    questions: &[Question],
) -> Result<Condition, String> {
    Reader { index, questions }.table(table, 0)
}

struct Reader<'r> {
    index: &'r HashMap<String, usize>,
    questions: &'r [Question],
}

impl Reader<'_> {
    fn table(&self, table: &toml::Table, depth: usize) -> Result<Condition, String> {
        if depth > DEPTH_MAX {
            return Err(format!("conditions are nested at most {DEPTH_MAX} deep"));
        }
        if table.is_empty() {
            return Err(
                "`when` is empty: name a question and its answer, or take it out".to_owned()
            );
        }
        let part = |(name, value): (&String, &Value)| match (name.as_str(), value) {
            ("all", Value::Array(parts)) => Ok(Condition::All(self.list(parts, depth)?)),
            ("any", Value::Array(parts)) => Ok(Condition::Any(self.list(parts, depth)?)),
            ("not", Value::Table(part)) => {
                Ok(Condition::Not(Box::new(self.table(part, depth + 1)?)))
            }
            ("all" | "any", _) => {
                Err(format!("`{name}` takes a list of conditions: {name} = [ {{ … }}, {{ … }} ]"))
            }
            ("not", _) => Err("`not` takes a condition: not = { … }".to_owned()),
            _ => self.answer(name, value),
        };
        Ok(Condition::All(table.iter().map(part).collect::<Result<_, _>>()?))
    }

    fn list(&self, parts: &[Value], depth: usize) -> Result<Vec<Condition>, String> {
        let part = |part: &Value| match part {
            Value::Table(table) => self.table(table, depth + 1),
            other => {
                Err(format!("a condition is a table as {{ question = \"answer\" }}, not `{other}`"))
            }
        };
        parts.iter().map(part).collect()
    }

    fn answer(&self, name: &str, value: &Value) -> Result<Condition, String> {
        let at = *self
            .index
            .get(name)
            .ok_or_else(|| format!("`when` asks about `{name}`, which is no question"))?;
        let question =
            self.questions.get(at).ok_or("`when` asks about a question that can't be read")?;
        let is = |answers| match question.kind {
            QuestionKind::Multi { .. } => Test::AnyOf(answers),
            _ => Test::OneOf(answers),
        };
        let one = |text: String| Ok(Condition::Answer(at, is(vec![self.known(question, text)?])));
        match value {
            Value::String(text) => one(text.clone()),
            Value::Integer(number) => one(number.to_string()),
            Value::Float(number) => one(number.to_string()),
            Value::Boolean(true) => Ok(Condition::Answer(at, Test::Given)),
            Value::Boolean(false) => {
                Ok(Condition::Not(Box::new(Condition::Answer(at, Test::Given))))
            }
            Value::Array(values) => {
                let text = |value: &Value| match value {
                    Value::String(text) => self.known(question, text.clone()),
                    Value::Integer(number) => self.known(question, number.to_string()),
                    other => Err(format!(
                        "`when` compares `{name}` with `{other}`: write answers as texts"
                    )),
                };
                Ok(Condition::Answer(at, is(values.iter().map(text).collect::<Result<_, _>>()?)))
            }
            Value::Table(bounds) => {
                if !matches!(
                    question.kind,
                    QuestionKind::Scale { .. } | QuestionKind::Number { .. }
                ) {
                    return Err(format!(
                        "`{name}` is neither a scale nor a number: it has no at_least and at_most"
                    ));
                }
                let bound = |(word, value): (&String, &Value)| {
                    let number = value
                        .as_float()
                        .or_else(|| value.as_integer().map(|n| n as f64))
                        .filter(|n| n.is_finite());
                    match (word.as_str(), number) {
                        ("at_least", Some(n)) => Ok(Condition::Answer(at, Test::AtLeast(n))),
                        ("at_most", Some(n)) => Ok(Condition::Answer(at, Test::AtMost(n))),
                        _ => Err(format!(
                            "`{name}` is compared by at_least and at_most, each with a number"
                        )),
                    }
                };
                Ok(Condition::All(bounds.iter().map(bound).collect::<Result<_, _>>()?))
            }
            Value::Datetime(_) => {
                Err(format!("`when` compares `{name}` with a date: write answers as texts"))
            }
        }
    }

    /// An answer that the question can have, as it is recorded.
    fn known(&self, question: &Question, answer: String) -> Result<String, String> {
        let recorded = match &question.kind {
            QuestionKind::Choice(answers) | QuestionKind::Multi { answers, .. } => {
                answers.iter().any(|one| one.key == answer).then(|| answer.clone())
            }
            QuestionKind::Scale { least, most, .. } => answer
                .parse::<i64>()
                .ok()
                .filter(|n| (*least..=*most).contains(n))
                .map(|n| n.to_string()),
            QuestionKind::Number { least, most, .. } => Number::parse(&answer)
                .filter(|n| (*least..=*most).contains(&n.as_f64()))
                .map(Number::text),
            QuestionKind::Label { .. } => Some(answer.clone()), // looked up when all labels are known
            QuestionKind::Text { .. } | QuestionKind::Span { .. } => {
                return Err(format!(
                    "`{0}` can only be asked whether it is answered: {0} = true",
                    question.id
                ));
            }
        };
        recorded.ok_or_else(|| {
            format!("`when` waits for `{answer}`, which is no answer to `{}`", question.id)
        })
    }
}
