//! Clocks: what is owed, by whom, and until when. A function of the journal and the time, the same on every device.
//!
//! | what                       | who                                  | until                                |
//! | -------------------------- | ------------------------------------ | ------------------------------------ |
//! | an open case wants labels  | the first of its order without one   | the policy's hours after detection   |
//! | it was escalated           | its peers, then leads, then the owner | the level's hours                   |
//! | it is disputed             | leads, then the owner                | the level's hours                    |
//! | a ruling was appealed      | the owner                            | the level's hours                    |
//! | a label was returned       | its author                           | a peer's hours after the question    |
//! | a session is blind         | who has not labeled all of it        | its deadline                         |

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::arbitration::{self, Why, waiting};
use super::calibration;
use super::queue::share;
use crate::db::{arbitration as acts, case, document, label, roster};
use crate::domain::arbitration::{Act, returned};
use crate::domain::escalation::Level;
use crate::domain::ids::CaseId;
use crate::domain::label::MAIN_ROUND;
use crate::domain::policy::Policy;
use crate::domain::roster::Role;
use crate::domain::session::Stage;
use crate::domain::time::Moment;
use crate::journal::kind::NudgeSent;

const HOUR_MS: i64 = 3_600_000;

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    Label,
    Escalated,
    Disputed,
    Appealed,
    Returned,
    Session,
}

impl Clock {
    pub const ALL: [Self; 6] = [Self::Label, Self::Escalated, Self::Disputed, Self::Appealed, Self::Returned, Self::Session];

    pub fn word(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Escalated => "escalated",
            Self::Disputed => "disputed",
            Self::Appealed => "appealed",
            Self::Returned => "returned",
            Self::Session => "session",
        }
    }

    /// What whoever owes it has to do.
    pub fn about(self) -> &'static str {
        match self {
            Self::Label => "cases to label",
            Self::Escalated => "escalated cases to look at",
            Self::Disputed => "disputed cases to rule on",
            Self::Appealed => "appeals to decide",
            Self::Returned => "questions about your labels to answer",
            Self::Session => "calibration cases to label",
        }
    }
}

/// One thing that somebody owes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Owed {
    pub what: Clock,
    /// Everybody whose turn it is.
    pub who: Vec<String>,
    pub case: Option<CaseId>,
    pub session: Option<String>,
    pub level: Option<Level>,
    pub since: Moment,
    pub due: Moment,
    /// How many cases it is.
    pub cases: usize,
}

impl Owed {
    pub fn is_overdue(&self, now: Moment) -> bool {
        self.due <= now
    }

    /// What it is known by, for one of those who owe it: nobody is told of it twice.
    pub fn key(&self, who: &str) -> String {
        let case = self.case.map(|case| case.to_string()).unwrap_or_default();
        let level = self.level.map_or("", Level::word);
        let session = self.session.as_deref().unwrap_or_default();
        let text = format!("{who}\u{1f}{}\u{1f}{case}\u{1f}{session}\u{1f}{level}\u{1f}{}", self.what.word(), self.since.0);
        blake3::hash(text.as_bytes()).to_hex().as_str().chars().take(16).collect()
    }
}

