//! What a run did: counts, and what was not taken in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Rejected;
use super::redact::{EXAMPLES_MAX, Hits};
use crate::domain::text::visible;
use crate::journal::kind::AlarmRaised;
use crate::plugin::Counts;

/// Rejected lines that are listed; all are counted.
pub const REJECTS_LISTED_MAX: usize = 10_000;

/// What a run did. `read` is the sum of `opened`, `duplicate`, `passed` and `rejected`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub read: u64,
    pub opened: u64,
    pub duplicate: u64,
    pub passed: u64,
    pub rejected: u64,
    pub rejects: Vec<RejectLine>,
    /// Whether every prediction becomes a case: nobody said which.
    #[serde(skip)]
    pub takes_all: bool,
    /// How many cases each rule flagged, of those opened.
    pub flagged: BTreeMap<String, u64>,
    /// What each trap saw, flagged and kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub traps: BTreeMap<String, TrapCount>,
    /// Lines on which a trap's rule could not be answered: it does not flag those.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unanswered: BTreeMap<String, Unanswered>,
    /// Fields that traps ask for and that none of the first lines has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen_fields: Vec<UnseenField>,
    /// Times that a trap could not hold a prediction against the reference, which is of another
    /// stream.
    #[serde(skip_serializing_if = "is_zero")]
    pub of_other_stream: u64,
    /// What became of rows that plug-ins were to be asked about.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, Counts>,
    /// Predictions that alarms passed over: of before what was looked at, late or read again; and from
    /// beyond the clock.
    #[serde(skip_serializing_if = "is_zero")]
    pub late: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub ahead: u64,
    /// Windows of alarms that differ from the reference, of which it could not be told whether by
    /// chance: each category has too few rows in them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub untold: BTreeMap<String, u64>,
    /// Cases about which nobody is asked any more, or not even at first: smaller draws came.
    #[serde(skip_serializing_if = "is_zero")]
    pub gave_way: u64,
    /// Alarms that were raised.
    #[serde(skip_serializing_if = "is_zero")]
    pub alarms: u64,
    /// Cases that were opened of their windows, whenever the lines of these were read.
    #[serde(skip_serializing_if = "is_zero")]
    pub of_windows: u64,
    #[serde(skip)]
    pub raised: Vec<AlarmRaised>,
    /// What a dry run would open.
    #[serde(skip)]
    pub would_open: Vec<WouldOpen>,
    /// How often each kind of thing was replaced by a pseudonym.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u64>,
    /// In how many lines of cases each kind was found; with examples in a dry run only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<String, Hits>,
    /// Lines of cases that were looked through for it.
    #[serde(skip)]
    pub redacted_of: u64,
    /// What became of the log files, if any were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<LogSummary>,
    /// Records that were no case by themselves, by what they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub no_case: BTreeMap<&'static str, u64>,
    /// What is wrong with files as a whole; what was sound of them was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<String>,
    /// What each input was read as.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<FormatSeen>,
    #[serde(skip)]
    pub stopped: bool,
}

/// A case that would be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldOpen {
    /// The id that its stream gave it.
    pub id: String,
    pub key: u64,
    /// The traps that take it.
    pub kept_by: Vec<String>,
}

