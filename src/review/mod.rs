//! Reviewing: whose turn a case is, what is shown of it, what has been answered so far, what
//! happened to it.

pub mod glossary;
pub mod protocols;
pub mod queue;
pub mod share;
pub mod filter;
pub mod blind;
pub mod aligned;
pub mod arbitration;
pub mod calibration;
pub mod session_said;
pub mod open;
pub mod disagreement;
pub mod draft;
pub mod feedback;
pub mod gold;
pub mod sight;
pub mod history;
pub mod precedent;
pub mod conflict;
pub mod rows;
pub mod ratings;
pub mod right_at;
pub mod board;
pub mod retest;
pub mod reliability;
pub mod replay;
pub mod sla;
pub mod alarms;
pub mod suspects;
pub mod suggested;
pub mod trap_worth;
pub mod walks;
pub mod value;

pub use crate::db::case::{CaseRow, Direction, QueueKey};
pub use blind::Blind;
pub use draft::{Draft, LabelContext, Missing};
pub use filter::Filter;
pub use open::OpenCase;
pub use precedent::Precedent;
pub use protocols::{Protocols, Published};
pub use queue::{Queue, QueueCounts};
