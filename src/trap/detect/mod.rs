//! Detectors of change in a row of numbers, one value at a time.
//!
//! A detector that found a change begins anew at the next value. All give what River 0.26 gives
//! (`shared/data/loop/drift`), so that a team that knows those finds the same here.

mod adwin;
mod hddm;
mod page_hinkley;

use serde::{Deserialize, Serialize};

pub use adwin::Adwin;
pub use hddm::{HddmA, HddmW};
pub use page_hinkley::PageHinkley;

/// What looks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorName {
    Adwin,
    PageHinkley,
    HddmW,
    HddmA,
}

impl DetectorName {
    pub const ALL: [Self; 4] = [Self::Adwin, Self::PageHinkley, Self::HddmW, Self::HddmA];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adwin => "adwin",
            Self::PageHinkley => "page-hinkley",
            Self::HddmW => "hddm-w",
            Self::HddmA => "hddm-a",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether it takes only 0 and 1.
    pub fn takes_truths_only(self) -> bool {
        matches!(self, Self::HddmW | Self::HddmA)
    }
}

/// How a detector is set; what is not said is as its authors have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How unlikely a change must be by chance (adwin .002, hddm .001); for page-hinkley the
    /// change that is let pass (.005).
    pub delta: Option<f64>,
    /// page-hinkley: the sum of deviations that is a change (50).
    pub threshold: Option<f64>,
    /// adwin: values between two looks (32).
    pub clock: Option<u64>,
    /// page-hinkley: whether only a rise or only a fall counts.
    pub direction: Option<Direction>,
}

/// Which way a value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Up,
    Down,
}

/// A change that was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Detection {
    /// Place of the value at which it was found, from 0.
    pub index: u64,
    /// Values that the detector goes by now, and their mean.
    pub width: u64,
    pub mean: f64,
}

/// What a change is between: the mean before it, and that of so many rows since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub before: f64,
    pub now: f64,
    pub rows: u64,
}

/// A detector with its state, which is kept from one run to the next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    Adwin(Adwin),
    PageHinkley(PageHinkley),
    HddmW(HddmW),
    HddmA(HddmA),
}

impl Detector {
    pub fn new(name: DetectorName, settings: Settings) -> Self {
        match name {
            DetectorName::Adwin => Self::Adwin(Adwin::new(
                settings.delta.unwrap_or(adwin::DELTA),
                settings.clock.unwrap_or(adwin::CLOCK),
            )),
            DetectorName::PageHinkley => Self::PageHinkley(PageHinkley::new(
                settings.delta.unwrap_or(page_hinkley::DELTA),
                settings.threshold.unwrap_or(page_hinkley::THRESHOLD),
                settings.direction,
            )),
            DetectorName::HddmW => {
                Self::HddmW(HddmW::new(settings.delta.unwrap_or(hddm::CONFIDENCE)))
            }
            DetectorName::HddmA => {
                Self::HddmA(HddmA::new(settings.delta.unwrap_or(hddm::CONFIDENCE)))
            }
        }
    }

    /// Takes the next value; says whether there was a change. What is no number is passed over.
    pub fn take(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        match self {
            Self::Adwin(adwin) => adwin.take(value),
            Self::PageHinkley(page) => page.take(value),
            Self::HddmW(hddm) => hddm.take(value),
            Self::HddmA(hddm) => hddm.take(value),
        }
    }

    /// Takes the value at a place; gives the change that it shows.
    pub fn detect(&mut self, index: u64, value: f64) -> Option<Detection> {
        let is_change = self.take(value);
        let (width, mean) = self.window();
        is_change.then_some(Detection { index, width, mean })
    }

    /// What differs, where the last value showed a change and the detector knows where it lies.
    pub fn change(&self) -> Option<Change> {
        match self {
            Self::Adwin(adwin) => adwin.change(),
            Self::PageHinkley(_) | Self::HddmW(_) | Self::HddmA(_) => None,
        }
    }

    /// Values that it goes by, and their mean.
    pub fn window(&self) -> (u64, f64) {
        match self {
            Self::Adwin(adwin) => (adwin.width(), adwin.mean()),
            Self::PageHinkley(page) => page.window(),
            Self::HddmW(hddm) => hddm.window(),
            Self::HddmA(hddm) => hddm.window(),
        }
    }
}

/// All changes in a row of values.
pub fn detections(mut detector: Detector, values: impl Iterator<Item = f64>) -> Vec<Detection> {
    (0..).zip(values).filter_map(|(index, value)| detector.detect(index, value)).collect()
}

/// The mean of values that come one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    n: u64,
    mean: f64,
}

impl Mean {
    fn take(&mut self, value: f64) {
        self.n += 1;
        self.mean += (value - self.mean) / self.n as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_change_raises_nothing_and_what_is_no_number_is_passed_over() {
        for name in DetectorName::ALL {
            let values = (0..20_000_u64).map(|i| match i % 97 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                _ => (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63) as f64,
            });
            let found = detections(Detector::new(name, Settings::default()), values);
            assert!(found.is_empty(), "{name:?} {found:?}");
        }
    }

    #[test]
    fn a_change_is_found_at_the_same_place_when_the_state_was_put_away_between() {
        let value = |i: u64| {
            let bit = (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % 100;
            f64::from(u8::from(bit < if i < 3_000 { 20 } else { 60 }))
        };
        for name in DetectorName::ALL {
            let whole = detections(Detector::new(name, Settings::default()), (0..6_000).map(value));
            assert_eq!(whole.len(), 1, "{name:?} {whole:?}");
            let mut detector = Detector::new(name, Settings::default());
            let mut found = Vec::new();
            for i in 0..6_000 {
                if i % 250 == 0 {
                    let text = serde_json::to_string(&detector).unwrap();
                    detector = serde_json::from_str(&text).unwrap();
                }
                if detector.take(value(i)) {
                    found.push(i);
                }
            }
            assert_eq!(found, [whole[0].index], "{name:?}");
        }
    }
}
