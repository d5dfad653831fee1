//! `alarm.raised`: a stream changed. The same change that two devices see is one alarm.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::{CaseId, Hash};
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRaised {
    pub alarm: String,
    /// What names the exact rule.
    pub version: String,
    /// `warning`: it may be chance. None of what is sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    pub stream: String,
    /// The value for which it is raised, or that moved most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub window: AlarmWindow,
    pub statistic: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The mean, or the share of the value that moved most, before and now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// Cases that were drawn from its window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<CaseId>,
}

/// The rows for which an alarm was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmWindow {
    pub from: Moment,
    pub to: Moment,
    pub rows: u64,
}

impl AlarmRaised {
    /// Whether it is one that somebody has to look into.
    pub fn is_sure(&self) -> bool {
        self.level.is_none()
    }

    /// What it is known by, the same on every device.
    pub fn id(&self) -> String {
        let by = self.by.as_deref().unwrap_or_default();
        let to = self.window.to.0.to_string();
        let mut parts = [&self.alarm, &self.version, &self.stream, by, &to].join("\u{1f}");
        // A warning and an alarm of one row are two.
        if let Some(level) = &self.level {
            parts.push_str(&format!("\u{1f}{level}"));
        }
        Hash::of(parts.as_bytes()).to_string()[..8].to_owned()
    }
}

impl Event for AlarmRaised {
    const KIND: &'static str = "alarm.raised";
    const VERSION: u32 = 2;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let id = self.id();
        views.document("alarm raised", &id, 1, &self, stamp)
    }
}
