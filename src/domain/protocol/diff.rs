//! What changed between two versions, in words.

use super::{Consequence, Protocol, Question};
use crate::domain::label::outcome_words;

/// Each change as a sentence; none if nothing changed that matters to a reviewer.
pub fn diff(old: &Protocol, new: &Protocol) -> Vec<String> {
    let mut words = Vec::new();
    if old.title != new.title {
        words.push(format!("the title is now “{}”", new.title));
    }
    let start = |protocol: &Protocol| {
        protocol
            .questions
            .get(protocol.start)
            .map(|question| question.id.clone())
            .unwrap_or_default()
    };
    if start(old) != start(new) {
        words.push(format!("it begins with {}, not with {}", start(new), start(old)));
    }
    list(&mut words, "required field", &old.required, &new.required);
    list(&mut words, "stream", &old.streams, &new.streams);
    let name_of = |id: &String| new.renames.questions.get(id).unwrap_or(id).clone();
    for question in &old.questions {
        let now = name_of(&question.id);
        match new.question(&now) {
            None => words.push(format!("{}: no longer asked", question.id)),
            Some(later) => {
                if now != question.id {
                    words.push(format!("{}: is called {now} now", question.id));
                }
                changed(&mut words, (old, question), (new, later));
            }
        }
    }
    for question in &new.questions {
        if !old.questions.iter().any(|before| name_of(&before.id) == question.id) {
            words.push(format!("{}: new question “{}”", question.id, question.ask));
        }
    }
    let names = |protocol: &Protocol| {
        protocol.labels.iter().map(|label| label.name.clone()).collect::<Vec<_>>()
    };
    for (from, to) in &new.renames.labels {
        if old.renames.labels.get(from) != Some(to) {
            words.push(format!("the label {from} counts as {to}"));
        }
    }
    for from in old.renames.labels.keys().filter(|from| !new.renames.labels.contains_key(*from)) {
        words.push(format!("the label {from} is no longer known by its new name"));
    }
    let renamed = |name: &String| new.renames.labels.contains_key(name);
    let before: Vec<String> = names(old).into_iter().filter(|name| !renamed(name)).collect();
    list(&mut words, "label", &before, &names(new));
    for item in &old.checklist {
        match new.checklist.iter().find(|later| later.id == item.id) {
            None => words.push(format!("checklist: “{}” is gone", item.text)),
            Some(later) if later.required != item.required => {
                words.push(format!(
                    "checklist: “{}” is {} now",
                    later.text,
                    if later.required { "required" } else { "optional" }
                ));
            }
            Some(later) if later.text != item.text => {
                words.push(format!("checklist: {} reads “{}” now", item.id, later.text))
            }
            Some(_) => {}
        }
    }
    for item in
        new.checklist.iter().filter(|item| !old.checklist.iter().any(|before| before.id == item.id))
    {
        words.push(format!("checklist: new item “{}”", item.text));
    }
    words
}

fn list(words: &mut Vec<String>, what: &str, old: &[String], new: &[String]) {
    words.extend(
        old.iter()
            .filter(|one| !new.contains(one))
            .map(|gone| format!("the {what} {gone} is gone")),
    );
    words.extend(
        new.iter()
            .filter(|one| !old.contains(one))
            .map(|added| format!("the {what} {added} is new")),
    );
}

