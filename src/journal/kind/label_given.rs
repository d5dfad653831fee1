//! `label.given`: a reviewer's answers on one case, and the outcome they lead to.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::label;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelGiven(pub Label);

impl Event for LabelGiven {
    const KIND: &'static str = "label.given";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Reviewer, Role::Lead, Role::Agent]);

    fn objection(&self, stamp: &EventContext, roles: &[Role]) -> Option<String> {
        let for_another = self.0.reviewer != stamp.author && !roles.contains(&Role::Lead);
        for_another.then(|| {
            format!(
                "{} may not label as {}: only a lead may, by an import",
                stamp.author, self.0.reviewer
            )
        })
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let given = GivenLabel {
            event: stamp.event,
            at: stamp.at,
            author: stamp.author.clone(),
            label: self.0,
        };
        views.change_case(given.label.case, |views| label::insert(views.tx, &given))
    }
}
