//! Krippendorff's alpha: 1 − D_o / D_e (Krippendorff, "Computing Krippendorff's Alpha-Reliability",
//! 2011, section E), for any number of reviewers and missing labels. The levels differ in δ², how
//! far two values are apart.

use super::because;
use super::patterns::Sums;

type Distance<'d> = Box<dyn Fn(usize, usize) -> f64 + 'd>;

pub fn nominal(sums: &Sums<'_>) -> Result<f64, &'static str> {
    alpha(sums, |_| Ok(Box::new(|a, b| f64::from(u8::from(a != b)))))
}

/// δ² is the square of how many labels lie between two values, half of each end included.
pub fn ordinal(sums: &Sums<'_>) -> Result<f64, &'static str> {
    alpha(sums, |n| {
        sums.numbers.ok_or(because::NO_NUMBERS)?;
        let up_to: Vec<f64> =
            n.iter().scan(0.0, |sum, n| Some(std::mem::replace(sum, *sum + n) + n / 2.0)).collect();
        Ok(Box::new(move |a, b| (up_to[a] - up_to[b]).powi(2)))
    })
}

pub fn interval(sums: &Sums<'_>) -> Result<f64, &'static str> {
    alpha(sums, |_| {
        let numbers = measured(sums)?;
        Ok(Box::new(|a, b| (numbers[a] - numbers[b]).powi(2)))
    })
}

pub fn ratio(sums: &Sums<'_>) -> Result<f64, &'static str> {
    alpha(sums, |_| {
        let numbers = measured(sums)?;
        if numbers.iter().any(|number| *number < 0.0) {
            return Err(because::NEGATIVE);
        }
        let distance =
            |a: f64, b: f64| if a + b == 0.0 { 0.0 } else { ((a - b) / (a + b)).powi(2) };
        Ok(Box::new(move |a, b| distance(numbers[a], numbers[b])))
    })
}

/// Numbers of which it is known by how much one is more than another.
fn measured<'s>(sums: &Sums<'s>) -> Result<&'s [f64], &'static str> {
    sums.numbers.filter(|_| !sums.ranked).ok_or(if sums.ranked {
        because::RANKS
    } else {
        because::NO_NUMBERS
    })
}

fn alpha<'s>(
    sums: &Sums<'s>,
    distance: impl FnOnce(&[f64]) -> Result<Distance<'s>, &'static str>,
) -> Result<f64, &'static str> {
    if sums.several == 0.0 {
        return Err(because::NO_OVERLAP);
    }
    let k = sums.classes;
    let of_value: Vec<f64> = sums.coincidences.chunks(k).map(|row| row.iter().sum()).collect();
    let n: f64 = of_value.iter().sum();
    if of_value.iter().filter(|n| **n > 0.0).count() < 2 {
        return Err(because::ONE_CLASS);
    }
    let distance = distance(&of_value)?;
    let (mut observed, mut expected) = (0.0, 0.0);
    for a in 0..k {
        for b in 0..a {
            if of_value[a] > 0.0 && of_value[b] > 0.0 {
                let apart = distance(a, b);
                observed += sums.coincidences[a * k + b] * apart;
                expected += of_value[a] * of_value[b] * apart;
            }
        }
    }
    Ok(1.0 - (n - 1.0) * observed / expected)
}
