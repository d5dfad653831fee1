//! What is due, by whom, and until when. A function of the journal and the time, the same
//! on every device.
//!
//! | what                       | who                                  | until                                |
//! | -------------------------- | ------------------------------------ | ------------------------------------ |
//! | an open case wants labels  | the first of its order without one   | the policy's hours after detection   |
//! | it was escalated           | its peers, then leads, then the owner | the level's hours                   |
//! | it is disputed             | leads, then the owner                | the level's hours                    |
//! | a ruling was appealed      | the owner                            | the level's hours                    |
//! | a label was returned       | its author                           | a peer's hours after the question    |
//! | a session is blind         | who has not labeled all of it        | its deadline                         |
//! | an alarm is open            | leads                                | the leads' hours after it was raised |
//! | a term is to be looked at  | its owner, else leads                | its `review_by`, told a week before  |

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::Serialize;

use super::alarms::raised_alarms;
use super::arbitration::{self, Escalation, Waiting, Waits, Why, waiting, waits};
use super::calibration;
use super::glossary;
use super::queue::idle;
use super::share::share;
use super::value::Valuer;
use crate::db::case::{self, CaseRow};
use crate::db::{arbitration as acts, document, label, roster};
use crate::domain::arbitration::{Act, Done, returned};
use crate::domain::assign::{CaseLoad, Share, Sharing};
use crate::domain::calibration::Stage;
use crate::domain::escalation::{Level, Stands};
use crate::domain::ids::CaseId;
use crate::domain::label::GivenLabel;
use crate::domain::policy::Policy;
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::kind::NudgeSent;
use crate::journal::views::evidence::labeled_by;

const HOUR_MS: i64 = 3_600_000;
/// So long before its day a term is said to be due.
const TERM_AHEAD_MS: i64 = 7 * 24 * HOUR_MS;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    Label,
    Escalated,
    Disputed,
    Appealed,
    Contested,
    Returned,
    Session,
    Term,
    Alarm,
}

impl Duty {
    pub const ALL: [Self; 9] = [
        Self::Label,
        Self::Escalated,
        Self::Disputed,
        Self::Appealed,
        Self::Contested,
        Self::Returned,
        Self::Session,
        Self::Term,
        Self::Alarm,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Escalated => "escalated",
            Self::Disputed => "disputed",
            Self::Appealed => "appealed",
            Self::Contested => "contested",
            Self::Returned => "returned",
            Self::Session => "session",
            Self::Term => "term",
            Self::Alarm => "alarm",
        }
    }

    /// What whoever owes so many of it has to do.
    pub fn about(self, n: usize) -> &'static str {
        let (one, more) = match self {
            Self::Label => ("assigned case to label", "assigned cases to label"),
            Self::Escalated => ("escalated case to look at", "escalated cases to look at"),
            Self::Disputed => ("disputed case to rule on", "disputed cases to rule on"),
            Self::Appealed => ("appeal to decide", "appeals to decide"),
            Self::Contested => {
                ("case that was ruled two ways at once", "cases that were ruled two ways at once")
            }
            Self::Returned => {
                ("question about your label to answer", "questions about your labels to answer")
            }
            Self::Session => ("calibration case to label", "calibration cases to label"),
            Self::Alarm => ("alarm to look into", "alarms to look into"),
            Self::Term => ("glossary term to look at again", "glossary terms to look at again"),
        };
        if n == 1 { one } else { more }
    }
}

/// One thing that is due of somebody.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DueItem {
    pub what: Duty,
    /// Everybody whose turn it is.
    pub who: Vec<String>,
    pub case: Option<CaseId>,
    pub session: Option<String>,
    pub term: Option<String>,
    /// What an alarm is known by.
    pub alarm: Option<String>,
    /// The cases that were drawn for an alarm.
    #[serde(skip)]
    pub drawn: Vec<CaseId>,
    pub level: Option<Level>,
    pub since: Moment,
    pub due: Moment,
    /// The first level that let its time run out before it came to those who have it now.
    pub missed: Option<(Level, Moment)>,
    /// How many cases it is; one where it is a term.
    pub cases: usize,
}

