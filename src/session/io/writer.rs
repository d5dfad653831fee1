//! The writer: the only thread of a session that writes. Drafts wait a moment, so that typing is
//! written now and then; what was submitted is written at once.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::ids::CaseId;
use crate::domain::label::Label;
use crate::review::Draft;
use crate::session::report::Report;
use crate::session::write::{Write, Writing};
use crate::workspace::{WorkError, Workspace};

/// How long typed characters may wait to be written down. The promise is a second.
const KEEP_AFTER: Duration = Duration::from_millis(250);

/// What the writer is asked to do.
pub(super) enum Work {
    /// Something that a person did.
    Write(Box<dyn Write>),
    KeepDraft {
        case: CaseId,
        draft: Box<Draft>,
    },
    KeepPlace(String),
    /// The round in which drafts and labels are from now on.
    Round(Option<String>),
    /// Look whether a break is to be suggested.
    Guard,
}

pub(super) struct Writer {
    at: Writing,
    place: Option<String>,
    /// When what waits must be written.
    due: Option<Instant>,
}

impl Writer {
    pub fn new(workspace: Workspace, validators: Option<Sender<Label>>) -> Self {
        let at = Writing { workspace, drafts: HashMap::new(), validators };
        Self { at, place: None, due: None }
    }

    /// Works until nobody sends any more; returns why what was begun could not be kept, if so.
    pub fn run(mut self, work: &Receiver<Work>, report: &dyn Fn(Report)) -> Option<WorkError> {
        loop {
            let next = match self.due {
                None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => work.recv_timeout(due.saturating_duration_since(clock::instant())),
            };
            let result = match next {
                Ok(work) => self.work(work),
                Err(RecvTimeoutError::Timeout) => self.flush().map(|()| None),
                Err(RecvTimeoutError::Disconnected) => {
                    let error = self.flush().err()?;
                    return Some(error.unless_full(&self.at.workspace.paths.workspace));
                }
            };
            match result {
                Ok(Some(done)) => report(done),
                Ok(None) => {}
                Err(error) => {
                    report(Report::Failed(
                        error.unless_full(&self.at.workspace.paths.workspace).told(),
                    ));
                }
            }
            if !self.at.drafts.is_empty() || self.place.is_some() {
                self.due.get_or_insert_with(|| clock::instant() + KEEP_AFTER);
            }
        }
    }

    /// Writes what waits; what could not be written is tried again.
    fn flush(&mut self) -> Result<(), WorkError> {
        self.due = None;
        let cases: Vec<CaseId> = self.at.drafts.keys().copied().collect();
        for case in cases {
            if let Some(draft) = self.at.drafts.get(&case) {
                self.at.workspace.keep_draft(case, draft)?;
            }
            self.at.drafts.remove(&case);
        }
        if let Some(place) = &self.place {
            self.at.workspace.keep_place(place)?;
            self.place = None;
        }
        Ok(())
    }

    fn work(&mut self, work: Work) -> Result<Option<Report>, WorkError> {
        match work {
            Work::Write(what) => return what.run(&mut self.at).map(Some),
            Work::Guard => {
                return Ok(self
                    .at
                    .workspace
                    .raise_guard()?
                    .map(|suggestion| Report::Suggested(suggestion.words)));
            }
            Work::KeepDraft { case, draft } => drop(self.at.drafts.insert(case, *draft)),
            Work::KeepPlace(place) => self.place = Some(place),
            Work::Round(round) => {
                // What was begun before belongs to the other round.
                self.flush()?;
                self.at.workspace.in_round = round;
            }
        }
        Ok(None)
    }
}
