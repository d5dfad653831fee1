//! Rules: CEL expressions over a prediction.
//!
//! The `cel` crate has traps of its own: deep nesting and very long chains exhaust the stack, which
//! can't be caught, and some inputs panic. So sources are short and shallow, threads that run them
//! have a large stack ([`STACK_BYTES`]), and a panic counts as a rule that can't be answered.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cel::common::types::{CelBool, CelDouble, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, ExecutionError, Program, Value};

use super::shape::{never_a_truth, paths};
use crate::domain::advice::Advice;
use crate::domain::field::raw_field;
use crate::domain::prediction::Row;
use crate::domain::traps::draw;

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
    ("draw", "0 to 1, from the id: draw < 0.01 takes one in a hundred, always the same"),
];

/// Fields of a line that rules may name too (DESIGN §9).
const FIELDS: &[&str] = &[
    "id",
    "occurred_at",
    "trace_id",
    "input",
    "prediction",
    "model",
    "challenger",
    "feature_importance",
];

/// Functions that rules may call; what CEL writes as signs is among them for it.
const FUNCTIONS: &[&str] = &[
    "all",
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "has",
    "int",
    "map",
    "matches",
    "max",
    "min",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "uint",
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
    #[error(
        "the rule `{rule}` names `{name}`, which no line has; there are {known}{like}",
        known = known_names(), like = like(name, known_names_list())
    )]
    Name { rule: String, name: String },
    #[error(
        "the rule `{rule}` names `{name}`, which rows do not have; there are {}{like}",
        known.join(", "), like = like(name, known.iter().map(String::as_str))
    )]
    Key { rule: String, name: String, known: Vec<String> },
    #[error(
        "the trap `{trap}` asks for `{field}`, which none of the first {of} lines has. Did you mean `{near}`?"
    )]
    Field { trap: String, field: String, near: String, of: usize },
    #[error("the rule `{0}` comes to {1}, never to true or false")]
    NoTruth(String, &'static str),
    #[error(
        "the rule `{rule}` calls `{name}`, which is no function; there are {}{like}",
        FUNCTIONS.join(", "), like = like(name, FUNCTIONS.iter().copied())
    )]
    Function { rule: String, name: String },
}

fn known_names_list() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name).chain(FIELDS.iter().copied())
}

fn known_names() -> String {
    known_names_list().collect::<Vec<_>>().join(", ")
}

/// The name that was meant, if one is near.
fn like<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let near = known.map(|known| (strsim::levenshtein(name, known), known)).min();
    let near = near.filter(|(edits, known)| *edits <= known.len() / 3);
    near.map_or(String::new(), |(_, known)| format!(". Did you mean `{known}`?"))
}

impl Advice for BadRule {
    fn next_step(&self) -> Option<String> {
        if let Self::Field { .. } = self {
            return None;
        }
        if let Self::NoTruth(..) = self {
            return Some("Compare it with something, as in confidence < 0.4.".to_owned());
        }
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
    source: String,
    /// The names that it asks for.
    pub(super) names: Vec<String>,
    /// Those of them that not every line has: fields of the stream's own, or mistakes.
    strangers: Vec<String>,
    /// The fields inside of others that it asks for.
    pub(super) paths: Vec<String>,
    pub(super) program: Program,
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
            let compile = || {
                catch_unwind(AssertUnwindSafe(|| {
                    Program::compile(source).map(|program| {
                        let asked = Asked::of(&program, source);
                        (program, asked)
                    })
                }))
            };
            thread.spawn_scoped(scope, compile).ok().and_then(|thread| thread.join().ok())
        });
        match compiled {
            Some(Ok(Ok((_, Asked { function: Some(name), .. })))) => {
                Err(BadRule::Function { rule: source.to_owned(), name })
            }
            Some(Ok(Ok((program, asked)))) => Ok(Self {
                name: name.to_owned(),
                source: source.to_owned(),
                strangers: asked.names.iter().filter(|name| !is_known(name)).cloned().collect(),
                paths: asked.paths,
                names: asked.names,
                program,
            }),
            Some(Ok(Err(errors))) => Err(syntax(errors.to_string())),
            _ => Err(syntax("it is too complicated".to_owned())),
        }
    }

    /// Refuses a rule that comes to something else than true or false whatever it is asked about.
    /// `of` says what a name stands for that never is true or false.
    pub(super) fn must_be_a_truth(
        self,
        of: impl Fn(&str) -> Option<&'static str> + Sync,
    ) -> Result<Self, BadRule> {
        // As deep as the parser went.
        let comes_to = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let look = || never_a_truth(self.program.expression(), &of);
            thread.spawn_scoped(scope, look).ok().and_then(|thread| thread.join().ok()).flatten()
        });
        match comes_to {
            Some(what) => Err(BadRule::NoTruth(self.source, what)),
            None => Ok(self),
        }
    }

    /// A rule that flags predictions.
    pub(super) fn truth(name: &str, source: &str) -> Result<Self, BadRule> {
        Self::compile(name, source)?.must_be_a_truth(kind_of)
    }
}