impl DueItem {
    fn new(what: Duty, who: Vec<String>, since: Moment, due: Moment) -> Self {
        let (case, session, term, alarm) = (None, None, None, None);
        let (level, missed) = (None, None);
        Self {
            what,
            who,
            case,
            session,
            term,
            alarm,
            drawn: Vec::new(),
            level,
            since,
            due,
            missed,
            cases: 1,
        }
    }

    /// Whether time ran out: of those whose turn it is, or of a level before them.
    pub fn is_overdue(&self, now: Moment) -> bool {
        self.overdue_since() <= now
    }

    /// When time runs, or ran, out first.
    pub fn overdue_since(&self) -> Moment {
        self.missed.map_or(self.due, |(_, due)| due.min(self.due))
    }

    /// What it is known by, for one of those who owe it: nobody is told of it twice.
    pub fn key(&self, who: &str) -> String {
        let case = self.case.map(|case| case.to_string()).unwrap_or_default();
        let level = self.level.map_or("", Level::as_str);
        let session = self.session.as_ref().or(self.term.as_ref()).or(self.alarm.as_ref());
        let session = session.map_or("", String::as_str);
        let text = format!(
            "{who}\u{1f}{}\u{1f}{case}\u{1f}{session}\u{1f}{level}\u{1f}{}",
            self.what.as_str(),
            self.since.0
        );
        blake3::hash(text.as_bytes()).to_hex().as_str().chars().take(16).collect()
    }
}

/// Everything that is due, what is due first first.
pub fn due_items(
    conn: &Connection,
    policy: &Policy,
    now: Moment,
) -> rusqlite::Result<Vec<DueItem>> {
    due_by(conn, policy, now, Moment(i64::MAX))
}

/// The same without labels that are due only after a time: whose turn each open case is takes long
/// to say where there are many.
pub fn due_by(
    conn: &Connection,
    policy: &Policy,
    now: Moment,
    until: Moment,
) -> rusqlite::Result<Vec<DueItem>> {
    let people = Assignees::read(conn, policy, now)?;
    let mut found = Vec::new();
    people.each_label(conn, policy, until, now, |work, who| {
        found.push(people.label_item(work, who));
    })?;
    people.others(conn, policy, now, &mut found)?;
    Ok(found)
}

/// How much is due.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DueByPerson {
    pub people: BTreeMap<String, BTreeMap<Duty, Tally>>,
    /// Cases that are due of nobody: nobody is there who may take them.
    pub of_nobody: usize,
}

/// How much is due of each person, by duty: as [`by_person`] counts what [`due_items`] finds, without
/// a list of it.
pub fn due_by_person(
    conn: &Connection,
    policy: &Policy,
    now: Moment,
) -> rusqlite::Result<DueByPerson> {
    let people = Assignees::read(conn, policy, now)?;
    let mut tallies = vec![Tally::default(); people.share.candidates().len()];
    let mut of_nobody = 0;
    people.each_label(conn, policy, Moment(i64::MAX), now, |work, who| {
        of_nobody += usize::from(who.is_empty());
        for at in who {
            tallies[*at].add(1, work.due <= now, work.due);
        }
    })?;
    let mut others = Vec::new();
    people.others(conn, policy, now, &mut others)?;
    let mut all = by_person(&others, now);
    for (candidate, tally) in people.share.candidates().iter().zip(tallies) {
        if tally.all > 0 {
            all.entry(candidate.name.clone()).or_default().insert(Duty::Label, tally);
        }
    }
    let others = others.iter().filter(|item| item.who.is_empty());
    of_nobody += others.map(|item| item.cases).sum::<usize>();
    Ok(DueByPerson { people: all, of_nobody })
}

