//! What led to what, from any id: read from the journal's views.

use serde_json::Value;

use super::cuts::KnownCut;
use super::deployed::{KnownDeployment, latest_by_source};
use super::error::RetrainError;
use super::gates::{KnownGate, standing_now};
use super::proposals::KnownProposal;
use super::runs::KnownRun;
use super::{WorkError, Workspace};
use crate::db::case::CaseRow;
use crate::db::{arbitration, case, label, observed};
use crate::domain::arbitration::Act;
use crate::domain::cues::{Cue, hides as hides_cue};
use crate::domain::ids::{CaseId, EventId, hex};
use crate::domain::label::value_text;
use crate::domain::policy::Policy;
use crate::domain::resolve::CaseState;
use crate::domain::text::{counted, head};
use crate::domain::time::Moment;
use crate::journal::views::evidence::Evidence;
use crate::retrain::cut::Membership;
use crate::retrain::lineage::openlineage::{Told, mlflow, of_cut, of_run};
use crate::retrain::lineage::{Lineage, Node};
use crate::review::alarms::RaisedAlarm;
use crate::review::rows::training_label;
use crate::review::sight::Sight;

/// Cases of a cut, an alarm or a deployment that are named, the others counted.
const NAMED_MAX: usize = 20;
/// Characters of a text that a line shows.
const TEXT_BYTES: usize = 60;

/// What the loop knows beside its cases, read once.
struct Known {
    policy: Policy,
    cuts: Vec<(KnownCut, Membership)>,
    runs: Vec<KnownRun>,
    gates: Vec<KnownGate>,
    deployments: Vec<KnownDeployment>,
    alarms: Vec<RaisedAlarm>,
    proposals: Vec<KnownProposal>,
}

impl Known {
    /// Before when the model of a deployment can't have answered: it learned from a cut.
    fn since(&self, deployment: usize) -> Moment {
        let run = &self.deployments[deployment].deployed.run;
        let run = self.runs.iter().find(|one| one.run.run == *run);
        let cut = run.and_then(|run| {
            let cuts = self.cuts.iter().map(|(cut, _)| cut);
            cuts.filter(|cut| Some(cut.cut.cut) == run.run.cut).map(|cut| cut.at).min()
        });
        cut.unwrap_or(Moment(i64::MIN))
    }
}

/// What an id means.
enum Meant {
    Case(Box<CaseRow>),
    Cut(usize),
    Run(usize),
    Deployment(usize),
    Alarm(usize),
    Proposal(usize),
}

fn node(id: String, kind: &'static str, text: String) -> Node {
    Node { id, kind, at: None, by: None, entry: None, text }
}

fn short(text: &str) -> String {
    let begin = head(text, TEXT_BYTES);
    if begin.len() < text.len() { format!("{begin}…") } else { begin.to_owned() }
}

impl Known {
    fn read(workspace: &Workspace) -> Result<Self, WorkError> {
        let with_rows = |cut: KnownCut| {
            // A cut whose rows have not come yet is known all the same.
            let rows = workspace.membership(&cut).unwrap_or_default();
            (cut, rows)
        };
        Ok(Self {
            policy: workspace.policy()?,
            cuts: workspace.cuts()?.into_iter().map(with_rows).collect(),
            runs: workspace.runs()?,
            gates: workspace.gates()?,
            deployments: workspace.deployments()?,
            alarms: workspace.raised_alarms()?,
            proposals: workspace.cut_proposals()?,
        })
    }
}

/// A graph in the making.
struct Tracing<'w> {
    workspace: &'w mut Workspace,
    known: &'w Known,
    sight: Sight,
    lineage: Lineage,
}

impl Workspace {
    /// Everything that has to do with what an id means: a case or its prediction, a label, a ruling,
    /// a row of a cut, a cut, a run, a gate, a deployment, an outcome, an alarm, a proposal.
    ///
    /// # Errors
    /// Nothing is called that.
    pub fn lineage(&mut self, id: &str) -> Result<Lineage, WorkError> {
        let known = Known::read(self)?;
        let meant = self.meant(id.trim(), &known)?;
        let (sight, lineage) = (self.sight()?, Lineage::default());
        let mut tracing = Tracing { workspace: self, known: &known, sight, lineage };
        match meant {
            Meant::Case(row) => tracing.case(*row, true)?,
            Meant::Cut(at) => tracing.cut(at, true)?,
            Meant::Run(at) => tracing.run(at, true)?,
            Meant::Deployment(at) => tracing.deployment(at, true)?,
            Meant::Alarm(at) => tracing.alarm(at)?,
            Meant::Proposal(at) => tracing.proposal(at)?,
        }
        Ok(tracing.lineage)
    }

