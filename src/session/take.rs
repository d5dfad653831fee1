//! What reaches a session, and what is to be done about it: one way in for every front.

use super::command::{Command, Said};
use super::effect::Effect;
use super::report::Report;
use super::state::Session;
use crate::domain::time::Moment;

/// What reaches a session.
#[derive(Debug)]
pub enum Input {
    /// Its person does something of the table of commands.
    Command(&'static Command, Said),
    /// Its person answers the question that is asked, or ticks one of several answers.
    Answer(String),
    /// An effect came to something, or something came unasked.
    Report(Report),
}

impl Session {
    /// Takes in what reaches it at a moment, and says what is to be done. It asks nobody and does
    /// nothing itself: the same inputs at the same moments come to the same effects.
    pub fn take(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        self.now = now;
        let effects = match input {
            Input::Command(command, said) => command.run(self, &said),
            Input::Answer(answer) => self.give(&answer),
            Input::Report(report) => self.take_report(report),
        };
        self.allowed(effects)
    }
}
