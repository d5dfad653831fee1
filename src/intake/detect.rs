//! Detectors, which are programs of one's own, asked about what the rules before them flagged. What
//! they can't say holds nothing up.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::IntakeError;
use super::redact::Redact;
use super::scan::{Scanned, Seen};
use crate::domain::plugin::{self, Hello, PluginFlag, Raised};
use crate::domain::time::Moment;
use crate::plugin::host::{Asked, Stop};
use crate::plugin::{Answer, Counts, Host};
use crate::trap::Traps;

/// Chunks that are asked about together.
const PARTS: usize = 8;

/// The detectors that traps ask, in the order in which [`crate::trap::Traps`] has them.
#[derive(Default)]
pub struct Detectors<'h> {
    names: Vec<String>,
    list: Vec<Mutex<Detector<'h>>>,
    /// Only of what occurred since then is anything asked.
    since: Option<Moment>,
}

struct Detector<'h> {
    /// None: why it can't be asked stands in the counts.
    host: Option<&'h mut Host>,
    count: Counts,
}

impl<'h> Detectors<'h> {
    /// By name, each or why it can't be asked.
    pub fn new(list: Vec<(String, Result<&'h mut Host, String>)>, since: Option<Moment>) -> Self {
        let (names, hosts): (Vec<String>, Vec<_>) = list.into_iter().unzip();
        let one = |host: Result<&'h mut Host, String>| {
            let mut count = Counts::default();
            let host = host.map_err(|why| count.trouble(why)).ok();
            Mutex::new(Detector { host, count })
        };
        Self { names, list: hosts.into_iter().map(one).collect(), since }
    }

    fn of(&self, place: usize) -> MutexGuard<'_, Detector<'h>> {
        self.list[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether some rows are not to be asked about.
    pub(super) fn asks_in_part(&self) -> bool {
        self.since.is_some()
    }

    /// Rows about which they could not tell anything, or were not asked.
    pub(super) fn missed(&self) -> u64 {
        let missed = |place| {
            let count = &self.of(place).count;
            count.could_not_tell + count.skipped
        };
        (0..self.list.len()).map(missed).sum()
    }

    /// What came of asking, by name.
    pub(super) fn counts(&self) -> BTreeMap<String, Counts> {
        let counts = self.names.iter().enumerate();
        let counts = counts.map(|(place, name)| (name.clone(), self.of(place).count.clone()));
        counts.filter(|(_, count)| *count != Counts::default()).collect()
    }
}

/// Prepares what is to be asked of lines, without what is to be redacted.
pub(super) fn question(seen: &mut [Seen], traps: &Traps, redact: Option<&Redact>) {
    for seen in seen.iter_mut().filter(|seen| seen.found.iter().any(|flag| flag.asks)) {
        let raw = seen.raw().trim();
        let line = redact.map_or(raw.into(), |redact| redact.line(raw));
        let id = seen.id().to_owned();
        let questions = traps.questions(&line, &seen.found).into_iter();
        let asked = |(place, row)| (place, Asked::new(id.clone(), &json!({ "row": row })));
        seen.questions = questions.map(asked).collect();
    }
}

/// What a detector said of rows: which, and what.
struct Said {
    place: usize,
    rows: Vec<usize>,
    answers: Vec<Answer>,
    hello: Option<Hello>,
}

/// Chunks, in what order they came, with what was said of their rows, one after another.
pub(super) struct Told {
    parts: Vec<(u64, Scanned)>,
    said: Vec<Said>,
}

/// Asks detectors about all that needs it.
pub(super) fn ask_all(
    looked: &Receiver<(u64, Scanned)>,
    out: &SyncSender<Told>,
    detectors: &Detectors<'_>,
    stop: &Stop<'_>,
) -> Result<(), IntakeError> {
    while let Ok(first) = looked.recv() {
        // What waits is asked together: at the end of each asking a detector has less to do.
        let mut parts = vec![first];
        parts.extend(looked.try_iter().take(PARTS - 1));
        let said = ask(parts.iter_mut().flat_map(|(_, part)| &mut part.seen), detectors, stop);
        if out.send(Told { parts, said }).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn ask<'s>(
    seen: impl Iterator<Item = &'s mut Seen>,
    detectors: &Detectors<'_>,
    stop: &Stop<'_>,
) -> Vec<Said> {
    let mut of: Vec<(Vec<usize>, Vec<Asked>)> =
        detectors.list.iter().map(|_| Default::default()).collect();
    for (at, seen) in seen.enumerate() {
        let questions = std::mem::take(&mut seen.questions);
        if detectors.since.is_some_and(|since| seen.at < since) {
            continue;
        }
        for (place, asked) in questions {
            of[place].0.push(at);
            of[place].1.push(asked);
        }
    }
    let mut said = Vec::new();
    for (place, (rows, asked)) in of.into_iter().enumerate() {
        let mut detector = detectors.of(place);
        let Detector { host, count, .. } = &mut *detector;
        match host {
            _ if rows.is_empty() => {}
            Some(host) => {
                let answers = host.ask(&asked, stop);
                count.add(host.take_counts());
                said.push(Said { place, rows, answers, hello: host.hello().cloned() });
            }
            None => {
                count.asked += rows.len() as u64;
                count.skipped += rows.len() as u64;
            }
        }
    }
    said
}

/// Takes in what detectors said: beside [`ask_all`], so that they are not kept waiting.
pub(super) fn decide_all(
    told: &Receiver<Told>,
    out: &SyncSender<(u64, Scanned)>,
    detectors: &Detectors<'_>,
    traps: &Traps,
) -> Result<(), IntakeError> {
    while let Ok(Told { mut parts, said }) = told.recv() {
        let seen = parts.iter_mut().flat_map(|(_, part)| &mut part.seen);
        decide(seen.collect(), said, detectors, traps);
        for part in parts {
            if out.send(part).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn decide(mut seen: Vec<&mut Seen>, said: Vec<Said>, detectors: &Detectors<'_>, traps: &Traps) {
    let mut raised_of: Vec<HashMap<&str, Vec<PluginFlag>>> = vec![HashMap::new(); seen.len()];
    for Said { place, rows, answers, hello } in said {
        let name = detectors.names[place].as_str();
        for (row, answer) in rows.into_iter().zip(answers) {
            let Answer::Said(plugin::Said::Flags(flags)) = answer else { continue };
            if !flags.is_empty() {
                let flags = flags.into_iter().map(|flag| kept(name, &hello, flag));
                raised_of[row].insert(name, flags.collect());
            }
        }
    }
    for (seen, raised) in seen.iter_mut().zip(&raised_of) {
        if seen.found.iter().any(|flag| flag.asks) {
            seen.said = traps.decide(&mut seen.found, raised);
        }
    }
}

fn kept(plugin: &str, hello: &Option<Hello>, raised: Raised) -> PluginFlag {
    PluginFlag {
        plugin: plugin.to_owned(),
        version: hello.as_ref().map(|hello| hello.version.clone()).unwrap_or_default(),
        flag: raised.flag,
        score: raised.score,
        why: raised.why.unwrap_or_default(),
    }
}
