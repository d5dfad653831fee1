//! Detectors on a prediction stream. A trap is a name and a rule; a prediction it matches becomes a
//! case.

mod rule;

pub use rule::{Answer, BadRule, Rule, Rules, STACK_BYTES, VARIABLES};
