//! A case opened for reading: its row, its payload understood, its history as this reviewer may see
//! it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::Connection;

use super::history::{HistoryLine, history, in_session};
use super::suggested;
use super::{arbitration, calibration, gold, retest};
use crate::db::case::CaseRow;
use crate::db::draw::{self, Draw};
use crate::db::erasure::{self, ErasedRow};
use crate::db::label::LabelRow;
use crate::db::{case, label, renames, sealed};
use crate::domain::answers::has_answers;
use crate::domain::attachment::{Attachment, FileThen, Standing};
use crate::domain::calibration::Calibration;
use crate::domain::cues::{Cue, Hiding, hides};
use crate::domain::hygiene::Fact;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GOLD_ROUND, GivenLabel, MAIN_ROUND, REPEAT_ROUND};
use crate::domain::logline::LogLine;
use crate::domain::long_text::{self, Ask, Page, WHOLE_BYTES};
use crate::domain::modality::{self, Part, View};
use crate::domain::payload::{Neighbour, Payload};
use crate::domain::plugin::{PluginFlag, Suggestion};
use crate::domain::policy::Agents;
use crate::domain::prediction::{Prediction, Scored};
use crate::domain::protocol::Protocol;
use crate::domain::resolve::{CaseState, Explained, How, explain};
use crate::domain::text::cut;
use crate::domain::time::Moment;
use crate::journal::JournalError;
use crate::journal::blob::{self, Unpacker};
use crate::journal::views::{self, evidence, evidence::Evidence};

/// Parts of a line that never tell what the model said, whatever shape the line came in.
pub const NEVER_TELLING: &[&str] = &[
    "id",
    "occurred_at",
    "stream",
    "source",
    "trace_id",
    "input",
    "challenger",
    "feature_importance",
];

/// How many labels are offered by number.
pub const OFFERED_MAX: usize = 5;

fn keep_only(line: &mut serde_json::Value, names: &[&str]) {
    if let Some(object) = line.as_object_mut() {
        object.retain(|name, _| names.contains(&name.as_str()));
    }
}

fn take_out(line: &mut serde_json::Value, name: &str) {
    if let Some(object) = line.as_object_mut() {
        object.shift_remove(name);
    }
}

/// A log line with what was understood of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLog {
    pub file: String,
    /// Whether it is of the prediction's own trace.
    pub own: bool,
    pub line: LogLine,
}

/// Everything that is shown of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenCase {
    pub row: CaseRow,
    /// By which traps it was found, each with the share that was taken of what it flagged.
    pub why: Vec<(Draw, Option<f64>)>,
    /// None if the payload was erased, has not arrived, or is damaged; `trouble` says which.
    pub prediction: Option<Prediction>,
    pub trouble: Option<String>,
    pub logs: Vec<ReadLog>,
    pub neighbours: Vec<Neighbour>,
    /// Ids of neighbours that wait for this reviewer: what the model said of them may be hidden
    /// too.
    pub waiting: Vec<String>,
    /// Of each two answers that the line has to be compared, the field that stands first for this
    /// reviewer.
    orders: Vec<String>,
    /// What was found wrong with the input at ingest.
    pub facts: Vec<Fact>,
    /// What plug-ins said of it when they flagged it.
    pub said: Vec<PluginFlag>,
    /// Labelers whose suggestion counts as a label of it.
    pub voted: Vec<String>,
    /// What labelers would answer, each with when it said so, where the policy lets them be heard.
    pub suggestions: Vec<(Suggestion, Moment)>,
    /// What the line brings or points to, each with its field: of files how they stand on this device,
    /// as far as that was looked up, and what is wrong with what any of it begins with.
    pub attached: Vec<(String, Attachment)>,
    /// Files that it points to without a hash, as they were when it was detected.
    pub files_then: Vec<FileThen>,
    /// What fields are said to be on this device, whatever they look like.
    pub views: BTreeMap<String, View>,
    pub history: Vec<HistoryLine>,
    /// What this reviewer was asked about their label, and has not answered.
    pub asked: Vec<String>,
    /// Other cases with its text, whose labels are in common with its own.
    pub copies: Vec<CaseId>,
    /// Who weighed what, where a model of truth settled it.
    pub settled: Option<Explained>,
    /// This reviewer's own label that counts.
    pub mine: Option<GivenLabel>,
    /// Their latest label of the round that one would be of now, whether it is shown or not: a
    /// submit that finds another one was overtaken.
    pub latest: Option<EventId>,
    /// Texts of the line of which only the beginning is here.
    long: Vec<String>,
    /// What was taken out because a policy hides it: see [`Self::hide`].
    pub hidden: Vec<Cue>,
    /// The right answer is known, and this reviewer's only measures.
    pub gold: bool,
    /// The calibration session that it is opened in.
    pub session: Option<Calibration>,
    /// What this reviewer said in the first round of it, once that is over: where the second
    /// begins.
    pub before: Option<GivenLabel>,
    /// The round that a label of this reviewer would be of.
    round: String,
}

