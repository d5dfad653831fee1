//! Asks a plug-in about rows: a window of them at a time, each within its time. One that crashes is
//! started again a few times and then left alone for a while; one that does not keep to the lines is
//! stopped. Whoever asks always gets as many answers as they asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::place::Place;
use super::process::{Heard, Process, WINDOW};
use crate::clock;
use crate::domain::plugin::{
    Hello, LINE_BYTES_MAX, LINES_VERSION, Plugin, PluginKind, Said, is_name, words,
};

/// How long it may take to say hello.
const HELLO: Duration = Duration::from_secs(10);
/// How long after a failure it is started again, by how many there were; the third leaves it alone.
const RESTARTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// So many failures within [`SPAN`] are enough.
const FAILURES_MAX: usize = 3;
const SPAN: Duration = Duration::from_secs(600);
/// How often it is looked whether to stop, and at its memory.
const LOOK: Duration = Duration::from_millis(200);
/// Rows set aside that are named.
const ASIDE_MAX: usize = 20;
/// Bytes that are kept of what it prints on the side.
const LOG_BYTES: usize = 64 << 10;

/// What a plug-in says of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Said(Said),
    /// It failed on the row, or says that it can't: why.
    CannotTell(String),
    /// What it said of the row can't be used: why.
    NotUnderstood(String),
    /// It was not asked: it is left alone, or the work was stopped.
    Skipped,
}

/// What came of asking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that it was to be asked about.
    pub asked: u64,
    /// It failed on them, said so, or what it said can't be used.
    pub could_not_tell: u64,
    /// They were not asked: it was left alone, is not pinned, or is not there.
    pub skipped: u64,
    /// What went wrong, each once.
    pub trouble: Vec<String>,
    /// Rows at which it failed twice, by what they are called.
    pub aside: Vec<String>,
}

/// Kinds of trouble that are told apart.
const TROUBLE_MAX: usize = 20;

impl Counts {
    /// Something went wrong.
    pub fn trouble(&mut self, words: String) {
        if !self.trouble.contains(&words) && self.trouble.len() < TROUBLE_MAX {
            self.trouble.push(words);
        }
    }

    /// What it said of a row can't be used.
    pub fn not_understood(&mut self, why: String) {
        self.could_not_tell += 1;
        self.trouble(why);
    }

    /// Adds what came of asking more.
    pub fn add(&mut self, more: Self) {
        self.asked += more.asked;
        self.could_not_tell += more.could_not_tell;
        self.skipped += more.skipped;
        more.trouble.into_iter().for_each(|words| self.trouble(words));
        self.aside.extend(more.aside);
        self.aside.truncate(ASIDE_MAX);
    }
}

/// A row to be asked about: what it is called, and what is sent beside its number.
#[derive(Debug, Clone)]
pub struct Asked {
    pub name: String,
    /// Keys and values of an object, without its braces.
    body: String,
}

impl Asked {
    pub fn new(name: String, body: &impl Serialize) -> Self {
        let mut body = serde_json::to_string(body).unwrap_or_default();
        body.pop();
        body.drain(..1.min(body.len()));
        Self { name, body }
    }

    /// The same with another key.
    #[must_use]
    pub fn with(&self, key: &str, value: &Value) -> Self {
        Self { body: format!("{},{}:{value}", self.body, json!(key)), ..self.clone() }
    }

    /// As it is sent.
    pub fn line(&self, number: u64) -> String {
        let between = if self.body.is_empty() { "" } else { "," };
        format!("{{\"n\":{number}{between}{}}}\n", self.body)
    }
}

pub struct Host {
    plugin: Plugin,
    place: Place,
    process: Option<Process>,
    hello: Option<Hello>,
    next: u64,
    failures: VecDeque<Instant>,
    /// Failures without a good answer between them.
    in_a_row: usize,
    /// It is left alone until then.
    alone_until: Option<Instant>,
    /// It does not keep to the lines: it is not started again.
    stopped: bool,
    counts: Counts,
    restarts: [Duration; 2],
    /// What it may read beside its own.
    reads: Vec<PathBuf>,
    /// Where what it prints on the side is kept.
    log: Option<PathBuf>,
    /// When its memory was looked at last.
    looked: Instant,
}

/// Whether whoever asks waits no more.
pub type Stop<'s> = dyn Fn() -> bool + Sync + 's;

/// How asking went wrong.
enum Failure {
    /// It crashed, was too slow or too large: it may do better.
    Failed(String),
    /// It does not keep to the lines.
    Wrong(String),
    /// Whoever asks does not wait.
    Stop,
}