    fn meant(&self, id: &str, known: &Known) -> Result<Meant, WorkError> {
        let (kind, bare) = match id.split_once(':') {
            Some((kind, rest))
                if [
                    "case",
                    "cut",
                    "run",
                    "deployment",
                    "alarm",
                    "proposal",
                    "row",
                    "label",
                    "ruling",
                    "gate",
                    "waiver",
                    "outcome",
                    "prediction",
                ]
                .contains(&kind) =>
            {
                (kind, rest)
            }
            _ => ("", id),
        };
        let may = |wanted: &str| kind.is_empty() || kind == wanted;
        if let Ok(event) = bare.parse::<EventId>() {
            return self.of_event(event, known);
        }
        if kind == "outcome"
            && let Some(case) = bare.split(':').next().and_then(|id| id.parse::<CaseId>().ok())
        {
            return self.of_case(case);
        }
        if kind == "prediction" {
            // Streams and ids may have a slash of their own.
            for (at, _) in bare.match_indices('/') {
                let case = CaseId::of(&bare[..at], &bare[at + 1..]);
                if case::exists(&self.db.conn, case)? {
                    return self.of_case(case);
                }
            }
        }
        if may("run")
            && let Ok(run) = self.find_run(bare)
            && let Some(at) = known.runs.iter().position(|one| one.run.run == run.run.run)
        {
            return Ok(Meant::Run(at));
        }
        if may("deployment")
            && let Ok(found) = self.find_deployment(bare)
            && let Some(at) = known
                .deployments
                .iter()
                .position(|one| one.deployed.deployment == found.deployed.deployment)
        {
            return Ok(Meant::Deployment(at));
        }
        if may("cut")
            && let Ok(cut) = self.find_cut(bare)
            && let Some(at) = known.cuts.iter().position(|(one, _)| one.event == cut.event)
        {
            return Ok(Meant::Cut(at));
        }
        if may("proposal")
            && let Ok(found) = self.find_proposal(bare)
            && let Some(at) = known.proposals.iter().position(|one| one.event == found.event)
        {
            return Ok(Meant::Proposal(at));
        }
        if may("alarm")
            && let Some(at) = known.alarms.iter().position(|one| {
                bare.len() >= 4 && (one.id.starts_with(bare) || one.raised.alarm == bare)
            })
        {
            return Ok(Meant::Alarm(at));
        }
        if may("row")
            && bare.len() == 16
            && let Some(row) = unhex(bare)
            && let Some((at, member)) = known
                .cuts
                .iter()
                .enumerate()
                .find_map(|(at, (_, rows))| Some((at, rows.of_row(row)?)))
        {
            // An old row came from no case: its way begins at the cut that it was mixed into.
            return member.case.map_or(Ok(Meant::Cut(at)), |case| self.of_case(case));
        }
        match self.find_case(bare) {
            Ok(row) => Ok(Meant::Case(Box::new(row))),
            Err(WorkError::NoCase(_)) => Err(RetrainError::Unknown {
                what: "the id",
                id: id.to_owned(),
                known: [
                    "cases",
                    "labels",
                    "rulings",
                    "rows",
                    "cuts",
                    "runs",
                    "gates",
                    "deployments",
                    "alarms",
                    "proposals",
                ]
                .map(str::to_owned)
                .to_vec(),
            }
            .into()),
            Err(error) => Err(error),
        }
    }

    fn of_case(&self, id: CaseId) -> Result<Meant, WorkError> {
        case::by_id(&self.db.conn, id)?
            .map(|row| Meant::Case(Box::new(row)))
            .ok_or_else(|| WorkError::NoCase(id.to_string()))
    }

