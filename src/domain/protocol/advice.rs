//! What an author should mend before publishing a protocol that is sound: answers that mislead,
//! values that stand for nothing, examples that walk elsewhere than they say. What was published
//! once is never refused for these.

use std::collections::BTreeSet;

use super::check::escapes;
use super::condition::{Test, WORDS};
use super::states::explore;
use super::typed::{self, Written};
use super::walk::{Walked, walk};
use super::{Example, Fault, Protocol, Question, QuestionKind, Reference};
use crate::domain::label::{Step, outcome_words};

/// Most answers to one question.
const ANSWERS_MAX: usize = 200;

/// What an author should mend before publishing, in a protocol that is sound.
pub fn strictly(protocol: &Protocol) -> Vec<Fault> {
    let question = |question| {
        let said = named(question).into_iter().chain(shadowed(question));
        said.chain(no_answers(protocol, question)).chain(examples(protocol, question))
    };
    let mut faults: Vec<Fault> = protocol.questions.iter().flat_map(question).collect();
    faults.extend(dead_labels(protocol));
    faults.extend(dangling(protocol));
    faults.extend(protocol.questions.iter().flat_map(|question| values(protocol, question)));
    faults
}

/// Names and sizes that would be in the way.
fn named(question: &Question) -> Option<Fault> {
    let Question { id, line, .. } = question;
    if WORDS.contains(&id.as_str()) {
        return Some(Fault::new(
            *line,
            format!("question id `{id}`: all, any and not are words of conditions"),
        ));
    }
    let n = question.kind.answers().len();
    (n > ANSWERS_MAX).then(|| {
        Fault::new(
            *line,
            format!("`{id}` has {n} answers; at most {ANSWERS_MAX} are allowed: use a label"),
        )
    })
}

/// Values that stand for a field which nothing sets, or that should be a label and are none.
fn values(protocol: &Protocol, question: &Question) -> Vec<Fault> {
    let fields: BTreeSet<&str> = protocol.fields().collect();
    let labels = protocol.fields_of_label_questions();
    let mut faults = BTreeSet::new();
    for then in question
        .kind
        .consequences()
        .chain(question.kind.answers().iter().map(|answer| &answer.then))
    {
        for (field, value) in &then.set {
            if let Some(Reference::Field(other)) = Reference::of(value)
                && !fields.contains(other)
            {
                let words = format!(
                    "`{}` sets `{field}` to what `{other}` holds, which no answer sets",
                    question.id
                );
                faults.insert(Fault::new(question.line, words));
            }
            let named = value
                .as_str()
                .filter(|_| labels.contains(&field.as_str()) && !protocol.labels.is_empty());
            if let Some(label) = named.filter(|label| !protocol.has_label(label)) {
                let words = format!(
                    "`{}` sets `{field}` to `{label}`, which is not in `labels`",
                    question.id
                );
                faults.insert(Fault::new(question.line, words));
            }
        }
    }
    for answer in question.kind.answers().iter().filter(|answer| answer.text.trim().is_empty()) {
        faults.insert(Fault::new(
            question.line,
            format!(
                "the answer `{}` of `{}` says nothing: fill in `text`",
                answer.key, question.id
            ),
        ));
    }
    if question.ask.trim().is_empty() {
        faults.insert(Fault::new(
            question.line,
            format!("`{}` asks nothing: fill in `ask`", question.id),
        ));
    }
    faults.into_iter().collect()
}

