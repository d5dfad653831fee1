//! Rules: CEL expressions over a prediction.
//!
//! The `cel` crate has traps of its own: deep nesting and very long chains exhaust the stack, which
//! can't be caught, and some inputs panic. So sources are short and shallow, threads that run them
//! have a large stack ([`STACK_BYTES`]), and a panic counts as a rule that can't be answered.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use cel::common::types::{CelBool, CelDouble, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, Program, Value};

use crate::domain::advice::Advice;
use crate::domain::prediction::Row;

/// Stack for a thread that runs rules.
pub const STACK_BYTES: usize = 16 << 20;
const SOURCE_BYTES_MAX: usize = 2_048;
const DEPTH_MAX: usize = 16;
const COMPREHENSIONS_MAX: usize = 2;

/// What a rule may ask for, and what it is. Anything else of the line is found by its own name.
pub const VARIABLES: &[(&str, &str)] = &[
    ("confidence", "of the prediction, 0 to 1"),
    ("label", "the predicted label"),
    ("margin", "how far the first of top_k is ahead of the second"),
    ("text", "input.text"),
    ("session", "input.session_id"),
    ("stream", "the stream's name"),
    ("source", "where the request came from"),
    ("latency_ms", "how long the model took"),
    ("challenger_label", "what the challenger said, or empty"),
    ("disagrees", "the challenger said another label"),
    ("has_prediction", "the model gave an answer at all"),
];

/// A rule that can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadRule {
    #[error("a rule is at most {SOURCE_BYTES_MAX} bytes long")]
    TooLong,
    #[error("a rule is nested at most {DEPTH_MAX} deep")]
    TooDeep,
    #[error("a rule has at most {COMPREHENSIONS_MAX} of map, filter, all, exists")]
    TooCostly,
    #[error("the rule `{0}` cannot be read: {1}")]
    Syntax(String, String),
}

impl Advice for BadRule {
    fn next_step(&self) -> Option<String> {
        Some(
            "Rules are CEL, as in --where 'confidence < 0.4 && label != \"oos\"'; `casework ingest --help` lists the names."
                .to_owned(),
        )
    }
}

/// A compiled rule.
pub struct Rule {
    /// What a case is flagged with.
    pub name: String,
    program: Program,
}

impl Rule {
    pub fn compile(name: &str, source: &str) -> Result<Self, BadRule> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(BadRule::TooLong);
        }
        if depth(source) > DEPTH_MAX {
            return Err(BadRule::TooDeep);
        }
        let comprehensions = [".map(", ".filter(", ".all(", ".exists(", ".exists_one("];
        if comprehensions.iter().map(|word| source.matches(word).count()).sum::<usize>()
            > COMPREHENSIONS_MAX
        {
            return Err(BadRule::TooCostly);
        }
        let syntax = |error: String| {
            BadRule::Syntax(source.to_owned(), error.lines().next().unwrap_or_default().to_owned())
        };
        // On its own stack: the parser recurses.
        let compiled = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let compile = || catch_unwind(AssertUnwindSafe(|| Program::compile(source)));
            thread.spawn_scoped(scope, compile).ok().and_then(|thread| thread.join().ok())
        });
        match compiled {
            Some(Ok(Ok(program))) => Ok(Self { name: name.to_owned(), program }),
            Some(Ok(Err(errors))) => Err(syntax(errors.to_string())),
            _ => Err(syntax("it is too complicated".to_owned())),
        }
    }
}

fn depth(source: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            // A chain of prefixes nests too.
            b'!' | b'?' => deepest += usize::from(byte == b'?'),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest.max(source.split(|c| c != '!' && c != '-').map(str::len).max().unwrap_or(0))
}

/// Rules that are asked together. With none, everything matches.
#[derive(Default)]
pub struct Rules(pub Vec<Rule>);

/// What the rules say of one prediction.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Names of the rules that match; a first one that could not be answered hides no other.
    Flags(Vec<String>),
    Passes,
    /// No rule matches, and this one could not be answered.
    Cannot {
        rule: String,
        why: String,
    },
}

impl Rules {
    /// Asks the rules about each row. The thread should have a stack of [`STACK_BYTES`].
    pub fn ask(&self, rows: &[Row<'_>], mut each: impl FnMut(usize, Answer)) {
        if self.0.is_empty() {
            return (0..rows.len()).for_each(|i| each(i, Answer::Flags(Vec::new())));
        }
        let current = Current { rows, at: AtomicUsize::new(0) };
        let mut context = Context::default();
        context.set_variable_resolver(&current);
        for i in 0..rows.len() {
            current.at.store(i, Ordering::Relaxed);
            each(i, self.ask_one(&context));
        }
    }

    fn ask_one(&self, context: &Context<'_, '_>) -> Answer {
        let mut flags = Vec::new();
        let mut cannot = None;
        for rule in &self.0 {
            let result = catch_unwind(AssertUnwindSafe(|| rule.program.execute(context)));
            let why = match result {
                Ok(Ok(Value::Bool(true))) => {
                    flags.push(rule.name.clone());
                    continue;
                }
                Ok(Ok(Value::Bool(false))) => continue,
                Ok(Ok(_)) => "it is not true or false".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it panicked".to_owned(),
            };
            cannot.get_or_insert_with(|| (rule.name.clone(), why));
        }
        match cannot {
            _ if !flags.is_empty() => Answer::Flags(flags),
            Some((rule, why)) => Answer::Cannot { rule, why },
            None => Answer::Passes,
        }
    }
}

/// The row that variables are resolved over.
struct Current<'r, 'a> {
    rows: &'r [Row<'a>],
    at: AtomicUsize,
}

