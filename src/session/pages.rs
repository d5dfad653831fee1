//! The part of the queue that is in memory: some rows around the cursor, read page by page.

use std::collections::HashSet;

use crate::domain::ids::CaseId;
use crate::review::{CaseRow, Direction, QueueKey};

use super::effect::Effect;

/// Rows read at a time.
pub const PAGE: usize = 100;
/// Rows kept; the far end is let go when there are more.
const ROWS_MAX: usize = 500;
/// Most rows from the end of those in memory at which more are read. Twice as many and a page are in
/// memory, or what is let go at one end would be read again at once.
const EARLY_MAX: usize = 150;

/// Rows of the queue and the cursor on them.
#[derive(Debug, Clone, Default)]
pub struct QueueModel {
    pub rows: Vec<CaseRow>,
    /// Index into `rows`.
    pub cursor: usize,
    /// The first row on screen.
    pub top: usize,
    /// How many rows are shown at a time, wherever that is.
    pub shown: usize,
    /// How many rows stand before `rows` in the whole queue.
    pub before: u64,
    at_start: bool,
    at_end: bool,
    /// Whether `rows` are all there is, as a filter found them.
    pub filtered: bool,
}

impl QueueModel {
    /// What to do to read the queue from its start.
    pub fn start() -> Effect {
        Effect::Page {
            from: QueueKey::FIRST,
            direction: Direction::Forward,
            limit: PAGE,
            ahead: false,
        }
    }

    /// One that was put away, before as many rows as are shown now.
    pub fn again(all: Self, shown: usize) -> Self {
        let mut all = Self { shown, ..all };
        all.show_cursor();
        all
    }

