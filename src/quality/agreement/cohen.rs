//! Cohen's kappa of two reviewers, (p_o − p_c) / (1 − p_c) (Cohen, "A coefficient of agreement for
//! nominal scales", 1960, equation 1); weighted by how far two values are apart (Cohen, 1968,
//! equation 5); of each pair, and the mean over pairs.

use serde::Serialize;

use super::{Resampling, because};
use crate::domain::random::SplitMix64;
use crate::quality::figure::{Figure, middle};
use crate::quality::ratings::{Rating, Ratings};

/// A pair counts in the mean if it has so many tasks in common; if no pair has, every pair does.
pub const COMMON_MIN: usize = 10;
/// Work of resampling above which tasks are drawn anew less often.
const WORK_MAX: usize = 500_000_000;
/// Fewer give no interval.
const TIMES_MIN: usize = 100;
/// Most pairs that are listed.
pub const LISTED_MAX: usize = 1_000;
/// More meetings of two reviewers on a task are not compared pair by pair: 8 bytes each.
const MEETINGS_MAX: usize = 60_000_000;
const TOO_MANY: &str = "too many reviewers share tasks to compare every pair";
const NO_PAIR: &str = "no two reviewers labeled the same task";
const ALL_UNDEFINED: &str = "no pair of reviewers used two classes on the tasks they share";

/// Cohen's kappa of all pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cohen {
    /// The mean over pairs; `n` is how many pairs.
    #[serde(flatten)]
    pub mean: Figure,
    /// Means of the weighted kappas over the same pairs.
    pub linear: Figure,
    pub quadratic: Figure,
    /// How many tasks a pair must share to count in the mean.
    pub common_min: usize,
    /// The pairs with most tasks in common first.
    pub pairs: Vec<Pair>,
    /// How many pairs are not listed.
    pub more: usize,
    pub resampled: usize,
}

/// Two reviewers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    pub reviewers: [String; 2],
    /// Tasks that both labeled.
    pub n: usize,
    /// Share of them on which both said the same.
    pub percent: f64,
    pub kappa: Option<f64>,
    pub linear: Option<f64>,
    pub quadratic: Option<f64>,
}

/// What two reviewers said of a task, and how often.
struct Said {
    values: [usize; 2],
    n: f64,
}

pub fn measure(ratings: &Ratings, resampling: Resampling) -> Cohen {
    let k = ratings.values.len();
    let keys = Keys { reviewers: ratings.reviewers.len().max(1) as u64, classes: k.max(1) as u64 };
    let Some(mut met) = keys.meetings(ratings) else {
        let none = || Figure::new(Err(TOO_MANY), 0);
        let (mean, linear, quadratic) = (none(), none(), none());
        return Cohen {
            mean,
            linear,
            quadratic,
            common_min: COMMON_MIN,
            pairs: Vec::new(),
            more: 0,
            resampled: 0,
        };
    };
    met.sort_unstable();
    let mut who: Vec<u64> = Vec::new();
    let mut pairs: Vec<Pair> = Vec::new();
    for of_pair in met.chunk_by(|a, b| keys.pair(*a) == keys.pair(*b)) {
        let same = of_pair.chunk_by(|a, b| a == b);
        let said: Vec<Said> =
            same.map(|same| Said { values: keys.values(same[0]), n: same.len() as f64 }).collect();
        let mut names =
            keys.reviewers(of_pair[0]).map(|number| ratings.reviewers.name(number).to_owned());
        names.sort();
        who.push(keys.pair(of_pair[0]));
        pairs.push(pair(names, of_pair.len(), &said, k, ratings.numbers.as_deref()));
    }
    let common_min = if pairs.iter().any(|pair| pair.n >= COMMON_MIN) { COMMON_MIN } else { 1 };
    let mean_of = |of: fn(&Pair) -> Option<f64>| {
        let kept: Vec<f64> =
            pairs.iter().filter(|pair| pair.n >= common_min).filter_map(of).collect();
        let value = match kept.len() {
            _ if pairs.is_empty() => Err(NO_PAIR),
            0 => Err(ALL_UNDEFINED),
            n => Ok(kept.iter().sum::<f64>() / n as f64),
        };
        Figure::new(value, kept.len())
    };
    let weighed = |of: fn(&Pair) -> Option<f64>| match &ratings.numbers {
        None => Figure::new(Err(because::NO_NUMBERS), 0),
        Some(_) => mean_of(of),
    };
    let [linear, quadratic] = [weighed(|pair| pair.linear), weighed(|pair| pair.quadratic)];
    let mean = mean_of(|pair| pair.kappa);
    let affordable = resampling.times.min(WORK_MAX / (met.len() + pairs.len() * 2 * k).max(1));
    // One task drawn again and again is always the same.
    let several = ratings.tasks.len() > 1;
    let times =
        if several && mean.value.is_ok() && affordable >= TIMES_MIN { affordable } else { 0 };
    drop(met);
    let drawn = if times == 0 {
        Vec::new()
    } else {
        let common: Vec<usize> = pairs.iter().map(|pair| pair.n).collect();
        resample(ratings, &keys, &who, &common, common_min, Resampling { times, ..resampling })
    };
    let more = pairs.len().saturating_sub(LISTED_MAX);
    pairs.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.reviewers.cmp(&b.reviewers)));
    pairs.truncate(LISTED_MAX);
    Cohen {
        mean: mean.with(middle(drawn)),
        linear,
        quadratic,
        common_min,
        pairs,
        more,
        resampled: times,
    }
}

