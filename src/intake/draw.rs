//! Which of the flagged predictions become cases: what the order decides, the draw of a day, and
//! the counts from which the share that was taken is worked out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::IntakeError;
use super::counted::{Day, Told, line_of};
use super::scan::Seen;
use super::summary::TrapCount;
use crate::db::{Db, counted};
use crate::domain::ids::CaseId;
use crate::domain::traps::day_of;
use crate::trap::Traps;
use crate::trap::order::Past;

/// Most predictions that are told apart by a hash table; those before them are searched for.
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
    /// Where it stands what was counted before; nothing where that is not to matter.
    known: Option<Db>,
    days: BTreeMap<(String, i64), usize>,
    counts: Vec<Day>,
    /// Of which stream and day the last row was: mostly the next is too.
    last: Option<(String, i64, usize)>,
    ids: HashSet<u64, foldhash::fast::FixedState>,
}

/// What is known at the end.
pub struct Drawn {
    /// The predictions that are still drawn.
    pub cases: HashSet<u64>,
    /// What is to be told of each stream and day.
    pub told: Vec<Told>,
    /// What each trap saw and flagged in this run.
    pub counts: BTreeMap<String, TrapCount>,
    /// What traps drew of a day that take some of it.
    pub of_days: Vec<DrawnOfDay>,
}

/// The smallest draws of a trap on a day of a stream, of this run.
pub struct DrawnOfDay {
    pub trap: String,
    pub version: String,
    pub stream: String,
    pub day: i64,
    /// Most that it takes.
    pub most: u32,
    pub draws: Vec<(f64, u64)>,
}

impl DrawnOfDay {
    /// Those of the cases `opened` that it takes, beside draws that are known of the day, of this run
    /// or of others.
    pub fn kept(&self, opened: &HashSet<u64>, known: Vec<f64>) -> Vec<u64> {
        let new = || self.draws.iter().filter(|(_, key)| opened.contains(key));
        let mut all = known;
        all.extend(new().map(|(u, _)| u));
        all.sort_by(f64::total_cmp);
        all.dedup();
        let last = all.get(self.most as usize - 1).copied();
        let kept = new().filter(|(u, _)| last.is_none_or(|last| *u <= last));
        kept.map(|(_, key)| *key).collect()
    }
}

/// A hash of a prediction, the same everywhere.
pub fn key_of(case: CaseId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&case.0[..8]);
    u64::from_le_bytes(first)
}

impl<'t> Drawing<'t> {
    /// Of an `endless` input nothing can wait for its end.
    pub fn new(
        traps: &'t Traps,
        pasts: Vec<Option<Past>>,
        endless: bool,
        known: Option<Db>,
    ) -> Self {
        Self {
            traps,
            endless,
            pasts,
            smallest: HashMap::new(),
            held: HashMap::new(),
            known,
            days: BTreeMap::new(),
            counts: Vec::new(),
            last: None,
            ids: HashSet::default(),
        }
    }

    /// What traps that decide by the order remember, for the next piece of the stream.
    pub fn take_pasts(&mut self) -> Vec<Option<Past>> {
        std::mem::take(&mut self.pasts)
    }

    /// Decides what becomes of the next prediction.
    pub fn decide(&mut self, seen: &mut Seen) -> Result<(), IntakeError> {
        if self.traps.points().is_empty() {
            return Ok(());
        }
        let case = CaseId::of(seen.stream(), seen.id());
        let (id, day) = (key_of(case), day_of(seen.at));
        let mut found = std::mem::take(&mut seen.found);
        found.retain(|flag| match (&flag.waits, &mut self.pasts[flag.point]) {
            (Some(facts), Some(past)) => past.flags(facts),
            _ => true,
        });
        // What an engine took was counted there.
        if !seen.elsewhere {
            let place = self.place_of(seen.stream(), day)?;
            if self.ids.len() >= IDS_MAX {
                self.ids.clear();
                self.counts.iter_mut().for_each(Day::settle);
            }
            // The same id may come on another day.
            let (line, on) = (line_of(id), (place as u64) << 48);
            if self.ids.insert(line | on) && !self.counts[place].has_met(line) {
                let flagged: Vec<usize> = found.iter().map(|flag| flag.point).collect();
                self.counts[place].count(case, line, &flagged, self.traps);
            }
        }
        if found.is_empty() {
            seen.flags = None;
            return Ok(());
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
            return Ok(());
        }
        seen.why = self.traps.why(&found);
        seen.flags = Some(seen.why.iter().map(|why| why.trap.clone()).collect());
        seen.may_pass = limited && !self.endless;
        Ok(())
    }

    fn place_of(&mut self, stream: &str, day: i64) -> Result<usize, IntakeError> {
        if let Some((last, of, place)) = &self.last
            && last == stream
            && *of == day
        {
            return Ok(*place);
        }
        let key = (stream.to_owned(), day);
        let place = match self.days.get(&key) {
            Some(place) => *place,
            None => {
                let known = self.known.as_ref();
                let known = known.map(|db| db.explained(|conn| counted::of_day(conn, stream, day)));
                let known = known.transpose()?.unwrap_or_default();
                self.counts.push(Day::new(stream, day, known, self.traps.points()));
                self.days.insert(key, self.counts.len() - 1);
                self.counts.len() - 1
            }
        };
        self.last = Some((stream.to_owned(), day, place));
        Ok(place)
    }

    /// Of as many as `missed` plug-ins could say nothing.
    pub fn finish(self, missed: u64) -> Drawn {
        let mut counts: BTreeMap<String, TrapCount> = BTreeMap::new();
        for (place, point) in self.traps.points().iter().enumerate() {
            let count = counts.entry(point.trap.name.clone()).or_default();
            count.version.clone_from(&point.version);
            count.seen += self.counts.iter().map(Day::seen).sum::<u64>();
            count.flagged += self.counts.iter().map(|day| day.flagged(place)).sum::<u64>();
        }
        let mut days: Vec<Option<Day>> = self.counts.into_iter().map(Some).collect();
        let in_order = self.days.into_values().filter_map(|place| days[place].take());
        let told = in_order.flat_map(|day| day.finish(self.traps, missed)).collect();
        let of_day = |((place, stream, day), draws): ((usize, String, i64), Smallest)| {
            let point = &self.traps.points()[place];
            DrawnOfDay {
                trap: point.trap.name.clone(),
                version: point.version.clone(),
                stream,
                day,
                most: point.trap.per_day.unwrap_or(0),
                draws: draws.into_iter().map(|(u, key)| (f64::from_bits(u), key)).collect(),
            }
        };
        let of_days = self.smallest.into_iter().map(of_day).collect();
        Drawn { cases: self.held.into_keys().collect(), told, counts, of_days }
    }
}

/// Whether a case that may pass is among those drawn.
pub fn is_drawn(drawn: &HashSet<u64>, case: CaseId) -> bool {
    drawn.contains(&key_of(case))
}
