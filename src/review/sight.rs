//! What one person may see of what others said: the rule, in one place, for every list.
//!
//! Nobody who may still label a case is shown what others said of it. Labels that only measure (on
//! known answers, on cases that come back) are for their reviewer and for leads. Labels of a
//! calibration session are their reviewer's alone until it is revealed, to all at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::Connection;

use super::{Blind, calibration, gold};
use crate::db::case::{self, CaseRow};
use crate::db::label::{self, LabelRow};
use crate::domain::calibration::Calibration;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, measures};
use crate::domain::policy::{Copies, Policy};
use crate::domain::resolve::CaseState;
use crate::journal::views::{self, evidence};

/// Who looks, and what is kept from them.
#[derive(Clone)]
pub struct Sight {
    me: String,
    kept_from: Blind,
    /// Rounds of sessions, and those of them that are not revealed yet.
    of_sessions: BTreeSet<String>,
    hidden: BTreeSet<String>,
    /// What was found out about cases so far, and whether that is all there is to know.
    known: HashMap<CaseId, bool>,
    knows_all: bool,
    /// Which cases have their labels in common.
    policy: Policy,
}

/// After so many cases that were looked at one by one, all are, at once.
const ONE_BY_ONE_MAX: usize = 64;

impl Sight {
    /// # Errors
    /// Those of the database.
    pub fn load(conn: &Connection, me: &str, kept_from: Blind) -> rusqlite::Result<Self> {
        let sessions = calibration::sessions(conn)?;
        let hidden =
            sessions.iter().filter_map(Calibration::hidden_round).map(str::to_owned).collect();
        let of_sessions = sessions.iter().flat_map(Calibration::rounds).collect();
        let (known, knows_all) = (HashMap::new(), false);
        let (me, policy) = (me.to_owned(), views::policy(conn)?);
        Ok(Self { me, kept_from, of_sessions, hidden, known, knows_all, policy })
    }

