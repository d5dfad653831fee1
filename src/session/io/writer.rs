//! The worker: the only one on the screen that writes. Drafts wait a moment, so that typing is written now and then; what was
//! submitted is written at once.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::calibration::session_of;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::{Label, outcome_words};
use crate::domain::roster::Role;
use crate::review::Draft;
use crate::session::mode::Training;
use crate::session::report::Report;
use crate::workspace::arbitration::{Reasons, Verdict};
use crate::workspace::{Undone, WorkError, Workspace};

/// How long typed characters may wait to be written down. The promise is a second.
const KEEP_AFTER: Duration = Duration::from_millis(250);

/// What the worker is asked to do.
pub(super) enum Work {
    Submit {
        label: Box<Label>,
        knew: Option<EventId>,
    },
    Undo,
    Defer {
        case: CaseId,
        why: String,
    },
    Escalate {
        case: CaseId,
        why: String,
    },
    Comment {
        case: CaseId,
        text: String,
    },
    KeepDraft {
        case: CaseId,
        draft: Box<Draft>,
    },
    KeepPlace(String),
    People,
    Admit {
        name: String,
        replica: ReplicaId,
        roles: Vec<Role>,
    },
    Retire {
        name: String,
        replica: ReplicaId,
        why: String,
    },
    Gold {
        case: CaseId,
        why: String,
    },
    FinishTraining(Box<Training>),
    Rule {
        case: CaseId,
        verdict: Verdict,
        reasons: Reasons,
    },
    Return {
        case: CaseId,
        side: char,
        text: String,
    },
    Appeal {
        case: CaseId,
        why: String,
    },
    /// The round in which drafts and labels are from now on.
    Sit(Option<String>),
    Reveal(String),
    /// Look whether a break is to be suggested.
    Guard,
}

pub(super) struct Writer {
    workspace: Workspace,
    /// Drafts to be written, the latest of each.
    drafts: HashMap<CaseId, Draft>,
    place: Option<String>,
    /// When they must be.
    due: Option<Instant>,
}

impl Writer {
    pub fn new(workspace: Workspace) -> Self {
        Self { workspace, drafts: HashMap::new(), place: None, due: None }
    }

    pub fn run(mut self, work: &Receiver<Work>, report: &dyn Fn(Report)) {
        loop {
            let next = match self.due {
                None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => work.recv_timeout(due.saturating_duration_since(clock::instant())),
            };
            let result = match next {
                Ok(work) => self.work(work),
                Err(RecvTimeoutError::Timeout) => self.flush().map(|()| None),
                Err(RecvTimeoutError::Disconnected) => {
                    // Nobody is left to tell; the drafts are worth one more try.
                    let _ = self.flush();
                    return;
                }
            };
            match result {
                Ok(Some(done)) => report(done),
                Ok(None) => {}
                Err(error) => report(Report::Failed(error.unless_full(&self.workspace.paths.workspace).with_next_step())),
            }
        }
    }

    fn keep(&mut self) {
        self.due.get_or_insert_with(|| clock::instant() + KEEP_AFTER);
    }

    fn flush(&mut self) -> Result<(), WorkError> {
        self.due = None;
        let kept = self.write_drafts();
        if kept.is_err() {
            self.keep(); // what could not be written is tried again
        }
        kept
    }

    fn write_drafts(&mut self) -> Result<(), WorkError> {
        let cases: Vec<CaseId> = self.drafts.keys().copied().collect();
        for case in cases {
            if let Some(draft) = self.drafts.get(&case) {
                self.workspace.keep_draft(case, draft)?;
            }
            self.drafts.remove(&case);
        }
        if let Some(place) = &self.place {
            self.workspace.keep_place(place)?;
            self.place = None;
        }
        Ok(())
    }

