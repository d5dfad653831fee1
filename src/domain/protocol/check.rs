//! Proves that a protocol can be worked with: every question can be reached, no walk goes round, every
//! path ends and sets what is required, and every example walks to an answer there is.
//!
//! Whether some path leaves a required field unset is asked backwards: "is there a way from here to an
//! end that does not set it?" has one answer a question, so a thousand questions take no longer than
//! their answers, however many paths they make.

use super::{Consequence, Fault, Protocol, Question, QuestionKind};

/// All faults, none if the protocol is sound.
pub fn check(protocol: &Protocol) -> Vec<Fault> {
    if protocol.questions.is_empty() {
        return vec![Fault::new(1, "no question: add a [[question]]")];
    }
    if let Some(fault) = cycle(protocol) {
        return vec![fault]; // the other proofs hold only without cycles
    }
    let mut faults = unreachable(protocol);
    for field in &protocol.required {
        faults.extend(unset(protocol, field));
    }
    faults.extend(protocol.questions.iter().flat_map(|question| examples(protocol, question)));
    faults
}

fn cycle(protocol: &Protocol) -> Option<Fault> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; protocol.questions.len()];
    for root in 0..protocol.questions.len() {
        if marks[root] != Mark::New {
            continue;
        }
        // An explicit stack: a protocol of a thousand questions in a row must not exhaust ours.
        let mut stack = vec![(root, next_of(protocol, root))];
        marks[root] = Mark::Open;
        while let Some((at, left)) = stack.last_mut() {
            let Some(next) = left.pop() else {
                marks[*at] = Mark::Done;
                stack.pop();
                continue;
            };
            match marks[next] {
                Mark::Done => {}
                Mark::New => {
                    marks[next] = Mark::Open;
                    stack.push((next, next_of(protocol, next)));
                }
                Mark::Open => {
                    let from = stack.iter().position(|(at, _)| *at == next).unwrap_or(0);
                    let mut path: Vec<&str> = stack[from..].iter().map(|(at, _)| protocol.questions[*at].id.as_str()).collect();
                    path.push(&protocol.questions[next].id);
                    let line = protocol.questions[next].line;
                    return Some(Fault::new(line, format!("the questions go round: {}", path.join(" → "))));
                }
            }
        }
    }
    None
}

fn next_of(protocol: &Protocol, at: usize) -> Vec<usize> {
    protocol.questions[at].kind.consequences().filter_map(|then| then.goto).collect()
}

fn unreachable(protocol: &Protocol) -> Vec<Fault> {
    let mut seen = vec![false; protocol.questions.len()];
    let mut todo = vec![protocol.start];
    while let Some(at) = todo.pop() {
        if !std::mem::replace(&mut seen[at], true) {
            todo.extend(next_of(protocol, at));
        }
    }
    let lost = protocol.questions.iter().zip(seen).filter(|(_, seen)| !seen);
    lost.map(|(question, _)| {
        Fault::new(question.line, format!("no answer leads to `{}`: add a `goto`, or take it out", question.id))
    })
    .collect()
}

/// A fault with the path that ends without setting `field`, if there is one.
fn unset(protocol: &Protocol, field: &str) -> Option<Fault> {
    // Questions from the last to the first in the order of walking.
    let order = postorder(protocol);
    let mut escapes = vec![false; protocol.questions.len()];
    let leaves = |question: &Question, then: &Consequence, escapes: &[bool]| {
        let sets_it = matches!(&question.kind, QuestionKind::Label { sets, .. } if sets == field);
        !sets_it && !then.set.contains_key(field) && then.goto.is_none_or(|next| escapes[next])
    };
    for at in order {
        let question = &protocol.questions[at];
        escapes[at] = question.kind.consequences().any(|then| leaves(question, then, &escapes));
    }
    if !escapes[protocol.start] {
        return None;
    }
    let mut at = protocol.start;
    let mut path = Vec::new();
    loop {
        let question = &protocol.questions[at];
        let (i, then) = question.kind.consequences().enumerate().find(|(_, then)| leaves(question, then, &escapes))?;
        let answer = match &question.kind {
            QuestionKind::Choice(answers) => answers[i].key.as_str(),
            QuestionKind::Label { .. } => "any label",
        };
        path.push(format!("{}={answer}", question.id));
        match then.goto {
            Some(next) => at = next,
            None => break,
        }
    }
    let line = protocol.questions[at].line;
    let path = path.join(" → ");
    Some(Fault::new(line, format!("the path {path} ends without setting `{field}`: add `set = {{ {field} = … }}`")))
}

fn postorder(protocol: &Protocol) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; protocol.questions.len()];
    let mut stack = vec![(protocol.start, next_of(protocol, protocol.start))];
    seen[protocol.start] = true;
    while let Some((at, left)) = stack.last_mut() {
        match left.pop() {
            Some(next) if !seen[next] => {
                seen[next] = true;
                stack.push((next, next_of(protocol, next)));
            }
            Some(_) => {}
            None => {
                order.push(*at);
                stack.pop();
            }
        }
    }
    order
}

fn examples(protocol: &Protocol, question: &Question) -> Vec<Fault> {
    let mut faults = Vec::new();
    for example in &question.examples {
        if super::walk::accepts(protocol, question, &example.answer).is_none() {
            let (id, answer) = (&question.id, &example.answer);
            faults.push(Fault::new(question.line, format!("an example of `{id}` answers `{answer}`, which is no answer to it")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    const SOUND: &str = r#"
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
  { key = "n", text = "No", set = { verdict = "bad" } },
]
[[question.example]]
input = "i"
answer = "n"
[[question]]
id = "b"
ask = "B?"
kind = "label"
sets = "corrected_label"
set = { verdict = "wrong" }
"#;

    fn check(from: &str, to: &str, line: usize, expect: &str) {
        assert!(SOUND.contains(from), "the test edits what is there: {from}");
        let faults = parse(&SOUND.replacen(from, to, 1), None).expect_err(expect);
        assert!(faults.iter().any(|f| f.message.contains(expect) && f.line == line), "{faults:?}");
    }

    #[test]
    fn a_sound_protocol_passes() {
        let protocol = parse(SOUND, None).unwrap();
        assert_eq!(protocol.longest_path(), 2);
        assert!(protocol.outline().contains("one of 2 labels sets corrected_label"));
    }

    #[test]
    fn each_fault_is_named_where_it_stands() {
        check("start = \"a\"", "start = \"z\"", 4, "no question is called `z`");
        check("{ verdict = \"bad\" }", "{ severity = 2 }", 8, "a=n ends without setting `verdict`");
        check("set = { verdict = \"wrong\" }", "", 18, "a=y → b=any label ends without");
        check("set = { verdict = \"wrong\" }", "set = { verdict = \"w\" }\ngoto = \"a\"", 8, "a → b → a");
        check("goto = \"b\"", "set = { verdict = \"ok\" }", 18, "no answer leads to `b`");
        check("key = \"n\"", "key = \"y\"", 13, "two answers on the key `y`");
        check("answer = \"n\"", "answer = \"q\"", 8, "no answer to it");
        check("kind = \"label\"", "kind = \"scale\"", 19, "kind `scale`");
        check("sets = \"corrected_label\"", "", 19, "say the field it `sets`");
        check("id = \"b\"", "id = \"a\"", 19, "a second question `a`");
        check("title = \"t\"", "title = ", 3, "");
        check("labels = [\"x\", \"y\"]", "labels = [\"x\", \"x\"]", 1, "stands twice");
    }
}
