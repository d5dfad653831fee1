//! Proves that a protocol can be worked with: every question is asked on some path, no walk goes
//! round, every path ends and sets what is required under every combination of conditions.
//!
//! Whether some path leaves a required field unset is asked backwards over the situations of
//! `states`: "is there a way from here to an end that does not set it?" has one answer a situation,
//! so a thousand questions take no longer than their answers, however many paths they make.

use std::collections::{BTreeMap, BTreeSet};

use super::states::{STATES_MAX, States, TooMany, explore, next_of, postorder};
use super::{Fault, Protocol, Question};

/// All faults for which a protocol can't be used; none if it is sound.
pub fn check(protocol: &Protocol) -> Vec<Fault> {
    if protocol.questions.is_empty() {
        return vec![Fault::new(1, "no question: add a [[question]]")];
    }
    if let Some(fault) = cycle(protocol) {
        return vec![fault]; // the other proofs hold only without cycles
    }
    let states = match explore(protocol, &protocol.required) {
        Ok(states) => states,
        Err(TooMany(at)) => {
            let question = &protocol.questions[at];
            let words = format!(
                "at `{}` there are more than {STATES_MAX} combinations of earlier answers that conditions tell apart: \
                 ask with fewer `when`s, or take them out of one another",
                question.id
            );
            return vec![Fault::new(question.line, words)];
        }
    };
    let mut faults = never_asked(protocol, &states);
    for field in &protocol.required {
        faults.extend(unset(protocol, &states, field));
    }
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
                    let mut path: Vec<&str> = stack[from..]
                        .iter()
                        .map(|(at, _)| protocol.questions[*at].id.as_str())
                        .collect();
                    path.push(&protocol.questions[next].id);
                    let line = protocol.questions[next].line;
                    let words = format!(
                        "the questions go round: {}. Let one of these end, or go on elsewhere",
                        path.join(" → ")
                    );
                    return Some(Fault::new(line, words));
                }
            }
        }
    }
    None
}

fn never_asked(protocol: &Protocol, states: &States) -> Vec<Fault> {
    let asked: BTreeSet<usize> = states.all.iter().map(|state| state.question).collect();
    let lost = protocol.questions.iter().enumerate().filter(|(at, _)| !asked.contains(at));
    let fault = |(at, question): (usize, &Question)| {
        let words = match (&question.when, states.passed_over.get(&at)) {
            (Some(when), Some(from)) => {
                let way = from.map_or_else(
                    || "from the start".to_owned(),
                    |from| format!("by {}", way_to(states, from)),
                );
                let when = when.describe(&protocol.questions);
                format!(
                    "`{}` is come to ({way}) but never asked: no path there has {when}. Mend its `when`, or take it out",
                    question.id
                )
            }
            _ => format!("no answer leads to `{}`: add a `goto`, or take it out", question.id),
        };
        Fault::new(question.line, words)
    };
    lost.map(fault).collect()
}

/// The answers up to and with one of a situation: `a=y → b=n`.
fn way_to(states: &States, (mut state, mut edge): (usize, usize)) -> String {
    let mut path = Vec::new();
    loop {
        let at = &states.all[state];
        path.extend(at.edges.get(edge).map(|edge| edge.words.clone()));
        match at.from {
            Some(from) => (state, edge) = from,
            None => break,
        }
    }
    path.reverse();
    path.join(" → ")
}

/// For each situation, whether there is a way from it to an end that does not set `field`.
pub(super) fn escapes(protocol: &Protocol, states: &States, field: &str) -> Vec<bool> {
    // Those that follow first.
    let order: BTreeMap<usize, usize> =
        postorder(protocol).into_iter().enumerate().map(|(i, question)| (question, i)).collect();
    let mut backwards: Vec<usize> = (0..states.all.len()).collect();
    backwards.sort_by_key(|at| order.get(&states.all[*at].question));
    let mut escapes = vec![false; states.all.len()];
    for at in backwards {
        let leaves = |next: Option<usize>| next.is_none_or(|next| escapes[next]);
        escapes[at] = states.all[at]
            .edges
            .iter()
            .any(|edge| !edge.sets.contains_key(field) && leaves(edge.next));
    }
    escapes
}

