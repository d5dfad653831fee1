//! Alarms: what is watched of a whole stream. A detector follows a value from row to row; a
//! comparison holds the rows of a window against the reference.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::detect::{Detector, DetectorName, Settings};
use super::reference::{Keyed, OTHERS, Reference, short};
use super::two_sample::{Counts, categories, numbers};
use crate::domain::distribution::holm;
use crate::domain::time::Moment;
use crate::domain::traps::Alarm;

/// Values of `by` that are watched each by itself; the rest are together.
const BY_MAX: usize = 64;
/// Late rows are waited for so long before a window is looked at.
const LATE_MS: i64 = 300_000;
/// Most rows that are remembered, for cases to be drawn from them.
const RECENT: usize = 512;
/// Most numbers of a window that are held against the reference: those with the smallest draws.
const NUMBERS_MAX: usize = 4_096;
/// Cases of an alarm that says no number.
const CASES: u32 = 20;
const ALPHA: f64 = 0.01;
const EFFECT: f64 = 0.1;
const LEAST: u64 = 200;
/// A stability index below this is no change, however sure it is.
const STABLE: f64 = 0.1;

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

/// What an alarm looks at in a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    pub number: Option<f64>,
    pub text: Option<Box<str>>,
    pub by: Option<Box<str>>,
}

/// An alarm that was raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    pub alarm: String,
    pub version: String,
    pub stream: String,
    pub by: Option<String>,
    pub from: Moment,
    pub to: Moment,
    pub rows: u64,
    pub statistic: f64,
    pub effect: Option<f64>,
    pub p: Option<f64>,
    /// The mean, or what share the value that moved most had, before and now.
    pub before: Option<f64>,
    pub now: Option<f64>,
    /// Lines drawn from the window, with their numbers.
    pub drawn: Vec<(u64, String)>,
}

/// Alarms with what they know of the streams so far.
pub struct Alarms {
    list: Vec<(Alarm, String)>,
    reference: Option<Reference>,
    state: State,
    /// Rows up to then were taken by an earlier run.
    taken: HashMap<String, Moment>,
    recent: HashMap<String, VecDeque<Recent>>,
    canaries: Canaries,
}

/// Inputs whose right prediction is known: by the file that an alarm names, by the hash of the text,
/// id and what is to be said.
#[derive(Debug, Clone, Default)]
pub struct Canaries {
    pub key: Option<Keyed>,
    pub files: BTreeMap<String, HashMap<u64, (String, String)>>,
}

/// What is kept from run to run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// By version of an alarm, stream and value of `by`.
    followed: BTreeMap<String, Followed>,
    /// By version, stream and start of the window.
    windows: BTreeMap<String, Window>,
    last: BTreeMap<String, Moment>,
    /// By version, stream and id of a canary: what was said of it last.
    canaries: BTreeMap<String, String>,
}

