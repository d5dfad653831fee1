//! `author.vouched`: a person's own SSH key says that a device writes for them, though its key is not
//! theirs: that of a workspace which is served.

use serde::{Deserialize, Serialize};

use super::{Event, SshProof};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorVouched {
    pub name: String,
    /// Over [`SshProof::statement`] of the workspace, the name, and the key of the device that wrote
    /// this.
    pub ssh: SshProof,
}

impl Event for AuthorVouched {
    const KIND: &'static str = "author.vouched";
    const ROLES: Option<&'static [Role]> = None;

    fn objection(&self, stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.name != stamp.author).then(|| "who vouches writes it themselves".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.name.clone();
        views.document("vouch", &name, 1, &self, stamp)
    }
}
