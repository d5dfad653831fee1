//! Examples put into the source of a glossary, as an author would write them: nothing else of the
//! source is touched.

use serde::Deserialize;
use toml::Spanned;

use super::glossary::{Glossary, Term};

/// Whether an input is the thing that a term names, or only looks like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Example,
    CounterExample,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Self::Example => "examples",
            Self::CounterExample => "counter_examples",
        }
    }

    fn of(self, term: &Term) -> &[String] {
        match self {
            Self::Example => &term.examples,
            Self::CounterExample => &term.counter_examples,
        }
    }
}

/// Where things stand in the source.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    term: Vec<TermPlaces>,
}

#[derive(Deserialize)]
struct TermPlaces {
    id: String,
    definition: Spanned<String>,
    examples: Option<Spanned<Vec<String>>>,
    counter_examples: Option<Spanned<Vec<String>>>,
}

/// The source with one more example of a term, or counter-example. Nothing if there is no such
/// term, or it has that one already.
pub fn with_example_of(source: &str, term: &str, kind: Kind, input: &str) -> Option<String> {
    let places: Places = toml::from_str(source).ok()?;
    let place = places.term.into_iter().find(|place| place.id == term)?;
    let known = |glossary: &Glossary| {
        glossary
            .terms
            .iter()
            .find(|one| one.id == term)
            .map(|one| kind.of(one).to_vec())
            .unwrap_or_default()
    };
    let mut expect = known(&Glossary::parse(source).ok()?);
    if expect.iter().any(|one| one == input) {
        return None;
    }
    expect.push(input.to_owned());
    let quoted = toml::Value::String(input.to_owned()).to_string();
    let list = match kind {
        Kind::Example => place.examples,
        Kind::CounterExample => place.counter_examples,
    };
    let with = |at: usize, text: &str| format!("{}{text}{}", &source[..at], &source[at..]);
    let tries = match list {
        // Before the bracket that ends it; whether a comma is wanted, only a parser knows.
        Some(list) => {
            let at = list.span().end - 1;
            vec![with(at, &format!(", {quoted}")), with(at, &quoted)]
        }
        None => {
            let end = place.definition.span().end;
            let at = source[end..].find('\n').map_or(source.len(), |more| end + more);
            vec![with(at, &format!("\n{} = [{quoted}]", kind.key()))]
        }
    };
    tries
        .into_iter()
        .find(|made| Glossary::parse(made).is_ok_and(|glossary| known(&glossary) == expect))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lists: &str, kind: Kind, expect: &str) {
        let source = format!(
            "# ours\n[[term]]\nid = \"a\"\nname = \"A\"\ndefinition = \"\"\"it\nis\"\"\" # so\n{lists}\n[[term]]\nid = \"b\"\nname = \"B\"\ndefinition = \"d\""
        );
        let made = with_example_of(&source, "a", kind, "say \"x\"").unwrap();
        assert!(made.contains(expect), "{made}");
        assert!(made.starts_with("# ours\n") && made.contains("# so\n"), "{made}");
        assert_eq!(with_example_of(&made, "a", kind, "say \"x\""), None, "once");
    }

    #[test]
    fn an_example_is_written_where_an_author_would() {
        check("", Kind::Example, "# so\nexamples = ['say \"x\"']\n");
        check("examples = []", Kind::Example, "examples = ['say \"x\"']");
        check("examples = [\"one\"]", Kind::Example, "examples = [\"one\", 'say \"x\"']");
        check(
            "examples = [\n  \"one\", # first\n]",
            Kind::Example,
            "\"one\", # first\n'say \"x\"']",
        );
        check(
            "examples = [\n  \"one\" # first\n]",
            Kind::CounterExample,
            "counter_examples = ['say \"x\"']\nexamples",
        );
        assert_eq!(with_example_of("", "a", Kind::Example, "x"), None);
    }

    #[test]
    fn the_last_line_may_lack_its_end() {
        let source = "[[term]]\nid=\"b\"\nname=\"B\"\ndefinition=\"d\"";
        assert!(
            with_example_of(source, "b", Kind::CounterExample, "x")
                .unwrap()
                .ends_with("\ncounter_examples = [\"x\"]")
        );
    }
}
