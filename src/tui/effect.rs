//! What `update` wants done, and what comes back.

use std::sync::Arc;

use super::overlay::Person;
use super::sitting::Sat;
use super::syncer::SyncState;
use super::training::Training;
use crate::domain::calibration::Calibration;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::{GivenLabel, Label};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::review::arbitration::{Dispute, PastRuling};
use crate::review::board::pages::Pages;
use crate::review::{CaseRow, Direction, QueueKey};
use crate::review::{Draft, OpenCase, Precedent, Protocols, QueueCounts};
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
    /// Write in the person's editor.
    Editor(String),
    /// Draw every cell again.
    Repaint,
    Suspend,
    Quit,
}

/// What an effect came to.
#[derive(Debug, Clone)]
pub enum Job {
    Page {
        from: QueueKey,
        direction: Direction,
        rows: Vec<CaseRow>,
        full: bool,
    },
    Opened {
        case: Box<OpenCase>,
        draft: Option<Box<Draft>>,
    },
    Gone(CaseId),
    /// What reviewers decide by is other than it was.
    Published(Box<Protocols>),
    Counted(QueueCounts),
    Filtered {
        generation: u64,
        rows: Vec<CaseRow>,
    },
    Saved {
        case: CaseId,
        seq: u64,
    },
    /// The reviewer labeled the case meanwhile, in another window.
    Overtaken {
        label: Box<Label>,
        other: Box<GivenLabel>,
    },
    /// A submit failed: its draft is kept.
    NotSaved {
        case: CaseId,
        why: String,
    },
    Undone {
        case: CaseId,
        draft: Box<Draft>,
        seq: u64,
    },
    /// A note was made; words to show.
    Noted {
        case: CaseId,
        words: String,
        leaves_queue: bool,
    },
    /// What an exchange with the store came to.
    Synced(Box<SyncState>),
    /// Who may do what, and words to show.
    People {
        rows: Vec<Person>,
        words: String,
    },
    Precedents {
        case: CaseId,
        found: Vec<Precedent>,
    },
    Worklist(Vec<CaseRow>),
    Dispute(Box<Dispute>),
    /// A ruling is on disk; words to show.
    Ruled {
        case: CaseId,
        words: String,
    },
    Overruled(Vec<PastRuling>),
    /// The session that is sat in, with the cases that are left.
    Sat {
        session: Option<Box<Calibration>>,
        rows: Vec<CaseRow>,
    },
    Sessions(Vec<Sat>),
    /// How the work stands.
    Board(Arc<Pages>),
    /// It stands otherwise since: nobody asked.
    BoardChanged(Arc<Pages>),
    Cases {
        title: String,
        rows: Vec<CaseRow>,
    },
    /// A break or a second look is suggested.
    Suggested(String),
    /// A window of words.
    Words {
        title: String,
        words: Vec<String>,
    },
    /// How a training went is on disk.
    Trained(u64),
    Edited(Option<String>),
    Failed(String),
}