/// What is due for cases whose claims are known: the same as [`due_items`], without reading them.
pub fn due_items_of<'c>(
    conn: &Connection,
    claims: impl Iterator<Item = (CaseId, &'c DueCandidates)>,
    policy: &Policy,
    now: Moment,
) -> rusqlite::Result<Vec<DueItem>> {
    let people = Assignees::read(conn, policy, now)?;
    let mut sharing = Sharing::of(&people.share);
    let mut found = Vec::new();
    for (case, claims) in claims {
        let DueCandidates { labeled, open, waits, asked } = claims;
        if let Some(Open { detected, due, labels, language, needs }) = open {
            let (detected, due, labels) = (*detected, *due, *labels);
            let work = CaseLoad { case, detected, due, labels, language, needs, idle: &[] };
            let idle = people.idle(conn, &work)?;
            let work = CaseLoad { idle: &idle, ..work };
            found.push(people.label_item(&work, sharing.wanted(&work, labeled, now)));
        }
        if let Some(Waits { why, first, since, by }) = waits {
            found.push(people.settle(
                case,
                labeled,
                (*why, *since, by),
                policy.escalation.stands(*first, *since, now),
            ));
        }
        found.extend(
            asked.iter().map(|(reviewer, since)| answer(policy, case, reviewer.clone(), *since)),
        );
    }
    found.extend(sessions(conn)?);
    found.extend(people.terms(conn, now)?);
    found.extend(people.alarms(conn, policy)?);
    found.retain(|item| people.has_to(item));
    found.sort_by_key(|item| (item.due, item.case));
    Ok(found)
}

/// What a case makes somebody owe, before it is asked what time it is.
#[derive(Debug, Clone, PartialEq)]
pub struct DueCandidates {
    /// Who gave a label that counts.
    pub labeled: Vec<String>,
    open: Option<Open>,
    waits: Option<Waits>,
    /// Whose label was returned, and when.
    asked: Vec<(String, Moment)>,
}

/// What decides whose turn an open case is.
#[derive(Debug, Clone, PartialEq)]
struct Open {
    detected: Moment,
    due: Moment,
    labels: usize,
    language: String,
    needs: Vec<String>,
}

impl DueCandidates {
    /// Nothing if nobody owes anything for the case.
    pub fn of(
        row: &CaseRow,
        labeled: Vec<String>,
        labels: &[GivenLabel],
        acts: &[Done],
        escalated: &[Escalation],
    ) -> Option<Self> {
        let open = (row.state == CaseState::Open).then(|| Open {
            detected: row.at.moment(),
            due: row.due,
            labels: row.labels,
            language: row.language.clone(),
            needs: row.needs.clone(),
        });
        let (waits, asked) = (waits(row.state, labels, acts, escalated), asked(acts, labels));
        let claims = Self { labeled, open, waits, asked };
        (claims.open.is_some() || claims.waits.is_some() || !claims.asked.is_empty())
            .then_some(claims)
    }
}

/// Who can owe something.
struct Assignees {
    share: Share,
    value: Option<Valuer>,
    /// Everybody with a role.
    people: BTreeSet<String>,
    reviewers: Vec<String>,
    leads: Vec<String>,
    /// Who has it in the end: all leads, where the owner leads no more.
    owner: Vec<String>,
}

impl Assignees {
    fn read(conn: &Connection, policy: &Policy, now: Moment) -> rusqlite::Result<Self> {
        let grants = roster::current(conn)?;
        let of_role = |role: Role| {
            let of_role = grants.iter().filter(|grant| grant.role == role);
            let mut names: Vec<String> = of_role.map(|grant| grant.name.clone()).collect();
            names.sort();
            names.dedup();
            names
        };
        let (reviewers, leads) = (of_role(Role::Reviewer), of_role(Role::Lead));
        let owner = arbitration::owner(conn, policy)?;
        let owner = if leads.contains(&owner) { vec![owner] } else { leads.clone() };
        let people = grants.into_iter().map(|grant| grant.name).collect();
        let (share, value) = (share(conn, now)?, Valuer::load(conn)?);
        Ok(Self { share, value, people, reviewers, leads, owner })
    }

    fn idle(&self, conn: &Connection, work: &CaseLoad<'_>) -> rusqlite::Result<Vec<String>> {
        idle(conn, self.value.as_ref(), &self.share, work)
    }

