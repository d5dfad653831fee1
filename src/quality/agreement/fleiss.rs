//! Percent agreement, and Fleiss' kappa: (P̄ − P̄e) / (1 − P̄e) (Fleiss, "Measuring nominal scale
//! agreement among many raters", 1971, equations 3 to 7). Where tasks have different numbers of
//! labels, agreement is averaged over tasks with two or more, and shares of values over all (Gwet,
//! "Handbook of Inter-Rater Reliability", 4th edition, 2014, section 2.6).

use super::because;
use super::patterns::Sums;

pub fn percent(sums: &Sums<'_>) -> Result<f64, &'static str> {
    if sums.several == 0.0 {
        Err(because::NO_OVERLAP)
    } else {
        Ok(sums.observed(|a, b| f64::from(u8::from(a == b))))
    }
}

pub fn kappa(sums: &Sums<'_>) -> Result<f64, &'static str> {
    let observed = percent(sums)?;
    let chance: f64 = sums.share.iter().map(|share| share * share).sum();
    if chance >= 1.0 - 1e-12 {
        Err(because::ONE_CLASS)
    } else {
        Ok((observed - chance) / (1.0 - chance))
    }
}
