//! What effects came to, and what came unasked.

use std::sync::Arc;

use super::window::CalibrationProgress;
use crate::domain::calibration::Calibration;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::long_text::Page;
use crate::review::arbitration::{Dispute, PastRuling};
use crate::review::board::pages::Pages;
use crate::review::{CaseRow, Direction, QueueKey};
use crate::review::{Draft, OpenCase, Precedent, Protocols, QueueCounts};
use crate::sync::Fault;
use crate::workspace::attached::LookedAt;
use crate::workspace::{Person, SyncStatus, Told};

/// How the exchange with the shared store stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SyncState {
    pub status: SyncStatus,
    pub notices: Vec<String>,
    pub quarantined: Vec<Fault>,
    /// How many ask to join, for who can do that.
    pub asking: usize,
    /// Entries that came with the last sync.
    pub pulled: u64,
    /// Cases were erased with it.
    pub erased: bool,
    /// What reviewers decide by, if something came.
    pub protocols: Option<Box<Protocols>>,
}

/// That the same person has, or had, a case open in another session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Since when.
    Open(String),
    /// That one has left.
    TakenOver,
}

/// A large case that is being read.
#[derive(Debug, Clone, PartialEq)]
pub struct Coming {
    /// Which reading it is: only what comes of the last one counts.
    pub number: u64,
    pub row: CaseRow,
    pub bytes: u64,
    /// What its input begins with.
    pub begins: Option<String>,
    /// The case that was open before.
    pub before: Option<CaseId>,
}

/// What an effect came to.
#[derive(Debug, Clone)]
pub enum Report {
    Page {
        from: QueueKey,
        direction: Direction,
        rows: Vec<CaseRow>,
        full: bool,
    },
    Opened {
        case: Box<OpenCase>,
        draft: Option<Box<Draft>>,
        elsewhere: Option<Elsewhere>,
    },
    /// A case is large, and is opened as soon as it is read: its row, its bytes, and what its input
    /// begins with.
    Coming(Box<Coming>),
    /// What was coming, opened; nobody may wait for it any more.
    Came {
        number: u64,
        case: CaseId,
        opened: Box<Report>,
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
        /// The entry of the journal that it stands in.
        seq: u64,
        /// What its reviewer should know of it: that a case with the same input counts as something
        /// else, say.
        note: Option<String>,
    },
    /// The reviewer labeled the case meanwhile, in another window.
    Overtaken {
        label: Box<Label>,
        other: Box<GivenLabel>,
    },
    /// A submit failed: its draft is kept.
    NotSaved {
        case: CaseId,
        why: Told,
    },
    /// Something beside a label was undone, or anything done again: what lists hold may have changed.
    TakenBack {
        case: CaseId,
        words: String,
        /// Whether a label was given again.
        gave: bool,
    },
    Undone {
        case: CaseId,
        /// The id that its stream gave it.
        called: String,
        draft: Box<Draft>,
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
    /// A part of a long text was read.
    ReadOn {
        case: CaseId,
        page: Option<Box<Page>>,
    },
    /// An attachment was looked at.
    LookedAt {
        case: CaseId,
        looked: Box<LookedAt>,
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
    EnteredCalibration {
        session: Option<Box<Calibration>>,
        rows: Vec<CaseRow>,
    },
    Calibrations(Vec<CalibrationProgress>),
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
    Trained,
    Edited(Option<String>),
    Failed(Told),
}

impl Report {
    /// Whether nobody asked for it: the exchange with the store, who watches over breaks, a board
    /// that is looked at.
    pub fn is_news(&self) -> bool {
        matches!(self, Self::Synced(_) | Self::Suggested(_) | Self::BoardChanged(_))
    }

    /// Whether it ends the wait for another case.
    pub(super) fn ends_switching(&self) -> bool {
        matches!(
            self,
            Self::Undone { .. }
                | Self::TakenBack { .. }
                | Self::Noted { .. }
                | Self::Ruled { .. }
                | Self::Failed(_)
        )
    }

    /// Whether what was asked for is reported later.
    pub(super) fn is_to_come(&self) -> bool {
        matches!(self, Self::Coming(_))
    }
}
