//! Triggers: when a team wants to look at a new cut. They propose it; people cut, train and deploy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::error::RetrainError;
use super::{WorkError, Workspace};
use crate::db::{case, document};
use crate::domain::ids::{EventId, Hash};
use crate::domain::label::value_text;
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::{Moment, parse_span};
use crate::journal::Append;
use crate::journal::kind::CutProposed;
use crate::retrain::outcomes::{By, fair, groups};
use crate::review::rows;
use crate::trap::Said;
use crate::trap::condition::Condition;

/// A proposal that was made.
#[derive(Debug, Clone)]
pub struct KnownProposal {
    pub proposed: CutProposed,
    pub author: String,
    pub at: Moment,
    pub event: EventId,
    /// The cut that followed it.
    pub cut: Option<Hash>,
}

impl KnownProposal {
    pub fn json(&self) -> Value {
        let one = &self.proposed;
        json!({ "proposal": one.proposal, "trigger": one.trigger, "recipe": one.recipe, "reason": one.reason,
            "counts": one.counts, "at": self.at.rfc3339(), "author": self.author, "event": self.event, "cut": self.cut })
    }
}

/// Names in quotes that a trigger calls a function with: `alarm('…')`.
fn called(source: &str, function: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in source.split(&format!("{function}(")).skip(1) {
        let Some(quote) = part.trim_start().chars().next().filter(|c| matches!(c, '\'' | '"'))
        else {
            continue;
        };
        let inner = part.trim_start().trim_start_matches(quote);
        names.extend(inner.split_once(quote).map(|(name, _)| name.to_owned()));
    }
    names
}

/// A trigger's calls as lookups, which is what CEL has: `alarm('x')` asks `alarm` for `x`.
fn as_lookups(source: &str) -> String {
    let mut out = source.to_owned();
    for function in ["alarm", "ready"] {
        for name in called(source, function) {
            for quote in ['\'', '"'] {
                out = out.replace(
                    &format!("{function}({quote}{name}{quote})"),
                    &format!("{function}[{quote}{name}{quote}]"),
                );
            }
        }
    }
    out
}

impl Workspace {
    /// Every proposal, the latest first.
    pub fn cut_proposals(&self) -> Result<Vec<KnownProposal>, WorkError> {
        let mut followed: BTreeMap<String, Hash> = BTreeMap::new();
        for cut in self.cuts()? {
            if let Some(proposal) = cut.cut.proposal {
                followed.insert(proposal, cut.cut.cut);
            }
        }
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        // The same proposal of several devices is one: the first that was made.
        for row in document::of_kind(&self.db.conn, "proposal")?.into_iter().rev() {
            let Ok(proposed) = serde_json::from_str::<CutProposed>(&row.body) else { continue };
            if seen.insert(proposed.proposal.clone()) {
                let cut = followed.get(&proposed.proposal).copied();
                let (author, at, event) = (row.author, row.at.moment(), row.event);
                found.push(KnownProposal { proposed, author, at, event, cut });
            }
        }
        found.reverse();
        Ok(found)
    }

    pub fn find_proposal(&self, id: &str) -> Result<KnownProposal, WorkError> {
        let all = self.cut_proposals()?;
        let found = all.iter().find(|one| id.len() >= 4 && one.proposed.proposal.starts_with(id));
        found.cloned().ok_or_else(|| {
            let known = all.iter().map(|one| one.proposed.proposal.clone()).collect();
            RetrainError::Unknown { what: "the proposal", id: id.to_owned(), known }.into()
        })
    }

