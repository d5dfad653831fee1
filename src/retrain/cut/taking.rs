//! What a recipe takes of what was labeled: each resolved case is let in, or left out and counted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::CutError;
use super::recipe::{Counts, NEAR, Per, Recipe, count};
use super::told::{Kept, Place, Told};
use crate::domain::ids::CaseId;
use crate::domain::label::value_text;
use crate::domain::near::normal;
use crate::domain::prediction::scalar;
use crate::domain::time::Moment;
use crate::format::CaseExport;
use crate::trap::condition::Condition;
use crate::trap::{BadRule, STACK_BYTES, Said};

/// A ruling counts as so many labels: as more than there ever are of one text.
const RULING_VOTES: usize = 1_000_000;

/// A resolved case that a recipe's rule lets in.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub case: CaseId,
    pub id: Box<str>,
    pub stream: Arc<str>,
    pub(super) occurred_at: Moment,
    pub text: Box<str>,
    pub label: Arc<str>,
    pub category: Option<Arc<str>>,
    pub failure_mode: Option<Arc<str>>,
    /// The first trap that flagged it.
    pub trap: Option<Arc<str>>,
    /// When it was settled: what is settled later moves nothing that was there.
    pub(super) settled: Moment,
    /// Labels that say what it counts as; a ruling outweighs them.
    pub(super) votes: usize,
    /// What it shares with others of its group.
    pub(super) keys: Box<[Box<str>]>,
    /// What it is counted by, where a recipe has a cap: several where several found or labeled it.
    pub(super) caps: Box<[Arc<str>]>,
    /// Where what is told of it stands.
    pub told: Place,
}

/// Takes exported rows, one by one.
pub struct Taking<'r> {
    pub(super) recipe: &'r Recipe,
    /// The alarm that drew a case.
    alarms: HashMap<CaseId, String>,
    rule: Option<Condition>,
    named: bool,
    /// Labels, streams and the like, each once.
    words: HashSet<Arc<str>>,
    pub(super) kept: Kept,
    pub read: u64,
    pub dropped: Counts,
    pub erased: Vec<CaseId>,
    pub candidates: Vec<Candidate>,
    /// What the input of the first has.
    input_keys: Vec<String>,
}

/// By what rows stay together, beside what lies in an input.
const GROUPS: [&str; 7] = ["session", "trace", "trace_id", "stream", "category", "day", "text"];

impl<'r> Taking<'r> {
    /// # Errors
    /// A rule that can't be read.
    pub fn new(
        recipe: &'r Recipe,
        alarms: HashMap<CaseId, String>,
        kept: Kept,
    ) -> Result<Self, CutError> {
        let rule = recipe.rows.rule.as_deref().map(Condition::compile).transpose()?;
        let (dropped, erased, candidates) = (Counts::new(), Vec::new(), Vec::new());
        let words = HashSet::new();
        Ok(Self {
            recipe,
            alarms,
            rule,
            named: false,
            words,
            kept,
            read: 0,
            dropped,
            erased,
            candidates,
            input_keys: Vec::new(),
        })
    }

    /// Takes rows: on a thread whose stack rules may use up.
    ///
    /// # Errors
    /// A rule that asks for what no row has.
    pub fn take_all(&mut self, rows: &[(CaseExport, Told)]) -> Result<(), CutError> {
        if self.rule.is_none() {
            return rows.iter().try_for_each(|(row, told)| self.take(row, told));
        }
        std::thread::scope(|scope| {
            let take = || rows.iter().try_for_each(|(row, told)| self.take(row, told));
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            match thread.spawn_scoped(scope, take).map(|thread| thread.join()) {
                Ok(Ok(taken)) => taken,
                _ => Err(CutError::Rule(BadRule::TooCostly)),
            }
        })
    }

    fn take(&mut self, row: &CaseExport, told: &Told) -> Result<(), CutError> {
        self.read += 1;
        if let Some(rule) = &self.rule {
            let keys = keys_of(row);
            if !self.named {
                let known: Vec<String> = keys.keys().cloned().collect();
                rule.check_names(self.recipe.rows.rule.as_deref().unwrap_or_default(), &known)?;
                self.named = true;
            }
            match rule.ask(&keys) {
                Said::Yes => {}
                Said::Cannot(_) => return self.leave_out("where_cannot_tell"),
                _ => return self.leave_out("where"),
            }
        }
        if row.about.erased {
            self.erased.push(row.about.case);
            return self.leave_out("erased");
        }
        let label = row.outcome.get(&self.recipe.rows.label).and_then(scalar);
        let Some(label) = label.filter(|label| !label.trim().is_empty()) else {
            return self.leave_out("no_label");
        };
        if row.about.text.trim().is_empty() {
            return self.leave_out("unreadable");
        }
        if self.candidates.is_empty()
            && let Some(input) = &row.about.input
            && let Ok(input) = serde_json::from_str::<Map<String, Value>>(input.get())
        {
            self.input_keys = input.keys().cloned().collect();
        }
        let told = self.kept.put(told).map_err(CutError::Kept)?;
        let candidate = self.candidate(row, &label, told);
        self.candidates.push(candidate);
        Ok(())
    }

