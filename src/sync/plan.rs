//! What to do with a store: a pure comparison of what it lists with what is here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::segment::{FILE_BYTES_MAX, Kind, Name};
use crate::db::store::Known;
use crate::domain::ids::ReplicaId;

/// A key that a store lists, and its size in bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    pub key: String,
    pub bytes: u64,
}

/// What is here.
#[derive(Debug, Default)]
pub struct Here {
    pub own: Option<ReplicaId>,
    /// The last entry of each chain.
    pub heads: HashMap<ReplicaId, u64>,
    /// Segments of this store that were taken in or written.
    pub known: HashMap<String, Known>,
    /// How far the store was seen to reach.
    pub reach: HashMap<ReplicaId, u64>,
    /// Whose chain nobody answers for: they were never let in.
    pub strangers: HashSet<ReplicaId>,
}

impl Here {
    /// What is known of a segment that is listed with this size; nothing if it was of another size
    /// when it was known.
    fn knows(&self, name: &Name, bytes: u64) -> Option<Known> {
        self.known.get(&name.to_string()).copied().filter(|known| known.bytes == bytes)
    }
}

/// A run of entries, first and last included.
pub type Run = (u64, u64);

/// A chain that the store held further than it does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    pub replica: ReplicaId,
    pub was: u64,
    pub is: u64,
}

/// What to do.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    /// Journal segments to take in, in the order of their chains.
    pub journal: Vec<Name>,
    pub payload: Vec<Name>,
    /// Segments under our own name that this workspace did not write: another copy of it did.
    pub strange: Vec<Name>,
    /// Segments that should only repeat what was taken in: larger ones that smaller ones were
    /// merged into. Of a journal's that is to be made sure, for it may be evidence of a fork.
    pub merged: Vec<(Name, u64)>,
    /// Runs of chains that the store lacks and should have: our own, and what it lost of others'.
    pub push: Vec<(ReplicaId, Run)>,
    /// Payload segments that the store lost.
    pub payload_push: Vec<(ReplicaId, Run)>,
    /// Our own segments to be written as one, with the run that it covers.
    pub merge: Vec<(Kind, Run, Vec<Name>)>,
    /// Our own segments that a larger one of ours repeats: a merge was cut short before it deleted
    /// them.
    pub covered: Vec<Name>,
    pub rolled_back: Vec<Rollback>,
    /// Keys that are not ours.
    pub foreign: Vec<String>,
    /// How far the store reaches now.
    pub reach: BTreeMap<ReplicaId, u64>,
}

/// This many segments of a size are merged into one.
const FAN: usize = 16;
/// A segment of this size is not merged any more.
const MERGE_BYTES_MAX: u64 = 8 << 20;

pub fn plan(here: &Here, listed: &[Listed]) -> Plan {
    let mut plan = Plan::default();
    let mut chains: BTreeMap<(Kind, ReplicaId), Vec<(Name, u64)>> = BTreeMap::new();
    for Listed { key, bytes } in listed {
        match Name::parse(key) {
            // Nothing that we write is so large, and nobody's memory is the store's to fill.
            Some(_) if *bytes > FILE_BYTES_MAX => plan.foreign.push(key.clone()),
            Some(name) => chains.entry((name.kind, name.replica)).or_default().push((name, *bytes)),
            None => plan.foreign.push(key.clone()),
        }
    }
    for segments in chains.values_mut() {
        segments.sort_by_key(|(name, _)| (name.first, u64::MAX - name.last, name.hash));
    }
    let mut replicas: BTreeSet<ReplicaId> = chains.keys().map(|(_, replica)| *replica).collect();
    replicas.extend(here.own);
    replicas.extend(here.heads.keys());
    let known: Vec<Name> = here.known.keys().filter_map(|key| Name::parse(key)).collect();
    let mut known_of: HashMap<ReplicaId, Vec<&Name>> = HashMap::new();
    known.iter().for_each(|name| known_of.entry(name.replica).or_default().push(name));
    for replica in replicas {
        let none = Vec::new();
        let journal = chains.get(&(Kind::Journal, replica)).unwrap_or(&none);
        let payload = chains.get(&(Kind::Payload, replica)).unwrap_or(&none);
        let of_chain = known_of.remove(&replica).unwrap_or_default();
        plan.chain(here, replica, journal, payload, &of_chain);
    }
    plan
}

