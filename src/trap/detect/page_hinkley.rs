//! Page-Hinkley (Page, "Continuous inspection schemes", 1954): the sum of deviations from the mean
//! so far, against its least and its most.

use serde::{Deserialize, Serialize};

use super::{Direction, Mean};

pub const DELTA: f64 = 0.005;
pub const THRESHOLD: f64 = 50.0;
/// How much of the sum is kept with each value.
const KEEP: f64 = 1.0 - 0.0001;
/// Values before it may find anything.
const LEAST: u64 = 30;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PageHinkley {
    delta: f64,
    threshold: f64,
    direction: Option<Direction>,
    mean: Mean,
    rise: f64,
    fall: f64,
    /// The least that the rise was and the most that the fall was, once there was a value.
    least_rise: Option<f64>,
    most_fall: Option<f64>,
    changed: bool,
}

impl PageHinkley {
    pub fn new(delta: f64, threshold: f64, direction: Option<Direction>) -> Self {
        Self {
            delta,
            threshold,
            direction,
            mean: Mean::default(),
            rise: 0.0,
            fall: 0.0,
            least_rise: None,
            most_fall: None,
            changed: false,
        }
    }

    pub fn window(&self) -> (u64, f64) {
        (self.mean.n, self.mean.mean)
    }

    pub fn take(&mut self, value: f64) -> bool {
        if self.changed {
            *self = Self::new(self.delta, self.threshold, self.direction);
        }
        self.mean.take(value);
        let off = value - self.mean.mean;
        self.rise = KEEP * self.rise + off - self.delta;
        self.fall = KEEP * self.fall + off + self.delta;
        let least = self.least_rise.map_or(self.rise, |least| least.min(self.rise));
        let most = self.most_fall.map_or(self.fall, |most| most.max(self.fall));
        (self.least_rise, self.most_fall) = (Some(least), Some(most));
        let (rose, fell) = (self.rise - least > self.threshold, most - self.fall > self.threshold);
        self.changed = self.mean.n >= LEAST
            && match self.direction {
                None => rose || fell,
                Some(Direction::Up) => rose,
                Some(Direction::Down) => fell,
            };
        self.changed
    }
}
