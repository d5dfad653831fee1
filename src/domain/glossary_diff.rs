//! What changed from one version of a glossary to another, in words.

use super::glossary::{Glossary, Term};

/// Each change as a sentence; none if nothing changed that matters to a reader.
pub fn diff(old: &Glossary, new: &Glossary) -> Vec<String> {
    let mut words = Vec::new();
    for term in old.terms.iter().filter(|term| new.term(&term.id).is_none()) {
        words.push(format!("the term {} is gone", term.id));
    }
    for term in &new.terms {
        match old.term(&term.id) {
            None => words.push(format!("the term {} is new: {}", term.id, term.definition)),
            Some(before) => changed(&mut words, before, term),
        }
    }
    let ids = |glossary: &Glossary| -> Vec<String> {
        glossary.snippets.iter().map(|snippet| snippet.id.clone()).collect()
    };
    list(&mut words, "the snippet", &ids(old), &ids(new));
    for snippet in &new.snippets {
        let before = old.snippets.iter().find(|before| before.id == snippet.id);
        if before.is_some_and(|before| before.text != snippet.text) {
            words.push(format!("the snippet {} reads “{}” now", snippet.id, snippet.text));
        }
    }
    words
}

fn changed(words: &mut Vec<String>, old: &Term, new: &Term) {
    let id = &new.id;
    if old.definition != new.definition {
        words.push(format!("{id}: is defined as “{}”, not “{}”", new.definition, old.definition));
    }
    if old.name != new.name {
        words.push(format!("{id}: is called {}, not {}", new.name, old.name));
    }
    list(words, &format!("{id}: the example"), &old.examples, &new.examples);
    let counter = format!("{id}: the counter-example");
    list(words, &counter, &old.counter_examples, &new.counter_examples);
    list(words, &format!("{id}: the synonym"), &old.synonyms, &new.synonyms);
    list(words, &format!("{id}: the pointer to"), &old.see, &new.see);
    if old.owner != new.owner {
        let owner = |owner: &str| if owner.is_empty() { "nobody" } else { owner }.to_owned();
        words.push(format!("{id}: its owner is {}, not {}", owner(&new.owner), owner(&old.owner)));
    }
    if old.review_by != new.review_by {
        words.push(match new.review_by {
            Some(day) => format!("{id}: is to be looked at again by {day}"),
            None => format!("{id}: is no longer to be looked at again"),
        });
    }
}

fn list(words: &mut Vec<String>, what: &str, old: &[String], new: &[String]) {
    words.extend(
        old.iter().filter(|one| !new.contains(one)).map(|one| format!("{what} {one} is gone")),
    );
    words.extend(
        new.iter().filter(|one| !old.contains(one)).map(|one| format!("{what} {one} is new")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: &str = "[[term]]\nid = \"a\"\nname = \"A\"\ndefinition = \"d\"\n";

    /// Every field of a term that is other than it was is said, and nothing else.
    #[test]
    fn every_field_that_changed_is_said() {
        let fields = [
            ("examples = [\"x\"]", "a: the example x is new"),
            ("counter_examples = [\"x\"]", "a: the counter-example x is new"),
            ("synonyms = [\"x\"]", "a: the synonym x is new"),
            ("see = [\"a\"]", "a: the pointer to a is new"),
            ("owner = \"ben\"", "a: its owner is ben, not nobody"),
            ("review_by = 2027-01-31", "a: is to be looked at again by 2027-01-31"),
            ("[[term]]\nid = \"b\"\nname = \"B\"\ndefinition = \"e\"", "the term b is new: e"),
            ("[[snippet]]\nid = \"s\"\ntext = \"t\"", "the snippet s is new"),
        ];
        let old = Glossary::parse(TERM).unwrap();
        assert_eq!(diff(&old, &old), Vec::<String>::new());
        for (field, words) in fields {
            let new = Glossary::parse(&format!("{TERM}{field}\n")).unwrap();
            assert_eq!(diff(&old, &new), [words]);
            assert_eq!(diff(&new, &old).len(), 1, "{field}");
        }
        for (from, to) in [("\"A\"", "\"B\""), ("\"d\"", "\"e\"")] {
            assert_eq!(diff(&old, &Glossary::parse(&TERM.replace(from, to)).unwrap()).len(), 1);
        }
    }
}
