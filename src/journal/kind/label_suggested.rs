//! `label.suggested`: how a labeler, a program, would answer the questions of a case.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::suggestion::{self, SuggestionRow};
use crate::domain::ids::Hash;
use crate::domain::plugin::Suggestion;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelSuggested(pub Suggestion);

impl Event for LabelSuggested {
    const KIND: &'static str = "label.suggested";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn payload(raw: &str) -> Option<Hash> {
        #[derive(Deserialize)]
        struct Named {
            payload: Option<Hash>,
        }
        serde_json::from_str::<Named>(raw).ok()?.payload
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let row = SuggestionRow {
            event: stamp.event,
            at: stamp.at,
            author: stamp.author.clone(),
            suggestion: self.0,
        };
        views.forget_if_gone(row.suggestion.case, row.event)?;
        views.change_case(row.suggestion.case, |views| suggestion::insert(views.tx, &row))
    }
}
