//! Texts that are nearly the same: every pair whose sets of five-character windows overlap by so
//! much (Jaccard), exactly.
//!
//! Sets are compared by their rarest windows first (prefix filtering: Bayardo, Ma and Srikant,
//! "Scaling up all pairs similarity search", 2007; Xiao et al., "Efficient similarity joins for near
//! duplicate detection", 2008): two sets that overlap enough share one of the first few, and where it
//! stands in both says how many more they may share, so that hardly any others are compared.

use std::collections::HashMap;
use std::num::NonZero;
use std::thread;

use unicode_normalization::UnicodeNormalization;

const WINDOW: usize = 5;
/// Bits of a character.
const CHAR_BITS: u32 = 21;
/// Texts that a thread takes at a time.
const TAKEN: usize = 512;

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
    let lower = match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.nfc().collect::<String>().to_lowercase(),
    };
    for word in lower.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The windows of a text, each as one number, as often as they are there; a shorter text is one
/// window.
fn windows(text: &str) -> Vec<u128> {
    const KEPT: u128 = (1 << (CHAR_BITS * WINDOW as u32)) - 1;
    let (mut number, mut chars) = (0_u128, 0);
    let mut numbers = Vec::with_capacity(text.len());
    for c in normal(text).chars() {
        number = (number << CHAR_BITS | (u128::from(u32::from(c)) + 1)) & KEPT;
        chars += 1;
        if chars >= WINDOW {
            numbers.push(number);
        }
    }
    if numbers.is_empty() {
        numbers.push(number);
    }
    numbers
}

/// Sets of small numbers, one after another: the windows of texts, the rarest first.
#[derive(Default)]
struct Sets {
    ends: Vec<usize>,
    numbers: Vec<u32>,
}

impl Sets {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, at: usize) -> std::ops::Range<usize> {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        from..self.ends[at]
    }

    fn of(&self, at: usize) -> &[u32] {
        &self.numbers[self.range(at)]
    }

    /// The places of sets, the smallest first.
    fn by_size(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_by_key(|at| self.range(*at as usize).len());
        order
    }
}

/// The pairs of one list of texts whose overlap is at least `at`, by place.
pub fn pairs<S: AsRef<str>>(texts: &[S], at: f64) -> Vec<Pair> {
    let (sets, distinct) = ranked(&[texts]);
    joined(&sets[0], None, distinct, at)
}

/// The pairs of a text of the one list with a text of the other.
pub fn pairs_across<S: AsRef<str>>(one: &[S], other: &[S], at: f64) -> Vec<Pair> {
    let (sets, distinct) = ranked(&[one, other]);
    joined(&sets[0], Some(&sets[1]), distinct, at)
}

/// The windows of texts in several lists, numbered by how rare they are in all of them; and how many
/// there are.
fn ranked<S: AsRef<str>>(lists: &[&[S]]) -> (Vec<Sets>, usize) {
    let mut known: HashMap<u128, u32, foldhash::fast::FixedState> = HashMap::default();
    let mut counts: Vec<u32> = Vec::new();
    let mut all: Vec<Sets> = Vec::with_capacity(lists.len());
    for texts in lists {
        let mut sets = Sets::default();
        for text in *texts {
            let from = sets.numbers.len();
            for window in windows(text.as_ref()) {
                let next = counts.len() as u32;
                let number = *known.entry(window).or_insert(next);
                if number == next {
                    counts.push(0);
                }
                sets.numbers.push(number);
            }
            sets.numbers[from..].sort_unstable();
            let mut kept = from;
            for at in from..sets.numbers.len() {
                if at == from || sets.numbers[at] != sets.numbers[kept - 1] {
                    sets.numbers[kept] = sets.numbers[at];
                    counts[sets.numbers[at] as usize] += 1;
                    kept += 1;
                }
            }
            sets.numbers.truncate(kept);
            sets.ends.push(kept);
        }
        all.push(sets);
    }
    drop(known);
    let mut order: Vec<u32> = (0..counts.len() as u32).collect();
    order.sort_unstable_by_key(|number| (counts[*number as usize], *number));
    for (rank, number) in (0..).zip(&order) {
        counts[*number as usize] = rank;
    }
    for sets in &mut all {
        sets.numbers.iter_mut().for_each(|number| *number = counts[*number as usize]);
        for at in 0..sets.len() {
            let range = sets.range(at);
            sets.numbers[range].sort_unstable();
        }
    }
    (all, order.len())
}

/// How many of a set's first numbers one that shares so much of it shares one of. A little less than
/// what is asked is, so that rounding leaves out no pair: it is computed exactly later.
fn prefix(size: usize, share: f64) -> usize {
    size + 1 - ((share - 1e-9) * size as f64).ceil().max(1.0) as usize
}

/// Where a number stands: in which set, by its place in the order of sizes, and where in it.
type Posting = (u32, u32);

