//! Gwet's AC1 and, with weights, AC2: (p_a − p_e) / (1 − p_e), p_e = T_w / (q (q − 1)) · Σ π (1 −
//! π) (Gwet, "Computing inter-rater reliability and its variance in the presence of high
//! agreement", 2008, equations 6 and 7; weights by "Handbook of Inter-Rater Reliability", 4th
//! edition, 2014, section 3.5). They hold up where nearly all labels are of one class.

use super::because;
use super::patterns::Sums;

pub fn ac1(sums: &Sums<'_>) -> Result<f64, &'static str> {
    ac(sums, |a, b| f64::from(u8::from(a == b)))
}

/// Weights 1 − |a − b| / (max − min).
pub fn ac2_linear(sums: &Sums<'_>) -> Result<f64, &'static str> {
    let numbers = sums.numbers.ok_or(because::NO_NUMBERS)?;
    let width = width(numbers);
    ac(sums, |a, b| 1.0 - (numbers[a] - numbers[b]).abs() / width)
}

/// Weights 1 − ((a − b) / (max − min))².
pub fn ac2_quadratic(sums: &Sums<'_>) -> Result<f64, &'static str> {
    let numbers = sums.numbers.ok_or(because::NO_NUMBERS)?;
    let width = width(numbers);
    ac(sums, |a, b| 1.0 - ((numbers[a] - numbers[b]) / width).powi(2))
}

/// Weights by the number of pairs of values between two: 1 − C(|a − b| + 1, 2) / C(q, 2).
pub fn ac2_ordinal(sums: &Sums<'_>) -> Result<f64, &'static str> {
    sums.numbers.ok_or(because::NO_NUMBERS)?;
    let pairs = |n: usize| (n * n.saturating_sub(1)) as f64 / 2.0;
    let all = pairs(sums.classes).max(1.0);
    ac(sums, |a, b| 1.0 - if a == b { 0.0 } else { pairs(a.abs_diff(b) + 1) / all })
}

/// From the least value to the largest; 1 where there is one only.
fn width(numbers: &[f64]) -> f64 {
    match numbers {
        [first, .., last] if last > first => last - first,
        _ => 1.0,
    }
}

fn ac(sums: &Sums<'_>, weight: impl Fn(usize, usize) -> f64) -> Result<f64, &'static str> {
    if sums.several == 0.0 {
        return Err(because::NO_OVERLAP);
    }
    let k = sums.classes;
    let observed = sums.observed(&weight);
    let spread: f64 = sums.share.iter().map(|share| share * (1.0 - share)).sum();
    let weights: f64 =
        (0..k).flat_map(|a| (0..k).map(move |b| (a, b))).map(|(a, b)| weight(a, b)).sum();
    // With one value there is nothing to agree on by chance.
    let chance = if k < 2 { 0.0 } else { weights * spread / (k * (k - 1)) as f64 };
    if chance >= 1.0 - 1e-12 {
        Err(because::ONE_CLASS)
    } else {
        Ok((observed - chance) / (1.0 - chance))
    }
}
