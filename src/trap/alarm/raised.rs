//! An alarm that was raised, and how sure it is.

use super::recent::Drawn;
use crate::domain::time::Moment;

/// How sure an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It may be chance; nobody has to look into it.
    Warning,
    Alarm,
}

/// An alarm that was raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    pub alarm: String,
    pub version: String,
    pub level: Level,
    pub stream: String,
    pub by: Option<String>,
    pub from: Moment,
    pub to: Moment,
    pub rows: u64,
    pub statistic: f64,
    pub effect: Option<f64>,
    pub p: Option<f64>,
    /// The mean, or what share the value that moved most had, before and now.
    pub before: Option<f64>,
    pub now: Option<f64>,
    /// Lines drawn from the window.
    pub drawn: Vec<Drawn>,
}
