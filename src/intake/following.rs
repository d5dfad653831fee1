//! What is known of the streams between two pieces of them.

use super::window::Window;
use crate::domain::ids::Hash;
use crate::trap::alarm::Alarms;

/// What alarms and neighbours go on from.
pub struct Following {
    pub alarms: Alarms,
    pub window: Window,
    /// What was kept of the alarms last.
    pub kept: Option<Hash>,
}