/// Bytes of a large payload that are read to show what it begins with.
const BEGINNING_BYTES: u64 = 64 << 10;
/// Bytes of a field's name that a label keeps.
const FIELD_BYTES_MAX: usize = 200;

/// Whether a field at the top of a line is shown, while some things are hidden.
fn may_show(name: &str, hides: &impl Fn(Cue) -> bool) -> bool {
    let of_model = hides(Cue::Prediction);
    let rival = name == "challenger" && (of_model || hides(Cue::Challenger));
    let features = name == "feature_importance" && hides(Cue::Features);
    !rival && !features && (!of_model || NEVER_TELLING.contains(&name))
}

/// The field at the top of a line in which another stands.
fn top_of(field: &str) -> &str {
    field.split(['.', '[']).next().unwrap_or(field)
}

/// A field as a label names it: no label grows with what a line calls its fields.
fn named(field: &str) -> String {
    cut(field, FIELD_BYTES_MAX).into_owned()
}

/// A coin for each reviewer, case and two answers: a place is no reason to prefer one, and which
/// stands first must not be the same for everybody.
fn tossed(case: CaseId, reviewer: &str, of: &str) -> bool {
    let mut hasher = blake3::Hasher::new();
    for piece in [case.to_string().as_str(), reviewer, of] {
        hasher.update(&(piece.len() as u64).to_le_bytes()).update(piece.as_bytes());
    }
    hasher.finalize().as_bytes()[0] & 1 == 1
}

/// Who weighed what in a case that a model of truth settled.
fn explained(conn: &Connection, row: &CaseRow) -> rusqlite::Result<Option<Explained>> {
    let (policy, renamed) = (views::policy(conn)?, renames::all(conn)?);
    let estimate = views::estimate_of(conn, &policy)?;
    let evidence = Evidence::of(conn, &policy, row)?;
    Ok(explain(&evidence.that_settle(), evidence.by(row, &policy, &renamed, estimate.as_ref())))
}

/// A reviewer's latest label of a case in a round that they signed themselves, not counting the one
/// of event `but`: which, and when they gave it. It may be sealed.
///
/// # Errors
/// Those of the database.
pub fn latest_in(
    conn: &Connection,
    case: CaseId,
    reviewer: &str,
    round: &str,
    but: Option<EventId>,
) -> rusqlite::Result<Option<(EventId, Moment)>> {
    let of_them = |given: &GivenLabel| {
        given.label.reviewer == reviewer
            && given.label.round == round
            && given.imported_by().is_none()
            && Some(given.event) != but
    };
    let latest = label::live_of_case(conn, case)?.into_iter().rev().find(of_them);
    let mut latest = latest.map(|given| (given.at, given.event, given.given_at()));
    if round != MAIN_ROUND {
        for (row, withdrawn) in sealed::of_round(conn, round)? {
            let of_them = row.author == reviewer && row.case == case && Some(row.event) != but;
            if of_them && withdrawn.is_none() {
                let one = (row.at, row.event, row.given_at.unwrap_or(row.at.moment()));
                latest = latest.max(Some(one));
            }
        }
    }
    Ok(latest.map(|(_, event, at)| (event, at)))
}

/// How much of long texts is held while a case is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    All,
    /// Of a payload that is large, the beginnings.
    Beginnings,
}

/// The event beside which the payload of a case stands: another one, where something of it was erased.
fn payload_event(conn: &Connection, row: &CaseRow) -> rusqlite::Result<EventId> {
    Ok(erasure::payload_event(conn, row.id, row.event)?.unwrap_or(row.event))
}

