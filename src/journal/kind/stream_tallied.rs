//! `stream.tallied`: how many predictions of a stream and day were read, and how many each trap
//! flagged: from it the share is worked out that became cases.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::draw;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamTallied {
    pub stream: String,
    /// The UTC day, counted from 1970-01-01.
    pub day: i64,
    /// A hash of the ids that were read: the same lines read twice count once.
    pub source: String,
    pub read: u64,
    pub traps: Vec<TrapTally>,
    /// Rows that plug-ins could not tell, or were not asked about: a reading that missed fewer
    /// counts instead.
    #[serde(default, skip_serializing_if = "is_none_missed")]
    pub missed: u64,
    /// Whether all of it was counted before, under other traps: it is new to these alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_none_missed(missed: &u64) -> bool {
    *missed == 0
}

/// How many a trap flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrapTally {
    pub trap: String,
    pub version: String,
    pub flagged: u64,
    /// Those that no trap before it flagged; of one that samples the whole stream, those that no
    /// other flagged, taken or not. Over all traps they are all that was read.
    pub first: u64,
}

impl Event for StreamTallied {
    const KIND: &'static str = "stream.tallied";
    const VERSION: u32 = 3;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, _stamp: &EventContext) -> rusqlite::Result<()> {
        for of in &self.traps {
            let key = (self.stream.as_str(), self.day, self.source.as_str());
            let which = (of.trap.as_str(), of.version.as_str());
            draw::insert_tally(
                views.tx,
                key,
                which,
                [self.read, of.flagged, of.first, self.missed],
                self.again,
            )?;
        }
        Ok(())
    }
}
