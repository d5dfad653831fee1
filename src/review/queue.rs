//! A reviewer's queue: open cases that are theirs ([`crate::domain::assign`]), that they have not
//! labeled and not put off, due first, then by rank. Where the policy orders by value, what is due
//! soonest is put in order by what a label is worth ([`super::value`]), but for what is nearly due.
//!
//! Pages are read by key, never by offset, so that the millionth case costs what the first does.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use super::share::{heard, idle_founder, share};
use super::value::{Valuer, Worth};
use super::{Filter, gold, retest};
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::db::{count, label, note, roster};
use crate::domain::assign::{BEHIND_MAX, CaseLoad, Share, Turn};
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND};
use crate::domain::policy::{Copies, Policy};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::views::{self, evidence::labeled_by};

/// Open cases that are put in order by value: those due soonest.
const WINDOW: usize = 1_000;
/// Part of its time after which a case comes first whatever a label of it is worth.
const NEARLY_DUE: f64 = 0.75;

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
    /// Whether they founded the workspace and leave its cases to others.
    leaves_to_others: bool,
    /// Of a hundred cases, how many are mixed in to measure.
    gold_percent: u32,
    /// An old case of theirs that comes back, and at which place.
    repeat: Option<(usize, CaseRow)>,
    /// Up to when this device knows what others did.
    pub heard: Moment,
    policy: Policy,
    value: Option<Arc<Valuer>>,
    window: OnceLock<Arc<Window>>,
    /// Where all cases of the queue stand, once that was asked for, in its order.
    mine: OnceLock<Arc<Vec<QueueKey>>>,
}

/// The cases due soonest in the order of their value, and where the others begin.
#[derive(Debug, Default)]
struct Window {
    rows: Vec<CaseRow>,
    then: Option<QueueKey>,
}

/// A case with what decides its place in the order of value.
struct Placed {
    /// 0: nearly due, 1: worth a label, 2: a copy of one that comes before, 3: hardly worth one.
    class: u8,
    due: Option<Moment>,
    value: f64,
    pool: CaseId,
    row: CaseRow,
}

impl Placed {
    fn order(one: &Self, other: &Self) -> Ordering {
        let head = |of: &Self| (of.class, of.due, of.row.turn);
        let by_value = || other.value.total_cmp(&one.value);
        let by_key = || one.row.key().cmp(&other.row.key());
        head(one).cmp(&head(other)).then_with(by_value).then_with(by_key)
    }
}

impl Window {
    /// Takes a page of them after (or before) a place; tells whether that place is among them. After
    /// one that left the queue come all of them again: whoever has some keeps those.
    fn page(
        &self,
        from: QueueKey,
        direction: Direction,
        limit: usize,
        kept: &mut Vec<CaseRow>,
    ) -> bool {
        let at = self.rows.iter().position(|row| row.num == from.num);
        let is_end = [QueueKey::FIRST, QueueKey::LAST].contains(&from);
        let behind = self.then.is_some_and(|then| QueueKey { turn: 0, ..from } > then);
        match (direction, at) {
            _ if at.is_none() && behind => return false,
            // It left the queue since: nobody knows any more what came after it.
            (Direction::Forward, None) if !is_end => kept.extend(self.rows.iter().cloned()),
            (Direction::Backward, None) if !is_end => {}
            (Direction::Forward, at) => {
                let begin = at.map_or(0, |at| at + 1);
                kept.extend(self.rows.iter().skip(begin).take(limit).cloned());
            }
            (Direction::Backward, at) => {
                let before = &self.rows[..at.unwrap_or(self.rows.len())];
                kept.extend(before.iter().rev().take(limit).cloned());
            }
        }
        true
    }
}