    /// What an event is about.
    fn of_event(&self, event: EventId, known: &Known) -> Result<Meant, WorkError> {
        let nothing = || {
            WorkError::from(RetrainError::Wrong(format!(
                "{event} is no event of a case, a cut, a run or a deployment"
            )))
        };
        if let Some(at) = known.cuts.iter().position(|(one, _)| one.event == event) {
            return Ok(Meant::Cut(at));
        }
        if let Some(at) = known.runs.iter().position(|one| one.event == event) {
            return Ok(Meant::Run(at));
        }
        let gate = known.gates.iter().find(|one| {
            one.event == event || one.waived.as_ref().is_some_and(|waived| waived.event == event)
        });
        if let Some(at) =
            gate.and_then(|gate| known.runs.iter().position(|one| one.run.run == gate.decided.run))
        {
            return Ok(Meant::Run(at));
        }
        if let Some(at) = known.deployments.iter().position(|one| one.event == event) {
            return Ok(Meant::Deployment(at));
        }
        // The entry itself says which case it is about.
        let entry = crate::db::journal::entry(&self.db.conn, event.replica, event.seq)?
            .ok_or_else(nothing)?;
        let body = crate::journal::entry::Body::parse(&entry.body).ok_or_else(nothing)?;
        let raw = body.events.get(event.n as usize).ok_or_else(nothing)?;
        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let places = [&value["case"], &value["label"]["case"], &value["id"]];
        let case = places.into_iter().find_map(|place| place.as_str()?.parse::<CaseId>().ok());
        // What turned out of many predictions came in one.
        let outcomes = value["outcomes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_outcome = |one: &Value| one["case"].as_str()?.parse::<CaseId>().ok();
        let case = match outcomes {
            [one] => of_outcome(one),
            [] => case,
            several => {
                let found = several.iter().take(8).filter_map(of_outcome);
                let found = found.map(|case| format!("outcome:{case}")).collect();
                return Err(RetrainError::Several { id: event.to_string(), found }.into());
            }
        };
        self.of_case(case.ok_or_else(nothing)?)
    }

    /// Runs and cuts of a graph as OpenLineage events, or as the bodies of MLflow's requests.
    pub fn lineage_events(
        &self,
        lineage: &Lineage,
        for_mlflow: bool,
    ) -> Result<Vec<Value>, WorkError> {
        let workspace = self.id()?.to_string();
        let (cuts, gates) = (self.cuts()?, self.gates()?);
        let mut events = Vec::new();
        if !for_mlflow {
            let mut told = std::collections::BTreeSet::new();
            for cut in
                cuts.iter().rev().filter(|cut| lineage.knows(&format!("cut:{}", cut.cut.cut)))
            {
                if told.insert(cut.cut.cut) {
                    events.extend(of_cut(&workspace, &cut.cut, cut.at));
                }
            }
        }
        for run in
            self.runs()?.iter().rev().filter(|run| lineage.knows(&format!("run:{}", run.run.run)))
        {
            let cut = run.run.cut.and_then(|id| cuts.iter().find(|cut| cut.cut.cut == id));
            let gate = standing_now(&gates, &run.run.run);
            let told = Told {
                workspace: &workspace,
                run: &run.run,
                cut: cut.map(|cut| &cut.cut),
                gate: gate.map(|gate| gate.decided.lines.as_slice()),
            };
            events.extend(if for_mlflow { mlflow(&told) } else { of_run(&told) });
        }
        Ok(events)
    }

    /// What became of one case: in which cuts it is, what was learned from them, where that is
    /// deployed; in lines.
    pub fn became_of(&self, id: CaseId) -> Result<Vec<(Moment, String, EventId)>, WorkError> {
        let mut lines = Vec::new();
        let mut of_case = Vec::new();
        for cut in self.cuts()? {
            let rows = self.membership(&cut).unwrap_or_default();
            if let Some(member) = rows.of_case(id) {
                let name = format!("{} {}", cut.cut.name, cut.cut.version);
                lines.push((
                    cut.at,
                    format!("cut into {name}, {}", member.part.as_str()),
                    cut.event,
                ));
                of_case.push(cut.cut.cut);
            }
        }
        if !of_case.is_empty() {
            let (gates, deployments) = (self.gates()?, self.deployments()?);
            let runs = self.runs()?.into_iter();
            for run in runs.filter(|run| run.run.cut.is_some_and(|cut| of_case.contains(&cut))) {
                let words = format!("learned from in run {} ({})", run.short(), run.run.state);
                lines.push((run.at, words, run.event));
                for gate in gates.iter().filter(|gate| gate.decided.run == run.run.run) {
                    let (name, said) = (&gate.decided.gate, gate.words());
                    let words = format!("run {}: gate {name} says {said}", run.short());
                    lines.push((gate.at, words, gate.event));
                }
                for one in deployments.iter().filter(|one| one.deployed.run == run.run.run) {
                    let of = &one.deployed;
                    lines.push((
                        one.at,
                        format!("deployed to {} as {}", of.to, of.model),
                        one.event,
                    ));
                }
            }
        }
        for row in observed::of_case(&self.db.conn, id)? {
            lines.push((
                row.observed_at,
                format!("{} says: {}", row.source, said(&row)),
                row.event,
            ));
        }
        lines.sort();
        Ok(lines)
    }
}

/// What an observed outcome says, in words.
fn said(row: &observed::ObservedRow) -> String {
    match (&row.truth, row.right, row.value) {
        (Some(truth), ..) => format!("it is {truth}"),
        (None, Some(true), _) => "the prediction was right".to_owned(),
        (None, Some(false), _) => "the prediction was wrong".to_owned(),
        (None, None, Some(value)) => format!("{value}"),
        (None, None, None) => "nothing".to_owned(),
    }
}

fn unhex(text: &str) -> Option<[u8; 8]> {
    u64::from_str_radix(text, 16).ok().map(u64::to_be_bytes)
}

impl Tracing<'_> {
    fn case(&mut self, row: CaseRow, focus: bool) -> Result<(), WorkError> {
        let id = row.id;
        let own = format!("case:{id}");
        if focus {
            self.lineage.focus.clone_from(&own);
        }
        let blind = self.sight.is_blind_to(&self.workspace.db.conn, id)?;
        let resolved = row.outcome.as_ref().filter(|_| !blind && row.state == CaseState::Resolved);
        let counts_as = resolved
            .and_then(training_label)
            .map_or(String::new(), |label| format!(", counts as {label}"));
        let text = format!("{} \"{}\"{counts_as}", row.external_id, short(&row.text));
        self.lineage.add(Node {
            at: Some(row.at.moment()),
            entry: Some(row.event.to_string()),
            ..node(own.clone(), "case", text)
        });
        // What the model said, and where that model came from.
        let hidden = blind && hides_cue(&self.known.policy.hide, Cue::Prediction, false);
        let predicted = row.predicted.clone().unwrap_or_else(|| "no answer".to_owned());
        let confidence = row.confidence.map_or(String::new(), |value| format!(" {value:.2}"));
        let (predicted, confidence) = match hidden {
            true => ("(hidden)".to_owned(), String::new()),
            false => (predicted, confidence),
        };
        let model = if row.model.is_empty() { String::new() } else { format!(" of {}", row.model) };
        let prediction = self.lineage.add(Node {
            at: Some(row.occurred_at),
            ..node(
                format!("prediction:{}/{}", row.stream, row.external_id),
                "prediction",
                format!("{predicted}{confidence}{model}"),
            )
        });
        let flags = if row.flags.is_empty() {
            String::new()
        } else {
            format!("flagged by {}", row.flags.join(", "))
        };
        if let Some(found) = self.lineage.nodes.iter_mut().find(|one| one.id == own)
            && !flags.is_empty()
        {
            found.text.push_str(&format!(", {flags}"));
        }
        self.lineage.link(&prediction, &own, "detected");
        for at in 0..self.known.deployments.len() {
            let model = &self.known.deployments[at].deployed.model;
            if !model.is_empty()
                && (row.model == *model || row.model.ends_with(&format!(" {model}")))
            {
                self.deployment(at, false)?;
                let deployment =
                    format!("deployment:{}", self.known.deployments[at].deployed.deployment);
                // No model answered before there was one: another was called so.
                let answered = row.occurred_at >= self.known.since(at);
                let how = if answered { "answered" } else { "is called as what answered" };
                self.lineage.link(&deployment, &prediction, how);
            }
        }
        self.alarms_of(&row, &own);
        if focus {
            self.labels(&row, &own)?;
            for at in 0..self.known.cuts.len() {
                let (cut, rows) = &self.known.cuts[at];
                let Some(member) = rows.of_case(id) else { continue };
                let line = hex(&member.row);
                let within = match member.part.as_str() {
                    "validation" => "in validation of",
                    "test" => "in test of",
                    _ => "in train of",
                };
                let row = self.lineage.add(node(format!("row:{line}"), "row", line));
                self.lineage.link(&own, &row, "became");
                let cut_id = format!("cut:{}", cut.cut.cut);
                self.cut(at, false)?;
                self.lineage.link(&row, &cut_id, within);
            }
            // What turned out would tell whoever still has to judge it.
            let rows =
                if blind { Vec::new() } else { observed::of_case(&self.workspace.db.conn, id)? };
            // Each source's own.
            for row in latest_by_source(rows) {
                let text = format!("{}: {}", row.source, said(&row));
                let outcome = self.lineage.add(Node {
                    at: Some(row.observed_at),
                    entry: Some(row.event.to_string()),
                    ..node(format!("outcome:{}:{}", id, row.source), "outcome", text)
                });
                self.lineage.link(&own, &outcome, "turned out");
            }
        }
        Ok(())
    }