/// Rows on their way.
struct Round<'r> {
    rows: &'r [Asked],
    answers: Vec<Option<Answer>>,
    waiting: VecDeque<usize>,
    /// By number: which row, how many bytes.
    open: BTreeMap<u64, (usize, usize)>,
    open_bytes: usize,
    /// Since when the oldest waits.
    since: Instant,
    /// The row at which it failed, which is asked by itself.
    alone: Option<usize>,
}

impl Host {
    pub fn new(plugin: Plugin, place: Place) -> Self {
        Self {
            plugin,
            place,
            process: None,
            hello: None,
            next: 0,
            failures: VecDeque::new(),
            in_a_row: 0,
            alone_until: None,
            stopped: false,
            counts: Counts::default(),
            restarts: RESTARTS,
            reads: Vec::new(),
            log: None,
            looked: clock::instant(),
        }
    }

    /// The same, started again after other times.
    #[must_use]
    pub fn restarted_after(mut self, restarts: [Duration; 2]) -> Self {
        self.restarts = restarts;
        self
    }

    /// The same, which may read a directory that it is asked about.
    #[must_use]
    pub fn reading(mut self, directory: &Path) -> Self {
        // Sandboxes go by where places really are.
        self.reads.extend(std::fs::canonicalize(directory));
        self
    }

    /// The same, of which the end of what it prints on the side is kept in a file.
    #[must_use]
    pub fn logging_to(mut self, path: PathBuf) -> Self {
        self.log = Some(path);
        self
    }

    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it says of itself, once it was begun.
    pub fn hello(&self) -> Option<&Hello> {
        self.hello.as_ref()
    }

    /// What came of asking since this was asked last.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// The end of what it printed on the side.
    pub fn said(&self) -> String {
        self.process.as_ref().map(Process::said).unwrap_or_default()
    }

    /// Asks about rows; the answers stand in their order.
    pub fn ask(&mut self, rows: &[Asked], stop: &Stop<'_>) -> Vec<Answer> {
        let mut round = Round {
            rows,
            answers: vec![None; rows.len()],
            waiting: (0..rows.len()).collect(),
            open: BTreeMap::new(),
            open_bytes: 0,
            since: clock::instant(),
            alone: None,
        };
        while !round.is_done() && self.may_be_asked() {
            let went = self.begun(stop).and_then(|()| self.go_on(&mut round, stop));
            match went {
                Ok(()) => {}
                Err(Failure::Stop) => {
                    // What it still says is of rows that nobody waits for.
                    self.let_go();
                    break;
                }
                Err(Failure::Wrong(why)) => {
                    self.stopped = true;
                    self.give_up(&mut round, &why);
                }
                Err(Failure::Failed(why)) => self.failed(&mut round, why, stop),
            }
        }
        let answers: Vec<Answer> =
            round.answers.into_iter().map(|answer| answer.unwrap_or(Answer::Skipped)).collect();
        for answer in &answers {
            match answer {
                Answer::Said(_) => {}
                Answer::CannotTell(why) | Answer::NotUnderstood(why) => {
                    self.counts.not_understood(why.clone());
                }
                Answer::Skipped => self.counts.skipped += 1,
            }
        }
        self.counts.asked += answers.len() as u64;
        answers
    }

    /// Lets it end; says how it ended where that is not well.
    ///
    /// # Errors
    /// It did not end by itself, or not well.
    pub fn end(mut self) -> Result<(), String> {
        let Some((went, said)) = self.process.take().map(Process::end) else { return Ok(()) };
        self.keep(&said);
        went
    }

    /// Has it go, and keeps what it printed on the side.
    fn let_go(&mut self) {
        let said = self.said();
        self.process = None;
        self.keep(&said);
    }

    /// Keeps what it printed on the side, after what it printed before.
    fn keep(&self, said: &str) {
        let Some(path) = self.log.as_ref().filter(|_| !said.trim().is_empty()) else { return };
        let before = std::fs::read_to_string(path).unwrap_or_default();
        let text = format!("{before}== {}\n{said}\n", clock::now().rfc3339());
        let over = text.len().saturating_sub(LOG_BYTES);
        // Whole lines.
        let from = text[text.ceil_char_boundary(over)..].find('\n').map_or(0, |at| at + 1);
        let kept = if over == 0 { &*text } else { &text[text.ceil_char_boundary(over) + from..] };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        // That it can't be kept is no reason to stop.
        let _ = options.open(path).and_then(|mut file| file.write_all(kept.as_bytes()));
    }

