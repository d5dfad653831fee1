//! When somebody should look: bounds on how the work stands, as a policy names them.
//!
//! ```text
//! alpha < 0.6              agreement of the main round's labels (Krippendorff, nominal)
//! open > 500               cases that wait for labels
//! disputed > 20            cases that wait for a ruling
//! overdue > 0              whatever is past its time
//! disagreement > 30        of a hundred cases with two labels or more, on how many they differ
//! ready >= 200             resolved cases
//! accuracy < 0.85          share of predictions that turned out to be right
//! wrong > 0.3              share that turned out to be wrong
//! expected_accuracy < 0.7  the mean of the model's own confidence
//! accuracy < 0.85 by day   the same of each day by itself, or `by week`; `wrong` too
//! label_errors > 0.05      share of settled labels that what turned out contradicts
//! reviewer_gold < 0.8      share of gold items that a reviewer labels right, of each reviewer
//! alarms > 0               alarms that nobody closed
//! since_cut > 30d          days since the newest training set was cut
//! ```
//!
//! A share is crossed only where it is by more than chance, however many are looked at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    Alpha,
    Open,
    Disputed,
    Overdue,
    Disagreement,
    Ready,
    Accuracy,
    Wrong,
    ExpectedAccuracy,
    LabelErrors,
    ReviewerGold,
    Alarms,
    SinceCut,
}

impl Measure {
    pub const ALL: [Self; 13] = [
        Self::Alpha,
        Self::Open,
        Self::Disputed,
        Self::Overdue,
        Self::Disagreement,
        Self::Ready,
        Self::Accuracy,
        Self::Wrong,
        Self::ExpectedAccuracy,
        Self::LabelErrors,
        Self::ReviewerGold,
        Self::Alarms,
        Self::SinceCut,
    ];

    /// Whether it is a share of things that were looked at, which chance moves.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Accuracy | Self::Wrong | Self::LabelErrors | Self::ReviewerGold)
    }

    /// Whether it lies between 0 and 1.
    fn is_part_of_one(self) -> bool {
        self.is_share() || self == Self::ExpectedAccuracy
    }

    /// Whether it can be asked of each day or week: it is a share of predictions.
    fn has_windows(self) -> bool {
        matches!(self, Self::Accuracy | Self::Wrong)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Open => "open",
            Self::Disputed => "disputed",
            Self::Overdue => "overdue",
            Self::Disagreement => "disagreement",
            Self::Ready => "ready",
            Self::Accuracy => "accuracy",
            Self::Wrong => "wrong",
            Self::ExpectedAccuracy => "expected_accuracy",
            Self::LabelErrors => "label_errors",
            Self::ReviewerGold => "reviewer_gold",
            Self::Alarms => "alarms",
            Self::SinceCut => "since_cut",
        }
    }
}

/// The stretch of time that a share is asked of by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    Day,
    Week,
}

impl Window {
    const ALL: [Self; 2] = [Self::Day, Self::Week];

    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// The longer signs first, so that they are not taken for the shorter.
const SIGNS: [(&str, Sign); 4] =
    [("<=", Sign::LessOrEqual), (">=", Sign::MoreOrEqual), ("<", Sign::Less), (">", Sign::More)];

/// A bound. It is crossed where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    pub measure: Measure,
    sign: Sign,
    bound: f64,
    pub by: Option<Window>,
}

impl Eq for Threshold {} // its bound is a number that was read, never NaN

impl Threshold {
    /// A value of what is bounded, in words: cases are counted, and the rest is measured.
    pub fn value_words(&self, value: f64) -> String {
        match self.measure {
            Measure::Alpha
            | Measure::Accuracy
            | Measure::Wrong
            | Measure::ExpectedAccuracy
            | Measure::LabelErrors
            | Measure::ReviewerGold => format!("{value:.3}"),
            Measure::Alarms if value == 1.0 => "1 alarm".to_owned(),
            Measure::Alarms => format!("{value:.0} alarms"),
            Measure::SinceCut => format!("{value:.1} days"),
            Measure::Disagreement => format!("{value:.1} %"),
            Measure::Open | Measure::Disputed | Measure::Overdue | Measure::Ready
                if value == 1.0 =>
            {
                "1 case".to_owned()
            }
            Measure::Open | Measure::Disputed | Measure::Overdue | Measure::Ready => {
                format!("{value:.0} cases")
            }
        }
    }

