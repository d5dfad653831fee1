//! `session.revealed`: the first round of a calibration session is over, and all see all labels.
//! The secret half of the session's key is published, which opens what was sealed.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::sealed;
use crate::domain::calibration::Ending;
use crate::domain::roster::Role;
use crate::journal::agekey::Secret;
use crate::journal::entry::EventContext;
use crate::journal::sealed::opened;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionRevealed(pub Ending);

impl Event for SessionRevealed {
    const KIND: &'static str = "session.revealed";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let secret = self.0.key.as_deref().and_then(Secret::parse);
        if let Some(secret) = secret {
            sealed::publish(views.tx, &secret.recipient, &secret.text())?;
            for row in sealed::to(views.tx, &secret.recipient)? {
                if let Some(given) = opened(&row, &secret) {
                    sealed::delete(views.tx, row.event)?;
                    views.label_given(&given)?;
                }
            }
        }
        views.document("session revealed", &self.0.session, 1, &self, stamp)
    }
}
