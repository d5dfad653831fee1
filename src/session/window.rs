//! What is to be shown besides the case, as data: a front decides how.

use crate::domain::calibration::Calibration;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::long_text::Page;
use crate::domain::protocol::Places;
use crate::review::Precedent;
use crate::review::arbitration::{Dispute, PastRuling};
use crate::review::calibration::Progress;
use crate::workspace::Person;
use crate::workspace::arbitration::RulingChoice;
use crate::workspace::attached::LookedAt;

/// What words of how steady somebody is are called.
pub const RELIABILITY_TITLE: &str = "How reliable you are";

/// What led to a case and what came of it is called.
pub const TRACE_TITLE: &str = "From detection to the deployed fix";

/// Something to be shown for a moment.
#[derive(Debug, Clone)]
pub enum Window {
    /// Nothing any longer.
    Closed,
    /// Why the label is given, to be written.
    Rationale(String),
    /// Places in the input, to be marked.
    Mark(ToMark),
    /// A picture, a sound, or whatever else a case brings besides words.
    LookedAt(Box<LookedAt>),
    /// A part of a text is being read.
    Reading,
    /// A part of a text that is too long to be held; none, where it is not to be had any longer.
    Page(Option<Box<Page>>),
    /// Resolved cases like the open one.
    Precedents(Vec<Precedent>),
    /// What a training says about an answer, or at its end.
    Feedback {
        title: String,
        words: Vec<String>,
        is_end: bool,
    },
    /// Words to be read. Whoever writes something meanwhile is not disturbed by them.
    Words {
        title: String,
        words: Vec<String>,
    },
    /// Words that are being worked out.
    Counting {
        title: String,
    },
    /// How the work stands: what the session has of it.
    Board,
    /// The whole protocol, with what was answered.
    Tree,
    /// What the words of the question mean.
    Terms,
    /// How the exchange with the store stands.
    Exchange,
    /// The labels of a case side by side.
    Dispute {
        dispute: Box<Dispute>,
        /// The text of the input, and others in which something is marked, by name.
        texts: Vec<(String, String)>,
        walked: Option<RulingChoice>,
    },
    /// Where the person was overruled.
    Overruled(Vec<PastRuling>),
    /// Their label of a case where they gave another one meanwhile.
    Overtaken(Overtaken),
    Calibrations(Vec<CalibrationProgress>),
    People(Vec<Person>),
}

/// What is to be marked in the input.
#[derive(Debug, Clone)]
pub struct ToMark {
    /// The question that is answered by it; none: it is evidence.
    pub question: Option<String>,
    pub ask: String,
    /// The texts in which it can be, by name, in the order in which they are read.
    pub texts: Vec<(String, String)>,
    /// What is marked already.
    pub places: Places,
}

/// A label that was about to be given where its reviewer labeled the case meanwhile, in another
/// window.
#[derive(Debug, Clone)]
pub struct Overtaken {
    /// What was to be given.
    pub label: Box<Label>,
    /// What was given meanwhile.
    pub other: Box<GivenLabel>,
}

/// Which of two labels of one reviewer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Mine,
    Other,
    Later,
}

/// A calibration session with how far everybody is.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationProgress {
    pub session: Calibration,
    pub progress: Vec<Progress>,
}

impl CalibrationProgress {
    /// How many cases somebody has labeled in the round under way, or in the last.
    pub fn done(&self, reviewer: &str) -> Option<usize> {
        let which = usize::from(self.session.stage().is_revealed());
        self.progress.iter().find(|one| one.reviewer == reviewer).map(|one| one.done[which])
    }
}
