//! The protocols and the glossary that were published, and which one a case is reviewed by.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Connection;

use super::glossary;
use crate::db::document;
use crate::domain::glossary::{Glossary, Term};
use crate::domain::label::{Label, ProtocolRef};
use crate::domain::policy::Policy;
use crate::domain::protocol::replay::translated;
use crate::domain::protocol::{Answered, Protocol};
use crate::domain::time::Moment;
use crate::journal::kind::ProtocolPublished;
use crate::journal::views;

/// A published version of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub protocol: Protocol,
    pub reference: ProtocolRef,
    pub changes: String,
    pub author: String,
    pub at: Moment,
    /// Its questions, by the names of the latest version of its protocol.
    pub questions: Arc<BTreeSet<String>>,
}

/// All that reviewers decide by, the latest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Protocols {
    pub published: Vec<Published>,
    pub glossary: Glossary,
    pub glossary_version: u32,
    pub policy: Policy,
}

/// Puts the versions of each protocol in their order where they stand among the others, the highest
/// first: somebody who did not know of it yet may have published a lower one later.
fn by_version(published: &mut [Published]) {
    let ids: BTreeSet<String> = published.iter().map(|one| one.reference.id.clone()).collect();
    for id in ids {
        let of = |one: &Published| one.reference.id == id;
        let places: Vec<usize> = (0..published.len()).filter(|at| of(&published[*at])).collect();
        if places.is_sorted_by_key(|at| std::cmp::Reverse(published[*at].reference.version)) {
            continue;
        }
        let mut versions: Vec<Published> = places.iter().map(|at| published[*at].clone()).collect();
        versions.sort_by_key(|one| std::cmp::Reverse(one.reference.version)); // the latest first still
        for (at, one) in places.into_iter().zip(versions) {
            published[at] = one;
        }
    }
}

