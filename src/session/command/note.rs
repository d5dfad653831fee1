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
    kind: Kind,
    text: String,
}

fn note(session: &mut Session, said: &Said, kind: Kind) -> Vec<Effect> {
    case(session, said)
        .map_or_else(Vec::new, |case| write(Note { case, kind, text: said.text.clone() }))
}

impl Write for Note {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Self { case, kind, text } = *self;
        let words = match kind {
            Kind::Defer => format!("Deferred until {}.", at.workspace.defer(case, &text)?.minute()),
            Kind::Escalate => {
                at.workspace.escalate(case, &text)?;
                "A lead will look at it.".to_owned()
            }
            Kind::Comment => {
                let round = at.workspace.in_round.clone();
                let session = round.as_deref().map(session_of);
                match at.workspace.comment_about(case, session, None, &text)?.1 {
                    Some(name) if session.is_none() => format!("Commented in the session {name}."),
                    _ => "Commented.".to_owned(),
                }
            }
        };
        Ok(Report::Noted { case, words, leaves_queue: kind == Kind::Defer })
    }

    fn switches(&self) -> bool {
        self.kind == Kind::Defer
    }
}
