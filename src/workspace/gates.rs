//! Gates: asked about files or about a recorded run, decided, waived.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::cuts::{directory_of, old_rows_in};
use super::error::RetrainError;
use super::runs::{KnownRun, read_metrics};
use super::traps::read_canaries;
use super::{WorkError, Workspace, read_file};
use crate::db::{case, document};
use crate::domain::ids::{CaseId, Hash, hex};
use crate::domain::near::{normal, pairs_across};
use crate::domain::resolve::{CaseState, How};
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::traps::Canary;
use crate::journal::Append;
use crate::journal::kind::{GateDecided, GateWaived};
use crate::retrain::cut::select::row_id;
use crate::retrain::gate::{
    Compared, Decision, GateFile, Line, Predictions, Verdict, decide, read,
};
use crate::review::conflict::whole_text;
use crate::review::rows::training_label;
use crate::trap::STACK_BYTES;

/// What a gate is asked with.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub before: Option<PathBuf>,
    pub after: Option<PathBuf>,
    /// What the model says of cases that have to be right.
    pub cases: Option<PathBuf>,
    pub metrics: Option<PathBuf>,
    /// Where the cut lies that the run learned from, if it is not beside the gate.
    pub cut: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Gated {
    pub gate: String,
    pub run: Option<String>,
    pub decision: Decision,
    pub leak: Vec<String>,
    pub churn: Option<f64>,
    /// Whether there was anything by which rows of the cut can be told in the evaluation.
    pub has_texts: bool,
    /// Old rows of the cut whose near copies were not looked for: their texts are not here.
    pub old_unread: usize,
}

impl Gated {
    pub fn json(&self) -> Value {
        json!({ "gate": self.gate, "run": self.run, "verdict": self.decision.verdict,
            "lines": self.decision.lines, "leak": self.leak, "churn": self.churn, "old_rows_unread": self.old_unread })
    }
}

/// A decision that was recorded.
#[derive(Debug, Clone)]
pub struct KnownGate {
    pub decided: Decided,
    pub at: Moment,
    pub author: String,
    pub event: crate::domain::ids::EventId,
    pub waived: Option<Waived>,
}

/// The decision as it is read back.
#[derive(Debug, Clone)]
pub struct Decided {
    pub run: String,
    pub gate: String,
    pub hash: Hash,
    pub verdict: Verdict,
    pub lines: Vec<Line>,
}

/// That a lead let it pass all the same.
#[derive(Debug, Clone)]
pub struct Waived {
    pub run: String,
    pub gate: String,
    pub reason: String,
    pub author: String,
    pub at: Moment,
    pub event: crate::domain::ids::EventId,
}

impl KnownGate {
    pub fn json(&self) -> Value {
        json!({ "run": self.decided.run, "gate": self.decided.gate, "verdict": self.decided.verdict,
            "lines": self.decided.lines, "at": self.at.rfc3339(), "author": self.author, "event": self.event,
            "waived": self.waived.as_ref().map(|one| json!({ "reason": one.reason, "author": one.author, "at": one.at.rfc3339() })) })
    }

    /// Whether a lead had let it pass by a moment.
    fn waived_by(&self, at: Moment) -> bool {
        self.waived.as_ref().is_some_and(|waived| waived.at <= at)
    }

    /// In a few words, as a deployment keeps it.
    pub fn words(&self) -> String {
        match &self.waived {
            Some(_) => format!("{}, waived", self.decided.verdict.words()),
            None => self.decided.verdict.words().to_owned(),
        }
    }
}

/// Reads and checks a gate.
pub fn read_gate(path: &Path) -> Result<GateFile, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    let mut gate = GateFile::parse(&source).map_err(|faults| WorkError::Faults { name, faults })?;
    if gate.name.is_empty() {
        gate.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    Ok(gate)
}

