//! What is said about a case without labeling it: put off, escalated, commented.

use super::{Command, Needs, Said, case, write};
use crate::domain::calibration::session_of;
use crate::domain::ids::CaseId;
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;
use crate::workspace::error::RulingError;

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
                comment(at, case, &text)?;
                "Commented.".to_owned()
            }
        };
        Ok(Report::Noted { case, words, leaves_queue: kind == Kind::Defer })
    }

    fn switches(&self) -> bool {
        self.kind == Kind::Defer
    }
}

/// A comment; in a calibration session it may begin with the question that it is about: `scope: …`.
fn comment(at: &mut Writing, case: CaseId, text: &str) -> Result<(), WorkError> {
    let Some(round) = at.workspace.in_round.clone() else {
        return at.workspace.comment(case, text).map(drop);
    };
    let session = session_of(&round).to_owned();
    let protocols = at.workspace.protocols()?;
    let known = |id: &str| {
        protocols.in_force().iter().any(|published| published.protocol.question(id).is_some())
    };
    let about = text.split_once(':').filter(|(id, _)| known(id.trim()));
    let (question, text) = about.map_or((None, text), |(id, rest)| (Some(id.trim()), rest.trim()));
    if text.is_empty() {
        return Err(RulingError::NoRationale.into());
    }
    at.workspace.comment_in(&session, case, question, text).map(drop)
}
