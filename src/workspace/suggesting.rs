//! Labelers at work: programs that say how they would answer the questions of a case.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

use super::error::PluginError;
use super::{WorkError, Workspace};
use crate::db::case::{self, CaseRow};
use crate::db::to_json;
use crate::db::{erasure, suggestion};
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, Step};
use crate::domain::plugin::{OwnWords, PluginKind, Said, Suggested, Suggestion};
use crate::domain::protocol::typed::{self, Written};
use crate::domain::protocol::walk::settle;
use crate::domain::protocol::{self, Protocol, Question, QuestionKind, Walked, walk};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::blob::{self, Packer, Unpacker};
use crate::journal::kind::{LabelSuggested, encode};
use crate::plugin::host::Asked;
use crate::plugin::{Answer, Counts, Host};
use crate::review::gold;
use crate::review::protocols::{Protocols, Published};
use crate::review::suggested::{Measured, measured};

/// Cases that a labeler is asked about before what it said is kept.
const AT_ONCE: usize = 32;

/// Of which cases suggestions are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// These, if any are named, whatever they have.
    pub cases: Vec<String>,
    /// Else those that wait, and gold items, that were detected since and have none of it yet.
    pub since: Option<Moment>,
    pub limit: Option<usize>,
}

/// What came of asking a labeler.
#[derive(Debug, Clone, Default)]
pub struct Came {
    pub suggested: u64,
    pub abstained: u64,
    /// Cases whose input is not here, or which no protocol is for.
    pub left_out: u64,
    pub counts: Counts,
}