impl Plan {
    fn chain(
        &mut self,
        here: &Here,
        replica: ReplicaId,
        journal: &[(Name, u64)],
        payload: &[(Name, u64)],
        known: &[&Name],
    ) {
        let own = here.own == Some(replica);
        let head = here.heads.get(&replica).copied().unwrap_or(0);
        for (name, bytes) in journal.iter().chain(payload) {
            if here.knows(name, *bytes).is_some() {
                continue;
            }
            // Both ends are ends of segments that were taken in: these were merged, most likely.
            let same: Vec<&&Name> = known.iter().filter(|other| other.kind == name.kind).collect();
            let within = same.iter().any(|other| {
                other.first <= name.first
                    && name.last <= other.last
                    && other.range() != name.range()
            });
            let ends = same.iter().any(|other| other.first == name.first)
                && same.iter().any(|other| other.last == name.last);
            let repeats = ends || (within && name.kind == Kind::Journal);
            match (own, name.kind) {
                (true, Kind::Journal) => self.strange.push(name.clone()),
                (_, kind) if repeats && (kind == Kind::Payload || name.last <= head) => {
                    self.merged.push((name.clone(), *bytes))
                }
                (_, Kind::Journal) => self.journal.push(name.clone()),
                (_, Kind::Payload) => self.payload.push(name.clone()),
            }
        }
        // A name proves nothing: anybody who can write there can make one. What was read, and was
        // right, is there.
        let good =
            |(name, bytes): &&(Name, u64)| here.knows(name, *bytes).is_some_and(|known| known.good);
        let covered: Vec<Run> = journal.iter().filter(good).map(|(name, _)| name.range()).collect();
        if here.strangers.contains(&replica) {
            return;
        }
        let is = prefix(&covered);
        let was = here.reach.get(&replica).copied().unwrap_or(0);
        if is < was {
            self.rolled_back.push(Rollback { replica, was, is });
        }
        // Of anybody's chain: its writer may never come back to fill a store that lost it.
        self.push.extend(gaps(&covered, head).into_iter().map(|run| (replica, run)));
        let covered_payload: Vec<Run> =
            payload.iter().filter(good).map(|(name, _)| name.range()).collect();
        let there: HashSet<Run> = covered_payload.iter().copied().collect();
        for name in known.iter().filter(|name| name.kind == Kind::Payload && name.last <= head) {
            let lost = !there.contains(&name.range())
                && !gaps_between(&covered_payload, name.range()).is_empty();
            if lost && !self.payload_push.contains(&(replica, name.range())) {
                self.payload_push.push((replica, name.range()));
            }
        }
        self.reach.insert(replica, is);
        if own {
            for (kind, segments) in [(Kind::Journal, journal), (Kind::Payload, payload)] {
                let mut ours: Vec<&(Name, u64)> = segments
                    .iter()
                    .filter(|segment| good(segment) && segment.0.last <= head)
                    .collect();
                let mut reached = 0;
                ours.retain(|(name, _)| {
                    let covered = name.last <= reached;
                    if covered {
                        self.covered.push(name.clone());
                    }
                    reached = reached.max(name.last);
                    !covered
                });
                self.merge.extend(merge(&ours).map(|(run, names)| (kind, run, names)));
            }
        }
    }
}

/// How far the runs cover a chain from its first entry without a gap.
fn prefix(runs: &[Run]) -> u64 {
    let mut reached = 0;
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    for (first, last) in sorted {
        if first > reached + 1 {
            break;
        }
        reached = reached.max(last);
    }
    reached
}

/// What the runs leave out of `1..=last`.
fn gaps(runs: &[Run], last: u64) -> Vec<Run> {
    gaps_between(runs, (1, last))
}

fn gaps_between(runs: &[Run], (from, to): Run) -> Vec<Run> {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    let mut next = from;
    let mut out = Vec::new();
    for (first, last) in sorted {
        if last < next {
            continue;
        }
        if first > next && next <= to {
            out.push((next, (first - 1).min(to)));
        }
        next = next.max(last.saturating_add(1));
    }
    if next <= to {
        out.push((next, to));
    }
    out
}

