//! Disputed cases as whoever rules sees them: labels side by side without names, where they part,
//! what was ruled before; and what waits for whom.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::Protocols;
use super::aligned::{Row, aligned};
use super::session_said::{SessionSaid, sessions_on};
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::db::note::{self, NoteKind, NoteRow};
use crate::db::{arbitration, document, label, renames};
use crate::domain::arbitration::{
    Act, Change, Done, Ruled, Ruling, appeals_against, blind_order, returned, rivals, ruling,
    side_name,
};
use crate::domain::escalation::{Level, Stands};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{
    GivenLabel, Label, MAIN_ROUND, Outcome, Step, outcome_in_short, that_count_in,
};
use crate::domain::policy::Policy;
use crate::domain::protocol::Answered;
use crate::domain::protocol::Question;
use crate::domain::resolve::{CaseState, How};
use crate::domain::time::Moment;
use crate::journal::views::evidence::Evidence;

/// Most disputed cases that are listed.
pub const WAITING_MAX: usize = 5_000;

/// One of the labels that differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// A, B, C …
    pub name: char,
    pub given: GivenLabel,
    /// Path and outcome by the names of the version in force.
    pub path: Vec<Step>,
    pub outcome: Outcome,
    /// Whether whoever looks gave it.
    pub own: bool,
    /// The question with which it lies with its author.
    pub asked: Option<String>,
}

/// A case whose labels are laid side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispute {
    pub row: CaseRow,
    /// Whether it is shown whose labels they are: there is nothing to rule then.
    pub named: bool,
    pub sides: Vec<Side>,
    /// Questions in the order asked, each with the sides' answers.
    pub questions: Vec<Row>,
    /// The first question answered otherwise, by its place among them.
    pub parts_at: Option<usize>,
    /// What was ruled before, and why it was appealed against.
    pub ruled: Option<(Ruling, Vec<String>)>,
    /// What others ruled otherwise, who did not know of it, and of whom it did not know.
    pub rivals: Vec<(String, Ruling)>,
    /// Whether it waits for somebody to rule.
    pub waits: bool,
    /// Why it was escalated.
    pub escalated: Vec<String>,
    /// What a program says whose voice counts beside theirs.
    pub programs: Vec<String>,
    /// Settled cases with the same input.
    pub same_input: Vec<CaseRow>,
    /// What calibration sessions that are over, or revealed, came to on it; the latest first.
    pub sessions: Vec<SessionSaid>,
}

impl Dispute {
    /// What others ruled otherwise, a line each.
    pub fn rivals_in_words(&self) -> impl Iterator<Item = String> {
        self.rivals.iter().map(|(by, ruling)| {
            let outcome = outcome_in_short(&ruling.outcome);
            let (cause, why) = (ruling.cause.as_str(), &ruling.rationale);
            format!("{by} ruled {outcome} ({cause}) without having seen the ruling that says otherwise: {why}")
        })
    }

    /// What else is known that bears on it, in a line each.
    pub fn beside(&self) -> Vec<String> {
        let escalated = self.escalated.iter().map(|text| format!("escalated: {text}"));
        let same = self.same_input.iter().map(|row| {
            let counts_as = row.outcome.as_ref().map(outcome_in_short).unwrap_or_default();
            let how = row.how.map_or("", How::as_str);
            format!("same input: {} counts as {counts_as} ({how})", row.id.short())
        });
        // In a session its labels lie there by name already.
        let sessions = self.sessions.iter().filter(|said| !self.named && !said.labels.is_empty());
        let programs = self.programs.iter().cloned();
        self.rivals_in_words()
            .chain(escalated)
            .chain(programs)
            .chain(sessions.map(SessionSaid::words))
            .chain(same)
            .collect()
    }

    pub fn load(
        conn: &Connection,
        protocols: &Protocols,
        row: CaseRow,
        me: &str,
    ) -> rusqlite::Result<Self> {
        let labels = label::live_of_case(conn, row.id)?;
        let order = blind_order(&labels);
        Self::of(conn, protocols, row, me, &labels, order)
    }

