//! What exported rows say of a case beside its labels: the line as the model got it, why it was
//! flagged, how it was settled, and how good the model had been at such cases before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Protocols;
use super::conflict::ByInput;
use crate::db::case::{self, CaseRow};
use crate::db::{draw, erasure, renames};
use crate::domain::arbitration::{Done, ruling};
use crate::domain::estimate::{Estimate, class_of};
use crate::domain::hygiene::Fact;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, Outcome, that_count_in, value_text};
use crate::domain::policy::{Agents, Copies, Policy};
use crate::domain::prediction::{Loose, scalar};
use crate::domain::protocol::RenamedLabels;
use crate::domain::resolve::{CaseState, How, belief, settled_at};
use crate::domain::time::Moment;
use crate::domain::written;
use crate::format::CaseContext;
use crate::format::row::{Flagged, Prior, ProtocolVersion, RulingExport, Vote};
use crate::journal::blob::{self, Unpacker};
use crate::journal::views::{self, evidence::Evidence};
use crate::quality::figure::wilson;

/// Settled cases of one model and category in the order they came, each with on how many up to it
/// the model was right.
type Record = Vec<((Moment, CaseId), usize)>;

/// What rows say beside the case itself, of others that were settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    Nothing,
    /// How good the model had been before.
    Priors,
    /// That, and which cases with the same input count as something else.
    All,
}

/// What rows are made with, read once for all of them.
pub struct RowMaker {
    policy: Policy,
    renamed: RenamedLabels,
    estimate: Option<Estimate>,
    records: HashMap<(String, String), Record>,
    contradicted: BTreeMap<CaseId, Vec<CaseId>>,
    any_erased: bool,
    any_drawn: bool,
}

/// The parts of a payload that rows carry: neither logs nor nearby predictions.
#[derive(Deserialize)]
struct Kept<'p> {
    #[serde(borrow)]
    prediction: &'p RawValue,
    #[serde(default)]
    facts: Vec<Fact>,
}

/// The fields of a prediction's line that rows carry, as they stand there.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Line<'l> {
    #[serde(borrow)]
    input: Option<&'l RawValue>,
    #[serde(borrow)]
    model: Option<&'l RawValue>,
    #[serde(borrow)]
    prediction: Option<&'l RawValue>,
    #[serde(borrow)]
    challenger: Option<&'l RawValue>,
    #[serde(borrow)]
    feature_importance: Option<&'l RawValue>,
    #[serde(borrow)]
    latency_ms: Option<&'l RawValue>,
    #[serde(borrow)]
    trace_id: Loose<'l>,
    #[serde(borrow)]
    span_id: Loose<'l>,
}

/// The fields of an input that rows carry beside the whole of it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Input<'i> {
    #[serde(borrow)]
    text: Loose<'i>,
    #[serde(borrow)]
    session_id: Loose<'i>,
}

fn owned(raw: Option<&RawValue>) -> Option<Box<RawValue>> {
    raw.filter(|raw| raw.get() != "null").map(ToOwned::to_owned)
}

/// How a case was settled.
pub struct Settled {
    pub how: Option<How>,
    pub at: Option<Moment>,
    pub belief: Option<f64>,
    pub ruling: Option<RulingExport>,
    /// What labelers said, where that counted.
    pub agents: Vec<GivenLabel>,
}

impl RowMaker {
    /// Reads what rows are made with.
    ///
    /// # Errors
    /// Those of the database.
    pub fn load(
        conn: &Connection,
        unpacker: &mut Unpacker,
        policy: Policy,
        beside: Beside,
    ) -> rusqlite::Result<Self> {
        let mut records: HashMap<(String, String), Record> = HashMap::new();
        let mut inputs = ByInput::default();
        if beside != Beside::Nothing {
            case::for_each(conn, |row| {
                if row.state != CaseState::Resolved || row.outcome.is_none() {
                    return;
                }
                if beside == Beside::All {
                    inputs.take(&row, &policy.on);
                }
                let outcome = row.outcome.unwrap_or_default();
                let label = outcome.get("label").and_then(Value::as_str);
                let (Some(label), Some(said)) = (label, row.predicted) else { return };
                let category = outcome.get("category").map(value_text).unwrap_or_default();
                let record = records.entry((row.model, category)).or_default();
                record.push(((row.occurred_at, row.id), usize::from(said == label)));
            })?;
        }
        for record in records.values_mut() {
            record.sort_unstable();
            let mut right = 0;
            for (_, up_to) in record {
                right += *up_to;
                *up_to = right;
            }
        }
        let contradicted = inputs.contradicted(conn, unpacker, &policy.on)?;
        Ok(Self {
            renamed: renames::all(conn)?,
            estimate: views::estimate_of(conn, &policy)?,
            any_erased: erasure::any(conn)?,
            any_drawn: draw::any(conn)?,
            records,
            contradicted,
            policy,
        })
    }

