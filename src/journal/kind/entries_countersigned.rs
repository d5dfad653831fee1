//! `entries.countersigned`: a person's own SSH key signs a chain up to an entry. Whoever holds the
//! chain's key can from then on not add, drop or change an entry up to there without it being seen.

use serde::{Deserialize, Serialize};

use super::{Event, SshProof};
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntriesCountersigned {
    pub name: String,
    /// The chain, up to which entry, and its hash.
    pub replica: ReplicaId,
    pub through: u64,
    pub hash: Hash,
    /// Over [`EntriesCountersigned::statement`].
    pub ssh: SshProof,
}

impl EntriesCountersigned {
    /// What the SSH key signs.
    pub fn statement(
        workspace: Hash,
        name: &str,
        replica: ReplicaId,
        through: u64,
        hash: Hash,
    ) -> String {
        format!(
            "casework countersign {workspace}: {name}'s labels of replica {replica} through {through} {hash}\n"
        )
    }
}

impl Event for EntriesCountersigned {
    const KIND: &'static str = "entries.countersigned";
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.name != stamp.author).then(|| "who countersigns writes it themselves".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.name.clone();
        views.document("countersign", &name, 1, &self, stamp)
    }
}