/// Bytes that a case has with all around it, where that is so much that it takes a while to be read.
///
/// # Errors
/// Those of the database.
pub fn large(conn: &Connection, row: &CaseRow) -> Result<Option<u64>, JournalError> {
    let bytes = blob::size(conn, payload_event(conn, row)?)?;
    Ok(bytes.filter(|bytes| *bytes > WHOLE_BYTES))
}

/// What the input of a large case begins with, in far less time than all of it takes to be read;
/// nothing where its line begins with something else.
///
/// # Errors
/// Those of the database.
pub fn beginning(conn: &Connection, row: &CaseRow) -> Result<Option<String>, JournalError> {
    let json = blob::beginning(conn, payload_event(conn, row)?, BEGINNING_BYTES)?;
    let begun = json.and_then(|json| long_text::begun(&json));
    let input = begun.map(|payload| payload["prediction"]["input"]["text"].clone());
    Ok(input.and_then(|text| text.as_str().map(str::to_owned)))
}

/// What is asked for of a long text of a case: which of them, from 0, and what it is called; nothing
/// where it has none such.
///
/// # Errors
/// Those of [`blob::read`].
pub fn page_of_text(
    conn: &Connection,
    unpacker: &mut Unpacker,
    row: &CaseRow,
    (at, name): (usize, &str),
    ask: &Ask,
) -> Result<Option<Page>, JournalError> {
    #[derive(serde::Deserialize)]
    struct Line<'p> {
        #[serde(borrow)]
        prediction: &'p serde_json::value::RawValue,
    }
    let json = blob::read(conn, unpacker, payload_event(conn, row)?)?;
    let line = serde_json::from_slice::<Line<'_>>(&json).ok();
    let text = line.as_ref().and_then(|line| long_text::text_of(line.prediction.get(), at));
    Ok(text.map(|text| long_text::page((at, name), &text, ask)))
}

