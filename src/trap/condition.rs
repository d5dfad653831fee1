//! A rule over an object that is no prediction: a row of a cut, of an evaluation file, what is
//! known of a workspace.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use cel::Context;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use serde_json::{Map, Value};

use super::rule::{BadRule, Rule, Said, value_of};

/// A compiled condition.
pub struct Condition(Rule);

impl Condition {
    /// # Errors
    /// A rule that can't be read, or that calls what is no function.
    pub fn compile(source: &str) -> Result<Self, BadRule> {
        Rule::compile("where", source)?.must_be_a_truth(|_| None).map(Self)
    }

    /// Refuses a name that none of the objects has.
    ///
    /// # Errors
    /// The first such name.
    pub fn check_names(&self, source: &str, known: &[String]) -> Result<(), BadRule> {
        let Some(name) = self.0.names.iter().find(|name| !known.contains(name)) else {
            return Ok(());
        };
        let (rule, name, known) = (source.to_owned(), name.clone(), known.to_vec());
        Err(BadRule::Key { rule, name, known })
    }

    /// What it says of an object. The thread should have a stack of
    /// [`super::STACK_BYTES`].
    pub fn ask(&self, object: &Map<String, Value>) -> Said {
        let keys = Keys { object, absent: AtomicBool::new(false) };
        let mut context = Context::default();
        context.set_variable_resolver(&keys);
        let result = catch_unwind(AssertUnwindSafe(|| self.0.program.execute(&context)));
        Said::of(result.ok(), keys.absent.load(Ordering::Relaxed))
    }
}

struct Keys<'o> {
    object: &'o Map<String, Value>,
    absent: AtomicBool,
}

impl VariableResolver for Keys<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let found = self.object.get(variable).filter(|value| !value.is_null());
        let found = found.and_then(|value| value_of(value).try_into().ok()).map(CowVal::Owned);
        if found.is_none() {
            self.absent.store(true, Ordering::Relaxed);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_asked_by_their_keys() {
        let row = serde_json::json!({ "label": "oos", "n": 3, "slices": ["a"], "none": null });
        let row = row.as_object().unwrap();
        let ask = |source: &str| Condition::compile(source).unwrap().ask(row);
        assert_eq!(ask("label == 'oos' && n > 2 && 'a' in slices"), Said::Yes);
        assert_eq!(ask("none == 1"), Said::Absent);
        assert_eq!(ask("n"), Said::Number(3.0));
        let error = Condition::compile("n + 1").err().unwrap().to_string();
        assert_eq!(error, "the rule `n + 1` comes to a number or a text, never to true or false");
        let known: Vec<String> = row.keys().cloned().collect();
        let condition = Condition::compile("labe == 'oos'").unwrap();
        let error = condition.check_names("labe == 'oos'", &known).unwrap_err().to_string();
        assert!(error.contains("Did you mean `label`?"), "{error}");
    }
}
