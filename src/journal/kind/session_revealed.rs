//! `session.revealed`: the first round of a calibration session is over, and all see all labels.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::calibration::Ending;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionRevealed(pub Ending);

impl Event for SessionRevealed {
    const KIND: &'static str = "session.revealed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("session revealed", &self.0.session, 1, &self, stamp)
    }
}
