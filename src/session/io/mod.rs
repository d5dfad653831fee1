//! What does the effects: reads at once, writes and searches on threads.

pub mod driver;
mod opener;
pub mod reader;
pub mod syncer;
mod validating;
mod writer;
