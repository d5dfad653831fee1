//! Two models on the same rows: whether one is right more often, and whether it is not worse.
//!
//! Only rows on which they differ tell which is better: of `gained + lost` such rows the better of
//! two equal models would gain half (McNemar, "Note on the sampling error of the difference between
//! correlated proportions", 1947; mid-p: Lancaster, 1961). That one is not worse by more than a
//! margin is told by the score interval of the difference (Tango, "Equivalence test and confidence
//! interval for the difference in proportions for the paired-sample design", 1998, equation 7).

use statrs::function::gamma::ln_gamma;

use crate::domain::distribution::normal_limit;

/// What came of a comparison on one set of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Table {
    pub rows: u64,
    /// Right before, right after.
    pub before: u64,
    pub after: u64,
    /// Wrong before and right after, and the other way round.
    pub gained: u64,
    pub lost: u64,
}

impl Table {
    pub fn take(&mut self, before: bool, after: bool) {
        self.rows += 1;
        self.before += u64::from(before);
        self.after += u64::from(after);
        self.gained += u64::from(!before && after);
        self.lost += u64::from(before && !after);
    }

    /// Shares of the rows that are right; none of no rows.
    pub fn shares(&self) -> Option<(f64, f64)> {
        let n = self.rows as f64;
        (self.rows > 0).then(|| (self.before as f64 / n, self.after as f64 / n))
    }

    pub fn change(&self) -> Option<f64> {
        (self.rows > 0).then(|| (self.gained as f64 - self.lost as f64) / self.rows as f64)
    }

    /// How likely at least so many gains are of two equal models.
    pub fn better(&self) -> f64 {
        tail(self.gained, self.gained + self.lost)
    }

    /// The same, half of exactly so many counted: less timid, and still right on average.
    pub fn better_midp(&self) -> f64 {
        midp(self.gained, self.gained + self.lost)
    }

    /// How likely at least so many losses are of two equal models.
    pub fn worse(&self) -> f64 {
        tail(self.lost, self.gained + self.lost)
    }

    /// The change lies between these, with an error of `alpha` on either side.
    pub fn interval(&self, alpha: f64) -> Option<(f64, f64)> {
        let z = normal_limit(alpha);
        let crossing = |level: f64| {
            let (mut low, mut high) = (-1.0, 1.0);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                if middle <= low || middle >= high {
                    break;
                }
                if self.score(middle) > level { low = middle } else { high = middle }
            }
            0.5 * (low + high)
        };
        (self.rows > 0).then(|| (crossing(z), crossing(-z)))
    }

    /// How far the change lies above `delta`, in standard errors under it.
    fn score(&self, delta: f64) -> f64 {
        let [n, b, c] = [self.rows, self.gained, self.lost].map(|count| count as f64);
        let one = 2.0 * n;
        let two = -b - c + (2.0 * n - b + c) * delta;
        let three = -c * delta * (1.0 - delta);
        let q = ((two * two - 4.0 * one * three).max(0.0).sqrt() - two) / (2.0 * one);
        let above = b - c - n * delta;
        let spread = n * (2.0 * q + delta * (1.0 - delta));
        if spread > 0.0 {
            above / spread.sqrt()
        } else if above == 0.0 {
            0.0
        } else {
            above.signum() * f64::INFINITY
        }
    }

    /// Whether it is shown that the change is above `-margin`.
    fn not_worse(&self, margin: f64, z: f64) -> bool {
        self.score(-margin) > z
    }
}

fn ln_choose(n: u64, k: u64) -> f64 {
    let ln = |n: u64| ln_gamma(n as f64 + 1.0);
    ln(n) - ln(k) - ln(n - k)
}

/// P(B = k) of B ~ Bin(n, share).
fn point(k: u64, n: u64, share: f64) -> f64 {
    let part = |count: u64, share: f64| if count == 0 { 0.0 } else { count as f64 * share.ln() };
    (ln_choose(n, k) + part(k, share) + part(n - k, 1.0 - share)).exp()
}

/// P(B >= k) of B ~ Bin(n, 1/2).
pub fn tail(k: u64, n: u64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    // The shorter side is summed, smallest first, each from the one before.
    if 2 * k <= n {
        return 1.0 - tail(n - k + 1, n);
    }
    let mut term = point(k, n, 0.5);
    let mut sum = 0.0;
    for at in k..=n {
        sum += term;
        term *= (n - at) as f64 / (at + 1) as f64;
        if term <= sum * 1e-18 {
            break;
        }
    }
    sum.min(1.0)
}

fn midp(k: u64, n: u64) -> f64 {
    tail(k, n) - 0.5 * point(k, n, 0.5)
}

/// P(B <= k) of B ~ Bin(n, share): what a rate below a target looks like.
pub fn at_most(k: u64, n: u64, share: f64) -> f64 {
    if k >= n || share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return 0.0;
    }
    if k as f64 > n as f64 * share {
        return 1.0 - at_most(n - k - 1, n, 1.0 - share);
    }
    let mut term = point(k, n, share);
    let mut sum = 0.0;
    for at in (0..=k).rev() {
        sum += term;
        term *= at as f64 * (1.0 - share) / ((n - at + 1) as f64 * share);
        if term <= sum * 1e-18 {
            break;
        }
    }
    sum.min(1.0)
}