/// What a name of a prediction stands for, where that is neither true nor false.
fn kind_of(name: &str) -> Option<&'static str> {
    match name {
        "confidence" | "margin" | "latency_ms" | "draw" => Some("a number"),
        "disagrees" | "has_prediction" => None,
        "input" | "prediction" | "model" | "challenger" | "feature_importance" => Some("an object"),
        name => is_known(name).then_some("a text"),
    }
}

/// What a rule asks for that there may not be.
struct Asked {
    /// A function that there is not.
    function: Option<String>,
    names: Vec<String>,
    /// The fields inside of others.
    paths: Vec<String>,
}

impl Asked {
    /// Recurses through the rule as its parser did.
    fn of(program: &Program, source: &str) -> Self {
        let references = program.references();
        // Signs are functions to CEL, under names that nobody can write.
        let written = |name: &&str| name.starts_with(|c: char| c.is_alphabetic());
        let mut called: Vec<&str> = references.functions().into_iter().filter(written).collect();
        called.sort_unstable();
        let function = called.into_iter().find(|name| !FUNCTIONS.contains(name));
        // Macros name what they go through for themselves: `exists(k, …)`.
        let bound = |name: &str| {
            !name.starts_with(|c: char| c.is_alphabetic())
                || source.split(['(', ',']).any(|part| part.trim() == name)
        };
        let asked = references.variables().into_iter();
        let mut names: Vec<String> = asked.filter(|name| !bound(name)).map(str::to_owned).collect();
        names.sort_unstable();
        Self { function: function.map(str::to_owned), names, paths: paths(program.expression()) }
    }
}

fn is_known(name: &str) -> bool {
    known_names_list().any(|known| known == name)
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

/// Rules that are asked together.
#[derive(Default)]
pub struct Rules(pub Vec<Rule>);

/// What a rule says of one prediction.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Yes,
    No,
    /// For what is watched: a rule that flags has to be a truth.
    Number(f64),
    /// The line lacks what the rule asks for.
    Absent,
    Cannot(String),
}

