//! A share of a whole from parts that were sampled at different rates (Cochran, "Sampling
//! techniques", 1977, equations 5.1 and 5.14): each part weighs as much as it is of the whole.

/// A part of the whole, and what was found in the sample of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stratum {
    pub rows: u64,
    /// Of them looked at, at random.
    pub looked_at: u64,
    /// Of those, the ones that are meant.
    pub hits: u64,
}

/// Fewest that must have been looked at in a part for it to say something.
pub const LOOKED_AT_LEAST: u64 = 5;

/// The share in the whole, and its standard error. A part in which all were looked at adds no
/// error; nothing where nothing is.
pub fn share(strata: &[Stratum]) -> Option<(f64, f64)> {
    let all: u64 = strata.iter().map(|part| part.rows).sum();
    if all == 0 || strata.iter().any(|part| part.looked_at == 0 && part.rows > 0) {
        return None;
    }
    let (mut share, mut variance) = (0.0, 0.0);
    for part in strata.iter().filter(|part| part.rows > 0) {
        let weight = part.rows as f64 / all as f64;
        let (n, rows) = (part.looked_at as f64, part.rows as f64);
        let p = part.hits as f64 / n;
        share += weight * p;
        if part.looked_at > 1 {
            let left = (1.0 - n / rows).max(0.0);
            variance += weight * weight * p * (1.0 - p) / (n - 1.0) * left;
        }
    }
    Some((share, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_weigh_what_they_are_of_the_whole() {
        let part = |rows, looked_at, hits| Stratum { rows, looked_at, hits };
        // shared/data/loop/outcomes/weighted_clinc.json
        let (value, error) =
            share(&[part(812, 388, 262), part(981, 93, 9), part(181, 42, 6)]).unwrap();
        assert!((value - 0.338_957_398_722_708_2).abs() < 1e-12, "{value}");
        assert!((error - 0.016_785_331_552_895_67).abs() < 1e-12, "{error}");
        assert_eq!(share(&[part(10, 10, 4)]), Some((0.4, 0.0)), "all were looked at");
        assert_eq!(share(&[part(10, 0, 0)]), None);
        assert_eq!(share(&[]), None);
    }
}
