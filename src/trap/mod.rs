//! Detectors on a prediction stream: traps flag single predictions, which become cases; detectors
//! and tests of two samples tell when a stream changes.

pub mod alarm;
pub mod column;
pub mod condition;
pub mod detect;
mod fields;
pub mod order;
pub mod point;
pub mod reference;
mod rule;
mod shape;
pub mod sql;
pub mod two_sample;

pub use point::{BadTrap, Traps};
pub use rule::{BadRule, Rule, Rules, STACK_BYTES, Said, VARIABLES};