    /// Whether what others said of a case is kept from them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_blind_to(&mut self, conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
        if self.kept_from == Blind::Never {
            return Ok(false);
        }
        if let Some(blind) = self.known.get(&id) {
            return Ok(*blind);
        }
        if self.known.len() >= ONE_BY_ONE_MAX && !self.knows_all {
            self.look_at_all(conn)?;
            return self.is_blind_to(conn, id);
        }
        let blind = match case::by_id(conn, id)? {
            Some(row) => self.looks_at(conn, &row)?,
            None => false,
        };
        self.known.insert(id, blind);
        Ok(blind)
    }

    /// Finds out about all cases at once, before many are asked about.
    ///
    /// # Errors
    /// Those of the database.
    pub fn know_all(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.kept_from == Blind::Never || self.knows_all {
            return Ok(());
        }
        self.look_at_all(conn)
    }

    fn look_at_all(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.policy.copies == Copies::Pooled {
            let mut rows = Vec::new();
            case::for_each(conn, |row| rows.push(row))?;
            for row in rows {
                let blind = self.looks_at(conn, &row)?;
                self.known.insert(row.id, blind);
            }
            self.knows_all = true;
            return Ok(());
        }
        let given: HashSet<CaseId> = label::cases_of(conn, &self.me, MAIN_ROUND)?;
        let measuring: HashSet<CaseId> =
            gold::all(conn)?.into_iter().map(|gold| gold.case).collect();
        let (known, kept_from) = (&mut self.known, self.kept_from);
        case::for_each_state(conn, |id, state| {
            known.insert(id, kept_from.to(state, given.contains(&id), measuring.contains(&id)));
        })?;
        self.knows_all = true;
        Ok(())
    }

    fn looks_at(&self, conn: &Connection, row: &CaseRow) -> rusqlite::Result<bool> {
        let mine =
            |given: &GivenLabel| given.label.reviewer == self.me && given.label.round == MAIN_ROUND;
        // What is said of a case is said of its copies: one that is kept from somebody keeps all.
        let copies = evidence::copies(conn, &self.policy, row)?;
        let mut rows = vec![row.clone()];
        for copy in copies {
            rows.extend(case::by_id(conn, copy)?);
        }
        let mut given = false;
        for row in &rows {
            given |= label::live_of_case(conn, row.id)?.iter().any(mine);
        }
        for row in &rows {
            // Whether an answer is known is looked up where it matters.
            let measures = self.kept_from == Blind::UntilSettled
                && row.state == CaseState::Resolved
                && gold::is_gold(conn, row.id)?;
            if self.kept_from.to(row.state, given, measures) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what others said of a case could be seen by whoever is about to label it: it can now,
    /// or it could while a label of theirs stood that they took back.
    ///
    /// # Errors
    /// Those of the database.
    pub fn saw_others(&mut self, conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
        let Some(row) = case::by_id(conn, id)? else { return Ok(false) };
        let mut labels = label::of_case(conn, id)?;
        for copy in evidence::copies(conn, &self.policy, &row)? {
            labels.extend(label::of_case(conn, copy)?);
        }
        labels.retain(|row| row.given.label.round == MAIN_ROUND);
        let (own, others): (Vec<_>, Vec<_>) =
            labels.into_iter().partition(|row| row.given.label.reviewer == self.me);
        let Some(first) = others.iter().map(|row| row.given.at).min() else { return Ok(false) };
        let while_it_stood =
            |row: &LabelRow| row.withdrawn.as_ref().is_some_and(|withdrawn| first < withdrawn.at);
        Ok(own.iter().any(while_it_stood) || !self.is_blind_to(conn, id)?)
    }

    /// Whether a round is hidden until its session is revealed.
    pub fn hides_round(&self, round: &str) -> bool {
        self.hidden.contains(round)
    }

    /// Whether they may see a label.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sees(&mut self, conn: &Connection, given: &GivenLabel) -> rusqlite::Result<bool> {
        let label = &given.label;
        if label.reviewer == self.me {
            return Ok(true);
        }
        if self.of_sessions.contains(&label.round) {
            return Ok(!self.hidden.contains(&label.round));
        }
        if measures(&label.round) && self.kept_from == Blind::UntilSettled {
            return Ok(false);
        }
        Ok(!self.is_blind_to(conn, label.case)?)
    }
}

/// Whose figures somebody is shown: how often they disagree, how reliable they seem. Reviewers see
/// their own; whoever leads, or reviews nothing, sees everybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Nobody's but theirs; none: everybody's.
    own: Option<String>,
}

impl Figures {
    pub fn of(me: &str, kept_from: Blind) -> Self {
        Self { own: (kept_from == Blind::UntilSettled).then(|| me.to_owned()) }
    }

    /// Those of everybody: of a file, whose figures nobody here keeps.
    pub fn all() -> Self {
        Self { own: None }
    }

    /// Whether figures about these people are shown: about one, or about one with others.
    pub fn shows<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> bool {
        self.own.as_ref().is_none_or(|own| names.into_iter().any(|name| name == own))
    }
}

/// How many figures about people were left out, and why.
pub fn figures_left_out(n: usize) -> Option<String> {
    let figures = if n == 1 { "figure" } else { "figures" };
    (n > 0).then(|| format!("Left out: {n} {figures} about others (shown to leads)."))
}

/// How many cases were left out of a list, and why.
pub fn cases_left_out(n: usize) -> Option<String> {
    let cases = if n == 1 { "case" } else { "cases" };
    (n > 0).then(|| {
        format!("Left out: {n} {cases} that you may still label, or that measure reviewers.")
    })
}

/// How many things were left out, and why, in words for whoever listed them.
pub fn left_out(n: usize, what: &str) -> Option<String> {
    let why = "you may still label their cases, or they measure reviewers";
    (n > 0).then(|| format!("Left out: {n} {what} of others ({why})."))
}
