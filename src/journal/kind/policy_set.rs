//! `policy.set`: how the team works from now on. The latest one counts, for old cases too.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::document;
use crate::domain::policy::Policy;
use crate::domain::roster::Role;
use crate::journal::fold::{Fold, Stamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySet {
    pub policy: Policy,
}

impl PolicySet {
    /// The policy that counts now.
    pub fn current(conn: &Connection) -> rusqlite::Result<Policy> {
        let row = document::latest(conn, "policy")?;
        let set = row.and_then(|row| serde_json::from_str::<Self>(&row.body).ok());
        Ok(set.map(|set| set.policy).unwrap_or_default())
    }
}

impl Event for PolicySet {
    const KIND: &'static str = "policy.set";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &Stamp, _roles: &[Role]) -> Option<String> {
        let Policy { overlap, limit, .. } = self.policy;
        (overlap == 0 || limit < overlap).then(|| "overlap is at least 1, and limit at least overlap".to_owned())
    }

    fn fold(self, fold: &mut Fold<'_, '_>, stamp: &Stamp) -> rusqlite::Result<()> {
        fold.document("policy", "policy", 1, &self, stamp)?;
        fold.policy_changed()
    }
}
