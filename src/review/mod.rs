//! Reviewing: whose turn a case is, what is shown of it, what has been answered so far, what happened to it.

pub mod protocols;
pub mod queue;
pub mod filter;
pub mod open;
pub mod draft;
pub mod history;

pub use draft::{Draft, Missing};
pub use filter::Filter;
pub use open::OpenCase;
pub use protocols::{Protocols, Published};
pub use queue::{Queue, QueueCounts, share};
