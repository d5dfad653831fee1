//! A reviewer's queue: open cases that are theirs ([`crate::domain::assign`]), that they have not
//! labeled and not put off, due first, then by what a label is worth.
//!
//! Pages are read by key, never by offset, so that the millionth case costs what the first does.

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::Connection;

use super::{Filter, gold, retest};
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::db::{count, document, label, note, roster, store};
use crate::domain::assign::{BEHIND_MAX, Candidate, CaseLoad, Share, Turn};
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, that_count_in};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::views;

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
    pub share: Share,
    /// Whether the reviewer leads.
    leads: bool,
    /// Of a hundred cases, how many are mixed in to measure.
    gold_percent: u32,
    /// An old case of theirs that comes back, and at which place.
    repeat: Option<(usize, CaseRow)>,
    /// Up to when this device knows what others did.
    pub heard: Moment,
}

/// How work is shared between those who were admitted to review.
pub fn share(conn: &Connection) -> rusqlite::Result<Share> {
    let mut profiles = roster::profiles(conn)?;
    let grants = roster::current(conn)?;
    let reviews = |grant: &&roster::GrantRow| grant.role == Role::Reviewer;
    let mut names: Vec<String> =
        grants.iter().filter(reviews).map(|grant| grant.name.clone()).collect();
    names.sort();
    names.dedup();
    let policy = views::policy(conn)?;
    if policy.training.required {
        let protocols = document::of_kind(conn, "protocol")?;
        let in_force: Vec<&str> = protocols.iter().map(|row| row.name.as_str()).collect();
        let leads: Vec<&str> = grants
            .iter()
            .filter(|grant| grant.role == Role::Lead)
            .map(|grant| grant.name.as_str())
            .collect();
        let trained = gold::trained(conn, &in_force)?;
        // Somebody must be there to begin with.
        names.retain(|name| leads.contains(&name.as_str()) || trained.contains(name));
    }
    let candidate =
        |name: String| Candidate::new(&name, profiles.remove(&name).unwrap_or_default());
    Ok(Share::new(names.into_iter().map(candidate).collect(), &policy))
}

/// How many cases there are, and why those that are not here are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    pub open: u64,
    pub disputed: u64,
    pub resolved: u64,
    /// Open, and labeled by this reviewer already.
    pub labeled: u64,
    /// Open, theirs, not labeled, and put off.
    pub deferred: u64,
    /// Open, not labeled, and others' for now.
    pub others: u64,
    /// Open, not labeled, and beyond what they can: a language, a skill, or that they do not
    /// review.
    pub beyond: u64,
    /// Theirs as a stand-by: others' first, and its time runs out.
    pub widened: u64,
    /// Whose the open cases are is still being counted.
    pub counting: bool,
    /// Whether they lead: what leads do is offered to them.
    pub leads: bool,
}

impl QueueCounts {
    pub fn total(&self) -> u64 {
        self.open + self.disputed + self.resolved
    }

    /// Cases in the reviewer's queue: assigned to them, or theirs as a stand-by.
    pub fn mine(&self) -> u64 {
        self.open.saturating_sub(self.labeled + self.deferred + self.others + self.beyond)
    }

    /// Cases that are assigned to the reviewer, so that they are due of them.
    pub fn assigned(&self) -> u64 {
        self.mine().saturating_sub(self.widened)
    }
}

impl Queue {
    pub fn load(conn: &Connection, reviewer: &str, now: Moment) -> rusqlite::Result<Self> {
        let deferred = note::deferred_by(conn, reviewer, now)?.into_iter().collect();
        // Whoever has not heard of the others for days can't know which of their cases wait: time
        // runs out for others' work only as far as this device has heard.
        let heard = store::setting(conn, store::LAST_SYNC)?
            .and_then(|ms| ms.parse().ok())
            .map_or(now, Moment);
        let policy = views::policy(conn)?;
        let gold_percent = policy.gold_percent;
        let repeat = retest::pending(conn, reviewer, &policy, now)?;
        let leads = roster::current(conn)?
            .iter()
            .any(|grant| grant.name == reviewer && grant.role == Role::Lead);
        let (reviewer, share) = (reviewer.to_owned(), share(conn)?);
        Ok(Self {
            reviewer,
            leads,
            state: None,
            deferred,
            share,
            gold_percent,
            repeat,
            heard: heard.min(now),
        })
    }

    /// The same for the cases of one state, labeled or not.
    pub fn of_state(
        conn: &Connection,
        reviewer: &str,
        state: CaseState,
        now: Moment,
    ) -> rusqlite::Result<Self> {
        Ok(Self { state: Some(state), gold_percent: 0, ..Self::load(conn, reviewer, now)? })
    }

    /// Whether [`Self::counts`] must look at every open case.
    pub fn counts_are_slow(&self) -> bool {
        !self.share.is_everybodys()
    }

