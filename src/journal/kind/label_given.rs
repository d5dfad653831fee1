//! `label.given`: a reviewer's answers on one case, and the outcome they lead to.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelGiven(pub Label);

impl Event for LabelGiven {
    const KIND: &'static str = "label.given";
    const VERSION: u32 = 3;
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
        let mut label = self.0;
        // A logical clock that was ahead orders labels; when they were given is another matter.
        label.given_at = label.given_at.or(stamp.wall);
        let (event, at, author) = (stamp.event, stamp.at, stamp.author.clone());
        views.label_given(&GivenLabel { event, at, author, label })
    }
}
