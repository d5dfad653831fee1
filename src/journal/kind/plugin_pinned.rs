//! `plugin.pinned`: a lead looked at a plug-in, and these files of it may run.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::plugin::{Pin, PluginKind};
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginPinned {
    pub name: String,
    /// `kind` is the event's own.
    #[serde(rename = "type")]
    pub does: PluginKind,
    #[serde(flatten)]
    pub pin: Pin,
}

impl Event for PluginPinned {
    const KIND: &'static str = "plugin.pinned";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let name = self.name.clone();
        views.document("plugin", &name, 0, &self, stamp)
    }
}
