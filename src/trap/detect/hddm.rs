//! HDDM (Frías-Blanco and others, "Online and non-parametric drift detection methods based on
//! Hoeffding's bounds", 2015): whether a share of truths rose, by plain (A) or by weighted (W)
//! averages. For values of 0 and 1.

use serde::{Deserialize, Serialize};

use super::Mean;

pub const CONFIDENCE: f64 = 0.001;
/// Weight of the newest value in a weighted average.
const WEIGHT: f64 = 0.05;

/// By plain averages: for changes that come at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HddmA {
    confidence: f64,
    /// All values, and those up to where the share was least.
    all: Mean,
    least: Mean,
    changed: bool,
}

impl HddmA {
    pub fn new(confidence: f64) -> Self {
        Self { confidence, all: Mean::default(), least: Mean::default(), changed: false }
    }

    pub fn window(&self) -> (u64, f64) {
        (self.all.n, self.all.mean)
    }

    fn bound(&self, n: u64) -> f64 {
        (1.0 / (2 * n) as f64 * (1.0 / self.confidence).ln()).sqrt()
    }

    pub fn take(&mut self, value: f64) -> bool {
        if self.changed {
            *self = Self::new(self.confidence);
        }
        self.all.take(value);
        if self.least.n == 0
            || self.least.mean + self.bound(self.least.n) >= self.all.mean + self.bound(self.all.n)
        {
            self.least = self.all;
        }
        self.changed = self.rose();
        self.changed
    }

    fn rose(&self) -> bool {
        if self.least.n == self.all.n {
            return false;
        }
        let (before, all) = (self.least.n as f64, self.all.n as f64);
        let m = (all - before) / before * (1.0 / all);
        let bound = (m / 2.0 * (2.0 / self.confidence).ln()).sqrt();
        self.all.mean - self.least.mean >= bound
    }
}

/// By averages in which the newest weighs most: for changes that come slowly.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HddmW {
    confidence: f64,
    n: u64,
    all: Weighted,
    before: Weighted,
    since: Weighted,
    /// The least that the average with its bound was; none before the first value.
    least: Option<f64>,
    changed: bool,
}

/// A weighted average, and the sum of squared weights that bounds how far it strays.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Weighted {
    mean: Option<f64>,
    squares: f64,
}

impl Weighted {
    const NONE: Self = Self { mean: None, squares: 1.0 };

    fn take(&mut self, value: f64) {
        self.mean = Some(self.mean.map_or(value, |mean| WEIGHT * value + (1.0 - WEIGHT) * mean));
        self.squares = WEIGHT * WEIGHT + (1.0 - WEIGHT) * (1.0 - WEIGHT) * self.squares;
    }
}

impl HddmW {
    pub fn new(confidence: f64) -> Self {
        Self {
            confidence,
            n: 0,
            all: Weighted::NONE,
            before: Weighted::NONE,
            since: Weighted::NONE,
            least: None,
            changed: false,
        }
    }

    pub fn window(&self) -> (u64, f64) {
        (self.n, self.all.mean.unwrap_or_default())
    }

    fn bound(&self, squares: f64) -> f64 {
        (squares * (1.0 / self.confidence).ln() / 2.0).sqrt()
    }

    pub fn take(&mut self, value: f64) -> bool {
        if self.changed {
            *self = Self::new(self.confidence);
        }
        self.n += 1;
        self.all.take(value);
        let top = self.all.mean.unwrap_or_default() + self.bound(self.all.squares);
        if self.least.is_none_or(|least| top < least) {
            self.least = Some(top);
            self.before = self.all;
            self.since = Weighted::NONE;
        } else {
            self.since.take(value);
        }
        self.changed = match (self.before.mean, self.since.mean) {
            (Some(before), Some(since)) => {
                since - before > self.bound(self.before.squares + self.since.squares)
            }
            _ => false,
        };
        self.changed
    }
}
