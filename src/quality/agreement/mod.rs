//! How well people agree: percent, Cohen's, Fleiss', Krippendorff's and Gwet's coefficients, each
//! with an interval.
//!
//! All but Cohen's need only how often each value was given to each task, and many tasks look alike
//! in that; so tasks are gathered into [`Patterns`], and resampling counts patterns and not labels.
//! To add a coefficient that needs no more than that: a file with a function of [`Sums`], and a
//! line in [`measure`].
//!
//! Intervals are percentiles of a bootstrap over tasks (Efron, 1979): tasks are drawn with
//! replacement, with a seed, so that the same labels always give the same interval.

mod alpha;
mod cohen;
mod fleiss;
mod gwet;
mod patterns;
mod tally;

use serde::Serialize;

pub use self::cohen::{Cohen, Pair};
pub use self::patterns::{Patterns, Sums};
pub use self::tally::Tally;
use super::figure::{Figure, middle};
use super::ratings::{Ratings, Repeated};
use crate::domain::random::SplitMix64;

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// How often tasks are drawn anew; 0: no intervals.
    pub times: usize,
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { times: 1000, seed: 1 }
    }
}

/// Krippendorff's alpha for each level of measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alpha {
    pub nominal: Figure,
    pub ordinal: Figure,
    pub interval: Figure,
    pub ratio: Figure,
}

/// Gwet's AC2 for each way to weigh how far two values are apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighed {
    pub linear: Figure,
    pub quadratic: Figure,
    pub ordinal: Figure,
}

/// How well people agree on one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub tasks: usize,
    pub reviewers: usize,
    /// The first of each reviewer on each task.
    pub labels: usize,
    /// Labels by a reviewer who had labeled the task before: they are left out.
    pub repeated: Repeated,
    pub classes: Vec<String>,
    /// Share of pairs of labels on one task that are the same, averaged over tasks with two or
    /// more.
    pub percent: Figure,
    pub cohen_kappa: Cohen,
    pub fleiss_kappa: Figure,
    pub krippendorff_alpha: Alpha,
    pub gwet_ac1: Figure,
    pub gwet_ac2: Weighed,
    /// How often tasks were drawn anew for the intervals.
    pub resampled: usize,
    pub seed: u64,
}

