//! The panes: the queue, the case in its context (a file for each tab), the guide.

pub mod queue;
pub mod context;
mod overview;
pub mod input;
pub mod logs;
mod neighbours;
mod model;
mod history;
pub mod guide;
mod question;
