//! What a recipe takes of what was labeled: each resolved case is let in, or left out and counted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Weighs exported rows, on whichever thread read them: little of a row is passed on.
pub struct Weighing<'r> {
    recipe: &'r Recipe,
    /// The alarm that drew a case.
    alarms: HashMap<CaseId, String>,
    rule: Option<Condition>,
    /// Whether the rule is known to ask for what rows have.
    named: AtomicBool,
}

/// What became of some rows.
#[derive(Default)]
pub struct Weighed {
    rows: Vec<One>,
    /// What the input of the first that was let in has.
    input_keys: Vec<String>,
}

enum One {
    Left(&'static str),
    Erased(CaseId),
    In(Box<Draft>),
}

/// A case that is let in, with what is told of it.
struct Draft {
    case: CaseId,
    id: Box<str>,
    stream: Box<str>,
    occurred_at: Moment,
    text: Box<str>,
    label: Box<str>,
    category: Option<Box<str>>,
    failure_mode: Option<Box<str>>,
    trap: Option<Box<str>>,
    settled: Moment,
    votes: usize,
    keys: Box<[Box<str>]>,
    caps: Box<[Box<str>]>,
    told: Told,
}

impl<'r> Weighing<'r> {
    /// # Errors
    /// A rule that can't be read.
    pub fn new(recipe: &'r Recipe, alarms: HashMap<CaseId, String>) -> Result<Self, CutError> {
        let rule = recipe.rows.rule.as_deref().map(Condition::compile).transpose()?;
        Ok(Self { recipe, alarms, rule, named: AtomicBool::new(false) })
    }

    /// Weighs rows: where there is a rule, on a thread whose stack it may use up.
    ///
    /// # Errors
    /// A rule that asks for what no row has.
    pub fn weigh(&self, rows: &[CaseExport]) -> Result<Weighed, CutError> {
        let weigh = || {
            let mut weighed = Weighed::default();
            for row in rows {
                let one = self.one(row, &mut weighed.input_keys)?;
                weighed.rows.push(one);
            }
            Ok(weighed)
        };
        if self.rule.is_none() {
            return weigh();
        }
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            match thread.spawn_scoped(scope, weigh).map(|thread| thread.join()) {
                Ok(Ok(weighed)) => weighed,
                _ => Err(CutError::Rule(BadRule::TooCostly)),
            }
        })
    }

    fn one(&self, row: &CaseExport, input_keys: &mut Vec<String>) -> Result<One, CutError> {
        if let Some(rule) = &self.rule {
            let keys = keys_of(row);
            if !self.named.load(Ordering::Relaxed) {
                let known: Vec<String> = keys.keys().cloned().collect();
                rule.check_names(self.recipe.rows.rule.as_deref().unwrap_or_default(), &known)?;
                self.named.store(true, Ordering::Relaxed);
            }
            match rule.ask(&keys) {
                Said::Yes => {}
                Said::Cannot(_) => return Ok(One::Left("where_cannot_tell")),
                _ => return Ok(One::Left("where")),
            }
        }
        if row.about.erased {
            return Ok(One::Erased(row.about.case));
        }
        let label = row.outcome.get(&self.recipe.rows.label).and_then(scalar);
        let Some(label) = label.filter(|label| !label.trim().is_empty()) else {
            return Ok(One::Left("no_label"));
        };
        if row.about.text.trim().is_empty() {
            return Ok(One::Left("unreadable"));
        }
        if input_keys.is_empty()
            && let Some(input) = &row.about.input
            && let Ok(input) = serde_json::from_str::<Map<String, Value>>(input.get())
        {
            *input_keys = input.keys().cloned().collect();
        }
        Ok(One::In(Box::new(self.draft(row, &label))))
    }

    fn draft(&self, row: &CaseExport, label: &str) -> Draft {
        let about = &row.about;
        let group = &self.recipe.split.group;
        let keys = group.iter().filter(|name| *name != NEAR);
        let keys = keys.filter_map(|name| {
            group_value(row, name).map(|value| format!("{name} {value}").into())
        });
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
        Draft {
            case: about.case,
            id: about.id.as_str().into(),
            stream: about.stream.as_str().into(),
            occurred_at: Moment::parse(&about.occurred_at).unwrap_or_default(),
            text: about.text.as_str().into(),
            label: label.into(),
            category: text(&row.category).map(Into::into),
            failure_mode: text(&row.failure_mode).map(Into::into),
            trap: about.flags.first().map(|flag| flag.as_str().into()),
            settled: row.settled_at.as_deref().and_then(Moment::parse).unwrap_or_default(),
            votes: row.votes.iter().filter(|vote| vote.agrees).count()
                + if row.ruling.is_some() { RULING_VOTES } else { 0 },
            keys: keys.collect(),
            caps: caps.into_iter().map(Into::into).collect(),
            told: Told::of(row),
        }
    }
}

/// Takes what was weighed, row by row.
pub struct Taking<'r> {
    pub(super) recipe: &'r Recipe,
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
    pub fn new(recipe: &'r Recipe, kept: Kept) -> Self {
        let (dropped, erased, candidates) = (Counts::new(), Vec::new(), Vec::new());
        let (words, input_keys) = (HashSet::new(), Vec::new());
        Self { recipe, words, kept, read: 0, dropped, erased, candidates, input_keys }
    }

    /// Takes what was weighed of some rows.
    ///
    /// # Errors
    /// Those of putting aside what is told of them.
    pub fn take(&mut self, weighed: Weighed) -> Result<(), CutError> {
        if self.input_keys.is_empty() {
            self.input_keys = weighed.input_keys;
        }
        for one in weighed.rows {
            self.read += 1;
            match one {
                One::Left(why) => count(&mut self.dropped, why, 1),
                One::Erased(case) => {
                    self.erased.push(case);
                    count(&mut self.dropped, "erased", 1);
                }
                One::In(draft) => {
                    let told = self.kept.put(&draft.told).map_err(CutError::Kept)?;
                    let candidate = self.candidate(*draft, told);
                    self.candidates.push(candidate);
                }
            }
        }
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

    /// A word that many rows have, once.
    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let word: Arc<str> = word.into();
        self.words.insert(word.clone());
        word
    }

    fn candidate(&mut self, draft: Draft, told: Place) -> Candidate {
        let mut word = |word: &str| self.word(word);
        Candidate {
            case: draft.case,
            id: draft.id,
            stream: word(&draft.stream),
            occurred_at: draft.occurred_at,
            text: draft.text,
            category: draft.category.as_deref().map(&mut word),
            failure_mode: draft.failure_mode.as_deref().map(&mut word),
            trap: draft.trap.as_deref().map(&mut word),
            caps: draft.caps.iter().map(|key| word(key)).collect(),
            label: word(&draft.label),
            told,
            settled: draft.settled,
            votes: draft.votes,
            keys: draft.keys,
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
