//! Texts that are nearly the same: every pair whose sets of five-character windows overlap by so
//! much (Jaccard), exactly.
//!
//! Sets are compared by their rarest windows first (prefix filtering: Bayardo, Ma and Srikant,
//! "Scaling up all pairs similarity search", 2007; Xiao et al., "Efficient similarity joins for near
//! duplicate detection", 2008): two sets that overlap enough share one of the first few, so that
//! only texts which do are looked at.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

const WINDOW: usize = 5;

/// Two texts by their places, from 0, and how much of their windows they share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub a: usize,
    pub b: usize,
    pub jaccard: f64,
}

/// A text as it is compared: one form of each letter, in small letters, blanks run together.
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let lower = text.nfc().collect::<String>().to_lowercase();
    for word in lower.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The windows of a text, each as one number; a shorter text is one window.
fn windows(text: &str) -> Vec<u128> {
    let chars: Vec<u128> = normal(text).chars().map(|c| u128::from(u32::from(c)) + 1).collect();
    let number = |chars: &[u128]| chars.iter().fold(0, |number, c| number << 21 | c);
    let mut all: Vec<u128> = if chars.len() <= WINDOW {
        vec![number(&chars)]
    } else {
        chars.windows(WINDOW).map(number).collect()
    };
    all.sort_unstable();
    all.dedup();
    all
}

/// A text's windows as small numbers, the rarest first.
type Windows = Vec<u32>;

/// The pairs of one list of texts whose overlap is at least `at`, by place.
pub fn pairs<S: AsRef<str>>(texts: &[S], at: f64) -> Vec<Pair> {
    let sets = ranked(&[texts]);
    let mut found = joined(&sets[0], &sets[0], at, |a, b| a < b);
    found.sort_by_key(|pair| (pair.a, pair.b));
    found
}

/// The pairs of a text of the one list with a text of the other.
pub fn pairs_across<S: AsRef<str>>(one: &[S], other: &[S], at: f64) -> Vec<Pair> {
    let sets = ranked(&[one, other]);
    let mut found = joined(&sets[0], &sets[1], at, |_, _| true);
    found.sort_by_key(|pair| (pair.a, pair.b));
    found
}

/// The windows of texts in several lists, numbered by how rare they are in all of them.
fn ranked<S: AsRef<str>>(lists: &[&[S]]) -> Vec<Vec<Windows>> {
    let sets: Vec<Vec<Vec<u128>>> = lists
        .iter()
        .map(|texts| texts.iter().map(|text| windows(text.as_ref())).collect())
        .collect();
    let mut counts: HashMap<u128, u32, foldhash::fast::FixedState> = HashMap::default();
    for window in sets.iter().flatten().flatten() {
        *counts.entry(*window).or_default() += 1;
    }
    let mut order: Vec<(u32, u128)> =
        counts.iter().map(|(window, count)| (*count, *window)).collect();
    order.sort_unstable();
    for (rank, (_, window)) in order.into_iter().enumerate() {
        counts.insert(window, rank as u32);
    }
    let rank = |windows: Vec<u128>| {
        let mut ranks: Windows = windows.iter().map(|window| counts[window]).collect();
        ranks.sort_unstable();
        ranks
    };
    sets.into_iter().map(|texts| texts.into_iter().map(rank).collect()).collect()
}

/// How many of a set's first windows one that overlaps enough shares one of.
fn prefix(size: usize, at: f64) -> usize {
    // A little less than what is asked, so that rounding leaves out no pair: it is computed exactly
    // later.
    size + 1 - ((at - 1e-9) * size as f64).ceil().max(1.0) as usize
}

fn joined(
    one: &[Windows],
    other: &[Windows],
    at: f64,
    wanted: impl Fn(usize, usize) -> bool,
) -> Vec<Pair> {
    let mut index: HashMap<u32, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
    for (place, set) in other.iter().enumerate() {
        for window in &set[..prefix(set.len(), at)] {
            index.entry(*window).or_default().push(place as u32);
        }
    }
    let mut found = Vec::new();
    // By place in the other list: the last text that was held against it.
    let mut seen = vec![u32::MAX; other.len()];
    for (a, set) in one.iter().enumerate() {
        for window in &set[..prefix(set.len(), at)] {
            for place in index.get(window).into_iter().flatten() {
                let b = *place as usize;
                if !wanted(a, b) || std::mem::replace(&mut seen[b], a as u32) == a as u32 {
                    continue;
                }
                let jaccard = jaccard(set, &other[b], at);
                if jaccard >= at {
                    found.push(Pair { a, b, jaccard });
                }
            }
        }
    }
    found
}

/// How much two sets overlap; 0 as soon as it can't be `at`.
fn jaccard(one: &[u32], two: &[u32], at: f64) -> f64 {
    let (small, large) = (one.len().min(two.len()), one.len().max(two.len()));
    if (small as f64) < (at - 1e-9) * large as f64 {
        return 0.0;
    }
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < one.len() && j < two.len() {
        match one[i].cmp(&two[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, shared) = (i + 1, j + 1, shared + 1),
        }
        let most = shared + (one.len() - i).min(two.len() - j);
        if (most as f64) < (at - 1e-9) * (one.len() + two.len() - most) as f64 {
            return 0.0;
        }
    }
    shared as f64 / (one.len() + two.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn slow(one: &str, two: &str) -> f64 {
        let [one, two] = [one, two].map(|text| windows(text).into_iter().collect::<BTreeSet<_>>());
        one.intersection(&two).count() as f64 / one.union(&two).count() as f64
    }

    #[test]
    fn texts_are_compared_by_their_letters() {
        assert_eq!(normal("  Où\u{a0}est \t LE\n"), "où est le");
        assert_eq!(normal("e\u{301}"), "é");
        assert_eq!(pairs(&["10-4", " 10-4 ", "10-5"], 0.8).len(), 1);
        assert_eq!(pairs(&["", " "], 1.0), [Pair { a: 0, b: 1, jaccard: 1.0 }]);
        assert!(pairs::<&str>(&[], 0.5).is_empty());
    }

    proptest! {
        /// The filters leave out no pair and let none in.
        #[test]
        fn every_pair_is_found(
            texts in prop::collection::vec("[ab ]{0,12}", 0..12),
            others in prop::collection::vec("[ab ]{0,12}", 0..6),
            at in prop::sample::select(vec![0.3, 0.5, 0.7, 0.8, 1.0]),
        ) {
            let mut expect = Vec::new();
            for a in 0..texts.len() {
                for b in a + 1..texts.len() {
                    let jaccard = slow(&texts[a], &texts[b]);
                    expect.extend((jaccard >= at).then_some(Pair { a, b, jaccard }));
                }
            }
            prop_assert_eq!(pairs(&texts, at), expect);
            let mut expect = Vec::new();
            for (a, one) in texts.iter().enumerate() {
                for (b, two) in others.iter().enumerate() {
                    let jaccard = slow(one, two);
                    expect.extend((jaccard >= at).then_some(Pair { a, b, jaccard }));
                }
            }
            prop_assert_eq!(pairs_across(&texts, &others, at), expect);
        }
    }
}