/// Everything that is owed, what is due first first.
pub fn owed(conn: &Connection, policy: &Policy, now: Moment) -> rusqlite::Result<Vec<Owed>> {
    let share = share(conn)?;
    let grants = roster::all(conn)?;
    let of_role = |role: Role| {
        let mut names: Vec<String> = grants.iter().filter(|grant| grant.role == role).map(|grant| grant.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    };
    let (leads, reviewers, owner) = (of_role(Role::Lead), of_role(Role::Reviewer), arbitration::owner(conn, policy)?);
    let mut found = Vec::new();
    let mut failed = None;
    case::for_each_open(conn, |work| {
        let labeled = match labeled_by(conn, work.case, work.labels) {
            Ok(labeled) => labeled,
            Err(error) => {
                failed = Some(error);
                return false;
            }
        };
        let (wanted, _) = share.places(&work, now);
        let left = share.order(&work, now).into_iter().filter(|candidate| !labeled.contains(&candidate.name));
        let who: Vec<String> = left.take(wanted.saturating_sub(labeled.len())).map(|candidate| candidate.name.clone()).collect();
        let (case, since, due) = (Some(work.case), work.detected, work.due);
        found.push(Owed { what: Clock::Label, who, case, session: None, level: None, since, due, cases: 1 });
        true
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    for waits in waiting(conn, policy, now)? {
        let labeled = labeled_by(conn, waits.row.id, waits.row.labels)?;
        let who = match waits.stands.level {
            Level::Peer => reviewers.iter().filter(|name| !labeled.contains(name) && !waits.by.contains(name)).cloned().collect(),
            Level::Lead => leads.clone(),
            Level::Owner => vec![owner.clone()],
        };
        let what = match waits.why {
            Why::Disputed => Clock::Disputed,
            Why::Escalated => Clock::Escalated,
            Why::Appealed => Clock::Appealed,
        };
        let (case, level) = (Some(waits.row.id), Some(waits.stands.level));
        let (since, due) = (waits.since, waits.stands.due);
        found.push(Owed { what, who, case, session: None, level, since, due, cases: 1 });
    }
    for (id, acts) in acts::all(conn)? {
        let labels = label::live_of_case(conn, id)?;
        for done in returned(&acts, &labels) {
            let Act::Returned { reviewer, .. } = &done.act else { continue };
            let since = done.at.moment();
            let due = Moment(since.0 + i64::from(policy.escalation.peer.max(1)) * HOUR_MS);
            let who = vec![reviewer.clone()];
            found.push(Owed { what: Clock::Returned, who, case: Some(id), session: None, level: None, since, due, cases: 1 });
        }
    }
    for session in calibration::sessions(conn)?.into_iter().filter(|session| session.stage() == Stage::Blind) {
        let of = session.opened.what.cases.len();
        for one in calibration::progress(conn, &session)?.into_iter().filter(|one| one.done[0] < of) {
            found.push(Owed {
                what: Clock::Session,
                who: vec![one.reviewer],
                case: None,
                session: Some(session.name().to_owned()),
                level: None,
                since: session.opened.at.moment(),
                due: session.opened.what.deadline,
                cases: of - one.done[0],
            });
        }
    }
    found.sort_by_key(|owed| (owed.due, owed.case));
    Ok(found)
}

fn labeled_by(conn: &Connection, id: CaseId, labels: usize) -> rusqlite::Result<Vec<String>> {
    if labels == 0 {
        return Ok(Vec::new());
    }
    let given = label::live_of_case(conn, id)?.into_iter().filter(|given| given.label.round == MAIN_ROUND);
    Ok(given.map(|given| given.label.reviewer).collect())
}

/// What somebody owes, by clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    pub all: usize,
    pub overdue: usize,
    /// When the first of them was, or is, due.
    pub first_due: Option<Moment>,
}

/// By person, then by clock.
pub fn by_person(owed: &[Owed], now: Moment) -> BTreeMap<String, BTreeMap<Clock, Tally>> {
    let mut people: BTreeMap<String, BTreeMap<Clock, Tally>> = BTreeMap::new();
    for one in owed {
        for who in &one.who {
            let tally = people.entry(who.clone()).or_default().entry(one.what).or_default();
            tally.all += one.cases;
            tally.overdue += if one.is_overdue(now) { one.cases } else { 0 };
            tally.first_due = Some(tally.first_due.map_or(one.due, |due| due.min(one.due)));
        }
    }
    people
}

/// What people were told of already.
pub fn nudged(conn: &Connection) -> rusqlite::Result<std::collections::HashSet<String>> {
    let rows = document::of_kind(conn, "nudge")?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str::<NudgeSent>(&row.body).ok()).flat_map(|sent| sent.items).collect())
}
