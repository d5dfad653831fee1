//! Answers as a person writes them, in a command or in a file, read as what is recorded.
//!
//! What is recorded is a key, and [`walk()`](super::walk()) takes nothing else: a place or a text
//! of one version may be those of another answer in the next. Here alone an answer may be named
//! otherwise: by its text in any case; where it is typed at this moment, by its place too, unless
//! keys of the question are digits themselves.

use super::walk::{Taken, accepts};
use super::{Answer, Protocol, Question, QuestionKind};
use crate::domain::label::Step;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Now, by somebody who sees the question.
    Now,
    /// In a file, some time.
    Before,
}

/// Answers that can't be read as a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    #[error("`{protocol}` has no question `{question}`: there are {known}")]
    NoQuestion { protocol: String, question: String, known: String },
    #[error("`{answer}` is no answer to `{question}`, which takes {wanted}")]
    NoAnswer { question: String, answer: String, wanted: String },
    #[error("`{question}` is answered twice, by `{first}` and by `{other}`: say which")]
    Contradiction { question: String, first: String, other: String },
    #[error("`{0}` is not asked after these answers: leave it out, or answer otherwise")]
    NotAsked(String),
}

/// What becomes of an answer as it was written, or `None` if the question does not take it.
pub fn take(
    protocol: &Protocol,
    question: &Question,
    answer: &str,
    written: Written,
) -> Option<Taken> {
    let recorded = match &question.kind {
        QuestionKind::Choice(answers) => key_of(answers, answer.trim(), written)?.to_owned(),
        QuestionKind::Multi { answers, .. } => {
            let parts = answer.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| key_of(answers, part, written)).collect::<Option<Vec<_>>>()?.join(",")
        }
        _ => answer.to_owned(),
    };
    accepts(protocol, question, &recorded)
}

fn key_of<'a>(answers: &'a [Answer], written: &str, when: Written) -> Option<&'a str> {
    if let Some(answer) = answers.iter().find(|answer| answer.key == written) {
        return Some(&answer.key);
    }
    let lower = written.to_lowercase();
    let mut of_text = answers.iter().filter(|answer| answer.text.to_lowercase() == lower);
    if let Some(answer) = of_text.next() {
        // Two of one text: nobody can tell which is meant.
        return of_text.next().is_none().then_some(&answer.key);
    }
    let digits = |answer: &Answer| answer.key.bytes().all(|byte| byte.is_ascii_digit());
    if when == Written::Before || answers.iter().any(digits) {
        return None;
    }
    let place: usize = written.parse().ok()?;
    answers.get(place.checked_sub(1)?).map(|answer| answer.key.as_str())
}

