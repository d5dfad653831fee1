//! The rows of a stream that were looked at last, from which an alarm draws its cases, with what
//! lies around each.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::time::Moment;

/// Most rows of a stream that are remembered, and of all streams together.
const ROWS_MAX: usize = 512;
const ROWS_ALL: usize = 32_768;
/// Fewest, however many streams there are.
const ROWS_LEAST: usize = 16;

/// A line with its number in the input.
pub type Line = (u64, Arc<str>);

/// A line that becomes a case, with those around it in its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub number: u64,
    pub line: Arc<str>,
    pub around: Vec<Line>,
}

/// A row of late, which may become a case.
#[derive(Debug)]
pub struct RecentRow {
    pub u: u64,
    pub at: Moment,
    /// None where it came in an earlier run, or had to wait too long.
    pub line: Option<Line>,
    /// What each alarm goes by; of none where no alarm goes by anything.
    pub by: Vec<Option<Box<str>>>,
}

/// The rows that were looked at last.
#[derive(Debug, Default)]
pub struct Recent {
    rows: VecDeque<RecentRow>,
    /// Place of the first of them in the stream.
    first: u64,
}

impl Recent {
    /// Remembers a row, where so many streams share the room; gives its place in the stream.
    pub fn push(&mut self, row: RecentRow, streams: usize) -> u64 {
        self.rows.push_back(row);
        let most = (ROWS_ALL / streams.max(1)).clamp(ROWS_LEAST, ROWS_MAX);
        while self.rows.len() > most {
            self.rows.pop_front();
            self.first += 1;
        }
        self.first + self.rows.len() as u64 - 1
    }

    /// The rows with their places, the latest first.
    pub fn latest(&self) -> impl Iterator<Item = (u64, &RecentRow)> + Clone {
        let newest = self.first + self.rows.len() as u64;
        self.rows.iter().rev().enumerate().map(move |(back, row)| (newest - 1 - back as u64, row))
    }

    /// Up to `reach` lines on each side of a place, but for the one at it.
    pub fn around(&self, place: u64, reach: u64) -> Vec<Line> {
        let near = (self.first..).zip(&self.rows);
        let near = near.filter(|(at, _)| *at != place && at.abs_diff(place) <= reach);
        near.filter_map(|(_, row)| row.line.clone()).collect()
    }
}
