//! A reviewer's queue: open cases they have not labeled and not put off, due first, then by what a label
//! is worth.
//!
//! Pages are read by key, never by offset, so that the millionth case costs what the first does.

use std::collections::HashMap;

use rusqlite::Connection;

use super::Filter;
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::db::{count, label, note};
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;

/// Most cases that a filtered queue holds.
pub const FILTERED_MAX: usize = 5_000;
/// Most hits of full-text search that a filter looks through.
const HITS_MAX: usize = 20_000;

/// A reviewer's queue at a moment.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub reviewer: String,
    pub state: Option<CaseState>,
    /// Cases the reviewer put off, and until when.
    deferred: HashMap<CaseId, Moment>,
}

/// How many cases there are, and why those that are not here are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    pub open: u64,
    pub disputed: u64,
    pub resolved: u64,
    /// Open, and labeled by this reviewer already.
    pub labeled: u64,
    /// Open, not labeled, and put off.
    pub deferred: u64,
}

impl QueueCounts {
    pub fn total(&self) -> u64 {
        self.open + self.disputed + self.resolved
    }

    /// Cases in the reviewer's queue.
    pub fn mine(&self) -> u64 {
        self.open.saturating_sub(self.labeled + self.deferred)
    }
}

impl Queue {
    pub fn load(conn: &Connection, reviewer: &str, now: Moment) -> rusqlite::Result<Self> {
        let deferred = note::deferred_by(conn, reviewer, now)?.into_iter().collect();
        Ok(Self { reviewer: reviewer.to_owned(), state: None, deferred })
    }

    /// The same for the cases of one state, labeled or not.
    pub fn of_state(conn: &Connection, reviewer: &str, state: CaseState, now: Moment) -> rusqlite::Result<Self> {
        Ok(Self { state: Some(state), ..Self::load(conn, reviewer, now)? })
    }

    pub fn counts(&self, conn: &Connection) -> rusqlite::Result<QueueCounts> {
        let of = |state: CaseState| count::get(conn, &format!("state:{}", state as i64));
        let mut deferred = 0;
        for id in self.deferred.keys() {
            let open = case::by_id(conn, *id)?.is_some_and(|case| case.state == CaseState::Open);
            deferred += u64::from(open && !self.labeled(conn, *id)?);
        }
        Ok(QueueCounts {
            open: of(CaseState::Open)?,
            disputed: of(CaseState::Disputed)?,
            resolved: of(CaseState::Resolved)?,
            labeled: count::get(conn, &format!("labeled-open:{}", self.reviewer))?,
            deferred,
        })
    }

    fn labeled(&self, conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
        Ok(label::live_of_case(conn, id)?.iter().any(|given| given.label.reviewer == self.reviewer))
    }

    /// Up to `limit` cases after (or before) a place; fewer only at the end.
    pub fn page(&self, conn: &Connection, from: QueueKey, direction: Direction, limit: usize) -> rusqlite::Result<Vec<CaseRow>> {
        let mut kept = Vec::with_capacity(limit);
        let mut from = from;
        let (state, but_not) = match self.state {
            Some(state) => (state, None),
            None => (CaseState::Open, Some(self.reviewer.as_str())),
        };
        loop {
            let page = case::page(conn, state, from, direction, but_not, limit)?;
            let full = page.len() == limit;
            from = page.last().map_or(from, CaseRow::key);
            kept.extend(page.into_iter().filter(|case| !self.hides(case)));
            if !full || kept.len() >= limit {
                kept.truncate(limit);
                return Ok(kept);
            }
        }
    }

    /// The cases of the queue that a filter lets through, in the queue's order, at most [`FILTERED_MAX`].
    pub fn filtered(&self, conn: &Connection, filter: &Filter, stop: impl Fn() -> bool) -> rusqlite::Result<Vec<CaseRow>> {
        let state = self.state.unwrap_or(CaseState::Open);
        let mut kept = match filter.query() {
            Some(query) => {
                let mut hits = case::search(conn, &query, HITS_MAX)?;
                hits.retain(|case| case.state == state && filter.matches(case));
                hits.sort_by_key(CaseRow::key);
                hits
            }
            None => case::scan(conn, state, FILTERED_MAX * 2, |case| filter.matches(case), stop)?,
        };
        let mut own = Vec::with_capacity(kept.len().min(FILTERED_MAX));
        for case in kept.drain(..) {
            if own.len() < FILTERED_MAX && !self.hides(&case) && (self.state.is_some() || !self.labeled(conn, case.id)?) {
                own.push(case);
            }
        }
        Ok(own)
    }

    fn hides(&self, case: &CaseRow) -> bool {
        self.state.is_none() && self.deferred.contains_key(&case.id)
    }
}
