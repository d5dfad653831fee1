//! The only caller of the clock. Everything else is told what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Moment;

/// What the wall clock shows.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A point on the clock that never goes back, for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn instant() -> Instant {
    Instant::now()
}
