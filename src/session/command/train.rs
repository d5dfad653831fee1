//! How a training went, on record.

use super::write;
use crate::session::effect::Effect;
use crate::session::mode::Training;
use crate::session::report::Report;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;

/// Records how a training went.
pub fn finish(training: &Training) -> Vec<Effect> {
    write(Finish(Box::new(training.clone())))
}

#[derive(Debug)]
struct Finish(Box<Training>);

impl Write for Finish {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Training { protocol, attempts, .. } = *self.0;
        at.workspace.finish_training(&protocol, attempts)?;
        Ok(Report::Trained)
    }
}
