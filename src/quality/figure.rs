//! A figure: a value with what it rests on, or the reason why there is none. No NaN leaves this
//! module.

use serde::{Serialize, Serializer};

/// A statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The value, or why there is none.
    pub value: Result<f64, &'static str>,
    /// How many it rests on: tasks, or pairs where it is said so.
    pub n: usize,
    /// 95 % of the resampled values lie between these.
    pub interval: Option<(f64, f64)>,
}

impl Figure {
    pub fn new(value: Result<f64, &'static str>, n: usize) -> Self {
        // Nothing is nothing, from whichever side it came.
        let value = value.map(|value| if value == 0.0 { 0.0 } else { value });
        Self { value: finite(value), n, interval: None }
    }

    pub fn with(self, interval: Option<(f64, f64)>) -> Self {
        Self { interval: interval.filter(|_| self.value.is_ok()), ..self }
    }

    /// `0.241 (0.220 to 0.262)`, or `none: …`.
    pub fn describe(&self) -> String {
        match (self.value, self.interval) {
            (Ok(value), Some((low, high))) => {
                format!("{} ({} to {})", decimal(value), decimal(low), decimal(high))
            }
            (Ok(value), None) => decimal(value),
            (Err(reason), _) => format!("none: {reason}"),
        }
    }
}

/// Three decimals, and no `-0.000`.
pub fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    text.strip_prefix('-')
        .filter(|rest| rest.chars().all(|c| matches!(c, '0' | '.')))
        .map_or(text.clone(), str::to_owned)
}

fn finite(value: Result<f64, &'static str>) -> Result<f64, &'static str> {
    value.and_then(
        |value| if value.is_finite() { Ok(value) } else { Err("it is not a number here") },
    )
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            value: Option<f64>,
            n: usize,
            interval: Option<(f64, f64)>,
            reason: Option<&'static str>,
        }
        let Self { value, n, interval } = *self;
        Written { value: value.ok(), n, interval, reason: value.err() }.serialize(to)
    }
}

/// The middle 95 % of resampled values; nothing if too few of them are defined.
pub fn middle(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.retain(|value| value.is_finite());
    if values.len() < 40 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Some((at(0.025), at(0.975)))
}

/// Wilson's score interval of a share, 95 % (Wilson, 1927, equation 3).
pub fn wilson(share: f64, n: f64) -> Option<(f64, f64)> {
    if n <= 0.0 || !share.is_finite() {
        return None;
    }
    const Z: f64 = 1.959_963_984_540_054;
    let z2 = Z * Z / n;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n)).sqrt() / (1.0 + z2);
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nan_is_ever_shown() {
        let figure = Figure::new(Ok(f64::NAN), 3);
        assert_eq!(figure.describe(), "none: it is not a number here");
        assert!(serde_json::to_string(&figure).unwrap().contains("\"value\":null"));
        assert_eq!(decimal(-0.0001), "0.000");
        assert_eq!(decimal(-0.25), "-0.250");
        assert_eq!(middle(vec![f64::NAN; 100]), None);
        assert_eq!(middle((0..1000).map(f64::from).collect()), Some((25.0, 974.0)));
        let (low, high) = wilson(0.5, 10.0).unwrap();
        assert!((low - 0.2366).abs() < 1e-4 && (high - 0.7634).abs() < 1e-4);
        assert_eq!(wilson(0.5, 0.0), None);
    }
}