    /// What triggers may ask for: open alarms, resolved cases by category, how good the model is.
    fn trigger_facts(&self, source: &str) -> Result<Map<String, Value>, WorkError> {
        let open: BTreeSet<String> = self
            .raised_alarms()?
            .into_iter()
            .filter(|alarm| alarm.is_open())
            .map(|alarm| alarm.raised.alarm)
            .collect();
        let last = self.cuts()?.into_iter().map(|cut| cut.at).max();
        let fields = rows::label_fields(&self.protocols()?);
        let (mut ready, mut resolved): (BTreeMap<String, u64>, u64) = Default::default();
        case::for_each(&self.db.conn, |row| {
            resolved += u64::from(row.state == CaseState::Resolved);
            let Some(outcome) = rows::ready(&row, &fields) else { return };
            let mut names = BTreeSet::new();
            for field in ["category", "failure_mode", "label"] {
                names.extend(outcome.get(field).map(value_text));
            }
            names.insert("all".to_owned());
            names.into_iter().for_each(|name| *ready.entry(name).or_default() += 1);
        })?;
        let alarms = called(source, "alarm").into_iter().map(|name| {
            let on = open.contains(&name);
            (name, Value::from(on))
        });
        let counts = called(source, "ready").into_iter().map(|name| {
            let n = ready.get(&name).copied().unwrap_or(0);
            (name, Value::from(n))
        });
        let judged = self.judged()?;
        let all = groups(&fair(&judged).judged, By::All);
        let accuracy = all.first().and_then(|group| group.accuracy.value.ok());
        let days = last.map(|at| (self.now().0 - at.0) as f64 / 86_400_000.0);
        let alarm: Map<String, Value> = alarms.collect();
        let counts: Map<String, Value> = counts.collect();
        Ok(Map::from_iter([
            ("alarm".to_owned(), Value::Object(alarm)),
            ("ready".to_owned(), Value::Object(counts)),
            ("accuracy".to_owned(), json!(accuracy)),
            ("days_since_cut".to_owned(), json!(days)),
            ("resolved".to_owned(), json!(resolved)),
        ]))
    }

    /// Asks every trigger of the configuration, and records what they propose.
    pub fn ask_triggers(&mut self) -> Result<Vec<KnownProposal>, WorkError> {
        let triggers = self.config.trigger.clone();
        if triggers.is_empty() {
            return Ok(Vec::new());
        }
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        let made = self.cut_proposals()?;
        let mut new = Vec::new();
        for trigger in triggers {
            let source = as_lookups(&trigger.when);
            let condition = Condition::compile(&source)?;
            let facts = self.trigger_facts(&trigger.when)?;
            let known: Vec<String> = facts.keys().cloned().collect();
            condition.check_names(&source, &known)?;
            let asked = std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().stack_size(crate::trap::STACK_BYTES);
                let thread = thread.spawn_scoped(scope, || condition.ask(&facts));
                thread.ok().and_then(|thread| thread.join().ok())
            });
            if asked != Some(Said::Yes) {
                continue;
            }
            let cooldown = trigger.cooldown.as_deref().map(|text| {
                parse_span(text).ok_or_else(|| {
                    RetrainError::Wrong(format!(
                        "config.toml: trigger `{}`: cooldown takes 90m, 12h, 7d, not `{text}`",
                        trigger.name()
                    ))
                })
            });
            let cooldown = cooldown.transpose()?.unwrap_or(0);
            let last = made.iter().find(|one| one.proposed.trigger == trigger.name());
            if last.is_some_and(|one| one.cut.is_none() || self.now().0 - one.at.0 < cooldown) {
                continue; // it waits already, or spoke lately
            }
            // Of what is known, not of when it was asked: any device comes to the same.
            let mut known = facts.clone();
            known.shift_remove("days_since_cut");
            let state = format!("{}\n{}\n{}", trigger.when, trigger.recipe, Value::Object(known));
            let proposal = Hash::of(state.as_bytes()).to_string()[..16].to_owned();
            if made.iter().any(|one| one.proposed.proposal == proposal) {
                continue;
            }
            let mut counts: BTreeMap<String, f64> = BTreeMap::new();
            for (name, n) in facts["ready"].as_object().into_iter().flatten() {
                counts.extend(n.as_f64().map(|n| (name.clone(), n)));
            }
            counts.extend(facts["accuracy"].as_f64().map(|value| ("accuracy".to_owned(), value)));
            let (name, recipe, reason) =
                (trigger.name(), trigger.recipe.clone(), trigger.when.clone());
            let event =
                CutProposed { proposal: proposal.clone(), trigger: name, recipe, reason, counts };
            self.append(vec![Append::new(&event)])?;
            new.push(self.find_proposal(&proposal)?);
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_lookups() {
        let source = "alarm('labels moved') || ready(\"oos\") >= 200 || accuracy < 0.85";
        assert_eq!(called(source, "alarm").into_iter().collect::<Vec<_>>(), ["labels moved"]);
        assert_eq!(
            as_lookups(source),
            "alarm['labels moved'] || ready[\"oos\"] >= 200 || accuracy < 0.85"
        );
        assert!(Condition::compile(&as_lookups(source)).is_ok());
    }
}
