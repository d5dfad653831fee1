//! Precedents: resolved cases like one at hand, with how they were decided.
//!
//! Like is: the same rare words in the text, and the same pair of predictions (the model's and its
//! challenger's). Candidates come from a local index of the words of resolved cases: for each word
//! its newest hits, and for its rarest words together also older ones; what they share is then
//! weighed exactly. So a search looks at some thousand places whatever the number of cases. The
//! likeness of two texts is the weight of the words they share over the weight of all their words
//! (a Jaccard index weighted by inverse document frequency: Spärck Jones, 1972), estimated from how
//! dense the newest hits lie.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::gold;
use crate::db::case::{self, CaseRow};
use crate::db::{count, erasure, label, precedent, renames};
use crate::domain::folding::for_index;
use crate::domain::ids::CaseId;
use crate::domain::label::{Label, Outcome, Step, outcome_words};
use crate::domain::payload::Payload;
use crate::domain::prediction::Prediction;
use crate::domain::resolve::CaseState;
use crate::journal::blob::{self, Unpacker};

/// Words of a text that are looked for, its first.
const WORDS_MAX: usize = 32;
/// Newest hits of each word.
const HITS_MAX: usize = 400;
/// Words that are looked for together are no more common than this.
const COMMON: f64 = 20_000.0;
/// Candidates whose texts are compared, and of those whose predictions are read.
const COMPARED_MAX: usize = 80;
const READ_MAX: usize = 24;
/// Texts less alike than this are no precedent; less is enough where both models said the same of
/// both.
const LIKENESS_MIN: f64 = 0.15;
const LIKENESS_OF_PAIR_MIN: f64 = 0.05;
const SAME_LABEL: f64 = 0.10;
const SAME_PAIR: f64 = 0.15;

/// A resolved case like another.
#[derive(Debug, Clone, PartialEq)]
pub struct Precedent {
    pub case: CaseId,
    pub external_id: String,
    pub text: String,
    pub outcome: Outcome,
    /// Of the label that its outcome rests on.
    pub path: Vec<Step>,
    pub rationale: String,
    /// 0 to 1: how alike the texts are.
    pub likeness: f64,
    /// Whether the models said the same.
    pub same_label: bool,
    pub same_pair: bool,
}

impl Precedent {
    /// How it is referred to in a rationale.
    pub fn citation(&self) -> String {
        format!("as in {} ({})", self.case.short(), outcome_words(&self.outcome))
    }

    fn score(&self) -> f64 {
        let bonus = |holds: bool, worth: f64| if holds { worth } else { 0.0 };
        self.likeness + bonus(self.same_label, SAME_LABEL) + bonus(self.same_pair, SAME_PAIR)
    }
}

/// Up to `limit` resolved cases like `row`, the likest first. `rival` is what the challenger said
/// of it. What may still measure the reviewer is not among them.
pub fn precedents(
    conn: &Connection,
    unpacker: &mut Unpacker,
    row: &CaseRow,
    rival: Option<&str>,
    reviewer: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Precedent>> {
    let resolved = count::get(conn, &format!("state:{}", CaseState::Resolved as i64))?;
    if resolved == 0 {
        return Ok(Vec::new());
    }
    let words = words(&row.text);
    let (candidates, weights) = candidates(conn, row, &words, resolved as f64)?;
    let mut found = Vec::new();
    for num in candidates {
        let Some(other) =
            case::by_num(conn, num)?.filter(|other| other.id != row.id && !other.text.is_empty())
        else {
            continue;
        };
        let likeness = likeness(&words, &self::words(&other.text), &weights);
        let same_label = row.predicted.is_some() && other.predicted == row.predicted;
        if likeness >= LIKENESS_MIN || same_label {
            found.push((
                likeness + if same_label { SAME_LABEL } else { 0.0 },
                likeness,
                same_label,
                other,
            ));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.3.num.cmp(&a.3.num)));
    let renamed = renames::all(conn)?;
    let mut precedents = Vec::new();
    for (_, likeness, same_label, other) in found.into_iter().take(READ_MAX) {
        let same_pair =
            same_label && rival.is_some() && rival_of(conn, unpacker, &other)?.as_deref() == rival;
        if likeness < if same_pair { LIKENESS_OF_PAIR_MIN } else { LIKENESS_MIN } {
            continue;
        }
        let other = gold::masked(conn, reviewer, other)?;
        let Some(outcome) = other.outcome.clone() else { continue };
        let labels = label::live_of_case(conn, other.id)?;
        let bears_out = |label: &&Label| renamed.outcome(label) == outcome;
        let mut of_outcome: Vec<&Label> =
            labels.iter().map(|given| &given.label).filter(bears_out).collect();
        of_outcome.sort_by_key(|label| label.rationale.is_empty());
        let label = of_outcome.first();
        precedents.push(Precedent {
            case: other.id,
            external_id: other.external_id,
            text: other.text,
            path: label.map(|label| label.path.clone()).unwrap_or_default(),
            rationale: label.map(|label| label.rationale.clone()).unwrap_or_default(),
            outcome,
            likeness,
            same_label,
            same_pair,
        });
    }
    precedents.sort_by(|a, b| b.score().total_cmp(&a.score()));
    precedents.truncate(limit);
    Ok(precedents)
}

/// The words of a text, each once, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let text = for_index(text);
    let all = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase);
    all.filter(|word| seen.insert(word.clone())).take(WORDS_MAX).collect()
}

