//! Runs: a pipeline's programs on a cut, each held back as far as the machine can, everything
//! written down that it takes to do it again.
//!
//! [`pipeline`] is what its author asks for, [`execute`] watches a step and stops it at its limits,
//! [`compare`] tells whether two runs came to the same. What holds a step back is [`crate::sandbox`].

pub mod compare;
pub mod execute;
pub mod pipeline;

pub use execute::{Ended, Program};
pub use pipeline::Pipeline;