    /// Labels that may be seen, with the names of who gave them.
    pub fn named(
        conn: &Connection,
        protocols: &Protocols,
        row: CaseRow,
        me: &str,
        labels: &[GivenLabel],
    ) -> rusqlite::Result<Self> {
        let order = labels.iter().collect();
        let programs = Vec::new();
        Ok(Self { named: true, programs, ..Self::of(conn, protocols, row, me, labels, order)? })
    }

    fn of(
        conn: &Connection,
        protocols: &Protocols,
        row: CaseRow,
        me: &str,
        labels: &[GivenLabel],
        order: Vec<&GivenLabel>,
    ) -> rusqlite::Result<Self> {
        let acts = arbitration::of_case(conn, row.id)?;
        let renamed = renames::all(conn)?;
        let back = returned(&acts, labels);
        let asked = |given: &GivenLabel| {
            back.iter().find_map(|done| match &done.act {
                Act::Returned { label, text, .. } if *label == given.event => Some(text.clone()),
                _ => None,
            })
        };
        let answered: Vec<Answered> =
            order.iter().map(|given| protocols.answered(&given.label)).collect();
        let side = |(place, given): (usize, &GivenLabel)| Side {
            name: side_name(place),
            path: answered[place].path.clone(),
            outcome: renamed.outcome(&given.label),
            own: given.label.reviewer == me,
            asked: asked(given),
            given: given.clone(),
        };
        let sides: Vec<Side> = order.into_iter().enumerate().map(side).collect();
        let (questions, parts_at) = aligned(&answered.iter().collect::<Vec<_>>());
        let why = |done: &Done| match &done.act {
            Act::Appealed { why, .. } => Some(why.clone()),
            _ => None,
        };
        let ruled = ruling(&acts, labels).map(|Ruled { ruling, event, .. }| {
            (
                ruling.clone(),
                appeals_against(&acts, labels, event).into_iter().filter_map(why).collect(),
            )
        });
        let in_common = Evidence::of(conn, &protocols.policy, &row)?;
        let programs = in_common.agents.iter().map(|voice| program_says(&voice.label)).collect();
        let rivals =
            rivals(&in_common.acts).into_iter().skip(1).filter_map(|done| match &done.act {
                Act::Ruled(ruling) => Some((done.author.clone(), (**ruling).clone())),
                _ => None,
            });
        let rivals = rivals.collect();
        let notes = note::of_case(conn, row.id)?;
        let notes = notes.iter().filter(|note| note.kind == NoteKind::Escalated);
        let escalations: Vec<Escalation> = notes.clone().cloned().map(Escalation::of).collect();
        let waits = waits(row.state, &in_common.labels, &in_common.acts, &escalations).is_some();
        let escalated = notes.map(|note| note.text.clone()).collect();
        let sessions = sessions_on(conn, protocols, row.id)?;
        Ok(Self {
            row,
            named: false,
            sides,
            questions,
            parts_at,
            ruled,
            rivals,
            waits,
            escalated,
            programs,
            same_input: Vec::new(),
            sessions,
        })
    }

    pub fn side(&self, name: char) -> Option<&Side> {
        self.sides.iter().find(|side| side.name == name.to_ascii_uppercase())
    }

    /// The question at which the labels part.
    pub fn question(&self) -> Option<&str> {
        self.parts_at.and_then(|at| self.questions.get(at)).map(|(question, _)| question.as_str())
    }

    /// Whether there is something to rule on.
    pub fn is_one(&self) -> bool {
        let appealed = self.ruled.as_ref().is_some_and(|(_, appeals)| !appeals.is_empty());
        self.row.state == CaseState::Disputed || appealed || self.waits
    }
}

/// What a program says, as it stands beside the labels of people.
fn program_says(label: &Label) -> String {
    let steps = label.path.iter().map(|(question, answer)| format!("{question} {answer}"));
    let why =
        if label.rationale.is_empty() { String::new() } else { format!(": {}", label.rationale) };
    format!(
        "{}, a program that counts as one voice: {} ({}){why}",
        label.reviewer,
        outcome_in_short(&label.outcome),
        steps.collect::<Vec<_>>().join(", ")
    )
}

