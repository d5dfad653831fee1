//! What can go wrong with the store that a team shares, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::text::visible;

/// What can be wrong with the store that a team shares, before anything is exchanged.
#[derive(Debug, thiserror::Error)]
pub enum SharedStoreError {
    #[error("{store} holds a workspace already: {theirs}")]
    Taken { store: String, theirs: String },
    #[error("{store} holds no workspace")]
    NothingThere { store: String },
    #[error("{store} holds no workspace whose id begins with {expected}, but {}", ids.join(", "))]
    AnotherThere { store: String, expected: String, ids: Vec<String> },
    #[error("{store} holds more than one workspace: {}", ids.join(", "))]
    SeveralThere { store: String, ids: Vec<String> },
    #[error("this workspace has no shared store")]
    NoStore,
}

impl Advice for SharedStoreError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Taken { store, .. } => {
                return Some(format!(
                    "Join it with `casework join {} --as YOU`, or name another place.",
                    visible(store)
                ));
            }
            Self::NothingThere { .. } => {
                "A lead founds one there: `casework init --name TEAM --as NAME --store URL`, or `casework sync --store URL`."
            }
            Self::AnotherThere { .. } => {
                "Ask the lead which is yours; without --id you join the one that is there."
            }
            Self::SeveralThere { .. } => {
                "Say which: --id and the first digits of its id, as the lead tells you."
            }
            Self::NoStore => {
                "Name one: `casework sync --store URL`. A directory that all can reach will do."
            }
        };
        Some(step.to_owned())
    }
}
