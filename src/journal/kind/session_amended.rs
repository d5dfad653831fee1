//! `session.amended`: more people, more time, or a session that goes on after it was closed.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::calibration::Amendment;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionAmended(pub Amendment);

impl Event for SessionAmended {
    const KIND: &'static str = "session.amended";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("session amended", &self.0.session, 1, &self, stamp)
    }
}