    /// What is known without looking at every case.
    pub fn quick_counts(&self, conn: &Connection) -> rusqlite::Result<QueueCounts> {
        if !self.counts_are_slow() {
            return self.counts(conn, || false);
        }
        let of = |state: CaseState| count::get(conn, &format!("state:{}", state as i64));
        let (open, disputed, resolved) =
            (of(CaseState::Open)?, of(CaseState::Disputed)?, of(CaseState::Resolved)?);
        let leads = self.leads;
        Ok(QueueCounts { open, disputed, resolved, counting: true, leads, ..Default::default() })
    }

    /// How many cases there are of each kind; looks at every open one unless everybody gets all.
    pub fn counts(
        &self,
        conn: &Connection,
        stop: impl Fn() -> bool,
    ) -> rusqlite::Result<QueueCounts> {
        let of = |state: CaseState| count::get(conn, &format!("state:{}", state as i64));
        let mut counts = QueueCounts {
            open: of(CaseState::Open)?,
            disputed: of(CaseState::Disputed)?,
            resolved: of(CaseState::Resolved)?,
            labeled: count::get(conn, &format!("labeled-open:{}", self.reviewer))?,
            leads: self.leads,
            ..QueueCounts::default()
        };
        let reviews =
            self.share.candidates().iter().any(|candidate| candidate.name == self.reviewer);
        if !self.counts_are_slow() && reviews {
            for id in self.deferred.keys() {
                let open =
                    case::by_id(conn, *id)?.is_some_and(|case| case.state == CaseState::Open);
                counts.deferred += u64::from(open && !self.labeled(conn, *id)?);
            }
            return Ok(counts);
        }
        let mut failed = None;
        case::for_each_open(conn, |work| {
            match self.turn(conn, &work) {
                Ok(None) => {}
                Ok(Some(Turn::Others)) => counts.others += 1,
                Ok(Some(Turn::Cannot)) => counts.beyond += 1,
                Ok(Some(_)) if self.deferred.contains_key(&work.case) => counts.deferred += 1,
                Ok(Some(turn)) => counts.widened += u64::from(turn != Turn::First),
                Err(error) => failed = Some(error),
            }
            failed.is_none() && !stop()
        })?;
        failed.map_or(Ok(counts), Err)
    }

    /// Why an open case is the reviewer's or not; nothing if they have labeled it.
    pub fn turn(&self, conn: &Connection, work: &CaseLoad<'_>) -> rusqlite::Result<Option<Turn>> {
        let given =
            if work.labels == 0 { Vec::new() } else { label::live_of_case(conn, work.case)? };
        let counting = that_count_in(&given, MAIN_ROUND).into_iter();
        let labeled: Vec<&str> = counting.map(|given| given.label.reviewer.as_str()).collect();
        if labeled.contains(&self.reviewer.as_str()) {
            return Ok(None);
        }
        Ok(Some(self.share.turn(&self.reviewer, work, &labeled, self.heard)))
    }

    /// Where a case stands in the queue: as [`QueueKey::turn`] says, or nothing if it is not in it.
    fn place(&self, conn: &Connection, case: &CaseRow) -> rusqlite::Result<Option<u8>> {
        if self.state.is_some() {
            // What measures a reviewer is in no list of what is settled.
            let comes_back = self.repeat.as_ref().is_some_and(|(_, row)| row.id == case.id);
            return Ok((!comes_back && !gold::measures(conn, &self.reviewer, case)?).then_some(0));
        }
        if self.deferred.contains_key(&case.id) {
            return Ok(None);
        }
        Ok(match self.turn(conn, &case.work())? {
            Some(Turn::First) => Some(0),
            Some(Turn::Widened(behind)) => Some(behind),
            _ => None,
        })
    }

    /// Whether a case that is settled could be the reviewer's, if it were not.
    fn could_be_given(&self, conn: &Connection, row: &CaseRow) -> rusqlite::Result<bool> {
        let turn = self.turn(conn, &CaseLoad { labels: 0, ..row.work() })?;
        Ok(!self.deferred.contains_key(&row.id) && !matches!(turn, None | Some(Turn::Cannot)))
    }

    fn labeled(&self, conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
        let mine = |given: &GivenLabel| {
            given.label.reviewer == self.reviewer && given.label.round == MAIN_ROUND
        };
        Ok(label::live_of_case(conn, id)?.iter().any(mine))
    }