/// Required fields that are set to what another field holds, by an answer through which some path
/// never sets that one.
fn dangling(protocol: &Protocol) -> Vec<Fault> {
    let Ok(states) = explore(protocol, &protocol.required) else { return Vec::new() };
    let required = |field: &String| protocol.required.contains(field);
    let edges =
        || states.all.iter().flat_map(|state| state.edges.iter().map(move |edge| (state, edge)));
    let referred = edges().flat_map(|(_, edge)| {
        edge.sets.iter().filter(|(field, _)| required(field)).filter_map(|(_, of)| of.as_ref())
    });
    let mut faults = BTreeSet::new();
    for other in referred.collect::<BTreeSet<&String>>() {
        let escapes = escapes(protocol, &states, other);
        // Situations that can be come to without it; one is found only after one that leads to it,
        // in whatever order.
        let mut without = vec![false; states.all.len()];
        let mut todo: Vec<usize> = states.start.into_iter().collect();
        while let Some(at) = todo.pop() {
            if !std::mem::replace(&mut without[at], true) {
                let on = states.all[at].edges.iter().filter(|edge| !edge.sets.contains_key(other));
                todo.extend(on.filter_map(|edge| edge.next));
            }
        }
        for state in
            states.all.iter().zip(&without).filter(|(_, without)| **without).map(|(state, _)| state)
        {
            let leaves = |next: Option<usize>| next.is_none_or(|next| escapes[next]);
            for edge in state
                .edges
                .iter()
                .filter(|edge| !edge.sets.contains_key(other) && leaves(edge.next))
            {
                let stands_for_it = |(field, of): &(&String, &Option<String>)| {
                    required(field) && of.as_ref() == Some(other)
                };
                for (field, _) in edge.sets.iter().filter(stands_for_it) {
                    let question = &protocol.questions[state.question];
                    let words = format!(
                        "`{}` sets `{field}` to what `{other}` holds, which some path through it never sets: then `{field}` is not set \
                         either",
                        question.id
                    );
                    faults.insert(Fault::new(question.line, words));
                }
            }
        }
    }
    faults.into_iter().collect()
}

/// Answers that can't be given by the key or words that stand on them.
fn shadowed(question: &Question) -> Vec<Fault> {
    let mut faults = Vec::new();
    let answers = question.kind.answers();
    let id = &question.id;
    for (i, answer) in answers.iter().enumerate() {
        let fault = |words: String| Fault::new(question.line, format!("`{id}`: {words}"));
        let text = answer.text.to_lowercase();
        if let Some(other) = answers[..i].iter().find(|other| other.text.to_lowercase() == text) {
            faults.push(fault(format!(
                "the answers `{}` and `{}` have the same text: nobody can tell them apart",
                other.key, answer.key
            )));
        }
        if let Some(other) =
            answers.iter().find(|other| other.key != answer.key && other.key.to_lowercase() == text)
        {
            let words = format!(
                "the text of `{}` is the key of `{}`, which takes it: word it otherwise",
                answer.key, other.key
            );
            faults.push(fault(words));
        }
        if let Ok(place) = answer.key.parse::<usize>()
            && place != i + 1
            && (1..=answers.len()).contains(&place)
        {
            let words = format!(
                "the key {place} is on answer {}, but {place} gives answer {place}: use a letter",
                i + 1
            );
            faults.push(fault(words));
        }
    }
    faults
}

/// Labels that conditions name and nobody can choose.
fn dead_labels(protocol: &Protocol) -> Vec<Fault> {
    let mut faults = Vec::new();
    for question in &protocol.questions {
        let Some(when) = &question.when else { continue };
        when.tests(&mut |asked, test| {
            let of = &protocol.questions[asked];
            let Test::OneOf(answers) = test else { return };
            if !matches!(of.kind, QuestionKind::Label { .. }) {
                return;
            }
            for label in answers.iter().filter(|label| !protocol.has_label(label)) {
                let words = format!(
                    "`{}` waits for the label `{label}` of `{}`, which is not in `labels`",
                    question.id, of.id
                );
                faults.push(Fault::new(question.line, words));
            }
        });
    }
    faults
}

/// Examples whose answer is none.
fn no_answers(protocol: &Protocol, question: &Question) -> Vec<Fault> {
    let id = &question.id;
    let given = question
        .examples
        .iter()
        .flat_map(|example| std::iter::once(&example.answer).chain(&example.not));
    let wrong =
        given.filter(|answer| typed::take(protocol, question, answer, Written::Before).is_none());
    wrong
        .map(|answer| {
            Fault::new(
                question.line,
                format!("an example of `{id}` answers `{answer}`, which is no answer to it"),
            )
        })
        .collect()
}

