//! What is known of the streams between two pieces of them.

use std::collections::HashMap;

use super::window::Window;
use crate::domain::ids::Hash;
use crate::trap::alarm::Alarms;
use crate::trap::order::Past;

/// What alarms, neighbours and traps go on from.
pub struct Following {
    pub alarms: Alarms,
    pub window: Window,
    /// What was kept of the alarms last.
    pub kept: Option<Hash>,
    /// What traps that decide by the order of lines remember, by the versions of their rules.
    pub pasts: HashMap<String, Past>,
}