/// A meeting of two reviewers on a task as one number: who, then what each said. Sorting brings
/// those of a pair together.
struct Keys {
    reviewers: u64,
    classes: u64,
}

impl Keys {
    /// `a` is the reviewer with the smaller number.
    fn key(&self, a: Rating, b: Rating) -> u64 {
        let pair = u64::from(a.reviewer) * self.reviewers + u64::from(b.reviewer);
        (pair * self.classes + u64::from(a.value)) * self.classes + u64::from(b.value)
    }

    fn pair(&self, key: u64) -> u64 {
        key / (self.classes * self.classes)
    }

    fn values(&self, key: u64) -> [usize; 2] {
        [(key / self.classes % self.classes) as usize, (key % self.classes) as usize]
    }

    fn reviewers(&self, key: u64) -> [u32; 2] {
        [(self.pair(key) / self.reviewers) as u32, (self.pair(key) % self.reviewers) as u32]
    }

    /// All of them; nothing if they are too many to hold.
    fn meetings(&self, ratings: &Ratings) -> Option<Vec<u64>> {
        let (mut keys, mut first) = (Vec::new(), Vec::new());
        for task in 0..ratings.tasks.len() {
            ratings.first_of_each(task, &mut first);
            if keys.len() + first.len() * first.len() / 2 > MEETINGS_MAX {
                return None;
            }
            for (at, a) in first.iter().enumerate() {
                keys.extend(first[at + 1..].iter().map(|b| self.key(*a, *b)));
            }
        }
        Some(keys)
    }
}

fn pair(
    reviewers: [String; 2],
    common: usize,
    said: &[Said],
    k: usize,
    numbers: Option<&[f64]>,
) -> Pair {
    let n = common as f64;
    let mut of: [Vec<f64>; 2] = [vec![0.0; k], vec![0.0; k]];
    for Said { values: [a, b], n: times } in said {
        of[0][*a] += times / n;
        of[1][*b] += times / n;
    }
    // The sum of nothing is −0 otherwise.
    let same: f64 =
        said.iter().filter(|said| said.values[0] == said.values[1]).map(|said| said.n).sum::<f64>()
            + 0.0;
    // Disagreement seen against disagreement by chance; the same as Cohen's equation with weights 1
    // − apart.
    let kappa = |apart: &dyn Fn(usize, usize) -> f64| {
        let observed: f64 =
            said.iter().map(|said| said.n * apart(said.values[0], said.values[1])).sum::<f64>() / n;
        let mut chance = 0.0;
        for (a, one) in of[0].iter().enumerate().filter(|(_, share)| **share > 0.0) {
            chance += of[1]
                .iter()
                .enumerate()
                .filter(|(_, share)| **share > 0.0)
                .map(|(b, two)| one * two * apart(a, b))
                .sum::<f64>();
        }
        (chance > 1e-12).then(|| 1.0 - observed / chance)
    };
    Pair {
        reviewers,
        n: common,
        percent: same / n,
        kappa: kappa(&|a, b| f64::from(u8::from(a != b))),
        linear: numbers.and_then(|numbers| kappa(&|a, b| (numbers[a] - numbers[b]).abs())),
        quadratic: numbers.and_then(|numbers| kappa(&|a, b| (numbers[a] - numbers[b]).powi(2))),
    }
}

/// Means over the same pairs when tasks are drawn anew.
fn resample(
    ratings: &Ratings,
    keys: &Keys,
    pairs: &[u64],
    common: &[usize],
    common_min: usize,
    Resampling { times, seed }: Resampling,
) -> Vec<f64> {
    let (tasks, k) = (ratings.tasks.len(), ratings.values.len());
    let (mut meetings, mut first) = (Vec::new(), Vec::new());
    for task in 0..tasks {
        ratings.first_of_each(task, &mut first);
        for (at, a) in first.iter().enumerate() {
            for key in first[at + 1..].iter().map(|b| keys.key(*a, *b)) {
                // Every pair is among them, in order.
                let pair = pairs.binary_search(&keys.pair(key)).unwrap_or_default();
                meetings.push((task, pair, keys.values(key)));
            }
        }
    }
    let mut dice = SplitMix64::new(seed);
    let mut often = vec![0_u32; tasks];
    let (mut n, mut same, mut of) =
        (vec![0_u32; common.len()], vec![0_u32; common.len()], vec![0_u32; common.len() * 2 * k]);
    let mut means = Vec::with_capacity(times);
    for _ in 0..times {
        [&mut often, &mut n, &mut same, &mut of].into_iter().for_each(|counts| counts.fill(0));
        (0..tasks).for_each(|_| often[dice.below(tasks)] += 1);
        for (task, pair, values) in &meetings {
            let (times, pair) = (often[*task], *pair);
            n[pair] += times;
            same[pair] += times * u32::from(values[0] == values[1]);
            of[pair * 2 * k + values[0]] += times;
            of[pair * 2 * k + k + values[1]] += times;
        }
        let kappa = |pair: usize| {
            let n = f64::from(n[pair]);
            let (one, two) = of[pair * 2 * k..(pair + 1) * 2 * k].split_at(k);
            let chance: f64 =
                one.iter().zip(two).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
                    / (n * n);
            (1.0 - chance > 1e-12).then(|| (f64::from(same[pair]) / n - chance) / (1.0 - chance))
        };
        let kept: Vec<f64> = (0..common.len())
            .filter(|pair| common[*pair] >= common_min && n[*pair] > 0)
            .filter_map(kappa)
            .collect();
        means.push(kept.iter().sum::<f64>() / kept.len() as f64);
    }
    means
}
