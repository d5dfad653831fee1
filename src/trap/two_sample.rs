//! Whether two samples are of one kind: numbers by Kolmogorov-Smirnov and by deciles, categories by
//! chi-square and Jensen-Shannon. Both samples are samples: none is taken for exact.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::distribution::{chi_square_limit, chi_square_tail, kolmogorov_tail};

/// A category is put together with other rare ones below so many expected.
const EXPECTED_LEAST: f64 = 5.0;
/// How often a stability index lies above its limit by chance.
const LIMIT_SHARE: f64 = 0.05;

/// What is said of two samples of numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// The largest distance of the two distributions, where it is, and whether the reference lies
    /// above there (1) or below (-1).
    pub ks: f64,
    pub ks_location: f64,
    pub ks_sign: i8,
    /// By the limit law.
    pub ks_p_limit: f64,
    pub wasserstein: f64,
    pub mean: [f64; 2],
    /// Deciles of the reference, without doubled ones; counts between them.
    pub decile_edges_inner: Vec<f64>,
    pub decile_counts: [Vec<u64>; 2],
    pub deciles_psi: f64,
    pub deciles_psi_limit_5pct: f64,
}

/// What is said of two samples of categories.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Categories {
    pub values: usize,
    pub only_in_reference: usize,
    pub only_in_current: usize,
    pub psi: f64,
    pub psi_limit_5pct: f64,
    /// The square root of the divergence, in bits.
    pub js_distance_bits: f64,
    /// What the divergence is by chance alone, in bits.
    pub js_by_chance_bits: f64,
    /// The square root of the divergence less its level by chance.
    pub effect: f64,
    pub tvd: f64,
    pub hellinger: f64,
    pub chi2: f64,
    pub chi2_dof: usize,
    pub chi2_p: Option<f64>,
    /// The same with rare categories put together: what an alarm goes by.
    pub chi2_pooled: f64,
    pub chi2_pooled_dof: usize,
    pub chi2_pooled_p: Option<f64>,
}

/// How many of each category: `[reference, current]`.
pub type Counts = BTreeMap<String, [u64; 2]>;

/// Compares numbers; nothing where a side has none.
pub fn numbers(reference: &[f64], current: &[f64]) -> Option<Numbers> {
    if reference.is_empty() || current.is_empty() {
        return None;
    }
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (one, two) = (sorted(reference), sorted(current));
    let (n, m) = (one.len() as f64, two.len() as f64);
    let mut steps: Vec<f64> = one.iter().chain(&two).copied().collect();
    steps.sort_by(f64::total_cmp);
    let (mut i, mut j) = (0, 0);
    let (mut above, mut below) = ((0.0, steps[0]), (0.0, steps[0]));
    let mut wasserstein = 0.0;
    for (at, value) in steps.iter().enumerate() {
        while i < one.len() && one[i] <= *value {
            i += 1;
        }
        while j < two.len() && two[j] <= *value {
            j += 1;
        }
        let apart = i as f64 / n - j as f64 / m;
        if apart > above.0 {
            above = (apart, *value);
        }
        if -apart > below.0 {
            below = (-apart, *value);
        }
        if let Some(next) = steps.get(at + 1) {
            wasserstein += apart.abs() * (next - value);
        }
    }
    let (ks, ks_location, ks_sign) =
        if below.0 > above.0 { (below.0, below.1, -1) } else { (above.0, above.1, 1) };
    let edges = deciles(&one);
    let counts = [binned(&one, &edges), binned(&two, &edges)];
    let pairs: Vec<[u64; 2]> = counts[0].iter().zip(&counts[1]).map(|(a, b)| [*a, *b]).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Some(Numbers {
        ks,
        ks_location,
        ks_sign,
        ks_p_limit: kolmogorov_tail((n * m / (n + m)).sqrt() * ks),
        wasserstein,
        mean: [mean(reference), mean(current)],
        deciles_psi: stability(&pairs),
        deciles_psi_limit_5pct: stability_limit(pairs.len(), n, m),
        decile_edges_inner: edges,
        decile_counts: counts,
    })
}

/// The nine inner deciles of sorted values, without doubled ones, between neighbours by share.
pub fn deciles(sorted: &[f64]) -> Vec<f64> {
    let mut edges: Vec<f64> = (1..10)
        .map(|tenth| {
            // A tenth times the number, as numpy has its shares: 0.6000000000000001.
            let place = f64::from(tenth) * 0.1 * (sorted.len() - 1) as f64;
            let (low, part) = (place.floor(), place - place.floor());
            let (a, b) = (sorted[low as usize], sorted[place.ceil() as usize]);
            // As numpy weighs them, to the last bit.
            if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
        })
        .collect();
    edges.dedup();
    edges
}

/// Which bin a value is in: closed to the left.
pub fn bin(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|edge| *edge <= value)
}

fn binned(values: &[f64], edges: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() + 1];
    values.iter().for_each(|value| counts[bin(edges, *value)] += 1);
    counts
}