    fn alarms_of(&mut self, row: &CaseRow, own: &str) {
        for alarm in self.known.alarms.iter().filter(|alarm| alarm.raised.cases.contains(&row.id)) {
            let id = self.lineage.add(alarm_node(alarm));
            self.lineage.link(&id, own, "drew");
        }
    }

    fn labels(&mut self, row: &CaseRow, own: &str) -> Result<(), WorkError> {
        let conn = &self.workspace.db.conn;
        let sight = &mut self.sight;
        let mut shown = Vec::new();
        for given in label::live_of_case(conn, row.id)? {
            if sight.sees(conn, &given)? && !sight.hides_round(&given.label.round) {
                shown.push(given);
            }
        }
        let blind = sight.is_blind_to(conn, row.id)?;
        let acts = if blind { Vec::new() } else { arbitration::of_case(conn, row.id)? };
        let withdrawn: Vec<EventId> = acts
            .iter()
            .filter_map(|done| match &done.act {
                Act::Withdrew { ruling, .. } => Some(*ruling),
                _ => None,
            })
            .collect();
        let mut ids = Vec::new();
        let agents = match blind {
            true => Vec::new(),
            false => Evidence::of(conn, &self.known.policy, row)?.agents,
        };
        let given = shown.iter().map(|given| (given, "labeled"));
        for (given, how) in given.chain(agents.iter().map(|given| (given, "counted as suggested")))
        {
            let of = &given.label;
            let said = training_label(&of.outcome)
                .or_else(|| of.outcome.get("verdict").map(value_text))
                .unwrap_or_else(|| "no label".to_owned());
            let why = if of.rationale.is_empty() {
                String::new()
            } else {
                format!(": {}", short(&of.rationale))
            };
            let text = format!("{said} under {} v{}{why}", of.protocol.id, of.protocol.version);
            let id = self.lineage.add(Node {
                at: Some(given.given_at()),
                by: Some(of.reviewer.clone()),
                entry: Some(given.event.to_string()),
                ..node(format!("label:{}", given.event), "label", text)
            });
            self.lineage.link(own, &id, how);
            ids.push(id);
        }
        for done in acts.iter().filter(|done| !withdrawn.contains(&done.event)) {
            let Act::Ruled(ruling) = &done.act else { continue };
            let said = training_label(&ruling.outcome).unwrap_or_else(|| "no label".to_owned());
            let text = format!("{said}, {}: {}", ruling.cause.as_str(), short(&ruling.rationale));
            let id = self.lineage.add(Node {
                at: Some(done.at.moment()),
                by: Some(done.author.clone()),
                entry: Some(done.event.to_string()),
                ..node(format!("ruling:{}", done.event), "ruling", text)
            });
            if ids.is_empty() {
                self.lineage.link(own, &id, "adjudicated");
            }
            for label in &ids {
                self.lineage.link(label, &id, "adjudicated");
            }
        }
        Ok(())
    }