/// Those who share the work of whom a label of a case would hardly teach anything, where that
/// matters.
pub fn idle(
    conn: &Connection,
    value: Option<&Valuer>,
    share: &Share,
    work: &CaseLoad<'_>,
) -> rusqlite::Result<Vec<String>> {
    match value.filter(|_| work.labels > 0) {
        Some(value) => {
            let names = share.candidates().iter().map(|candidate| candidate.name.as_str());
            value.idle(conn, work.case, names)
        }
        None => Ok(Vec::new()),
    }
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
    /// Whether they founded the workspace and leave its cases to others.
    pub leaves_to_others: bool,
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
        let heard = heard(conn, now)?;
        let policy = views::policy(conn)?;
        let gold_percent = policy.gold_percent;
        let repeat = retest::pending(conn, reviewer, &policy, now)?;
        let leads = roster::current(conn)?
            .iter()
            .any(|grant| grant.name == reviewer && grant.role == Role::Lead);
        let leaves_to_others = idle_founder(conn, now)?.is_some_and(|founder| founder == reviewer);
        let (reviewer, share) = (reviewer.to_owned(), share(conn, now)?);
        Ok(Self {
            reviewer,
            leads,
            leaves_to_others,
            state: None,
            deferred,
            share,
            gold_percent,
            repeat,
            heard,
            value: Valuer::load(conn)?.map(Arc::new),
            policy,
            window: OnceLock::new(),
            mine: OnceLock::new(),
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
        !self.share.is_everybodys() || self.policy.copies == Copies::Pooled
    }

    /// What is known without looking at every case.
    pub fn quick_counts(&self, conn: &Connection) -> rusqlite::Result<QueueCounts> {
        if !self.counts_are_slow() {
            return self.counts(conn, || false);
        }
        let of = |state: CaseState| count::get(conn, &format!("state:{}", state as i64));
        let (open, disputed, resolved) =
            (of(CaseState::Open)?, of(CaseState::Disputed)?, of(CaseState::Resolved)?);
        let (leads, leaves_to_others) = (self.leads, self.leaves_to_others);
        let counting = true;
        Ok(QueueCounts {
            open,
            disputed,
            resolved,
            counting,
            leads,
            leaves_to_others,
            ..Default::default()
        })
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
            leaves_to_others: self.leaves_to_others,
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
        let pooled = self.policy.copies == Copies::Pooled;
        if pooled {
            counts.labeled = 0; // others' copies of what they labeled count too
        }
        let mut failed = None;
        case::for_each_open(conn, Moment(i64::MAX), |work, _| {
            match self.turn(conn, &work) {
                Ok(None) => counts.labeled += u64::from(pooled),
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
        let labeled = labeled_by(conn, &self.policy, work.case, work.labels)?;
        let labeled: Vec<&str> = labeled.iter().map(String::as_str).collect();
        if labeled.contains(&self.reviewer.as_str()) {
            return Ok(None);
        }
        let idle = self.idle(conn, work)?;
        let work = CaseLoad { idle: &idle, ..*work };
        Ok(Some(self.share.turn(&self.reviewer, &work, &labeled, self.heard)))
    }

    /// What a label of a case by the reviewer is worth, where the queue is in that order.
    pub fn worth(&self, conn: &Connection, row: &CaseRow) -> rusqlite::Result<Option<Worth>> {
        self.value.as_ref().map(|value| value.worth(conn, row, &self.reviewer)).transpose()
    }

    /// Those of whom a label of a case would hardly teach anything.
    pub fn idle(&self, conn: &Connection, work: &CaseLoad<'_>) -> rusqlite::Result<Vec<String>> {
        idle(conn, self.value.as_deref(), &self.share, work)
    }

    /// Where a case stands in the queue: as [`QueueKey::turn`] says, or nothing if it is not in it.
    fn place(&self, conn: &Connection, case: &CaseRow) -> rusqlite::Result<Option<u8>> {
        if self.state.is_some() {
            // What measures a reviewer is in no list of what is settled.
            let comes_back = self.repeat.as_ref().is_some_and(|(_, row)| row.id == case.id);
            return Ok((!comes_back && !gold::measures(conn, &self.reviewer, case)?).then_some(0));
        }
        self.turn_of(conn, &case.work())
    }

    /// The same of an open case.
    fn turn_of(&self, conn: &Connection, work: &CaseLoad<'_>) -> rusqlite::Result<Option<u8>> {
        if self.deferred.contains_key(&work.case) {
            return Ok(None);
        }
        Ok(match self.turn(conn, work)? {
            Some(Turn::First) => Some(0),
            Some(Turn::Widened(behind)) => Some(behind),
            _ => None,
        })
    }

    /// Whether [`Self::page`] looks at cases that are none of the reviewer's.
    pub fn is_shared(&self) -> bool {
        self.state.is_none() && !self.share.is_everybodys()
    }

    /// Finds out where all cases of the queue stand: every open case is looked at once, where
    /// [`Self::page`] looks at those that stand between the reviewer's. What comes later is not among
    /// them.
    pub fn know_mine(&self, conn: &Connection) -> rusqlite::Result<Arc<Vec<QueueKey>>> {
        if let Some(mine) = self.mine.get() {
            return Ok(Arc::clone(mine));
        }
        let (mut mine, mut failed) = (Vec::new(), None);
        case::for_each_open(conn, Moment(i64::MAX), |work, key| {
            match self.turn_of(conn, &work) {
                Ok(turn) => mine.extend(turn.map(|turn| QueueKey { turn, ..key })),
                Err(error) => failed = Some(error),
            }
            failed.is_none()
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        mine.sort_unstable();
        Ok(Arc::clone(self.mine.get_or_init(|| Arc::new(mine))))
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
        let (begun, mut from) = (from, from);
        let mut window = None;
        if let Some(value) = self.value.as_ref().filter(|_| self.state.is_none()) {
            let by_value = self.window(conn, value)?;
            let inside = by_value.page(from, direction, limit, &mut kept);
            match (by_value.then, direction) {
                // Behind those in the order of their value come the others.
                (Some(then), Direction::Forward) if kept.len() < limit => {
                    from = if inside { then } else { from };
                }
                (_, Direction::Backward) if !inside => {}
                _ => {
                    self.mix_in(conn, begun, direction, &mut kept)?;
                    return Ok(kept);
                }
            }
            window = Some(by_value);
        }
        // Before it stand those in the order of their value.
        let bound = window.as_ref().and_then(|window| window.then).unwrap_or(QueueKey::FIRST);
        let first = window.as_ref().and_then(|window| window.then).unwrap_or(QueueKey::FIRST);
        let last =
            if !self.is_shared() { 0 } else { BEHIND_MAX.min(self.share.candidates().len() as u8) };
        let turns: Vec<u8> = match direction {
            Direction::Forward => (from.turn..=last).collect(),
            Direction::Backward => (0..=from.turn.min(last)).rev().collect(),
        };
        for turn in turns {
            if kept.len() >= limit {
                break;
            }
            let start = match direction {
                _ if turn == from.turn => from,
                Direction::Forward => first,
                Direction::Backward => QueueKey::LAST,
            };
            self.page_of(conn, turn, start, direction, (limit, bound), &mut kept)?;
        }
        if let Some(window) = window.filter(|_| direction == Direction::Backward) {
            let left = limit - kept.len();
            kept.extend(window.rows.iter().rev().take(left).cloned());
        }
        self.mix_in(conn, begun, direction, &mut kept)?;
        Ok(kept)
    }

    /// Mixes in what measures a reviewer, at the head of their queue.
    fn mix_in(
        &self,
        conn: &Connection,
        from: QueueKey,
        direction: Direction,
        kept: &mut Vec<CaseRow>,
    ) -> rusqlite::Result<()> {
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
        Ok(())
    }

    /// The cases due soonest that are the reviewer's, by value: first what is nearly due, then their
    /// own and others' by what a label teaches, one of each text, and last what it would hardly
    /// teach anything of.
    fn window(&self, conn: &Connection, value: &Valuer) -> rusqlite::Result<Arc<Window>> {
        if let Some(window) = self.window.get() {
            return Ok(window.clone());
        }
        let mut found = Vec::new();
        let (mut from, mut looked_at, mut more) = (QueueKey::FIRST, 0, true);
        while more && looked_at < WINDOW {
            let but_not = Some(self.reviewer.as_str());
            let page =
                case::page(conn, CaseState::Open, from, Direction::Forward, but_not, WINDOW)?;
            more = page.len() == WINDOW;
            looked_at += page.len();
            from = page.last().map_or(from, CaseRow::key);
            for row in page {
                let Some(turn) = self.place(conn, &row)? else { continue };
                let worth = value.worth(conn, &row, &self.reviewer)?;
                let due = (row.part_gone(self.heard) >= NEARLY_DUE).then_some(row.due);
                let class = match due {
                    Some(_) => 0,
                    None if worth.is_little() => 3,
                    None => 1,
                };
                let row = CaseRow { turn, ..row };
                found.push(Placed { class, due, value: worth.value(), pool: worth.pool, row });
            }
        }
        found.sort_by(Placed::order);
        // A label of one is a label of its copies: they wait until it is given.
        let mut pools = HashSet::new();
        for placed in found.iter_mut().filter(|placed| placed.class == 1) {
            placed.class = if pools.insert(placed.pool) { 1 } else { 2 };
        }
        found.sort_by(Placed::order);
        let rows = found.into_iter().map(|placed| placed.row).collect();
        let window = Arc::new(Window { rows, then: more.then_some(from) });
        Ok(self.window.get_or_init(|| window).clone())
    }

    fn page_of(
        &self,
        conn: &Connection,
        turn: u8,
        mut from: QueueKey,
        direction: Direction,
        (limit, bound): (usize, QueueKey),
        kept: &mut Vec<CaseRow>,
    ) -> rusqlite::Result<()> {
        let (state, but_not) = match self.state {
            Some(state) => (state, None),
            None => (CaseState::Open, Some(self.reviewer.as_str())),
        };
        // Few are others' that one may take too: they are not looked for page by page.
        let mine = match self.mine.get() {
            Some(mine) if self.state.is_none() => Some(Arc::clone(mine)),
            _ if turn > 0 => Some(self.know_mine(conn)?),
            _ => None,
        };
        if let Some(mine) = mine {
            let from = QueueKey { turn, ..from };
            let of_turn = mine.partition_point(|key| key.turn < turn)
                ..mine.partition_point(|key| key.turn <= turn);
            let of_turn = &mine[of_turn];
            let keys: &mut dyn Iterator<Item = &QueueKey> = match direction {
                Direction::Forward => {
                    &mut of_turn[of_turn.partition_point(|key| *key <= from)..].iter()
                }
                Direction::Backward => {
                    &mut of_turn[..of_turn.partition_point(|key| *key < from)].iter().rev()
                }
            };
            for key in keys {
                if kept.len() >= limit
                    || direction == Direction::Backward && (QueueKey { turn: 0, ..*key }) <= bound
                {
                    break;
                }
                let Some(case) = case::by_num(conn, key.num)? else { continue };
                if case.state == state && self.place(conn, &case)? == Some(turn) {
                    kept.push(CaseRow { turn, ..case });
                }
            }
            return Ok(());
        }
        while kept.len() < limit {
            let page = case::page(conn, state, from, direction, but_not, limit)?;
            let full = page.len() == limit;
            from = page.last().map_or(from, CaseRow::key);
            for case in page {
                if direction == Direction::Backward && case.key() <= bound {
                    return Ok(());
                }
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
