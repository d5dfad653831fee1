//! Labels of other programs: cases that come with them are opened, and what each person said is walked
//! through the protocol of its stream.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answered_here::{AnsweredHere, ForeignRequest, Opening, answered_here, case_of};
use super::cases::IngestRequest;
use super::decided::rulings;
use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case;
use crate::db::case::named::{Named, Reading, named};
use crate::domain::ids::CaseId;
use crate::domain::label::{Label, MAIN_ROUND, ProtocolRef, Step, round_of_pass};
use crate::domain::prediction::Row;
use crate::domain::protocol::Protocol;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::training::Gold;
use crate::domain::written;
use crate::format::foreign::{Foreign, Loss};
use crate::intake::labels::{Context, ForeignSummary, ImportSummary, admitted};
use crate::journal::Append;
use crate::journal::blob::{self, Unpacker};
use crate::journal::chain;
use crate::journal::kind::{CaseRuled, GoldSet, LabelGiven};
use crate::review::gold;

/// Labels of one entry.
const BATCH: usize = 1_000;

impl Workspace {
    /// Takes in what people said elsewhere.
    ///
    /// # Errors
    /// Those of reading and writing; a label that can't be taken in is a rejected line.
    pub fn import_foreign(
        &mut self,
        said: &[Foreign],
        loss: Loss,
        request: &ForeignRequest,
        stop: &AtomicBool,
    ) -> Result<ImportSummary, WorkError> {
        self.ready_to_write()?;
        if request.rulings {
            self.needs_role(&[Role::Lead], "lead")?;
        }
        let mut summary = ImportSummary::default();
        let mut more = ForeignSummary {
            format: request.format.clone(),
            cases: loss.cases,
            skipped: loss.skipped,
            drafts: loss.drafts,
            by_machine: loss.by_machine,
            lost: loss.lost,
            ..ForeignSummary::default()
        };
        for (place, why) in loss.rejects {
            summary.read += 1;
            summary.reject_at(&place, &why);
        }
        let mut opening = BTreeMap::new();
        if request.open {
            let (lines, unread) = self.lines_to_open(said, request)?;
            more.opened = match request.dry_run {
                true => lines.len() as u64,
                false => self.open_lines(lines.values(), stop)?,
            };
            opening = unread;
            opening.extend(lines.into_iter().map(|(id, line)| (id, Ok(line))));
        }
        self.take_in_foreign(said, request, &opening, &mut summary, &mut more)?;
        summary.foreign = Some(more);
        Ok(summary)
    }

