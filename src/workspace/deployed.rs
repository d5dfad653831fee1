//! Deployments, and what turned out to be right of predictions.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::RetrainError;
use super::gates::KnownGate;
use super::{WorkError, Workspace, read_file};
use crate::clock;
use crate::db::{case, document, draw, observed};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::value_text;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::traps::{Trap, draw as draw_of};
use crate::journal::Append;
use crate::journal::blob::{self, Unpacker};
use crate::journal::kind::{DeploymentEnded, DeploymentRecorded, Observed, OutcomeObserved};
use crate::retrain::outcomes::Judged;

/// How far another machine's clock may be ahead of ours.
const AHEAD_MS: i64 = 86_400_000;

/// A deployment that was recorded.
#[derive(Debug, Clone)]
pub struct KnownDeployment {
    pub deployed: DeploymentRecorded,
    pub author: String,
    pub at: Moment,
    pub event: EventId,
    /// When it ended, by whom it was said, and with which words.
    pub ended: Option<(Moment, String, String)>,
}

impl KnownDeployment {
    pub fn short(&self) -> String {
        super::runs::short_run(&self.deployed.deployment)
    }

    /// Which it is, in words.
    pub fn words(&self) -> String {
        let one = &self.deployed;
        format!("{} ({} in {}, share {})", self.short(), one.model, one.to, one.share)
    }

    pub fn json(&self) -> Value {
        let one = &self.deployed;
        json!({ "deployment": one.deployment, "run": one.run, "to": one.to, "share": one.share,
            "model": one.model, "gate": one.gate, "note": one.note, "at": self.at.rfc3339(),
            "author": self.author, "event": self.event,
            "ended": self.ended.as_ref().map(|(at, who, note)| json!({ "at": at.rfc3339(), "author": who, "note": note })) })
    }
}

/// What is to be recorded of a deployment.
#[derive(Debug, Clone)]
pub struct Deploy {
    pub run: String,
    pub to: String,
    pub share: f64,
    pub model: Option<String>,
    pub note: String,
}

/// What an import of outcomes came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    pub read: u64,
    pub taken: u64,
    /// The same was said before by the same source.
    pub known: u64,
    /// Of predictions that are no cases here: kept, for they may become some.
    pub unknown: u64,
    pub rejects: Vec<(usize, String)>,
}

/// A line of outcomes.
#[derive(Deserialize)]
struct OutcomeLine {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    stream: Option<String>,
    #[serde(default)]
    case: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    observed_at: Option<String>,
    #[serde(default)]
    truth: Option<Value>,
    #[serde(default)]
    right: Option<bool>,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    note: String,
}

/// When something was observed, the truth, whether the prediction was right, and a number.
type Said = (Moment, Option<String>, Option<bool>, Option<f64>);

/// Outcomes in one entry.
const BATCH: usize = 1_000;

impl Workspace {
    /// Every deployment, the latest first.
    pub fn deployments(&self) -> Result<Vec<KnownDeployment>, WorkError> {
        let mut ended: HashMap<String, (Moment, String, String)> = HashMap::new();
        for row in document::of_kind(&self.db.conn, "deployment ended")? {
            if let Ok(event) = serde_json::from_str::<DeploymentEnded>(&row.body) {
                // The first word counts: the latest come first.
                ended.insert(row.name, (row.at.moment(), row.author, event.note));
            }
        }
        let known = |row: document::DocumentRow| {
            let deployed: DeploymentRecorded = serde_json::from_str(&row.body).ok()?;
            let ended = ended.get(&deployed.deployment).cloned();
            let (author, at, event) = (row.author, row.at.moment(), row.event);
            Some(KnownDeployment { deployed, author, at, event, ended })
        };
        Ok(document::of_kind(&self.db.conn, "deployment")?.into_iter().filter_map(known).collect())
    }

