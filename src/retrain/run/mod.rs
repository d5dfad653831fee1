//! Runs: a pipeline's programs on a cut, each held back as far as the machine can, everything
//! written down that it takes to do it again.
//!
//! [`pipeline`] is what its author asks for, [`sandbox`] what holds a program back, [`helper`] the
//! process in which that happens, [`execute`] watches it and stops it at its limits, [`compare`]
//! tells whether two runs came to the same.

pub mod compare;
pub mod execute;
pub mod helper;
pub mod pipeline;
pub mod sandbox;

pub use execute::{Ended, Program};
pub use pipeline::{Level, Pipeline};
