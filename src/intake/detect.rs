//! Detectors, which are programs of one's own, asked about what the rules before them flagged. What
//! they can't say holds nothing up.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use super::IntakeError;
use super::redact::Redact;
use super::scan::{Scanned, Seen};
use crate::domain::plugin::{Hello, PluginFlag, PluginKind, Raised, raised};
use crate::domain::time::Moment;
use crate::plugin::host::{Asked, body_of};
use crate::plugin::{Answer, Counts, Host};
use crate::trap::Traps;

/// The detectors that traps ask, in the order in which [`crate::trap::Traps`] has them.
#[derive(Default)]
pub struct Detectors<'h> {
    list: Vec<Mutex<Detector<'h>>>,
    /// Only of what occurred since then is anything asked.
    since: Option<Moment>,
}

struct Detector<'h> {
    name: String,
    /// None: why it can't be asked stands in the counts.
    host: Option<&'h mut Host>,
    count: Counts,
}

impl<'h> Detectors<'h> {
    /// By name, each or why it can't be asked.
    pub fn new(list: Vec<(String, Result<&'h mut Host, String>)>, since: Option<Moment>) -> Self {
        let one = |(name, host): (String, Result<&'h mut Host, String>)| {
            let mut count = Counts::default();
            let host = host.map_err(|why| count.trouble(why)).ok();
            Mutex::new(Detector { name, host, count })
        };
        Self { list: list.into_iter().map(one).collect(), since }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What came of asking, by name.
    pub(super) fn counts(&self) -> BTreeMap<String, Counts> {
        let of = |one: &Mutex<Detector<'_>>| {
            let one = one.lock().unwrap_or_else(PoisonError::into_inner);
            (one.name.clone(), one.count.clone())
        };
        let counts = self.list.iter().map(of);
        counts.filter(|(_, count)| *count != Counts::default()).collect()
    }
}

/// Prepares what is to be asked of lines, without what is to be redacted.
pub(super) fn question(seen: &mut [Seen], traps: &Traps, redact: Option<&Redact>) {
    for seen in seen.iter_mut().filter(|seen| seen.found.iter().any(|flag| flag.asks)) {
        let raw = seen.raw().trim();
        let line = redact.map_or(raw.into(), |redact| redact.line(raw));
        seen.questions = traps.questions(&line, &seen.found);
    }
}

/// Asks detectors about all that needs it, chunk after chunk.
pub(super) fn ask_all(
    looked: &Receiver<(u64, Scanned)>,
    out: &SyncSender<(u64, Scanned)>,
    (detectors, traps): (&Detectors<'_>, &Traps),
    stop: &AtomicBool,
) -> Result<(), IntakeError> {
    while let Ok((number, mut part)) = looked.recv() {
        ask(&mut part.seen, detectors, traps, stop);
        if out.send((number, part)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn ask(seen: &mut [Seen], detectors: &Detectors<'_>, traps: &Traps, stop: &AtomicBool) {
    let mut raised_of: Vec<HashMap<&str, Vec<PluginFlag>>> = vec![HashMap::new(); seen.len()];
    let since = detectors.since;
    let mut of: Vec<(Vec<usize>, Vec<Asked>)> =
        detectors.list.iter().map(|_| Default::default()).collect();
    for (at, seen) in seen.iter_mut().enumerate() {
        let questions = std::mem::take(&mut seen.questions);
        if since.is_some_and(|since| seen.at < since) {
            continue;
        }
        for (place, row) in questions {
            let name = seen.id().to_owned();
            of[place].0.push(at);
            of[place].1.push(Asked { name, body: body_of(PluginKind::Detector, row) });
        }
    }
    let names: Vec<String> = detectors
        .list
        .iter()
        .map(|one| one.lock().unwrap_or_else(PoisonError::into_inner).name.clone())
        .collect();
    for (place, (rows, asked)) in
        of.into_iter().enumerate().filter(|(_, (rows, _))| !rows.is_empty())
    {
        let mut detector = detectors.list[place].lock().unwrap_or_else(PoisonError::into_inner);
        let Detector { host, count, .. } = &mut *detector;
        let Some(host) = host else {
            count.asked += rows.len() as u64;
            count.skipped += rows.len() as u64;
            continue;
        };
        let answers = host.ask(&asked, stop);
        count.add(host.take_counts());
        let hello = host.hello().cloned();
        for (row, answer) in rows.into_iter().zip(answers) {
            let Answer::Said(answer) = answer else { continue };
            match raised(&answer) {
                Ok(flags) => {
                    let flags = flags.into_iter().map(|flag| kept(&names[place], &hello, flag));
                    raised_of[row].insert(&names[place], flags.collect());
                }
                Err(why) => count.not_understood(why),
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
