//! What a person can do, by name: each with its words, where it has no place, and what it comes to.
//! A front gives them keys or lets them be typed; what is written stands beside its command.

pub mod calibration;
pub mod gold;
pub mod guide;
pub mod list;
pub mod note;
pub mod people;
pub mod rule;
pub mod store;
pub mod submit;
pub mod train;

use super::effect::Effect;
use super::state::{Message, Session};
use crate::domain::ids::CaseId;

/// What a person says with a command.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub text: String,
    /// The case at hand, as far as it is not the open one.
    pub case: Option<CaseId>,
}

/// What there must be, for a command to have a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// A case at hand: open, or under a cursor.
    Case,
    /// The open case, which it changes or shows.
    OpenCase,
    /// The person's label of the open case.
    OwnLabel,
}

/// One thing that a person can do.
#[derive(Debug)]
pub struct Command {
    pub name: &'static str,
    pub help: &'static str,
    /// How the words are asked for that it takes; empty: it takes none.
    pub ask: &'static str,
    /// The words that are there to begin with.
    pub begins: fn(&Session) -> String,
    pub needs: Needs,
    in_training: bool,
    in_calibration: bool,
    run: fn(&mut Session, &Said) -> Vec<Effect>,
}

impl Command {
    const fn new(
        name: &'static str,
        help: &'static str,
        run: fn(&mut Session, &Said) -> Vec<Effect>,
    ) -> Self {
        let (ask, needs) = ("", Needs::Nothing);
        Self {
            name,
            help,
            ask,
            begins: |_| String::new(),
            needs,
            in_training: true,
            in_calibration: true,
            run,
        }
    }

    const fn asks(self, ask: &'static str) -> Self {
        Self { ask, ..self }
    }

    const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// The same, with no place in a training.
    const fn not_in_training(self) -> Self {
        Self { in_training: false, ..self }
    }

    /// The same, with no place in a calibration session.
    const fn not_in_calibration(self) -> Self {
        Self { in_calibration: false, ..self }
    }

    /// Whether it is about the open case.
    pub fn is_of_the_open_case(&self) -> bool {
        matches!(self.needs, Needs::OpenCase | Needs::OwnLabel)
    }

    /// Why it has no place now, if it has none.
    pub fn refused(&self, session: &Session, case: Option<CaseId>) -> Option<Message> {
        let hint = |hint| Some(Message { words: String::new(), hint });
        if session.training.is_some() && !self.in_training {
            return hint("Not in a training: {quit} leaves it, and nothing is recorded then.");
        }
        if session.calibration.is_some() && !self.in_calibration {
            return hint("Not in a calibration session: {clear} leaves it.");
        }
        let lacks = match self.needs {
            Needs::Nothing => false,
            Needs::Case => case.or(session.open_id()).is_none(),
            Needs::OpenCase | Needs::OwnLabel => session.opened.is_none(),
        };
        if lacks {
            return hint("No case is open.");
        }
        if self.needs == Needs::OwnLabel
            && session.opened.as_ref().is_some_and(|opened| opened.case.mine.is_none())
        {
            return hint("Label the case first: your label becomes the gold item.");
        }
        None
    }

    /// Does it, where it has a place.
    pub(super) fn run(&self, session: &mut Session, said: &Said) -> Vec<Effect> {
        if let Some(message) = self.refused(session, said.case) {
            session.message = Some(message);
            return Vec::new();
        }
        if !self.ask.is_empty() && said.text.is_empty() && self.needs == Needs::Case {
            return session.say("Nothing was written, so nothing was done.");
        }
        (self.run)(session, said)
    }
}

/// The case that a command is about.
fn case(session: &Session, said: &Said) -> Option<CaseId> {
    said.case.or(session.open_id())
}

/// A write, as what is to be done.
fn write(what: impl super::write::Write + 'static) -> Vec<Effect> {
    vec![Effect::Write(Box::new(what))]
}

/// Everything that a person can do. The order is that of help.
pub static COMMANDS: &[&Command] = &[
    &guide::TAKE_BACK,
    &guide::RATIONALE,
    &guide::EVIDENCE,
    &guide::ATTACHMENTS,
    &guide::READ_ON,
    &guide::PRECEDENTS,
    &guide::CITE,
    &guide::TREE,
    &guide::CHECK,
    &guide::TERMS,
    &guide::TAGS,
    &submit::SUBMIT,
    &submit::UNDO,
    &submit::REDO,
    &note::DEFER,
    &note::ESCALATE,
    &note::COMMENT,
    &list::OPEN,
    &list::NEXT_CASE,
    &list::PREVIOUS_CASE,
    &list::FILTER,
    &list::VIEW,
    &list::WORKLIST,
    &list::SET_ASIDE,
    &list::BOARD,
    &list::RELIABILITY,
    &list::TRACE,
    &list::TAKE_OVER,
    &list::CLEAR,
    &gold::GOLD,
    &rule::ARBITRATE,
    &rule::OVERRULED,
    &calibration::SESSIONS,
    &store::EXCHANGE,
    &people::PEOPLE,
];

/// A command by its name.
pub fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name).copied()
}
