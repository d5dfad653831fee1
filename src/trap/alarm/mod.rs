//! Alarms: what is watched of a whole stream. A detector follows a value from row to row; a
//! comparison holds the rows of a window against the reference. Rows are looked at in the order of
//! their times, as far as they can be held until late ones have come.

mod compared;
mod followed;
mod raised;
mod recent;
mod state;
mod waiting;
mod watched;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use compared::{Shift, Window};
use followed::Followed;
pub use raised::{Level, Raised};
pub use recent::{Drawn, Line};
use recent::{Recent, RecentRow};
pub use state::State;
use state::key;
use waiting::{LATE_MS, Waiting, WaitingRow};
pub use watched::Watched;

use super::reference::{Keyed, OTHERS, Reference, short};
use crate::domain::distribution::holm;
use crate::domain::time::Moment;
use crate::domain::traps::Alarm;

/// Values of `by` that are watched each by itself; the rest are together.
const BY_MAX: usize = 64;
/// Cases of an alarm that says no number.
const CASES: u32 = 20;
const ALPHA: f64 = 0.01;
const EFFECT: f64 = 0.1;
const LEAST: u64 = 200;

/// A row as alarms see it.
#[derive(Debug, Clone)]
pub struct Row<'r> {
    pub stream: &'r str,
    pub at: Moment,
    pub line: &'r str,
    pub number: u64,
    /// A hash of the prediction, the same everywhere: cases are those with the smallest.
    pub u: u64,
    /// For each alarm, what it looks at.
    pub watched: &'r [Watched],
}

/// Alarms with what they know of the streams so far.
pub struct Alarms {
    list: Vec<(Alarm, String)>,
    reference: Option<Reference>,
    state: State,
    /// Rows up to then were taken by an earlier run.
    taken: HashMap<String, Moment>,
    /// The newest row of each stream that came.
    newest: HashMap<String, Moment>,
    /// Draws of the rows of each stream that have the time of the last that was looked at.
    latest: HashMap<String, HashSet<u64>>,
    recent: HashMap<String, Recent>,
    /// Rows of windows whose surroundings are not known yet.
    open: HashMap<String, VecDeque<OpenDraw>>,
    canaries: Canaries,
    manner: Manner,
    /// Rows of before what was looked at already, and rows from beyond the clock.
    late: u64,
    /// Windows that differ, of which the test could not say whether by chance: by alarm.
    untold: BTreeMap<String, u64>,
    ahead: u64,
}

/// How alarms look at a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// The input may never end: late rows are waited for five minutes, else as long as can be.
    pub endless: bool,
    /// Lines that are given on each side of one that is drawn.
    pub reach: u64,
}

/// A row of a window that waits for those after it.
#[derive(Debug)]
struct OpenDraw {
    place: u64,
    window: String,
    row: (u64, u64),
}

/// Inputs whose right prediction is known: by the file that an alarm names, by the hash of the text,
/// id and what is to be said.
#[derive(Debug, Clone, Default)]
pub struct Canaries {
    pub key: Option<Keyed>,
    pub files: BTreeMap<String, HashMap<u64, (String, String)>>,
}

impl Alarms {
    /// `list` are alarms with the versions of their rules.
    pub fn new(list: Vec<(Alarm, String)>, reference: Option<Reference>, mut state: State) -> Self {
        // Rules may have been published since rows began to wait: each keeps what is its own.
        let versions: Vec<String> = list.iter().map(|(_, version)| version.clone()).collect();
        if state.waits_for != versions {
            let known = std::mem::replace(&mut state.waits_for, versions);
            let place = |version| known.iter().position(|known| known == version);
            let places: Vec<Option<usize>> = state.waits_for.iter().map(place).collect();
            state.waiting.values_mut().for_each(|waiting| waiting.sort_out(&places));
        }
        let taken = state.last.iter().map(|(stream, at)| (stream.clone(), *at)).collect();
        Self {
            list,
            reference,
            state,
            taken,
            newest: HashMap::new(),
            latest: HashMap::new(),
            recent: HashMap::new(),
            open: HashMap::new(),
            canaries: Canaries::default(),
            manner: Manner::default(),
            late: 0,
            untold: BTreeMap::new(),
            ahead: 0,
        }
    }