    fn cut(&mut self, at: usize, focus: bool) -> Result<(), WorkError> {
        let (cut, rows) = &self.known.cuts[at];
        let own = format!("cut:{}", cut.cut.cut);
        if focus {
            self.lineage.focus.clone_from(&own);
        }
        if self.lineage.knows(&own) {
            return Ok(());
        }
        let withdrawn =
            cut.withdrawn.as_ref().map_or(String::new(), |(why, _)| format!(", withdrawn: {why}"));
        let text = format!(
            "{} {}, {}{withdrawn}",
            cut.cut.name,
            cut.cut.version,
            counted(cut.cut.rows, "row")
        );
        self.lineage.add(Node {
            at: Some(cut.at),
            by: Some(cut.author.clone()),
            entry: Some(cut.event.to_string()),
            ..node(own.clone(), "cut", text)
        });
        if let Some(proposal) = cut
            .cut
            .proposal
            .as_ref()
            .and_then(|id| self.known.proposals.iter().find(|one| one.proposed.proposal == *id))
        {
            let id = self.lineage.add(proposal_node(proposal));
            self.lineage.link(&id, &own, "proposed");
        }
        if focus {
            let cases: Vec<CaseId> = rows.cases().collect();
            for id in cases.iter().take(NAMED_MAX) {
                if let Some(row) = case::by_id(&self.workspace.db.conn, *id)? {
                    self.case(row, false)?;
                    self.lineage.link(&format!("case:{id}"), &own, "row of");
                }
            }
            if cases.len() > NAMED_MAX {
                let more = node(
                    format!("cases:{}", cut.cut.cut),
                    "cases",
                    format!("{} more", cases.len() - NAMED_MAX),
                );
                let id = self.lineage.add(more);
                self.lineage.link(&id, &own, "rows of");
            }
        }
        let runs: Vec<usize> = (0..self.known.runs.len())
            .filter(|run| self.known.runs[*run].run.cut == Some(cut.cut.cut))
            .collect();
        for run in runs {
            self.run(run, false)?;
            self.lineage.link(&own, &format!("run:{}", self.known.runs[run].run.run), "used by");
        }
        Ok(())
    }