impl OpenCase {
    pub fn load(
        conn: &Connection,
        unpacker: &mut Unpacker,
        row: CaseRow,
        (reviewer, unseen): (&str, &[LabelRow]),
        in_round: Option<&str>,
        held: Held,
        now: Moment,
    ) -> Result<Self, JournalError> {
        let event = payload_event(conn, &row)?;
        let (payload, trouble) = match blob::read(conn, unpacker, event) {
            Ok(json) => (serde_json::from_slice::<Payload>(&json).ok(), None),
            Err(error @ (JournalError::NoPayload(_) | JournalError::BadPayload(_))) => {
                let erased = erasure::of_case(conn, row.id)?;
                let erased = erased.into_iter().find(|row| row.instead.is_none());
                let words = |row: ErasedRow| {
                    format!("erased by {} on {}: {}", row.by, row.at.minute(), row.reason)
                };
                (None, Some(erased.map_or_else(|| error.to_string(), words)))
            }
            Err(error) => return Err(error),
        };
        let mut live = label::live_of_case(conn, row.id)?;
        let own = unseen.iter().filter(|row| row.withdrawn.is_none());
        live.extend(own.map(|row| row.given.clone()));
        let decided = live
            .iter()
            .any(|given| given.label.reviewer == reviewer && given.label.round == MAIN_ROUND);
        let session = in_round.map_or(Ok(None), |round| calibration::of_round(conn, round))?;
        let counts = |round: &str| {
            in_round.map_or([MAIN_ROUND, GOLD_ROUND].contains(&round), |in_round| in_round == round)
        };
        let first = session
            .as_ref()
            .filter(|session| session.stage().is_revealed())
            .map(|session| session.name().to_owned());
        let said = |first: String| {
            live.iter()
                .rev()
                .find(|given| given.label.reviewer == reviewer && given.label.round == first)
        };
        let before = first.and_then(said).cloned();
        let mine = live
            .into_iter()
            .rev()
            .find(|given| given.label.reviewer == reviewer && counts(&given.label.round));
        let read = |log: crate::domain::payload::PayloadLog| ReadLog {
            file: log.file,
            own: log.own,
            line: {
                let parsed = LogLine::parse(&log.text);
                LogLine { at: log.at.or(parsed.at), ..parsed }
            },
        };
        let mut long = Vec::new();
        let (prediction, logs, mut neighbours, facts, said, files_then) = match payload {
            Some(Payload { prediction, logs, neighbours, facts, said, files }) => {
                let mut line = Cow::Borrowed(prediction.get());
                if held == Held::Beginnings {
                    (line, long) = long_text::beginnings(prediction.get());
                }
                let prediction = Prediction::parse(&line).ok();
                let logs = logs.into_iter().map(read).collect();
                (prediction, logs, neighbours, facts, said, files)
            }
            None => Default::default(),
        };
        if erasure::any(conn)? {
            // A neighbour whose case was erased is not shown, even where its text is still in this
            // payload.
            let mut kept = Vec::with_capacity(neighbours.len());
            for neighbour in neighbours {
                if !erasure::is_gone(conn, CaseId::of(&row.stream, &neighbour.id))? {
                    kept.push(neighbour);
                }
            }
            neighbours = kept;
        }
        // An old case of theirs that comes back looks like one that they never saw.
        let again = session.is_none()
            && decided
            && retest::is_pending(conn, reviewer, &views::policy(conn)?, now, row.id)?;
        let mine = mine.filter(|_| !again);
        // Who once gave a label that only measured gives no other on it while its answer is known.
        let gold = again
            || session.is_none()
                && row.state != CaseState::Open
                && !decided
                && gold::is_gold(conn, row.id)?;
        let mut row = row;
        if session.is_some() || (gold && mine.is_none()) {
            // It looks like any other that waits: what it counts as would give the answer away.
            row = row.masked();
        }
        let mut history = match &session {
            Some(session) => in_session(conn, &row, session, reviewer, unseen)?,
            None => history(conn, &row, reviewer, unseen)?,
        };
        if gold && mine.is_none() {
            // That others labeled it would tell it from those that wait.
            let given: Vec<EventId> =
                label::of_case(conn, row.id)?.into_iter().map(|row| row.given.event).collect();
            history.retain(|line| !given.contains(&line.event));
        }
        if again {
            history.truncate(1);
        }
        let mut waiting = Vec::new();
        for neighbour in &neighbours {
            let other = case::by_id(conn, CaseId::of(&row.stream, &neighbour.id))?;
            let open = other.is_some_and(|other| other.state == CaseState::Open);
            let gave = |given: &GivenLabel| {
                given.label.reviewer == reviewer && given.label.round == MAIN_ROUND
            };
            if open
                && !label::live_of_case(conn, CaseId::of(&row.stream, &neighbour.id))?
                    .iter()
                    .any(gave)
            {
                waiting.push(neighbour.id.clone());
            }
        }
        let round = match &session {
            // Once it is closed nothing is given in it any more; what were given then would not
            // count.
            Some(session) => session.round_now().unwrap_or_else(|| session.rounds()[1].clone()),
            None if again => REPEAT_ROUND.to_owned(),
            None => if gold { GOLD_ROUND } else { MAIN_ROUND }.to_owned(),
        };
        let settled = match (row.state, row.how) {
            (CaseState::Resolved, Some(How::Model)) => explained(conn, &row)?,
            _ => None,
        };
        let copies = match session {
            Some(_) => Vec::new(),
            None => evidence::copies(conn, &views::policy(conn)?, &row)?,
        };
        let policy = views::policy(conn)?;
        let voted = match policy.agents {
            Agents::Vote if row.state == CaseState::Resolved && row.how != Some(How::Ruling) => {
                Evidence::of(conn, &policy, &row)?.agents
            }
            _ => Vec::new(),
        };
        let voted = voted.into_iter().map(|given| given.label.reviewer).collect();
        let suggestions = match policy.agents {
            Agents::Off => Vec::new(),
            // What people say of it in a session is theirs.
            _ if session.is_some() || calibration::holds(conn, row.id)? => Vec::new(),
            Agents::Suggest | Agents::Vote => suggested::of_case(conn, row.id)?,
        };
        let suggestions =
            suggestions.into_iter().map(|row| (row.suggestion, row.at.moment())).collect();
        let row_id = row.id;
        let asked = if session.is_some() {
            Vec::new()
        } else {
            arbitration::asked_of(conn, row.id, reviewer)?
        };
        let mut orders = Vec::new();
        if let Some(prediction) = &prediction {
            let line = &prediction.line;
            let mut parts = modality::parts(line, |name| has_answers(&line[name]));
            let coin = |of: &str| tossed(row.id, reviewer, of);
            orders = modality::order_answers(&mut parts, coin);
        }
        Ok(Self {
            asked,
            orders,
            copies,
            settled,
            why: draw::rates_of_case(conn, row.id)?,
            row,
            prediction,
            trouble,
            logs,
            neighbours,
            waiting,
            facts,
            said,
            suggestions,
            voted,
            attached: Vec::new(),
            files_then,
            views: BTreeMap::new(),
            history,
            mine,
            latest: latest_in(conn, row_id, reviewer, &round, None)?.map(|(event, _)| event),
            long,
            hidden: Vec::new(),
            gold,
            session,
            before,
            round,
        })
    }