    /// Records that the model of a run answers somewhere, with what its gate said of it.
    pub fn record_deployment(
        &mut self,
        of: &Deploy,
    ) -> Result<(KnownDeployment, Option<KnownGate>), WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        if !(of.share > 0.0 && of.share <= 1.0) {
            return Err(RetrainError::Wrong(format!(
                "a share is above 0 and at most 1, not {}",
                of.share
            ))
            .into());
        }
        let run = self.find_run(&of.run)?;
        if !matches!(run.run.state.as_str(), "done" | "recorded") {
            return Err(RetrainError::Wrong(format!(
                "run {} is {}: there is no model to deploy",
                run.short(),
                run.run.state
            ))
            .into());
        }
        let gate = self.gate_of(&run.run.run)?;
        let model = of.model.clone();
        let model = model.unwrap_or_else(|| format!("{}-{}", run.run.pipeline, run.short()));
        let same = |one: &&KnownDeployment| {
            let known = &one.deployed;
            one.ended.is_none()
                && (&known.run, &known.to, &known.model) == (&run.run.run, &of.to, &model)
                && known.share.total_cmp(&of.share).is_eq()
        };
        if let Some(known) = self.deployments()?.iter().find(same) {
            return Err(RetrainError::Wrong(format!(
                "{} is recorded already, since {}",
                known.words(),
                known.at.minute()
            ))
            .into());
        }
        let deployment = self.new_id()?;
        let event = DeploymentRecorded {
            deployment: deployment.clone(),
            run: run.run.run.clone(),
            to: of.to.clone(),
            share: of.share,
            model,
            gate: gate.as_ref().map(KnownGate::words),
            note: of.note.clone(),
        };
        self.append(vec![Append::new(&event)])?;
        Ok((self.find_deployment(&deployment)?, gate))
    }

    /// The deployment that a person means: by id, a part of it, or where it is in force.
    pub fn find_deployment(&self, id: &str) -> Result<KnownDeployment, WorkError> {
        let all = self.deployments()?;
        let in_force = |one: &&KnownDeployment| {
            one.ended.is_none() && (one.deployed.to == id || one.deployed.model == id)
        };
        let like = |one: &&KnownDeployment| {
            id.len() >= 4
                && (one.deployed.deployment.starts_with(id) || one.short().starts_with(id))
        };
        if let Some(found) = all
            .iter()
            .find(|one| one.deployed.deployment == id)
            .or_else(|| all.iter().find(in_force))
        {
            return Ok(found.clone());
        }
        let found: Vec<&KnownDeployment> = all.iter().filter(like).collect();
        match found[..] {
            [one] => Ok(one.clone()),
            [] => {
                let known = all
                    .iter()
                    .map(|one| format!("{} ({})", one.short(), one.deployed.to))
                    .collect();
                Err(RetrainError::Unknown { what: "the deployment", id: id.to_owned(), known }
                    .into())
            }
            _ => {
                let found = found.iter().map(|one| one.deployed.deployment.clone()).collect();
                Err(RetrainError::Several { id: id.to_owned(), found }.into())
            }
        }
    }

    /// Says that a model answers there no longer.
    pub fn end_deployment(&mut self, id: &str, note: &str) -> Result<KnownDeployment, WorkError> {
        let all = self.deployments()?;
        let there: Vec<String> = all
            .iter()
            .filter(|one| {
                one.ended.is_none()
                    && [&one.deployed.to, &one.deployed.model].contains(&&id.to_owned())
            })
            .map(KnownDeployment::words)
            .collect();
        if there.len() > 1 {
            return Err(RetrainError::Several { id: id.to_owned(), found: there }.into());
        }
        let found = self.find_deployment(id)?;
        if found.ended.is_some() {
            return Err(
                RetrainError::Wrong(format!("deployment {} ended already", found.short())).into()
            );
        }
        let (deployment, note) = (found.deployed.deployment.clone(), note.to_owned());
        self.append(vec![Append::new(&DeploymentEnded { deployment: deployment.clone(), note })])?;
        self.find_deployment(&deployment)
    }

    /// Takes in what turned out to be right, as JSON lines.
    pub fn import_outcomes(
        &mut self,
        path: &Path,
        source: Option<&str>,
        stream: Option<&str>,
    ) -> Result<Imported, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        let text = read_file(path)?;
        let mut imported = Imported::default();
        // What each source said of each prediction.
        let mut known: HashMap<(CaseId, String), Vec<Said>> = HashMap::new();
        observed::for_each(&self.db.conn, |row| {
            let said = (row.observed_at, row.truth, row.right, row.value);
            known.entry((row.case, row.source)).or_default().push(said);
        })?;
        let streams = self.streams()?;
        let own = match (stream, &streams[..]) {
            (Some(stream), _) => Some(stream.to_owned()),
            (None, [one]) => Some(one.clone()),
            (None, _) => None,
        };
        let mut traces: Option<HashMap<String, CaseId>> = None;
        let mut batches: BTreeMap<String, Vec<Observed>> = BTreeMap::new();
        let usual = source.unwrap_or("import");
        for (line, json) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            imported.read += 1;
            match self.observed(json, own.as_deref(), usual, &mut traces) {
                Err(why) => imported.rejects.push((line, why)),
                // By a trace alone it can't be told which case it may become.
                Ok(None) => imported.unknown += 1,
                Ok(Some((source, one))) => {
                    let said = (one.at, one.truth.clone(), one.right, one.value);
                    let before = known.entry((one.case, source.clone())).or_default();
                    if before.contains(&said) {
                        imported.known += 1;
                        continue;
                    }
                    before.push(said);
                    imported.unknown += u64::from(!case::exists(&self.db.conn, one.case)?);
                    imported.taken += 1;
                    batches.entry(source).or_default().push(one);
                }
            }
        }
        for (source, outcomes) in batches {
            for outcomes in outcomes.chunks(BATCH) {
                let event = OutcomeObserved { source: source.clone(), outcomes: outcomes.to_vec() };
                self.append(vec![Append::new(&event)])?;
            }
        }
        Ok(imported)
    }

    fn observed(
        &self,
        json: &str,
        stream: Option<&str>,
        source: &str,
        traces: &mut Option<HashMap<String, CaseId>>,
    ) -> Result<Option<(String, Observed)>, String> {
        let line: OutcomeLine = serde_json::from_str(json).map_err(|error| error.to_string())?;
        // None: of a trace that no case has.
        let case = match (&line.case, &line.id, &line.trace_id) {
            (Some(case), ..) => {
                let found = self.find_case(case).map_err(|error| error.to_string())?;
                Some(found.id)
            }
            (None, Some(id), _) => {
                let stream = line.stream.as_deref().or(stream);
                let stream =
                    stream.ok_or("it names no `stream`, and there are several: --stream NAME")?;
                Some(CaseId::of(stream, id))
            }
            (None, None, Some(trace)) => {
                let known = match traces {
                    Some(known) => known,
                    None => traces.insert(self.traces().map_err(|error| error.to_string())?),
                };
                known.get(trace).copied()
            }
            (None, None, None) => {
                return Err("it has none of `id`, `trace_id` and `case`".to_owned());
            }
        };
        if line.truth.is_none() && line.right.is_none() && line.value.is_none() {
            return Err("it has none of `truth`, `right` and `value`".to_owned());
        }
        let at = line.observed_at.as_deref().ok_or("it has no `observed_at`")?;
        let at = Moment::parse(at)
            .ok_or_else(|| format!("`observed_at` is not an RFC 3339 time: `{at}`"))?;
        if at.0 > clock::now().0 + AHEAD_MS {
            return Err(format!("`observed_at` has not come yet: {}", at.rfc3339()));
        }
        let truth = line.truth.as_ref().filter(|truth| !truth.is_null()).map(value_text);
        if truth.as_ref().is_some_and(|truth| truth.trim().is_empty()) {
            return Err("its `truth` is empty".to_owned());
        }
        let Some(case) = case else { return Ok(None) };
        // A line that says two things says nothing.
        if let (Some(truth), Some(right)) = (&truth, line.right)
            && let Ok(Some(row)) = case::by_id(&self.db.conn, case)
            && let Some(predicted) = row.predicted
            && (predicted == *truth) != right
        {
            return Err(format!(
                "its `right` is {right}, and its `truth` is {truth} where the model said {predicted}"
            ));
        }
        let source = line.source.unwrap_or_else(|| source.to_owned());
        Ok(Some((
            source,
            Observed { case, at, truth, right: line.right, value: line.value, note: line.note },
        )))
    }

    /// Cases by their traces and spans, read from their payloads.
    pub(super) fn traces(&self) -> Result<HashMap<String, CaseId>, WorkError> {
        #[derive(Deserialize)]
        struct Kept {
            prediction: Line,
        }
        #[derive(Deserialize)]
        struct Line {
            #[serde(default)]
            trace_id: Option<String>,
            #[serde(default)]
            span_id: Option<String>,
        }
        let mut rows = Vec::new();
        case::for_each(&self.db.conn, |row| rows.push((row.id, row.event)))?;
        let mut unpacker = Unpacker::default();
        let mut traces = HashMap::new();
        for (id, event) in rows {
            let Ok(json) = blob::read(&self.db.conn, &mut unpacker, event) else { continue };
            let kept = serde_json::from_slice::<Kept>(&json).ok();
            let names = kept.map(|kept| [kept.prediction.trace_id, kept.prediction.span_id]);
            traces.extend(names.into_iter().flatten().flatten().map(|name| (name, id)));
        }
        Ok(traces)
    }

    /// Every case of which something turned out.
    pub fn judged(&self) -> Result<Vec<Judged>, WorkError> {
        let mut judged = Vec::new();
        let traps = self.latest_traps()?.map(|latest| latest.file.traps).unwrap_or_default();
        let audits: Vec<Trap> = traps.into_iter().filter(Trap::is_audit).collect();
        for row in latest_by_case(observed::latest(&self.db.conn)?) {
            let Some(case) = case::by_id(&self.db.conn, row.case)? else { continue };
            let traps = draw::of_case(&self.db.conn, row.case)?.into_iter().map(|draw| draw.trap);
            let traps: Vec<String> = traps.filter(|trap| !trap.is_empty()).collect();
            // A draw says it of a prediction that came before the trap, too.
            let by_chance = audits.iter().any(|audit| {
                let drawn = draw_of(&audit.name, &case.stream, &case.external_id);
                let takes_all = audit.per_day.is_none_or(|most| most == 0);
                audit.sample.is_some_and(|rate| drawn < rate)
                    && (takes_all || traps.contains(&audit.name))
            });
            let by_nothing = traps.is_empty() && case.flags.is_empty();
            let outcome = case.outcome.as_ref();
            judged.push(Judged {
                case: row.case,
                day: case.occurred_at.rfc3339()[..10].to_owned(),
                category: outcome
                    .and_then(|outcome| outcome.get("category"))
                    .map(value_text)
                    .unwrap_or_default(),
                right: row.right.or_else(|| Some(row.truth.as_ref()? == case.predicted.as_ref()?)),
                traps: if traps.is_empty() { case.flags.clone() } else { traps },
                model: case.model,
                confidence: case.confidence,
                is_fair: by_chance || by_nothing,
            });
        }
        Ok(judged)
    }
}

/// What each source said last of one prediction.
pub(super) fn latest_by_source(rows: Vec<observed::ObservedRow>) -> Vec<observed::ObservedRow> {
    let mut latest: BTreeMap<String, observed::ObservedRow> = BTreeMap::new();
    for row in rows {
        if latest.get(&row.source).is_none_or(|before| before.order() < row.order()) {
            latest.insert(row.source.clone(), row);
        }
    }
    latest.into_values().collect()
}

/// Of several sources that speak of one prediction, the one that spoke last of whether it was right;
/// of those that say numbers alone, the last.
pub(super) fn latest_by_case(rows: Vec<observed::ObservedRow>) -> Vec<observed::ObservedRow> {
    let order = |row: &observed::ObservedRow| {
        let judges = row.truth.is_some() || row.right.is_some();
        (judges, row.order())
    };
    let mut latest: BTreeMap<CaseId, observed::ObservedRow> = BTreeMap::new();
    for row in rows {
        match latest.get(&row.case) {
            Some(known) if order(known) >= order(&row) => {}
            _ => {
                latest.insert(row.case, row);
            }
        }
    }
    latest.into_values().collect()
}
