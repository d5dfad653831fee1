//! Labels that are given, and taken back.

use super::{Command, write};
use crate::domain::ids::EventId;
use crate::domain::label::Label;
use crate::review::Draft;
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::{Deed, Undone, WorkError};

pub const SUBMIT: Command =
    Command::new("submit", "submit the label and go to the next case", |session, _| {
        session.submit()
    });

pub const UNDO: Command = Command::new(
    "undo",
    "undo the last thing you did: a label, a ruling, a comment, a deferral, an escalation",
    |session, _| undo(session),
)
.not_in_training();

pub const REDO: Command =
    Command::new("redo", "do again what you undid last", |_, _| write(Redo)).not_in_training();

fn undo(session: &mut Session) -> Vec<Effect> {
    let mut effects = session.settle_time();
    effects.extend(write(Undo));
    effects
}

/// A label on its way to the disk. Its draft is dropped with it, and kept if it fails.
#[derive(Debug)]
pub struct Submit {
    pub label: Box<Label>,
    /// The reviewer's label that it replaces, as far as they know.
    pub knew: Option<EventId>,
}

impl Write for Submit {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let (case, outcome) = (self.label.case, self.label.outcome.clone());
        let draft = at.drafts.remove(&case);
        let given = at.validators.as_ref().map(|_| (*self.label).clone());
        match at.workspace.submit_knowing(*self.label, self.knew) {
            Ok(saved) => {
                if let (Some(to), Some(given)) = (&at.validators, given) {
                    // Whoever looks over labels may have ended.
                    let _ = to.send(given);
                }
                let otherwise = at.workspace.settled_otherwise(case, &outcome).unwrap_or_default();
                let not_compared =
                    at.workspace.not_compared(case, saved.event()).unwrap_or_default();
                let words: Vec<String> = not_compared.into_iter().chain(otherwise).collect();
                let note = format!("{} is saved; {}.", at.called(case), words.join("; "));
                let note = (!words.is_empty()).then_some(note);
                Ok(Report::Saved { case, seq: saved.seq, note })
            }
            Err(error) => {
                at.drafts.extend(draft.map(|draft| (case, draft)));
                let why = error.unless_full(&at.workspace.paths.workspace).told();
                Ok(Report::NotSaved { case, why })
            }
        }
    }
}

#[derive(Debug)]
struct Undo;

impl Write for Undo {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Undone { deed, .. } = at.workspace.undo()?;
        match deed {
            Deed::Ruling { .. } | Deed::Note(_) => {
                let (case, words) = (deed.case(), format!("Undone: {}.", deed.words()));
                Ok(Report::TakenBack { case, words, gave: false })
            }
            Deed::Label(given) => {
                // What was begun anew since is worth more than what was submitted then.
                let case = given.label.case;
                let begun = match at.drafts.get(&case) {
                    Some(draft) => Some(draft.clone()),
                    None => at.workspace.draft(case)?,
                };
                let draft = Box::new(
                    begun
                        .filter(|draft| !draft.is_empty())
                        .unwrap_or_else(|| Draft::of(&given.label)),
                );
                let called = at.called(case);
                Ok(Report::Undone { case, called, draft })
            }
        }
    }

    fn switches(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Redo;

impl Write for Redo {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Undone { deed, .. } = at.workspace.redo()?;
        let case = deed.case();
        let gave = matches!(deed, Deed::Label(_));
        let words = if gave {
            at.drafts.remove(&case);
            format!("the label of {}", at.called(case))
        } else {
            deed.words()
        };
        Ok(Report::TakenBack { case, words: format!("Done again: {words}."), gave })
    }

    fn switches(&self) -> bool {
        true
    }
}
