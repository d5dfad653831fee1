//! `session.opened`: a lead opens a calibration session over chosen cases.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::calibration::Opening;
use crate::domain::label::{GOLD_ROUND, MAIN_ROUND, REPEAT_ROUND};
use crate::domain::roster::{Role, is_name};
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionOpened(pub Opening);

impl Event for SessionOpened {
    const KIND: &'static str = "session.opened";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _: &EventContext, _: &[Role]) -> Option<String> {
        let name = &self.0.session;
        (!is_name(name) || [MAIN_ROUND, GOLD_ROUND, REPEAT_ROUND].contains(&name.as_str()))
            .then(|| format!("`{name}` can't be the name of a session"))
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("session opened", &self.0.session, 1, &self, stamp)
    }
}