/// Decides about two files of predictions, with the cases of a workspace where the gate asks for
/// them.
pub fn decide_files(
    gate: &GateFile,
    path: &Path,
    asked: &Asked,
    workspace: Option<&Workspace>,
) -> Result<Gated, WorkError> {
    let (Some(before), Some(after)) = (&asked.before, &asked.after) else {
        return Err(RetrainError::Wrong(
            "a gate compares two files: --before and --after".to_owned(),
        )
        .into());
    };
    let (one, two) = (read_file(before)?, read_file(after)?);
    let names = [before, after].map(|path| path.display().to_string());
    let (one, two) = (Predictions::before(&names[0], &one), Predictions::after(&names[1], &two));
    let rows = read(one, two).map_err(RetrainError::from)?;
    let metrics = asked.metrics.as_deref().map(read_metrics).transpose()?.unwrap_or_default();
    let mut lines = ask(gate, &rows, None)?;
    if !gate.must.is_empty() {
        let known = workspace.map(Workspace::known_cases).transpose()?;
        lines.extend(must_lines(gate, path, asked, &rows, known)?);
    }
    lines.extend(metric_lines(gate, &metrics));
    let decision = Decision::of(gate, lines);
    let has_texts = has_texts(&rows);
    Ok(Gated {
        gate: gate.name.clone(),
        run: None,
        decision,
        leak: Vec::new(),
        churn: None,
        has_texts,
        old_unread: 0,
    })
}

/// What stands of a run by all that was decided.
pub fn standing_now<'g>(gates: &'g [KnownGate], run: &str) -> Option<&'g KnownGate> {
    standing(gates, run, Moment(i64::MAX))
}

/// What stands of a run at a moment: of each gate that was asked the latest decision, and of those the
/// one that says least for it. Whoever asks an easier gate after one that failed has not passed that.
pub fn standing<'g>(gates: &'g [KnownGate], run: &str, at: Moment) -> Option<&'g KnownGate> {
    let mut latest: BTreeMap<Hash, &KnownGate> = BTreeMap::new();
    for gate in gates.iter().filter(|gate| gate.decided.run == run && gate.at <= at) {
        let known = latest.entry(gate.decided.hash).or_insert(gate);
        if (known.at, known.event) < (gate.at, gate.event) {
            *known = gate;
        }
    }
    let against = |gate: &KnownGate| match (gate.decided.verdict, gate.waived_by(at)) {
        (Verdict::Fail, false) => 4,
        (Verdict::Fail, true) => 3,
        (Verdict::CannotTell, false) => 2,
        (Verdict::CannotTell, true) => 1,
        (Verdict::Pass, _) => 0,
    };
    latest.into_values().max_by_key(|gate| (against(gate), gate.at, gate.event))
}

fn has_texts(rows: &[Compared]) -> bool {
    rows.iter().any(|row| row.keys.get("text").is_some_and(Value::is_string))
}

/// Refuses a slice or category that no row has and that is likely another one, misspelled; of others
/// it can't be told whether they are, since none of their rows may have come.
fn check_names(gate: &GateFile, rows: &[Compared]) -> Result<(), RetrainError> {
    let slices = rows.iter().flat_map(|row| row.slices.iter().map(String::as_str)).collect();
    let categories = rows.iter().filter_map(|row| row.keys.get("category")?.as_str()).collect();
    let fixes = gate.fix.iter().map(|fix| &fix.rows);
    for rows in fixes.chain(gate.keep.iter().map(|keep| &keep.rows)) {
        if let Some(slice) = rows.slice.as_deref().filter(|name| !["all", "*"].contains(name)) {
            check_name("in the slice", slice, &slices)?;
        }
        if let Some(category) = &rows.category {
            check_name("of the category", category, &categories)?;
        }
    }
    Ok(())
}

fn check_name(what: &str, name: &str, known: &BTreeSet<&str>) -> Result<(), RetrainError> {
    if known.contains(name) {
        return Ok(());
    }
    let near = known.iter().map(|known| (strsim::osa_distance(name, known), *known)).min();
    match near.filter(|(edits, near)| *edits <= near.len() / 3) {
        Some((_, near)) => {
            let names: Vec<&str> = known.iter().copied().collect();
            Err(RetrainError::Wrong(format!(
                "no row is {what} `{name}`. Did you mean `{near}`? There are {}",
                names.join(", ")
            )))
        }
        None => Ok(()),
    }
}

