//! What a session wants done, outside its state.

use super::mode::Training;
use super::window::Window;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::Label;
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::review::Draft;
use crate::review::{Direction, QueueKey};
use crate::workspace::arbitration::{Reasons, Verdict};

/// Something to be done outside the state.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Read part of the queue.
    Page {
        from: QueueKey,
        direction: Direction,
        limit: usize,
    },
    /// Which cases the queue shows from now on.
    View(Option<CaseState>),
    Open {
        id: CaseId,
    },
    /// Count whose cases are whose: `all` even where that takes long.
    Count {
        all: bool,
    },
    /// Find the cases that a filter lets through.
    Filter {
        text: String,
        generation: u64,
    },
    Submit {
        label: Box<Label>,
        /// The reviewer's label that it replaces, as far as they know.
        knew: Option<EventId>,
    },
    Undo,
    Defer {
        case: CaseId,
        why: String,
    },
    Escalate {
        case: CaseId,
        why: String,
    },
    Comment {
        case: CaseId,
        text: String,
    },
    KeepDraft {
        case: CaseId,
        draft: Box<Draft>,
    },
    KeepPlace(String),
    /// Exchange with the store at once.
    SyncNow,
    /// Read who may do what.
    People,
    Admit {
        name: String,
        replica: ReplicaId,
        roles: Vec<Role>,
    },
    Retire {
        name: String,
        replica: ReplicaId,
        why: String,
    },
    /// Look whether other protocols or another policy are in force.
    Documents,
    /// Find resolved cases like the open one.
    Precedents {
        case: CaseId,
    },
    /// Find the cases whose label lacks an answer.
    Worklist,
    /// Make one's label of a case the known answer.
    Gold {
        case: CaseId,
        why: String,
    },
    /// Lay the labels of a case side by side, for a lead to rule.
    Dispute {
        case: CaseId,
    },
    Rule {
        case: CaseId,
        verdict: Verdict,
        reasons: Reasons,
    },
    /// Ask the author of a label something.
    Return {
        case: CaseId,
        side: char,
        text: String,
    },
    /// Sit in a calibration session, or leave it.
    Sit(Option<String>),
    /// Look which sessions there are.
    Sessions,
    Reveal(String),
    /// Look whether a break is to be suggested.
    Guard,
    /// Work out how the work stands.
    Board,
    /// List the cases behind a number.
    Cases {
        title: String,
        ids: Vec<CaseId>,
    },
    /// Work out how steady the reviewer is.
    Steady,
    /// Read what a session found.
    Findings(String),
    /// Find where the reviewer was overruled.
    Overruled,
    Appeal {
        case: CaseId,
        why: String,
    },
    /// Record how a training went.
    FinishTraining(Box<Training>),
    /// Show something for a moment.
    Show(Window),
    /// The person should look there from now on.
    Look(Look),
    /// Write in the person's editor.
    Editor(String),
    Quit,
}

impl Effect {
    /// Whether what it came to is reported later.
    pub fn is_reported(&self) -> bool {
        matches!(
            self,
            Self::Submit { .. }
                | Self::Undo
                | Self::Defer { .. }
                | Self::Escalate { .. }
                | Self::Comment { .. }
                | Self::Filter { .. }
                | Self::People
                | Self::Precedents { .. }
                | Self::Worklist
                | Self::Gold { .. }
                | Self::FinishTraining(_)
                | Self::Admit { .. }
                | Self::Retire { .. }
                | Self::Rule { .. }
                | Self::Return { .. }
                | Self::Appeal { .. }
                | Self::Reveal(_)
                | Self::Steady
                | Self::Board
        )
    }

    /// Whether another case is opened by what it comes to.
    pub fn switches(&self) -> bool {
        matches!(self, Self::Undo | Self::Defer { .. } | Self::Rule { .. } | Self::Return { .. })
    }
}

/// Where a person should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Queue,
    Case,
    /// The input of the case.
    Input,
    /// The question that is asked now, from its start.
    Question,
    /// A case was opened; this one was open before.
    Opened {
        before: Option<CaseId>,
    },
}