    fn run(&mut self, at: usize, focus: bool) -> Result<(), WorkError> {
        let run = &self.known.runs[at];
        let own = format!("run:{}", run.run.run);
        if focus {
            self.lineage.focus.clone_from(&own);
        }
        if self.lineage.knows(&own) {
            return Ok(());
        }
        let why =
            if run.run.why.is_empty() { String::new() } else { format!(" ({})", run.run.why) };
        let tainted = if run.run.tainted.is_empty() { "" } else { ", tainted" };
        self.lineage.add(Node {
            at: Some(run.run.ended),
            by: Some(run.author.clone()),
            entry: Some(run.event.to_string()),
            ..node(
                own.clone(),
                "run",
                format!("{} of {}: {}{why}{tainted}", run.short(), run.run.pipeline, run.run.state),
            )
        });
        let cut = run
            .run
            .cut
            .and_then(|cut| self.known.cuts.iter().position(|(one, _)| one.cut.cut == cut));
        if let Some(at) = cut {
            self.cut(at, false)?;
            self.lineage.link(&format!("cut:{}", self.known.cuts[at].0.cut.cut), &own, "used by");
        }
        // What was asked of it, and when: a deployment came of what was there by then.
        let mut asked: Vec<(Moment, String)> = Vec::new();
        for gate in self.known.gates.iter().rev().filter(|gate| gate.decided.run == run.run.run) {
            let id = self.lineage.add(Node {
                at: Some(gate.at),
                by: Some(gate.author.clone()),
                entry: Some(gate.event.to_string()),
                ..node(
                    format!("gate:{}", gate.event),
                    "gate",
                    format!("{}: {}", gate.decided.gate, gate.decided.verdict.words()),
                )
            });
            self.lineage.link(&own, &id, "asked");
            asked.push((gate.at, id.clone()));
            if let Some(waived) = &gate.waived {
                let waiver = self.lineage.add(Node {
                    at: Some(waived.at),
                    by: Some(waived.author.clone()),
                    entry: Some(waived.event.to_string()),
                    ..node(
                        format!("waiver:{}", waived.event),
                        "waiver",
                        format!("waived: {}", waived.reason),
                    )
                });
                self.lineage.link(&id, &waiver, "waived");
                asked.push((waived.at, waiver));
            }
        }
        let deployments: Vec<usize> = (0..self.known.deployments.len())
            .filter(|one| self.known.deployments[*one].deployed.run == run.run.run)
            .collect();
        for at in deployments {
            self.deployment(at, false)?;
            let deployed = self.known.deployments[at].at;
            let before = asked.iter().filter(|(at, _)| *at <= deployed).max_by_key(|(at, _)| *at);
            let from = before.map_or(&own, |(_, id)| id);
            self.lineage.link(
                from,
                &format!("deployment:{}", self.known.deployments[at].deployed.deployment),
                "deployed",
            );
        }
        Ok(())
    }

