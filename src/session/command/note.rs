//! What is said about a case without labeling it: put off, escalated, commented.

use super::{Command, Needs, Said, case, write};
use crate::domain::calibration::session_of;
use crate::domain::ids::CaseId;
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;

pub const DEFER: Command =
    Command::new("defer", "defer the case, with a reason", |session, said| {
        note(session, said, Kind::Defer)
    })
    .asks("Defer, because: ")
    .needs(Needs::Case)
    .not_in_training()
    .not_in_calibration();

pub const ESCALATE: Command =
    Command::new("escalate", "ask a lead to look at it", |session, said| {
        note(session, said, Kind::Escalate)
    })
    .asks("Ask a lead: ")
    .needs(Needs::Case)
    .not_in_training()
    .not_in_calibration();

pub const COMMENT: Command =
    Command::new("comment", "say something about the case", |session, said| {
        note(session, said, Kind::Comment)
    })
    .asks("Comment: ")
    .needs(Needs::Case)
    .not_in_training();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Defer,
    Escalate,
    Comment,
}

#[derive(Debug)]
struct Note {
    case: CaseId,
    /// What the case is called, to say of which it was.
    name: String,
    kind: Kind,
    text: String,
}

fn note(session: &mut Session, said: &Said, kind: Kind) -> Vec<Effect> {
    let Some(case) = case(session, said) else { return Vec::new() };
    let (name, text) = (session.called(case), said.text.clone());
    write(Note { case, name, kind, text })
}

impl Write for Note {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Self { case, name, kind, text } = *self;
        let words = match kind {
            Kind::Defer => {
                format!("Deferred {name} until {}.", at.workspace.defer(case, &text)?.minute())
            }
            Kind::Escalate => {
                at.workspace.escalate(case, &text)?;
                format!("Escalated {name}: a lead will look at it.")
            }
            Kind::Comment => {
                let round = at.workspace.in_round.clone();
                let session = round.as_deref().map(session_of);
                match at.workspace.comment_about(case, session, None, &text)?.1 {
                    Some(said_in) if session.is_none() => {
                        format!("Commented on {name} in the session {said_in}.")
                    }
                    _ => format!("Commented on {name}."),
                }
            }
        };
        Ok(Report::Noted { case, words, leaves_queue: kind == Kind::Defer })
    }

    fn switches(&self) -> bool {
        self.kind == Kind::Defer
    }
}