impl Protocols {
    pub fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let mut published = Vec::new();
        for row in document::of_kind(conn, "protocol")? {
            // What does not parse was never folded.
            let Ok(event) = serde_json::from_str::<ProtocolPublished>(&row.body) else { continue };
            let Ok(protocol) = event.protocol() else { continue };
            let reference = protocol.reference(event.version);
            published.push(Published {
                protocol,
                reference,
                changes: event.changes,
                author: row.author,
                at: row.at.moment(),
                questions: Arc::default(),
            });
        }
        by_version(&mut published);
        let (glossary_version, glossary) = glossary::latest(conn)?
            .map_or_else(Default::default, |published| (published.version, published.glossary));
        let mut protocols =
            Self { published, glossary, glossary_version, policy: views::policy(conn)? };
        let questions: Vec<_> =
            protocols.published.iter().map(|one| protocols.asked(one)).collect();
        for (published, questions) in protocols.published.iter_mut().zip(questions) {
            published.questions = Arc::new(questions);
        }
        Ok(protocols)
    }

    /// The questions of a version by the names of the latest one.
    fn asked(&self, published: &Published) -> BTreeSet<String> {
        let questions = published.protocol.questions.iter();
        let steps: Vec<_> =
            questions.map(|question| (question.id.clone(), String::new())).collect();
        let steps = translated(&self.after(&published.reference), &steps);
        steps.into_iter().map(|(question, _)| question).collect()
    }

    /// What a label answered, by the names of today, and what it was asked.
    pub fn answered(&self, label: &Label) -> Answered {
        let cited = &label.protocol;
        let exactly = self.published.iter().find(|published| published.reference == *cited);
        let version = exactly.or_else(|| self.version(&cited.id, cited.version));
        Answered {
            path: translated(&self.after(cited), &label.path),
            version: cited.version,
            questions: version.map(|version| version.questions.clone()).unwrap_or_default(),
        }
    }

    /// The protocol for cases of a stream: the latest that names the stream, else the latest that
    /// names none.
    pub fn for_stream(&self, stream: &str) -> Option<&Published> {
        let names =
            |published: &&Published| published.protocol.streams.iter().any(|name| name == stream);
        let general = |published: &&Published| published.protocol.streams.is_empty();
        self.published.iter().find(names).or_else(|| self.published.iter().find(general))
    }

    /// The protocols in force: the latest version of each, latest first. Of those for all streams
    /// only the latest is.
    pub fn in_force(&self) -> Vec<&Published> {
        let mut found: Vec<&Published> = Vec::new();
        for published in &self.published {
            let protocol = &published.protocol;
            let general = |known: &&Published| {
                known.protocol.streams.is_empty() && protocol.streams.is_empty()
            };
            if !found.iter().any(|known| known.protocol.id == protocol.id || general(known)) {
                found.push(published);
            }
        }
        found
    }

    /// Where a term is used by the protocols in force: `protocol/question`.
    pub fn uses(&self, term: &str) -> Vec<String> {
        let of = |published: &&Published| {
            let id = published.protocol.id.clone();
            let questions = published
                .protocol
                .questions
                .iter()
                .filter(|question| question.terms.iter().any(|one| one == term));
            questions.map(|question| format!("{id}/{}", question.id)).collect::<Vec<_>>()
        };
        self.in_force().iter().flat_map(of).collect()
    }

    /// What belongs to a term beside its definition, each with a word before it.
    pub fn term_details(&self, term: &Term) -> Vec<(&'static str, String)> {
        let mut details: Vec<(&str, String)> = Vec::new();
        details.extend(term.examples.iter().map(|example| ("example", example.clone())));
        details.extend(
            term.counter_examples.iter().map(|example| ("counter-example", example.clone())),
        );
        let mut list = |word, items: &[String]| {
            details.extend((!items.is_empty()).then(|| (word, items.join(", "))))
        };
        list("also called", &term.synonyms);
        list("see", &term.see);
        list("used by", &self.uses(&term.id));
        if !term.owner.is_empty() {
            details.push(("owner", term.owner.clone()));
        }
        details.extend(term.review_by.map(|day| ("review due", day.to_string())));
        details
    }

    /// Every field that a published version sets.
    pub fn fields(&self) -> BTreeSet<&str> {
        self.published.iter().flat_map(|published| published.protocol.fields()).collect()
    }

    /// Whether there are versions that others took the place of.
    pub fn has_older(&self) -> bool {
        self.in_force().len() < self.published.len()
    }

    /// A published version of a protocol; of several with one number, the latest.
    pub fn version(&self, id: &str, version: u32) -> Option<&Published> {
        self.published
            .iter()
            .find(|published| published.protocol.id == id && published.reference.version == version)
    }

    /// Latest versions that several published under one number, not knowing of each other's: the one
    /// in force first. Whoever publishes what they all want settles it.
    pub fn rivals(&self) -> Vec<Vec<&Published>> {
        let mut found: Vec<Vec<&Published>> = Vec::new();
        for published in self.in_force() {
            let of = &published.reference;
            let same = |other: &&Published| {
                (&other.reference.id, other.reference.version) == (&of.id, of.version)
            };
            let mut rivals: Vec<&Published> = Vec::new();
            for other in self.published.iter().filter(same) {
                // Published twice alike is published once.
                if !rivals.iter().any(|known| known.reference.hash == other.reference.hash) {
                    rivals.push(other);
                }
            }
            found.extend((rivals.len() > 1).then_some(rivals));
        }
        found
    }

    /// The versions of a protocol after the one that a label cites, oldest first.
    pub fn after(&self, cited: &ProtocolRef) -> Vec<&Protocol> {
        let later = |published: &&Published| {
            published.protocol.id == cited.id && published.reference.version > cited.version
        };
        let mut later: Vec<&Published> = self.published.iter().filter(later).collect();
        later.reverse();
        later.sort_by_key(|published| published.reference.version);
        later.into_iter().map(|published| &published.protocol).collect()
    }

    /// The version number that publishing `id` next would give.
    pub fn next_version(&self, id: &str) -> u32 {
        let versions = self.published.iter().filter(|published| published.protocol.id == id);
        versions.map(|published| published.reference.version).max().unwrap_or(0) + 1
    }
}