    fn deployment(&mut self, at: usize, focus: bool) -> Result<(), WorkError> {
        let one = &self.known.deployments[at];
        let own = format!("deployment:{}", one.deployed.deployment);
        if focus {
            self.lineage.focus.clone_from(&own);
        }
        if self.lineage.knows(&own) {
            return Ok(());
        }
        let gate = one.deployed.gate.as_deref().map_or(", no gate was asked".to_owned(), |gate| {
            if gate == "pass" { String::new() } else { format!(", its gate says {gate}") }
        });
        let ended =
            one.ended.as_ref().map_or(String::new(), |(at, ..)| format!(", ended {}", at.minute()));
        self.lineage.add(Node {
            at: Some(one.at),
            by: Some(one.author.clone()),
            entry: Some(one.event.to_string()),
            ..node(
                own,
                "deployment",
                format!(
                    "{} in {} (share {}){gate}{ended}",
                    one.deployed.model, one.deployed.to, one.deployed.share
                ),
            )
        });
        if let Some(run) = self.known.runs.iter().position(|run| run.run.run == one.deployed.run) {
            self.run(run, false)?;
        }
        Ok(())
    }

    fn alarm(&mut self, at: usize) -> Result<(), WorkError> {
        let alarm = &self.known.alarms[at];
        let own = self.lineage.add(alarm_node(alarm));
        self.lineage.focus.clone_from(&own);
        for id in alarm.raised.cases.iter().take(NAMED_MAX) {
            let Some(row) = case::by_id(&self.workspace.db.conn, *id)? else { continue };
            self.case(row, false)?;
            self.lineage.link(&own, &format!("case:{id}"), "drew");
        }
        for proposal in self
            .known
            .proposals
            .iter()
            .filter(|one| one.proposed.reason.contains(&alarm.raised.alarm))
        {
            let id = self.lineage.add(proposal_node(proposal));
            self.lineage.link(&own, &id, "led to");
        }
        Ok(())
    }

    fn proposal(&mut self, at: usize) -> Result<(), WorkError> {
        let proposal = &self.known.proposals[at];
        let own = self.lineage.add(proposal_node(proposal));
        self.lineage.focus.clone_from(&own);
        let cut = proposal
            .cut
            .and_then(|cut| self.known.cuts.iter().position(|(one, _)| one.cut.cut == cut));
        if let Some(at) = cut {
            self.cut(at, false)?;
        }
        Ok(())
    }
}

fn alarm_node(alarm: &RaisedAlarm) -> Node {
    let closed = alarm
        .closed
        .as_ref()
        .map_or(String::new(), |(who, _, note)| format!(", closed by {who}: {note}"));
    Node {
        at: Some(alarm.at),
        ..node(format!("alarm:{}", alarm.id), "alarm", format!("{}{closed}", alarm.words()))
    }
}

fn proposal_node(proposal: &KnownProposal) -> Node {
    Node {
        at: Some(proposal.at),
        by: Some(proposal.author.clone()),
        entry: Some(proposal.event.to_string()),
        ..node(
            format!("proposal:{}", proposal.proposed.proposal),
            "proposal",
            format!("{} because {}", proposal.proposed.recipe, proposal.proposed.reason),
        )
    }
}