    fn may_be_asked(&mut self) -> bool {
        if let Some(until) = self.alone_until {
            if clock::instant() < until {
                return false;
            }
            self.alone_until = None;
            self.failures.clear();
            self.in_a_row = 0;
        }
        !self.stopped
    }

    /// Sees to it that it runs and has said hello.
    fn begun(&mut self, stop: &Stop<'_>) -> Result<(), Failure> {
        if self.process.is_some() {
            return Ok(());
        }
        let cannot = |error: std::io::Error| Failure::Failed(format!("it can't be begun: {error}"));
        let told = self.place.told(&self.plugin, &self.reads).map_err(cannot)?;
        let process = Process::start(&told).map_err(cannot)?;
        let hello = json!({ "casework": LINES_VERSION, "kind": self.plugin.kind.as_str(),
            "name": self.plugin.name, "config": self.plugin.config, "wants": self.plugin.wants,
            "window": WINDOW, "seed": "casework" });
        process.send(format!("{hello}\n"));
        let process = self.process.insert(process);
        let since = clock::instant();
        let line = loop {
            if stop() {
                return Err(Failure::Stop);
            }
            match process.hear(LOOK) {
                Heard::Line(line) => break line,
                Heard::Broken(why) => return Err(Failure::Wrong(format!("it said {why}"))),
                Heard::End => return Err(Failure::Failed(how_ended(process))),
                Heard::Nothing if since.elapsed() > HELLO => {
                    let words = format!("it said nothing within {} s", HELLO.as_secs());
                    return Err(Failure::Failed(words));
                }
                Heard::Nothing => {}
            }
        };
        let hello: Hello = serde_json::from_str(&line).map_err(|error| {
            Failure::Wrong(format!("its first line is no hello ({error}): {}", words(&line)))
        })?;
        if hello.casework != LINES_VERSION {
            return Err(Failure::Wrong(format!(
                "it speaks version {} of the lines; this is {LINES_VERSION}",
                hello.casework
            )));
        }
        let version = Some(words(&hello.version)).filter(|version| is_name(version));
        let version = version.unwrap_or_default();
        let said = Hello { plugin: words(&hello.plugin), version, ..hello };
        self.hello = Some(said);
        Ok(())
    }

    /// Sends what may be sent, and takes one answer.
    fn go_on(&mut self, round: &mut Round<'_>, stop: &Stop<'_>) -> Result<(), Failure> {
        let Some(process) = &mut self.process else { return Ok(()) };
        // Many at once cost as much as one.
        if round.open.len() <= WINDOW / 2 {
            let mut lines = String::new();
            while let Some(line) = round.next_line(&mut self.next) {
                lines.push_str(&line);
            }
            if !lines.is_empty() && !process.send(lines) {
                return Err(Failure::Failed(how_ended(process)));
            }
        }
        if round.open.is_empty() {
            return Ok(());
        }
        let most = Duration::from_secs(self.plugin.patience());
        loop {
            if self.looked.elapsed() >= LOOK {
                self.looked = clock::instant();
                let most = self.plugin.memory_bytes();
                if process.memory_bytes() > most {
                    let words = format!("it used more than {} MiB of memory", most >> 20);
                    return Err(Failure::Failed(words));
                }
            }
            if stop() {
                return Err(Failure::Stop);
            }
            let left = most.saturating_sub(round.since.elapsed());
            let heard = if round.open.len() > WINDOW / 4 {
                process.hear_one_of_many(left.min(LOOK))
            } else {
                process.hear(left.min(LOOK))
            };
            match heard {
                Heard::Line(line) => {
                    self.in_a_row = 0;
                    return round.answered(self.plugin.kind, &line).map_err(Failure::Wrong);
                }
                Heard::Broken(why) => return Err(Failure::Wrong(format!("it said {why}"))),
                Heard::End => return Err(Failure::Failed(how_ended(process))),
                Heard::Nothing if left.is_zero() => {
                    let words = format!("a row took it longer than {} s", most.as_secs());
                    return Err(Failure::Failed(words));
                }
                Heard::Nothing => {}
            }
        }
    }

    /// Stops it, and counts what was open as what it can't tell.
    fn give_up(&mut self, round: &mut Round<'_>, why: &str) {
        self.trouble(why);
        self.let_go();
        for (at, _) in std::mem::take(&mut round.open).into_values() {
            round.answers[at] = Some(Answer::CannotTell(why.to_owned()));
        }
    }

