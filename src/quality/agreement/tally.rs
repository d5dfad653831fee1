//! Patterns to which tasks are added, and from which they are taken away again: what figures are
//! kept of while labels come in.

use std::collections::BTreeMap;

use super::patterns::{Counts, Patterns};
use crate::quality::ratings::Ordered;

/// How many tasks were labeled alike, by what was said of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// How often each value was said of a task, by value; and how many tasks are so.
    tasks: BTreeMap<Vec<(String, u32)>, u32>,
}

impl Tally {
    /// Adds a task of which these were said, one by each reviewer.
    pub fn add<'v>(&mut self, said: impl IntoIterator<Item = &'v str>) {
        let counts = counts(said);
        if !counts.is_empty() {
            *self.tasks.entry(counts).or_default() += 1;
        }
    }

    /// Takes away a task that was added.
    pub fn take<'v>(&mut self, said: impl IntoIterator<Item = &'v str>) {
        let counts = counts(said);
        if let Some(tasks) = self.tasks.get_mut(&counts) {
            *tasks -= 1;
            if *tasks == 0 {
                self.tasks.remove(&counts);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What coefficients are computed from.
    pub fn patterns(&self) -> Patterns {
        let names: std::collections::BTreeSet<&str> =
            self.tasks.keys().flatten().map(|(value, _)| value.as_str()).collect();
        let ordered = Ordered::of(names.iter().copied());
        let place: BTreeMap<&str, u32> = names.into_iter().zip(ordered.place).collect();
        let mut tasks: BTreeMap<Counts, u32> = BTreeMap::new();
        for (said, n) in &self.tasks {
            let mut counts = Counts::new();
            let mut numbered: Vec<(u32, u32)> =
                said.iter().map(|(value, n)| (place[value.as_str()], *n)).collect();
            numbered.sort_unstable();
            for (value, n) in numbered {
                match counts.last_mut().filter(|(same, _)| *same == value) {
                    Some((_, more)) => *more += n,
                    None => counts.push((value, n)),
                }
            }
            *tasks.entry(counts).or_default() += n;
        }
        Patterns::gathered(tasks.into_iter().collect(), ordered.values, ordered.numbers)
    }
}

fn counts<'v>(said: impl IntoIterator<Item = &'v str>) -> Vec<(String, u32)> {
    let mut values: Vec<&str> = said.into_iter().collect();
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(|same| (same[0].to_owned(), same.len() as u32)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::quality::agreement::{Resampling, measure, nominal_alpha};
    use crate::quality::ratings::Ratings;

    const VALUES: [&str; 4] = ["1", "1.0", "2", "x"];

    proptest! {
        /// Whatever was added and taken away meanwhile: what is left gives the figure that it gives
        /// when read anew.
        #[test]
        fn what_is_kept_is_what_is_counted_anew(
            tasks in prop::collection::vec((prop::collection::vec(0_usize..4, 0..4), any::<bool>()), 0..60),
        ) {
            let said = |task: &[usize]| task.iter().map(|value| VALUES[*value]).collect::<Vec<_>>();
            let mut tally = Tally::default();
            let mut ratings = Ratings::default();
            tasks.iter().for_each(|(task, _)| tally.add(said(task)));
            for (at, (task, stays)) in tasks.iter().enumerate().rev() {
                if !stays {
                    tally.take(said(task));
                } else {
                    said(task).iter().enumerate().for_each(|(who, value)| {
                        ratings.push(&at.to_string(), &who.to_string(), value);
                    });
                }
            }
            let times = Resampling { times: 50, seed: 7 };
            let anew = measure(&ratings.sorted(), times).krippendorff_alpha.nominal;
            prop_assert_eq!(nominal_alpha(&tally.patterns(), times), anew);
        }
    }
}
