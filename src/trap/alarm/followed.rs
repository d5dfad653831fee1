//! A value that is followed from row to row, by a detector and, at the level of a warning, by a
//! second one.

use serde::{Deserialize, Serialize};

use super::raised::Level;
use crate::domain::time::Moment;
use crate::domain::traps::Alarm;
use crate::trap::detect::{Detector, DetectorName, Settings};

/// How unlikely by chance a change is of which a detector by ADWIN warns.
const WARN: f64 = 0.05;

/// A value that is followed in a stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Followed {
    detector: Detector,
    /// The same at the level of a warning.
    #[serde(default)]
    warner: Option<Detector>,
    since: Moment,
    before: Option<f64>,
}

/// A change that a detector found.
pub struct Found {
    pub level: Level,
    pub before: Option<f64>,
    pub now: f64,
    pub rows: u64,
    pub since: Moment,
}

impl Followed {
    pub fn new(alarm: &Alarm, since: Moment) -> Self {
        let name = alarm.detector.as_deref().and_then(DetectorName::from_name);
        let settings =
            Settings { delta: alarm.delta, threshold: alarm.threshold, ..Settings::default() };
        let detector = Detector::new(name.unwrap_or(DetectorName::Adwin), settings);
        Self { detector, warner: Self::warner(alarm), since, before: None }
    }

    /// A second detector, at the level of a warning, where there is one.
    fn warner(alarm: &Alarm) -> Option<Detector> {
        let delta = alarm.warning_level(WARN)?;
        let settings = Settings { delta: Some(delta), ..Settings::default() };
        Some(Detector::new(DetectorName::Adwin, settings))
    }

    pub fn take(&mut self, value: f64, alarm: &Alarm, at: Moment) -> Option<Found> {
        let (_, mean) = self.detector.window();
        // What was kept before there were warnings has none.
        if self.warner.is_none() {
            self.warner = Self::warner(alarm);
        }
        let is_alarm = self.detector.take(value);
        let is_warning = self.warner.as_mut().is_some_and(|warner| warner.take(value));
        let (before, since) = (self.before, self.since);
        if !is_alarm {
            self.before = Some(mean);
            let change = self.warner.as_ref().filter(|_| is_warning)?.change()?;
            let (before, now, rows) = (Some(change.before), change.now, change.rows);
            return Some(Found { level: Level::Warning, before, now, rows, since });
        }
        // Both begin anew.
        (self.since, self.before, self.warner) = (at, None, Self::warner(alarm));
        let (rows, now) = self.detector.window();
        let told = Found { level: Level::Alarm, before, now, rows, since };
        Some(match self.detector.change() {
            Some(change) => {
                Found { before: Some(change.before), now: change.now, rows: change.rows, ..told }
            }
            None => told,
        })
    }
}
