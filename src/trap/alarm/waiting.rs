//! Rows that wait to be looked at, so that late ones come in their order: of an input that ends as
//! many as can be held, of one that does not those of the latest five minutes.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::recent::Line;
use super::watched::Watched;
use crate::domain::time::Moment;

/// Late rows are waited for so long where the input does not end.
pub const LATE_MS: i64 = 300_000;
/// Most rows that wait, of all streams together.
const ROWS_MAX: usize = 16_384;
/// Most bytes of their lines, of all streams together.
const BYTES_MAX: usize = 32 << 20;
/// So many rows and bytes of a stream may wait, however many streams there are.
const ROWS_LEAST: usize = 64;
const BYTES_LEAST: usize = 64 << 10;

/// A row that waits. Its line is not kept from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingRow {
    pub at: Moment,
    /// A hash of the prediction, the same everywhere: cases are those with the smallest.
    pub u: u64,
    pub number: u64,
    /// For each alarm, what it looks at.
    pub watched: Vec<Watched>,
    #[serde(skip)]
    pub line: Option<Arc<str>>,
}

impl WaitingRow {
    fn order(&self, other: &Self) -> Ordering {
        (self.at, self.u).cmp(&(other.at, other.u))
    }
}

/// The rows of a stream that wait, the earliest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Waiting {
    rows: VecDeque<WaitingRow>,
    #[serde(skip)]
    bytes: usize,
}

impl Waiting {
    /// Puts what rules look at where they stand now: for each the place where it stood, if it did.
    pub fn sort_out(&mut self, places: &[Option<usize>]) {
        for row in &mut self.rows {
            let known = std::mem::take(&mut row.watched);
            let of = |place: &Option<usize>| place.and_then(|place| known.get(place)).cloned();
            row.watched = places.iter().map(|place| of(place).unwrap_or_default()).collect();
        }
    }

    /// Lines that wait, the latest first.
    pub fn latest(&self) -> impl Iterator<Item = Line> {
        self.rows.iter().rev().filter_map(|row| row.line.clone().map(|line| (row.number, line)))
    }

    /// Puts a row in its place; one that waits already is passed over.
    pub fn put(&mut self, row: WaitingRow) {
        // Nearly always it is the newest.
        let last = self.rows.back().map_or(Ordering::Less, |last| last.order(&row));
        let place = match last {
            Ordering::Less => self.rows.len(),
            Ordering::Equal => return,
            Ordering::Greater => match self.rows.binary_search_by(|other| other.order(&row)) {
                Ok(_) => return,
                Err(place) => place,
            },
        };
        self.bytes += row.line.as_ref().map_or(0, |line| line.len());
        self.rows.insert(place, row);
    }

    /// The next row that is due: one that is not after `until`, or one too many where so many streams
    /// share the room.
    pub fn next(&mut self, until: Option<Moment>, streams: usize) -> Option<WaitingRow> {
        let first = self.rows.front()?;
        let most = (ROWS_MAX / streams.max(1)).max(ROWS_LEAST);
        let bytes = (BYTES_MAX / streams.max(1)).max(BYTES_LEAST);
        let is_full = self.rows.len() > most || self.bytes > bytes;
        let is_due = is_full || until.is_some_and(|until| first.at <= until);
        if is_due { self.pop() } else { None }
    }

    /// The next row, whether it is due or not.
    pub fn pop(&mut self) -> Option<WaitingRow> {
        let row = self.rows.pop_front()?;
        self.bytes -= row.line.as_ref().map_or(0, |line| line.len());
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, u: u64) -> WaitingRow {
        let line = Some(Arc::from("x".repeat(1_000)));
        WaitingRow { at: Moment(at), u, number: 0, watched: Vec::new(), line }
    }

    #[test]
    fn rows_come_in_their_order_each_once_and_no_more_wait_than_may() {
        let mut waiting = Waiting::default();
        for n in [5, 3, 4, 3, 9, 5] {
            waiting.put(row(n, 1));
        }
        let due: Vec<i64> =
            std::iter::from_fn(|| waiting.next(Some(Moment(5)), 1)).map(|row| row.at.0).collect();
        assert_eq!(due, [3, 4, 5]);
        for n in 0..2 * ROWS_MAX as u64 {
            waiting.put(row(10, n));
            while waiting.next(None, 1).is_some() {}
            assert!(waiting.bytes <= BYTES_MAX && waiting.rows.len() <= ROWS_MAX);
        }
        assert!(waiting.rows.iter().all(|row| row.line.is_some()), "none gives up its line");
        let text = serde_json::to_string(&waiting).unwrap();
        assert!(!text.contains("xxx"), "no line is kept");
        let again: Waiting = serde_json::from_str(&text).unwrap();
        assert_eq!(again.rows.len(), ROWS_MAX);
        while waiting.pop().is_some() {}
        assert_eq!(waiting.bytes, 0);
    }
}
