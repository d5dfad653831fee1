//! The rows of a window, held against the reference.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::recent::Drawn;
use super::watched::Watched;
use crate::trap::reference::{OTHERS, Reference};
use crate::trap::two_sample::{Counts, categories, numbers};

/// Most numbers of a window that are held against the reference: those with the smallest draws.
const NUMBERS_MAX: usize = 4_096;
/// A stability index below this is no change, however sure it is.
const STABLE: f64 = 0.1;

/// The rows of a stream in a stretch of time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Window {
    pub rows: u64,
    pub counts: BTreeMap<String, u64>,
    /// Draws and numbers, the smallest draws.
    pub numbers: BTreeSet<(u64, u64)>,
    /// Rows that may become cases, by draws and numbers. Lines are not kept from run to run: what is
    /// redacted or erased of a stream must stand nowhere.
    #[serde(skip)]
    pub drawn: BTreeMap<(u64, u64), Drawn>,
}

/// How a window differs from the reference.
pub struct Shift {
    pub statistic: f64,
    pub effect: f64,
    /// The stability index is above what it may be.
    pub unstable: bool,
    /// None where each category has too few rows for the test to bear.
    pub p: Option<f64>,
    pub rows: u64,
    pub before: Option<f64>,
    pub now: Option<f64>,
    pub moved: Option<String>,
}

impl Window {
    /// Counts a row to it; says whether it is one of those that may become cases, of so many.
    pub fn take(&mut self, u: u64, watched: &Watched, cases: usize) -> bool {
        self.rows += 1;
        if let Some(number) = watched.number {
            self.numbers.insert((u, number.to_bits()));
            if self.numbers.len() > NUMBERS_MAX {
                self.numbers.pop_last();
            }
        }
        if let Some(text) = &watched.text {
            *self.counts.entry(text.to_string()).or_default() += 1;
        }
        let last = self.drawn.last_key_value();
        self.drawn.len() < cases || last.is_some_and(|(last, _)| u < last.0)
    }

    /// How it differs from the reference in a field, if that has it.
    pub fn shift(&self, reference: &Reference, field: &str) -> Option<Shift> {
        if let Some(sample) = reference.numbers.get(field) {
            let now: Vec<f64> =
                self.numbers.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
            let found = numbers(sample, &now)?;
            return Some(Shift {
                statistic: found.ks,
                effect: found.ks,
                unstable: found.deciles_psi >= found.deciles_psi_limit_5pct.max(STABLE),
                p: Some(found.ks_p_limit),
                rows: (now.len() as u64).min(sample.len() as u64),
                before: Some(found.mean[0]),
                now: Some(found.mean[1]),
                moved: None,
            });
        }
        let known = reference.values.get(field)?;
        let mut counts = Counts::new();
        known.iter().for_each(|(value, n)| counts.entry(value.clone()).or_default()[0] += n);
        let others = known.contains_key(OTHERS);
        for (value, n) in &self.counts {
            let value = if others && !known.contains_key(value) { OTHERS } else { value };
            counts.entry(value.to_owned()).or_default()[1] += n;
        }
        let found = categories(&counts)?;
        let all = [0, 1].map(|side| counts.values().map(|pair| pair[side]).sum::<u64>());
        let share =
            |pair: &[u64; 2]| (pair[0] as f64 / all[0] as f64, pair[1] as f64 / all[1] as f64);
        // The value that moved most says which way.
        let moved = counts.iter().max_by(|a, b| {
            let apart = |pair| {
                let (before, now) = share(pair);
                (now - before).abs()
            };
            apart(a.1).total_cmp(&apart(b.1))
        });
        let shares = moved.map(|(_, pair)| share(pair));
        Some(Shift {
            statistic: found.chi2_pooled,
            effect: found.effect,
            unstable: false,
            p: found.chi2_pooled_p,
            rows: all[0].min(all[1]),
            before: shares.map(|(before, _)| before),
            now: shares.map(|(_, now)| now),
            moved: moved.map(|(value, _)| value.clone()),
        })
    }
}
