//! What lies over the panes for a moment: help, lists to pick from, prompts, the rationale, people, the exchange.

pub mod arbitrate;
pub mod board;
pub mod exchange;
pub mod help;
mod keys;
mod list;
pub mod mark;
pub mod overruled;
pub mod overtaken;
pub mod people;
pub mod pick;
pub mod precedents;
pub mod prompt;
pub mod rationale;
pub mod sessions;
pub mod terms;
pub mod tree;

pub use arbitrate::{Arbitrate, Arbitrated};
pub use board::{Board, Boarded};
pub use mark::{Mark, Marked};
pub use overruled::Overruled;
pub use overtaken::OvertakenWindow;
pub use people::People;
pub use pick::{Pick, PickKind};
pub use precedents::Precedents;
pub use prompt::{Prompt, PromptKind};
pub use sessions::Sessions;

use super::edit::Edit;

/// At most one of these is open, and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help {
        scroll: usize,
    },
    Terms {
        scroll: usize,
    },
    Pick(Pick),
    Prompt(Prompt),
    Rationale(Edit),
    Exchange {
        scroll: usize,
    },
    People(People),
    Tree {
        scroll: usize,
    },
    Mark(Mark),
    Precedents(Precedents),
    Arbitrate(Box<Arbitrate>),
    Overruled(Overruled),
    Overtaken(OvertakenWindow),
    Sessions(Sessions),
    Board(Board),
    /// What a training says about an answer.
    Feedback {
        title: String,
        words: Vec<String>,
        scroll: usize,
    },
}