    /// Takes in a page that was read.
    pub fn take(
        &mut self,
        from: QueueKey,
        direction: Direction,
        rows: Vec<CaseRow>,
        full: bool,
        total: u64,
    ) {
        let first = self.rows.first().map(CaseRow::key);
        let last = self.rows.last().map(CaseRow::key);
        match direction {
            Direction::Forward if Some(from) == last => {
                let known: HashSet<CaseId> = self.rows.iter().map(|row| row.id).collect();
                self.rows.extend(rows.into_iter().filter(|row| !known.contains(&row.id)));
                self.at_end = !full;
                if self.rows.len() > ROWS_MAX {
                    let gone = self.rows.len() - ROWS_MAX;
                    self.rows.drain(..gone);
                    self.cursor = self.cursor.saturating_sub(gone);
                    self.top = self.top.saturating_sub(gone);
                    self.before += gone as u64;
                    self.at_start = false;
                }
            }
            Direction::Backward if Some(from) == first => {
                let n = rows.len();
                self.rows.splice(..0, rows.into_iter().rev());
                self.at_start = !full;
                self.cursor += n;
                self.top += n;
                self.before = self.before.saturating_sub(n as u64);
                if self.rows.len() > ROWS_MAX {
                    self.rows.truncate(ROWS_MAX);
                    self.at_end = false;
                }
            }
            Direction::Forward => {
                *self = Self {
                    rows,
                    at_start: from == QueueKey::FIRST,
                    at_end: !full,
                    shown: self.shown,
                    ..Self::default()
                };
            }
            Direction::Backward => {
                let n = rows.len();
                let before = total.saturating_sub(n as u64);
                let rows = rows.into_iter().rev().collect();
                *self = Self {
                    rows,
                    cursor: n.saturating_sub(1),
                    before,
                    at_start: !full,
                    at_end: true,
                    shown: self.shown,
                    ..Self::default()
                };
            }
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// Takes in all that a filter found.
    pub fn take_filtered(&mut self, rows: Vec<CaseRow>) {
        *self = Self {
            rows,
            at_start: true,
            at_end: true,
            filtered: true,
            shown: self.shown,
            ..Self::default()
        };
    }

    pub fn current(&self) -> Option<&CaseRow> {
        self.rows.get(self.cursor)
    }

    /// Moves the cursor; says what must be read for it.
    pub fn step(&mut self, by: i64) -> Vec<Effect> {
        let target = self.cursor as i64 + by;
        let last = self.rows.len().saturating_sub(1) as i64;
        self.cursor = target.clamp(0, last) as usize;
        self.show_cursor();
        let margin = self.shown.max(20);
        let early = (2 * margin).min(EARLY_MAX).max(margin);
        let left = self.rows.len().saturating_sub(self.cursor);
        if !self.at_end && left <= early {
            self.more(Direction::Forward, left > margin)
        } else if !self.at_start && self.cursor < early {
            self.more(Direction::Backward, self.cursor >= margin)
        } else {
            Vec::new()
        }
    }

    fn more(&self, direction: Direction, ahead: bool) -> Vec<Effect> {
        let row =
            if direction == Direction::Forward { self.rows.last() } else { self.rows.first() };
        row.map(|row| Effect::Page { from: row.key(), direction, limit: PAGE, ahead })
            .into_iter()
            .collect()
    }

    pub fn to_start(&mut self) -> Vec<Effect> {
        if self.at_start || self.filtered {
            (self.cursor, self.top) = (0, 0);
            return Vec::new();
        }
        vec![Self::start()]
    }

    pub fn to_end(&mut self) -> Vec<Effect> {
        if self.at_end || self.filtered {
            self.cursor = self.rows.len().saturating_sub(1);
            self.show_cursor();
            return Vec::new();
        }
        vec![Effect::Page {
            from: QueueKey::LAST,
            direction: Direction::Backward,
            limit: PAGE,
            ahead: false,
        }]
    }

    /// Scrolls by half screens, so that most cursor moves repaint two cells and not the whole list.
    pub fn show_cursor(&mut self) {
        let height = self.shown.max(1);
        if self.cursor < self.top {
            self.top = self.cursor.saturating_sub(height / 2);
        } else if self.cursor >= self.top + height {
            self.top =
                self.cursor + 1 - height + (height / 2).min(self.rows.len() - 1 - self.cursor);
        }
        self.top = self.top.min(self.rows.len().saturating_sub(1));
    }

    /// Puts the cursor on a case, if it is in memory.
    pub fn go_to(&mut self, id: CaseId) -> bool {
        let Some(at) = self.rows.iter().position(|row| row.id == id) else { return false };
        self.cursor = at;
        self.show_cursor();
        true
    }

    /// Takes a case out: it was labeled or put off.
    pub fn remove(&mut self, id: CaseId) {
        let Some(at) = self.rows.iter().position(|row| row.id == id) else { return };
        self.rows.remove(at);
        if at < self.cursor {
            self.cursor -= 1;
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// The cursor's place in the whole queue, from 1.
    pub fn place(&self) -> u64 {
        if self.rows.is_empty() { 0 } else { self.before + self.cursor as u64 + 1 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::{EventId, Hash, ReplicaId};
    use crate::domain::resolve::CaseState;
    use crate::domain::time::{Hlc, Moment};

    fn row(num: i64) -> CaseRow {
        let external_id = num.to_string();
        let event = EventId { replica: ReplicaId([0; 16]), seq: 1, n: 0 };
        CaseRow {
            num,
            id: CaseId::of("s", &external_id),
            stream: String::new(),
            external_id,
            occurred_at: Moment(0),
            at: Hlc { ms: 0, n: 0 },
            event,
            payload: Hash::of(&[]),
            model: String::new(),
            predicted: None,
            confidence: None,
            flags: Vec::new(),
            rank: 0,
            state: CaseState::Open,
            due: Moment(0),
            labels: 0,
            outcome: None,
            how: None,
            language: String::new(),
            needs: Vec::new(),
            text: String::new(),
            turn: 0,
        }
    }

    /// Does what a queue of so many rows wants; what it reads ahead may wait.
    fn perform(queue: &mut QueueModel, effects: Vec<Effect>, total: i64) -> Vec<Effect> {
        let mut waits = Vec::new();
        for effect in effects {
            let Effect::Page { from, direction, limit, .. } = effect else { continue };
            if effect.can_wait() {
                waits.push(effect);
                continue;
            }
            let after: Vec<CaseRow> = match direction {
                Direction::Forward => (0..total).map(row).filter(|row| row.key() > from).collect(),
                Direction::Backward => {
                    (0..total).rev().map(row).filter(|row| row.key() < from).collect()
                }
            };
            let rows: Vec<CaseRow> = after.into_iter().take(limit).collect();
            let full = rows.len() >= limit;
            queue.take(from, direction, rows, full, total as u64);
            queue.show_cursor();
        }
        waits
    }

    proptest! {
        /// However the cursor moves, all that is to be shown is there, though what is read ahead comes
        /// only after the next frame; and the cursor is where it was sent.
        #[test]
        fn what_is_shown_never_waits(
            total in 1..900_i64,
            shown in 1..PAGE,
            moves in prop::collection::vec((0..4_u8, 1..160_i64), 1..60),
        ) {
            let mut queue = QueueModel { shown, ..QueueModel::default() };
            perform(&mut queue, vec![QueueModel::start()], total);
            let (mut at, mut later) = (0, Vec::new());
            for (kind, by) in moves {
                later.iter_mut().for_each(Effect::need_now);
                perform(&mut queue, std::mem::take(&mut later), total);
                let by = by.min(shown as i64);
                let effects = match kind {
                    0 => { at = 0; queue.to_start() }
                    1 => { at = total - 1; queue.to_end() }
                    2 => { at = (at + by).min(total - 1); queue.step(by) }
                    _ => { at = (at - by).max(0); queue.step(-by) }
                };
                later = perform(&mut queue, effects, total);
                prop_assert_eq!(queue.place(), at as u64 + 1);
                prop_assert_eq!(queue.rows[queue.cursor].num, at);
                // The screen is as full as it can be.
                let on_screen = queue.rows.len() - queue.top;
                let first = queue.rows[queue.top].num;
                prop_assert!(on_screen >= shown.min((total - first) as usize));
                prop_assert!(queue.rows.len() <= ROWS_MAX);
            }
        }
    }
}
