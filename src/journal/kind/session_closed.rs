//! `session.closed`: a calibration session is over.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::calibration::Ending;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionClosed(pub Ending);

impl Event for SessionClosed {
    const KIND: &'static str = "session.closed";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("session closed", &self.0.session, 1, &self, stamp)
    }
}
