//! A glossary: the terms that questions and reviewers use, so that a word means one thing to all,
//! and the snippets that rationales are begun with.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;

use super::protocol::{Fault, Protocol, line_of, parse::toml_fault};

/// Terms and snippets, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Glossary {
    pub terms: Vec<Term>,
    pub snippets: Vec<Snippet>,
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
    /// What looks like it and is not.
    #[serde(default)]
    pub counter_examples: Vec<String>,
    /// Other words for it, by which it is found.
    #[serde(default)]
    pub synonyms: Vec<String>,
    #[serde(default)]
    pub see: Vec<String>,
    /// Who keeps the definition right.
    #[serde(default)]
    pub owner: String,
    /// The day by which the owner looks at it again, as 2027-01-31.
    #[serde(default, deserialize_with = "day")]
    pub review_by: Option<NaiveDate>,
}

impl Term {
    /// Whether a word is its id, its name or a synonym, however words are joined in it.
    pub fn is_called(&self, word: &str) -> bool {
        let plain = |text: &str| text.trim().to_lowercase().replace(['_', ' '], "-");
        let names = [&self.id, &self.name].into_iter().chain(&self.synonyms);
        names.into_iter().any(|name| plain(name) == plain(word))
    }
}

/// A rationale to begin with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snippet {
    pub id: String,
    /// With placeholders: see [`Snippet::fill`].
    pub text: String,
}

/// What there is to say about a published glossary beside its protocols.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A question names a term that there is not: protocol, question, term.
    Undefined { protocol: String, question: String, term: String },
    /// No question and no other term names it.
    Unused { term: String },
    /// It should have been looked at by that day.
    Overdue { term: String, owner: String, review_by: NaiveDate },
    /// Its owner is nobody who works here.
    Unowned { term: String, owner: String },
}

/// A date, with or without quotes.
fn day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    let date = text
        .trim()
        .parse()
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a day as 2027-01-31")))?;
    Ok(Some(date))
}

impl Glossary {
    /// Reads and checks a glossary's TOML.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Source {
            #[serde(default)]
            term: Vec<Spanned<Term>>,
            #[serde(default)]
            snippet: Vec<Spanned<Snippet>>,
        }
        if source.len() > super::protocol::parse::SOURCE_BYTES_MAX {
            return Err(vec![Fault::new(1, "a glossary is at most 1 MiB")]);
        }
        let read: Source =
            toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let ids: Vec<&str> = read.term.iter().map(|term| term.get_ref().id.as_str()).collect();
        let mut faults = Vec::new();
        for (i, term) in read.term.iter().enumerate() {
            let line = line_of(source, term.span().start);
            let term = term.get_ref();
            if ids[..i].contains(&term.id.as_str()) {
                faults.push(Fault::new(line, format!("a second term `{}`", term.id)));
            }
            for see in term.see.iter().filter(|see| !ids.contains(&see.as_str())) {
                faults.push(Fault::new(
                    line,
                    format!("`{}` says to see `{see}`, which is no term", term.id),
                ));
            }
        }
        for (i, snippet) in read.snippet.iter().enumerate() {
            let (line, id) = (line_of(source, snippet.span().start), &snippet.get_ref().id);
            if read.snippet[..i].iter().any(|other| other.get_ref().id == *id) {
                faults.push(Fault::new(line, format!("a second snippet `{id}`")));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let terms = read.term.into_iter().map(Spanned::into_inner).collect();
        let snippets = read.snippet.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { terms, snippets, source: source.to_owned() })
    }

    pub fn term(&self, id: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.id == id)
    }

    /// What is undefined, unused, overdue on a day, or owned by nobody that `works` here, given the
    /// protocols in force.
    pub fn findings(
        &self,
        protocols: &[&Protocol],
        today: NaiveDate,
        works: impl Fn(&str) -> bool,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for protocol in protocols {
            for question in &protocol.questions {
                for term in &question.terms {
                    used.insert(term);
                    if self.term(term).is_none() {
                        let (protocol, question) = (protocol.id.clone(), question.id.clone());
                        findings.push(Finding::Undefined {
                            protocol,
                            question,
                            term: term.clone(),
                        });
                    }
                }
            }
        }
        for term in &self.terms {
            used.extend(term.see.iter().map(String::as_str));
        }
        for term in &self.terms {
            if !used.contains(term.id.as_str()) {
                findings.push(Finding::Unused { term: term.id.clone() });
            }
            if !term.owner.is_empty() && !works(&term.owner) {
                let (term, owner) = (term.id.clone(), term.owner.clone());
                findings.push(Finding::Unowned { term, owner });
            }
            if let Some(review_by) = term.review_by.filter(|day| *day < today) {
                findings.push(Finding::Overdue {
                    term: term.id.clone(),
                    owner: term.owner.clone(),
                    review_by,
                });
            }
        }
        findings.sort();
        findings
    }
}