/// Compares categories; nothing where a side has none.
pub fn categories(counts: &Counts) -> Option<Categories> {
    let pairs: Vec<[u64; 2]> = counts.values().copied().collect();
    let sum = |side: usize| pairs.iter().map(|pair| pair[side]).sum::<u64>() as f64;
    let (n, m) = (sum(0), sum(1));
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let shares = || pairs.iter().map(|[a, b]| (*a as f64 / n, *b as f64 / m));
    let part = |p: f64, of: f64| if p > 0.0 { p * (p / of).log2() } else { 0.0 };
    let divergence: f64 = shares()
        .map(|(p, q)| 0.5 * part(p, 0.5 * (p + q)) + 0.5 * part(q, 0.5 * (p + q)))
        .sum::<f64>()
        .max(0.0);
    let by_chance = (pairs.len() - 1) as f64 * (1.0 / n + 1.0 / m) / (8.0 * std::f64::consts::LN_2);
    let (chi2, chi2_dof) = chi_square(&pairs);
    let (chi2_pooled, chi2_pooled_dof) = chi_square(&pooled(&pairs));
    let p = |x: f64, dof: usize| (dof > 0).then(|| chi_square_tail(x, dof as f64));
    Some(Categories {
        values: pairs.len(),
        only_in_reference: pairs.iter().filter(|[_, new]| *new == 0).count(),
        only_in_current: pairs.iter().filter(|[old, _]| *old == 0).count(),
        psi: stability(&pairs),
        psi_limit_5pct: stability_limit(pairs.len(), n, m),
        js_distance_bits: divergence.sqrt(),
        js_by_chance_bits: by_chance,
        effect: (divergence - by_chance).max(0.0).sqrt(),
        tvd: 0.5 * shares().map(|(p, q)| (p - q).abs()).sum::<f64>(),
        hellinger: (0.5 * shares().map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum::<f64>()).sqrt(),
        chi2,
        chi2_dof,
        chi2_p: p(chi2, chi2_dof),
        chi2_pooled,
        chi2_pooled_dof,
        chi2_pooled_p: p(chi2_pooled, chi2_pooled_dof),
    })
}

/// The test of two rows of counts being of one kind, and its degrees of freedom.
fn chi_square(pairs: &[[u64; 2]]) -> (f64, usize) {
    let sum = |side: usize| pairs.iter().map(|pair| pair[side]).sum::<u64>() as f64;
    let (n, m) = (sum(0), sum(1));
    let cell = |seen: u64, side: f64, both: f64| {
        let expected = both * side / (n + m);
        (seen as f64 - expected).powi(2) / expected
    };
    let seen = pairs.iter().filter(|pair| pair[0] + pair[1] > 0);
    let statistic =
        seen.clone().map(|[a, b]| cell(*a, n, (a + b) as f64) + cell(*b, m, (a + b) as f64)).sum();
    (statistic, seen.count().saturating_sub(1))
}

/// Categories of which fewer are expected on a side than the test bears, as one. Where even these
/// are too few together, they join the smallest of the others.
fn pooled(pairs: &[[u64; 2]]) -> Vec<[u64; 2]> {
    let sum = |side: usize| pairs.iter().map(|pair| pair[side]).sum::<u64>() as f64;
    let (n, m) = (sum(0), sum(1));
    let enough =
        |pair: &[u64; 2]| (pair[0] + pair[1]) as f64 * n.min(m) / (n + m) >= EXPECTED_LEAST;
    let (mut kept, rare): (Vec<[u64; 2]>, Vec<[u64; 2]>) =
        pairs.iter().copied().partition(|pair| enough(pair));
    let together = rare.iter().fold([0, 0], |[a, b], pair| [a + pair[0], b + pair[1]]);
    if enough(&together) {
        kept.push(together);
    } else if let Some(least) = kept.iter_mut().min_by_key(|pair| pair[0] + pair[1]) {
        *least = [least[0] + together[0], least[1] + together[1]];
    } else {
        kept.push(together);
    }
    kept
}

/// The population stability index, each count raised by a half so that none is nothing.
fn stability(pairs: &[[u64; 2]]) -> f64 {
    let half = 0.5 * pairs.len() as f64;
    let sum = |side: usize| pairs.iter().map(|pair| pair[side]).sum::<u64>() as f64 + half;
    let (n, m) = (sum(0), sum(1));
    let part = |[a, b]: &[u64; 2]| {
        let (p, q) = ((*a as f64 + 0.5) / n, (*b as f64 + 0.5) / m);
        (q - p) * (q / p).ln()
    };
    pairs.iter().map(part).sum()
}

/// What the index is above by chance once in twenty times (Yurdakul, "Statistical properties of
/// population stability index", 2018).
fn stability_limit(bins: usize, n: f64, m: f64) -> f64 {
    if bins < 2 {
        return 0.0;
    }
    chi_square_limit(LIMIT_SHARE, (bins - 1) as f64) * (1.0 / n + 1.0 / m)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[[u64; 2]]) -> Counts {
        pairs.iter().enumerate().map(|(at, pair)| (format!("c{at}"), *pair)).collect()
    }

    #[test]
    fn what_is_the_same_does_not_differ() {
        let same = categories(&counts(&[[50, 50], [30, 30], [1, 1]])).unwrap();
        assert_eq!((same.chi2, same.effect, same.chi2_pooled_p), (0.0, 0.0, Some(1.0)));
        assert_eq!(same.chi2_pooled_dof, 1, "the rare one joined another");
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let same = numbers(&values, &values).unwrap();
        assert_eq!((same.ks, same.ks_p_limit, same.deciles_psi), (0.0, 1.0, 0.0));
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(numbers(&[], &[1.0]), None);
        assert_eq!(categories(&counts(&[[0, 4]])), None);
        let one = categories(&counts(&[[3, 4]])).unwrap();
        assert_eq!((one.chi2_p, one.psi_limit_5pct), (None, 0.0));
        let flat = numbers(&[1.0; 20], &[1.0; 20]).unwrap();
        assert_eq!(flat.decile_counts[0].iter().sum::<u64>(), 20);
    }

    #[test]
    fn a_category_that_appears_is_seen() {
        let new = categories(&counts(&[[900, 800], [100, 100], [0, 100]])).unwrap();
        assert!(new.effect > 0.1 && new.chi2_pooled_p.is_some_and(|p| p < 1e-6), "{new:?}");
    }
}
