//! The only caller of the clock. Everything else is told what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Moment;

/// What the wall clock shows.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How far the zone of whoever is here is ahead of UTC at a moment, in seconds: that of `TZ`, or the
/// machine's.
pub fn local_offset(at: Moment) -> i32 {
    use chrono::{Local, Offset as _, TimeZone as _, Utc};
    let utc = Utc.timestamp_millis_opt(at.0).single().unwrap_or_default();
    Local.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()
}

/// A point on the clock that never goes back, for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn instant() -> Instant {
    Instant::now()
}