    /// Opens a case for each line.
    fn open_lines<'l>(
        &mut self,
        lines: impl Iterator<Item = &'l String>,
        stop: &AtomicBool,
    ) -> Result<u64, WorkError> {
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        if text.is_empty() {
            return Ok(0);
        }
        let all = IngestRequest {
            rules: vec!["true".to_owned()],
            names: vec!["imported".to_owned()],
            neighbours: Some(0),
            piece: true,
            ..IngestRequest::default()
        };
        Ok(self.ingest(text.as_bytes(), &all, stop, |_| {})?.opened)
    }

    /// Opens the cases that are not here of rows that this program exported: each says what the model
    /// got and answered. Returns how many.
    ///
    /// # Errors
    /// Those of taking in cases.
    pub fn open_exported(&mut self, rows: &str, stop: &AtomicBool) -> Result<u64, WorkError> {
        const OF_LINE: [&str; 11] = [
            "id",
            "stream",
            "occurred_at",
            "trace_id",
            "span_id",
            "model",
            "input",
            "prediction",
            "challenger",
            "feature_importance",
            "latency_ms",
        ];
        let mut lines: BTreeMap<CaseId, String> = BTreeMap::new();
        for row in rows.lines() {
            // What is no row is told of when its label is read.
            let Ok(Value::Object(row)) = written::read(row) else { continue };
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let (Some(id), Some(_)) = (text("id"), text("occurred_at")) else { continue };
            let case = CaseId::of(text("stream").unwrap_or("default"), id);
            if lines.contains_key(&case) || case::exists(&self.db.conn, case)? {
                continue;
            }
            let mut line = Map::new();
            for name in OF_LINE {
                let value = row.get(name).filter(|value| !value.is_null());
                line.extend(value.map(|value| (name.to_owned(), value.clone())));
            }
            if let (None, Some(said)) = (line.get("input"), text("text")) {
                line.insert("input".to_owned(), json!({ "text": said }));
            }
            if line.contains_key("input") {
                lines.insert(case, Value::Object(line).to_string());
            }
        }
        self.open_lines(lines.values(), stop)
    }

    /// Lines of the cases that are not here, by id; and why some can't be opened.
    fn lines_to_open(
        &self,
        said: &[Foreign],
        request: &ForeignRequest,
    ) -> Result<(BTreeMap<String, String>, Opening), WorkError> {
        let (mut lines, mut unread) = (BTreeMap::new(), BTreeMap::new());
        for foreign in said {
            let Some(id) = &foreign.id else { continue };
            let here = !matches!(case_of(&self.db.conn, foreign)?, Named::None);
            if here || lines.contains_key(id) || foreign.line.is_empty() {
                continue;
            }
            let mut line = foreign.line.clone();
            if let Some(Value::Object(input)) = line.get_mut("input") {
                for (name, value) in &foreign.beside {
                    input.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            match request.times.read(line.get("occurred_at")) {
                Ok(at) => {
                    line.insert("occurred_at".to_owned(), Value::from(at));
                    let line = Value::Object(line).to_string();
                    // What can't be a case is told before anything is written.
                    match Row::parse(&line).map(|_| ()) {
                        Ok(()) => drop(lines.insert(id.clone(), line)),
                        Err(reject) => drop(unread.insert(id.clone(), Err(reject.to_string()))),
                    }
                }
                Err(reject) => drop(unread.insert(id.clone(), Err(reject.to_string()))),
            }
        }
        Ok((lines, unread))
    }

    /// Cases by their trace and their span, where labels name cases so.
    fn cases_of_traces(&self, said: &[Foreign]) -> Result<HashMap<String, CaseId>, WorkError> {
        for foreign in said.iter().filter(|foreign| foreign.line.is_empty()) {
            let Some(id) = &foreign.id else { continue };
            if matches!(named(&self.db.conn, id, Reading::Whole)?, Named::None) {
                return self.traces();
            }
        }
        Ok(HashMap::new())
    }

    fn take_in_foreign(
        &mut self,
        said: &[Foreign],
        request: &ForeignRequest,
        opening: &Opening,
        summary: &mut ImportSummary,
        more: &mut ForeignSummary,
    ) -> Result<(), WorkError> {
        let traces = self.cases_of_traces(said)?;
        let (protocols, sealed) = (self.protocols()?, self.hidden_rounds()?);
        let tx = self.db.begin()?;
        let protocol = |stream: &str| {
            protocols
                .for_stream(stream)
                .map(|published| (&published.protocol, &published.reference))
        };
        let (author, now) = (self.me.as_str(), clock::now());
        let context = Context { conn: &tx, sealed, protocol, author, now };
        let mut batch: Vec<Append> = Vec::new();
        let mut writer = chain::Writer::new(&tx, &self.key)?;
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut in_batch = BTreeSet::new();
        let mut passes: BTreeMap<(String, String), u64> = BTreeMap::new();
        let known = (opening, &traces);
        let mut unpacker = Unpacker::default();
        let mut decisions: Vec<&Foreign> = Vec::new();
        for foreign in said {
            if foreign.ruling && !request.rulings {
                more.ruled_left += 1;
                continue;
            }
            summary.read += 1;
            for name in not_here(&tx, &mut unpacker, foreign)? {
                *more.lost.entry(format!("{name} (the case is here without it)")).or_default() += 1;
            }
            if foreign.ruling {
                decisions.push(foreign);
                continue;
            }
            match one(&context, foreign, request, known, &mut names, &mut passes, more) {
                Err(why) => summary.reject_at(&foreign.place, &why),
                Ok(One::Known) => summary.duplicate += 1,
                // A case that a dry run would open.
                Ok(One::Would(key)) => match in_batch.insert(key.clone()) {
                    true => {
                        summary.imported += 1;
                        *more.reviewers.entry(key.1).or_default() += 1;
                    }
                    false => summary.duplicate += 1,
                },
                Ok(One::Gold(gold)) => {
                    more.gold += 1;
                    summary.imported += 1;
                    batch.push(Append::new(&GoldSet { gold, dropped: false }));
                }
                Ok(One::Label(label)) => {
                    let key = key_of(&label);
                    if in_batch.insert(key) {
                        summary.imported += 1;
                        *more.reviewers.entry(label.reviewer.clone()).or_default() += 1;
                        batch.push(Append::new(&LabelGiven(*label)));
                    } else {
                        summary.duplicate += 1;
                    }
                }
            }
            if batch.len() >= BATCH && !request.dry_run {
                writer.append(&self.me, std::mem::take(&mut batch), clock::now())?;
            }
        }
        if !request.dry_run && !batch.is_empty() {
            writer.append(&self.me, batch, clock::now())?;
        }
        // After the labels that they weighed.
        let rulings = rulings(&context, &decisions, request, known, (&mut *summary, &mut *more))?;
        if request.dry_run {
            return Ok(()); // nothing was written
        }
        for batch in rulings.chunks(BATCH) {
            let batch = batch.iter().map(|ruling| Append::new(&CaseRuled(ruling.clone())));
            writer.append(&self.me, batch.collect(), clock::now())?;
        }
        writer.finish()?;
        tx.commit()?;
        Ok(())
    }
}

/// By what a label is known again: its case, whose it is, of which round and when, and its path.
type Key = (String, String, String, Option<Moment>, Vec<Step>);

fn key_of(label: &Label) -> Key {
    let Label { case, reviewer, round, given_at, path, .. } = label;
    (case.to_string(), reviewer.clone(), round.clone(), *given_at, path.clone())
}

/// What a record says of its case beside the text that the case does not say here.
fn not_here<'f>(
    conn: &Connection,
    unpacker: &mut Unpacker,
    foreign: &'f Foreign,
) -> rusqlite::Result<Vec<&'f str>> {
    #[derive(Deserialize)]
    struct Kept {
        prediction: Line,
    }
    #[derive(Deserialize)]
    struct Line {
        input: Map<String, Value>,
    }
    if foreign.beside.is_empty() {
        return Ok(Vec::new());
    }
    let Named::One(case) = case_of(conn, foreign)? else { return Ok(Vec::new()) };
    // Of what was erased, nothing is missed.
    let Ok(json) = blob::read(conn, unpacker, case.event) else { return Ok(Vec::new()) };
    let Ok(kept) = serde_json::from_slice::<Kept>(&json) else { return Ok(Vec::new()) };
    let names = foreign.beside.keys().map(String::as_str);
    Ok(names.filter(|name| !kept.prediction.input.contains_key(*name)).collect())
}