/// A fault with the path that ends without setting `field`, if there is one.
fn unset(protocol: &Protocol, states: &States, field: &str) -> Option<Fault> {
    let Some(start) = states.start else {
        return Some(Fault::new(1, format!("nothing is asked, so `{field}` is never set")));
    };
    let escapes = escapes(protocol, states, field);
    if !escapes[start] {
        return None;
    }
    let mut at = start;
    let mut path = Vec::new();
    loop {
        let leaves = |next: Option<usize>| next.is_none_or(|next| escapes[next]);
        let edge = states.all[at]
            .edges
            .iter()
            .find(|edge| !edge.sets.contains_key(field) && leaves(edge.next))?;
        path.push(edge.words.clone());
        match edge.next {
            Some(next) => at = next,
            None => break,
        }
    }
    let line = protocol.questions[states.all[at].question].line;
    let path = path.join(" → ");
    Some(Fault::new(
        line,
        format!("the path {path} ends without setting `{field}`: add `set = {{ {field} = … }}`"),
    ))
}

/// A sound protocol, for tests to plant faults in.
#[cfg(test)]
pub(super) const SOUND: &str = r#"
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

#[cfg(test)]
mod tests {
    use super::super::{parse, parse_strictly};
    use super::SOUND;

    fn check(from: &str, to: &str, line: usize, expect: &str) {
        assert!(SOUND.contains(from), "the test edits what is there: {from}");
        let faults = parse(&SOUND.replacen(from, to, 1), None).expect_err(expect);
        assert!(faults.iter().any(|f| f.message.contains(expect) && f.line == line), "{faults:?}");
    }

    #[test]
    fn a_sound_protocol_passes() {
        let protocol = parse_strictly(SOUND, None).unwrap();
        assert_eq!(protocol.longest_path(), 2);
        assert!(protocol.outline().contains("one of 2 labels sets corrected_label"));
    }

    #[test]
    fn each_fault_is_named_where_it_stands() {
        check("start = \"a\"", "start = \"z\"", 4, "no question is called `z`");
        check("{ verdict = \"bad\" }", "{ severity = 2 }", 8, "a=n ends without setting `verdict`");
        check("set = { verdict = \"wrong\" }", "", 18, "a=y → b=any label ends without");
        check(
            "set = { verdict = \"wrong\" }",
            "set = { verdict = \"w\" }\ngoto = \"a\"",
            8,
            "a → b → a",
        );
        check("goto = \"b\"", "set = { verdict = \"ok\" }", 18, "no answer leads to `b`");
        check("key = \"n\"", "key = \"y\"", 13, "two answers on the key `y`");
        check("kind = \"label\"", "kind = \"sum\"", 19, "kind `sum`");
        check("sets = \"corrected_label\"", "", 19, "say the field it `sets`");
        check("id = \"b\"", "id = \"a\"", 19, "a second question `a`");
        check("title = \"t\"", "title = ", 3, "");
        check("labels = [\"x\", \"y\"]", "labels = [\"x\", \"x\"]", 1, "stands twice");
        check(
            "set = { verdict = \"wrong\" }",
            "when = { a = \"n\" }\nset = { verdict = \"w\" }",
            18,
            "come to (by a=y) but never asked",
        );
        check(
            "set = { verdict = \"wrong\" }",
            "when = { a = \"q\" }\nset = { verdict = \"w\" }",
            23,
            "waits for `q`",
        );
        check(
            "set = { verdict = \"wrong\" }",
            "when = { c = \"q\" }\nset = { verdict = \"w\" }",
            23,
            "which is no question",
        );
        check(
            "set = { verdict = \"wrong\" }",
            "when = { a = { at_least = 2 } }",
            23,
            "neither a scale nor a number",
        );
        check(
            "kind = \"label\"",
            "kind = \"scale\"\nmin = 5\nmax = 5",
            19,
            "min 5 is not below max 5",
        );
        check(
            "kind = \"label\"",
            "kind = \"text\"\nmin = 5\nmax = 2",
            19,
            "there is nothing to answer",
        );
    }

