//! The part of the queue that is in memory: some rows around the cursor, read page by page.

use std::collections::HashSet;

use crate::domain::ids::CaseId;
use crate::review::{CaseRow, Direction, QueueKey};

use super::effect::Effect;

/// Rows read at a time.
pub const PAGE: usize = 100;
/// Rows kept; the far end is let go when there are more.
const ROWS_MAX: usize = 500;

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
        Effect::Page { from: QueueKey::FIRST, direction: Direction::Forward, limit: PAGE }
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
        if !self.at_end && self.cursor + margin >= self.rows.len() {
            self.more(Direction::Forward)
        } else if !self.at_start && self.cursor < margin {
            self.more(Direction::Backward)
        } else {
            Vec::new()
        }
    }

    fn more(&self, direction: Direction) -> Vec<Effect> {
        let row =
            if direction == Direction::Forward { self.rows.last() } else { self.rows.first() };
        row.map(|row| Effect::Page { from: row.key(), direction, limit: PAGE })
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
        vec![Effect::Page { from: QueueKey::LAST, direction: Direction::Backward, limit: PAGE }]
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