    /// How often the model of a case was right on a category in settled cases that came before.
    pub fn prior(&self, row: &CaseRow, category: Option<&Value>) -> Option<Prior> {
        let category = value_text(category?);
        if row.model.is_empty() {
            return None;
        }
        let record = self.records.get(&(row.model.clone(), category.clone()));
        let before = record.map_or(&[][..], |record| {
            &record[..record.partition_point(|(came, _)| *came < (row.occurred_at, row.id))]
        });
        let (n, right) = (before.len(), before.last().map_or(0, |(_, right)| *right));
        let value = (n > 0).then(|| right as f64 / n as f64);
        Some(Prior {
            model: row.model.clone(),
            category,
            value,
            n,
            interval: value.and_then(|value| wilson(value, n as f64)),
            reason: (n == 0)
                .then_some("no case of this model and category was settled with a label before"),
        })
    }

    /// What is known of a case, and whether its payload is here or was erased.
    ///
    /// # Errors
    /// Those of the database.
    pub fn context(
        &self,
        conn: &Connection,
        unpacker: &mut Unpacker,
        row: &CaseRow,
    ) -> rusqlite::Result<(CaseContext, bool)> {
        let mut context = CaseContext {
            case: row.id,
            id: row.external_id.clone(),
            stream: row.stream.clone(),
            occurred_at: row.occurred_at.rfc3339(),
            detected_at: row.at.moment().rfc3339(),
            predicted: row.predicted.clone(),
            flags: row.flags.clone(),
            why: self.flagged(conn, row)?,
            prior: None,
            text: String::new(),
            erased: false,
            trace_id: None,
            session_id: None,
            span_id: None,
            input: None,
            model: None,
            prediction: None,
            challenger: None,
            feature_importance: None,
            latency_ms: None,
            facts: Vec::new(),
        };
        let event = if self.any_erased {
            erasure::payload_event(conn, row.id, row.event)?
        } else {
            Some(row.event)
        };
        let Some(event) = event else {
            context.erased = true;
            return Ok((context, true));
        };
        let Ok(json) = blob::read(conn, unpacker, event) else {
            context.text.clone_from(&row.text);
            return Ok((context, false));
        };
        let Ok(payload) = serde_json::from_slice::<Kept<'_>>(&json) else {
            return Ok((context, false));
        };
        let line: Line<'_> = serde_json::from_str(payload.prediction.get()).unwrap_or_default();
        let input: Input<'_> =
            line.input.and_then(|input| serde_json::from_str(input.get()).ok()).unwrap_or_default();
        context.text = match (input.text.as_str(), line.input) {
            (Some(text), _) => text.to_owned(),
            (None, Some(input)) => {
                written::read(input.get()).map(|input| input.to_string()).unwrap_or_default()
            }
            (None, None) => String::new(),
        };
        context.session_id = input.session_id.as_str().map(str::to_owned);
        context.span_id = line.span_id.as_str().map(str::to_owned);
        context.trace_id = line.trace_id.as_str().map(str::to_owned);
        context.input = owned(line.input);
        context.model = owned(line.model);
        context.prediction = owned(line.prediction);
        context.challenger = owned(line.challenger);
        context.feature_importance = owned(line.feature_importance);
        context.latency_ms = owned(line.latency_ms);
        context.facts = payload.facts;
        Ok((context, true))
    }

    /// The rules that flagged a case, each with what it measured and which part of what it flags
    /// becomes cases, where that was recorded.
    fn flagged(&self, conn: &Connection, row: &CaseRow) -> rusqlite::Result<Vec<Flagged>> {
        let draws = if self.any_drawn { draw::rates_of_case(conn, row.id)? } else { Vec::new() };
        let flagged = |trap: &String| {
            let draw = draws.iter().find(|(draw, _)| draw.trap == *trap);
            let (score, rate) = draw.map_or((None, None), |(draw, rate)| (draw.score, *rate));
            Flagged { trap: trap.clone(), score, rate }
        };
        Ok(row.flags.iter().map(flagged).collect())
    }

    /// How a case came to what it counts as.
    pub fn settled(
        &self,
        conn: &Connection,
        row: &CaseRow,
        labels: &[GivenLabel],
        acts: &[Done],
    ) -> rusqlite::Result<Settled> {
        let by_model = row.how == Some(How::Model)
            || self.policy.copies == Copies::Pooled
            || self.policy.agents == Agents::Vote;
        let evidence = match by_model {
            true => Evidence::of(conn, &self.policy, row)?,
            false => Evidence { labels: labels.into(), acts: acts.into(), ..Evidence::default() },
        };
        let voices = evidence.that_settle();
        let (labels, acts) = (&*voices, evidence.acts.as_slice());
        let by = evidence.by(row, &self.policy, &self.renamed, self.estimate.as_ref());
        let resolved = row.state == CaseState::Resolved;
        let ruled = ruling(acts, labels).filter(|_| row.how == Some(How::Ruling));
        let agents = evidence.agents.iter().filter(|_| row.how != Some(How::Ruling));
        Ok(Settled {
            agents: agents.cloned().collect(),
            how: row.how,
            at: settled_at(labels, acts).filter(|_| resolved),
            belief: (row.how == Some(How::Model)).then(|| belief(labels, by)).flatten(),
            ruling: ruled.map(|ruled| RulingExport {
                arbiter: ruled.author.to_owned(),
                cause: ruled.ruling.cause.as_str(),
                rationale: ruled.ruling.rationale.clone(),
                at: ruled.at.moment().rfc3339(),
                protocol: ruled
                    .ruling
                    .protocol
                    .as_ref()
                    .map(|cited| ProtocolVersion { id: cited.id.clone(), version: cited.version }),
                takes: ruled.ruling.takes,
                considered: ruled.ruling.considered.clone(),
                event: ruled.event,
            }),
        })
    }

    /// The labels of a case that count, each with whether it says what the case counts as.
    pub fn votes(&self, row: &CaseRow, labels: &[GivenLabel]) -> Vec<Vote> {
        let class = |outcome: &Outcome| class_of(outcome, &self.policy.on);
        let counts_as = row.outcome.as_ref().and_then(class);
        let mut counting = that_count_in(labels, MAIN_ROUND);
        // In the order given.
        counting.sort_by_key(|given| (given.at, given.event));
        let vote = |given: &GivenLabel| {
            let (label, outcome) = (given.label.clone(), self.renamed.outcome(&given.label));
            let agrees = class(&outcome) == counts_as;
            Vote {
                author: given.author.clone(),
                imported_by: given.imported_by().map(str::to_owned),
                label: training_label(&outcome),
                protocol: ProtocolVersion {
                    id: label.protocol.id,
                    version: label.protocol.version,
                },
                reviewer: label.reviewer,
                outcome,
                path: label.path,
                confidence: label.confidence,
                rationale: label.rationale,
                tags: label.tags,
                at: given.given_at().rfc3339(),
                duration_ms: label.duration_ms,
                event: given.event,
                agrees,
            }
        };
        counting.into_iter().map(vote).collect()
    }

    /// Cases with the same input that count as something else.
    pub fn contradicts(&self, id: CaseId) -> Vec<CaseId> {
        self.contradicted.get(&id).cloned().unwrap_or_default()
    }
}

/// The fields in which protocols in force say a label: `label`, and those that their label questions
/// set. None where none of them says one: then only a recipe can know.
pub fn label_fields(protocols: &Protocols) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for published in protocols.in_force() {
        let asked = published.protocol.fields_of_label_questions();
        let own = published.protocol.fields().filter(|field| *field == "label");
        fields.extend(asked.into_iter().chain(own).map(str::to_owned));
    }
    fields
}

/// What a case is ready to teach a model: what it counts as, if it is settled and says a label in one
/// of these fields.
pub fn ready<'r>(row: &'r CaseRow, fields: &BTreeSet<String>) -> Option<&'r Outcome> {
    let settled = row.outcome.as_ref().filter(|_| row.state == CaseState::Resolved);
    let says = |outcome: &Outcome, field: &String| {
        outcome.get(field).and_then(scalar).is_some_and(|label| !label.trim().is_empty())
    };
    settled.filter(|outcome| fields.is_empty() || fields.iter().any(|field| says(outcome, field)))
}

/// What to train on, if anything.
pub fn training_label(outcome: &Outcome) -> Option<String> {
    outcome.get("label").and_then(scalar)
}