    /// The same, where it could be crossed and could be kept: what was recorded may hold others.
    ///
    /// # Errors
    /// A share is between 0 and 1.
    pub fn sensible(self) -> Result<Self, String> {
        let (measure, bound) = (self.measure.as_str(), self.bound);
        if self.measure.is_part_of_one() && !(0.0..=1.0).contains(&bound) {
            return Err(format!("`{measure}` is a share from 0 to 1, or in %: not {bound}"));
        }
        if self.measure == Measure::Alpha && !(-1.0..=1.0).contains(&bound) {
            return Err(format!("`{measure}` is from -1 to 1: not {bound}"));
        }
        let beyond = if self.is_lower() { bound <= 0.0 } else { bound >= 1.0 };
        if self.measure.is_share() && beyond {
            return Err(format!("`{measure}` can never be beyond {bound} by more than chance"));
        }
        Ok(self)
    }

    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Whether what lies below the bound crosses it.
    pub fn is_lower(&self) -> bool {
        matches!(self.sign, Sign::Less | Sign::LessOrEqual)
    }

    pub fn is_crossed(&self, value: f64) -> bool {
        match self.sign {
            Sign::Less => value < self.bound,
            Sign::LessOrEqual => value <= self.bound,
            Sign::More => value > self.bound,
            Sign::MoreOrEqual => value >= self.bound,
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = text;
        let wrong = || {
            let names = Measure::ALL.map(Measure::as_str).join(", ");
            format!(
                "`{whole}` is no bound: write as `alpha < 0.6`, with one of {names} and one of <, <=, >, >=; `by day` or `by week` may follow accuracy and wrong"
            )
        };
        let text = text.trim();
        let window = Window::ALL.into_iter().find_map(|window| {
            let rest = text.strip_suffix(window.as_str())?.trim_end().strip_suffix("by")?;
            rest.ends_with(char::is_whitespace).then_some((rest, window))
        });
        let (text, by) = window.map_or((text, None), |(rest, window)| (rest, Some(window)));
        let (place, sign_text, sign) = SIGNS
            .iter()
            .find_map(|(text_of, sign)| Some((text.find(text_of)?, *text_of, *sign)))
            .ok_or_else(wrong)?;
        let (name, bound) = (text[..place].trim(), text[place + sign_text.len()..].trim());
        let (bound, percent) =
            bound.strip_suffix('%').map_or((bound, false), |rest| (rest.trim(), true));
        let measure =
            Measure::ALL.into_iter().find(|measure| measure.as_str() == name).ok_or_else(wrong)?;
        if by.is_some() && !measure.has_windows() {
            return Err(wrong());
        }
        let days = bound.strip_suffix('d').filter(|_| measure == Measure::SinceCut);
        let percent = percent && measure != Measure::Disagreement;
        let bound = days
            .unwrap_or(bound)
            .parse()
            .ok()
            .filter(|bound: &f64| bound.is_finite())
            .map(|bound| if percent { bound / 100.0 } else { bound })
            .ok_or_else(wrong)?;
        Ok(Self { measure, sign, bound, by })
    }
}

impl TryFrom<String> for Threshold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.to_string()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, sign)| *sign == self.sign).map_or("<", |(text, _)| text);
        write!(f, "{} {sign} {}", self.measure.as_str(), self.bound)?;
        self.by.map_or(Ok(()), |window| write!(f, " by {}", window.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_hold() {
        let check = |text: &str, value: f64, crossed: bool| {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold.is_crossed(value), crossed, "{text} at {value}");
            assert_eq!(threshold.to_string().parse::<Threshold>().unwrap(), threshold);
        };
        check("alpha < 0.6", 0.59, true);
        check("alpha<0.6", 0.6, false);
        check("disagreement >= 30 %", 30.0, true);
        check("open > 500", 500.0, false);
        check("since_cut > 30d", 31.0, true);
        check("accuracy < 0.85", 0.8, true);
        check("accuracy < 85% by day", 0.8, true);
        check("wrong>0.3  by   week ", 0.4, true);
        check("reviewer_gold < 0.8", 0.8, false);
        assert!("accuracy < 85".parse::<Threshold>().unwrap().sensible().is_err());
        for wrong in ["alpha < 60", "accuracy >= 1", "wrong < 0", "wrong > 100 %"] {
            assert!(wrong.parse::<Threshold>().unwrap().sensible().is_err(), "{wrong}");
        }
        assert_eq!("alpha < 60%".parse::<Threshold>().unwrap().bound(), 0.6);
        assert!("accuracy < 85 %".parse::<Threshold>().unwrap().sensible().is_ok());
        for wrong in [
            "",
            "alpha",
            "alpha < x",
            "beta < 1",
            "alpha < NaN",
            "accuracy < 0.85%%",
            "open > 5 by day",
            "accuracy < 0.8 by year",
            "accuracy < 0.8by day",
            "accuracy < by day",
        ] {
            assert!(wrong.parse::<Threshold>().is_err(), "{wrong}");
        }
    }
}