impl Rules {
    /// The names that rules ask for and that not every line has.
    pub fn strangers(&self) -> Vec<String> {
        let mut found: Vec<String> =
            self.0.iter().flat_map(|rule| rule.strangers.clone()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Refuses a rule that asks for a name which none of these lines, the first of a stream, has.
    pub fn check_names<'l>(&self, lines: impl Iterator<Item = &'l str>) -> Result<(), BadRule> {
        let mut missing = self.strangers();
        for line in lines {
            if missing.is_empty() {
                return Ok(());
            }
            let fields = serde_json::from_str::<HashMap<String, serde::de::IgnoredAny>>(line);
            let fields = fields.unwrap_or_default();
            missing.retain(|name| !fields.contains_key(name));
        }
        let Some(name) = missing.into_iter().next() else { return Ok(()) };
        let rule = self.0.iter().find(|rule| rule.strangers.contains(&name));
        let rule = rule.map(|rule| rule.source.clone()).unwrap_or_default();
        Err(BadRule::Name { rule, name })
    }

    /// Asks every rule about each row; `each` is given the row, the rule and what it says. The
    /// thread should have a stack of [`STACK_BYTES`].
    pub fn ask(&self, rows: &[Row<'_>], mut each: impl FnMut(usize, usize, Said)) {
        let current = Current {
            rows,
            rules: &self.0,
            at: AtomicUsize::new(0),
            rule: AtomicUsize::new(0),
            absent: AtomicBool::new(false),
        };
        let mut context = Context::default();
        context.set_variable_resolver(&current);
        for i in 0..rows.len() {
            current.at.store(i, Ordering::Relaxed);
            for (place, rule) in self.0.iter().enumerate() {
                current.rule.store(place, Ordering::Relaxed);
                current.absent.store(false, Ordering::Relaxed);
                let result = catch_unwind(AssertUnwindSafe(|| rule.program.execute(&context)));
                let result = result.ok();
                each(i, place, Said::of(result, current.absent.load(Ordering::Relaxed)));
            }
        }
    }
}

impl Said {
    /// What a rule came to; nothing where it panicked. `absent`: it asked for what is not there.
    pub(super) fn of(result: Option<Result<Value, ExecutionError>>, absent: bool) -> Self {
        match result {
            Some(Ok(Value::Bool(true))) => Self::Yes,
            Some(Ok(Value::Bool(false))) => Self::No,
            Some(Ok(Value::Float(number))) => Self::Number(number),
            Some(Ok(Value::Int(number))) => Self::Number(number as f64),
            Some(Ok(Value::UInt(number))) => Self::Number(number as f64),
            Some(Ok(_)) => {
                Self::Cannot("it comes to something that is not true or false".to_owned())
            }
            // What lacks what is asked for is none that the rule is about.
            Some(Err(ExecutionError::NoSuchKey(_))) => Self::Absent,
            Some(Err(_)) if absent => Self::Absent,
            Some(Err(error)) => Self::Cannot(error.to_string()),
            None => Self::Cannot("it panicked".to_owned()),
        }
    }
}

/// The row that variables are resolved over.
struct Current<'r, 'a> {
    rows: &'r [Row<'a>],
    rules: &'r [Rule],
    at: AtomicUsize,
    /// The rule that asks.
    rule: AtomicUsize,
    /// Whether it asked for what the row lacks.
    absent: AtomicBool,
}

impl Current<'_, '_> {
    /// The same number from 0 up to 1 for the same rule, stream and id, everywhere.
    fn draw(&self, row: &Row<'_>) -> f64 {
        let rule = &self.rules[self.rule.load(Ordering::Relaxed)].name;
        draw(rule, row.stream_name(), row.id.text())
    }
}

impl VariableResolver for Current<'_, '_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let found = self.found(variable);
        if found.is_none() {
            self.absent.store(true, Ordering::Relaxed);
        }
        found
    }
}

impl Current<'_, '_> {
    fn found<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
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
            "draw" => Some(number(self.draw(row))),
            other => {
                // The slow way, for what has no name of its own above.
                let field = serde_json::from_str(raw_field(row.raw, other)?).ok()?;
                value_of(&field).try_into().ok().map(CowVal::Owned)
            }
        }
    }
}