impl VariableResolver for Current<'_, '_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let row = &self.rows[self.at.load(Ordering::Relaxed)];
        let text = |text: &'b str| Some(CowVal::owned(CelString::from(text)));
        let number = |number: f64| CowVal::owned(CelDouble::from(number));
        let rival = || row.challenger().map_or("", |challenger| challenger.label.text());
        match variable {
            "confidence" => row.confidence().map(number),
            "margin" => row.margin().map(number),
            "latency_ms" => row.latency_ms.map(number),
            "label" => row.predicted().and_then(|_| text(row.label())),
            "text" => text(row.text()),
            "session" => text(row.session()),
            "stream" => text(row.stream_name()),
            "source" => text(row.source.text()),
            "id" => text(row.id.text()),
            "challenger_label" => text(rival()),
            "disagrees" => {
                Some(CowVal::owned(CelBool::from(!rival().is_empty() && rival() != row.label())))
            }
            "has_prediction" => Some(CowVal::owned(CelBool::from(row.predicted().is_some()))),
            other => {
                // The slow way, for what has no name of its own above.
                let line: serde_json::Value = serde_json::from_str(row.raw).ok()?;
                value_of(line.get(other)?).try_into().ok().map(CowVal::Owned)
            }
        }
    }
}

/// A value of a line as rules calculate with it: whole numbers are `int`, so that one may be less
/// than another.
fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(large)) => Value::UInt(large),
            (None, None) => number.as_f64().map_or(Value::Null, Value::Float),
        },
        serde_json::Value::Array(items) => items.iter().map(value_of).collect::<Vec<_>>().into(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.as_str(), value_of(value)))
            .collect::<HashMap<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"p1","occurred_at":"2024-06-03T00:03:25Z","latency_ms":12,"input":{"text":"hi","channel":"voice","amount":5,"limit":10,"loss":-2},"prediction":{"label":"greeting","confidence":0.3,"top_k":[{"label":"greeting","p":0.3},{"label":"bye","p":0.2}]},"challenger":{"label":"bye"}}"#;
    const SILENT: &str =
        r#"{"id":"p2","occurred_at":"2024-06-03T00:03:25Z","input":{"text":""},"prediction":null}"#;

    fn ask(source: &str, line: &str) -> Answer {
        let rules = Rules(vec![Rule::compile("r", source).unwrap()]);
        let mut answer = Answer::Passes;
        rules.ask(&[Row::parse(line).unwrap()], |_, found| answer = found);
        answer
    }

    #[test]
    fn rules_see_the_prediction() {
        let yes = Answer::Flags(vec!["r".to_owned()]);
        for source in [
            "confidence < 0.4",
            "confidence < 1",
            "margin < 0.11 && label == \"greeting\"",
            "disagrees",
            "text.matches(\"^h.$\")",
            "input.channel == \"voice\"",
            "latency_ms > 10.0",
            "size(text) == 2",
            "prediction.top_k.exists(k, k.label == \"bye\")",
            "input.amount - input.limit < 0",
            "input.amount - 1 > 0 && input.amount * 2 == 10",
            "size(text) - input.amount == -3",
            "input.loss < input.amount",
            "timestamp(occurred_at).getHours() == 0",
            "timestamp(occurred_at) > timestamp('2024-01-01T00:00:00Z') + duration('24h')",
        ] {
            assert_eq!(ask(source, LINE), yes, "{source}");
        }
        assert_eq!(ask("confidence > 0.4", LINE), Answer::Passes);
        assert_eq!(ask("has_prediction && confidence < 0.4", SILENT), Answer::Passes);
    }

    #[test]
    fn what_cannot_be_answered_is_said_and_not_taken_for_no() {
        assert!(matches!(ask("confidence < 0.4", SILENT), Answer::Cannot { .. }));
        assert!(matches!(ask("label + 1 == 2", LINE), Answer::Cannot { .. }));
        assert!(matches!(ask("nothing.here", LINE), Answer::Cannot { .. }));
        assert!(matches!(ask("1 + 1", LINE), Answer::Cannot { .. }));
    }

    #[test]
    fn sources_that_would_break_the_parser_are_refused() {
        assert_eq!(Rule::compile("r", &"1+".repeat(2000)).err(), Some(BadRule::TooLong));
        assert_eq!(Rule::compile("r", &"(".repeat(90)).err(), Some(BadRule::TooDeep));
        assert_eq!(Rule::compile("r", &"!".repeat(90)).err(), Some(BadRule::TooDeep));
        assert_eq!(
            Rule::compile("r", "a.map(x,x).map(x,x).map(x,x)").err(),
            Some(BadRule::TooCostly)
        );
        assert!(matches!(Rule::compile("r", "confidence <"), Err(BadRule::Syntax(..))));
    }
}
