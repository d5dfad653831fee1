//! What can go wrong with giving a label, or taking one back, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::ids::CaseId;
use crate::domain::time::Moment;

/// What can go wrong with giving a label, or taking one back.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error("you labeled {} meanwhile, at {}", .0.short(), .1.clock())]
    Meanwhile(CaseId, Moment),
    #[error("there is no label of {0} to take back")]
    NothingToUndo(String),
}

impl Advice for LabelError {}