    /// Up to `limit` cases after (or before) a place; fewer only at the end. One's own come first:
    /// whoever helped others before doing their own would leave those to others, who do them at the
    /// same time.
    pub fn page(
        &self,
        conn: &Connection,
        from: QueueKey,
        direction: Direction,
        limit: usize,
    ) -> rusqlite::Result<Vec<CaseRow>> {
        let mut kept = Vec::with_capacity(limit);
        let plain = self.state.is_some() || self.share.is_everybodys();
        let last = if plain { 0 } else { BEHIND_MAX.min(self.share.candidates().len() as u8) };
        let turns: Vec<u8> = match direction {
            Direction::Forward => (from.turn..=last).collect(),
            Direction::Backward => (0..=from.turn.min(last)).rev().collect(),
        };
        for turn in turns {
            let start = match direction {
                _ if turn == from.turn => from,
                Direction::Forward => QueueKey::FIRST,
                Direction::Backward => QueueKey::LAST,
            };
            self.page_of(conn, turn, start, direction, limit, &mut kept)?;
        }
        if self.gold_percent > 0 && from == QueueKey::FIRST && direction == Direction::Forward {
            for (place, row) in
                gold::mixed(conn, &self.reviewer, self.gold_percent, kept.len(), |row| {
                    self.could_be_given(conn, row)
                })?
            {
                let CaseRow { turn, due, rank, .. } = kept[place];
                kept.insert(place, CaseRow { turn, due, rank, ..row });
            }
        }
        if let Some((place, row)) =
            self.repeat.as_ref().filter(|_| self.state.is_none() && from == QueueKey::FIRST)
            && direction == Direction::Forward
            && *place < kept.len()
        {
            let CaseRow { turn, due, rank, .. } = kept[*place];
            kept.insert(*place, CaseRow { turn, due, rank, ..row.clone() });
        }
        Ok(kept)
    }

    fn page_of(
        &self,
        conn: &Connection,
        turn: u8,
        mut from: QueueKey,
        direction: Direction,
        limit: usize,
        kept: &mut Vec<CaseRow>,
    ) -> rusqlite::Result<()> {
        let (state, but_not) = match self.state {
            Some(state) => (state, None),
            None => (CaseState::Open, Some(self.reviewer.as_str())),
        };
        while kept.len() < limit {
            let page = case::page(conn, state, from, direction, but_not, limit)?;
            let full = page.len() == limit;
            from = page.last().map_or(from, CaseRow::key);
            for case in page {
                if kept.len() < limit && self.place(conn, &case)? == Some(turn) {
                    kept.push(CaseRow { turn, ..case });
                }
            }
            if !full {
                break;
            }
        }
        Ok(())
    }

    /// The cases of the queue that a filter lets through, in the queue's order, at most
    /// [`FILTERED_MAX`].
    pub fn filtered(
        &self,
        conn: &Connection,
        filter: &Filter,
        stop: impl Fn() -> bool,
    ) -> rusqlite::Result<Vec<CaseRow>> {
        let state = self.state.unwrap_or(CaseState::Open);
        let hits = match filter.query() {
            Some(query) => {
                let mut hits = case::search(conn, &query, HITS_MAX)?;
                hits.retain(|case| case.state == state && filter.matches(case));
                hits
            }
            None if filter.sort.is_some() => return self.sorted(conn, filter, state, stop),
            None => case::scan(conn, state, FILTERED_MAX * 2, |case| filter.matches(case), stop)?,
        };
        let mut own = Vec::with_capacity(hits.len().min(FILTERED_MAX));
        for case in hits {
            if let Some(turn) = self.place(conn, &case)? {
                own.push(CaseRow { turn, ..case });
            }
        }
        match filter.sort {
            Some(sort) => own.sort_by(|one, other| sort.compare(one, other)),
            None => own.sort_by_key(CaseRow::key),
        }
        own.truncate(FILTERED_MAX);
        Ok(own)
    }

    /// The first of all cases of a state that fit a filter, in its order: every one is looked at.
    fn sorted(
        &self,
        conn: &Connection,
        filter: &Filter,
        state: CaseState,
        stop: impl Fn() -> bool,
    ) -> rusqlite::Result<Vec<CaseRow>> {
        let Some(sort) = filter.sort else { return Ok(Vec::new()) };
        let (mut first, mut failed): (Vec<CaseRow>, _) = (Vec::new(), None);
        let keep_first = |rows: &mut Vec<CaseRow>| {
            rows.sort_by(|one, other| sort.compare(one, other));
            rows.truncate(FILTERED_MAX);
        };
        let mut last: Option<CaseRow> = None;
        let look = |case: &CaseRow| {
            let behind =
                last.as_ref().is_some_and(|last| sort.compare(last, case) == Ordering::Less);
            if !behind && filter.matches(case) {
                match self.place(conn, case) {
                    Ok(Some(turn)) => first.push(CaseRow { turn, ..case.clone() }),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
                if first.len() >= 2 * FILTERED_MAX {
                    keep_first(&mut first);
                    last = first.last().cloned();
                }
            }
            false
        };
        case::scan(conn, state, 1, look, stop)?;
        if let Some(error) = failed {
            return Err(error);
        }
        keep_first(&mut first);
        Ok(first)
    }
}
