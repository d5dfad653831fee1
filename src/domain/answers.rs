//! Two answers to one question: the fields that are such. Which of the two stands first a coin says,
//! where they are shown, so that where an answer stands says nothing of it.

use serde_json::{Map, Value};

/// Pairs of fields that are two answers, of which neither comes before the other.
pub const ANSWERS: &[(&str, &str)] = &[
    ("answer_a", "answer_b"),
    ("response_a", "response_b"),
    ("completion_a", "completion_b"),
    ("output_a", "output_b"),
    ("text_a", "text_b"),
];

/// Whether a field at the top of a line may hold two answers: without a look at what they say.
pub fn has_answers(value: &Value) -> bool {
    let holds = |object: &Map<String, Value>| {
        ANSWERS.iter().any(|(one, two)| object.contains_key(*one) && object.contains_key(*two))
    };
    value.as_object().is_some_and(holds)
}

/// Whether a field is one of two answers; of two conversations, its last turn.
pub fn is_answer(field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field);
    let name = name.split('[').next().unwrap_or(name);
    ANSWERS.iter().any(|(one, two)| name == *one || name == *two)
}

/// The field of the other answer.
pub fn other_answer(field: &str) -> Option<String> {
    let (above, name) = field.rsplit_once('.')?;
    let find = |(one, two): &(&str, &str)| match name {
        _ if name == *one => Some(format!("{above}.{two}")),
        _ if name == *two => Some(format!("{above}.{one}")),
        _ => None,
    };
    ANSWERS.iter().find_map(find)
}