fn changed(
    words: &mut Vec<String>,
    (before, old): (&Protocol, &Question),
    (after, new): (&Protocol, &Question),
) {
    let id = &new.id;
    let mut say = |text: String| words.push(format!("{id}: {text}"));
    if old.ask != new.ask {
        say(format!("asks “{}”, not “{}”", new.ask, old.ask));
    }
    if old.help != new.help {
        say("its help is another".to_owned());
    }
    if old.kind.as_str() != new.kind.as_str() {
        say(format!("is a {} now, not a {}", new.kind.as_str(), old.kind.as_str()));
    }
    let when = |protocol: &Protocol, question: &Question| {
        question.when.as_ref().map(|when| when.describe(&protocol.questions))
    };
    match (when(before, old), when(after, new)) {
        (was, is) if was == is => {}
        (_, Some(is)) => say(format!("is asked only when {is}")),
        (Some(_), None) | (None, None) => say("is always asked now".to_owned()),
    }
    if old.terms != new.terms {
        say(format!(
            "its terms are {}",
            if new.terms.is_empty() { "none".to_owned() } else { new.terms.join(", ") }
        ));
    }
    let renames = after.renames.answers.get(id);
    for answer in old.kind.answers() {
        let key = renames.and_then(|renames| renames.get(&answer.key)).unwrap_or(&answer.key);
        let Some(later) = new.kind.answers().iter().find(|later| later.key == *key) else {
            say(format!("the answer {} “{}” is gone", answer.key, answer.text));
            continue;
        };
        if later.key != answer.key {
            say(format!("the answer {} has the key {}", answer.key, later.key));
        }
        if later.text != answer.text {
            say(format!("the answer {key} reads “{}”, not “{}”", later.text, answer.text));
        }
        leads(&mut say, &format!("the answer {key}"), (before, &answer.then), (after, &later.then));
    }
    for answer in new.kind.answers() {
        let known = |before: &super::Answer| {
            renames.and_then(|r| r.get(&before.key)).unwrap_or(&before.key) == &answer.key
        };
        if !old.kind.answers().iter().any(known) {
            say(format!("new answer {} “{}”", answer.key, answer.text));
        }
    }
    if old.kind.answers().is_empty()
        && new.kind.answers().is_empty()
        && let (Some(was), Some(is)) =
            (old.kind.consequences().last(), new.kind.consequences().last())
    {
        leads(&mut say, "it", (before, was), (after, is));
    }
    if old.kind.field() != new.kind.field() {
        say(format!("sets the field {}", new.kind.field().unwrap_or("of none")));
    }
}

fn leads(
    say: &mut dyn FnMut(String),
    what: &str,
    (before, was): (&Protocol, &Consequence),
    (after, is): (&Protocol, &Consequence),
) {
    let place = |protocol: &Protocol, then: &Consequence| match then.goto {
        Some(at) => format!("leads to {}", protocol.questions[at].id),
        None => "ends the path".to_owned(),
    };
    let renamed = match was.goto {
        Some(at) => {
            let id = &before.questions[at].id;
            format!("leads to {}", after.renames.questions.get(id).unwrap_or(id))
        }
        None => "ends the path".to_owned(),
    };
    if renamed != place(after, is) {
        say(format!("{what} {}; before, it {}", place(after, is), place(before, was)));
    }
    if was.set != is.set {
        say(format!("{what} sets {}; before, {}", outcome_words(&is.set), outcome_words(&was.set)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::diff;

    #[test]
    fn changes_are_told_in_words() {
        let old = "id=\"p\"\ntitle=\"t\"\nstart=\"a\"\nlabels=[\"x\",\"y\"]\n[[question]]\nid=\"a\"\nask=\"A?\"\nanswers=[{key=\"y\",text=\"Yes\",goto=\"b\"},{key=\"n\",text=\"No\",set={v=1}}]\n[[question]]\nid=\"b\"\nask=\"B?\"\nkind=\"label\"\nsets=\"label\"\n";
        let new = old
            .replace("\"x\",\"y\"", "\"y\"")
            .replace("[[question]]\nid=\"a\"", "[rename]\nlabels={x=\"y\"}\n[[question]]\nid=\"a\"")
            .replace("text=\"No\",set={v=1}", "text=\"Not at all\",set={v=2}")
            .replace("ask=\"B?\"", "ask=\"B?\"\nwhen={a=\"y\"}");
        let (old, new) = (parse(old, None).unwrap(), parse(&new, None).unwrap());
        assert!(diff(&old, &old).is_empty());
        let words = diff(&old, &new);
        let expect = [
            "a: the answer n reads “Not at all”, not “No”",
            "a: the answer n sets v 2; before, v 1",
            "b: is asked only when a is y",
            "the label x counts as y",
        ];
        assert_eq!(words, expect);
    }
}