impl Workspace {
    /// Asks a labeler how it would label cases, and records what it says.
    ///
    /// # Errors
    /// It is not pinned, a case is not known, the role does not allow it.
    pub fn suggest(
        &mut self,
        name: &str,
        wanted: &Wanted,
        stop: &AtomicBool,
        mut progress: impl FnMut(&Came),
    ) -> Result<Came, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        let mut host = self.take_host(name, PluginKind::Labeler)?;
        let (sha256, pin) = (host.place().pin.sha256.clone(), host.place().pin.word());
        let mut came = Came::default();
        let went = (|| {
            let protocols = self.protocols()?;
            let mut packer = Packer::new(None)?;
            let cases = self.to_suggest(&protocols, name, &pin, wanted)?;
            for some in cases.chunks(AT_ONCE) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut asked = Vec::new();
                for row in some {
                    match self.asked_of(&protocols, &host, row)? {
                        Some(one) => asked.push((row, one)),
                        None => came.left_out += 1,
                    }
                }
                let bodies: Vec<Asked> = asked.iter().map(|(_, (_, one))| one.clone()).collect();
                let answers = host.ask(&bodies, &|| stop.load(Ordering::Relaxed));
                came.counts.add(host.take_counts());
                let version = host.hello().map(|hello| hello.version.clone()).unwrap_or_default();
                let mut events = Vec::new();
                for ((row, (published, _)), answer) in asked.iter().zip(answers) {
                    let Answer::Said(Said::Label(said)) = answer else { continue };
                    let (path, outcome, said) = match read(published, row, said) {
                        Ok(said) => said,
                        Err(why) => {
                            came.counts.not_understood(format!("{}: {why}", row.external_id));
                            continue;
                        }
                    };
                    match &said.abstains {
                        Some(_) => came.abstained += 1,
                        None => came.suggested += 1,
                    }
                    let own = OwnWords {
                        rationale: said.rationale,
                        abstains: said.abstains.clone().unwrap_or_default(),
                    };
                    let packed = match own.is_empty() {
                        true => None,
                        false => Some(packer.pack(to_json(&own).as_bytes(), super::random()?)?),
                    };
                    let suggestion = LabelSuggested(Suggestion {
                        case: row.id,
                        plugin: name.to_owned(),
                        version: version.clone(),
                        sha256: sha256.clone(),
                        pin: pin.clone(),
                        model: said.model,
                        protocol: published.reference.clone(),
                        answers: path,
                        outcome,
                        confidence: said.confidence,
                        abstained: said.abstains.is_some(),
                        payload: packed.as_ref().map(|packed| packed.hash),
                        own: OwnWords::default(),
                    });
                    events.push(Append::raw(encode(&suggestion), packed));
                }
                if !events.is_empty() {
                    self.append(events)?;
                }
                progress(&came);
            }
            Ok(())
        })();
        self.keep_host(name.to_owned(), host);
        went.map(|()| came)
    }

    fn to_suggest(
        &self,
        protocols: &Protocols,
        name: &str,
        pin: &str,
        wanted: &Wanted,
    ) -> Result<Vec<CaseRow>, WorkError> {
        if !wanted.cases.is_empty() {
            return wanted.cases.iter().map(|case| self.find_case_to_change(case)).collect();
        }
        let conn = &self.db.conn;
        let known: BTreeSet<(CaseId, String)> = suggestion::of_plugin(conn, name)?
            .into_iter()
            .filter(|row| row.suggestion.pin == pin)
            .map(|row| (row.suggestion.case, row.suggestion.protocol.hash.to_string()))
            .collect();
        let mut ids = Vec::new();
        case::for_each_state(conn, |id, state| {
            if state != CaseState::Resolved {
                ids.push(id);
            }
        })?;
        ids.extend(gold::all(conn)?.into_iter().map(|gold| gold.case));
        let mut rows = Vec::new();
        for id in ids {
            let Some(row) = case::by_id(conn, id)? else { continue };
            let late = wanted.since.is_none_or(|since| row.at.moment() >= since);
            let of = protocols.for_stream(&row.stream);
            let has = of.is_some_and(|of| known.contains(&(id, of.reference.hash.to_string())));
            if late && !has {
                rows.push(row);
            }
        }
        rows.sort_by_key(|row| (row.due, row.num));
        rows.dedup_by_key(|row| row.id);
        rows.truncate(wanted.limit.unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// What a labeler is asked of a case.
    fn asked_of(
        &self,
        protocols: &Protocols,
        host: &Host,
        row: &CaseRow,
    ) -> Result<Option<(Published, Asked)>, WorkError> {
        let Some(published) = protocols.for_stream(&row.stream) else { return Ok(None) };
        let conn = &self.db.conn;
        let event = erasure::payload_event(conn, row.id, row.event)?.unwrap_or(row.event);
        let Ok(json) = blob::read(conn, &mut Unpacker::default(), event) else { return Ok(None) };
        let Ok(payload) = serde_json::from_slice::<Value>(&json) else { return Ok(None) };
        let protocol = &published.protocol;
        let mut body = Map::new();
        body.insert("case".to_owned(), row.id.to_string().into());
        body.insert("row".to_owned(), host.plugin().row(&payload["prediction"]));
        let version = format!("{}@{}", protocol.id, published.reference.version);
        body.insert("protocol".to_owned(), version.into());
        body.insert("questions".to_owned(), questions(protocol));
        Ok(Some((published.clone(), Asked::new(row.external_id.clone(), &body))))
    }

    /// How a labeler's suggestions compare with what people said of settled cases, and with gold
    /// items.
    ///
    /// # Errors
    /// It never suggested anything; the role does not allow it.
    pub fn measure_labeler(&self, name: &str) -> Result<Measured, WorkError> {
        self.needs_role(
            &[Role::Lead, Role::Engineer, Role::Auditor, Role::Agent],
            "lead, engineer, auditor or agent",
        )?;
        let known = self.labelers()?;
        if !known.iter().any(|one| one == name) && self.plugin(name).is_err() {
            return Err(PluginError::Unknown { name: name.to_owned(), known }.into());
        }
        Ok(measured(&self.db.conn, &self.protocols()?, name, &mut self.sight()?)?)
    }
}

/// The answers of a suggestion as a path through the protocol, and what they come to.
fn read(
    published: &Published,
    row: &CaseRow,
    said: Suggested,
) -> Result<(Vec<Step>, Outcome, Suggested), String> {
    if said.abstains.is_some() {
        return Ok((Vec::new(), Default::default(), said));
    }
    let protocol = &published.protocol;
    let steps: Vec<_> = said.answers.clone().into_iter().collect();
    let steps =
        typed::read(protocol, &steps, Written::Before).map_err(|error| error.to_string())?;
    let walked = walk(protocol, &steps);
    match walked.end {
        Walked::Ends(outcome) => Ok((walked.path, settle(outcome, row.predicted.as_deref()), said)),
        Walked::Asks(question) if walked.path.is_empty() => {
            Err(format!("it does not answer the first question, `{}`", question.id))
        }
        Walked::Asks(_) => Ok((walked.path, Default::default(), said)),
        Walked::Stuck { question, answer } => {
            Err(format!("`{answer}` is no answer to `{}`", question.id))
        }
    }
}

/// The questions of a protocol as a labeler is told them.
fn questions(protocol: &Protocol) -> Value {
    let one = |question: &Question| {
        let mut told = json!({ "id": question.id, "ask": question.ask });
        if !question.help.is_empty() {
            told["help"] = question.help.clone().into();
        }
        let answers = |answers: &[protocol::Answer]| -> Value {
            answers.iter().map(|one| json!({ "key": one.key, "text": one.text })).collect()
        };
        let (kind, more) = match &question.kind {
            QuestionKind::Choice(all) => ("choice", json!({ "answers": answers(all) })),
            QuestionKind::Multi { answers: all, least, most, .. } => {
                ("multi", json!({ "answers": answers(all), "least": least, "most": most }))
            }
            QuestionKind::Label { .. } => {
                let names: Vec<&str> =
                    protocol.labels.iter().map(|label| label.name.as_str()).collect();
                ("label", json!({ "labels": names }))
            }
            QuestionKind::Scale { least, most, low, high, .. } => {
                ("scale", json!({ "least": least, "most": most, "low": low, "high": high }))
            }
            QuestionKind::Number { least, most, unit, .. } => {
                ("number", json!({ "least": least, "most": most, "unit": unit }))
            }
            QuestionKind::Text { least, most, .. } => {
                ("text", json!({ "least": least, "most": most }))
            }
            QuestionKind::Span { least, most, .. } => {
                ("span", json!({ "least": least, "most": most }))
            }
        };
        told["kind"] = kind.into();
        if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
            told.extend(more);
        }
        told
    };
    protocol.questions.iter().map(one).collect()
}
