//! A person's work told in lines: a line begins with what it is, then comes the thing; times and
//! numbers last.

use std::collections::BTreeMap;
use std::io;

use crate::config::Linear;
use crate::config::linear::Hints;
use crate::domain::cues::Cue;
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, value_text};
use crate::domain::text::{counted, visible};
use crate::review::arbitration::PastRuling;
use crate::review::{CaseRow, Draft, LabelContext, OpenCase};
use crate::session::{Effect, Opened, Session};
use crate::workspace::WorkError;

/// What ends linear mode before its end.
#[derive(Debug, thiserror::Error)]
pub enum LinearError {
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("standard input or output: {0}")]
    Io(#[from] io::Error),
}

/// What is to be told when everything that was asked for has happened.
#[derive(Default)]
pub struct Tell {
    /// The open case, with the question that is asked.
    pub case: bool,
    /// The question that is asked, or what the answers come to.
    pub question: bool,
    /// The cases of the queue, under this name.
    pub list: Option<&'static str>,
    /// The pages of the board, once they came.
    pub board: bool,
}

/// A line that is told: what it is, unless it goes on with what came before, and the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub what: Option<String>,
    pub words: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            Some(what) if self.words.is_empty() => write!(f, "{what}:"),
            Some(what) => write!(f, "{what}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// A person at work, line by line.
pub struct Desk {
    pub session: Session,
    /// How its person wants it.
    pub options: Linear,
    /// Whether a label was submitted in this turn after which nothing is to be opened.
    pub pauses: bool,
    /// Lines that are to be told.
    lines: Vec<Line>,
    pub tell: Tell,
    /// Cases by the numbers under which they were told last.
    pub listed: Vec<CaseRow>,
    /// Answers by the numbers under which they were told last.
    pub choices: Vec<String>,
    /// Rulings by the numbers under which they were told last.
    pub overruled: Vec<PastRuling>,
    /// Calibration sessions by the numbers under which they were told last.
    pub calibrations: Vec<String>,
    /// The case whose labels were told last, to rule on it.
    pub disputed: Option<CaseId>,
    /// The label that is on its way to the disk, in words.
    pub submitting: Option<String>,
    /// Reasons that are being written over several lines.
    pub reasons: Option<String>,
    /// What is left to be told of something long.
    pub rest: Vec<String>,
    /// How often each hint was told.
    hinted: BTreeMap<String, u8>,
}

/// Words without anything that moves a cursor, blanks by ones.
pub fn plain(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A sentence with its end.
pub fn sentence(words: &str) -> String {
    let words = words.trim_end();
    let end =
        if words.ends_with(['.', '!', '?', '…', ':']) || words.is_empty() { "" } else { "." };
    format!("{words}{end}")
}

/// What a label comes to, for the ear.
pub fn outcome_in_words(outcome: &Outcome) -> String {
    outcome
        .iter()
        .map(|(field, value)| format!("{field} {}", value_text(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The text of that name; without one, the first.
pub fn text_called<'t>(
    name: &str,
    texts: &'t [(String, String)],
) -> Result<(&'t str, &'t str), String> {
    let found = texts.iter().find(|(known, _)| name.is_empty() || known == name);
    match found {
        Some((name, text)) => Ok((name, text)),
        None => {
            let names: Vec<&str> = texts.iter().map(|(name, _)| name.as_str()).collect();
            Err(format!("the case has no text {name}. It has {}.", names.join(", ")))
        }
    }
}

impl Desk {
    /// A desk on which nothing was told yet.
    pub fn new(session: Session, options: Linear) -> Self {
        Self {
            session,
            options,
            pauses: false,
            lines: Vec::new(),
            tell: Tell::default(),
            listed: Vec::new(),
            choices: Vec::new(),
            overruled: Vec::new(),
            calibrations: Vec::new(),
            disputed: None,
            submitting: None,
            reasons: None,
            rest: Vec::new(),
            hinted: BTreeMap::new(),
        }
    }

    /// Says one thing.
    pub fn say(&mut self, what: &str, words: &str) {
        self.lines.push(Line { what: Some(plain(what)), words: plain(words) });
    }

    /// Goes on with what was said last.
    pub fn line(&mut self, words: &str) {
        self.lines.push(Line { what: None, words: plain(words) });
    }

    /// Says what can be typed, to whoever does not know it yet.
    pub fn hint(&mut self, words: &str) {
        let told = self.hinted.entry(words.to_owned()).or_default();
        *told = told.saturating_add(1);
        let told = *told;
        if match self.options.hints {
            Hints::Always => true,
            Hints::Times(times) => told <= times,
        } {
            self.line(words);
        }
    }

    /// Lines that are told of something long before `more` is asked for, and cases of a list.
    pub fn page(&self) -> usize {
        usize::from(self.options.page)
    }

    /// Says something that may be long: the first lines, and how the others are asked for.
    pub fn long(&mut self, what: &str, lines: Vec<String>) {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else { return self.say(what, "nothing.") };
        self.say(what, &first);
        self.go_on(lines.collect(), self.page() - 1);
    }

    /// Tells the next lines, and keeps the others.
    pub fn go_on(&mut self, mut lines: Vec<String>, at_once: usize) {
        // A single one is told rather than announced.
        let at_once =
            if lines.len() == at_once + 1 { lines.len() } else { at_once.min(lines.len()) };
        let rest = lines.split_off(at_once);
        lines.iter().for_each(|line| self.line(line));
        if !rest.is_empty() {
            let page = self.page();
            let left = counted(rest.len(), "line");
            self.say("More", &format!("{left}: more tells the next {page}, all tells all."));
        }
        self.rest = rest;
    }

    /// The lines that were said since they were taken last.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// The open case without what is hidden for now.
    pub fn shown(&self) -> Option<OpenCase> {
        let opened = self.session.opened.as_ref()?;
        let mut case = opened.case.clone();
        case.hide_for_now(&opened.hide, !opened.draft.answers.is_empty());
        Some(case)
    }

    /// The texts of the open case, by name.
    pub fn texts(&self) -> Vec<(String, String)> {
        self.session.opened.as_ref().map(Opened::texts).unwrap_or_default()
    }

    /// Changes the draft, and asks on.
    pub fn change_draft(&mut self, change: impl FnOnce(&mut Draft)) -> Vec<Effect> {
        self.tell.question = true;
        self.session.change_draft(change)
    }

    /// Whether a label was begun here that is not submitted.
    pub fn has_begun(&self) -> bool {
        let begun = |opened: &Opened| opened.draft != opened.untouched && !opened.draft.is_empty();
        self.session.opened.as_ref().is_some_and(begun)
    }

    /// Whether the draft is the label that was submitted: there is nothing to submit then.
    pub fn is_submitted(&self) -> bool {
        let Some(opened) = &self.session.opened else { return false };
        let submitted = || Draft::begin(None, &opened.case, &self.session.protocols);
        opened.case.mine.is_some() && opened.draft == submitted()
    }

    /// Submits the label, or says what is still wanted.
    pub fn submit(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else {
            self.tell.case = true;
            return self.session.open_by(0);
        };
        if opened.question().is_some() || opened.published.is_none() {
            self.tell.question = true;
            return Vec::new();
        }
        if self.session.training.is_none() && self.is_submitted() {
            self.line("That is the label you submitted. next goes on; back changes it.");
            return Vec::new();
        }
        if let Some(missing) = self.session.missing() {
            self.tell_missing(&missing);
            return Vec::new();
        }
        let outcome = opened.published.as_ref().and_then(|published| {
            let asked = LabelContext::of(
                &opened.case,
                published,
                &self.session.protocols.policy,
                &self.session.me,
            );
            opened.draft.label(&asked).ok().map(|label| outcome_in_words(&label.outcome))
        });
        self.submitting = outcome;
        self.session.submit()
    }

    /// Notes that a part of the case was told.
    pub fn note_told(&mut self, cues: &[Cue]) {
        if let Some(opened) = &mut self.session.opened {
            opened.note_seen(cues);
        }
    }
}
