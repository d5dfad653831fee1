//! Who may not see what others said of a case: whoever may still label it. Their own label would be
//! worth nothing.

use crate::domain::resolve::CaseState;

/// For how long somebody is not shown what others said, unless they gave a label themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    /// They don't review.
    Never,
    /// They review, and lead: on what is disputed they rule.
    WhileOpen,
    /// They review.
    UntilSettled,
}

impl Blind {
    /// Whether it is kept from them. `measures`: the right answer is known, and the case may come
    /// to them to measure.
    pub fn to(self, state: CaseState, gave: bool, measures: bool) -> bool {
        match self {
            Self::Never => false,
            Self::WhileOpen => !gave && state == CaseState::Open,
            Self::UntilSettled => !gave && (state != CaseState::Resolved || measures),
        }
    }
}
