//! ADWIN (Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", 2007): a
//! window that is cut where its older and its newer part have means that differ by more than
//! chance. Values are kept in buckets that double in size, so that n values take log n places.

use serde::{Deserialize, Serialize};

use super::Change;

pub use crate::domain::traps::ADWIN_DELTA as DELTA;
pub const CLOCK: u64 = 32;
/// Buckets of one size before two are put together.
const BUCKETS: usize = 5;
/// Fewest values on either side of a cut.
const SIDE_LEAST: f64 = 5.0;
/// Values before the first look.
const GRACE: u64 = 10;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adwin {
    delta: f64,
    clock: u64,
    /// Buckets of 1, 2, 4 … values, the newest last in each row.
    rows: Vec<Row>,
    ticks: u64,
    width: u64,
    total: f64,
    /// Sum of squared distances from the mean.
    spread: f64,
    /// A change was found with the last value.
    changed: bool,
    /// Where it lies most plainly.
    #[serde(skip)]
    change: Option<Change>,
}

/// The buckets of one size, the oldest first.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Row {
    len: usize,
    buckets: [Bucket; BUCKETS + 1],
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    spread: f64,
}

impl Row {
    fn push(&mut self, bucket: Bucket) {
        self.buckets[self.len] = bucket;
        self.len += 1;
    }

    fn drop_first(&mut self, n: usize) {
        self.buckets.copy_within(n..self.len, 0);
        self.len -= n;
    }
}

/// One side of a cut.
#[derive(Clone, Copy)]
struct Side {
    n: f64,
    total: f64,
}

impl Side {
    fn mean(self) -> f64 {
        self.total / self.n
    }
}

impl Adwin {
    pub fn new(delta: f64, clock: u64) -> Self {
        Self {
            delta,
            clock: clock.max(1),
            rows: vec![Row::default()],
            ticks: 0,
            width: 0,
            total: 0.0,
            spread: 0.0,
            changed: false,
            change: None,
        }
    }

    /// What differs, where a change was found with the last value.
    pub fn change(&self) -> Option<Change> {
        self.change.filter(|_| self.changed)
    }

    pub fn width(&self) -> u64 {
        self.width
    }

    pub fn mean(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.total / self.width as f64 }
    }

    /// Sum of squared distances from the mean of what is kept.
    pub fn spread(&self) -> f64 {
        self.spread
    }

    pub fn take(&mut self, value: f64) -> bool {
        if self.changed {
            *self = Self::new(self.delta, self.clock);
        }
        self.ticks += 1;
        if self.width > 0 {
            let before = self.width as f64;
            let off = value - self.total / before;
            self.spread += before * off * off / (before + 1.0);
        }
        self.width += 1;
        self.total += value;
        self.rows[0].push(Bucket { total: value, spread: 0.0 });
        self.compress();
        self.changed = self.ticks.is_multiple_of(self.clock)
            && self.width > GRACE
            && self.cut_where_it_changed();
        self.changed
    }

    /// Puts the two oldest buckets of a full row together into one of the next.
    fn compress(&mut self) {
        let mut at = 0;
        while self.rows[at].len == BUCKETS + 1 {
            let size = (1_u64 << at) as f64;
            let [one, two, ..] = self.rows[at].buckets;
            let apart = one.total / size - two.total / size;
            let merged = Bucket {
                total: one.total + two.total,
                spread: one.spread + two.spread + size * size * apart * apart / (size + size),
            };
            self.rows[at].drop_first(2);
            if at + 1 == self.rows.len() {
                self.rows.push(Row::default());
            }
            at += 1;
            self.rows[at].push(merged);
        }
    }

    /// Drops the oldest buckets as long as a cut shows that they are of another time.
    fn cut_where_it_changed(&mut self) -> bool {
        // Before anything is dropped: what is kept may be mostly of the time before.
        let (mut plainest, mut change) = (0.0, None);
        self.differs_somewhere(|by_chance, old, new| {
            let times = (old.mean() - new.mean()).abs() / by_chance;
            if times > plainest {
                plainest = times;
                change = Some(Change { before: old.mean(), now: new.mean(), rows: new.n as u64 });
            }
            false
        });
        self.change = change;
        if change.is_none() {
            return false;
        }
        while self.differs_somewhere(|_, _, _| true) {
            self.drop_oldest();
        }
        true
    }

    /// Tells each place where the window can be cut so that its two parts differ by more than chance
    /// allows, until one is enough; whether one was.
    fn differs_somewhere(&self, mut is_enough: impl FnMut(f64, Side, Side) -> bool) -> bool {
        let width = self.width as f64;
        let deviation = 2.0 * (self.spread / width);
        let unlikely = (2.0 * width.ln() / self.delta).ln();
        let mut old = Side { n: 0.0, total: 0.0 };
        let mut new = Side { n: width, total: self.total };
        for at in (0..self.rows.len()).rev() {
            let size = (1_u64 << at) as f64;
            let row = &self.rows[at];
            for (place, bucket) in row.buckets[..row.len].iter().enumerate() {
                old = Side { n: old.n + size, total: old.total + bucket.total };
                new = Side { n: new.n - size, total: new.total - bucket.total };
                // Behind the newest bucket there is nothing to compare with.
                if at == 0 && place + 1 == row.len {
                    return false;
                }
                if old.n < SIDE_LEAST || new.n < SIDE_LEAST {
                    continue;
                }
                let few = 1.0 / (old.n - SIDE_LEAST + 1.0) + 1.0 / (new.n - SIDE_LEAST + 1.0);
                let bound = (few * deviation * unlikely).sqrt() + 2.0 / 3.0 * few * unlikely;
                if (old.mean() - new.mean()).abs() > bound && is_enough(bound, old, new) {
                    return true;
                }
            }
        }
        false
    }

    fn drop_oldest(&mut self) {
        let at = self.rows.len() - 1;
        let size = 1_u64 << at;
        let bucket = self.rows[at].buckets[0];
        self.width -= size;
        self.total -= bucket.total;
        let (n, left) = (size as f64, self.width as f64);
        if self.width > 0 {
            let apart = bucket.total / n - self.total / left;
            self.spread -= bucket.spread + n * left * apart * apart / (n + left);
        }
        self.rows[at].drop_first(1);
        if self.rows[at].len == 0 && at > 0 {
            self.rows.pop();
        }
    }
}