    const MANY: &str = r#"
id = "p"
title = "t"
start = "kind"
[require]
fields = ["verdict", "severity"]
[[question]]
id = "kind"
ask = "Which?"
kind = "multi"
min = 1
goto = "bad"
set = { verdict = "seen" }
answers = [ { key = "a", text = "A" }, { key = "b", text = "B" }, { key = "c", text = "C" } ]
[[question]]
id = "bad"
ask = "How bad?"
kind = "scale"
sets = "severity"
when = { kind = ["a", "b"] }
goto = "why"
[[question]]
id = "none"
ask = "Only c?"
when = { not = { kind = ["a", "b"] } }
goto = "why"
answers = [ { key = "y", text = "Yes", set = { severity = 0 } } ]
[[question]]
id = "why"
ask = "Why?"
kind = "text"
sets = "note"
when = { bad = { at_least = 4 } }
"#;

    #[test]
    fn every_combination_of_conditions_is_looked_at() {
        let sound = MANY.replace(
            "when = { kind = [\"a\", \"b\"] }\ngoto = \"why\"",
            "when = { kind = [\"a\", \"b\"] }\ngoto = \"none\"",
        );
        parse_strictly(&sound, None).unwrap();
        let refused = |source: &str, expect: &str| {
            let faults = parse(source, None).expect_err(expect);
            assert!(
                faults.iter().any(|fault| fault.message.contains(expect)),
                "{expect}: {faults:?}"
            );
        };
        // Passed over, the question sets nothing.
        refused(MANY, "kind=c ends without setting `severity`");
        refused(
            &sound.replace(
                "not = { kind = [\"a\", \"b\"] }",
                "not = { kind = [\"a\", \"b\", \"c\"] }",
            ),
            "`none` is come to",
        );
        refused(&sound.replace("at_least = 4", "at_least = 6"), "`why` is come to");
        refused(
            &sound.replace("set = { severity = 0 }", "set = { other = 0 }"),
            "kind=c → none=y ends without",
        );
    }

    #[test]
    fn what_answers_can_be_is_not_guessed_too_coarsely() {
        let head = "id=\"p\"\ntitle=\"t\"\nstart=\"l\"\nlabels=[\"NY\",\"CA\",\"CA,NY\"]\n[require]\nfields=[\"v\"]\n";
        let q = |id: &str, body: &str| format!("[[question]]\nid=\"{id}\"\nask=\"?\"\n{body}\n");
        let yes = "answers=[{key=\"y\",text=\"Yes\",set={v=1}}]";
        // A label with a comma is one label.
        let comma = [
            head.to_owned(),
            q("l", "kind=\"label\"\nsets=\"l\"\ngoto=\"p\""),
            q("p", &format!("when={{not={{l=\"NY\"}}}}\ngoto=\"q\"\n{yes}")),
            q("q", &format!("when={{not={{l=\"CA\"}}}}\n{yes}")),
        ];
        parse(&comma.concat(), None).expect("`CA,NY` is neither NY nor CA, so both are asked");
        // Far from zero the next number is not one further.
        let far = [
            head.to_owned(),
            q("l", "kind=\"number\"\nsets=\"n\"\ngoto=\"p\""),
            q("p", &format!("when={{l={{at_most=1e17}}}}\n{yes}")),
        ];
        let faults = parse(&far.concat(), None).expect_err("2e17 sets nothing");
        assert!(faults[0].message.contains("ends without setting `v`"), "{faults:?}");
        let words = [
            head.to_owned(),
            q("l", "kind=\"scale\"\nsets=\"v\"\ngoto=\"p\""),
            q("p", &format!("when={{l=\"03\"}}\n{yes}")),
        ];
        parse(&words.concat(), None).expect("03 is the step 3");
        let strict = |body: &str, expect: &str| {
            let source = [head.to_owned(), q("l", body)].concat();
            parse(&source, None).expect("it stays readable");
            let faults = parse_strictly(&source, None).expect_err(expect);
            assert!(faults.iter().any(|fault| fault.message.contains(expect)), "{faults:?}");
        };
        strict("answers=[{key=\"y\",text=\"Yes\",set={v=\"{lable}\"}}]", "which no answer sets");
    }

