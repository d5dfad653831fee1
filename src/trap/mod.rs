//! Detectors on a prediction stream. A trap is a name and a rule; a prediction it matches becomes a
//! case.

pub mod column;
pub mod detect;
mod rule;
pub mod two_sample;

pub use rule::{Answer, BadRule, Rule, Rules, STACK_BYTES, VARIABLES};
