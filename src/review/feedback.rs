//! What is said in a training about an answer, and about the whole.

use super::Protocols;
use crate::domain::label::{Outcome, outcome_words};
use crate::domain::policy::Training;
use crate::domain::protocol::typed::{self, Written};
use crate::domain::protocol::walk::answer_text;
use crate::domain::protocol::{Example, Protocol};
use crate::domain::training::Comparison;

/// Right or wrong, at which question the paths part, and why: an example, the terms, what the lead
/// said.
pub fn feedback(
    protocols: &Protocols,
    protocol: &Protocol,
    why: &str,
    found: &Comparison,
    given: &Outcome,
) -> Vec<String> {
    let reason = || (!why.is_empty()).then(|| why.to_owned());
    if found.right {
        return std::iter::once(format!("Right: {}", outcome_words(given)))
            .chain(reason())
            .collect();
    }
    let mut words = vec![
        "Incorrect.".to_owned(),
        format!("You came to   {}", outcome_words(given)),
        format!("Right is      {}", outcome_words(&found.outcome)),
        String::new(),
    ];
    if let Some((id, expected)) = &found.diverged_at
        && let Some(question) = protocol.question(id)
    {
        words.push(format!("You left the right path at `{id}`: {}", question.ask));
        match expected {
            Some(expected) => {
                words.push(format!("Right would have been: {}", answer_text(question, expected)))
            }
            None => words.push("The right path does not come to this question.".to_owned()),
        }
        words.extend((!question.help.is_empty()).then(|| question.help.clone()));
        let recorded = |answer: &str| {
            typed::take(protocol, question, answer, Written::Before).map(|taken| taken.recorded)
        };
        let fits =
            |example: &&Example| expected.is_some() && recorded(&example.answer) == *expected;
        if let Some(example) = question.examples.iter().find(fits) {
            words.push(format!("Example: {} ({})", example.input, example.why));
        }
        for term in question.terms.iter().filter_map(|id| protocols.glossary.term(id)).take(3) {
            words.push(format!("{}: {}", term.name, term.definition));
        }
    }
    words.extend(reason());
    words
}

/// How a training went, when it is over.
pub fn summary(rules: &Training, right: usize, of: usize) -> String {
    let Training { cases, right_percent, .. } = *rules;
    match (rules.passes(right, of), of < cases as usize) {
        (true, _) => format!("{right} of {of} right: passed."),
        (false, true) => format!(
            "{right} of {of} right. Passing takes {cases} cases; there are only {of} gold items yet."
        ),
        (false, false) => format!(
            "{right} of {of} right: not passed, that takes {right_percent} %. Do it again when you like."
        ),
    }
}
