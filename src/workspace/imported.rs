//! Labels of other programs: cases that come with them are opened, and what each person said is walked
//! through the protocol of its stream.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::cases::IngestRequest;
use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::named::{Named, Reading, named};
use crate::db::case::{CaseRow, TEXT_CHARS_MAX};
use crate::db::{arbitration, case, label};
use crate::domain::arbitration::{Act, Cause, Done, Ruling};
use crate::domain::ids::CaseId;
use crate::domain::label::{
    Label, MAIN_ROUND, Outcome, ProtocolRef, Step, round_of_pass, that_count_in,
};
use crate::domain::protocol::{Places, Protocol, QuestionKind, Span};
use crate::domain::roster::{Role, is_name};
use crate::domain::time::Moment;
use crate::domain::training::Gold;
use crate::format::foreign::{Foreign, Loss, Said};
use crate::format::kind::label_studio::EVIDENCE;
use crate::format::times::{Times, Zone};
use crate::intake::answered::solve;
use crate::intake::labels::{Context, ForeignSummary, ImportSummary, admitted, within};
use crate::journal::Append;
use crate::journal::chain;
use crate::journal::kind::{CaseRuled, GoldSet, LabelGiven};

/// Bytes of what nothing maps that are kept with a label.
const EXTRA_BYTES_MAX: usize = 64 << 10;
/// Labels of one entry.
const BATCH: usize = 1_000;

/// Lines of cases that are opened, or why one can't be, by id.
type Opening = BTreeMap<String, Result<String, String>>;

/// How labels of other programs are taken in.
#[derive(Debug, Default)]
pub struct ForeignRequest {
    /// What the format is called.
    pub format: String,
    /// Names elsewhere, and here.
    pub reviewers: BTreeMap<String, String>,
    /// Who said what names nobody.
    pub reviewer: Option<String>,
    /// Whether cases that are not here are opened from the same records.
    pub open: bool,
    /// Whether what is marked as right becomes a known answer.
    pub gold: bool,
    /// Whether what a review of labels decided becomes a ruling.
    pub rulings: bool,
    pub dry_run: bool,
    pub times: Times,
}

impl ForeignRequest {
    /// The name here of somebody elsewhere: as the list says, else what stands before the `@`.
    fn name_of(&self, foreign: Option<&str>) -> Result<String, String> {
        let Some(foreign) = foreign.filter(|name| !name.is_empty()) else {
            return self
                .reviewer
                .clone()
                .ok_or_else(|| "it does not say who said it: --reviewer NAME does".to_owned());
        };
        if let Some(name) = self.reviewers.get(foreign) {
            return Ok(name.clone());
        }
        let name = foreign.split('@').next().unwrap_or_default();
        if is_name(name) {
            Ok(name.to_owned())
        } else {
            Err(format!(
                "`{foreign}` is no name here: --reviewers FILE.csv names them (foreign,name)"
            ))
        }
    }
}

