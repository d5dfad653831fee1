//! Tasks gathered by how often each value was given to them.

use std::collections::HashMap;

use crate::domain::random::SplitMix64;
use crate::quality::ratings::{Names, Ratings};

/// How often each value was given to a task, by the number of the value.
pub type Counts = Vec<(u32, u32)>;

/// Work of resampling above which tasks are drawn anew less often.
const WORK_MAX: usize = 2_000_000_000;

/// Tasks of one pattern have the same counts of the same values.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    /// In order, so that the same labels are the same patterns, however they came.
    pub counts: Vec<Counts>,
    /// How many tasks have each pattern.
    pub tasks_of: Vec<u32>,
    /// The pattern of each task with a label, by pattern.
    of_task: Vec<u32>,
    pub values: Names,
    pub numbers: Option<Vec<f64>>,
    /// The numbers are ranks.
    pub ranked: bool,
    /// Tasks with a label, with two or more, and labels.
    pub rated: usize,
    pub several: usize,
    pub labels: usize,
}

impl Patterns {
    pub fn of(ratings: &Ratings) -> Self {
        let mut known: HashMap<Counts, u32, foldhash::fast::FixedState> = HashMap::default();
        let (mut first, mut counts) = (Vec::new(), Vec::new());
        for task in 0..ratings.tasks.len() {
            ratings.first_of_each(task, &mut first);
            if first.is_empty() {
                continue;
            }
            first.sort_unstable_by_key(|rating| rating.value);
            counts.clear();
            for chunk in first.chunk_by(|a, b| a.value == b.value) {
                counts.push((chunk[0].value, chunk.len() as u32));
            }
            match known.get_mut(&counts) {
                Some(tasks) => *tasks += 1,
                None => drop(known.insert(counts.clone(), 1)),
            }
        }
        let made = Self::gathered(
            known.into_iter().collect(),
            ratings.values.clone(),
            ratings.numbers.clone(),
        );
        Self { ranked: ratings.ranked, ..made }
    }

    /// Of patterns, each once, with how many tasks have it. Values by number, in order.
    pub fn gathered(
        mut patterns: Vec<(Counts, u32)>,
        values: Names,
        numbers: Option<Vec<f64>>,
    ) -> Self {
        patterns.sort_unstable();
        let (counts, tasks_of): (Vec<Counts>, Vec<u32>) = patterns.into_iter().unzip();
        let (mut rated, mut several, mut labels) = (0, 0, 0);
        let mut of_task = Vec::new();
        for (pattern, (counts, tasks)) in counts.iter().zip(&tasks_of).enumerate() {
            let (of_one, tasks) =
                (counts.iter().map(|(_, n)| *n as usize).sum::<usize>(), *tasks as usize);
            rated += tasks;
            several += if of_one > 1 { tasks } else { 0 };
            labels += of_one * tasks;
            of_task.extend(std::iter::repeat_n(pattern as u32, tasks));
        }
        Self { counts, tasks_of, of_task, values, numbers, ranked: false, rated, several, labels }
    }

    /// How often tasks may be drawn anew without taking too long.
    pub fn affordable(&self, times: usize) -> usize {
        let squares: usize = self.counts.iter().map(|counts| counts.len() * counts.len()).sum();
        let each = self.of_task.len() + squares + 4 * self.values.len() * self.values.len();
        times.min(WORK_MAX / each.max(1))
    }

    /// Draws as many tasks as there are, with replacement; counts their patterns.
    pub fn draw(&self, dice: &mut SplitMix64, counts: &mut [f64]) {
        counts.fill(0.0);
        for _ in 0..self.of_task.len() {
            counts[self.of_task[dice.below(self.of_task.len())] as usize] += 1.0;
        }
    }

    /// What coefficients are computed from, with so many tasks of each pattern.
    pub fn sums(&self, tasks_of: &[f64]) -> Sums<'_> {
        let k = self.values.len();
        let mut sums = Sums {
            classes: k,
            numbers: self.numbers.as_deref(),
            ranked: self.ranked,
            coincidences: vec![0.0; k * k],
            agreeing: vec![0.0; k * k],
            share: vec![0.0; k],
            several: 0.0,
            rated: 0.0,
        };
        for (counts, tasks) in self.counts.iter().zip(tasks_of).filter(|(_, tasks)| **tasks > 0.0) {
            let m: f64 = counts.iter().map(|(_, n)| f64::from(*n)).sum();
            sums.rated += tasks;
            for (value, n) in counts {
                sums.share[*value as usize] += tasks * f64::from(*n) / m;
            }
            if m < 2.0 {
                continue;
            }
            sums.several += tasks;
            for (a, n) in counts {
                for (b, other) in counts {
                    let pairs = f64::from(*n) * (f64::from(*other) - f64::from(u8::from(a == b)));
                    let at = *a as usize * k + *b as usize;
                    sums.coincidences[at] += tasks * pairs / (m - 1.0);
                    sums.agreeing[at] += tasks * pairs / (m * (m - 1.0));
                }
            }
        }
        sums.share.iter_mut().for_each(|share| *share /= sums.rated.max(1.0));
        sums
    }
}

/// What coefficients are computed from.
#[derive(Debug)]
pub struct Sums<'p> {
    pub classes: usize,
    pub numbers: Option<&'p [f64]>,
    /// The numbers are ranks: which is more is known, and not by how much.
    pub ranked: bool,
    /// Krippendorff's coincidences: pairs of values within a task, each task of m labels weighing
    /// m.
    pub coincidences: Vec<f64>,
    /// The same, each task weighing 1.
    pub agreeing: Vec<f64>,
    /// Share of each value, averaged over tasks with a label.
    pub share: Vec<f64>,
    /// Tasks with two labels or more, and with one or more.
    pub several: f64,
    pub rated: f64,
}

impl Sums<'_> {
    /// Mean over tasks of the weight that two labels of it have together: 1 for the same value.
    pub fn observed(&self, weight: impl Fn(usize, usize) -> f64) -> f64 {
        let k = self.classes;
        let mut sum = 0.0;
        for a in 0..k {
            for b in 0..k {
                let pairs = self.agreeing[a * k + b];
                if pairs != 0.0 {
                    sum += pairs * weight(a, b);
                }
            }
        }
        sum / self.several
    }
}