/// The first run of [`FAN`] or more neighbours that are of one size, small ones first: each entry
/// is written again only when a merge makes its segment sixteen times larger.
fn merge(segments: &[&(Name, u64)]) -> Option<(Run, Vec<Name>)> {
    let tier = |bytes: u64| (bytes / 1024).max(1).ilog2() / 4;
    for most in 0..=tier(MERGE_BYTES_MAX) {
        let mut run: Vec<&(Name, u64)> = Vec::new();
        for segment in
            segments.iter().chain(std::iter::once(&segments[segments.len().checked_sub(1)?]))
        {
            let (name, bytes) = segment;
            let follows = run.last().is_none_or(|(before, _)| match name.kind {
                Kind::Journal => name.first == before.last + 1,
                Kind::Payload => name.first > before.last,
            });
            let small = tier(*bytes) <= most && *bytes < MERGE_BYTES_MAX;
            let room = run.iter().map(|(_, bytes)| bytes).sum::<u64>() + bytes <= MERGE_BYTES_MAX;
            if small && follows && room {
                run.push(segment);
                continue;
            }
            if run.len() >= FAN {
                break;
            }
            run.clear();
            if small {
                run.push(segment);
            }
        }
        if run.len() >= FAN {
            let names: Vec<Name> = run.iter().map(|(name, _)| name.clone()).collect();
            return Some(((names[0].first, names[names.len() - 1].last), names));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Hash;

    const ME: ReplicaId = ReplicaId([1; 16]);
    const OTHER: ReplicaId = ReplicaId([2; 16]);

    fn name(kind: Kind, replica: ReplicaId, first: u64, last: u64) -> Name {
        Name { kind, replica, first, last, hash: Hash([first as u8; 32]), encrypted: false }
    }

    fn listed(names: &[Name]) -> Vec<Listed> {
        names.iter().map(|name| Listed { key: name.to_string(), bytes: 500 }).collect()
    }

    fn here(heads: &[(ReplicaId, u64)], known: &[Name]) -> Here {
        Here {
            own: Some(ME),
            heads: heads.iter().copied().collect(),
            known: known
                .iter()
                .map(|name| (name.to_string(), Known { bytes: 500, good: true }))
                .collect(),
            ..Here::default()
        }
    }

    #[test]
    fn fetches_what_is_new_and_writes_what_is_missing() {
        let (mine, theirs) = (name(Kind::Journal, ME, 1, 2), name(Kind::Journal, OTHER, 1, 3));
        let plan =
            plan(&here(&[(ME, 5)], std::slice::from_ref(&mine)), &listed(&[mine, theirs.clone()]));
        assert_eq!((plan.journal, plan.push), (vec![theirs], vec![(ME, (3, 5))]));
        assert!(plan.strange.is_empty() && plan.rolled_back.is_empty());
    }

    #[test]
    fn a_merged_segment_is_not_fetched_again_but_a_longer_one_is() {
        let parts = [name(Kind::Journal, OTHER, 1, 3), name(Kind::Journal, OTHER, 4, 6)];
        let merged = name(Kind::Journal, OTHER, 1, 6);
        let longer = Name { hash: Hash([9; 32]), ..name(Kind::Journal, OTHER, 1, 7) };
        let here = here(&[(OTHER, 6)], &parts);
        assert_eq!(plan(&here, &listed(std::slice::from_ref(&merged))).merged, [(merged, 500)]);
        assert_eq!(plan(&here, &listed(std::slice::from_ref(&longer))).journal, [longer]);
    }

    #[test]
    fn a_segment_within_a_known_run_is_compared() {
        let known = name(Kind::Journal, OTHER, 1, 6);
        let fork = Name { hash: Hash([8; 32]), ..name(Kind::Journal, OTHER, 5, 6) };
        let found = plan(
            &here(&[(OTHER, 6)], std::slice::from_ref(&known)),
            &listed(&[known, fork.clone()]),
        );
        assert_eq!(
            found.merged,
            [(fork, 500)],
            "to be compared with what is here, and read if it is something else"
        );
    }

    #[test]
    fn an_emptied_store_is_noticed_and_filled_again() {
        let mut here = here(&[(ME, 4), (OTHER, 6)], &[]);
        here.reach = [(ME, 4), (OTHER, 6)].into();
        let plan = plan(&here, &[]);
        assert_eq!(plan.push, [(ME, (1, 4)), (OTHER, (1, 6))]);
        assert_eq!(plan.rolled_back.len(), 2);
    }

    #[test]
    fn small_neighbours_are_merged_and_large_ones_left() {
        let names: Vec<Name> = (1..=20).map(|n| name(Kind::Journal, ME, n, n)).collect();
        let plan = plan(&here(&[(ME, 20)], &names), &listed(&names));
        assert_eq!(plan.merge.len(), 1);
        assert_eq!((plan.merge[0].1, plan.merge[0].2.len()), ((1, 20), 20));
        assert!(
            super::plan(&here(&[(ME, 10)], &names[..10]), &listed(&names[..10])).merge.is_empty()
        );
        let mut all = names.clone();
        all.push(name(Kind::Journal, ME, 1, 20));
        let after = super::plan(&here(&[(ME, 20)], &all), &listed(&all));
        assert_eq!(
            (after.covered.len(), after.merge.len()),
            (20, 0),
            "a merge that was cut short is finished"
        );
    }

    #[test]
    fn own_segments_that_nobody_here_wrote_are_strange_and_other_files_foreign() {
        let mine = name(Kind::Journal, ME, 1, 9);
        let mut all = listed(std::slice::from_ref(&mine));
        all.push(Listed { key: "journal/README".into(), bytes: 1 });
        let plan = plan(&here(&[(ME, 4)], &[]), &all);
        assert_eq!((plan.strange, plan.foreign), (vec![mine], vec!["journal/README".to_owned()]));
    }
}
