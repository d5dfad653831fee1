//! What is known of the streams, as it is kept from run to run.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::compared::Window;
use super::followed::Followed;
use super::waiting::Waiting;
use crate::domain::time::Moment;

/// What is kept from run to run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// By version of an alarm, stream and value of `by`.
    pub followed: BTreeMap<String, Followed>,
    /// By version, stream and start of the window.
    pub windows: BTreeMap<String, Window>,
    pub last: BTreeMap<String, Moment>,
    /// By version, stream and id of a canary: what was said of it last.
    pub canaries: BTreeMap<String, String>,
    /// Rows of each stream that were not looked at yet.
    #[serde(default)]
    pub waiting: BTreeMap<String, Waiting>,
    /// The versions of the rules for which those wait, in their order.
    #[serde(default)]
    pub waits_for: Vec<String>,
}

impl State {
    /// Has what `others` know of all streams but those that are one's own.
    pub fn merge<V>(&mut self, others: Self, own: &HashMap<String, V>) {
        fn mix<T, V>(
            ours: &mut BTreeMap<String, T>,
            others: BTreeMap<String, T>,
            own: &HashMap<String, V>,
            stream: fn(&str) -> &str,
        ) {
            ours.retain(|name, _| own.contains_key(stream(name)));
            ours.extend(others.into_iter().filter(|(name, _)| !own.contains_key(stream(name))));
        }
        // A key is a version, a stream, and what else there is.
        let second: fn(&str) -> &str = |name| name.split('\u{1f}').nth(1).unwrap_or_default();
        mix(&mut self.followed, others.followed, own, second);
        mix(&mut self.windows, others.windows, own, second);
        mix(&mut self.canaries, others.canaries, own, second);
        mix(&mut self.last, others.last, own, |name| name);
        mix(&mut self.waiting, others.waiting, own, |name| name);
    }
}

/// What something is known by of these parts.
pub fn key(parts: &[&str]) -> String {
    parts.join("\u{1f}")
}