impl Finding {
    /// Its kind in a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Undefined { .. } => "undefined",
            Self::Unused { .. } => "unused",
            Self::Overdue { .. } => "overdue",
            Self::Unowned { .. } => "unowned",
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undefined { protocol, question, term } => {
                write!(
                    f,
                    "`{term}` is not defined: `{question}` of {protocol} names it. Add a [[term]], or take it out there"
                )
            }
            Self::Unused { term } => write!(
                f,
                "`{term}` is used nowhere: name it in a question's `terms`, or take it out"
            ),
            Self::Unowned { term, owner } => write!(
                f,
                "`{term}` belongs to {owner}, who is not on the roster: leads are asked in their place. Name somebody else, or take `owner` out"
            ),
            Self::Overdue { term, owner, review_by } => {
                let who = if owner.is_empty() {
                    "it has no owner".to_owned()
                } else {
                    format!("its owner is {owner}")
                };
                write!(
                    f,
                    "`{term}` was to be looked at by {review_by}; {who}. Look, then move `review_by`"
                )
            }
        }
    }
}

impl Term {
    /// Whether it may be meant by what somebody typed or a label is called.
    pub fn words(&self) -> String {
        format!("{} {} {}", self.name, self.synonyms.join(" "), self.definition)
    }
}

impl Snippet {
    /// The text with `{name}` replaced by what `value` has for it. What it has nothing for stays,
    /// to be written over.
    pub fn fill(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            match after.split_once('}') {
                Some((name, after)) => {
                    out.push_str(&value(name).unwrap_or_else(|| format!("{{{name}}}")));
                    rest = after;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::parse;

    #[test]
    fn terms_are_found_and_faults_have_lines() {
        let good = "[[term]]\nid = \"a\"\nname = \"A\"\ndefinition = \"d\"\n";
        assert_eq!(Glossary::parse(good).unwrap().term("a").unwrap().name, "A");
        let faults = Glossary::parse(&format!("{good}{good}see = [\"z\"]\n")).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].line, 5);
        assert_eq!(
            Glossary::parse(&format!("{good}review_by = \"soon\"\n")).unwrap_err()[0].line,
            5
        );
    }

    #[test]
    fn what_is_unused_undefined_or_overdue_is_found() {
        let source = "[[term]]\nid = \"a\"\nname = \"A\"\ndefinition = \"d\"\nowner = \"ana\"\nreview_by = \"2026-05-31\"\n[[term]]\nid = \"b\"\nname = \"B\"\ndefinition = \"d\"\n";
        let protocol = "id=\"p\"\ntitle=\"t\"\nstart=\"q\"\n[[question]]\nid=\"q\"\nask=\"?\"\nterms=[\"a\",\"z\"]\nanswers=[{key=\"y\",text=\"Yes\"}]\n";
        let (glossary, protocol) =
            (Glossary::parse(source).unwrap(), parse(protocol, None).unwrap());
        let on = |day: &str| {
            let findings = glossary.findings(&[&protocol], day.parse().unwrap(), |_| true);
            findings.iter().map(Finding::as_str).collect::<Vec<_>>()
        };
        assert_eq!(on("2026-05-31"), ["undefined", "unused"]);
        assert_eq!(on("2026-06-01"), ["undefined", "unused", "overdue"]);
        let nobody = glossary.findings(&[&protocol], "2026-05-31".parse().unwrap(), |_| false);
        assert_eq!(nobody.last().map(Finding::as_str), Some("unowned"));
    }

    #[test]
    fn snippets_are_filled_in() {
        let snippet =
            Snippet { id: "s".into(), text: "The model said {prediction}, but {why} {".into() };
        assert_eq!(
            snippet.fill(|name| (name == "prediction").then(|| "pay".to_owned())),
            "The model said pay, but {why} {"
        );
    }
}