    #[test]
    fn too_many_combinations_are_refused_and_not_waited_for() {
        let mut source = "id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n".to_owned();
        for i in 0..900 {
            let answers: String = (0..if i == 0 { 45 } else { 1 })
                .map(|a| format!("{{key=\"k{a}\",text=\"T{a}\"}},"))
                .collect();
            let goto = if i < 899 { format!("goto=\"q{}\"\n", i + 1) } else { String::new() };
            let all: String = (0..899).map(|j| format!("{{q{j}=\"k0\"}},")).collect();
            let when = if i == 899 { format!("when={{any=[{all}]}}\n") } else { String::new() };
            source.push_str(&format!(
                "[[question]]\nid=\"q{i}\"\nask=\"?\"\n{goto}{when}answers=[{answers}]\n"
            ));
        }
        let faults = parse(&source, None).unwrap_err();
        assert!(faults[0].message.contains("combinations of earlier answers"), "{faults:?}");
        // The last question alone may be too much.
        let mut source = "id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n".to_owned();
        for i in 0..300 {
            let answers: String = (0..if i == 299 { 7_000 } else { 1 })
                .map(|a| format!("{{key=\"k{a}\",text=\"T{a}\"}},"))
                .collect();
            let goto = if i < 299 { format!("goto=\"q{}\"\n", i + 1) } else { String::new() };
            let all: String = (0..299).map(|j| format!("{{q{j}=\"k0\"}},")).collect();
            let when = if i == 299 { format!("when={{any=[{all}]}}\n") } else { String::new() };
            source.push_str(&format!(
                "[[question]]\nid=\"q{i}\"\nask=\"?\"\n{goto}{when}answers=[{answers}]\n"
            ));
        }
        let faults = parse(&source, None).unwrap_err();
        assert!(faults[0].message.contains("at `q299` there are more"), "{faults:?}");
    }

    #[test]
    fn a_chain_of_a_thousand_conditions_is_proved_quickly() {
        let mut source =
            "id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n[require]\nfields=[\"v\"]\n".to_owned();
        for i in 0..1000 {
            let goto = if i < 999 { format!("goto=\"q{}\"\n", i + 1) } else { String::new() };
            let when = if i > 0 {
                format!("when={{ any=[{{ q{0}=\"a\" }},{{ not={{ q{0}=\"b\" }} }}] }}\n", i - 1)
            } else {
                String::new()
            };
            source.push_str(&format!(
                "[[question]]\nid=\"q{i}\"\nask=\"?\"\n{goto}{when}answers=[{{key=\"a\",text=\"A\",set={{v=1}}}},{{key=\"b\",text=\"B\",set={{v=2}}}}]\n"
            ));
        }
        parse(&source, None).unwrap();
        let five = source.replace("id=\"p\"", "id=\"p\"\n");
        let more: String = (0..5000)
            .map(|i| format!("[[question]]\nid=\"q{i}\"\nask=\"?\"\nanswers=[]\n"))
            .collect();
        let faults =
            parse(&format!("id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n{more}"), None).unwrap_err();
        assert!(
            faults[0].message.contains("5000 questions; at most 1000"),
            "{faults:?} {}",
            five.len()
        );
    }
}
