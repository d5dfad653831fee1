//! What was answered elsewhere, as a path through a protocol: at each question the control of its name
//! answers; where none does, what can be left open is, and of listed answers each is tried. The path
//! whose end says what was said is the one.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::label::{Outcome, Step, value_text};
use crate::domain::protocol::{Answer, Protocol, Question, QuestionKind, Walked, walk};
use crate::format::foreign::Said;
use crate::format::kind::spans::word;
use crate::format::protocol_from::{given_id, id_of, place_id};

/// Walks that are tried at most.
const TRIES_MAX: usize = 20_000;

/// What some answers come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    pub path: Vec<Step>,
    pub outcome: Outcome,
    /// Controls that no question took and no field of the outcome bears out.
    pub unused: Vec<String>,
}

/// The path that was walked. What was said goes before the path by which it went out from here: of
/// questions about which nothing is said, that has the answers, unless it ends elsewhere.
///
/// # Errors
/// None leads to what was said, or several do.
pub fn solve(
    protocol: &Protocol,
    predicted: Option<&str>,
    said: &[(String, Said)],
    before: &[Step],
) -> Result<Solved, String> {
    if !before.is_empty()
        && let Ok(solved) = solve_by(protocol, predicted, said, before)
    {
        return Ok(solved);
    }
    solve_by(protocol, predicted, said, &[])
}

fn solve_by(
    protocol: &Protocol,
    predicted: Option<&str>,
    said: &[(String, Said)],
    before: &[Step],
) -> Result<Solved, String> {
    let (found, tries, stuck) = (Vec::new(), 0, None);
    let mut search = Search { protocol, predicted, said, before, found, tries, stuck };
    search.go(Vec::new(), &mut BTreeSet::new());
    let Some(least) = search.found.iter().map(|solved| solved.unused.len()).min() else {
        return Err(search
            .stuck
            .unwrap_or_else(|| format!("no path of `{}` leads to it", protocol.id)));
    };
    let mut best: Vec<Solved> =
        search.found.into_iter().filter(|solved| solved.unused.len() == least).collect();
    best.dedup_by(|a, b| a.path == b.path);
    match best.len() {
        1 => Ok(best.remove(0)),
        n => {
            let words: Vec<String> = best
                .iter()
                .take(2)
                .map(|solved| {
                    solved
                        .path
                        .iter()
                        .map(|(question, answer)| format!("{question} {answer}"))
                        .collect::<Vec<_>>()
                        .join(", ")
                })
                .collect();
            Err(format!(
                "{n} paths of `{}` lead to it ({}): it says too little",
                protocol.id,
                words.join("; or ")
            ))
        }
    }
}

/// Whether a question asks for the places of a control that have a name: as that of both is, or the
/// place is called as the question or its field, or as formats without blanks write that.
fn asks_for(question: &Question, control: &str, label: &str) -> bool {
    let (both, field) = (place_id(control, label), question.kind.field().unwrap_or_default());
    matches!(question.kind, QuestionKind::Span { .. })
        && (question.id == control
            || [&both, label].iter().any(|name| question.id == *name || field == *name)
            || id_of(field) == both
            || word(field) == label)
}

/// How many places no question asks for, by their names.
pub fn unasked(protocol: &Protocol, said: &[(String, Said)]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (control, said) in said {
        let Said::Places(places) = said else { continue };
        for (.., label) in places {
            let mut questions = protocol.questions.iter();
            if !questions.any(|question| asks_for(question, control, label)) {
                *found.entry(label.clone()).or_default() += 1;
            }
        }
    }
    found
}

struct Search<'s> {
    protocol: &'s Protocol,
    predicted: Option<&'s str>,
    said: &'s [(String, Said)],
    before: &'s [Step],
    found: Vec<Solved>,
    tries: usize,
    /// The first answer that a question did not take.
    stuck: Option<String>,
}

