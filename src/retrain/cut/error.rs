//! Why there is no cut, and what to do.

use std::io;

use super::recipe::Counts;
use crate::domain::advice::Advice;
use crate::trap::BadRule;

/// Why there is no cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    #[error(transparent)]
    Rule(#[from] BadRule),
    #[error(
        "rows come from {days} days, of which none may be more than {share} of all: that takes {least} days"
    )]
    Days { days: usize, share: f64, least: usize },
    #[error("no row has `{name}`, by which rows are to stay together: there are {}", known.join(", "))]
    Group { name: String, known: Vec<String> },
    #[error("no row is left")]
    Empty(Counts),
    #[error("{n} rows are in {file}, or nearly: {pairs}")]
    Leak { n: usize, file: String, pairs: String },
    #[error("what is told of rows can't be kept while a cut is made")]
    Kept(#[source] io::Error),
}

impl Advice for CutError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Rule(error) => error.next_step(),
            Self::Days { .. } => {
                Some("Leave share_of_one_day out until there are more, or raise it.".to_owned())
            }
            Self::Empty(dropped) if dropped.is_empty() => {
                Some("No case is resolved yet: `casework status` counts them.".to_owned())
            }
            Self::Empty(dropped) => {
                let dropped: Vec<String> = dropped
                    .iter()
                    .map(|(why, n)| format!("{n} {}", why.replace('_', " ")))
                    .collect();
                Some(format!("What was read was dropped: {}.", dropped.join(", ")))
            }
            Self::Group { .. } => Some("It stands under `group` in [split].".to_owned()),
            Self::Kept(_) => Some("It needs room where the cut is to lie.".to_owned()),
            Self::Leak { .. } => {
                Some("With then = \"drop\" in [leak] they are left out and counted.".to_owned())
            }
        }
    }
}