/// What an input was read as, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormatSeen {
    pub file: String,
    pub format: String,
    /// Whether the shape of its records is known.
    #[serde(skip)]
    pub known: bool,
    pub reasons: Vec<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What became of log files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogSummary {
    /// Lines of the files.
    pub lines: u64,
    /// Lines that were joined to cases that were opened, and how many of these have any.
    pub joined: u64,
    pub cases: u64,
    /// Files of which nothing was understood, each with what it seems to be.
    pub not_understood: Vec<String>,
    /// Files whose times say no zone and were read as UTC.
    pub zoneless: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RejectLine {
    pub line: u64,
    pub reason: String,
}

impl Summary {
    pub(super) fn count_trap(&mut self, trap: &str, of: &TrapCount) {
        let count = self.traps.entry(trap.to_owned()).or_default();
        count.version.clone_from(&of.version);
        count.seen += of.seen;
        count.flagged += of.flagged;
        count.kept += of.kept;
    }

    /// Adds another run's counts; with several files, rejects say which they come from.
    pub fn add(&mut self, other: Self, file: Option<&str>) {
        for (plugin, count) in other.plugins {
            self.plugins.entry(plugin).or_default().add(count);
        }
        self.read += other.read;
        self.opened += other.opened;
        self.duplicate += other.duplicate;
        self.of_windows += other.of_windows;
        self.passed += other.passed;
        self.rejected += other.rejected;
        self.stopped |= other.stopped;
        if let Some(logs) = other.logs {
            let known = self.logs.get_or_insert_default();
            // The same files are read for each input.
            (known.lines, known.not_understood) = (logs.lines, logs.not_understood);
            known.zoneless = logs.zoneless;
            known.joined += logs.joined;
            known.cases += logs.cases;
        }
        for (kind, n) in other.redacted {
            *self.redacted.entry(kind).or_default() += n;
        }
        for (rule, n) in other.flagged {
            *self.flagged.entry(rule).or_default() += n;
        }
        for (trap, count) in &other.traps {
            self.count_trap(trap, count);
        }
        for (trap, unanswered) in other.unanswered {
            self.unanswered.entry(trap).or_default().add(unanswered);
        }
        for unseen in other.unseen_fields {
            let same =
                |known: &UnseenField| (&known.trap, &known.field) == (&unseen.trap, &unseen.field);
            if !self.unseen_fields.iter().any(same) {
                self.unseen_fields.push(unseen);
            }
        }
        for (what, n) in other.no_case {
            *self.no_case.entry(what).or_default() += n;
        }
        self.flaws.extend(other.flaws);
        self.formats.extend(other.formats);
        self.would_open.extend(other.would_open);
        self.of_other_stream += other.of_other_stream;
        self.late += other.late;
        for (alarm, n) in other.untold {
            *self.untold.entry(alarm).or_default() += n;
        }
        self.gave_way += other.gave_way;
        self.ahead += other.ahead;
        self.alarms += other.alarms;
        self.raised.extend(other.raised);
        for (kind, hits) in other.redactions {
            let known = self.redactions.entry(kind).or_default();
            known.lines += hits.lines;
            known.examples.extend(hits.examples);
            known.examples.truncate(EXAMPLES_MAX);
        }
        self.redacted_of += other.redacted_of;
        let named = |reject: RejectLine| match file {
            Some(file) => {
                RejectLine { reason: format!("{}: {}", visible(file), reject.reason), ..reject }
            }
            None => reject,
        };
        self.rejects.extend(other.rejects.into_iter().map(named));
    }

    pub(super) fn reject(&mut self, rejected: Vec<Rejected>) {
        self.rejected += rejected.len() as u64;
        for Rejected { line, reject } in rejected {
            if self.rejects.len() < REJECTS_LISTED_MAX {
                self.rejects
                    .push(RejectLine { line, reason: visible(&reject.to_string()).into_owned() });
            }
        }
    }
}

/// On what lines a rule could not be answered, and why not on the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unanswered {
    pub lines: u64,
    pub line: u64,
    pub reason: String,
}

impl Unanswered {
    pub(super) fn add(&mut self, other: Self) {
        if self.lines == 0 || other.line < self.line {
            (self.line, self.reason) = (other.line, visible(&other.reason).into_owned());
        }
        self.lines += other.lines;
    }
}

/// A field that a trap asks for and that none of the first lines of an input has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnseenField {
    pub trap: String,
    pub field: String,
    /// The field that was likely meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// How many lines were looked at.
    pub of: usize,
}

/// What a trap did in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrapCount {
    /// What names the exact rule.
    pub version: String,
    pub seen: u64,
    pub flagged: u64,
    /// Those of them that it took and that became cases in this run: of one that takes some of a day,
    /// not what another opened.
    pub kept: u64,
}