    /// That a label of it is one of others too, in words; nothing if it is not.
    pub fn copies_words(&self) -> Option<String> {
        let all = match self.copies.len() {
            0 => return None,
            1 => "1 other case has this text: a label of one is a label of both".to_owned(),
            n => format!("{n} other cases have this text: a label of one is a label of all"),
        };
        Some(all)
    }

    /// Whether a policy may still hide something from this reviewer. Once a case is settled there
    /// is nothing to sway.
    pub fn is_blind(&self) -> bool {
        if let Some(session) = &self.session {
            return !session.stage().is_revealed() && self.mine.is_none();
        }
        self.mine.is_none() && (self.row.state != CaseState::Resolved || self.gold)
    }

    /// Whether a policy hides a cue from this reviewer for now, who has `answered` a question of
    /// the case, or not.
    pub fn hides(&self, hidings: &[Hiding], cue: Cue, answered: bool) -> bool {
        self.is_blind() && hides(hidings, cue, answered)
    }

    /// Takes out what a policy hides before the first answer, for output that can't show it later.
    pub fn hide(&mut self, hidings: &[Hiding]) {
        self.hide_for_now(hidings, false);
    }

    /// Takes out what a policy hides for now from this reviewer, who has `answered` a question of
    /// the case, or not.
    pub fn hide_for_now(&mut self, hidings: &[Hiding], answered: bool) {
        if hides(hidings, Cue::Prediction, answered) {
            for neighbour in
                self.neighbours.iter_mut().filter(|neighbour| self.waiting.contains(&neighbour.id))
            {
                (neighbour.label, neighbour.confidence) = ("(hidden)".to_owned(), None);
            }
        }
        if !self.is_blind() {
            return;
        }
        let none = self.suggestions.is_empty();
        self.hidden = Cue::ALL
            .into_iter()
            .filter(|cue| hides(hidings, *cue, answered) && !(none && *cue == Cue::Suggestion))
            .collect();
        for cue in self.hidden.clone() {
            let line = self.prediction.as_mut();
            match cue {
                Cue::Prediction => {
                    (self.row.predicted, self.row.confidence) = (None, None);
                    if let Some(prediction) = line {
                        (prediction.label, prediction.confidence) = (None, None);
                        prediction.top_k.clear();
                        keep_only(&mut prediction.line, NEVER_TELLING);
                    }
                }
                Cue::Challenger => {
                    if let Some(prediction) = line {
                        prediction.challenger = None;
                        take_out(&mut prediction.line, "challenger");
                    }
                }
                Cue::Features => {
                    if let Some(prediction) = line {
                        prediction.features.clear();
                        take_out(&mut prediction.line, "feature_importance");
                    }
                }
                Cue::Flags => {
                    self.row.flags.clear();
                    self.why.clear();
                    self.said.clear();
                }
                Cue::Logs => self.logs.clear(),
                Cue::Neighbours => self.neighbours.clear(),
                Cue::Facts => self.facts.clear(),
                Cue::History => self.history.clear(),
                Cue::Suggestion => self.suggestions.clear(),
                Cue::Precedents | Cue::Other => {}
            }
        }
        if self.hidden.contains(&Cue::Flags) {
            // The first line says why it was flagged.
            self.history.retain(|line| line.event != self.row.event);
        }
    }

