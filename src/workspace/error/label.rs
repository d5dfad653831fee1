//! What can go wrong with giving a label, or taking one back, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::ids::CaseId;
use crate::domain::time::Moment;

/// What can go wrong with giving a label, or taking one back.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error("you labeled {} meanwhile, at {}", .0.short(), .1.clock())]
    Meanwhile(CaseId, Moment),
    #[error("{0} did nothing that is left to be undone")]
    NothingToUndo(String),
    #[error("nothing that {0} undid is left to be done again")]
    NothingToRedo(String),
}

impl Advice for LabelError {}