/// A row of late, which may become a case.
struct Recent {
    number: u64,
    at: Moment,
    u: u64,
    line: String,
    /// What each alarm goes by; of none where no alarm goes by anything.
    by: Vec<Option<Box<str>>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Followed {
    detector: Detector,
    since: Moment,
    before: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Window {
    rows: u64,
    counts: BTreeMap<String, u64>,
    /// Draws and numbers, the smallest draws.
    numbers: BTreeSet<(u64, u64)>,
    /// Draws, numbers and lines of rows that may become cases. Lines are not kept from run to run:
    /// what is redacted or erased of a stream must stand nowhere.
    #[serde(skip)]
    drawn: BTreeSet<(u64, u64, String)>,
}

fn key(parts: &[&str]) -> String {
    parts.join("\u{1f}")
}

impl Alarms {
    /// `list` are alarms with the versions of their rules.
    pub fn new(list: Vec<(Alarm, String)>, reference: Option<Reference>, state: State) -> Self {
        let taken = state.last.iter().map(|(stream, at)| (stream.clone(), *at)).collect();
        let (recent, canaries) = (HashMap::new(), Canaries::default());
        Self { list, reference, state, taken, recent, canaries }
    }

    /// The same, with canaries.
    pub fn with(self, canaries: Canaries) -> Self {
        Self { canaries, ..self }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What is to be kept for the next run.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes the next row; gives the alarms that it raises.
    pub fn take(&mut self, row: &Row<'_>) -> Vec<Raised> {
        // What an earlier run took is not counted again.
        if self.list.is_empty() || self.taken.get(row.stream).is_some_and(|last| row.at <= *last) {
            return Vec::new();
        }
        let last = self.state.last.entry(row.stream.to_owned()).or_insert(row.at);
        *last = (*last).max(row.at);
        let newest = *last;
        let recent = self.recent.entry(row.stream.to_owned()).or_default();
        // By what each alarm goes by, where one does.
        let by = self.list.iter().any(|(alarm, _)| alarm.by.is_some());
        let by = if by { row.watched.iter().map(|one| one.by.clone()).collect() } else { vec![] };
        let line = row.line.to_owned();
        recent.push_back(Recent { number: row.number, at: row.at, u: row.u, line, by });
        if recent.len() > RECENT {
            recent.pop_front();
        }
        let mut raised = Vec::new();
        for place in 0..self.list.len() {
            let watched = row.watched.get(place).cloned().unwrap_or_default();
            if self.list[place].0.watch.is_some() {
                raised.extend(self.follow(place, row, &watched));
            } else if self.list[place].0.compare.is_some() {
                self.count(place, row, watched);
            } else {
                raised.extend(self.canary(place, row, &watched));
            }
        }
        raised.extend(self.close_windows(row.stream, newest));
        raised
    }

    fn follow(&mut self, place: usize, row: &Row<'_>, watched: &Watched) -> Option<Raised> {
        let (alarm, version) = &self.list[place];
        let value = watched.number?;
        let by = alarm.by.as_ref().map(|_| watched.by.as_deref().unwrap_or(""));
        let prefix = key(&[version, row.stream, ""]);
        let mut name = key(&[version, row.stream, by.unwrap_or("")]);
        let mut said = by.map(str::to_owned);
        if by.is_some() && !self.state.followed.contains_key(&name) {
            let range = self.state.followed.range(prefix.clone()..);
            let known = range.take_while(|(name, _)| name.starts_with(&prefix)).count();
            if known >= BY_MAX {
                name = key(&[version, row.stream, OTHERS]);
                said = Some(OTHERS.to_owned());
            }
        }
        let detector = alarm.detector.as_deref().and_then(DetectorName::from_name);
        let settings =
            Settings { delta: alarm.delta, threshold: alarm.threshold, ..Settings::default() };
        let fresh = || Followed {
            detector: Detector::new(detector.unwrap_or(DetectorName::Adwin), settings),
            since: row.at,
            before: None,
        };
        let followed = self.state.followed.entry(name).or_insert_with(fresh);
        let (_, mean) = followed.detector.window();
        if !followed.detector.take(value) {
            followed.before = Some(mean);
            return None;
        }
        let (kept, mean) = followed.detector.window();
        let (mut before, from) = (followed.before, followed.since);
        let (mut width, mut now) = (kept, mean);
        if let Some(change) = followed.detector.change() {
            (before, now, width) = (Some(change.before), change.now, change.rows);
        }
        (followed.since, followed.before) = (row.at, None);
        let recent = self.recent.get(row.stream);
        let alike = |one: &&Recent| {
            alarm.by.is_none() || one.by.get(place).is_some_and(|by| *by == watched.by)
        };
        let window = recent.into_iter().flatten().rev().filter(alike).take(width as usize);
        let from = window.clone().last().map_or(from, |one| one.at);
        let mut drawn: Vec<(u64, u64, String)> =
            window.map(|one| (one.u, one.number, one.line.clone())).collect();
        drawn.sort_unstable();
        drawn.truncate(alarm.cases.unwrap_or(CASES) as usize);
        Some(Raised {
            alarm: alarm.name.clone(),
            version: version.clone(),
            stream: row.stream.to_owned(),
            by: said,
            from,
            to: row.at,
            rows: width,
            statistic: before.map_or(0.0, |before| now - before),
            effect: before.map(|before| (now - before).abs()),
            p: None,
            before,
            now: Some(now),
            drawn: drawn.into_iter().map(|(_, number, line)| (number, line)).collect(),
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
            drawn: vec![(row.number, row.line.to_owned())],
        })
    }

    fn count(&mut self, place: usize, row: &Row<'_>, watched: Watched) {
        let (alarm, version) = &self.list[place];
        let start = row.at.0.div_euclid(alarm.window_ms()) * alarm.window_ms();
        let name = key(&[version, row.stream, &start.to_string()]);
        let window = self.state.windows.entry(name).or_default();
        window.rows += 1;
        let u = row.u;
        if let Some(number) = watched.number {
            window.numbers.insert((u, number.to_bits()));
            if window.numbers.len() > NUMBERS_MAX {
                window.numbers.pop_last();
            }
        }
        if let Some(text) = watched.text {
            *window.counts.entry(text.into_string()).or_default() += 1;
        }
        let cases = alarm.cases.unwrap_or(CASES) as usize;
        if window.drawn.len() < cases || window.drawn.last().is_some_and(|last| u < last.0) {
            window.drawn.insert((u, row.number, row.line.to_owned()));
            if window.drawn.len() > cases {
                window.drawn.pop_last();
            }
        }
    }

    /// Looks at the windows of a stream that no row comes to any more. Several alarms of one window
    /// are set right for being several.
    fn close_windows(&mut self, stream: &str, newest: Moment) -> Vec<Raised> {
        let mut due: BTreeMap<(i64, i64), Vec<(usize, Window)>> = BTreeMap::new();
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
                    start.saturating_add(length).saturating_add(LATE_MS) <= newest.0
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
                .map(|(place, window)| self.shift(&self.list[*place].0, window))
                .collect();
            let p: Vec<f64> = told.iter().flatten().map(|shift| shift.p).collect();
            let mut adjusted = holm(&p).into_iter();
            for ((place, window), shift) in windows.into_iter().zip(told) {
                let Some(shift) = shift else { continue };
                let p = adjusted.next().unwrap_or(1.0);
                let (alarm, version) = &self.list[place];
                let least = alarm.least.unwrap_or(LEAST);
                let large = shift.effect >= alarm.effect.unwrap_or(EFFECT) || shift.unstable;
                if !large || p > alarm.alpha.unwrap_or(ALPHA) || shift.rows < least {
                    continue;
                }
                raised.push(Raised {
                    alarm: alarm.name.clone(),
                    version: version.clone(),
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
                    drawn: window.drawn.into_iter().map(|(_, n, line)| (n, line)).collect(),
                });
            }
        }
        raised
    }

    fn shift(&self, alarm: &Alarm, window: &Window) -> Option<Shift> {
        let reference = self.reference.as_ref()?;
        let field = short(alarm.compare.as_deref()?);
        if let Some(sample) = reference.numbers.get(field) {
            let now: Vec<f64> =
                window.numbers.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
            let found = numbers(sample, &now)?;
            return Some(Shift {
                statistic: found.ks,
                effect: found.ks,
                unstable: found.deciles_psi >= found.deciles_psi_limit_5pct.max(STABLE),
                p: found.ks_p_limit,
                rows: (now.len() as u64).min(sample.len() as u64),
                before: Some(found.mean[0]),
                now: Some(found.mean[1]),
                moved: None,
            });
        }
        let known = reference.values.get(field)?;
        let mut counts = Counts::new();
        known.iter().for_each(|(value, n)| counts.entry(value.clone()).or_default()[0] += n);
        let others = known.contains_key(OTHERS);
        for (value, n) in &window.counts {
            let value = if others && !known.contains_key(value) { OTHERS } else { value };
            counts.entry(value.to_owned()).or_default()[1] += n;
        }
        let found = categories(&counts)?;
        let all = [0, 1].map(|side| counts.values().map(|pair| pair[side]).sum::<u64>());
        let share =
            |pair: &[u64; 2]| (pair[0] as f64 / all[0] as f64, pair[1] as f64 / all[1] as f64);
        // The value that moved most says which way.
        let moved = counts.iter().max_by(|a, b| {
            let apart = |pair| {
                let (before, now) = share(pair);
                (now - before).abs()
            };
            apart(a.1).total_cmp(&apart(b.1))
        });
        let shares = moved.map(|(_, pair)| share(pair));
        Some(Shift {
            statistic: found.chi2_pooled,
            effect: found.effect,
            unstable: false,
            p: found.chi2_pooled_p.unwrap_or(1.0),
            rows: all[0].min(all[1]),
            before: shares.map(|(before, _)| before),
            now: shares.map(|(_, now)| now),
            moved: moved.map(|(value, _)| value.clone()),
        })
    }
}

/// How a window differs from the reference.
struct Shift {
    statistic: f64,
    effect: f64,
    /// The stability index is above what it may be.
    unstable: bool,
    p: f64,
    rows: u64,
    before: Option<f64>,
    now: Option<f64>,
    moved: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(toml: &str) -> Vec<(Alarm, String)> {
        let file = crate::domain::traps::TrapFile::parse(toml).unwrap();
        file.alarms.into_iter().map(|alarm| (alarm.clone(), alarm.version(None))).collect()
    }

    fn feed(alarms: &mut Alarms, rows: impl Iterator<Item = (u64, Watched)>) -> Vec<Raised> {
        rows.flat_map(|(n, watched)| {
            let (at, watched) = (Moment(n as i64 * 60_000), [watched.clone(), watched]);
            let row = Row {
                stream: "s",
                at,
                line: "{}",
                number: n,
                u: n * 7919 % 6007,
                watched: &watched,
            };
            alarms.take(&row)
        })
        .collect()
    }

    #[test]
    fn a_share_that_rises_is_raised_once_with_rows_of_its_window_also_across_runs() {
        let toml = "[[alarm]]\nname = \"a\"\nwatch = \"disagrees\"\ncases = 3\n";
        let value = |n: u64| {
            let bit = (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) % 100;
            let number = Some(f64::from(u8::from(bit < if n < 2_000 { 10 } else { 60 })));
            (n, Watched { number, ..Watched::default() })
        };
        let mut whole = Alarms::new(alarm(toml), None, State::default());
        let raised = feed(&mut whole, (0..3_000).map(value));
        assert_eq!(raised.len(), 1, "{raised:?}");
        // What it was before and what it is are told, not what the detector still holds of both, and
        // cases are drawn from what came since.
        let (before, now) = (raised[0].before.unwrap(), raised[0].now.unwrap());
        assert!((before - 0.1).abs() < 0.03 && (now - 0.6).abs() < 0.2, "{raised:?}");
        assert!(raised[0].from >= Moment(1_960 * 60_000), "{raised:?}");
        assert!(raised[0].drawn.iter().all(|(number, _)| *number >= 1_960), "{raised:?}");
        assert_eq!(raised[0].drawn.len(), 3);
        let mut found = Vec::new();
        let mut state = State::default();
        // Each piece begins with rows that were taken before.
        for from in (0..3_000_u64).step_by(500) {
            let mut alarms = Alarms::new(alarm(toml), None, state);
            found.extend(feed(&mut alarms, (from.saturating_sub(100)..from + 500).map(value)));
            let text = serde_json::to_string(alarms.state()).unwrap();
            state = serde_json::from_str(&text).unwrap();
        }
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
        assert!(first.drawn.iter().all(|(number, _)| number % 2 == 1 && *number >= 1_990));
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
