//! Which of the flagged predictions become cases: what the order decides, the draw of a day, and
//! the counts from which the share that was taken is worked out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::scan::Seen;
use crate::domain::ids::{CaseId, Hash};
use crate::domain::traps::day_of;
use crate::journal::kind::{StreamTallied, TrapTally};
use crate::trap::Traps;
use crate::trap::order::Past;

/// Most predictions that are told apart from ones that came again in a run, for counting.
const IDS_MAX: usize = 2_000_000;

/// The smallest draws of a trap, stream and day: draw and prediction.
type Smallest = BTreeSet<(u64, u64)>;

pub struct Drawing<'t> {
    traps: &'t Traps,
    endless: bool,
    pasts: Vec<Option<Past>>,
    smallest: HashMap<(usize, String, i64), Smallest>,
    /// In how many of these a prediction stands.
    held: HashMap<u64, u32>,
    days: BTreeMap<(String, i64), usize>,
    counts: Vec<Day>,
    /// Of which stream and day the last row was: mostly the next is too.
    last: Option<(String, i64, usize)>,
    ids: HashSet<u64, foldhash::fast::FixedState>,
}

/// What came of a day of a stream.
struct Day {
    read: u64,
    /// A sum over all ids, whatever their order.
    source: u128,
    flagged: Vec<u64>,
    /// By the first trap that flags; behind them those that none does.
    first: Vec<u64>,
}

/// A hash of a prediction, the same everywhere.
pub fn key_of(case: CaseId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&case.0[..8]);
    u64::from_le_bytes(first)
}

impl<'t> Drawing<'t> {
    /// Of an `endless` input nothing can wait for its end.
    pub fn new(traps: &'t Traps, pasts: Vec<Option<Past>>, endless: bool) -> Self {
        Self {
            traps,
            endless,
            pasts,
            smallest: HashMap::new(),
            held: HashMap::new(),
            days: BTreeMap::new(),
            counts: Vec::new(),
            last: None,
            ids: HashSet::default(),
        }
    }

    /// Decides what becomes of the next prediction.
    pub fn decide(&mut self, seen: &mut Seen) {
        if self.traps.points().is_empty() {
            return;
        }
        let case = CaseId::of(seen.stream(), seen.id());
        let (id, day) = (key_of(case), day_of(seen.at));
        let mut found = std::mem::take(&mut seen.found);
        found.retain(|flag| match (&flag.waits, &mut self.pasts[flag.point]) {
            (Some(facts), Some(past)) => past.flags(facts),
            _ => true,
        });
        if self.ids.len() >= IDS_MAX {
            self.ids.clear();
        }
        let first_time = self.ids.insert(id);
        // What an engine took was counted there.
        if first_time && found.iter().all(|flag| flag.taken.is_none()) {
            let points = self.traps.points().len();
            let place = self.place_of(seen.stream(), day);
            let day = &mut self.counts[place];
            day.read += 1;
            day.source = day.source.wrapping_add(u128::from_le_bytes(case.0));
            found.iter().for_each(|flag| day.flagged[flag.point] += 1);
            let audits = |point: usize| self.traps.points()[point].trap.is_audit();
            let first = found.first().map(|flag| flag.point).filter(|point| !audits(*point));
            day.first[first.unwrap_or(points)] += 1;
        }
        if found.is_empty() {
            seen.flags = None;
            return;
        }
        let mut limited = true;
        let mut drawn = false;
        for flag in &found {
            let most = self.traps.points()[flag.point].trap.per_day.unwrap_or(0) as usize;
            if most == 0 || flag.taken.is_some() {
                limited = false;
                continue;
            }
            let slot = (flag.point, seen.stream().to_owned(), day);
            let smallest = self.smallest.entry(slot).or_default();
            let draw = (flag.u.to_bits(), id);
            if smallest.contains(&draw) {
                drawn = true;
            } else if smallest.len() < most || smallest.last().is_some_and(|last| draw < *last) {
                drawn = true;
                smallest.insert(draw);
                *self.held.entry(id).or_default() += 1;
                if smallest.len() > most
                    && let Some((_, out)) = smallest.pop_last()
                    && let Some(times) = self.held.get_mut(&out)
                {
                    *times -= 1;
                    if *times == 0 {
                        self.held.remove(&out);
                    }
                }
            }
        }
        if limited && !drawn {
            seen.flags = None;
            return;
        }
        seen.why = self.traps.why(&found);
        seen.flags = Some(seen.why.iter().map(|why| why.trap.clone()).collect());
        seen.may_pass = limited && !self.endless;
    }

    fn place_of(&mut self, stream: &str, day: i64) -> usize {
        if let Some((last, of, place)) = &self.last
            && last == stream
            && *of == day
        {
            return *place;
        }
        let points = self.traps.points().len();
        let counts = &mut self.counts;
        let place = *self.days.entry((stream.to_owned(), day)).or_insert_with(|| {
            counts.push(Day {
                read: 0,
                source: 0,
                flagged: vec![0; points],
                first: vec![0; points + 1],
            });
            counts.len() - 1
        });
        self.last = Some((stream.to_owned(), day, place));
        place
    }

    /// The predictions that are still drawn, and what is told of each stream and day.
    /// Of as many as `missed` plug-ins could say nothing.
    pub fn finish(self, missed: u64) -> (HashSet<u64>, Vec<StreamTallied>) {
        let mut tallies = Vec::new();
        for ((stream, day), place) in self.days {
            let counts = &self.counts[place];
            let points = self.traps.points().iter().enumerate();
            let audit = self.traps.points().iter().position(|point| point.trap.is_audit());
            let traps = points
                .map(|(place, point)| TrapTally {
                    trap: point.trap.name.clone(),
                    version: point.version.clone(),
                    flagged: counts.flagged[place],
                    first: if audit == Some(place) {
                        counts.first.last().copied().unwrap_or(0)
                    } else {
                        counts.first[place]
                    },
                })
                .collect();
            let source = Hash::of(&counts.source.to_le_bytes()).to_string()[..32].to_owned();
            tallies.push(StreamTallied { stream, day, source, read: counts.read, traps, missed });
        }
        (self.held.into_keys().collect(), tallies)
    }
}

/// Whether a case that may pass is among those drawn.
pub fn is_drawn(drawn: &HashSet<u64>, case: CaseId) -> bool {
    drawn.contains(&key_of(case))
}
