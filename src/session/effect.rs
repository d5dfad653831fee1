//! What a session wants done, outside its state.

use super::window::Window;
use super::write::Write;
use crate::domain::attachment::Attachment;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::Label;
use crate::domain::long_text::Ask;
use crate::domain::resolve::CaseState;
use crate::review::Draft;
use crate::review::{Direction, QueueKey};

/// Something to be done outside the state.
#[derive(Debug)]
pub enum Effect {
    /// Read part of the queue.
    Page {
        from: QueueKey,
        direction: Direction,
        limit: usize,
        /// Whether none of it is shown yet: the screen does not wait for it.
        ahead: bool,
    },
    /// Which cases the queue shows from now on.
    View(Option<CaseState>),
    Open {
        id: CaseId,
    },
    /// Open a case by an id of ours or of its stream, or by the beginning of one.
    OpenNamed(String),
    /// Count whose cases are whose: `all` even where that takes long.
    Count {
        all: bool,
    },
    /// List the cases of which a search finds the words, whosever they are.
    Search(String),
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
    /// Write something that the person did.
    Write(Box<dyn Write>),
    KeepDraft {
        case: CaseId,
        draft: Box<Draft>,
    },
    KeepPlace(String),
    /// Exchange with the store at once.
    SyncNow,
    /// Look whether other protocols or another policy are in force.
    Documents,
    /// Find resolved cases like the open one.
    Precedents {
        case: CaseId,
    },
    /// Read a long text of the open case on.
    ReadOn {
        case: CaseId,
        /// Which of them, from 0, and its name.
        text: (usize, String),
        ask: Ask,
    },
    /// Look at one of the open case's attachments.
    LookAt {
        case: CaseId,
        one: Box<(String, Attachment)>,
    },
    /// Open one in the person's own program for it.
    OpenOutside(Box<(String, Attachment)>),
    /// Find the cases whose label lacks an answer.
    Worklist,
    /// Lay the labels of a case side by side, for a lead to rule.
    Dispute {
        case: CaseId,
    },
    /// Sit in a calibration session, or leave it.
    EnterCalibration(Option<String>),
    /// List cases that were put aside.
    SetAside(Aside),
    /// Look which sessions there are.
    Sessions,
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
    Reliability,
    /// Have the person's other sessions at a case end, and show what they began.
    TakeOver {
        case: CaseId,
    },
    /// Find what led to a case and what came of it.
    Trace {
        case: CaseId,
    },
    /// Read what a session found.
    Findings(String),
    /// Find where the reviewer was overruled.
    Overruled,
    /// Show something for a moment.
    Show(Window),
    /// The person should look there from now on.
    Look(Look),
    /// Write in the person's editor.
    Editor(String),
    Quit,
}

impl Effect {
    /// Whether nothing of what is shown depends on it yet.
    pub(super) fn can_wait(&self) -> bool {
        matches!(self, Self::Page { ahead: true, .. })
    }

    /// Waits no longer.
    pub(super) fn need_now(&mut self) {
        if let Self::Page { ahead, .. } = self {
            *ahead = false;
        }
    }

    /// Whether what it came to is reported later.
    pub fn is_reported(&self) -> bool {
        matches!(
            self,
            Self::Submit { .. }
                | Self::Write(_)
                | Self::Filter { .. }
                | Self::LookAt { .. }
                | Self::ReadOn { .. }
                | Self::Precedents { .. }
                | Self::Worklist
                | Self::Reliability
                | Self::Trace { .. }
                | Self::Board
        )
    }

    /// Whether another case is opened by what it comes to.
    pub fn switches(&self) -> bool {
        matches!(self, Self::Write(what) if what.switches())
    }
}

/// Where a person should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Queue,
    Case,
    /// The input of the case.
    Input,
    /// The input, where it is not read already.
    Reading,
    /// The question that is asked now, from its start.
    Question,
    /// A case was opened; this one was open before.
    Opened {
        before: Option<CaseId>,
    },
}

/// Cases that were put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// By whoever is at work, until later.
    Deferred,
    /// By anybody, for others to look at.
    Escalated,
}

impl Aside {
    /// What the list of them is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Deferred => "deferred by you",
            Self::Escalated => "escalated",
        }
    }
}