/// Numbers of cases that may be alike, the most promising first, and what each word weighs.
fn candidates(
    conn: &Connection,
    row: &CaseRow,
    words: &[String],
    resolved: f64,
) -> rusqlite::Result<(Vec<i64>, HashMap<String, f64>)> {
    let newest = precedent::newest(conn)? as f64;
    let mut weights = HashMap::new();
    let mut scores: HashMap<i64, f64> = HashMap::new();
    let mut rare: Vec<(f64, &str)> = Vec::new();
    for word in words {
        let hits = precedent::with_words(conn, &[word], HITS_MAX)?;
        // Of a common word only the newest hits are known: as dense as those lie, so many there
        // are.
        let frequency = match hits.last() {
            Some(last) if hits.len() == HITS_MAX => {
                (HITS_MAX as f64 * newest / (newest - *last as f64 + 1.0)).min(resolved)
            }
            _ => hits.len() as f64,
        };
        let weight = (1.0 + resolved / frequency.max(1.0)).ln();
        weights.insert(word.clone(), weight);
        if frequency > 0.0 {
            rare.push((frequency, word));
        }
        for num in hits {
            *scores.entry(num).or_default() += weight;
        }
    }
    rare.sort_by(|a, b| a.0.total_cmp(&b.0));
    let together: Vec<&str> = rare.iter().take(3).map(|(_, word)| *word).collect();
    for n in 2..=together.len() {
        if rare[0].0 <= COMMON {
            for num in precedent::with_words(conn, &together[..n], HITS_MAX)? {
                let weight = together[..n].iter().filter_map(|word| weights.get(*word)).sum();
                let score = scores.entry(num).or_default();
                *score = score.max(weight);
            }
        }
    }
    if let Some(predicted) = &row.predicted {
        for num in precedent::with_prediction(conn, predicted, COMPARED_MAX / 2)? {
            *scores.entry(num).or_default() += SAME_LABEL;
        }
    }
    let mut ranked: Vec<(i64, f64)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
    Ok((ranked.into_iter().map(|(num, _)| num).take(COMPARED_MAX).collect(), weights))
}

/// The weight of what two texts share over the weight of all their words; a word that was not
/// weighed is rare.
fn likeness(one: &[String], other: &[String], weights: &HashMap<String, f64>) -> f64 {
    let rare = weights.values().copied().fold(1.0, f64::max);
    let weight = |word: &String| weights.get(word).copied().unwrap_or(rare);
    let shared: f64 = one.iter().filter(|word| other.contains(word)).map(weight).sum::<f64>() + 0.0;
    let all: f64 = one.iter().map(weight).sum::<f64>()
        + other.iter().filter(|word| !one.contains(word)).map(weight).sum::<f64>();
    if all > 0.0 { shared / all } else { 0.0 }
}

/// What the challenger said of a case, if its payload is here.
fn rival_of(
    conn: &Connection,
    unpacker: &mut Unpacker,
    row: &CaseRow,
) -> rusqlite::Result<Option<String>> {
    let event = erasure::payload_event(conn, row.id, row.event)?.unwrap_or(row.event);
    let Ok(json) = blob::read(conn, unpacker, event) else { return Ok(None) };
    let payload = serde_json::from_slice::<Payload>(&json).ok();
    let prediction = payload.and_then(|payload| Prediction::parse(payload.prediction.get()).ok());
    Ok(prediction.and_then(|prediction| prediction.challenger).map(|rival| rival.label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_by_their_rare_words() {
        let weights: HashMap<String, f64> = [("the", 0.1), ("parcel", 1.0), ("customs", 4.0)]
            .map(|(w, n)| (w.to_owned(), n))
            .into();
        let like = |a: &str, b: &str| likeness(&words(a), &words(b), &weights);
        assert!((like("The parcel", "the PARCEL!") - 1.0).abs() < 1e-9);
        assert!(
            like("the customs", "customs parcel") > like("the parcel", "the customs parcel")
                && like("", "") == 0.0
        );
    }
}