impl Search<'_> {
    fn go(&mut self, answers: Vec<Step>, used: &mut BTreeSet<String>) {
        self.tries += 1;
        if self.tries > TRIES_MAX {
            return;
        }
        let walked = walk(self.protocol, &answers);
        match walked.end {
            Walked::Stuck { question, answer } => {
                let words = format!(
                    "`{answer}` is no answer to `{}`, which takes {}",
                    question.id,
                    question.wanted()
                );
                self.stuck.get_or_insert(words);
            }
            Walked::Ends(outcome) => {
                let outcome = self.protocol.outcome(outcome, self.predicted);
                let mut unused = Vec::new();
                for (name, said) in self.said.iter().filter(|(name, _)| !used.contains(name)) {
                    match (outcome.get(name), said) {
                        (Some(value), Said::One(text)) if value_text(value) == *text => {}
                        (Some(value), Said::Many(list))
                            if list.len() == 1 && value_text(value) == list[0] => {}
                        // It ends elsewhere.
                        (Some(value), _) => {
                            let words = format!("`{name}` would be {}", value_text(value));
                            self.stuck.get_or_insert(words);
                            return;
                        }
                        // That there are no places, or no label, is no answer that is lost.
                        (None, Said::Many(list)) if list.is_empty() => {}
                        (None, Said::Places(places)) if places.is_empty() => {}
                        (None, _) => unused.push(name.clone()),
                    }
                }
                self.found.push(Solved { path: walked.path, outcome, unused });
            }
            Walked::Asks(question) => {
                for (answer, control) in self.answers(question) {
                    let mut next = answers.clone();
                    next.push((question.id.clone(), answer));
                    let new = control.as_ref().is_some_and(|control| used.insert(control.clone()));
                    self.go(next, used);
                    if let (true, Some(control)) = (new, control) {
                        used.remove(&control);
                    }
                }
            }
        }
    }

    /// Whether a control that is called as a question is no answer to it, but what the end says under that
    /// name: another question sets the field, or the name is `label`, what is to be learned from, and the
    /// question sets something else.
    fn is_of_a_field(&self, question: &Question, name: &str) -> bool {
        let sets = |question: &Question| {
            question.kind.field() == Some(name)
                || question.kind.answers().iter().any(|answer| answer.then.set.contains_key(name))
        };
        let sets_something =
            question.kind.answers().iter().any(|answer| !answer.then.set.is_empty());
        let mut others = self.protocol.questions.iter().filter(|other| other.id != question.id);
        matches!(question.kind, QuestionKind::Choice(_))
            && !sets(question)
            && (name == "label" && sets_something || others.any(sets))
    }

    /// Of a question whose answers set a field to what something else is: the answer that sets it to what
    /// was said, if there is one. Nothing of other questions.
    fn answers_by_end(
        &self,
        question: &Question,
        name: &str,
        texts: &[&str],
    ) -> Option<Option<String>> {
        let set = |answer: &Answer| answer.then.set.get(name).map(value_text);
        let answers = question.kind.answers();
        let is_held_open =
            |answer: &Answer| set(answer).is_some_and(|value| value.starts_with('{'));
        if !matches!(question.kind, QuestionKind::Choice(_)) || !answers.iter().any(is_held_open) {
            return None;
        }
        let comes_to = |answer: &&Answer| {
            let value = match set(answer).as_deref() {
                Some("{prediction}") => self.predicted.map(str::to_owned),
                other => other.map(str::to_owned),
            };
            value.is_some_and(|value| texts == [value.as_str()])
        };
        Some(answers.iter().find(comes_to).map(|answer| answer.key.clone()))
    }

    /// What was said to be the label.
    fn label(&self) -> Option<&str> {
        self.said.iter().find(|(name, _)| name == "label").and_then(|(_, said)| match said {
            Said::One(text) => Some(text.as_str()),
            Said::Many(list) if list.len() == 1 => Some(list[0].as_str()),
            _ => None,
        })
    }

    /// The answers to try, each with the control that gave it.
    fn answers(&mut self, question: &Question) -> Vec<(String, Option<String>)> {
        let said = self.said;
        for (name, said) in said {
            // Whether it was answered at all.
            if question.id == given_id(name) {
                return vec![("y".to_owned(), None)];
            }
            if let Said::Places(places) = said {
                let of: Vec<String> = places
                    .iter()
                    .filter(|(.., label)| asks_for(question, name, label))
                    .map(|(from, to, _)| format!("{from}-{to}"))
                    .collect();
                if !of.is_empty() || question.id == *name {
                    return vec![(of.join(","), Some(name.clone()))];
                }
                continue;
            }
            let named = question.id == *name
                || question.id == id_of(name)
                || name.strip_suffix('?') == Some(&question.id)
                || question.kind.field() == Some(name);
            if !named || self.is_of_a_field(question, name) {
                continue;
            }
            let texts: Vec<&str> = match said {
                Said::One(text) => vec![text],
                Said::Many(list) => list.iter().map(String::as_str).collect(),
                Said::Places(_) => continue,
            };
            // Where an answer says by a place holder what comes of it, the control says what came.
            if let Some(answers) = self.answers_by_end(question, name, &texts) {
                match answers {
                    Some(answer) => return vec![(answer, Some(name.clone()))],
                    None => continue,
                }
            }
            match answer_of(question, name, &texts) {
                Ok(answer) => return vec![(answer, Some(name.clone()))],
                // A field of that name may be set by something else.
                Err(words) => {
                    self.stuck.get_or_insert(words);
                    if question.id == *name && !matches!(question.kind, QuestionKind::Choice(_)) {
                        return Vec::new();
                    }
                }
            }
        }
        let open = |answer: &str| vec![(answer.to_owned(), None)];
        if let Some((_, answer)) = self.before.iter().find(|(asked, _)| *asked == question.id) {
            return open(answer);
        }
        match &question.kind {
            QuestionKind::Choice(answers) => {
                if question.id.ends_with("-given") && answers.iter().any(|answer| answer.key == "n")
                {
                    return open("n");
                }
                if answers.iter().any(|answer| answer.key == "-") {
                    return open("-");
                }
                answers.iter().map(|answer| (answer.key.clone(), None)).collect()
            }
            // The end says whether that was the label that was meant.
            QuestionKind::Label { .. } if self.label().is_some() => {
                open(self.label().unwrap_or_default())
            }
            QuestionKind::Multi { least: 0, .. } | QuestionKind::Text { least: 0, .. } => open(""),
            QuestionKind::Span { least: 0, .. } => open(""),
            _ => {
                self.stuck.get_or_insert(format!("`{}` is not answered", question.id));
                Vec::new()
            }
        }
    }
}

