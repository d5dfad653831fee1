//! Drawing several of a few people so that each is drawn in proportion to their capacity.
//!
//! Everybody draws (1 − u)/u · c, and the smallest come first (Pareto sampling: Rosén, "On sampling
//! with probability proportional to size", 1997). With c = (1 − π)/π the part that somebody gets is
//! near π, and for a handful of people not near enough: with three of four drawn, half the capacity
//! gets 0.45 of a full share. So c is set right until the parts that follow from it are those wanted.
//! Only sums, products and quotients, so that every machine comes to the same bits.

/// From so many people on, c needs no setting right: the parts are within a hundredth.
const FEW: usize = 16;
const ROUNDS: usize = 16;
/// Points at which the part of one is integrated.
const POINTS: usize = 64;

/// What part of all cases each gets where `places` of them label a case: by capacity, and never more
/// than all.
pub fn parts(capacities: &[u32], places: usize) -> Vec<f64> {
    let mut parts = vec![1.0; capacities.len()];
    let mut sharing: Vec<usize> = (0..capacities.len()).collect();
    let mut places = places.max(1) as f64;
    // Whoever would get more than all gets all, and the others share what is left.
    loop {
        let sum: f64 = sharing.iter().map(|at| f64::from(capacities[*at])).sum();
        let full = |at: &usize| places * f64::from(capacities[*at]) >= sum;
        let before = sharing.len();
        sharing.retain(|at| !full(at));
        if sharing.len() == before || sharing.is_empty() {
            sharing.iter().for_each(|at| {
                parts[*at] = places * f64::from(capacities[*at]) / sum;
            });
            return parts;
        }
        places -= (before - sharing.len()) as f64;
    }
}

/// What each multiplies what they draw by; 0 for who comes before everybody else.
pub fn multipliers(capacities: &[u32], places: usize) -> Vec<f64> {
    let wanted = parts(capacities, places);
    let odds = |part: f64| (1.0 - part) / part;
    let mut all: Vec<f64> = wanted.iter().map(|part| odds(*part)).collect();
    let sharing: Vec<usize> = (0..all.len()).filter(|at| wanted[*at] < 1.0).collect();
    let even = sharing.windows(2).all(|pair| capacities[pair[0]] == capacities[pair[1]]);
    if even || sharing.len() > FEW {
        return all;
    }
    let places = places.max(1) - (all.len() - sharing.len());
    let mut multiply: Vec<f64> = sharing.iter().map(|at| all[*at]).collect();
    for _ in 0..ROUNDS {
        let got: Vec<f64> =
            (0..multiply.len()).map(|one| part_of(one, &multiply, places)).collect();
        for (one, got) in got.into_iter().enumerate() {
            multiply[one] *= all[sharing[one]] / odds(got);
        }
    }
    sharing.iter().zip(multiply).for_each(|(at, multiply)| all[*at] = multiply);
    all
}

/// How often one is among the first `places`.
fn part_of(one: usize, multiply: &[f64], places: usize) -> f64 {
    let among_first = |point: usize| {
        let u = (point as f64 + 0.5) / POINTS as f64;
        let drawn = multiply[one] * (1.0 - u) / u;
        // How many of the others draw less: fewer than the places.
        let mut less = vec![0.0; places];
        less[0] = 1.0;
        for (_, other) in multiply.iter().enumerate().filter(|(at, _)| *at != one) {
            let draws_less = drawn / (drawn + other);
            for n in (0..places).rev() {
                let before = if n > 0 { less[n - 1] } else { 0.0 };
                less[n] = less[n] * (1.0 - draws_less) + before * draws_less;
            }
        }
        less.iter().sum::<f64>()
    };
    (0..POINTS).map(among_first).sum::<f64>() / POINTS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_by_capacity_and_never_more_than_all() {
        assert_eq!(parts(&[100, 50, 50], 1), [0.5, 0.25, 0.25]);
        assert_eq!(parts(&[900, 50, 50], 2), [1.0, 0.5, 0.5]);
        assert_eq!(parts(&[900, 300, 50, 50], 3), [1.0, 1.0, 0.5, 0.5]);
        assert_eq!(parts(&[10, 20], 3), [1.0, 1.0]);
        assert!(parts(&[], 2).is_empty());
    }

    #[test]
    fn whoever_draws_gets_the_part_that_is_wanted() {
        for (capacities, places) in [
            (vec![100, 50, 100, 100], 3),
            (vec![100, 50, 100, 100], 2),
            (vec![10, 20, 30, 40, 100, 5], 2),
            (vec![900, 50, 20, 50], 3),
        ] {
            let (wanted, multiply) = (parts(&capacities, places), multipliers(&capacities, places));
            let sharing: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at] < 1.0).collect();
            let left: Vec<f64> = sharing.iter().map(|at| multiply[*at]).collect();
            let places = places - (wanted.len() - sharing.len());
            for (one, at) in sharing.iter().enumerate() {
                let got = part_of(one, &left, places);
                assert!((got - wanted[*at]).abs() < 0.002, "{capacities:?}: {got} {wanted:?}");
            }
        }
    }
}