/// Examples that do not walk to where they say.
fn examples(protocol: &Protocol, question: &Question) -> Vec<Fault> {
    let mut faults = Vec::new();
    for example in &question.examples {
        let id = &question.id;
        if let Some(not) = &example.not {
            let read = |answer: &str| {
                typed::take(protocol, question, answer, Written::Before).map(|taken| taken.recorded)
            };
            let same = |a: &str, b: &str| read(a) == read(b);
            if same(not, &example.answer) {
                faults.push(Fault::new(
                    question.line,
                    format!("a counter-example of `{id}` is `{not}` and not `{not}`"),
                ));
            }
        }
        if let Some(words) = leads_elsewhere(protocol, question, example) {
            faults.push(Fault::new(
                question.line,
                format!("an example of `{id}` ({}): {words}", example.input),
            ));
        }
    }
    faults
}

/// What an example with a path or an outcome comes to instead, if it does not come to what it says.
fn leads_elsewhere(protocol: &Protocol, question: &Question, example: &Example) -> Option<String> {
    if example.path.is_empty() && example.outcome.is_empty() {
        return None;
    }
    let mut answers: Vec<Step> = example.path.clone();
    answers.push((question.id.clone(), example.answer.clone()));
    let answers = match typed::read(protocol, &answers, Written::Before) {
        Ok(answers) => answers,
        Err(error) => return Some(error.to_string()),
    };
    let walked = walk(protocol, &answers);
    let way = walked
        .path
        .iter()
        .map(|(id, answer)| format!("{id}={answer}"))
        .collect::<Vec<_>>()
        .join(" → ");
    if !walked.path.iter().any(|(id, _)| *id == question.id)
        && matches!(walked.end, Walked::Ends(_))
    {
        return Some(format!("its path {way} ends without coming to this question"));
    }
    match walked.end {
        Walked::Asks(asked) => {
            Some(format!("its path {way} stops before `{}`: answer it in `path`", asked.id))
        }
        Walked::Stuck { question, answer } => {
            Some(format!("`{answer}` is no answer to `{}`", question.id))
        }
        Walked::Ends(outcome) => {
            let wrong = example
                .outcome
                .iter()
                .find(|(field, value)| outcome.get(*field) != Some(*value))?;
            let wanted = outcome_words(&[(wrong.0.clone(), wrong.1.clone())].into());
            Some(format!("its path {way} comes to {}, not to {wanted}", outcome_words(&outcome)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::SOUND;
    use super::super::{parse, parse_strictly};

    #[test]
    fn authors_are_told_of_what_would_mislead() {
        let told = |from: &str, to: &str, expect: &str| {
            let source = SOUND.replacen(from, to, 1);
            parse(&source, None).expect("what was published stays readable");
            let faults = parse_strictly(&source, None).expect_err(expect);
            assert!(faults.iter().any(|fault| fault.message.contains(expect)), "{faults:?}");
        };
        told("text = \"No\"", "text = \"yes\"", "have the same text");
        told("text = \"No\"", "text = \"Y\"", "is the key of `y`");
        told(
            "verdict = \"bad\"",
            "verdict = \"{corrected_label}\"",
            "which some path through it never sets",
        );
        let of = SOUND.replace("verdict = \"wrong\"", "verdict = \"{corrected_label}\"");
        let faults = parse_strictly(&of, None).expect_err("bad is no label");
        assert!(
            faults[0].message.contains("sets `verdict` to `bad`, which is not in `labels`"),
            "{faults:?}"
        );
        let sound = of.replace("[\"x\"", "[\"bad\", \"x\"");
        parse_strictly(&sound, None).expect("there it is set by the answer itself");
        told("key = \"y\"", "key = \"2\"", "the key 2 is on answer 1");
        told("answer = \"n\"", "answer = \"q\"", "no answer to it");
        told("answer = \"n\"", "answer = \"2\"", "no answer to it");
        let example = |lines: &str| format!("answer = \"n\"\n{lines}");
        told(
            "answer = \"n\"",
            &example("outcome = { verdict = \"fine\" }"),
            "comes to verdict bad, not to verdict fine",
        );
        told("answer = \"n\"", &example("path = { b = \"x\" }\nnot = \"n\""), "is `n` and not `n`");
        told(
            "answer = \"n\"",
            "answer = \"y\"\noutcome = { verdict = \"wrong\" }",
            "stops before `b`",
        );
    }
}