/// Coefficients that are functions of [`Sums`].
type Coefficient = fn(&Sums<'_>) -> Result<f64, &'static str>;
const COEFFICIENTS: [Coefficient; 10] = [
    fleiss::percent,
    fleiss::kappa,
    alpha::nominal,
    alpha::ordinal,
    alpha::interval,
    alpha::ratio,
    gwet::ac1,
    gwet::ac2_linear,
    gwet::ac2_quadratic,
    gwet::ac2_ordinal,
];

/// Coefficients with their intervals, and how often tasks were drawn anew.
fn figures(
    patterns: &Patterns,
    coefficients: &[Coefficient],
    resampling: Resampling,
) -> (Vec<Figure>, usize) {
    let own: Vec<f64> = patterns.tasks_of.iter().map(|n| f64::from(*n)).collect();
    let sums = patterns.sums(&own);
    let values: Vec<Result<f64, &'static str>> = coefficients.iter().map(|of| of(&sums)).collect();
    let several = patterns.several;
    let times = if several < 2 { 0 } else { patterns.affordable(resampling.times) };
    let mut drawn: Vec<Vec<f64>> = vec![Vec::with_capacity(times); coefficients.len()];
    let mut dice = SplitMix64::new(resampling.seed);
    let mut counts = vec![0_f64; patterns.tasks_of.len()];
    for _ in 0..times {
        patterns.draw(&mut dice, &mut counts);
        let sums = patterns.sums(&counts);
        for ((of, drawn), value) in coefficients.iter().zip(&mut drawn).zip(&values) {
            if value.is_ok() {
                drawn.push(of(&sums).unwrap_or(f64::NAN));
            }
        }
    }
    let figures = values
        .into_iter()
        .zip(drawn)
        .map(|(value, drawn)| Figure::new(value, several).with(middle(drawn)));
    (figures.collect(), times)
}

/// Krippendorff's nominal alpha alone: the same figure as in [`measure`], with the same resampling.
pub fn nominal_alpha(patterns: &Patterns, resampling: Resampling) -> Figure {
    let (figures, _) = figures(patterns, &[alpha::nominal], resampling);
    figures.into_iter().next().unwrap_or_else(|| Figure::new(Err(because::NOT_COMPUTED), 0))
}

/// Measures how well people agree.
pub fn measure(ratings: &Ratings, resampling: Resampling) -> Agreement {
    let patterns = Patterns::of(ratings);
    let (figures, times) = figures(&patterns, &COEFFICIENTS, resampling);
    let mut figures = figures.into_iter();
    let mut next = || figures.next().unwrap_or_else(|| Figure::new(Err(because::NOT_COMPUTED), 0));
    Agreement {
        tasks: patterns.rated,
        reviewers: ratings.reviewers.len(),
        labels: patterns.labels,
        repeated: ratings.repeated(),
        classes: ratings.values.iter().map(str::to_owned).collect(),
        percent: next(),
        fleiss_kappa: next(),
        krippendorff_alpha: Alpha {
            nominal: next(),
            ordinal: next(),
            interval: next(),
            ratio: next(),
        },
        gwet_ac1: next(),
        gwet_ac2: Weighed { linear: next(), quadratic: next(), ordinal: next() },
        cohen_kappa: cohen::measure(ratings, resampling),
        resampled: times,
        seed: resampling.seed,
    }
}

/// Why there is no coefficient.
pub mod because {
    pub const NOT_COMPUTED: &str = "it was not computed";
    pub const NO_OVERLAP: &str = "no task has two labels";
    pub const ONE_CLASS: &str =
        "everybody always said the same, so chance can't be told from agreement";
    pub const NO_NUMBERS: &str = "the labels are not numbers";
    pub const RANKS: &str =
        "the labels are ranked: by how much one is more than another is not known";
    pub const NEGATIVE: &str = "a ratio scale has no negative values";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&str]) -> Ratings {
        let mut ratings = Ratings::default();
        for (task, row) in rows.iter().enumerate() {
            for (who, value) in row.chars().enumerate().filter(|(_, value)| *value != '.') {
                ratings.push(&task.to_string(), &who.to_string(), &value.to_string());
            }
        }
        ratings.sorted()
    }

    fn check(found: &Figure, expect: f64) {
        let value = found.value.unwrap();
        assert!((value - expect).abs() < 5e-4, "{value} and not {expect}");
    }

    /// Krippendorff 2011, section C to E: twelve units, four observers, missing values.
    const KRIPPENDORFF: [&str; 12] = [
        "11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11",
        "..3.",
    ];

    #[test]
    fn the_papers_examples_come_out() {
        let found = measure(&table(&KRIPPENDORFF), Resampling::default());
        check(&found.krippendorff_alpha.nominal, 0.743);
        check(&found.krippendorff_alpha.ordinal, 0.815);
        check(&found.krippendorff_alpha.interval, 0.849);
        check(&found.krippendorff_alpha.ratio, 0.797);
        check(&found.gwet_ac1, 0.775);
        check(&found.gwet_ac2.quadratic, 0.914);
        check(&found.fleiss_kappa, 0.761);
        assert_eq!((found.tasks, found.reviewers, found.labels, found.percent.n), (12, 4, 41, 11));
        let (low, high) = found.krippendorff_alpha.nominal.interval.unwrap();
        assert!(low < 0.743 && 0.743 < high && high <= 1.0, "{low} {high}");
        assert_eq!(
            found,
            measure(&table(&KRIPPENDORFF), Resampling::default()),
            "the same seed, the same intervals"
        );
    }

    #[test]
    fn cohens_kappa_is_that_of_the_table() {
        // SAS, PROC FREQ: two observers; by row what one says, by column the other.
        let mut rows = Vec::new();
        for (n, row) in [(4, "01"), (1, "02"), (8, "11"), (1, "21"), (5, "22")] {
            rows.extend(std::iter::repeat_n(row, n));
        }
        let found = measure(&table(&rows), Resampling { times: 0, seed: 1 }).cohen_kappa;
        check(&found.mean, 0.4842);
        check(&found.linear, 0.4701);
        assert_eq!((found.mean.n, found.pairs[0].n, found.mean.interval), (1, 19, None));
    }

    #[test]
    fn where_there_is_nothing_to_say_a_reason_is_given() {
        for (rows, reason) in [
            (vec!["1", "2", "1"], because::NO_OVERLAP),
            (vec![], because::NO_OVERLAP),
            (vec!["1.", ".2"], because::NO_OVERLAP),
            (vec!["11", "11"], because::ONE_CLASS),
        ] {
            let found = measure(&table(&rows), Resampling::default());
            assert_eq!(found.krippendorff_alpha.nominal.value, Err(reason), "{rows:?}");
            assert_eq!(found.fleiss_kappa.value, Err(reason));
            assert!(!serde_json::to_string(&found).unwrap().contains("NaN"));
        }
        let ranked = |order: &[&str]| {
            let order: Vec<String> = order.iter().map(|value| (*value).to_owned()).collect();
            table(&["ab", "aa", "cb", "bb", "cc"]).ranked(&order)
        };
        let same = measure(&table(&["13", "11", "23", "33", "22"]), Resampling::default());
        let found = measure(&ranked(&["a", "c", "b", "never"]).unwrap(), Resampling::default());
        assert_eq!(
            found.krippendorff_alpha.ordinal, same.krippendorff_alpha.ordinal,
            "words in order are as good as numbers"
        );
        assert_eq!(
            (&found.cohen_kappa.linear, &found.gwet_ac2),
            (&same.cohen_kappa.linear, &same.gwet_ac2)
        );
        assert_eq!(found.krippendorff_alpha.interval.value, Err(because::RANKS));
        assert_eq!(ranked(&["a", "b"]).unwrap_err(), "c");
        let words = measure(&table(&["ab", "aa"]), Resampling::default());
        assert_eq!(words.krippendorff_alpha.ordinal.value, Err(because::NO_NUMBERS));
        assert!(words.cohen_kappa.linear.value.is_err());
    }
}