/// Answers as they are recorded, each question once.
///
/// # Errors
/// A question that is none, an answer that its question does not take, two that differ to one
/// question.
pub fn read(
    protocol: &Protocol,
    answers: &[Step],
    written: Written,
) -> Result<Vec<Step>, BadAnswer> {
    let mut read: Vec<Step> = Vec::with_capacity(answers.len());
    for (id, answer) in answers {
        let question = protocol.question(id).ok_or_else(|| BadAnswer::NoQuestion {
            protocol: protocol.id.clone(),
            question: id.clone(),
            known: protocol
                .questions
                .iter()
                .map(|question| question.id.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        let no_answer = || BadAnswer::NoAnswer {
            question: id.clone(),
            answer: answer.clone(),
            wanted: question.wanted_instead_of(answer),
        };
        let recorded = take(protocol, question, answer, written).ok_or_else(no_answer)?.recorded;
        match read.iter().find(|(known, _)| known == id) {
            None => read.push((id.clone(), recorded)),
            Some((_, first)) if *first == recorded => {}
            Some((_, first)) => {
                return Err(BadAnswer::Contradiction {
                    question: id.clone(),
                    first: first.clone(),
                    other: recorded,
                });
            }
        }
    }
    Ok(read)
}

/// Whether a path takes all of some answers.
///
/// # Errors
/// The first that it does not take.
pub fn all_taken(answers: &[Step], path: &[Step]) -> Result<(), BadAnswer> {
    match answers.iter().find(|(id, _)| !path.iter().any(|(asked, _)| asked == id)) {
        None => Ok(()),
        Some((id, _)) => Err(BadAnswer::NotAsked(id.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::parse;

    fn question(answers: &[(&str, &str)]) -> Protocol {
        let answers: Vec<String> = answers
            .iter()
            .map(|(key, text)| {
                format!("{{ key = \"{key}\", text = \"{text}\", set = {{ v = 1 }} }}")
            })
            .collect();
        let source = format!(
            "id=\"p\"\ntitle=\"t\"\nstart=\"q\"\n[[question]]\nid=\"q\"\nask=\"?\"\nanswers=[{}]\n[[question]]\nid=\"unused\"\nask=\"?\"\nkind=\"number\"\nsets=\"n\"\n",
            answers.join(",")
        );
        let source = source.replace("ask=\"?\"\nanswers", "ask=\"?\"\ngoto=\"unused\"\nanswers");
        parse(&source, None).unwrap()
    }

    #[test]
    fn an_answer_is_its_key_or_its_text_and_its_place_only_where_keys_are_no_digits() {
        let letters = question(&[("y", "Yes"), ("n", "No"), ("m", "Maybe")]);
        let digits = question(&[("1", "Fine"), ("3", "Severe")]);
        let check = |protocol: &Protocol, answer: &str, now: Option<&str>, before: Option<&str>| {
            let question = protocol.question("q").unwrap();
            let read =
                |written| take(protocol, question, answer, written).map(|taken| taken.recorded);
            assert_eq!(read(Written::Now).as_deref(), now, "{answer} now");
            assert_eq!(read(Written::Before).as_deref(), before, "{answer} in a file");
            let recorded = accepts(protocol, question, answer).map(|taken| taken.recorded);
            let is_key = question.kind.answers().iter().any(|known| known.key == answer);
            assert_eq!(recorded.as_deref(), is_key.then_some(answer), "{answer} as it is recorded");
        };
        check(&letters, "y", Some("y"), Some("y"));
        check(&letters, "YES", Some("y"), Some("y"));
        check(&letters, "2", Some("n"), None);
        check(&letters, "4", None, None);
        check(&letters, "0", None, None);
        check(&digits, "1", Some("1"), Some("1"));
        check(&digits, "2", None, None);
        check(&digits, "3", Some("3"), Some("3"));
        check(&digits, "severe", Some("3"), Some("3"));
    }

    #[test]
    fn answers_that_contradict_each_other_or_lead_nowhere_are_named() {
        let protocol = question(&[("y", "Yes"), ("n", "No")]);
        let words = |answers: &[(&str, &str)]| {
            let answers: Vec<Step> =
                answers.iter().map(|(q, a)| ((*q).to_owned(), (*a).to_owned())).collect();
            read(&protocol, &answers, Written::Now).map_err(|error| error.to_string())
        };
        assert_eq!(words(&[("q", "yes"), ("q", "y")]).unwrap(), [("q".to_owned(), "y".to_owned())]);
        assert_eq!(
            words(&[("q", "y"), ("q", "n")]).unwrap_err(),
            "`q` is answered twice, by `y` and by `n`: say which"
        );
        assert!(words(&[("r", "y")]).unwrap_err().contains("there are q, unused"));
        assert!(words(&[("q", "x")]).unwrap_err().contains("y (Yes), n (No)"));
        let steps = |ids: &[&str]| {
            ids.iter().map(|id| ((*id).to_owned(), String::new())).collect::<Vec<_>>()
        };
        assert!(
            all_taken(&steps(&["q", "unused"]), &steps(&["q"]))
                .unwrap_err()
                .to_string()
                .contains("`unused` is not asked")
        );
        assert_eq!(all_taken(&steps(&["q"]), &steps(&["q"])), Ok(()));
    }
}
