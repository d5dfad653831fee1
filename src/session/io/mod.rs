//! What does the effects: reads at once, writes and searches on threads.

pub mod driver;
pub mod reader;
pub mod syncer;
mod writer;