    /// After it failed: what was open is asked again, the oldest by itself; and where that fails
    /// too, it is set aside.
    fn failed(&mut self, round: &mut Round<'_>, why: String, stop: &Stop<'_>) {
        self.trouble(&why);
        self.let_go();
        let mut open: Vec<usize> =
            std::mem::take(&mut round.open).into_values().map(|(at, _)| at).collect();
        round.open_bytes = 0;
        open.sort_unstable();
        for at in open.iter().rev() {
            round.waiting.push_front(*at);
        }
        match (round.alone.take(), open.first()) {
            (Some(alone), _) => {
                round.waiting.retain(|at| *at != alone);
                round.answers[alone] = Some(Answer::CannotTell(why));
                if self.counts.aside.len() < ASIDE_MAX {
                    self.counts.aside.push(round.rows[alone].name.clone());
                }
            }
            (None, Some(first)) => round.alone = Some(*first),
            (None, None) => {}
        }
        let now = clock::instant();
        self.failures.retain(|at| now.duration_since(*at) < SPAN);
        self.failures.push_back(now);
        if self.failures.len() >= FAILURES_MAX {
            self.alone_until = Some(now + SPAN);
            self.trouble(&format!(
                "it failed {FAILURES_MAX} times in {} minutes and is left alone",
                SPAN.as_secs() / 60
            ));
            return;
        }
        let wait = self.restarts[self.in_a_row.min(self.restarts.len() - 1)];
        self.in_a_row += 1;
        while clock::instant().duration_since(now) < wait && !stop() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn trouble(&mut self, why: &str) {
        // Behind the colon stands what it said, which may be of an input: no log has that.
        let kind = why.split(':').next().unwrap_or_default();
        tracing::warn!(plugin = self.plugin.name, why = kind, "plug-in");
        let said = self.said();
        let last = said.lines().last().unwrap_or_default();
        let line = if last.is_empty() {
            why.to_owned()
        } else {
            let path = self.log.as_ref().map(|path| format!(" (all: {})", path.display()));
            format!("{why}; the last that it printed: {}{}", words(last), path.unwrap_or_default())
        };
        self.counts.trouble(line);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            // It had its time to end; how it used that is its own affair.
            let (_, said) = process.end();
            self.keep(&said);
        }
    }
}

/// How it ended, when what it printed on the side has come.
fn how_ended(process: &mut Process) -> String {
    process.how_ended()
}

impl Round<'_> {
    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    /// The next row that may be sent.
    fn next_line(&mut self, next: &mut u64) -> Option<String> {
        let window = if self.alone.is_some() { 1 } else { WINDOW };
        if self.open.len() >= window {
            return None;
        }
        loop {
            let at = *self.waiting.front()?;
            let number = *next + 1;
            let line = self.rows[at].line(number);
            if line.len() > LINE_BYTES_MAX {
                self.waiting.pop_front();
                let words = format!("the row is longer than {} MiB", LINE_BYTES_MAX >> 20);
                self.answers[at] = Some(Answer::CannotTell(words));
                continue;
            }
            if !self.open.is_empty() && self.open_bytes + line.len() > LINE_BYTES_MAX {
                return None;
            }
            if self.open.is_empty() {
                self.since = clock::instant();
            }
            self.waiting.pop_front();
            *next = number;
            self.open_bytes += line.len();
            self.open.insert(number, (at, line.len()));
            return Some(line);
        }
    }

    fn take(&mut self, number: u64) -> Option<(usize, usize)> {
        let (at, bytes) = self.open.remove(&number)?;
        self.open_bytes -= bytes;
        Some((at, bytes))
    }

    fn answered(&mut self, kind: PluginKind, line: &str) -> Result<(), String> {
        let answer: Value = serde_json::from_str(line)
            .map_err(|error| format!("a line is no JSON ({error}): {}", words(line)))?;
        let Value::Object(mut answer) = answer else {
            return Err(format!("a line is no object: {}", words(line)));
        };
        let number = answer.shift_remove("n").and_then(|number| number.as_u64());
        let Some(number) = number else {
            return Err(format!("a line has no `n`: {}", words(line)));
        };
        let Some((at, _)) = self.take(number) else {
            return Err(format!("it answers {number}, which is not asked, or answered already"));
        };
        self.since = clock::instant();
        if self.alone == Some(at) {
            self.alone = None;
        }
        self.answers[at] = Some(match answer.get("error").and_then(Value::as_str) {
            Some(error) => Answer::CannotTell(words(error)),
            None => Said::read(kind, &answer).map_or_else(Answer::NotUnderstood, Answer::Said),
        });
        Ok(())
    }
}
