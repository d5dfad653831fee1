//! What is written for a person: one thing after another, by the only thread that writes.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::mpsc::Sender;

use super::report::Report;
use crate::domain::ids::CaseId;
use crate::domain::label::Label;
use crate::review::Draft;
use crate::workspace::{WorkError, Workspace};

/// What a write has at hand.
pub struct Writing {
    pub workspace: Workspace,
    /// Drafts that are not on disk yet, the latest of each.
    pub drafts: HashMap<CaseId, Draft>,
    /// Where labels go that validators are to look over.
    pub validators: Option<Sender<Label>>,
}

impl Writing {
    /// What the stream calls a case, though no list shows it any more.
    pub fn called(&self, case: CaseId) -> String {
        let row = self.workspace.listed_case(case).unwrap_or_default();
        row.map_or_else(|| case.short(), |row| row.external_id)
    }
}

/// Something that a person does which is written. It is reported on once.
pub trait Write: Debug + Send {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the workspace: told to the person with what to do next.
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError>;

    /// Whether another case is opened by what it comes to: keys wait for that.
    fn switches(&self) -> bool {
        false
    }
}