/// A value of a line as rules calculate with it: whole numbers are `int`, so that one may be less
/// than another.
pub(super) fn value_of(json: &serde_json::Value) -> Value {
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

    fn ask(source: &str, line: &str) -> Said {
        let rules = Rules(vec![Rule::compile("r", source).unwrap()]);
        let mut answer = Said::No;
        rules.ask(&[Row::parse(line).unwrap()], |_, _, said| answer = said);
        answer
    }

    #[test]
    fn rules_see_the_prediction() {
        let yes = Said::Yes;
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
        assert_eq!(ask("confidence > 0.4", LINE), Said::No);
        assert_eq!(ask("has_prediction && confidence < 0.4", SILENT), Said::No);
    }

    #[test]
    fn what_cannot_be_answered_is_said_and_not_taken_for_no() {
        assert!(matches!(ask("label + 1 == 2", LINE), Said::Cannot(_)));
        assert_eq!(ask("1 + 1", LINE), Said::Number(2.0));
        // What a line lacks is absent, whichever way it is asked for, and hides nothing else.
        for source in [
            "confidence < 0.4",
            "!(confidence >= 0.4)",
            "label != \"oos\"",
            "region == \"eu\"",
            "input.amount > 3",
            "prediction.label == \"x\"",
            "confidence < 0.4 && !has_prediction",
        ] {
            assert!(matches!(ask(source, SILENT), Said::Absent | Said::No), "{source}");
        }
        for source in ["confidence < 0.4 || !has_prediction", "has(input.text) && text == \"\""] {
            assert_eq!(ask(source, SILENT), Said::Yes, "{source}");
        }
    }

    #[test]
    fn a_name_or_a_function_that_there_is_not_is_refused_before_the_first_line() {
        let error = Rule::compile("r", "has_prediction && foo(id)").err().unwrap().to_string();
        assert!(error.contains("calls `foo`") && error.contains("startsWith"), "{error}");
        let check = |source: &str, line: &str| {
            let rules = Rules(vec![Rule::compile("r", source).unwrap()]);
            rules.check_names([line].into_iter()).map_err(|error| error.to_string())
        };
        let error = check("confidance < 0.3", LINE).unwrap_err();
        assert!(error.contains("`confidance`") && error.contains("Did you mean `confidence`?"));
        for source in [
            "challenger.label == \"bye\" && disagrees",
            "prediction.top_k.exists(k, k.label == \"bye\")",
            "[1, 2].all(n, n > 0) && text.matches('h')",
            "timestamp(occurred_at).getHours() == 0",
        ] {
            assert_eq!(check(source, LINE), Ok(()), "{source}");
        }
        assert_eq!(check("region == 'eu'", "{\"region\":\"eu\"}"), Ok(()), "the stream has it");
        assert!(check("region == 'eu'", LINE).is_err());
    }

    #[test]
    fn a_draw_is_the_same_everywhere_and_takes_its_share() {
        let row = |n: u32| LINE.replace("\"p1\"", &format!("\"p{n}\""));
        let rules = Rules(vec![Rule::compile("audit", "draw < 0.1").unwrap()]);
        let lines: Vec<String> = (0..5_000).map(row).collect();
        let rows: Vec<Row<'_>> = lines.iter().map(|line| Row::parse(line).unwrap()).collect();
        let mut taken = 0;
        rules.ask(&rows, |_, _, said| taken += usize::from(said == Said::Yes));
        assert!((400..600).contains(&taken), "{taken}");
        // SHA-256 of "casework sample 1\naudit\ndefault\np1", as any program computes it.
        let current = Current {
            rows: &rows[1..2],
            rules: &rules.0,
            at: AtomicUsize::new(0),
            rule: AtomicUsize::new(0),
            absent: AtomicBool::new(false),
        };
        assert_eq!(current.draw(&rows[1]), 0.06811550993943083, "as Python computes it");
    }

    #[test]
    fn sources_that_would_break_the_parser_are_refused() {
        assert_eq!(Rule::compile("r", &"1+".repeat(5000)).err(), Some(BadRule::TooLong));
        assert_eq!(Rule::compile("r", &"(".repeat(90)).err(), Some(BadRule::TooDeep));
        assert_eq!(Rule::compile("r", &"!".repeat(90)).err(), Some(BadRule::TooDeep));
        assert_eq!(
            Rule::compile("r", "a.map(x,x).map(x,x).map(x,x)").err(),
            Some(BadRule::TooCostly)
        );
        assert!(matches!(Rule::compile("r", "confidence <"), Err(BadRule::Syntax(..))));
    }
}
