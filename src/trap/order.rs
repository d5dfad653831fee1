//! What depends on the predictions before: the same asked again, a value that does not move.
//!
//! Where a whole file can be looked through beforehand ([`Survey`]) the order of its lines
//! does not matter: only their times do. Where it can't (a pipe), lines count as they come.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fields::{normal, text_of};
use crate::domain::prediction::Row;
use crate::domain::time::Moment;
use crate::domain::traps::{Repeat, Stuck, span};

/// Most keys that are remembered of a pipe; the oldest are forgotten.
const KEYS_MAX: usize = 200_000;

/// The words that a repeat compares, as a hash; nothing where a line lacks all of them.
pub fn repeat_key(row: &Row<'_>, repeat: &Repeat) -> Option<u64> {
    let mut hasher = blake3::Hasher::new();
    let mut any = false;
    hasher.update(row.stream_name().as_bytes());
    for field in &repeat.by {
        let text = text_of(row, field);
        any |= text.is_some();
        let text = text.unwrap_or_default();
        // A text that need not be equal is compared by its windows, not by its hash.
        if repeat.near.is_none() || !is_text(field) {
            hasher.update(normal(&text).as_bytes());
        }
        hasher.update(b"\0");
    }
    any.then(|| first_eight(&hasher))
}

fn is_text(field: &str) -> bool {
    super::reference::short(field) == "text"
}

fn first_eight(hasher: &blake3::Hasher) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// A hash of some text that is no promise to anybody.
pub fn quick_hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(b"\0");
    }
    first_eight(&hasher)
}

/// Windows of five characters of a text, for comparing it with others.
fn windows(text: &str) -> Vec<u64> {
    let chars: Vec<char> = normal(text).chars().collect();
    let mut found: Vec<u64> = chars
        .windows(5.min(chars.len().max(1)))
        .map(|window| quick_hash(&[&window.iter().collect::<String>()]))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn jaccard(one: &[u64], two: &[u64]) -> f64 {
    if one.is_empty() && two.is_empty() {
        return 1.0;
    }
    let shared = one.iter().filter(|hash| two.binary_search(hash).is_ok()).count();
    shared as f64 / (one.len() + two.len() - shared) as f64
}

/// One that may be a repeat: when, which prediction, and its text where texts are only alike.
#[derive(Debug, Clone)]
pub struct Asked {
    at: Moment,
    id: u64,
    windows: Vec<u64>,
}

/// What came before, for one trap.
pub enum Past {
    Repeats {
        repeat: Repeat,
        within: i64,
        asked: HashMap<u64, Vec<Asked>>,
        newest: Moment,
    },
    Stuck {
        stuck: Stuck,
        last: HashMap<String, (String, u32, u64)>,
    },
    /// What a look through the whole file found: the predictions that are flagged.
    Known(HashSet<u64>),
}

impl Past {
    pub fn repeats(repeat: &Repeat) -> Self {
        let within = span(&repeat.within).unwrap_or(0);
        Self::Repeats { repeat: repeat.clone(), within, asked: HashMap::new(), newest: Moment(0) }
    }

    pub fn stuck(stuck: &Stuck) -> Self {
        Self::Stuck { stuck: stuck.clone(), last: HashMap::new() }
    }

    /// Whether the trap flags this prediction, the next that comes.
    pub fn flags(&mut self, row: &Facts) -> bool {
        match self {
            Self::Known(found) => found.contains(&row.id),
            Self::Repeats { repeat, within, asked, newest } => {
                let Some(key) = row.key else { return false };
                *newest = (*newest).max(row.at);
                if asked.len() > KEYS_MAX {
                    let edge = newest.0 - *within;
                    asked.retain(|_, list| list.iter().any(|one| one.at.0 > edge));
                }
                let list = asked.entry(key).or_default();
                list.retain(|one| one.at.0 > row.at.0 - *within && one.id != row.id);
                list.push(Asked { at: row.at, id: row.id, windows: row.windows.clone() });
                let like = list.iter().filter(|one| {
                    one.at <= row.at
                        && repeat
                            .near
                            .is_none_or(|near| jaccard(&one.windows, &row.windows) >= near)
                });
                like.count() >= repeat.times as usize
            }
            Self::Stuck { stuck, last } => {
                let Some(value) = &row.value else { return false };
                let entry = last.entry(row.stream.clone()).or_insert_with(|| (value.clone(), 0, 0));
                if entry.0 != *value {
                    *entry = (value.clone(), 0, 0);
                }
                if entry.2 != row.id {
                    (entry.1, entry.2) = (entry.1 + 1, row.id);
                }
                entry.1 >= stuck.run
            }
        }
    }
}

/// What a trap that looks at the order has to know of a row.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub at: Moment,
    pub id: u64,
    pub stream: String,
    pub key: Option<u64>,
    pub windows: Vec<u64>,
    pub value: Option<String>,
}

impl Facts {
    pub fn of_repeat(row: &Row<'_>, repeat: &Repeat) -> Self {
        let near = repeat.near.is_some() && repeat.by.iter().any(|field| is_text(field));
        Self {
            key: repeat_key(row, repeat),
            windows: if near { windows(row.text()) } else { Vec::new() },
            ..Self::of(row)
        }
    }

