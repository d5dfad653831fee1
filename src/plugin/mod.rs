//! Plug-ins at work: programs that somebody else wrote, asked row by row, held back, and never able
//! to hold up what asks them.
//!
//! [`place`] is where one stands and what of it is pinned, [`process`] one that runs, line by line,
//! [`host`] asks it in windows, restarts it and gives it up, [`check`] tries whether one keeps to the
//! lines. What the lines say is [`crate::domain::plugin`].

pub mod check;
pub mod host;
pub mod place;
pub mod process;

pub use host::{Answer, Counts, Host};
pub use place::Place;