impl ForeignRequest {
    /// When something was said, if that stands there.
    fn given_at(&self, foreign: &Foreign, now: Moment) -> Result<Option<Moment>, String> {
        let Some(at) = &foreign.at else { return Ok(None) };
        // A time of a program's own clock that says no zone is UTC.
        let zone = self.times.zone.or(Some(Zone::UTC));
        let times = Times { zone, ..self.times.clone() };
        let text = times.read(Some(at)).map_err(|reject| reject.to_string())?;
        let at = Moment::parse(&text).ok_or("its time can't be read")?;
        if at > now {
            return Err(format!("`{text}` is in the future"));
        }
        Ok(Some(at))
    }
}

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
            summary.reject(summary.read, &format!("{place}: {why}"));
        }
        let mut opening = BTreeMap::new();
        if request.open {
            let (lines, unread) = self.lines_to_open(said, request)?;
            if request.dry_run {
                more.opened = lines.len() as u64;
            } else if !lines.is_empty() {
                let text: String = lines.values().map(|line| format!("{line}\n")).collect();
                let all = IngestRequest {
                    rules: vec!["true".to_owned()],
                    names: vec!["imported".to_owned()],
                    neighbours: Some(0),
                    piece: true,
                    ..IngestRequest::default()
                };
                let opened = self.ingest(text.as_bytes(), &all, stop, |_| {})?;
                more.opened = opened.opened;
            }
            opening = unread;
            opening.extend(lines.into_iter().map(|(id, line)| (id, Ok(line))));
        }
        self.take_in_foreign(said, request, &opening, &mut summary, &mut more)?;
        summary.foreign = Some(more);
        Ok(summary)
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
            match request.times.read(line.get("occurred_at")) {
                Ok(at) => {
                    line.insert("occurred_at".to_owned(), Value::from(at));
                    lines.insert(id.clone(), Value::Object(line).to_string());
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
        let mut decisions: Vec<(u64, &Foreign)> = Vec::new();
        for foreign in said {
            if foreign.ruling && !request.rulings {
                more.ruled_left += 1;
                continue;
            }
            summary.read += 1;
            let number = summary.read;
            if foreign.ruling {
                decisions.push((number, foreign));
                continue;
            }
            match one(&context, foreign, request, known, &mut names, &mut passes, more) {
                Err(why) => summary.reject(number, &format!("{}: {why}", foreign.place)),
                Ok(One::Known) => summary.duplicate += 1,
                // A case that a dry run would open.
                Ok(One::Would) => summary.imported += 1,
                Ok(One::Gold(gold)) => {
                    more.gold += 1;
                    summary.imported += 1;
                    batch.push(Append::new(&GoldSet { gold, dropped: false }));
                }
                Ok(One::Label(label)) => {
                    let key = (
                        label.case,
                        label.reviewer.clone(),
                        label.round.clone(),
                        label.given_at,
                        label.path.clone(),
                    );
                    if in_batch.insert(key) {
                        summary.imported += 1;
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
        let mut rulings = BTreeMap::new();
        for (number, foreign) in decisions {
            match ruling_of(&context, foreign, request, known, more) {
                Err(why) => summary.reject(number, &format!("{}: {why}", foreign.place)),
                Ok(Decided::Known) => summary.duplicate += 1,
                Ok(Decided::Would(id)) => count_ruling(&mut rulings, id, None, summary),
                Ok(Decided::Ruling(id, ruling)) => {
                    count_ruling(&mut rulings, id, Some(ruling), summary);
                }
            }
        }
        more.ruled = rulings.len() as u64;
        if request.dry_run {
            return Ok(()); // nothing was written
        }
        let rulings: Vec<Append> = rulings
            .into_values()
            .flatten()
            .map(|ruling| Append::new(&CaseRuled(*ruling)))
            .collect();
        let mut rulings = rulings.into_iter().peekable();
        while rulings.peek().is_some() {
            let batch = rulings.by_ref().take(BATCH).collect();
            writer.append(&self.me, batch, clock::now())?;
        }
        writer.finish()?;
        tx.commit()?;
        Ok(())
    }
}

/// The case here that something was said of: by its id, or by what its file is called, if it has the
/// same text.
fn case_of(conn: &Connection, foreign: &Foreign) -> rusqlite::Result<Named> {
    let by_name = |name: &Option<String>| match name {
        Some(name) => named(conn, name, Reading::Whole),
        None => Ok(Named::None),
    };
    let found = by_name(&foreign.id)?;
    if !matches!(found, Named::None) {
        return Ok(found);
    }
    let text = foreign.text.as_deref().unwrap_or_default();
    let same = |row: &CaseRow| text.chars().take(TEXT_CHARS_MAX).eq(row.text.chars());
    let mut called = match by_name(&foreign.called)? {
        Named::One(case) => vec![*case],
        Named::Several(cases) => cases,
        Named::None => Vec::new(),
    };
    called.retain(same);
    Ok(match called.len() {
        0 => Named::None,
        1 => called.pop().map_or(Named::None, |case| Named::One(Box::new(case))),
        _ => Named::Several(called),
    })
}

/// What became of one.
enum One {
    Known,
    Would,
    Gold(Gold),
    Label(Box<Label>),
}

/// What became of a decision.
enum Decided {
    Known,
    /// A ruling on a case that a dry run would open.
    Would(String),
    Ruling(String, Box<Ruling>),
}

/// Keeps one ruling a case, the last that the files hold.
fn count_ruling(
    rulings: &mut BTreeMap<String, Option<Box<Ruling>>>,
    id: String,
    ruling: Option<Box<Ruling>>,
    summary: &mut ImportSummary,
) {
    match rulings.insert(id, ruling) {
        Some(_) => summary.duplicate += 1,
        None => summary.imported += 1,
    }
}

/// An answer walked through the protocol of its case.
struct AnsweredHere<'f> {
    id: &'f str,
    /// None: a dry run would open it.
    case: Option<CaseId>,
    protocol: ProtocolRef,
    path: Vec<Step>,
    outcome: Outcome,
    evidence: Vec<Span>,
    extra: Map<String, Value>,
}

fn answered_here<'p, 'f, F>(
    context: &Context<'_, F>,
    foreign: &'f Foreign,
    request: &ForeignRequest,
    (opening, traces): (&Opening, &HashMap<String, CaseId>),
    more: &mut ForeignSummary,
) -> Result<AnsweredHere<'f>, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let id = foreign.id.as_deref().ok_or("it names no case")?;
    let mut found = case_of(context.conn, foreign).map_err(|error| error.to_string())?;
    if let (Named::None, Some(case)) = (&found, traces.get(id)) {
        let case = case::by_id(context.conn, *case).map_err(|error| error.to_string())?;
        found = case.map_or(Named::None, |case| Named::One(Box::new(case)));
    }
    let mut row = None;
    let (case, stream, predicted) = match (found, opening.get(id)) {
        (Named::One(case), _) => {
            let (id, stream, predicted) = (case.id, case.stream.clone(), case.predicted.clone());
            row = Some(case);
            (Some(id), stream, predicted)
        }
        (Named::Several(_), _) => {
            return Err(format!("`{id}` is a case of several streams: name it by its full id"));
        }
        (Named::None, Some(Err(why))) => return Err(format!("case `{id}` can't be opened: {why}")),
        (Named::None, Some(Ok(line))) => {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let stream = text(&line["stream"]).unwrap_or_else(|| "default".to_owned());
            (None, stream, text(&line["prediction"]["label"]))
        }
        (Named::None, None) => {
            let hint = if foreign.line.is_empty() || request.open {
                ""
            } else {
                ": --open opens it from the same record"
            };
            return Err(format!("no case `{id}` here{hint}"));
        }
    };
    let (protocol, reference) =
        (context.protocol)(&stream).ok_or("no protocol is published for this stream")?;
    // Places that bear a label out answer no question.
    let is_evidence =
        |(name, said): &&(String, Said)| name == EVIDENCE && matches!(said, Said::Places(_));
    let evidence: Vec<Span> = foreign
        .said
        .iter()
        .filter(is_evidence)
        .flat_map(|(_, said)| match said {
            Said::Places(places) => {
                places.iter().map(|(from, to, _)| Span { start: *from, end: *to }).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    let said: Vec<(String, Said)> =
        foreign.said.iter().filter(|one| !is_evidence(one)).cloned().collect();
    let solved = solve(protocol, predicted.as_deref(), &said)?;
    row.map_or(Ok(()), |row| within(protocol, &solved.path, &row))?;
    let mut extra = foreign.extra.clone();
    for (name, said) in foreign.said.iter().filter(|(name, _)| solved.unused.contains(name)) {
        *more.lost.entry(format!("{name} (not asked)")).or_default() += 1;
        extra.insert(name.clone(), Value::from(format!("{said:?}")));
    }
    // Places of one name that touch or overlap are one here.
    let said: usize = said
        .iter()
        .map(|(_, said)| match said {
            Said::Places(places) => places.len(),
            _ => 0,
        })
        .sum();
    let of_spans = |id: &str| {
        protocol
            .question(id)
            .is_some_and(|question| matches!(question.kind, QuestionKind::Span { .. }))
    };
    let kept = solved
        .path
        .iter()
        .filter(|(id, _)| of_spans(id))
        .filter_map(|(_, answer)| Places::parse(answer));
    let kept: usize = kept.map(|places| places.len()).sum();
    if kept > 0 && kept < said {
        *more
            .lost
            .entry("places of one name that touch or overlap (made one)".to_owned())
            .or_default() += (said - kept) as u64;
    }
    if serde_json::to_string(&extra).map_or(0, |text| text.len()) > EXTRA_BYTES_MAX {
        *more.lost.entry("what nothing maps, over 64 KiB of a label".to_owned()).or_default() += 1;
        extra.clear();
    }
    let (path, outcome) = (solved.path, solved.outcome);
    Ok(AnsweredHere { id, case, protocol: reference.clone(), path, outcome, evidence, extra })
}

/// What a review decided, as a ruling; its reason says where it comes from, and so is it known again.
fn ruling_of<'p, F>(
    context: &Context<'_, F>,
    foreign: &Foreign,
    request: &ForeignRequest,
    known: (&Opening, &HashMap<String, CaseId>),
    more: &mut ForeignSummary,
) -> Result<Decided, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let AnsweredHere { id, case, protocol, path, outcome, .. } =
        answered_here(context, foreign, request, known, more)?;
    let Some(case) = case else { return Ok(Decided::Would(id.to_owned())) };
    let by = request.name_of(foreign.reviewer.as_deref())?;
    let mut rationale = format!("decided in a review in {} by {by}", request.format);
    if let Some(at) = request.given_at(foreign, context.now)? {
        rationale.push_str(&format!(", {}", at.rfc3339()));
    }
    if !foreign.rationale.trim().is_empty() {
        rationale.push_str(&format!(": {}", foreign.rationale.trim()));
    }
    let failed = |error: rusqlite::Error| error.to_string();
    let acts = arbitration::of_case(context.conn, case).map_err(failed)?;
    let same = |done: &Done| match &done.act {
        Act::Ruled(ruling) => ruling.rationale == rationale && ruling.outcome == outcome,
        _ => false,
    };
    // Whatever became of it here since.
    if acts.iter().any(same) {
        return Ok(Decided::Known);
    }
    let labels = label::live_of_case(context.conn, case).map_err(failed)?;
    let weighed = that_count_in(&labels, MAIN_ROUND);
    let takes = weighed.iter().find(|given| given.label.outcome == outcome);
    let ruling = Ruling {
        case,
        outcome,
        protocol: Some(protocol),
        path,
        takes: takes.map(|given| given.event),
        cause: Cause::Other,
        rationale,
        considered: weighed.iter().map(|given| given.event).collect(),
        change: None,
    };
    Ok(Decided::Ruling(id.to_owned(), Box::new(ruling)))
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
        let Some(case) = case else { return Ok(One::Would) };
        let why = foreign.rationale.clone();
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
    let Some(case) = case else { return Ok(One::Would) };
    // What the same person says of a case again is a repeat only where the times tell them apart.
    let pass = passes.entry((id.to_owned(), reviewer.clone())).or_insert(0);
    *pass += 1;
    let round = if given_at.is_some() { MAIN_ROUND.to_owned() } else { round_of_pass(*pass) };
    let label = Label {
        path,
        outcome,
        confidence: foreign.confidence,
        rationale: foreign.rationale.clone(),
        evidence,
        duration_ms: foreign.duration_ms,
        given_at,
        extra,
        ..Label::empty(case, &reviewer, &round, protocol)
    };
    Ok(admitted(context, label)?.map_or(One::Known, |label| One::Label(Box::new(label))))
}