/// A case that waits for somebody to settle it.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub row: CaseRow,
    pub why: Why,
    pub stands: Stands,
    /// Since when.
    pub since: Moment,
    /// How many of its labels lie with their authors, who were asked something.
    pub returned: usize,
    /// Who escalated it.
    pub by: Vec<String>,
}

/// Why a case waits to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Disputed,
    Escalated,
    Appealed,
    /// Two people ruled otherwise without knowing of each other.
    Contested,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disputed => "disputed",
            Self::Escalated => "escalated",
            Self::Appealed => "appealed",
            Self::Contested => "contested",
        }
    }
}

/// Every case that waits to be settled, what is due first first; of disputed ones about `most`. A
/// function of the journal and the time.
pub fn waiting(
    conn: &Connection,
    policy: &Policy,
    now: Moment,
    most: usize,
) -> rusqlite::Result<Vec<Waiting>> {
    let mut found = Vec::new();
    let mut from = QueueKey::FIRST;
    loop {
        let page = case::page(conn, CaseState::Disputed, from, Direction::Forward, None, 500)?;
        let Some(last) = page.last() else { break };
        from = last.key();
        for row in page {
            found.extend(read_wait(conn, policy, row, &[], now)?);
        }
        if found.len() >= most {
            break;
        }
    }
    for (id, by) in escalations(conn)? {
        // What is disputed was met above.
        let Some(row) = case::by_id(conn, id)?.filter(|row| row.state != CaseState::Disputed)
        else {
            continue;
        };
        found.extend(read_wait(conn, policy, row, &by, now)?);
    }
    found.sort_by_key(|waiting| (waiting.stands.due, waiting.row.id));
    Ok(found)
}

/// That somebody asked for a case to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Escalation {
    pub at: Moment,
    pub by: String,
    /// Whether it was settled in their eyes.
    pub settled: bool,
}

impl Escalation {
    pub fn of(note: NoteRow) -> Self {
        Self { at: note.at.moment(), by: note.author, settled: note.settled }
    }
}

/// Every case that was ever escalated.
pub fn escalations(conn: &Connection) -> rusqlite::Result<BTreeMap<CaseId, Vec<Escalation>>> {
    let mut escalated: BTreeMap<CaseId, Vec<Escalation>> = BTreeMap::new();
    note::for_each(conn, |note| {
        if note.kind == NoteKind::Escalated {
            escalated.entry(note.id).or_default().push(Escalation::of(note));
        }
    })?;
    Ok(escalated)
}

fn read_wait(
    conn: &Connection,
    policy: &Policy,
    row: CaseRow,
    escalated: &[Escalation],
    now: Moment,
) -> rusqlite::Result<Option<Waiting>> {
    let of_own = label::live_of_case(conn, row.id)?;
    let returned = returned(&arbitration::of_case(conn, row.id)?, &of_own).len();
    // What settles it may have been said of its copies.
    let Evidence { labels, acts, .. } = Evidence::of(conn, policy, &row)?;
    Ok(waits(row.state, &labels, &acts, escalated).map(|Waits { why, first, since, by }| {
        let stands = policy.escalation.stands(first, since, now);
        Waiting { row, why, stands, since, returned, by }
    }))
}

/// Why a case waits, from whom on, since when, and who escalated it.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    pub why: Why,
    pub first: Level,
    pub since: Moment,
    pub by: Vec<String>,
}

