//! A glossary: the terms that questions and reviewers use, so that a word means one thing to all.

use serde::Deserialize;
use toml::Spanned;

use super::protocol::{Fault, line_of, parse::toml_fault};

/// Terms, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Glossary {
    pub terms: Vec<Term>,
    /// The TOML it was read from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub id: String,
    pub name: String,
    pub definition: String,
    #[serde(default)]
    pub examples: Vec<String>,
    #[serde(default)]
    pub see: Vec<String>,
}

impl Glossary {
    /// Reads and checks a glossary's TOML.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Source {
            #[serde(default)]
            term: Vec<Spanned<Term>>,
        }
        if source.len() > super::protocol::parse::SOURCE_BYTES_MAX {
            return Err(vec![Fault::new(1, "a glossary is at most 1 MiB")]);
        }
        let read: Source = toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let ids: Vec<&str> = read.term.iter().map(|term| term.get_ref().id.as_str()).collect();
        let mut faults = Vec::new();
        for (i, term) in read.term.iter().enumerate() {
            let line = line_of(source, term.span().start);
            let term = term.get_ref();
            if ids[..i].contains(&term.id.as_str()) {
                faults.push(Fault::new(line, format!("a second term `{}`", term.id)));
            }
            for see in term.see.iter().filter(|see| !ids.contains(&see.as_str())) {
                faults.push(Fault::new(line, format!("`{}` says to see `{see}`, which is no term", term.id)));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let terms = read.term.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { terms, source: source.to_owned() })
    }

    pub fn term(&self, id: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_found_and_faults_have_lines() {
        let good = "[[term]]\nid = \"a\"\nname = \"A\"\ndefinition = \"d\"\n";
        assert_eq!(Glossary::parse(good).unwrap().term("a").unwrap().name, "A");
        let faults = Glossary::parse(&format!("{good}{good}see = [\"z\"]\n")).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].line, 5);
    }
}
