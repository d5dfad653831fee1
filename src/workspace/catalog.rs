//! What was labeled and learned from, so that edge cases are used again: found by words, in this
//! workspace and in those that the configuration lists.

use std::collections::{BTreeMap, BTreeSet};

use super::{WorkError, Workspace};
use crate::db::case;
use crate::domain::label::value_text;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;

impl Workspace {
    /// What was labeled and learned from, by words: in this workspace and in those that the
    /// configuration lists.
    pub fn catalog(&self, words: &[String]) -> Result<Vec<Found>, WorkError> {
        let mut found = self.catalog_here(words)?;
        for other in &self.config.catalog.workspaces {
            let paths = crate::config::Paths { workspace: other.into() };
            let here =
                paths.workspace.canonicalize().ok() == self.paths.workspace.canonicalize().ok();
            if here {
                continue;
            }
            match Self::open(paths, self.env.clone(), None) {
                Ok(other) => found.extend(other.catalog_here(words)?),
                Err(error) => found.push(Found {
                    kind: "workspace",
                    workspace: other.clone(),
                    id: String::new(),
                    text: format!("can't be read: {error}"),
                    at: None,
                }),
            }
        }
        Ok(found)
    }

    fn catalog_here(&self, words: &[String]) -> Result<Vec<Found>, WorkError> {
        let team = self.team()?;
        let wanted: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let fits = |text: &str| {
            let text = text.to_lowercase();
            wanted.iter().all(|word| text.contains(word))
        };
        let mut found = Vec::new();
        let mut add =
            |kind: &'static str, id: String, text: String, at: Option<Moment>, more: &str| {
                if fits(&format!("{kind} {id} {text} {more}")) {
                    found.push(Found { kind, workspace: team.clone(), id, text, at });
                }
            };
        for cut in self.cuts()? {
            let withdrawn = if cut.withdrawn.is_some() { ", withdrawn" } else { "" };
            let text =
                format!("{} {}, {} rows{withdrawn}", cut.cut.name, cut.cut.version, cut.cut.rows);
            add("cut", cut.short(), text, Some(cut.at), &cut.cut.text);
        }
        for run in self.runs()? {
            add(
                "run",
                run.short(),
                format!("{}, {}", run.run.pipeline, run.run.state),
                Some(run.at),
                "",
            );
        }
        for one in self.deployments()? {
            add(
                "deployment",
                one.short(),
                format!("{} in {}", one.deployed.model, one.deployed.to),
                Some(one.at),
                &one.deployed.note,
            );
        }
        let protocols = self.protocols()?;
        for published in protocols.in_force() {
            let id = published.protocol.id.clone();
            add("protocol", id, published.protocol.title.clone(), None, "");
        }
        for term in &protocols.glossary.terms {
            add("term", term.id.clone(), term.definition.clone(), None, &term.name);
        }
        for alarm in self.raised_alarms()? {
            add("alarm", alarm.id.clone(), alarm.words(), Some(alarm.at), "");
        }
        // Labels by what they are of: a line for each category, stream and model.
        /// How many there are, how they fail, and when the last occurred.
        type Labeled = (u64, BTreeSet<String>, Moment);
        let mut kinds: BTreeMap<(String, String, String), Labeled> = BTreeMap::new();
        case::for_each(&self.db.conn, |row| {
            let outcome = row.outcome.as_ref().filter(|_| row.state == CaseState::Resolved);
            let Some(outcome) = outcome else { return };
            let category = outcome.get("category").map(value_text).unwrap_or_default();
            let entry = kinds.entry((category, row.stream, row.model)).or_insert((
                0,
                BTreeSet::new(),
                row.occurred_at,
            ));
            entry.0 += 1;
            entry.1.extend(outcome.get("failure_mode").map(value_text));
            entry.2 = entry.2.max(row.occurred_at);
        })?;
        for ((category, stream, model), (n, modes, last)) in kinds {
            let modes: Vec<String> = modes.into_iter().collect();
            let category =
                if category.is_empty() { "without a category".to_owned() } else { category };
            let text = format!(
                "{n} resolved cases of {stream}, {model}, the last of {}",
                &last.rfc3339()[..10]
            );
            add("labels", category, text, Some(last), &modes.join(" "));
        }
        Ok(found)
    }
}

/// Something that the catalog found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub kind: &'static str,
    pub workspace: String,
    pub id: String,
    pub text: String,
    pub at: Option<Moment>,
}
