//! What was labeled and learned from, so that edge cases are used again: found by words, in this
//! workspace and in those that the configuration lists.

use std::collections::{BTreeMap, BTreeSet};

use super::{WorkError, Workspace};
use crate::db::case;
use crate::domain::label::value_text;
use crate::domain::resolve::CaseState;
use crate::domain::text::counted;
use crate::domain::time::Moment;
use crate::review::glossary::PublishedGlossary;

/// What is looked for in the catalog.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Words that all have to be in it.
    pub words: Vec<String>,
    pub since: Option<Moment>,
    pub until: Option<Moment>,
}

impl Wanted {
    fn takes_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(&word.to_lowercase()))
    }

    fn takes_time(&self, at: Moment) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

impl Workspace {
    /// What was labeled and learned from, by words and time: in this workspace and in those that the
    /// configuration lists.
    pub fn catalog(&self, wanted: &Wanted) -> Result<Vec<Found>, WorkError> {
        let mut found = self.catalog_here(wanted)?;
        for other in &self.config.catalog.workspaces {
            let paths = crate::config::Paths { workspace: other.into() };
            let here =
                paths.workspace.canonicalize().ok() == self.paths.workspace.canonicalize().ok();
            if here {
                continue;
            }
            match Self::open(paths, self.env.clone(), None) {
                Ok(other) => found.extend(other.catalog_here(wanted)?),
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

    fn catalog_here(&self, wanted: &Wanted) -> Result<Vec<Found>, WorkError> {
        let team = self.team()?;
        let mut found = Vec::new();
        let mut add = |kind: &'static str, id: String, text: String, at: Moment, more: &str| {
            let fits = wanted.takes_text(&format!("{kind} {id} {text} {more}"));
            if fits && wanted.takes_time(at) {
                found.push(Found { kind, workspace: team.clone(), id, text, at: Some(at) });
            }
        };
        for cut in self.cuts()? {
            let withdrawn = if cut.withdrawn.is_some() { ", withdrawn" } else { "" };
            let text = format!(
                "{} {}, {}{withdrawn}",
                cut.cut.name,
                cut.cut.version,
                counted(cut.cut.rows, "row")
            );
            add("cut", cut.short(), text, cut.at, &cut.cut.text);
        }
        for run in self.runs()? {
            add("run", run.short(), format!("{}, {}", run.run.pipeline, run.run.state), run.at, "");
        }
        for one in self.deployments()? {
            add(
                "deployment",
                one.short(),
                format!("{} in {}", one.deployed.model, one.deployed.to),
                one.at,
                &one.deployed.note,
            );
        }
        let protocols = self.protocols()?;
        for published in protocols.in_force() {
            let id = published.protocol.id.clone();
            add("protocol", id, published.protocol.title.clone(), published.at, "");
        }
        let glossaries = crate::review::glossary::versions(&self.db.conn)?;
        for term in &protocols.glossary.terms {
            // Since when it has meant what it means.
            let same = |one: &&PublishedGlossary| one.glossary.terms.contains(term);
            let Some(first) = glossaries.iter().take_while(same).last() else { continue };
            add("term", term.id.clone(), term.definition.clone(), first.at, &term.name);
        }
        for alarm in self.raised_alarms()? {
            add("alarm", alarm.id.clone(), alarm.words(), alarm.at, "");
        }
        // Labels by what they are of: a line for each category, stream and model.
        /// How many there are, how they fail, and when the last occurred.
        type Labeled = (u64, BTreeSet<String>, Moment);
        let mut kinds: BTreeMap<(String, String, String), Labeled> = BTreeMap::new();
        case::for_each(&self.db.conn, |row| {
            let outcome = row.outcome.as_ref().filter(|_| row.state == CaseState::Resolved);
            let Some(outcome) = outcome.filter(|_| wanted.takes_time(row.occurred_at)) else {
                return;
            };
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
            add("labels", category, text, last, &modes.join(" "));
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