    /// That every key by which rows are to stay together is one of a row: of a key that no row has,
    /// nothing would be kept together.
    ///
    /// # Errors
    /// A key that none has, with those that there are.
    pub fn check_groups(&self) -> Result<(), CutError> {
        let foreign = |name: &&String| *name != NEAR && !GROUPS.contains(&name.as_str());
        for name in self.recipe.split.group.iter().filter(foreign) {
            let begins = format!("{name} ");
            let has = |row: &Candidate| row.keys.iter().any(|key| key.starts_with(&begins));
            if !self.candidates.is_empty() && !self.candidates.iter().any(has) {
                let known = GROUPS.iter().map(|name| (*name).to_owned());
                let known: Vec<String> = known
                    .chain([NEAR.to_owned()])
                    .chain(self.input_keys.iter().map(|key| format!("input.{key}")))
                    .collect();
                return Err(CutError::Group { name: name.clone(), known });
            }
        }
        Ok(())
    }

    /// Counts a row that is left out.
    fn leave_out(&mut self, why: &str) -> Result<(), CutError> {
        count(&mut self.dropped, why, 1);
        Ok(())
    }

    /// A word that many rows have, once.
    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.words.insert(word.clone());
        word
    }

    fn candidate(&mut self, row: &CaseExport, label: &str, told: Place) -> Candidate {
        let about = &row.about;
        let group = &self.recipe.split.group;
        let keys = group.iter().filter(|name| *name != NEAR);
        let keys = keys.filter_map(|name| {
            group_value(row, name).map(|value| format!("{name} {value}").into())
        });
        let keys = keys.collect();
        let day = || about.occurred_at.get(..10).map(str::to_owned);
        let per = self.recipe.caps.as_ref().and_then(|caps| caps.per);
        let text = |value: &Option<Value>| value.as_ref().map(value_text);
        let one = |key: Option<String>| key.into_iter().collect::<Vec<_>>();
        let caps = per.map_or_else(Vec::new, |per| match per {
            Per::Category => one(text(&row.category)),
            Per::Label => vec![label.to_owned()],
            Per::Trap => about.flags.clone(),
            Per::Session => one(about.session_id.clone()),
            Per::Reviewer => row.reviewers.clone(),
            Per::Day => one(day()),
            Per::Alarm => one(self.alarms.get(&about.case).cloned()),
        });
        let caps = caps.iter().map(|key| self.word(key)).collect();
        let (category, failure_mode) = (text(&row.category), text(&row.failure_mode));
        let mut word = |word: Option<&str>| word.map(|word| self.word(word));
        Candidate {
            case: about.case,
            id: about.id.as_str().into(),
            stream: word(Some(&about.stream)).unwrap_or_default(),
            occurred_at: Moment::parse(&about.occurred_at).unwrap_or_default(),
            text: about.text.as_str().into(),
            category: word(category.as_deref()),
            failure_mode: word(failure_mode.as_deref()),
            trap: word(about.flags.first().map(String::as_str)),
            caps,
            label: word(Some(label)).unwrap_or_default(),
            told,
            settled: row.settled_at.as_deref().and_then(Moment::parse).unwrap_or_default(),
            votes: row.votes.iter().filter(|vote| vote.agrees).count()
                + if row.ruling.is_some() { RULING_VOTES } else { 0 },
            keys,
        }
    }
}

/// A row as rules ask for it: all its keys, and `protocol`, `session`.
fn keys_of(row: &CaseExport) -> Map<String, Value> {
    let mut keys = match serde_json::to_value(row) {
        Ok(Value::Object(keys)) => keys,
        _ => Map::new(),
    };
    let ruling = row.ruling.as_ref().and_then(|ruling| ruling.protocol.as_ref());
    let protocol = ruling.or_else(|| row.votes.first().map(|vote| &vote.protocol));
    keys.insert(
        "protocol".to_owned(),
        protocol.map_or(Value::Null, |one| Value::from(one.id.as_str())),
    );
    keys.insert("version".to_owned(), protocol.map_or(Value::Null, |one| Value::from(one.version)));
    keys.insert("session".to_owned(), Value::from(row.about.session_id.clone()));
    keys
}

fn group_value(row: &CaseExport, name: &str) -> Option<String> {
    let found = match name {
        "session" => row.about.session_id.clone(),
        "trace" | "trace_id" => row.about.trace_id.clone(),
        "stream" => Some(row.about.stream.clone()),
        "category" => row.category.as_ref().map(value_text),
        "day" => row.about.occurred_at.get(..10).map(str::to_owned),
        "text" => Some(normal(&row.about.text)),
        other => row.about.input.as_ref().and_then(|input| {
            let input: Map<String, Value> = serde_json::from_str(input.get()).ok()?;
            input.get(other.strip_prefix("input.").unwrap_or(other)).map(value_text)
        }),
    };
    found.filter(|value| !value.is_empty())
}
