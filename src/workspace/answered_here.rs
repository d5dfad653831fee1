//! What was said elsewhere of a case that is here, or would be: which case it is, and the path that leads
//! to it.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::db::case::named::{Named, Reading, named};
use crate::db::case::{self, CaseRow, TEXT_CHARS_MAX};
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, ProtocolRef, Step};
use crate::domain::protocol::{Places, Protocol, QuestionKind, Span};
use crate::domain::roster::is_name;
use crate::domain::time::Moment;
use crate::format::foreign::{Foreign, Said};
use crate::format::kind::spans::EVIDENCE;
use crate::format::times::{Times, Zone};
use crate::intake::answered::{solve, unasked};
use crate::intake::labels::{Context, ForeignSummary, within};

/// Bytes of what nothing maps that are kept with a label.
const EXTRA_BYTES_MAX: usize = 64 << 10;
/// Lines of cases that are opened, or why one can't be, by id.
pub(super) type Opening = BTreeMap<String, Result<String, String>>;

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
    pub(super) fn name_of(&self, foreign: Option<&str>) -> Result<String, String> {
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

    /// When something was said, if that stands there.
    pub(super) fn given_at(
        &self,
        foreign: &Foreign,
        now: Moment,
    ) -> Result<Option<Moment>, String> {
        let Some(at) = &foreign.at else { return Ok(None) };
        // A time of a program's own clock that says no zone is UTC; in a table anybody may have
        // written it.
        let usual = (self.format != "csv").then_some(Zone::UTC);
        let zone = self.times.zone.or(usual);
        let times = Times { zone, ..self.times.clone() };
        let text = times.read(Some(at)).map_err(|reject| reject.to_string())?;
        let at = Moment::parse(&text).ok_or("its time can't be read")?;
        if at > now {
            return Err(format!("`{text}` is in the future"));
        }
        Ok(Some(at))
    }
}

/// The case here that something was said of: by its id, or by what its file is called, if it has the
/// same text.
pub(super) fn case_of(conn: &Connection, foreign: &Foreign) -> rusqlite::Result<Named> {
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

/// An answer walked through the protocol of its case.
pub(super) struct AnsweredHere<'f> {
    pub id: &'f str,
    /// None: a dry run would open it.
    pub case: Option<CaseId>,
    pub protocol: ProtocolRef,
    pub path: Vec<Step>,
    pub outcome: Outcome,
    pub evidence: Vec<Span>,
    pub extra: Map<String, Value>,
}

pub(super) fn answered_here<'p, 'f, F>(
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
            let hint = match (foreign.line.is_empty(), request.open) {
                (true, true) => ", and its record has no text to open it with",
                (true, false) => "",
                (false, _) => ": --open opens it from the same record",
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
    let solved = solve(protocol, predicted.as_deref(), &said, &foreign.path)?;
    row.map_or(Ok(()), |row| within(protocol, &solved.path, &row))?;
    if !said.is_empty() && said.iter().all(|(name, _)| solved.unused.contains(name)) {
        let names: Vec<&str> = said.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!("`{}` asks for nothing of it: {}", protocol.id, names.join(", ")));
    }
    let unasked = unasked(protocol, &said);
    for (name, n) in &unasked {
        let what = format!("places called {name} (not asked)");
        *more.lost.entry(what).or_default() += *n as u64;
    }
    let mut extra = foreign.extra.clone();
    for (name, said) in foreign.said.iter().filter(|(name, _)| solved.unused.contains(name)) {
        *more.lost.entry(format!("{name} (not asked)")).or_default() += 1;
        extra.insert(name.clone(), said.value());
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
    let said = said - unasked.values().sum::<usize>();
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
