//! `case.ruled`: what a disputed case counts as, and why. The latest ruling that was not taken back
//! counts.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::arbitration::{Act, Ruling};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseRuled(pub Ruling);

impl Event for CaseRuled {
    const KIND: &'static str = "case.ruled";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _: &EventContext, _: &[Role]) -> Option<String> {
        self.0.rationale.trim().is_empty().then(|| "a ruling must say why".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.arbitrated(self.0.case, Act::Ruled(Box::new(self.0)), stamp)
    }
}