    pub fn of_stuck(row: &Row<'_>, stuck: &Stuck) -> Self {
        Self { value: text_of(row, &stuck.field).map(|value| value.into_owned()), ..Self::of(row) }
    }

    fn of(row: &Row<'_>) -> Self {
        Self {
            at: row.at,
            id: quick_hash(&[row.stream_name(), row.id.text()]),
            stream: row.stream_name().to_owned(),
            ..Self::default()
        }
    }
}

/// Looks through a whole stream for one trap: what it flags whatever the order of lines.
pub struct Survey {
    past: Past,
    /// In the order of time, each prediction once.
    rows: BTreeMap<(Moment, u64), Facts>,
}

impl Survey {
    pub fn new(past: Past) -> Self {
        Self { past, rows: BTreeMap::new() }
    }

    pub fn take(&mut self, facts: Facts) {
        if facts.key.is_some() || facts.value.is_some() {
            self.rows.insert((facts.at, facts.id), facts);
        }
    }

    pub fn finish(mut self) -> Past {
        let mut found = HashSet::new();
        let rows: Vec<Facts> = self.rows.into_values().collect();
        for moment in rows.chunk_by(|one, next| one.at == next.at) {
            // Several at one moment are all there before any of them is judged.
            if matches!(self.past, Past::Repeats { .. }) {
                for facts in moment {
                    let _ = self.past.flags(facts);
                }
            }
            for facts in moment {
                if self.past.flags(facts) {
                    found.insert(facts.id);
                }
            }
        }
        Past::Known(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(near: Option<f64>) -> Repeat {
        Repeat { by: vec!["session".into(), "text".into()], within: "10m".into(), times: 3, near }
    }

    fn line(n: u64, minute: u64, text: &str) -> String {
        format!(
            r#"{{"id":"p{n}","occurred_at":"2024-06-03T00:{minute:02}:00Z","input":{{"text":"{text}","session_id":"s"}},"prediction":{{"label":"x"}}}}"#
        )
    }

    fn flagged(lines: &[String], near: Option<f64>) -> Vec<bool> {
        let repeat = repeat(near);
        let mut past = Past::repeats(&repeat);
        let row = |line: &String| Facts::of_repeat(&Row::parse(line).unwrap(), &repeat);
        lines.iter().map(|line| past.flags(&row(line))).collect()
    }

    #[test]
    fn the_third_time_within_the_time_is_flagged() {
        let lines = [
            line(1, 0, "Where is it"),
            line(2, 4, " where is it "),
            line(3, 8, "where is it"),
            line(4, 20, "where is it"),
            line(3, 8, "where is it"),
        ];
        assert_eq!(flagged(&lines, None), [false, false, true, false, false]);
        let like = [
            line(1, 0, "where is my parcel now"),
            line(2, 1, "where is my parcel"),
            line(3, 2, "where is my parcel no"),
        ];
        assert_eq!(flagged(&like, None), [false; 3]);
        assert_eq!(flagged(&like, Some(0.6)), [false, false, true]);
    }

    #[test]
    fn a_survey_finds_the_same_in_any_order() {
        let mut lines: Vec<String> =
            (0..60).map(|n| line(n, n % 50, ["a", "b", "c"][(n % 3) as usize])).collect();
        let repeat = repeat(None);
        let survey = |lines: &[String]| {
            let mut survey = Survey::new(Past::repeats(&repeat));
            for line in lines {
                survey.take(Facts::of_repeat(&Row::parse(line).unwrap(), &repeat));
            }
            let Past::Known(found) = survey.finish() else { unreachable!() };
            let mut found: Vec<u64> = found.into_iter().collect();
            found.sort_unstable();
            found
        };
        let forward = survey(&lines);
        assert!(forward.len() > 10, "{}", forward.len());
        lines.reverse();
        lines.extend(lines.clone());
        assert_eq!(survey(&lines), forward);
    }

    #[test]
    fn what_comes_at_one_moment_is_judged_together() {
        let repeat = repeat(None);
        let mut survey = Survey::new(Past::repeats(&repeat));
        for n in 1..=3 {
            survey.take(Facts::of_repeat(&Row::parse(&line(n, 5, "a")).unwrap(), &repeat));
        }
        assert!(matches!(survey.finish(), Past::Known(found) if found.len() == 3));
    }

    #[test]
    fn a_value_that_stands_still_is_seen() {
        let stuck = Stuck { field: "text".into(), run: 3 };
        let mut past = Past::stuck(&stuck);
        let mut flags =
            |n, text| past.flags(&Facts::of_stuck(&Row::parse(&line(n, n, text)).unwrap(), &stuck));
        let found: Vec<bool> = [(1, "a"), (2, "a"), (2, "a"), (3, "a"), (4, "a"), (5, "b")]
            .map(|(n, t)| flags(n, t))
            .into();
        assert_eq!(found, [false, false, false, true, true, false]);
    }
}
