//! Which rows are learned from and which measure. Rows of one group stay together, and what comes
//! later moves nothing: a group's place follows from a draw of its first member.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::near::{Pair, normal};
use crate::domain::random::draw_of;

/// Where a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// What the place of a row depends on.
pub struct Grouped<'r> {
    /// What it shares with others of its group: `session 17`, `near …`. The first is drawn by.
    pub keys: &'r [Box<str>],
    /// Drawn by, where it shares nothing.
    pub text: &'r str,
}

/// Where a row went, by which draw of which group.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub part: Part,
    pub u: f64,
    pub group: Arc<str>,
    /// Its group came together from two that lay in different parts: it leaves the training part.
    pub bridged: bool,
}

fn part_of(u: f64, shares: [f64; 3]) -> Part {
    let mut to = 0.0;
    for (part, share) in Part::ALL.into_iter().zip(shares) {
        to += share;
        if u < to {
            return part;
        }
    }
    // The shares come to 1 but for rounding: the last that takes any.
    let last = Part::ALL.into_iter().zip(shares).rfind(|(_, share)| *share > 0.0);
    last.map_or(Part::Train, |(part, _)| part)
}

/// The bounds between which a draw leads to a part.
pub fn bounds(part: Part, shares: [f64; 3]) -> (f64, f64) {
    let at = Part::ALL.iter().position(|one| *one == part).unwrap_or(0);
    let from: f64 = shares[..at].iter().fold(0.0, |sum, share| sum + share);
    (from, from + shares[at])
}

/// The root of a row's group, paths to it made short.
fn root(parents: &mut [u32], mut at: u32) -> u32 {
    while parents[at as usize] != at {
        let next = parents[at as usize];
        parents[at as usize] = parents[next as usize];
        at = next;
    }
    at
}

/// Places rows, given in the order in which they came to be; `alike` are pairs of their places.
pub fn place(rows: &[Grouped<'_>], alike: &[Pair], shares: [f64; 3], seed: &str) -> Vec<Placed> {
    let mut near: HashMap<usize, Vec<usize>> = HashMap::new();
    for pair in alike {
        let (one, two) = (pair.a.min(pair.b), pair.a.max(pair.b));
        near.entry(two).or_default().push(one);
    }
    let mut first_of: HashMap<&str, u32> = HashMap::new();
    let mut parents: Vec<u32> = (0..rows.len() as u32).collect();
    let mut placed: Vec<Placed> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let mut joined: Vec<u32> = Vec::new();
        for key in row.keys {
            let first = *first_of.entry(key).or_insert(at as u32);
            joined.extend((first != at as u32).then_some(first));
        }
        joined.extend(near.get(&at).into_iter().flatten().map(|one| *one as u32));
        // A root is the earliest of its group: rows come in that order.
        let mut roots: Vec<u32> = joined.into_iter().map(|one| root(&mut parents, one)).collect();
        roots.sort_unstable();
        roots.dedup();
        match roots.first() {
            None => {
                let group: Arc<str> =
                    row.keys.first().map_or_else(|| normal(row.text).into(), |key| (&**key).into());
                let u = draw_of(&["casework split 1", seed, &group]);
                placed.push(Placed { part: part_of(u, shares), u, group, bridged: false });
            }
            Some(first) => {
                for other in &roots {
                    parents[*other as usize] = *first;
                }
                parents[at] = *first;
                placed.push(placed[*first as usize].clone());
            }
        }
    }
    // A group that lies in several parts is learned from in none of its rows.
    let mut parts: HashMap<u32, (Part, bool)> = HashMap::new();
    for at in 0..rows.len() as u32 {
        let group = root(&mut parents, at);
        let part = placed[at as usize].part;
        let seen = parts.entry(group).or_insert((part, false));
        seen.1 |= seen.0 != part;
    }
    for at in 0..rows.len() as u32 {
        let group = root(&mut parents, at);
        let row = &mut placed[at as usize];
        row.bridged = parts[&group].1 && row.part == Part::Train;
    }
    placed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHARES: [f64; 3] = [0.6, 0.2, 0.2];

    fn keys_of(keys: &[u8]) -> Vec<[Box<str>; 1]> {
        keys.iter().map(|key| [format!("session {key}").into()]).collect()
    }

    fn rows(keys: &[[Box<str>; 1]]) -> Vec<Grouped<'_>> {
        keys.iter().map(|keys| Grouped { keys, text: "" }).collect()
    }

    proptest! {
        /// What comes later moves no row from one part to another, and no group is both learned
        /// from and measured on.
        #[test]
        fn growth_moves_nothing(
            keys in prop::collection::vec(0_u8..12, 1..40),
            more in prop::collection::vec(0_u8..12, 0..20),
            links in prop::collection::vec((0_usize..60, 0_usize..60), 0..10),
        ) {
            let all = [keys.clone(), more].concat();
            let links = |n: usize| -> Vec<Pair> {
                let within = links.iter().filter(|(a, b)| a != b && *a < n && *b < n);
                within.map(|(a, b)| Pair { a: *a.min(b), b: *a.max(b), jaccard: 1.0 }).collect()
            };
            let before = place(&rows(&keys_of(&keys)), &links(keys.len()), SHARES, "s");
            let after = place(&rows(&keys_of(&all)), &links(all.len()), SHARES, "s");
            for (one, two) in before.iter().zip(&after) {
                prop_assert_eq!(one.part, two.part);
                prop_assert!(!one.bridged || two.bridged);
            }
            for pair in links(all.len()) {
                let (one, two) = (&after[pair.a], &after[pair.b]);
                prop_assert!(one.part == two.part || one.part != Part::Train || one.bridged);
                prop_assert!(one.part == two.part || two.part != Part::Train || two.bridged);
            }
        }
    }

    #[test]
    fn parts_have_their_shares() {
        let keys: Vec<[Box<str>; 1]> = (0..20_000).map(|n| [format!("{n}").into()]).collect();
        let placed = place(&rows(&keys), &[], SHARES, "june");
        let count = |part: Part| placed.iter().filter(|row| row.part == part).count();
        assert!((11_700..12_300).contains(&count(Part::Train)), "{}", count(Part::Train));
        assert!((3_800..4_200).contains(&count(Part::Test)));
        assert_eq!(bounds(Part::Validation, SHARES).0, 0.6);
    }
}
