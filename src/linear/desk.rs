//! What linear mode knows, and how it speaks: a line begins with what it is, then comes the thing; times and numbers last.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crate::domain::cues::{Cue, Hiding};
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, value_text};
use crate::domain::protocol::{Protocol, Question};
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::review::{CaseRow, Draft, OpenCase, Precedent, Protocols, Published};
use crate::workspace::{WorkError, Workspace};

/// Cases that are told of a list.
pub const LISTED_MAX: usize = 20;
/// How often a hint is told: whoever heard it three times knows it.
const HINTS: u8 = 3;
/// Lines that are printed of something long before `more` is asked for.
pub const PAGE: usize = 20;

/// What ends linear mode before its end.
#[derive(Debug, thiserror::Error)]
pub enum LinearError {
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("standard input or output: {0}")]
    Io(#[from] io::Error),
}

/// The case that is open.
pub struct Open {
    pub case: OpenCase,
    pub published: Option<Published>,
    pub draft: Draft,
    /// The draft as it was opened: while they are equal nothing was begun here.
    pub untouched: Draft,
    /// What was submitted, if it was: while the draft is equal there is nothing to submit.
    pub submitted: Option<Draft>,
    pub since: Moment,
    pub hide: Vec<Hiding>,
    /// What was told of it.
    pub seen: BTreeSet<Cue>,
}

impl Open {
    pub fn protocol(&self) -> Option<&Protocol> {
        self.published.as_ref().map(|published| &published.protocol)
    }

    pub fn question(&self) -> Option<&Question> {
        self.draft.question_of(self.published.as_ref())
    }

    pub fn hides(&self, cue: Cue) -> bool {
        self.case.hides(&self.hide, cue, !self.draft.answers.is_empty())
    }

    /// The case without what is hidden for now.
    pub fn shown(&self) -> OpenCase {
        let mut case = self.case.clone();
        case.hide_for_now(&self.hide, !self.draft.answers.is_empty());
        case
    }
}

/// A person at work, line by line.
pub struct Desk<'o> {
    pub workspace: Workspace,
    pub protocols: Protocols,
    pub open: Option<Open>,
    /// Cases by the numbers under which they were told last.
    pub listed: Vec<CaseRow>,
    /// Answers by the numbers under which they were told last.
    pub choices: Vec<String>,
    /// Resolved cases like the open one, by the numbers under which they were told last.
    pub alike: Vec<Precedent>,
    /// What is left to be told of something long.
    pub rest: Vec<String>,
    /// Cases that were passed over with `next`.
    pub passed: BTreeSet<CaseId>,
    /// How often each hint was told.
    hinted: BTreeMap<&'static str, u8>,
    out: &'o mut dyn Write,
}

/// Words without anything that moves a cursor, blanks by ones.
pub fn plain(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A sentence with its end.
pub fn sentence(words: &str) -> String {
    let words = words.trim_end();
    let end = if words.ends_with(['.', '!', '?', '…', ':']) || words.is_empty() { "" } else { "." };
    format!("{words}{end}")
}

/// What a label comes to, for the ear.
pub fn outcome_in_words(outcome: &Outcome) -> String {
    outcome.iter().map(|(field, value)| format!("{field} {}", value_text(value))).collect::<Vec<_>>().join(", ")
}

impl<'o> Desk<'o> {
    pub fn new(workspace: Workspace, out: &'o mut dyn Write) -> Result<Self, LinearError> {
        let protocols = workspace.protocols()?;
        let (listed, choices, alike, rest) = Default::default();
        Ok(Self {
            workspace,
            protocols,
            open: None,
            listed,
            choices,
            alike,
            rest,
            passed: BTreeSet::new(),
            hinted: BTreeMap::new(),
            out,
        })
    }

    /// Says one thing.
    pub fn say(&mut self, what: &str, words: &str) -> io::Result<()> {
        self.line(&format!("{what}: {words}"))
    }

    /// Says what can be typed, to whoever does not know it yet.
    pub fn hint(&mut self, words: &'static str) -> io::Result<()> {
        let told = self.hinted.entry(words).or_default();
        *told = told.saturating_add(1);
        if *told > HINTS { Ok(()) } else { self.line(words) }
    }

    pub fn line(&mut self, words: &str) -> io::Result<()> {
        writeln!(self.out, "{}", plain(words))
    }

    /// Says something that may be long: the first lines, and how the others are asked for.
    pub fn long(&mut self, what: &str, lines: Vec<String>) -> io::Result<()> {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else { return self.say(what, "nothing.") };
        self.say(what, &first)?;
        self.go_on(lines.collect(), PAGE - 1)
    }

    /// Tells the next lines, and keeps the others.
    pub fn go_on(&mut self, mut lines: Vec<String>, at_once: usize) -> io::Result<()> {
        // A single one is told rather than announced.
        let at_once = if lines.len() == at_once + 1 { lines.len() } else { at_once.min(lines.len()) };
        let rest = lines.split_off(at_once);
        for line in lines {
            self.line(&line)?;
        }
        if !rest.is_empty() {
            self.say("More", &format!("{} lines: more tells the next {PAGE}, all tells all.", rest.len()))?;
        }
        self.rest = rest;
        Ok(())
    }

    /// Asks for a line, which a person types behind it.
    pub fn prompt(&mut self, what: &str) -> io::Result<()> {
        write!(self.out, "{what}: ")?;
        self.out.flush()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Changes the draft, which is on disk when this returns.
    pub fn change_draft(&mut self, change: impl FnOnce(&mut Draft)) -> Result<(), LinearError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.draft.keep_seen(&open.seen);
        change(&mut open.draft);
        Ok(self.workspace.keep_draft(open.case.row.id, &open.draft)?)
    }
}