    /// An open case wants labels of some of the candidates.
    fn label_item(&self, work: &CaseLoad<'_>, who: &[usize]) -> DueItem {
        let who = who.iter().map(|at| self.share.candidates()[*at].name.clone()).collect();
        let item = DueItem::new(Duty::Label, who, work.detected, work.due);
        DueItem { case: Some(work.case), ..item }
    }

    /// Calls `each` with every open case that is due by a time, and with who is to label it: their
    /// places among the candidates.
    fn each_label(
        &self,
        conn: &Connection,
        policy: &Policy,
        until: Moment,
        now: Moment,
        mut each: impl FnMut(&CaseLoad<'_>, &[usize]),
    ) -> rusqlite::Result<()> {
        let mut sharing = Sharing::of(&self.share);
        let mut failed = None;
        case::for_each_open(conn, until, |work, _| {
            let known = labeled_by(conn, policy, work.case, work.labels)
                .and_then(|labeled| Ok((labeled, self.idle(conn, &work)?)));
            match known {
                Ok((labeled, idle)) => {
                    let work = CaseLoad { idle: &idle, ..work };
                    each(&work, sharing.wanted(&work, &labeled, now));
                    true
                }
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Adds whatever is due but labels of open cases, and puts all in order.
    fn others(
        &self,
        conn: &Connection,
        policy: &Policy,
        now: Moment,
        found: &mut Vec<DueItem>,
    ) -> rusqlite::Result<()> {
        for Waiting { row, why, since, stands, by, .. } in waiting(conn, policy, now, usize::MAX)? {
            let labeled = labeled_by(conn, policy, row.id, row.labels)?;
            found.push(self.settle(row.id, &labeled, (why, since, &by), stands));
        }
        for (id, acts) in acts::all(conn)? {
            let labels = label::live_of_case(conn, id)?;
            found.extend(
                asked(&acts, &labels)
                    .into_iter()
                    .map(|(reviewer, since)| answer(policy, id, reviewer, since)),
            );
        }
        found.extend(sessions(conn)?);
        found.extend(self.terms(conn, now)?);
        found.extend(self.alarms(conn, policy)?);
        found.retain(|item| self.has_to(item));
        found.sort_by_key(|item| (item.due, item.case));
        Ok(())
    }

    /// Whether anybody who is still here has to do something: a question to who was retired is
    /// nobody's to answer.
    fn has_to(&self, item: &DueItem) -> bool {
        item.what != Duty::Returned || item.who.iter().any(|who| self.reviewers.contains(who))
    }

    /// A term whose day has nearly come waits for its owner, or for all leads where nobody here is
    /// called so.
    fn terms(&self, conn: &Connection, now: Moment) -> rusqlite::Result<Vec<DueItem>> {
        let Some(published) = glossary::latest(conn)? else { return Ok(Vec::new()) };
        let soon = Moment(now.0 + TERM_AHEAD_MS).date();
        let due = published.glossary.terms.into_iter().filter_map(|term| {
            let day = term.review_by.filter(|day| *day <= soon)?;
            let owner = self.people.contains(&term.owner);
            let who = if owner { vec![term.owner] } else { self.leads.clone() };
            let item = DueItem::new(Duty::Term, who, published.at, Moment::end_of(day));
            Some(DueItem { term: Some(term.id), ..item })
        });
        Ok(due.collect())
    }

    /// An open alarm waits for leads.
    fn alarms(&self, conn: &Connection, policy: &Policy) -> rusqlite::Result<Vec<DueItem>> {
        let hours = i64::from(policy.escalation.hours(Level::Lead));
        let open = raised_alarms(conn)?.into_iter().filter(|alarm| alarm.is_open());
        Ok(open
            .map(|alarm| {
                let due = Moment(alarm.at.0 + hours * HOUR_MS);
                let item = DueItem::new(Duty::Alarm, self.leads.clone(), alarm.at, due);
                DueItem {
                    alarm: Some(format!("{} {}", alarm.id, alarm.words())),
                    drawn: alarm.raised.cases,
                    ..item
                }
            })
            .collect())
    }

    /// A case that was escalated, disputed or appealed against waits for those of its level.
    fn settle(
        &self,
        id: CaseId,
        labeled: &[String],
        (why, since, by): (Why, Moment, &[String]),
        stands: Stands,
    ) -> DueItem {
        let peer = |name: &&String| !labeled.contains(name) && !by.contains(name);
        let who = match stands.level {
            Level::Peer => self.reviewers.iter().filter(peer).cloned().collect(),
            Level::Lead => self.leads.clone(),
            Level::Owner => self.owner.clone(),
        };
        let what = match why {
            Why::Disputed => Duty::Disputed,
            Why::Escalated => Duty::Escalated,
            Why::Appealed => Duty::Appealed,
            Why::Contested => Duty::Contested,
        };
        let item = DueItem::new(what, who, since, stands.due);
        DueItem { case: Some(id), level: Some(stands.level), missed: stands.missed, ..item }
    }
}

/// Whose labels lie with them with a question, and since when.
fn asked(acts: &[Done], labels: &[GivenLabel]) -> Vec<(String, Moment)> {
    let asked = returned(acts, labels).into_iter().filter_map(|done| match &done.act {
        Act::Returned { reviewer, .. } => Some((reviewer.clone(), done.at.moment())),
        _ => None,
    });
    asked.collect()
}

/// A question about a label wants an answer of whoever gave it.
fn answer(policy: &Policy, id: CaseId, reviewer: String, since: Moment) -> DueItem {
    let due = Moment(since.0 + i64::from(policy.escalation.peer.max(1)) * HOUR_MS);
    DueItem { case: Some(id), ..DueItem::new(Duty::Returned, vec![reviewer], since, due) }
}

/// A session that is blind wants labels of everybody it invited.
fn sessions(conn: &Connection) -> rusqlite::Result<Vec<DueItem>> {
    let mut found = Vec::new();
    for session in
        calibration::sessions(conn)?.into_iter().filter(|session| session.stage() == Stage::Blind)
    {
        let of = session.opened.what.cases.len();
        for one in calibration::awaited(conn, &session)? {
            let (who, since) = (vec![one.reviewer], session.opened.at.moment());
            found.push(DueItem {
                session: Some(session.name().to_owned()),
                cases: of - one.done[0],
                ..DueItem::new(Duty::Session, who, since, session.deadline())
            });
        }
    }
    Ok(found)
}

/// How many cases are due: a session is owed once by each who takes part, for as many as they have
/// left. A term is no case.
pub fn cases_due<'o>(due_items: impl IntoIterator<Item = &'o DueItem>) -> usize {
    due_items
        .into_iter()
        .filter(|one| one.term.is_none() && one.alarm.is_none())
        .map(|one| one.cases)
        .sum()
}

/// How many of them are past their time.
pub fn cases_overdue<'o>(due_items: impl IntoIterator<Item = &'o DueItem>, now: Moment) -> usize {
    cases_due(due_items.into_iter().filter(|item| item.is_overdue(now)))
}

/// What is due of somebody, by duty.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    pub all: usize,
    pub overdue: usize,
    /// When the first of them was, or is, due.
    pub first_due: Option<Moment>,
}

impl Tally {
    fn add(&mut self, cases: usize, overdue: bool, due: Moment) {
        self.all += cases;
        self.overdue += if overdue { cases } else { 0 };
        self.first_due = Some(self.first_due.map_or(due, |first| first.min(due)));
    }
}

/// By person, then by clock.
pub fn by_person(due_items: &[DueItem], now: Moment) -> BTreeMap<String, BTreeMap<Duty, Tally>> {
    let mut people: BTreeMap<String, BTreeMap<Duty, Tally>> = BTreeMap::new();
    for one in due_items {
        for who in &one.who {
            let tally = people.entry(who.clone()).or_default().entry(one.what).or_default();
            tally.add(one.cases, one.is_overdue(now), one.due);
        }
    }
    people
}

/// What people were told of already.
pub fn nudged(conn: &Connection) -> rusqlite::Result<std::collections::HashSet<String>> {
    let rows = document::of_kind(conn, "nudge")?;
    Ok(rows
        .iter()
        .filter_map(|row| serde_json::from_str::<NudgeSent>(&row.body).ok())
        .flat_map(|sent| sent.items)
        .collect())
}
