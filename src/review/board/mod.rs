//! How the work stands: sums that are mended case by case, a snapshot of all figures at a moment,
//! and the two forms in which it is read: pages for the terminal, and one HTML file.

pub mod sums;
pub mod snapshot;
pub mod pages;
pub mod html;

pub use snapshot::{BoardSnapshot, Counted, LoopRow, snapshot};
pub use sums::BoardSums;