    /// The same, with canaries.
    pub fn with(self, canaries: Canaries) -> Self {
        Self { canaries, ..self }
    }

    /// Says how they are to look.
    pub fn look_so(&mut self, manner: Manner) {
        self.manner = manner;
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether these are the same rules.
    pub fn are(&self, others: &Self) -> bool {
        self.state.waits_for == others.state.waits_for
    }

    /// What is to be kept for the next run.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes over what others have kept meanwhile, but for the streams that came here.
    pub fn adopt(&mut self, kept: State) {
        let kept = Self::new(self.list.clone(), None, kept).state;
        self.state.merge(kept, &self.newest);
    }

    /// The canaries alone.
    pub fn into_canaries(self) -> Canaries {
        self.canaries
    }

    /// How many windows of each alarm the test could not say anything of.
    pub fn untold(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.untold)
    }

    /// How many rows are of before what was looked at already (late, or read again), and how many from
    /// beyond the clock, since it was asked last.
    pub fn passed_over(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.late), std::mem::take(&mut self.ahead))
    }

    /// Takes the next row; gives the alarms that are raised by what is due with it.
    pub fn take(&mut self, row: &Row<'_>, now: Moment) -> Vec<Raised> {
        if self.list.is_empty() {
            return Vec::new();
        }
        // What an earlier run took is not counted again.
        if self.taken.get(row.stream).is_some_and(|last| row.at <= *last) {
            self.late += 1;
            return Vec::new();
        }
        // A clock that jumps ahead would make everything after it late.
        if row.at.0 > now.0.saturating_add(LATE_MS) {
            self.ahead += 1;
            return Vec::new();
        }
        match self.state.last.get(row.stream).map(|last| row.at.cmp(last)) {
            Some(Ordering::Less) => {
                self.late += 1;
                return Vec::new();
            }
            // The same one again.
            Some(Ordering::Equal)
                if self.latest.get(row.stream).is_some_and(|known| known.contains(&row.u)) =>
            {
                return Vec::new();
            }
            _ => {}
        }
        let mut raised = Vec::new();
        let mut watched = row.watched.to_vec();
        watched.resize_with(self.list.len(), Watched::default);
        for (place, watched) in watched.iter_mut().enumerate() {
            // A canary says what it says at once, and its text waits nowhere.
            if self.list[place].0.canary.is_some() {
                raised.extend(self.canary(place, row, &std::mem::take(watched)));
            }
        }
        let newest = self.newest.entry(row.stream.to_owned()).or_insert(row.at);
        *newest = (*newest).max(row.at);
        let until = self.manner.endless.then(|| Moment(newest.0.saturating_sub(LATE_MS)));
        let (at, u, number) = (row.at, row.u, row.number);
        let waiting = WaitingRow { at, u, number, watched, line: Some(Arc::from(row.line)) };
        let streams = self.state.waiting.len().max(1);
        self.state.waiting.entry(row.stream.to_owned()).or_default().put(waiting);
        while let Some(due) = self.due(row.stream, |waiting| waiting.next(until, streams)) {
            raised.extend(self.look(row.stream, due));
        }
        raised
    }

    /// Looks at what still waits of the streams that came: the input ended.
    pub fn finish(&mut self) -> Vec<Raised> {
        let mut raised = Vec::new();
        let mut came: Vec<String> = self.newest.keys().cloned().collect();
        came.sort();
        for stream in came {
            while let Some(due) = self.due(&stream, Waiting::pop) {
                raised.extend(self.look(&stream, due));
            }
            self.state.waiting.remove(&stream);
        }
        raised
    }

    fn due(
        &mut self,
        stream: &str,
        next: impl FnOnce(&mut Waiting) -> Option<WaitingRow>,
    ) -> Option<WaitingRow> {
        next(self.state.waiting.get_mut(stream)?)
    }

    /// Looks at a row in its turn.
    fn look(&mut self, stream: &str, row: WaitingRow) -> Vec<Raised> {
        let last = self.state.last.insert(stream.to_owned(), row.at);
        let latest = self.latest.entry(stream.to_owned()).or_default();
        if last != Some(row.at) {
            latest.clear();
        }
        latest.insert(row.u);
        // By what each alarm goes by, where one does.
        let by = self.list.iter().any(|(alarm, _)| alarm.by.is_some());
        let by = if by { row.watched.iter().map(|one| one.by.clone()).collect() } else { vec![] };
        let streams = self.recent.len();
        let recent = self.recent.entry(stream.to_owned()).or_default();
        let line = row.line.clone().map(|line| (row.number, line));
        let place = recent.push(RecentRow { u: row.u, at: row.at, line, by }, streams);
        let (mut raised, mut is_first) = (Vec::new(), false);
        for (number, watched) in row.watched.iter().enumerate() {
            let Some((alarm, _)) = self.list.get(number) else { break };
            if alarm.watch.is_some() {
                raised.extend(self.follow(number, stream, &row, watched));
            } else if alarm.compare.is_some() {
                is_first |= self.count(number, stream, &row, watched, place);
            }
        }
        self.settle_draws(stream, true);
        // A window is over when another begins.
        if is_first {
            raised.extend(self.close_windows(stream, row.at));
        }
        raised
    }

    /// Gives rows of windows what lies around them: those for which all of it has come, or all of
    /// them what has come so far.
    fn settle_draws(&mut self, stream: &str, only_whole: bool) {
        let reach = self.manner.reach;
        let (Some(open), Some(recent)) = (self.open.get_mut(stream), self.recent.get(stream))
        else {
            return;
        };
        let Some((newest, _)) = recent.latest().next() else { return };
        let whole = open.iter().take_while(|draw| draw.place + reach <= newest).count();
        let some = if only_whole { whole } else { open.len() };
        for draw in open.iter().take(some) {
            let window = self.state.windows.get_mut(&draw.window);
            if let Some(drawn) = window.and_then(|window| window.drawn.get_mut(&draw.row)) {
                drawn.around = recent.around(draw.place, reach);
            }
        }
        open.drain(..whole);
    }

    fn follow(
        &mut self,
        place: usize,
        stream: &str,
        row: &WaitingRow,
        watched: &Watched,
    ) -> Option<Raised> {
        let (alarm, version) = &self.list[place];
        let value = watched.number?;
        let by = alarm.by.as_ref().map(|_| watched.by.as_deref().unwrap_or(""));
        let prefix = key(&[version, stream, ""]);
        let mut name = key(&[version, stream, by.unwrap_or("")]);
        let mut said = by.map(str::to_owned);
        if by.is_some() && !self.state.followed.contains_key(&name) {
            let range = self.state.followed.range(prefix.clone()..);
            let known = range.take_while(|(name, _)| name.starts_with(&prefix)).count();
            if known >= BY_MAX {
                name = key(&[version, stream, OTHERS]);
                said = Some(OTHERS.to_owned());
            }
        }
        let fresh = || Followed::new(alarm, row.at);
        let followed = self.state.followed.entry(name).or_insert_with(fresh);
        let found = followed.take(value, alarm, row.at)?;
        let recent = self.recent.get(stream)?;
        let alike = |(_, one): &(u64, &RecentRow)| {
            alarm.by.is_none() || one.by.get(place).is_some_and(|by| *by == watched.by)
        };
        let window = recent.latest().filter(alike).take(found.rows as usize);
        let from = window.clone().last().map_or(found.since, |(_, one)| one.at);
        // Cases are asked for where it is sure.
        let cases = alarm.cases.unwrap_or(CASES) as usize;
        let cases = if found.level == Level::Alarm { cases } else { 0 };
        let mut drawn: Vec<(u64, u64, &Line)> = window
            .filter_map(|(at, one)| one.line.as_ref().map(|line| (one.u, at, line)))
            .collect();
        drawn.sort_unstable_by_key(|(u, at, _)| (*u, *at));
        let drawn = drawn.into_iter().take(cases).map(|(_, at, (number, line))| Drawn {
            number: *number,
            line: Arc::clone(line),
            around: recent.around(at, self.manner.reach),
        });
        Some(Raised {
            alarm: alarm.name.clone(),
            version: version.clone(),
            level: found.level,
            stream: stream.to_owned(),
            by: said,
            from,
            to: row.at,
            rows: found.rows,
            statistic: found.before.map_or(0.0, |before| found.now - before),
            effect: found.before.map(|before| (found.now - before).abs()),
            p: None,
            before: found.before,
            now: Some(found.now),
            drawn: drawn.collect(),
        })
    }

    /// Raised when another thing is said of a canary than last time, and not the right one.
    fn canary(&mut self, place: usize, row: &Row<'_>, watched: &Watched) -> Option<Raised> {
        let (alarm, version) = &self.list[place];
        let known = self.canaries.files.get(alarm.canary.as_deref()?)?;
        let (id, expect) = known.get(&self.canaries.key?.text(watched.text.as_deref()?))?;
        let said = watched.by.as_deref().unwrap_or_default();
        let name = key(&[version, row.stream, id]);
        let before = self.state.canaries.insert(name, said.to_owned());
        if said == expect || before.as_deref() == Some(said) {
            return None;
        }
        Some(Raised {
            alarm: alarm.name.clone(),
            version: version.clone(),
            level: Level::Alarm,
            stream: row.stream.to_owned(),
            by: Some(format!("{id}: {said}, not {expect}")),
            from: row.at,
            to: row.at,
            rows: 1,
            statistic: 1.0,
            effect: None,
            p: None,
            before: None,
            now: None,
            drawn: vec![Drawn {
                number: row.number,
                line: Arc::from(row.line),
                around: self.lines_before(row.stream),
            }],
        })
    }

    /// The lines of a stream that came last.
    fn lines_before(&self, stream: &str) -> Vec<Line> {
        let waiting = self.state.waiting.get(stream).into_iter().flat_map(Waiting::latest);
        let recent = self.recent.get(stream).into_iter().flat_map(Recent::latest);
        let recent = recent.filter_map(|(_, row)| row.line.clone());
        waiting.chain(recent).take(self.manner.reach as usize).collect()
    }

    /// Counts a row to its window; says whether it is the first of that one.
    fn count(
        &mut self,
        number: usize,
        stream: &str,
        row: &WaitingRow,
        watched: &Watched,
        place: u64,
    ) -> bool {
        let (alarm, version) = &self.list[number];
        let start = row.at.0.div_euclid(alarm.window_ms()) * alarm.window_ms();
        let name = key(&[version, stream, &start.to_string()]);
        let window = self.state.windows.entry(name.clone()).or_default();
        let is_first = window.rows == 0;
        let cases = alarm.cases.unwrap_or(CASES) as usize;
        let is_drawn = window.take(row.u, watched, cases);
        if let Some(line) = row.line.as_ref().filter(|_| is_drawn) {
            let (at, line) = ((row.u, row.number), Arc::clone(line));
            window.drawn.insert(at, Drawn { number: row.number, line, around: Vec::new() });
            if window.drawn.len() > cases {
                window.drawn.pop_last();
            }
            let open = OpenDraw { place, window: name, row: at };
            self.open.entry(stream.to_owned()).or_default().push_back(open);
        }
        is_first
    }

    /// Looks at the windows of a stream that are over: rows come in the order of their times. Several
    /// alarms of one window are set right for being several.
    fn close_windows(&mut self, stream: &str, newest: Moment) -> Vec<Raised> {
        let mut due: BTreeMap<(i64, i64), Vec<(usize, Window)>> = BTreeMap::new();
        self.settle_draws(stream, false);
        for (place, (alarm, version)) in self.list.iter().enumerate() {
            if alarm.compare.is_none() {
                continue;
            }
            let prefix = key(&[version, stream, ""]);
            let length = alarm.window_ms();
            let ended: Vec<String> = self
                .state
                .windows
                .range(prefix.clone()..)
                .take_while(|(name, _)| name.starts_with(&prefix))
                .filter(|(name, _)| {
                    let start: i64 = name[prefix.len()..].parse().unwrap_or(i64::MAX - length);
                    start.saturating_add(length) <= newest.0
                })
                .map(|(name, _)| name.clone())
                .collect();
            for name in ended {
                let start: i64 = name[prefix.len()..].parse().unwrap_or(0);
                if let Some(window) = self.state.windows.remove(&name) {
                    due.entry((start, length)).or_default().push((place, window));
                }
            }
        }
        let mut raised = Vec::new();
        for ((start, length), windows) in due {
            let told: Vec<Option<Shift>> = windows
                .iter()
                .map(|(place, window)| {
                    let field = short(self.list[*place].0.compare.as_deref()?);
                    window.shift(self.reference.as_ref()?, field)
                })
                .collect();
            let p: Vec<f64> = told.iter().flatten().map(|shift| shift.p.unwrap_or(1.0)).collect();
            let mut adjusted = holm(&p).into_iter();
            for ((place, window), shift) in windows.into_iter().zip(told) {
                let Some(shift) = shift else { continue };
                let p = adjusted.next().unwrap_or(1.0);
                let (alarm, version) = &self.list[place];
                let least = alarm.least.unwrap_or(LEAST);
                let large = shift.effect >= alarm.effect.unwrap_or(EFFECT) || shift.unstable;
                if large && shift.rows >= least && shift.p.is_none() {
                    *self.untold.entry(alarm.name.clone()).or_default() += 1;
                }
                if !large || p > alarm.alpha.unwrap_or(ALPHA) || shift.rows < least {
                    continue;
                }
                raised.push(Raised {
                    alarm: alarm.name.clone(),
                    version: version.clone(),
                    level: Level::Alarm,
                    stream: stream.to_owned(),
                    by: shift.moved,
                    from: Moment(start),
                    to: Moment(start + length),
                    rows: window.rows,
                    statistic: shift.statistic,
                    effect: Some(shift.effect),
                    p: Some(p),
                    before: shift.before,
                    now: shift.now,
                    drawn: window.drawn.into_values().collect(),
                });
            }
        }
        raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(toml: &str) -> Vec<(Alarm, String)> {
        let file = crate::domain::traps::TrapFile::parse(toml).unwrap();
        file.alarms.into_iter().map(|alarm| (alarm.clone(), alarm.version(None))).collect()
    }

    /// Gives them rows, a minute apart, of an input that ends.
    fn feed(alarms: &mut Alarms, rows: impl Iterator<Item = (u64, Watched)>) -> Vec<Raised> {
        let mut raised = piece(alarms, rows, Moment(i64::MAX));
        raised.extend(alarms.finish());
        raised
    }

    fn piece(
        alarms: &mut Alarms,
        rows: impl Iterator<Item = (u64, Watched)>,
        now: Moment,
    ) -> Vec<Raised> {
        rows.flat_map(|(n, watched)| {
            let (at, watched) = (Moment(n as i64 * 60_000), [watched.clone(), watched]);
            let line = format!("line {n}");
            let u = n * 7919 % 6007;
            let row = Row { stream: "s", at, line: &line, number: n, u, watched: &watched };
            alarms.take(&row, now)
        })
        .collect()
    }

    /// Yes in so many of a hundred rows before and since row 2,000.
    fn rises(n: u64, before: u64, since: u64) -> (u64, Watched) {
        let bit = (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % 100;
        let number = Some(f64::from(u8::from(bit < if n < 2_000 { before } else { since })));
        (n, Watched { number, ..Watched::default() })
    }

    fn alarms(raised: &[Raised]) -> Vec<&Raised> {
        raised.iter().filter(|one| one.level == Level::Alarm).collect()
    }

    #[test]
    fn late_rows_of_a_stream_that_goes_on_are_looked_at_in_their_turn() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\n";
        let value = |n| rises(n, 10, 60);
        let mut whole = Alarms::new(alarm(toml), None, State::default());
        let expected = feed(&mut whole, (0..3_000).map(value));
        assert_eq!(alarms(&expected).len(), 1);
        // Up to five minutes late, in pieces, with the process started anew and lines read again.
        let mut order: Vec<u64> = (0..3_000).collect();
        order.sort_by_key(|n| n + n * 7 % 5);
        let (mut state, mut found) = (State::default(), Vec::new());
        for part in order.chunks(170) {
            let mut following = Alarms::new(alarm(toml), None, state);
            following.look_so(Manner { endless: true, reach: 2 });
            let twice = part.iter().chain(part).map(|n| value(*n));
            found.extend(piece(&mut following, twice, Moment(i64::MAX)));
            let text = serde_json::to_string(following.state()).unwrap();
            assert!(!text.contains("line"), "no line is kept");
            state = serde_json::from_str(&text).unwrap();
        }
        let key = |one: &Raised| (one.level, one.to, one.rows, one.now);
        assert_eq!(
            found.iter().map(key).collect::<Vec<_>>(),
            expected.iter().map(key).collect::<Vec<_>>()
        );
    }

    #[test]
    fn of_two_that_read_different_streams_neither_loses_what_the_other_knows() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\n";
        let reads = |stream: &str, alarms: &mut Alarms| {
            for n in 0..20 {
                let (_, watched) = rises(n, 10, 60);
                let (at, watched) = (Moment(n as i64 * 60_000), [watched]);
                let row = Row { stream, at, line: "l", number: n, u: n, watched: &watched };
                alarms.take(&row, Moment(i64::MAX));
            }
        };
        let fresh = || {
            let mut alarms = Alarms::new(alarm(toml), None, State::default());
            alarms.look_so(Manner { endless: true, reach: 2 });
            alarms
        };
        let (mut one, mut two) = (fresh(), fresh());
        reads("s", &mut one);
        reads("t", &mut two);
        let before = one.state().clone();
        two.adopt(one.state().clone());
        one.adopt(two.state().clone());
        for of in [&one, &two] {
            let streams: Vec<&String> = of.state().last.keys().collect();
            assert_eq!(streams, ["s", "t"]);
            assert_eq!((of.state().followed.len(), of.state().waiting.len()), (2, 2));
        }
        assert_eq!(one.state().last["s"], before.last["s"]);
        // Whoever reads another stream leaves alone what waits.
        let mut other = Alarms::new(alarm(toml), None, one.state().clone());
        reads("u", &mut other);
        other.finish();
        assert_eq!(other.state().waiting.keys().collect::<Vec<_>>(), ["s", "t"]);
    }

    #[test]
    fn rows_that_wait_while_rules_change_are_looked_at_by_the_rules_they_came_under() {
        let [one, two] = ["disagrees", "confidence"]
            .map(|watch| format!("[[alarm]]\nname = \"{watch}\"\nwatch = \"{watch}\"\n"));
        let mut following = Alarms::new(alarm(&one), None, State::default());
        following.look_so(Manner { endless: true, reach: 2 });
        // The last five rows wait, and are ones.
        let ones = |n| (n, Watched { number: Some(1.0), ..Watched::default() });
        assert_eq!(piece(&mut following, (0..6).map(ones), Moment(i64::MAX)), []);
        let text = serde_json::to_string(following.state()).unwrap();
        let state = serde_json::from_str(&text).unwrap();
        let mut changed = Alarms::new(alarm(&format!("{two}{one}")), None, state);
        piece(&mut changed, std::iter::once(ones(6)), Moment(i64::MAX));
        changed.finish();
        let text = serde_json::to_value(changed.state()).unwrap();
        let mut widths: Vec<u64> = text["followed"]
            .as_object()
            .unwrap()
            .values()
            .map(|one| one["detector"]["adwin"]["width"].as_u64().unwrap())
            .collect();
        widths.sort_unstable();
        assert_eq!(widths, [1, 7], "the new rule has looked at none of them");
    }

    #[test]
    fn a_row_that_is_too_late_or_of_tomorrow_is_counted_and_harms_nothing() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\n";
        let mut following = Alarms::new(alarm(toml), None, State::default());
        following.look_so(Manner { endless: true, reach: 2 });
        let now = Moment(3_000 * 60_000);
        let mut order: Vec<u64> = (0..3_000).collect();
        order.insert(500, 900_000);
        order.insert(1_000, 12);
        let found = piece(&mut following, order.into_iter().map(|n| rises(n, 10, 60)), now);
        assert_eq!(alarms(&found).len(), 1);
        assert_eq!(following.passed_over(), (1, 1));
    }

    #[test]
    fn what_may_be_chance_is_a_warning_without_cases_and_an_alarm_tells_what_lies_around() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\ncases = 3\n";
        let told = |toml: &str, since: u64| {
            let mut all = Alarms::new(alarm(toml), None, State::default());
            all.look_so(Manner { endless: false, reach: 4 });
            feed(&mut all, (0..2_200).map(|n| rises(n, 10, since)))
        };
        let weak = told(toml, 22);
        assert_eq!(weak.len(), 1, "{weak:?}");
        assert_eq!((weak[0].level, weak[0].drawn.len()), (Level::Warning, 0));
        assert!(weak[0].before.unwrap() < weak[0].now.unwrap());
        assert_eq!(told(&format!("{toml}warn = 0.0\n"), 22), []);
        let strong = told(toml, 60);
        let drawn = &alarms(&strong)[0].drawn;
        assert_eq!(drawn.len(), 3);
        for one in drawn {
            let expected = (one.number - 4..=one.number + 4).filter(|n| *n != one.number);
            let last = alarms(&strong)[0].to.0 / 60_000;
            let expected: Vec<u64> = expected.filter(|n| (*n as i64) <= last).collect();
            assert_eq!(one.around.iter().map(|(n, _)| *n).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_share_that_rises_is_raised_once_with_rows_of_its_window_also_across_runs() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\ncases = 3\n";
        let value = |n| rises(n, 10, 60);
        let mut whole = Alarms::new(alarm(toml), None, State::default());
        let raised = feed(&mut whole, (0..3_000).map(value));
        let raised = alarms(&raised);
        assert_eq!(raised.len(), 1, "{raised:?}");
        // What it was before and what it is are told, not what the detector still holds of both, and
        // cases are drawn from what came since.
        let (before, now) = (raised[0].before.unwrap(), raised[0].now.unwrap());
        assert!((before - 0.1).abs() < 0.03 && (now - 0.6).abs() < 0.2, "{raised:?}");
        assert!(raised[0].from >= Moment(1_960 * 60_000), "{raised:?}");
        assert!(raised[0].drawn.iter().all(|one| one.number >= 1_960), "{raised:?}");
        assert_eq!(raised[0].drawn.len(), 3);
        let mut found = Vec::new();
        let mut state = State::default();
        // Each piece begins with rows that were taken before.
        for from in (0..3_000_u64).step_by(500) {
            let mut of_piece = Alarms::new(alarm(toml), None, state);
            found.extend(feed(&mut of_piece, (from.saturating_sub(100)..from + 500).map(value)));
            let text = serde_json::to_string(of_piece.state()).unwrap();
            state = serde_json::from_str(&text).unwrap();
        }
        let found = alarms(&found);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].to, found[0].rows), (raised[0].to, raised[0].rows));
    }

    #[test]
    fn an_alarm_by_a_value_draws_rows_of_that_value_since_it_changed() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"confidence\"\nby = \"label\"\ncases = 5\n";
        let mut alarms = Alarms::new(alarm(toml), None, State::default());
        let row = |n: u64| {
            let odd = n % 2 == 1;
            let number = if odd && n >= 2_000 { 0.3 } else { 0.9 } + (n % 7) as f64 / 100.0;
            let by = Some(if odd { "b" } else { "a" }.into());
            (n, Watched { number: Some(number), by, ..Watched::default() })
        };
        let raised = feed(&mut alarms, (0..3_000).map(row));
        let first = &raised[0];
        assert_eq!((first.by.as_deref(), first.drawn.len()), (Some("b"), 5), "{first:?}");
        assert!(first.drawn.iter().all(|one| one.number % 2 == 1 && one.number >= 1_990));
        let minutes = (first.to.0 - first.from.0) / 60_000;
        assert_eq!(minutes as u64, (first.rows - 1) * 2, "every other row is of it");
    }

    #[test]
    fn a_window_unlike_the_reference_is_raised_and_one_like_it_is_not() {
        let toml = "[[alarm]]\nname = \"a\"\ncompare = \"label\"\nwindow = \"1d\"\n[[alarm]]\nname = \"b\"\ncompare = \"input.n\"\n";
        let mut reference = Reference::default();
        reference.rows = 2_000;
        let counts = [("x".to_owned(), 1_500), ("y".to_owned(), 500)];
        reference.values.insert("label".to_owned(), counts.into());
        let numbers = (0..1_000).map(f64::from).collect();
        reference.numbers.insert("input.n".to_owned(), numbers);
        let mut alarms = Alarms::new(alarm(toml), Some(reference), State::default());
        // 1,440 minutes a day; the second day has a new label and other numbers.
        let row = |n: u64| {
            let text = match n {
                1_440..2_880 if n.is_multiple_of(5) => "z",
                _ if n.is_multiple_of(4) => "y",
                _ => "x",
            };
            let spread = (n * 7919) % 1_000;
            let number = if (1_440..2_880).contains(&n) { spread / 2 } else { spread };
            (n, Watched { number: Some(number as f64), text: Some(text.into()), by: None })
        };
        let raised = feed(&mut alarms, (0..6_000).map(row));
        let told: Vec<(&str, i64)> =
            raised.iter().map(|one| (one.alarm.as_str(), one.from.0 / 86_400_000)).collect();
        assert_eq!(told, [("a", 1), ("b", 1)], "{raised:?}");
        assert_eq!((raised[0].by.as_deref(), raised[0].before), (Some("z"), Some(0.0)));
        assert_eq!(raised[0].drawn.len(), 20);
        let kept = serde_json::to_string(alarms.state()).unwrap();
        assert!(!kept.contains("\"{}\""), "no line of the stream is kept");
    }

    #[test]
    fn a_canary_that_is_told_otherwise_is_raised_once() {
        let toml = "[[alarm]]\nname = \"c\"\ncanary = \"c.jsonl\"\n";
        let key = Keyed::new(b"w");
        let known = [(key.text("my parcel is late"), ("late".to_owned(), "delay".to_owned()))];
        let files = [("c.jsonl".to_owned(), known.into())].into();
        let mut alarms = Alarms::new(alarm(toml), None, State::default())
            .with(Canaries { key: Some(key), files });
        let said = ["delay", "delay", "refund", "refund", "delay", "refund"];
        let rows = said.iter().enumerate().map(|(n, label)| {
            let text = Some(" My parcel is LATE".into());
            (n as u64, Watched { number: None, text, by: Some((*label).into()) })
        });
        let raised = feed(&mut alarms, rows);
        let at: Vec<i64> = raised.iter().map(|one| one.to.0 / 60_000).collect();
        assert_eq!(at, [2, 5], "{raised:?}");
        assert_eq!(raised[0].by.as_deref(), Some("late: refund, not delay"));
    }
}
