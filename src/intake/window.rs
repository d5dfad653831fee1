//! Neighbours: the predictions around each case, in its stream and session.
//!
//! A stream's lines come nearly in order of time, so a case waits until enough lines have followed
//! it; then what lies around it is put in order. A limited number of lines on either side is looked
//! at.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::scan::Seen;
use crate::domain::payload::Neighbour;
use crate::domain::text::cut;

/// Bytes of a neighbour's text that are looked at: more than are kept, so that what is redacted is
/// not cut in two before.
const TEXT_BYTES: usize = 1_200;
/// Most neighbours of the same session, beside the nearest ones.
const SESSION_MAX: usize = 10;
/// Most streams that are followed at once; the one that was silent longest is let go.
const STREAMS_MAX: usize = 1_000;
/// Bytes of lines that are held: where lines are long, a case has fewer of them around it.
const HELD_BYTES: usize = 192 << 20;

/// A prediction that becomes a case.
#[derive(Debug)]
pub struct Matured {
    pub seen: Arc<Seen>,
    pub neighbours: Vec<Near>,
}

/// A prediction beside one that becomes a case: as it is kept with that, and as it was read.
#[derive(Debug)]
pub struct Near {
    pub kept: Neighbour,
    pub seen: Arc<Seen>,
}

/// The recent lines of every stream.
pub struct Window {
    /// Neighbours kept on each side.
    each_side: usize,
    streams: HashMap<String, Stream>,
    turn: u64,
    /// Bytes of the lines in all streams.
    bytes: usize,
}

#[derive(Default)]
struct Stream {
    recent: VecDeque<Arc<Seen>>,
    /// Number of the first of `recent`, counted in this stream.
    base: u64,
    waiting: VecDeque<u64>,
    turn: u64,
}

/// Lines on each side of a case that are looked at for its neighbours.
pub fn reach(each_side: usize) -> u64 {
    2 * each_side as u64 + 8
}

impl Window {
    pub fn new(each_side: usize) -> Self {
        Self { each_side, streams: HashMap::new(), turn: 0, bytes: 0 }
    }

    fn reach(&self) -> u64 {
        reach(self.each_side)
    }

    /// Takes the next line; gives the cases whose surroundings are now known.
    pub fn push(&mut self, seen: Seen, out: &mut Vec<Matured>) {
        let (reach, each_side) = (self.reach(), self.each_side);
        self.turn += 1;
        if !self.streams.contains_key(seen.stream()) {
            if self.streams.len() >= STREAMS_MAX {
                self.let_go(out);
            }
            self.streams.insert(seen.stream().to_owned(), Stream::default());
        }
        let Some(stream) = self.streams.get_mut(seen.stream()) else { return };
        stream.turn = self.turn;
        let number = stream.base + stream.recent.len() as u64;
        if seen.flags.is_some() {
            stream.waiting.push_back(number);
        }
        self.bytes += seen.raw().len();
        stream.recent.push_back(Arc::new(seen));
        while stream.waiting.front().is_some_and(|first| first + reach <= number) {
            stream.mature(each_side, reach, out);
        }
        let oldest = stream.waiting.front().copied().unwrap_or(number);
        while stream.base + 2 * reach < oldest {
            self.bytes -= stream.drop_first();
        }
        while self.bytes > HELD_BYTES && stream.recent.len() > 1 {
            if stream.waiting.front() == Some(&stream.base) {
                stream.mature(each_side, reach, out);
            }
            self.bytes -= stream.drop_first();
        }
        while self.bytes > HELD_BYTES && self.streams.len() > 1 {
            self.let_go(out);
        }
    }

    /// Makes ready for the next piece of an input, when this one has ended: of each stream the lines
    /// stay that came last, each by itself, so that no chunk is held for them.
    pub fn go_on(&mut self) {
        let reach = self.reach() as usize;
        for stream in self.streams.values_mut() {
            while stream.recent.len() > reach {
                self.bytes -= stream.drop_first();
            }
            for seen in &mut stream.recent {
                // It comes before all of the next piece, in which lines are numbered anew.
                let mut alone = seen.alone();
                alone.number = 0;
                *seen = Arc::new(alone);
            }
        }
    }

    /// Gives every case that still waits: the input ended.
    pub fn finish(&mut self, out: &mut Vec<Matured>) {
        let (reach, each_side) = (self.reach(), self.each_side);
        for stream in self.streams.values_mut() {
            while !stream.waiting.is_empty() {
                stream.mature(each_side, reach, out);
            }
        }
        out.sort_by_key(|matured| matured.seen.number);
    }

    fn let_go(&mut self, out: &mut Vec<Matured>) {
        let (reach, each_side) = (self.reach(), self.each_side);
        let quiet =
            self.streams.iter().min_by_key(|(_, stream)| stream.turn).map(|(name, _)| name.clone());
        if let Some(mut stream) = quiet.and_then(|name| self.streams.remove(&name)) {
            while !stream.waiting.is_empty() {
                stream.mature(each_side, reach, out);
            }
            self.bytes -= stream.recent.iter().map(|seen| seen.raw().len()).sum::<usize>();
        }
    }
}

impl Stream {
    /// Drops the first line, around which nothing waits; how long it was.
    fn drop_first(&mut self) -> usize {
        self.base += 1;
        self.recent.pop_front().map_or(0, |seen| seen.raw().len())
    }

    fn mature(&mut self, each_side: usize, reach: u64, out: &mut Vec<Matured>) {
        let Some(number) = self.waiting.pop_front() else { return };
        let index = (number - self.base) as usize;
        let Some(seen) = self.recent.get(index) else { return };
        let from = index.saturating_sub(reach as usize);
        let to = (index + reach as usize + 1).min(self.recent.len());
        out.push(Matured::among(seen, self.recent.range(from..to), each_side));
    }
}

impl Matured {
    /// A case beside those of `around` that are nearest to it in time, and those of its session.
    pub fn among<'s>(
        seen: &Seen,
        around: impl Iterator<Item = &'s Arc<Seen>>,
        each_side: usize,
    ) -> Self {
        if each_side == 0 {
            return Self { seen: Arc::new(seen.alone()), neighbours: Vec::new() };
        }
        let mut around: Vec<&Arc<Seen>> = around.filter(|other| other.id() != seen.id()).collect();
        around.sort_by_key(|other| (other.at, other.number));
        // What came twice stands beside it once.
        let mut known = HashSet::with_capacity(around.len());
        around.retain(|other| known.insert(other.id()));
        let middle =
            around.partition_point(|other| (other.at, other.number) < (seen.at, seen.number));
        let nearest = middle.saturating_sub(each_side)..(middle + each_side).min(around.len());
        let same = |other: &Seen| !seen.session().is_empty() && other.session() == seen.session();
        let mut of_session = 0;
        let mut neighbours = Vec::with_capacity(2 * each_side);
        for (i, other) in around.iter().enumerate() {
            let near = nearest.contains(&i);
            let extra = !near && same(other) && of_session < SESSION_MAX;
            of_session += usize::from(extra);
            if near || extra {
                let kept = Neighbour {
                    id: other.id().to_owned(),
                    at: other.at,
                    label: other.label().to_owned(),
                    confidence: other.confidence,
                    text: cut(other.text(), TEXT_BYTES).into_owned(),
                    session: same(other),
                };
                neighbours.push(Near { kept, seen: Arc::clone(other) });
            }
        }
        Self { seen: Arc::new(seen.alone()), neighbours }
    }
}