/// What became of one.
enum One {
    Known,
    Would(Key),
    Gold(Gold),
    Label(Box<Label>),
}

fn one<'p, F>(
    context: &Context<'_, F>,
    foreign: &Foreign,
    request: &ForeignRequest,
    known: (&Opening, &HashMap<String, CaseId>),
    names: &mut BTreeMap<String, String>,
    passes: &mut BTreeMap<(String, String), u64>,
    more: &mut ForeignSummary,
) -> Result<One, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let AnsweredHere { id, case, protocol, path, outcome, evidence, extra } =
        answered_here(context, foreign, request, known, more)?;
    if request.gold && foreign.gold {
        let why = foreign.rationale.clone();
        let Some(case) = case else {
            return Ok(One::Would((id.to_owned(), String::new(), String::new(), None, path)));
        };
        let known = gold::of_case(context.conn, case).map_err(|error| error.to_string())?;
        if known.is_some_and(|known| known.path == path && known.outcome == outcome) {
            return Ok(One::Known);
        }
        return Ok(One::Gold(Gold { case, protocol, path, outcome, why }));
    }
    let reviewer = request.name_of(foreign.reviewer.as_deref())?;
    let as_named = foreign.reviewer.clone().unwrap_or_default();
    // Two people must not become one.
    match names.get(&reviewer) {
        Some(known) if *known != as_named => {
            return Err(format!(
                "`{as_named}` and `{known}` would both be {reviewer}: --reviewers FILE.csv tells them apart"
            ));
        }
        _ => drop(names.insert(reviewer.clone(), as_named)),
    }
    let given_at = request.given_at(foreign, context.now)?;
    // What the same person says of a case again is a repeat only where the times tell them apart.
    let pass = passes.entry((id.to_owned(), reviewer.clone())).or_insert(0);
    *pass += 1;
    let round = if given_at.is_some() { MAIN_ROUND.to_owned() } else { round_of_pass(*pass) };
    let Some(case) = case else {
        return Ok(One::Would((id.to_owned(), reviewer, round, given_at, path)));
    };
    let label = Label {
        path,
        outcome,
        confidence: foreign.confidence,
        rationale: foreign.rationale.clone(),
        tags: foreign.tags.clone(),
        checked: foreign.checked.clone(),
        evidence_in: foreign.evidence_in.clone(),
        evidence,
        duration_ms: foreign.duration_ms,
        after_others: foreign.after_others,
        given_at,
        extra,
        ..Label::empty(case, &reviewer, &round, protocol)
    };
    Ok(admitted(context, label)?.map_or(One::Known, |label| One::Label(Box::new(label))))
}