/// Chance with which what is asked for is to be shown.
pub const POWER: f64 = 0.8;
/// Most rows that are tried.
const ROWS_MAX: u64 = 100_000;

/// How likely a gain is shown by mid-p on so many rows, where a row is gained and lost with these
/// chances.
pub fn fix_power(gain: f64, loss: f64, rows: u64, alpha: f64) -> f64 {
    let share = gain / (gain + loss);
    sum_over(rows, gain + loss, |differing| {
        // The fewest gains that show it.
        let (mut low, mut high) = (differing / 2, differing + 1);
        while low < high {
            let middle = low.midpoint(high);
            let shown = middle <= differing && midp(middle, differing) <= alpha;
            if shown || middle > differing { high = middle } else { low = middle + 1 }
        }
        if low > differing || differing == 0 {
            0.0
        } else {
            at_most(differing - low, differing, 1.0 - share)
        }
    })
}

/// How likely it is shown that a model that is neither better nor worse is not worse by `margin`,
/// where a row differs with this chance.
pub fn keep_power(differing: f64, margin: f64, rows: u64, alpha: f64) -> f64 {
    let z = normal_limit(alpha);
    sum_over(rows, differing, |count| {
        let shown = |gained: u64| {
            Table { rows, gained, lost: count - gained, ..Table::default() }.not_worse(margin, z)
        };
        let (mut low, mut high) = (0, count + 1);
        while low < high {
            let middle = low.midpoint(high);
            if middle > count || shown(middle) { high = middle } else { low = middle + 1 }
        }
        if low > count { 0.0 } else { at_most(count - low, count, 0.5) }
    })
}

/// The mean of `of` over how many rows differ.
fn sum_over(rows: u64, share: f64, of: impl Fn(u64) -> f64) -> f64 {
    let share = share.clamp(0.0, 1.0);
    let spread = (rows as f64 * share * (1.0 - share)).sqrt().mul_add(9.0, 9.0);
    let middle = rows as f64 * share;
    let from = (middle - spread).max(0.0) as u64;
    let to = ((middle + spread) as u64).min(rows);
    (from..=to).map(|count| point(count, rows, share) * of(count)).sum()
}

/// The fewest rows of which `power` is enough; none where not even [`ROWS_MAX`] are.
fn fewest(power: impl Fn(u64) -> f64) -> Option<u64> {
    let mut high = 8;
    while power(high) < POWER {
        high *= 2;
        if high > ROWS_MAX {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if power(middle) >= POWER { high = middle } else { low = middle }
    }
    // Powers of whole numbers go up and down a little: the first that is enough may lie below.
    let start = low.saturating_sub(8).max(1);
    (start..=high).find(|rows| power(*rows) >= POWER)
}

/// How many rows it takes to show a gain, where a row is gained and lost with these chances.
pub fn rows_to_fix(gain: f64, loss: f64, alpha: f64) -> Option<u64> {
    if gain <= loss {
        return None;
    }
    fewest(|rows| fix_power(gain, loss, rows, alpha))
}

/// How many rows it takes to show that nothing is lost beyond `margin`.
pub fn rows_to_keep(differing: f64, margin: f64, alpha: f64) -> Option<u64> {
    if margin <= 0.0 {
        return None;
    }
    fewest(|rows| keep_power(differing.max(1e-9), margin, rows, alpha))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_of_no_rows_and_little_of_few() {
        let none = Table::default();
        assert_eq!((none.change(), none.interval(0.05)), (None, None));
        assert_eq!((none.better(), none.worse()), (1.0, 1.0));
        let twenty = Table { rows: 20, before: 1, after: 1, ..Table::default() };
        let (low, high) = twenty.interval(0.05).unwrap();
        assert!((low + high).abs() < 1e-9 && (high - 0.119).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn rows_that_it_takes_are_those_of_the_enumeration() {
        // scipy 1.17.1, exact enumeration.
        for (gain, loss, expect) in [(0.2, 0.02, 38), (0.1, 0.02, 107), (0.05, 0.01, 215)] {
            assert_eq!(rows_to_fix(gain, loss, 0.05), Some(expect));
        }
        assert_eq!(rows_to_fix(0.4, 0.0, 0.05), Some(13));
        assert_eq!(rows_to_fix(0.1, 0.1, 0.05), None);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 6e-5, "{a} {b}");
        near(keep_power(0.04, 0.02, 100, 0.05), 0.2194);
        near(keep_power(0.04, 0.02, 800, 0.05), 0.8609);
        near(keep_power(0.1, 0.03, 400, 0.05), 0.5851);
        near(fix_power(0.1, 0.02, 100, 0.05), 0.772_262_11);
    }

    #[test]
    fn a_share_below_its_target_is_told_by_the_binomial() {
        // scipy 1.17.1: binom.cdf; shared/data/loop/outcomes/binomial_housing.json
        const TARGET: f64 = 1944.0 / 2916.0 - 0.02;
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
        near(at_most(152, 300, TARGET), 4.580_416_941_444_183e-7);
        near(at_most(88, 300, TARGET), 1.613_799_836_198_367_8e-35);
        near(at_most(236, 300, TARGET), 0.999_999_954_085_164_8);
        assert_eq!((at_most(3, 3, 0.2), at_most(0, 4, 1.0)), (1.0, 0.0));
    }
}
