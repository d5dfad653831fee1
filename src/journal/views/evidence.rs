//! What settles a case: its labels and what was done about it, with those of its copies where the
//! policy pools them, and what the model said where the policy hears it. Nothing else gathers that.

use std::borrow::Cow;

use rusqlite::Connection;
use serde::Deserialize;

use crate::db::case::{self, CaseRow};
use crate::db::{arbitration, document, draw, label, renames, suggestion};
use crate::domain::arbitration::Done;
use crate::domain::estimate::Estimate;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, that_count_in};
use crate::domain::paths::Opinion;
use crate::domain::policy::{Agents, Copies, Policy, Witness};
use crate::domain::protocol::RenamedLabels;
use crate::domain::resolve::{By, ballot};

/// What there is of a case.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub labels: Vec<GivenLabel>,
    /// What labelers, which are programs, say, where the policy lets them vote and a person has said
    /// something. All of them together are one voice, where they say the same, and none where they do
    /// not: programs outvote nobody.
    pub agents: Vec<GivenLabel>,
    pub acts: Vec<Done>,
    /// The other cases whose labels count here too.
    pub copies: Vec<CaseId>,
    /// Whether the model is heard.
    pub heard: bool,
}

impl Evidence {
    /// What there is of a case.
    pub fn of(conn: &Connection, policy: &Policy, row: &CaseRow) -> rusqlite::Result<Self> {
        let copies = copies(conn, policy, row)?;
        let mut labels = label::live_of_case(conn, row.id)?;
        let mut acts = arbitration::of_case(conn, row.id)?;
        for copy in &copies {
            labels.extend(label::live_of_case(conn, *copy)?);
            acts.extend(arbitration::of_case(conn, *copy)?);
        }
        let agents = match policy.agents {
            Agents::Vote if labels.iter().any(|given| given.label.round == MAIN_ROUND) => {
                let mut said = said_by_programs(conn, row.id)?;
                for copy in &copies {
                    said.extend(said_by_programs(conn, *copy)?);
                }
                if said.is_empty() || measures(conn, row)? {
                    Vec::new()
                } else {
                    Vec::from_iter(one_voice(said, policy, &renames::all(conn)?))
                }
            }
            _ => Vec::new(),
        };
        Ok(Self { heard: is_heard(conn, policy, row)?, labels, agents, acts, copies })
    }

    /// All labels that settle the case.
    pub fn that_settle(&self) -> Cow<'_, [GivenLabel]> {
        match self.agents.as_slice() {
            [] => Cow::Borrowed(&self.labels),
            agents => Cow::Owned([&self.labels, agents].concat()),
        }
    }

    /// What the case is settled by.
    pub fn by<'b>(
        &self,
        row: &'b CaseRow,
        policy: &'b Policy,
        renamed: &'b RenamedLabels,
        estimate: Option<&'b Estimate>,
    ) -> By<'b> {
        let case = self.copies.first().map_or(row.id, |first| row.id.min(*first));
        By { policy, renamed, estimate, opinion: opinion(row, self.heard), case }
    }
}

/// What labelers say of a case, each as a label, where it came to an end of the protocol and was said
/// before a person labeled the case: who knows that could choose the program.
fn said_by_programs(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<GivenLabel>> {
    let said = suggestion::of_case(conn, id)?.into_iter();
    let said: Vec<_> = said.filter(|row| !row.suggestion.outcome.is_empty()).collect();
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let labeled = label::first_of_case(conn, id, MAIN_ROUND)?;
    let said = said.into_iter().filter(|row| labeled.is_none_or(|labeled| row.at < labeled));
    let label = |row: suggestion::SuggestionRow| GivenLabel {
        event: row.event,
        at: row.at,
        author: row.author,
        label: row.suggestion.label(),
    };
    Ok(said.map(label).collect())
}

/// What programs say together: the first of what they say, if it is the same.
fn one_voice(
    said: Vec<GivenLabel>,
    policy: &Policy,
    renamed: &RenamedLabels,
) -> Option<GivenLabel> {
    let says = |given: &GivenLabel| ballot(&renamed.outcome(&given.label), &policy.on);
    let same = said.windows(2).all(|two| says(&two[0]) == says(&two[1]));
    said.into_iter().filter(|_| same).min_by_key(|given| (given.at, given.event))
}

/// Who gave a label that counts for a case; `labels` is how many it has.
pub fn labeled_by(
    conn: &Connection,
    policy: &Policy,
    id: CaseId,
    labels: usize,
) -> rusqlite::Result<Vec<String>> {
    let given = match policy.copies {
        _ if labels == 0 => Vec::new(),
        Copies::Apart => label::live_of_case(conn, id)?,
        Copies::Pooled => match case::by_id(conn, id)? {
            Some(row) => Evidence::of(conn, policy, &row)?.labels,
            None => label::live_of_case(conn, id)?,
        },
    };
    let counting = that_count_in(given, MAIN_ROUND).into_iter();
    Ok(counting.map(|given| given.label.reviewer).collect())
}

/// The cases whose labels count for a case too.
pub fn copies(conn: &Connection, policy: &Policy, row: &CaseRow) -> rusqlite::Result<Vec<CaseId>> {
    match policy.copies {
        Copies::Pooled => case::copies(conn, row),
        Copies::Apart => Ok(Vec::new()),
    }
}

/// What the model said of a case, if it is heard.
pub fn opinion(row: &CaseRow, heard: bool) -> Option<Opinion<'_>> {
    let predicted = row.predicted.as_deref().filter(|_| heard)?;
    Some(Opinion { predicted, confidence: row.confidence })
}

/// Whether the labels of a case are to say how good the model is, or reviewers are: those of what a
/// trap sampled, and of known answers. No model and no program has a voice there.
fn measures(conn: &Connection, row: &CaseRow) -> rusqlite::Result<bool> {
    Ok(draw::is_sampled(conn, row.id)? || is_gold(conn, row.id)?)
}

/// Whether the model's own voice counts for a case.
pub fn is_heard(conn: &Connection, policy: &Policy, row: &CaseRow) -> rusqlite::Result<bool> {
    Ok(policy.witness == Witness::Champion && row.predicted.is_some() && !measures(conn, row)?)
}

fn is_gold(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    #[derive(Deserialize)]
    struct Set {
        #[serde(default)]
        dropped: bool,
    }
    let row = document::latest_named(conn, "gold", &id.to_string())?;
    let set = row.and_then(|row| serde_json::from_str::<Set>(&row.body).ok());
    Ok(set.is_some_and(|set| !set.dropped))
}