    /// What the line holds, part by part, but for what is hidden.
    pub fn parts(&self, hides: impl Fn(Cue) -> bool) -> Vec<Part> {
        let Some(prediction) = &self.prediction else { return Vec::new() };
        let may = |name: &str| may_show(name, &hides);
        let mut parts = modality::parts_viewed(&prediction.line, may, &self.views);
        for attached in modality::attached(&mut parts) {
            attached.as_known(&self.attached);
        }
        let first = |field: &str| self.orders.iter().any(|first| first == field);
        modality::order_answers(&mut parts, |of| !first(of));
        parts
    }

    /// Texts that are shown of which only the beginning is here: [`page_of_text`] has the rest.
    pub fn long_texts(&self, hides: impl Fn(Cue) -> bool) -> Vec<(usize, &str)> {
        let all = self.long.iter().map(String::as_str).enumerate();
        all.filter(|(_, name)| may_show(top_of(name), &hides)).collect()
    }

    /// Of each two answers that are shown to be compared, the field that stands first for this
    /// reviewer.
    pub fn stood_first(&self, hides: impl Fn(Cue) -> bool) -> Vec<String> {
        let shown = |field: &&String| may_show(top_of(field), &hides);
        self.orders.iter().filter(shown).map(|field| named(field)).collect()
    }

    /// Fields that are shown whose file is not there to be seen as it was meant.
    pub fn unseen_files(&self, hides: impl Fn(Cue) -> bool) -> Vec<String> {
        let files = self.attached.iter().filter(|(_, one)| one.meant().is_some());
        let files = files.filter(|(field, file)| {
            may_show(top_of(field), &hides) && !file.standing().is_some_and(Standing::is_meant)
        });
        files.map(|(field, _)| named(field)).collect()
    }

    /// Takes note that the file of a field is not there as it was meant, whatever it was before.
    pub fn lose_file(&mut self, field: &str) {
        for (known, file) in &mut self.attached {
            if let (true, Attachment::File { standing, .. }) = (known == field, file)
                && standing.is_some_and(Standing::is_meant)
            {
                *standing = None;
            }
        }
    }

    /// The round that a label of this reviewer would be of.
    pub fn round(&self) -> &str {
        &self.round
    }

    /// What is said to begin with in answer to a question of kind label: what the models
    /// considered, as far as it is not hidden, and what the protocol takes.
    pub fn offered(&self, protocol: Option<&Protocol>, hides: impl Fn(Cue) -> bool) -> Vec<Scored> {
        let Some(prediction) = self.prediction.as_ref().filter(|_| !hides(Cue::Prediction)) else {
            return Vec::new();
        };
        let known = |label: &str| protocol.is_none_or(|protocol| protocol.has_label(label));
        let rival = prediction.challenger.as_ref().filter(|_| !hides(Cue::Challenger));
        let rival = rival.map(|rival| rival.top_k.as_slice()).unwrap_or_default();
        let mut offered: Vec<Scored> = Vec::new();
        for said in prediction.top_k.iter().chain(rival) {
            if known(&said.name)
                && !offered.iter().any(|other| other.name == said.name)
                && offered.len() < OFFERED_MAX
            {
                offered.push(said.clone());
            }
        }
        offered
    }

    /// How many log lines are of the prediction's own trace.
    pub fn own_logs(&self) -> usize {
        self.logs.iter().filter(|log| log.own).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which answer stands first is as often one as the other, for each reviewer by itself: of a
    /// thousand throws within three and a half standard deviations.
    #[test]
    fn the_coin_is_fair() {
        let cases: Vec<CaseId> = (0..1000).map(|n| CaseId::of("s", &format!("c{n}"))).collect();
        let throws = |reviewer: &str| -> Vec<bool> {
            cases.iter().map(|case| tossed(*case, reviewer, "input.answer_a")).collect()
        };
        let (ana, ben) = (throws("ana"), throws("ben"));
        let near = |n: usize| (445..=555).contains(&n);
        assert!(near(ana.iter().filter(|up| **up).count()));
        assert!(near(ben.iter().filter(|up| **up).count()));
        assert!(near(ana.iter().zip(&ben).filter(|(one, other)| one == other).count()));
        assert_eq!(ana, throws("ana"));
    }
}
