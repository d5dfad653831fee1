//! `label.returned`: a label goes back to its author with a question. It counts until they give
//! another.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::arbitration::Act;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelReturned {
    pub case: CaseId,
    /// The event that gave the label, and whose it is.
    pub label: EventId,
    pub reviewer: String,
    /// The question of the protocol that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    pub text: String,
}

impl Event for LabelReturned {
    const KIND: &'static str = "label.returned";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let Self { case, label, reviewer, question, text } = self;
        views.arbitrated(case, Act::Returned { label, reviewer, question, text }, stamp)
    }
}
