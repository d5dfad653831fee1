//! `plugin.pinned`: a lead looked at a plug-in, and these files of it may run.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::plugin::PluginKind;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginPinned {
    pub name: String,
    /// `kind` is the event's own.
    #[serde(rename = "type")]
    pub does: PluginKind,
    /// Of its file; of several, of the list that `sha256sum` prints of them.
    pub sha256: String,
    /// Program and arguments.
    pub run: Vec<String>,
}

impl Event for PluginPinned {
    const KIND: &'static str = "plugin.pinned";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.name.clone();
        views.document("plugin", &name, 0, &self, stamp)
    }
}