    fn work(&mut self, work: Work) -> Result<Option<Report>, WorkError> {
        let report = match work {
            Work::KeepDraft { case, draft } => {
                self.drafts.insert(case, *draft);
                self.keep();
                return Ok(None);
            }
            Work::KeepPlace(place) => {
                self.place = Some(place);
                self.keep();
                return Ok(None);
            }
            Work::Submit { label, knew } => return Ok(Some(self.submit(*label, knew))),
            Work::Guard => return Ok(self.workspace.raise_guard()?.map(|suggestion| Report::Suggested(suggestion.words))),
            Work::Undo => match self.workspace.undo() {
                Ok(Undone::Ruling { case, .. }) => {
                    let words = format!("Took back the ruling on {}.", case.short());
                    Report::Noted { case, words, leaves_queue: false }
                }
                Ok(Undone::Label(given, event)) => {
                    // What was begun anew since is worth more than what was submitted then.
                    let case = given.label.case;
                    let begun = match self.drafts.get(&case) {
                        Some(draft) => Some(draft.clone()),
                        None => self.workspace.draft(case)?,
                    };
                    let draft = Box::new(begun.filter(|draft| !draft.is_empty()).unwrap_or_else(|| Draft::of(&given.label)));
                    Report::Undone { case, draft, seq: event.seq }
                }
                Err(error @ WorkError::NothingToUndo(_)) => Report::Failed(error.with_next_step()),
                Err(error) => return Err(error),
            },
            Work::Defer { case, why } => {
                let until = self.workspace.defer(case, &why)?;
                Report::Noted { case, words: format!("Put off until {}.", until.minute()), leaves_queue: true }
            }
            Work::Escalate { case, why } => {
                self.workspace.escalate(case, &why)?;
                Report::Noted { case, words: "A lead will look at it.".to_owned(), leaves_queue: false }
            }
            Work::People => self.people(String::new())?,
            Work::Admit { name, replica, roles } => match self.workspace.admit(&name, &roles, Some(replica), None) {
                Ok(()) => self.people(format!("{name} is let in."))?,
                Err(error) => Report::Failed(error.with_next_step()),
            },
            Work::Retire { name, replica, why } => match self.workspace.retire(&name, Some(&replica.to_string()), &why) {
                Ok(_) => self.people(format!("{name} is retired on that device."))?,
                Err(error) => Report::Failed(error.with_next_step()),
            },
            Work::Gold { case, why } => {
                self.workspace.set_gold(case, &why)?;
                Report::Noted { case, words: "It is a known answer now.".to_owned(), leaves_queue: false }
            }
            Work::Rule { case, verdict, reasons } => {
                let row = self.workspace.find_case(&case.to_string())?;
                let (ruling, _) = self.workspace.rule(row, verdict, reasons)?;
                // What was answered to rule is no label in the making.
                self.drafts.remove(&case);
                self.workspace.keep_draft(case, &Draft::default())?;
                Report::Ruled { case, words: format!("{} counts as {}.", case.short(), outcome_words(&ruling.outcome)) }
            }
            Work::Return { case, side, text } => {
                let row = self.workspace.find_case(&case.to_string())?;
                self.workspace.return_label(row, side, None, &text)?;
                Report::Ruled { case, words: format!("The author of {side} is asked; until they answer, their label counts.") }
            }
            Work::Sit(round) => {
                // What was begun before belongs to the other round.
                self.write_drafts()?;
                self.workspace.sitting = round;
                return Ok(None);
            }
            Work::Reveal(name) => {
                self.workspace.reveal_session(&name, false)?;
                Report::Words {
                    title: name,
                    words: vec!["Revealed: all who take part see all labels, talk about them, and label again.".to_owned()],
                }
            }
            Work::Appeal { case, why } => {
                self.workspace.appeal(case, &why)?;
                Report::Noted { case, words: "Appealed: it is disputed again.".to_owned(), leaves_queue: false }
            }
            Work::FinishTraining(training) => {
                Report::Trained(self.workspace.finish_training(&training.protocol, training.attempts)?.seq)
            }
            Work::Comment { case, text } => {
                self.comment(case, &text)?;
                Report::Noted { case, words: "Commented.".to_owned(), leaves_queue: false }
            }
        };
        Ok(Some(report))
    }

    /// A comment; in a session it may begin with the question that it is about: `scope: …`.
    fn comment(&mut self, case: CaseId, text: &str) -> Result<(), WorkError> {
        let Some(round) = self.workspace.sitting.clone() else { return self.workspace.comment(case, text).map(drop) };
        let session = session_of(&round).to_owned();
        let protocols = self.workspace.protocols()?;
        let known = |id: &str| protocols.in_force().iter().any(|published| published.protocol.question(id).is_some());
        let about = text.split_once(':').filter(|(id, _)| known(id.trim()));
        let (question, text) = about.map_or((None, text), |(id, rest)| (Some(id.trim()), rest.trim()));
        if text.is_empty() {
            return Err(WorkError::NoRationale);
        }
        self.workspace.comment_in(&session, case, question, text).map(drop)
    }

    fn people(&self, words: String) -> Result<Report, WorkError> {
        let rows = self.workspace.everybody()?;
        Ok(Report::People { rows, words })
    }

    fn submit(&mut self, label: Label, knew: Option<EventId>) -> Report {
        let case = label.case;
        let draft = self.drafts.remove(&case);
        match self.workspace.submit_knowing(label, knew) {
            Ok(saved) => Report::Saved { case, seq: saved.seq },
            Err(error) => {
                if let Some(draft) = draft {
                    self.drafts.insert(case, draft);
                    self.keep();
                }
                Report::NotSaved { case, why: error.unless_full(&self.workspace.paths.workspace).with_next_step() }
            }
        }
    }
}