/// Where the first numbers of sets stand, the smallest sets first: of a number, from one of `starts`
/// to the next.
struct Index<'s> {
    sets: &'s Sets,
    /// Places of sets, the smallest first.
    order: Vec<u32>,
    sizes: Vec<u32>,
    starts: Vec<u32>,
    postings: Vec<Posting>,
}

impl<'s> Index<'s> {
    /// `share`: how much of a set is shared with one that is looked for.
    fn new(sets: &'s Sets, distinct: usize, share: f64) -> Self {
        let order = sets.by_size();
        let first = |at: u32| {
            let set = sets.of(at as usize);
            &set[..prefix(set.len(), share)]
        };
        let mut starts = vec![0_u32; distinct + 1];
        for number in order.iter().flat_map(|at| first(*at)) {
            starts[*number as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut postings = vec![(0, 0); sum as usize];
        for (nth, at) in (0..).zip(&order) {
            for (place, number) in (0..).zip(first(*at)) {
                let next = &mut next[*number as usize];
                postings[*next as usize] = (nth, place);
                *next += 1;
            }
        }
        let sizes = order.iter().map(|at| sets.range(*at as usize).len() as u32).collect();
        Self { sets, order, sizes, starts, postings }
    }

    fn of(&self, number: u32) -> &[Posting] {
        let at = number as usize;
        &self.postings[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// What one thread has seen of the set that it looks for: how many of its numbers others have.
struct Seen {
    counts: Vec<u32>,
    touched: Vec<u32>,
}

/// One that can't be a pair any more, whatever follows.
const OUT: u32 = u32::MAX;

/// Pairs of a set of `one` and one of `other`; without it, of `one` and itself, each once.
fn joined(one: &Sets, other: Option<&Sets>, distinct: usize, at: f64) -> Vec<Pair> {
    // A set that is no larger than the one looked for shares more of it than is asked of both.
    let share = if other.is_some() { at } else { 2.0 * at / (1.0 + at) };
    let index = Index::new(other.unwrap_or(one), distinct, share);
    let order = one.by_size();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut seen = Seen { counts: vec![0; index.order.len()], touched: Vec::new() };
        let mut found = Vec::new();
        loop {
            let from = next.fetch_add(TAKEN, std::sync::atomic::Ordering::Relaxed);
            if from >= order.len() {
                return found;
            }
            let taken = &order[from..(from + TAKEN).min(order.len())];
            for (nth, a) in (from as u32..).zip(taken) {
                let before = other.is_none().then_some(nth);
                look_for(one, *a, before, &index, at, &mut seen, &mut found);
            }
        }
    };
    let threads = match order.len() > TAKEN {
        true => thread::available_parallelism().map_or(1, NonZero::get),
        false => 1,
    };
    let mut found: Vec<Pair> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut found = work();
        for other in others {
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        found
    });
    found.sort_unstable_by_key(|pair| (pair.a, pair.b));
    found
}

/// Finds what overlaps with a set: of all in the index, or of those `before` a place in it.
fn look_for(
    sets: &Sets,
    a: u32,
    before: Option<u32>,
    index: &Index<'_>,
    at: f64,
    seen: &mut Seen,
    found: &mut Vec<Pair>,
) {
    let set = sets.of(a as usize);
    let size = set.len();
    let least = ((at - 1e-9) * size as f64).ceil() as u32;
    let most = (size as f64 / (at - 1e-9).max(1e-9)).floor() as u32;
    let common = |other: usize| ((at - 1e-9) / (1.0 + at) * (size + other) as f64).ceil() as u32;
    for (i, number) in set[..prefix(size, at)].iter().enumerate() {
        let postings = index.of(*number);
        let from = postings.partition_point(|(nth, _)| index.sizes[*nth as usize] < least);
        for (nth, j) in &postings[from..] {
            let other = index.sizes[*nth as usize];
            if before.is_some_and(|before| *nth >= before) || other > most {
                break;
            }
            let count = &mut seen.counts[*nth as usize];
            if *count == OUT {
                continue;
            }
            if *count == 0 {
                seen.touched.push(*nth);
            }
            let rest = (size - i - 1).min((other - j - 1) as usize) as u32;
            *count = if *count + 1 + rest >= common(other as usize) { *count + 1 } else { OUT };
        }
    }
    for nth in seen.touched.drain(..) {
        if std::mem::take(&mut seen.counts[nth as usize]) == OUT {
            continue;
        }
        let b = index.order[nth as usize];
        let jaccard = jaccard(set, index.sets.of(b as usize), at);
        if jaccard >= at {
            let (a, b) = if before.is_some() { (a.min(b), a.max(b)) } else { (a, b) };
            found.push(Pair { a: a as usize, b: b as usize, jaccard });
        }
    }
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
        assert_eq!(pairs(&["one text", "one text"], 1e-12).len(), 1);
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
