//! How likely what was seen is by chance: tails and quantiles of the usual laws.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// The chance that a chi-square of `df` degrees of freedom is `x` or more.
pub fn chi_square_tail(x: f64, df: f64) -> f64 {
    if df <= 0.0 || x <= 0.0 {
        return 1.0;
    }
    ChiSquared::new(df).map_or(f64::NAN, |law| law.sf(x))
}

/// Where the tail of a chi-square is `p`.
pub fn chi_square_limit(p: f64, df: f64) -> f64 {
    let (Ok(law), true) = (ChiSquared::new(df), df > 0.0) else { return 0.0 };
    // The library stops a little early: halved until nothing moves.
    let (mut low, mut high) = (0.0, df + 10.0);
    while law.sf(high) > p {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if law.sf(middle) > p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The limit law of Kolmogorov and Smirnov: the chance of √(nm/(n+m))·D at `x` or more.
pub fn kolmogorov_tail(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < 0.8 {
        // The other form of the same theta function, which converges at once here.
        let step = |k: f64| {
            (-(2.0 * k - 1.0).powi(2) * std::f64::consts::PI.powi(2) / (8.0 * x * x)).exp()
        };
        let sum: f64 = (1..=20).map(|k| step(f64::from(k))).sum();
        return 1.0 - (2.0 * std::f64::consts::PI).sqrt() / x * sum;
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(k * k) * x * x).exp()
    };
    2.0 * (1..=100).map(term).sum::<f64>()
}

/// The value that a standard normal exceeds with chance `p`.
pub fn normal_limit(p: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - p)
}

/// P values set right for being several (Holm, "A simple sequentially rejective multiple test
/// procedure", 1979), in the order in which they came.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut most: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        most = most.max(((p.len() - rank) as f64 * p[at]).min(1.0));
        adjusted[at] = most;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1e-3), "{a} {b}");
        // scipy 1.17.1: chi2.sf, chi2.isf, kstwobign.sf
        near(chi_square_tail(59.905_055_589_035_314, 9.0), 1.398_357_626_289_549e-9);
        near(chi_square_limit(0.05, 9.0), 16.918_977_604_620_448);
        near(kolmogorov_tail(0.5), 0.963_945_243_664_875_1);
        near(kolmogorov_tail(1.0), 0.269_999_671_677_354_56);
        near(kolmogorov_tail(3.0), 3.045_995_948_942_526e-8);
        assert_eq!(kolmogorov_tail(0.0), 1.0);
    }

    #[test]
    fn of_several_the_least_has_to_be_smallest() {
        let adjusted = holm(&[0.01, 0.04, 0.03]);
        assert_eq!(adjusted, [0.03, 0.06, 0.06]);
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