/// Rules run on a stack of their own.
fn ask(gate: &GateFile, rows: &[Compared], churn: Option<f64>) -> Result<Vec<Line>, WorkError> {
    check_names(gate, rows)?;
    let asked = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, || decide(gate, rows, churn));
        thread.ok().and_then(|thread| thread.join().ok())
    });
    match asked {
        Some(lines) => Ok(lines?),
        None => Err(RetrainError::Wrong("the gate's rules can't be asked".to_owned()).into()),
    }
}

fn metric_lines(gate: &GateFile, metrics: &BTreeMap<String, f64>) -> Vec<Line> {
    let line = |metric: &crate::retrain::gate::Metric| {
        let Some(value) = metrics.get(&metric.name).copied() else {
            let known: Vec<&str> = metrics.keys().take(8).map(String::as_str).collect();
            let known = if known.is_empty() {
                "no metrics were given".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            return Line::plain("metric", &metric.name, Verdict::CannotTell, known);
        };
        let over = metric.most.filter(|most| value > *most);
        let under = metric.least.filter(|least| value < *least);
        let (verdict, why) = match (over, under) {
            (Some(most), _) => (Verdict::Fail, format!("{value} is more than {most}")),
            (_, Some(least)) => (Verdict::Fail, format!("{value} is less than {least}")),
            (None, None) => (Verdict::Pass, format!("{value}")),
        };
        Line { after: Some(value), ..Line::plain("metric", &metric.name, verdict, why) }
    };
    gate.metric.iter().map(line).collect()
}

/// Cases of the workspace whose right label is known.
pub struct KnownCases {
    /// By `gold`, `precedents` and `rulings`: case, the stream's id, text, right label.
    by_kind: BTreeMap<&'static str, Vec<RightCase>>,
}

#[derive(Clone)]
struct RightCase {
    case: Option<CaseId>,
    id: String,
    text: String,
    label: String,
}

const KINDS: &[&str] = &["gold", "precedents", "rulings"];

/// Whether a gate asks for cases of the workspace.
pub fn asks_cases(gate: &GateFile) -> bool {
    gate.must.iter().any(|must| KINDS.contains(&must.cases.as_str()))
}

#[derive(Deserialize)]
struct CaseRow {
    case: String,
    prediction: Option<String>,
}

/// What the model says of cases: by case, by the stream's id.
fn case_predictions(path: &Path) -> Result<HashMap<String, String>, WorkError> {
    let text = read_file(path)?;
    let failed = |line: usize, message: String| {
        let path = path.display().to_string();
        WorkError::from(RetrainError::Line { path, line, message })
    };
    let mut said = HashMap::new();
    if text.trim_start().starts_with('{') {
        for (line, json) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let row: CaseRow =
                serde_json::from_str(json).map_err(|error| failed(line, error.to_string()))?;
            said.insert(row.case, row.prediction.unwrap_or_default());
        }
        return Ok(said);
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for (line, row) in (2..).zip(reader.deserialize::<CaseRow>()) {
        let row = row.map_err(|error| failed(line, error.to_string()))?;
        said.insert(row.case, row.prediction.unwrap_or_default());
    }
    Ok(said)
}

fn must_lines(
    gate: &GateFile,
    path: &Path,
    asked: &Asked,
    rows: &[Compared],
    known: Option<KnownCases>,
) -> Result<Vec<Line>, WorkError> {
    let said = asked.cases.as_deref().map(case_predictions).transpose()?.unwrap_or_default();
    let by_text: HashMap<String, &Compared> = rows
        .iter()
        .filter_map(|row| Some((normal(row.keys.get("text")?.as_str()?), row)))
        .collect();
    let mut lines = Vec::new();
    for must in &gate.must {
        let cases = match (&known, KINDS.iter().find(|kind| **kind == must.cases)) {
            (Some(known), Some(kind)) => known.by_kind.get(kind).cloned().unwrap_or_default(),
            _ => {
                let file = path.parent().unwrap_or(Path::new("")).join(&must.cases);
                let right = |canary: Canary| RightCase {
                    case: None,
                    id: canary.id,
                    text: canary.text,
                    label: canary.expect,
                };
                read_canaries(&file)?.into_iter().map(right).collect()
            }
        };
        if must.cases == "gold"
            && cases.iter().any(|case| by_text.contains_key(&normal(&case.text)))
        {
            return Err(RetrainError::Wrong(
                "gold cases are in the evaluation file: a model that is measured on both is measured once".to_owned(),
            )
            .into());
        }
        lines.push(must_line(&must.cases, &cases, &said, &by_text));
    }
    Ok(lines)
}

fn must_line(
    name: &str,
    cases: &[RightCase],
    said: &HashMap<String, String>,
    by_text: &HashMap<String, &Compared>,
) -> Line {
    let mut told = 0;
    let mut wrong = Vec::new();
    for case in cases {
        let by_case = case.case.and_then(|id| said.get(&id.to_string()));
        let by_id = || said.get(&case.id);
        let by_row = || by_text.get(&normal(&case.text)).map(|row| &row.after);
        let Some(prediction) = by_case.or_else(by_id).or_else(by_row) else { continue };
        told += 1;
        if *prediction != case.label {
            wrong.push(format!("{} ({} for {})", case.id, prediction, case.label));
        }
    }
    let n = cases.len() as u64;
    let (verdict, why) = if cases.is_empty() {
        (Verdict::CannotTell, "there are none".to_owned())
    } else if !wrong.is_empty() {
        (Verdict::Fail, format!("{} of {n} are wrong", wrong.len()))
    } else if told < cases.len() {
        let lacking = cases.len() - told;
        (
            Verdict::CannotTell,
            format!("of {lacking} the model said nothing: give what it says by --cases FILE"),
        )
    } else {
        (Verdict::Pass, "each is right".to_owned())
    };
    wrong.truncate(20);
    Line { n, wrong, ..Line::plain("must", name, verdict, why) }
}

impl Workspace {
    /// The cases whose right label is known. Leads and engineers alone: gold measures reviewers.
    fn known_cases(&self) -> Result<KnownCases, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer], "lead or engineer")?;
        let conn = &self.db.conn;
        let gold: BTreeMap<CaseId, String> = crate::review::gold::all(conn)?
            .into_iter()
            .filter_map(|gold| Some((gold.case, training_label(&gold.outcome)?)))
            .collect();
        let mut by_kind: BTreeMap<&'static str, Vec<RightCase>> = BTreeMap::new();
        case::for_each(conn, |row| {
            let right = |label: String| RightCase {
                case: Some(row.id),
                id: row.external_id.clone(),
                text: row.text.clone(),
                label,
            };
            if let Some(label) = gold.get(&row.id) {
                by_kind.entry("gold").or_default().push(right(label.clone()));
            }
            if row.state != CaseState::Resolved {
                return;
            }
            let Some(label) = row.outcome.as_ref().and_then(training_label) else { return };
            by_kind.entry("precedents").or_default().push(right(label.clone()));
            if row.how == Some(How::Ruling) {
                by_kind.entry("rulings").or_default().push(right(label));
            }
        })?;
        Ok(KnownCases { by_kind })
    }

    /// Every decision about runs, the latest first.
    pub fn gates(&self) -> Result<Vec<KnownGate>, WorkError> {
        let mut waivers: Vec<(Hash, Waived)> = Vec::new();
        for row in document::of_kind(&self.db.conn, "gate waived")? {
            let Ok(event) = serde_json::from_str::<GateWaived>(&row.body) else { continue };
            let waived = Waived {
                run: event.run,
                gate: String::new(),
                reason: event.reason,
                author: row.author,
                at: row.at.moment(),
                event: row.event,
            };
            waivers.push((event.gate, waived));
        }
        let known = |row: document::DocumentRow| {
            let event: GateDecided = serde_json::from_str(&row.body).ok()?;
            let waived =
                waivers.iter().find(|(gate, one)| *gate == event.hash && one.run == event.run);
            let waived = waived.map(|(_, one)| Waived { gate: event.gate.clone(), ..one.clone() });
            let verdict = serde_json::from_value(Value::from(event.verdict)).ok()?;
            let lines =
                event.lines.into_iter().filter_map(|line| serde_json::from_value(line).ok());
            let (run, gate, hash, lines) = (event.run, event.gate, event.hash, lines.collect());
            let decided = Decided { run, gate, hash, verdict, lines };
            Some(KnownGate {
                decided,
                at: row.at.moment(),
                author: row.author,
                event: row.event,
                waived,
            })
        };
        Ok(document::of_kind(&self.db.conn, "gate")?.into_iter().filter_map(known).collect())
    }

    /// What stands of a run by the gates that were asked.
    pub fn gate_of(&self, run: &str) -> Result<Option<KnownGate>, WorkError> {
        Ok(standing_now(&self.gates()?, run).cloned())
    }

    /// Asks a gate about a recorded run, and records what it says.
    pub fn gate_run(
        &mut self,
        gate: &GateFile,
        path: &Path,
        run: &str,
        asked: &Asked,
    ) -> Result<Gated, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        let known = self.find_run(run)?;
        if !matches!(known.run.state.as_str(), "done" | "recorded") {
            return Err(RetrainError::Wrong(format!(
                "run {} is {}, and a gate is asked about one that is done",
                known.short(),
                known.run.state
            ))
            .into());
        }
        let Some(after) = self.run_predictions(&known)? else {
            return Err(RetrainError::Wrong(format!(
                "run {} has no predictions to compare",
                known.short()
            ))
            .into());
        };
        let own = format!("run {}", known.short());
        let before = match &asked.before {
            Some(path) => (path.display().to_string(), read_file(path)?),
            // The run's own file may have what was said before.
            None => (own.clone(), after.clone()),
        };
        let one = Predictions::before(&before.0, &before.1);
        if asked.before.is_none() && !one.has_own_column() {
            return Err(RetrainError::Wrong(format!(
                "the predictions of run {} have no column `before`: give what the model in force says by --before FILE",
                known.short()
            ))
            .into());
        }
        let rows = read(one, Predictions::after(&own, &after)).map_err(RetrainError::from)?;
        let mut metrics = known.run.metrics.clone();
        if let Some(path) = &asked.metrics {
            metrics.extend(read_metrics(path)?);
        }
        let churn = known.run.churn;
        let mut lines = ask(gate, &rows, churn)?;
        if !gate.must.is_empty() {
            lines.extend(must_lines(gate, path, asked, &rows, Some(self.known_cases()?))?);
        }
        lines.extend(metric_lines(gate, &metrics));
        let (leak, old_unread) = self.leaks_of(&known, &rows, (path, asked.cut.as_deref()))?;
        let mut decision = Decision::of(gate, lines);
        if !leak.is_empty() || !known.run.tainted.is_empty() {
            decision.verdict = Verdict::Fail;
        }
        if !known.run.tainted.is_empty() {
            let why = format!("inputs changed while it ran: {}", known.run.tainted.join(", "));
            decision.lines.push(Line::plain("run", "inputs", Verdict::Fail, why));
        }
        let gated = Gated {
            gate: gate.name.clone(),
            run: Some(known.run.run.clone()),
            decision,
            leak,
            churn,
            has_texts: has_texts(&rows),
            old_unread,
        };
        let lines =
            gated.decision.lines.iter().map(|line| serde_json::to_value(line).unwrap_or_default());
        let event = GateDecided {
            run: known.run.run.clone(),
            gate: gate.name.clone(),
            hash: gate.hash(),
            text: gate.source.clone(),
            verdict: serde_json::to_value(gated.decision.verdict)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned))
                .unwrap_or_default(),
            lines: lines.collect(),
            leak: gated.leak.clone(),
            churn,
        };
        self.append(vec![Append::new(&event)])?;
        Ok(gated)
    }

    /// Rows of the evaluation that are in the training part of a run's cut, or nearly: where the
    /// predictions have their texts. And of how many old rows that can't be told.
    fn leaks_of(
        &mut self,
        run: &KnownRun,
        rows: &[Compared],
        (gate, place): (&Path, Option<&Path>),
    ) -> Result<(Vec<String>, usize), WorkError> {
        let (texts, names): (Vec<String>, Vec<&str>) = rows
            .iter()
            .filter_map(|row| Some((row.keys.get("text")?.as_str()?.to_owned(), row.row.as_str())))
            .unzip();
        let Some(cut) = run.run.cut else { return Ok((Vec::new(), 0)) };
        let cut = self.find_cut(&cut.to_string())?;
        let members = self.membership(&cut)?;
        let mut cases = Vec::new();
        let mut own = Vec::new();
        // Rows that are called as those of the cut are.
        let called: HashSet<&str> = rows.iter().map(|row| row.row.as_str()).collect();
        let mut leaks = BTreeSet::new();
        let mut old = HashSet::new();
        for member in members.iter().filter(|one| one.part.as_str() == "train") {
            let row = hex(&member.row);
            if called.contains(row.as_str()) {
                leaks.insert(format!("row {row} is a row of the cut"));
            }
            let Some(id) = member.case.filter(|_| !texts.is_empty()) else {
                old.insert(member.row);
                continue;
            };
            let Some(row) = case::by_id(&self.db.conn, id)? else { continue };
            own.push(whole_text(&self.db.conn, &mut self.unpacker, &row)?);
            cases.push(row.external_id);
        }
        // Of old rows that were mixed in only their ids are kept, of their texts and labels; the texts stand
        // in the files of the cut.
        let mut exact = BTreeSet::new();
        for row in rows {
            let text = row.keys.get("text").and_then(Value::as_str);
            if text.is_some_and(|text| old.contains(&row_id(text, &row.label, None))) {
                leaks.insert(format!("row {} is an old row that was mixed into the cut", row.row));
                exact.insert(row.row.as_str());
            }
        }
        let beside = gate.parent().unwrap_or(Path::new(""));
        let mut old_unread = 0;
        if !old.is_empty() && !texts.is_empty() {
            match directory_of(&cut, place, beside)? {
                Some(directory) => {
                    let (ids, of_old): (Vec<String>, Vec<String>) =
                        old_rows_in(&directory)?.into_iter().unzip();
                    let pairs = pairs_across(&texts, &of_old, LEAK_NEAR);
                    let near = pairs.iter().filter(|pair| !exact.contains(names[pair.a]));
                    leaks.extend(near.map(|pair| {
                        format!(
                            "row {} is the old row {} that was mixed into the cut ({:.2})",
                            names[pair.a], ids[pair.b], pair.jaccard
                        )
                    }));
                }
                None => old_unread = old.len(),
            }
        }
        let pairs = pairs_across(&texts, &own, LEAK_NEAR);
        leaks.extend(pairs.iter().map(|pair| {
            format!(
                "row {} is case {} of the cut ({:.2})",
                names[pair.a], cases[pair.b], pair.jaccard
            )
        }));
        let more = leaks.len().saturating_sub(LEAKS_MAX);
        while leaks.len() > LEAKS_MAX {
            leaks.pop_last();
        }
        let mut leaks: Vec<String> = leaks.into_iter().collect();
        if more > 0 {
            leaks.push(format!("and {more} more"));
        }
        Ok((leaks, old_unread))
    }

    /// Lets a run pass that its gate did not.
    pub fn waive_gate(&mut self, run: &str, reason: &str) -> Result<Waived, WorkError> {
        let known = self.find_run(run)?;
        let Some(gate) = self.gate_of(&known.run.run)? else {
            return Err(RetrainError::Wrong(format!(
                "no gate was asked about run {}",
                known.short()
            ))
            .into());
        };
        let name = &gate.decided.gate;
        if gate.decided.verdict == Verdict::Pass {
            let words = format!("the gate {name} lets it pass: there is nothing to waive");
            return Err(RetrainError::Wrong(words).into());
        }
        if let Some(waived) = &gate.waived {
            let words = format!(
                "{} let it pass already what the gate {name} did not: {}",
                waived.author, waived.reason
            );
            return Err(RetrainError::Wrong(words).into());
        }
        if reason.trim().is_empty() {
            return Err(RetrainError::Wrong("a waiver says why: --reason".to_owned()).into());
        }
        let (run, gate_name) = (known.run.run.clone(), gate.decided.gate.clone());
        let event =
            GateWaived { run: run.clone(), gate: gate.decided.hash, reason: reason.to_owned() };
        let appended = self.append(vec![Append::new(&event)])?;
        let (reason, author, at) = (reason.to_owned(), self.me.clone(), self.now());
        Ok(Waived { run, gate: gate_name, reason, author, at, event: appended.event() })
    }
}

/// Texts of an evaluation are the same as those of a cut from this overlap on.
const LEAK_NEAR: f64 = 0.8;
/// Leaks that are named.
const LEAKS_MAX: usize = 20;
