//! The labels that count as ratings, to be measured: whole outcomes, one field, or the answers to
//! one question.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::db::{label, renames};
use crate::domain::estimate::class_of;
use crate::domain::label::{GivenLabel, given_blind, that_count, that_count_in};
use crate::quality::ratings::Ratings;
use crate::review::Protocols;

/// What reviewers are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// These fields of the outcome; none: all of it.
    Outcome(Vec<String>),
    /// The answers of those who were asked this question.
    Question(String),
}

impl By {
    /// The fields that are named.
    pub fn fields(&self) -> &[String] {
        match self {
            Self::Outcome(fields) => fields,
            Self::Question(_) => &[],
        }
    }
}

/// Which labels of a reviewer are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Their last word, which settles cases.
    ThatCount,
    /// What they said before they could see the others' labels, which measures people.
    GivenBlind,
}

/// The labels of each case in a round, one of each reviewer, by case.
pub fn for_each_case(
    conn: &Connection,
    round: &str,
    which: Which,
    mut each: impl FnMut(Vec<GivenLabel>),
) -> rusqlite::Result<()> {
    label::for_each_case(conn, |mut labels| {
        labels.retain(|given| given.label.round == round);
        let read = match which {
            Which::ThatCount => that_count(labels),
            Which::GivenBlind => given_blind(labels),
        };
        if !read.is_empty() {
            each(read);
        }
    })
}

/// How many of the labels that count in a round were given after others' could be seen.
pub fn after_others(conn: &Connection, round: &str) -> rusqlite::Result<usize> {
    let mut after = 0;
    if !label::any_after_others(conn)? {
        return Ok(after);
    }
    label::for_each_case(conn, |labels| {
        let counting = that_count_in(labels, round).into_iter();
        after += counting.filter(|given| given.label.after_others).count();
    })?;
    Ok(after)
}

/// The ratings for each of several ways to compare, in one reading.
pub fn ratings(
    conn: &Connection,
    round: &str,
    which: Which,
    by: &[By],
) -> rusqlite::Result<Vec<Ratings>> {
    let (renamed, protocols) = (renames::all(conn)?, Protocols::load(conn)?);
    let by_question = by.iter().any(|by| matches!(by, By::Question(_)));
    let mut made = vec![Ratings::default(); by.len()];
    for_each_case(conn, round, which, |labels| {
        for given in labels {
            let label = &given.label;
            let task = label.case.to_string();
            let outcome = renamed.outcome(label);
            let answered = by_question.then(|| protocols.answered(label));
            for (by, ratings) in by.iter().zip(&mut made) {
                let value = match by {
                    By::Outcome(fields) => class_of(&outcome, fields),
                    By::Question(id) => {
                        answered.as_ref().and_then(|label| label.answer(id)).map(str::to_owned)
                    }
                };
                if let Some(value) = value {
                    ratings.push(&task, &label.reviewer, &value);
                }
            }
        }
    })?;
    Ok(made.into_iter().map(Ratings::sorted).collect())
}

/// The questions that labels of a round answered, in the order in which they are mostly asked, with
/// how many answered each.
pub fn questions(conn: &Connection, round: &str) -> rusqlite::Result<Vec<(String, usize)>> {
    let protocols = Protocols::load(conn)?;
    let mut asked: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for_each_case(conn, round, Which::GivenBlind, |labels| {
        let paths = labels.iter().map(|given| protocols.answered(&given.label).path);
        for (place, (question, _)) in paths.flat_map(|path| path.into_iter().enumerate()) {
            let (labels, places) = asked.entry(question).or_default();
            *labels += 1;
            *places += place;
        }
    })?;
    let mut list: Vec<(String, usize, f64)> = asked
        .into_iter()
        .map(|(question, (labels, places))| (question, labels, places as f64 / labels as f64))
        .collect();
    list.sort_by(|a, b| a.2.total_cmp(&b.2).then_with(|| b.1.cmp(&a.1)));
    Ok(list.into_iter().map(|(question, labels, _)| (question, labels)).collect())
}