/// Whether and how a case waits to be settled: a function of what was done about it.
pub fn waits(
    state: CaseState,
    labels: &[GivenLabel],
    acts: &[Done],
    escalated: &[Escalation],
) -> Option<Waits> {
    let by = escalated.iter().map(|one| one.by.clone()).collect();
    let counting = ruling(acts, labels);
    if let Some(ruled) = counting.filter(|ruled| ruled.rival.is_some()) {
        let since = ruled.at.moment();
        return Some(Waits { why: Why::Contested, first: Level::Owner, since, by });
    }
    if let Some(appeal) = counting.and_then(|ruled| ruled.appeal) {
        return Some(Waits {
            why: Why::Appealed,
            first: Level::Owner,
            since: appeal.at.moment(),
            by,
        });
    }
    match state {
        CaseState::Disputed => {
            // It was settled by nobody when its last label came, or when a ruling was taken back.
            let given =
                that_count_in(labels, MAIN_ROUND).into_iter().map(|given| given.at.moment());
            let back = acts
                .iter()
                .filter(|done| matches!(done.act, Act::Withdrew { .. }))
                .map(|done| done.at.moment());
            let since = given.chain(back).max()?;
            Some(Waits { why: Why::Disputed, first: Level::Lead, since, by })
        }
        CaseState::Open => {
            let since = escalated.iter().map(|one| one.at).min()?;
            Some(Waits { why: Why::Escalated, first: Level::Peer, since, by })
        }
        // Somebody who saw what it counts as asks to have it looked at again: a ruling answers that.
        CaseState::Resolved => {
            let ruled = counting.map(|ruled| ruled.at.moment());
            let asked = escalated.iter().filter(|one| one.settled);
            let since = asked.map(|one| one.at).filter(|at| ruled.is_none_or(|ruled| ruled < *at));
            Some(Waits { why: Why::Escalated, first: Level::Lead, since: since.min()?, by })
        }
        CaseState::Unsampled => None,
    }
}

/// The lead to whom disputes come in the end.
pub fn owner(conn: &Connection, policy: &Policy) -> rusqlite::Result<String> {
    if !policy.owner.is_empty() {
        return Ok(policy.owner.clone());
    }
    Ok(document::latest(conn, "workspace")?.map(|row| row.author).unwrap_or_default())
}

/// A ruling with what it was about.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRuling {
    pub row: CaseRow,
    pub done: Done,
    pub ruling: Ruling,
    /// Outcome by the names of today.
    pub outcome: Outcome,
    /// Whose labels said otherwise, with what they said.
    pub overruled: Vec<GivenLabel>,
    /// Whether it was not taken back, none took its place, and nobody ruled otherwise at once.
    pub counts: bool,
    /// Whether somebody ruled otherwise without knowing of it: none of them counts.
    pub contested: bool,
    /// Who appealed against it, and why.
    pub appeals: Vec<(String, String)>,
}

/// Every ruling, the latest first.
pub fn rulings(conn: &Connection, policy: &Policy) -> rusqlite::Result<Vec<PastRuling>> {
    let renamed = renames::all(conn)?;
    let mut found = Vec::new();
    for (id, acts) in arbitration::all(conn)? {
        let Some(row) = case::by_id(conn, id)? else { continue };
        let labels = label::live_of_case(conn, id)?;
        let counting =
            ruling(&acts, &labels).filter(|ruled| ruled.rival.is_none()).map(|ruled| ruled.event);
        let contested: Vec<EventId> = rivals(&acts).into_iter().map(|done| done.event).collect();
        for done in &acts {
            let Act::Ruled(ruling) = &done.act else { continue };
            let outcome = renamed.of_version(ruling.protocol.as_ref(), &ruling.outcome);
            let differs = |given: &&GivenLabel| {
                let theirs = renamed.outcome(&given.label);
                if policy.on.is_empty() {
                    theirs != outcome
                } else {
                    policy.on.iter().any(|field| theirs.get(field) != outcome.get(field))
                }
            };
            let overruled =
                that_count_in(&labels, MAIN_ROUND).into_iter().filter(differs).cloned().collect();
            let appeal = |other: &Done| match &other.act {
                Act::Appealed { ruling, why } if *ruling == done.event => {
                    Some((other.author.clone(), why.clone()))
                }
                _ => None,
            };
            let appeals = acts.iter().filter_map(appeal).collect();
            let (row, ruling, counts) =
                (row.clone(), (**ruling).clone(), counting == Some(done.event));
            found.push(PastRuling {
                row,
                done: done.clone(),
                ruling,
                outcome,
                overruled,
                counts,
                contested: contested.contains(&done.event),
                appeals,
            });
        }
    }
    found.sort_by_key(|past| std::cmp::Reverse((past.done.at, past.done.event)));
    Ok(found)
}