/// The answer that a control's texts are.
fn answer_of(question: &Question, control: &str, texts: &[&str]) -> Result<String, String> {
    let wrong = |text: &str| {
        format!("`{text}` is no answer to `{}`, which takes {}", question.id, question.wanted())
    };
    let key = |text: &str| {
        let answers = question.kind.answers();
        let sets = |value: Option<&serde_json::Value>| {
            value.is_some_and(|value| value_text(value) == text)
        };
        let found = answers
            .iter()
            .find(|answer| answer.key == text)
            .or_else(|| answers.iter().find(|answer| answer.text == text))
            .or_else(|| answers.iter().find(|answer| sets(answer.then.set.get(control))))
            .or_else(|| answers.iter().find(|answer| answer.text.eq_ignore_ascii_case(text)));
        found.map(|answer| answer.key.clone()).ok_or_else(|| wrong(text))
    };
    match (&question.kind, texts) {
        (QuestionKind::Choice(_), [text]) => key(text),
        (QuestionKind::Multi { .. }, texts) => Ok(texts
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| key(text))
            .collect::<Result<Vec<_>, _>>()?
            .join(",")),
        (QuestionKind::Text { .. }, texts) => Ok(texts.join("\n")),
        (
            QuestionKind::Label { .. } | QuestionKind::Scale { .. } | QuestionKind::Number { .. },
            [text],
        ) => Ok((*text).to_owned()),
        (_, texts) => Err(wrong(&texts.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::parse::parse;

    fn one(name: &str, text: &str) -> (String, Said) {
        (name.to_owned(), Said::One(text.to_owned()))
    }

    #[test]
    fn fields_are_walked_back_to_the_answers_that_set_them() {
        let source = include_str!("../../tests/fixtures/intent-edge-cases.toml");
        let labels = include_str!("../../tests/fixtures/labels.txt");
        let protocol = parse(source, Some(labels)).unwrap();
        let solved = solve(
            &protocol,
            Some("transfer"),
            &[one("verdict", "model_correct"), one("label", "transfer")],
            &[],
        )
        .unwrap();
        assert_eq!(solved.outcome["label"], "transfer");
        assert!(solved.unused.is_empty(), "{solved:?}");
        let solved = solve(
            &protocol,
            Some("transfer"),
            &[one("verdict", "wrong_label"), one("label", "pto_balance")],
            &[],
        )
        .unwrap();
        assert_eq!(
            (solved.outcome["verdict"].as_str(), solved.path.last().unwrap().1.as_str()),
            (Some("wrong_label"), "pto_balance")
        );
        // A label may be called as an answer is: it is the label all the same.
        for (predicted, label, verdict) in
            [("greeting", "yes", "wrong_label"), ("greeting", "no", "wrong_label")]
        {
            let solved = solve(&protocol, Some(predicted), &[one("label", label)], &[]).unwrap();
            assert_eq!(
                (solved.outcome["label"].as_str(), solved.outcome["verdict"].as_str()),
                (Some(label), Some(verdict)),
                "{solved:?}"
            );
        }
        let solved = solve(&protocol, Some("no"), &[one("label", "no")], &[]).unwrap();
        assert_eq!(
            (solved.outcome["label"].as_str(), solved.outcome["verdict"].as_str()),
            (Some("no"), Some("model_correct")),
            "{solved:?}"
        );
        let wrong = solve(&protocol, Some("transfer"), &[one("verdict", "no_such_verdict")], &[])
            .unwrap_err();
        assert!(wrong.contains("verdict"), "{wrong}");
    }
}
