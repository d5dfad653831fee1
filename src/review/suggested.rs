//! How good a labeler is: what it suggested held against what people said of the same cases, question
//! by question, and against gold items.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::gold;
use super::protocols::Protocols;
use super::sight::Sight;
use crate::db::suggestion::SuggestionRow;
use crate::db::{label, renames, suggestion};
use crate::domain::cues::Cue;
use crate::domain::ids::CaseId;
use crate::domain::label::{MAIN_ROUND, that_count_in};
use crate::domain::resolve::ballot;
use crate::journal::blob::{self, Unpacker};

/// What labelers say of a case, in their own words where these are here.
///
/// # Errors
/// Those of the database.
pub fn of_case(conn: &Connection, case: CaseId) -> rusqlite::Result<Vec<SuggestionRow>> {
    let mut rows = suggestion::of_case(conn, case)?;
    for row in rows.iter_mut().filter(|row| row.suggestion.payload.is_some()) {
        let words = blob::read(conn, &mut Unpacker::default(), row.event).ok();
        let own = words.and_then(|json| serde_json::from_slice(&json).ok());
        row.suggestion.own = own.unwrap_or_default();
    }
    Ok(rows)
}

/// How often two said the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Same {
    pub compared: u64,
    pub same: u64,
}

impl Same {
    fn count(&mut self, same: bool) {
        self.compared += 1;
        self.same += u64::from(same);
    }

    pub fn share(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.same as f64 / self.compared as f64)
    }
}

/// What there is to say of a labeler.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    pub suggested: u64,
    pub abstained: u64,
    /// Suggestions that answer only the first questions.
    pub partial: u64,
    /// Against each label that a person gave before they saw what it suggested.
    pub people: Same,
    /// The same of labels that were given after it was seen.
    pub swayed: Same,
    /// Of each question that both answered, where it was not seen.
    pub questions: BTreeMap<String, Same>,
    pub gold: Same,
}

/// Compares all that a labeler suggested.
///
/// # Errors
/// Those of the database.
pub fn measured(
    conn: &Connection,
    protocols: &Protocols,
    plugin: &str,
    sight: &mut Sight,
) -> rusqlite::Result<Measured> {
    let renamed = renames::all(conn)?;
    let on = &protocols.policy.on;
    let mut measured = Measured::default();
    let known: BTreeMap<_, _> =
        gold::all(conn)?.into_iter().map(|gold| (gold.case, gold)).collect();
    let cases: BTreeSet<CaseId> =
        suggestion::of_plugin(conn, plugin)?.iter().map(|row| row.suggestion.case).collect();
    for case in cases {
        let stands = suggestion::of_case(conn, case)?.into_iter();
        let Some(suggestion) =
            stands.map(|row| row.suggestion).find(|suggestion| suggestion.plugin == plugin)
        else {
            continue;
        };
        if suggestion.abstains() {
            measured.abstained += 1;
            continue;
        }
        measured.suggested += 1;
        measured.partial += u64::from(suggestion.outcome.is_empty());
        let said = suggestion.label();
        let outcome = renamed.outcome(&said);
        if let Some(gold) = known.get(&suggestion.case).filter(|_| !outcome.is_empty()) {
            let right = renamed.of_version(Some(&gold.protocol), &gold.outcome);
            measured.gold.count(ballot(&right, on) == ballot(&outcome, on));
        }
        let answered = protocols.answered(&said);
        for given in that_count_in(label::live_of_case(conn, suggestion.case)?, MAIN_ROUND) {
            if !sight.sees(conn, &given)? {
                continue;
            }
            let seen = given.label.seen.as_ref();
            let swayed = seen.is_some_and(|seen| seen.all.contains(&Cue::Suggestion));
            if !outcome.is_empty() {
                let theirs = renamed.outcome(&given.label);
                let same = ballot(&theirs, on) == ballot(&outcome, on);
                if swayed { measured.swayed.count(same) } else { measured.people.count(same) }
            }
            if swayed {
                continue;
            }
            let theirs = protocols.answered(&given.label);
            for (question, answer) in &answered.path {
                let other = theirs.path.iter().find(|(id, _)| id == question);
                if let Some((_, other)) = other {
                    measured.questions.entry(question.clone()).or_default().count(other == answer);
                }
            }
        }
    }
    Ok(measured)
}
