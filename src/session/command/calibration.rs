//! Calibration sessions: which there are, and the end of a blind round.

use super::{Command, write};
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;

pub const SESSIONS: Command = Command::new(
    "sessions",
    "calibration sessions: join one, see how far everybody is, reveal, findings",
    |_, _| vec![Effect::Sessions],
)
.not_in_training();

impl Session {
    /// Ends the blind round of a session: all who take part see all labels.
    pub fn reveal(&mut self, name: String) -> Vec<Effect> {
        write(Reveal(name))
    }
}

#[derive(Debug)]
struct Reveal(String);

impl Write for Reveal {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        at.workspace.reveal_session(&self.0, false)?;
        let words = "Revealed: all who take part see all labels, talk about them, and label again."
            .to_owned();
        Ok(Report::Words { title: self.0, words: vec![words] })
    }
}