/// A place where a ruling says that a protocol must change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeNote {
    pub case: CaseId,
    pub at: Moment,
    pub by: String,
    pub change: Change,
    /// What should change, or why it was ruled so.
    pub words: String,
    /// The version that changed the question since.
    pub answered_by: Option<u32>,
}

/// Whether a question says the same in two versions, wherever it stands in them.
fn same(one: Option<&Question>, two: Option<&Question>) -> bool {
    let (Some(one), Some(two)) = (one, two) else { return one.is_none() && two.is_none() };
    let answers = |of: &Question| {
        of.kind
            .answers()
            .iter()
            .map(|answer| (answer.key.clone(), answer.text.clone(), answer.then.set.clone()))
            .collect::<Vec<_>>()
    };
    let said = |of: &Question| {
        (of.ask.clone(), of.help.clone(), of.terms.clone(), of.kind.as_str(), of.examples.clone())
    };
    said(one) == said(two) && answers(one) == answers(two)
}

/// Every such note, by question; open ones first.
pub fn change_notes(past: &[PastRuling], protocols: &Protocols) -> Vec<ChangeNote> {
    let note = |past: &PastRuling| {
        let change = past.ruling.change.clone()?;
        let was = protocols.version(&change.protocol, change.version);
        let was = was.and_then(|published| published.protocol.question(&change.question));
        let later = protocols.published.iter().filter(|published| {
            published.protocol.id == change.protocol && published.reference.version > change.version
        });
        let changed =
            later.filter(|published| !same(published.protocol.question(&change.question), was));
        let answered_by = changed.map(|published| published.reference.version).min();
        let words = if change.text.is_empty() {
            past.ruling.rationale.clone()
        } else {
            change.text.clone()
        };
        Some(ChangeNote {
            case: past.row.id,
            at: past.done.at.moment(),
            by: past.done.author.clone(),
            change,
            words,
            answered_by,
        })
    };
    let mut notes: Vec<ChangeNote> =
        past.iter().filter(|past| past.counts).filter_map(note).collect();
    notes.sort_by(|a, b| {
        let key = |note: &ChangeNote| {
            (
                note.answered_by.is_some(),
                note.change.protocol.clone(),
                note.change.question.clone(),
                note.at,
            )
        };
        key(a).cmp(&key(b))
    });
    notes
}

/// Cases whose label lies with this reviewer, who was asked something about it.
pub fn returned_to(conn: &Connection, reviewer: &str) -> rusqlite::Result<Vec<CaseRow>> {
    let mut found = Vec::new();
    for (id, acts) in arbitration::all(conn)? {
        if !asked_about(conn, id, &acts, reviewer)?.is_empty() {
            found.extend(case::by_id(conn, id)?);
        }
    }
    Ok(found)
}

/// What a reviewer was asked about their label of a case and has not answered.
pub fn asked_of(conn: &Connection, id: CaseId, reviewer: &str) -> rusqlite::Result<Vec<String>> {
    asked_about(conn, id, &arbitration::of_case(conn, id)?, reviewer)
}

fn asked_about(
    conn: &Connection,
    id: CaseId,
    acts: &[Done],
    reviewer: &str,
) -> rusqlite::Result<Vec<String>> {
    let to_them = |done: &Done| matches!(&done.act, Act::Returned { reviewer: whose, .. } if whose == reviewer);
    if !acts.iter().any(to_them) {
        return Ok(Vec::new());
    }
    let labels = label::live_of_case(conn, id)?;
    let words = |done: &Done| match &done.act {
        Act::Returned { question: Some(question), text, .. } => Some(format!("{question}: {text}")),
        Act::Returned { text, .. } => Some(text.clone()),
        _ => None,
    };
    Ok(returned(acts, &labels).into_iter().filter(|done| to_them(done)).filter_map(words).collect())
}
