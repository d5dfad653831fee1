//! The predictions of a day, counted once each: files that overlap, and a file of which a part was
//! read before, add only what nothing counted yet.

use crate::db::counted::Counted;
use crate::domain::ids::{CaseId, Hash};
use crate::journal::kind::{StreamTallied, TrapTally};
use crate::trap::Traps;
use crate::trap::point::Point;

/// Bits of a hash that tell predictions apart.
const LINE_BITS: u32 = 48;
/// Most predictions of a day that are told apart, beyond those of the run's last.
const LINES_MAX: usize = 16_000_000;

/// A day of a stream.
pub struct Day {
    stream: String,
    day: i64,
    known: Vec<Known>,
    groups: Vec<Group>,
}

/// Predictions that were counted by runs before.
struct Known {
    /// A bit for each trap of this run that counted them.
    by: u64,
    /// The row of those of which plug-ins could not tell some.
    missed: Option<i64>,
    /// Ascending.
    lines: Vec<u64>,
}

/// In what way predictions were counted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Never,
    /// By these traps of this run.
    By(u64),
    /// All of them, but plug-ins could not tell of some: which of the known they are.
    Missed(usize),
}

/// Predictions that were counted before in the same way.
struct Group {
    before: Before,
    read: u64,
    /// A sum over all ids, whatever their order.
    source: u128,
    flagged: Vec<u64>,
    /// By the first trap that flags; behind them those that none does.
    first: Vec<u64>,
    lines: Vec<u64>,
    /// So many of these stand in order, from the beginning.
    in_order: usize,
}

/// What is told of predictions, and what is kept so that they are known again.
pub struct Told {
    pub tally: StreamTallied,
    pub counted: Option<Counted>,
    /// The row that this takes the place of.
    pub instead: Option<i64>,
}

/// What of a prediction's hash tells it apart on its day.
pub fn line_of(key: u64) -> u64 {
    key >> (u64::BITS - LINE_BITS)
}

/// The traps, as what they counted is known by.
fn rules_of(traps: &[Point]) -> String {
    traps.iter().map(|point| rule_of(point) + "\n").collect()
}

fn rule_of(point: &Point) -> String {
    format!("{} {}", point.version, point.trap.name)
}

/// A bit for each trap.
fn all_of(traps: &[Point]) -> u64 {
    (0..traps.len()).fold(0, |bits, place| bits | 1 << place)
}

impl Day {
    pub fn new(stream: &str, day: i64, before: Vec<(i64, Counted)>, traps: &[Point]) -> Self {
        let mut known: Vec<Known> = Vec::new();
        for (row, Counted { rules, missed, lines, .. }) in before {
            let counted = |point: &Point| rules.lines().any(|rule| rule == rule_of(point));
            let by = traps.iter().enumerate().filter(|(_, point)| counted(point));
            let by = by.fold(0, |bits, (place, _)| bits | 1 << place);
            let missed = missed.then_some(row);
            match known
                .iter_mut()
                .find(|one| missed.is_none() && (one.by, one.missed) == (by, None))
            {
                Some(same) => same.lines.extend(lines),
                None => known.push(Known { by, missed, lines }),
            }
        }
        known.iter_mut().for_each(|one| one.lines.sort_unstable());
        Self { stream: stream.to_owned(), day, known, groups: Vec::new() }
    }

    fn before(&self, line: u64) -> Before {
        let mut before = Before::Never;
        for (place, one) in self.known.iter().enumerate() {
            if one.lines.binary_search(&line).is_err() {
                continue;
            }
            before = match (before, one.missed) {
                (Before::By(by), None) => Before::By(by | one.by),
                (_, None) => Before::By(one.by),
                (Before::By(by), Some(_)) => Before::By(by),
                (_, Some(_)) => Before::Missed(place),
            };
        }
        before
    }

    /// Whether it came in this run already, before `settle`.
    pub fn has_met(&self, line: u64) -> bool {
        self.groups.iter().any(|group| group.lines[..group.in_order].binary_search(&line).is_ok())
    }

    /// Puts in order what came so far, so that it is found.
    pub fn settle(&mut self) {
        for group in &mut self.groups {
            group.lines.sort_unstable();
            group.in_order = group.lines.len();
        }
    }

    /// Counts a prediction that has not come in this run: the places of the traps that flag it.
    pub fn count(&mut self, case: CaseId, line: u64, flagged: &[usize], traps: &Traps) {
        let before = self.before(line);
        let points = traps.points();
        let place = self.groups.iter().position(|group| group.before == before);
        let place = place.unwrap_or_else(|| {
            self.groups.push(Group {
                before,
                read: 0,
                source: 0,
                flagged: vec![0; points.len()],
                first: vec![0; points.len() + 1],
                lines: Vec::new(),
                in_order: 0,
            });
            self.groups.len() - 1
        });
        let group = &mut self.groups[place];
        group.read += 1;
        group.source = group.source.wrapping_add(u128::from_le_bytes(case.0));
        flagged.iter().for_each(|point| group.flagged[*point] += 1);
        let first = flagged.first().filter(|point| !points[**point].trap.is_audit());
        group.first[first.copied().unwrap_or(points.len())] += 1;
        if group.lines.len() < LINES_MAX {
            group.lines.push(line);
        }
    }

    /// How many came in this run, and how many a trap flagged of them, counted before or not.
    pub fn seen(&self) -> u64 {
        self.groups.iter().map(|group| group.read).sum()
    }

    pub fn flagged(&self, trap: usize) -> u64 {
        self.groups.iter().map(|group| group.flagged[trap]).sum()
    }

    /// What is to be told of the day. Of as many as `missed` plug-ins could say nothing.
    pub fn finish(self, traps: &Traps, missed: u64) -> Vec<Told> {
        let points = traps.points();
        let mut all = Vec::new();
        for mut group in self.groups {
            group.lines.sort_unstable();
            let (by, instead) = match group.before {
                Before::Never => (0, None),
                Before::By(by) if by == all_of(points) => continue,
                Before::By(by) => (by, None),
                Before::Missed(place) => {
                    let one = &self.known[place];
                    // Of a part of what was counted it is not known what was flagged.
                    if one.lines != group.lines {
                        continue;
                    }
                    (0, one.missed)
                }
            };
            let audit = points.iter().position(|point| point.trap.is_audit());
            let told = points.iter().enumerate().filter(|(place, _)| by & 1 << place == 0);
            let told = told.map(|(place, point)| TrapTally {
                trap: point.trap.name.clone(),
                version: point.version.clone(),
                flagged: group.flagged[place],
                first: match audit == Some(place) {
                    true => group.first[points.len()],
                    false => group.first[place],
                },
            });
            let again = matches!(group.before, Before::By(_));
            let tally = StreamTallied {
                stream: self.stream.clone(),
                day: self.day,
                source: Hash::of(&group.source.to_le_bytes()).to_string()[..32].to_owned(),
                read: group.read,
                traps: told.collect(),
                missed,
                again,
            };
            let counted = Counted {
                stream: self.stream.clone(),
                day: self.day,
                rules: rules_of(points),
                missed: missed > 0,
                lines: group.lines,
            };
            let keeps = missed == 0 || group.before == Before::Never;
            let counted = keeps.then_some(counted);
            all.push(Told { tally, instead: instead.filter(|_| keeps), counted });
        }
        all
    }
}
