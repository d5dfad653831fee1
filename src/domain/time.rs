//! Points in time: milliseconds since 1970 in UTC, and the hybrid logical clock that orders
//! entries.
//!
//! The clock (Kulkarni et al., "Logical Physical Clocks", 2014) keeps `ms` near the wall clock and
//! counts `n` up where the wall clock stands still or goes back, so that an entry is always later
//! than every entry its writer had seen.

use std::sync::OnceLock;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Offset as _, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// A moment as documents have it: RFC 3339 in UTC. In events it is a number.
pub mod rfc3339 {
    use serde::{Serialize as _, Serializer};

    use super::Moment;

    pub fn serialize<S: Serializer>(at: &Moment, to: S) -> Result<S::Ok, S::Error> {
        at.rfc3339().serialize(to)
    }

    /// One that may be missing.
    pub mod option {
        use serde::{Serialize as _, Serializer};

        use super::super::Moment;

        pub fn serialize<S: Serializer>(at: &Option<Moment>, to: S) -> Result<S::Ok, S::Error> {
            at.map(Moment::rfc3339).serialize(to)
        }
    }
}

/// How far the zone of whoever reads is ahead of UTC at a moment, in seconds.
type Zone = fn(Moment) -> i32;
static ZONE: OnceLock<Zone> = OnceLock::new();

/// Has times shown to people in a zone; to be called once, by whoever knows where they are. Without
/// it, and in everything that programs read, times are in UTC.
pub fn show_times_in(zone: Zone) {
    // The first who says it is right: there is one reader.
    let _ = ZONE.set(zone);
}

fn offset(at: Moment) -> i32 {
    ZONE.get().map_or(0, |zone| zone(at))
}

impl Moment {
    /// Reads RFC 3339, with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp_millis()))
    }

    /// RFC 3339 in UTC with milliseconds.
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `2026-06-03 12:04Z`, or with its offset in the zone of whoever reads: `2026-06-03 14:04+02:00`.
    pub fn minute(self) -> String {
        match offset(self) {
            0 => self.minute_utc(),
            _ => self.local().format("%Y-%m-%d %H:%M%:z").to_string(),
        }
    }

    /// `2026-06-03 12:04Z`, in UTC for whoever reads: for what is the same on every device.
    pub fn minute_utc(self) -> String {
        self.utc().format("%Y-%m-%d %H:%MZ").to_string()
    }

    /// `due in 3h`, or `due 2d ago`.
    pub fn due_words(self, now: Self) -> String {
        let wait = self.0 - now.0;
        if wait > 0 {
            format!("due in {}", short_span(wait))
        } else {
            format!("due {} ago", short_span(wait))
        }
    }

    /// `12:04:11`, in the zone of whoever reads.
    pub fn clock(self) -> String {
        self.local().format("%H:%M:%S").to_string()
    }

    /// The zone of whoever reads, at that moment: `UTC`, or `UTC+02:00`.
    pub fn zone_words(self) -> String {
        match offset(self) {
            0 => "UTC".to_owned(),
            _ => self.local().format("UTC%:z").to_string(),
        }
    }

    /// Reads a time as people write it, in the zone of whoever reads where none is said: a day
    /// (its end), a day and a time with a blank or a `T`, with an offset or `Z` or without.
    pub fn parse_local(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text
            .strip_suffix("UTC")
            .map_or_else(|| text.to_owned(), |rest| format!("{}Z", rest.trim_end()));
        if let Some(at) = Self::parse(&text) {
            return Some(at);
        }
        // With an offset, seconds may be left out, and blanks stand where they like.
        let formats = [
            "%Y-%m-%dT%H:%M:%S%.f%:z",
            "%Y-%m-%d %H:%M:%S%.f%:z",
            "%Y-%m-%d %H:%M%:z",
            "%Y-%m-%dT%H:%M%:z",
        ];
        let with_zone = text.replace(" +", "+").replace(" -", "-");
        let with_zone =
            with_zone.strip_suffix('Z').map_or(with_zone.clone(), |rest| format!("{rest}+00:00"));
        if let Some(at) =
            formats.iter().find_map(|format| DateTime::parse_from_str(&with_zone, format).ok())
        {
            return Some(Self(at.timestamp_millis()));
        }
        let formats =
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
        let local =
            formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
        let end_of_day = || {
            let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?;
            day.and_hms_milli_opt(23, 59, 59, 999)
        };
        let wall = local.or_else(end_of_day)?.and_utc().timestamp_millis();
        // The offset that holds there; where clocks change, the later of two readings.
        let guess = Self(wall - i64::from(offset(Self(wall))) * 1000);
        Some(Self(wall - i64::from(offset(guess)) * 1000))
    }

    fn local(self) -> DateTime<FixedOffset> {
        let zone = FixedOffset::east_opt(offset(self)).unwrap_or_else(|| Utc.fix());
        self.utc().with_timezone(&zone)
    }

    /// The day, in UTC.
    pub fn date(self) -> NaiveDate {
        self.utc().date_naive()
    }

    /// The Monday, 0:00 UTC, of its week.
    pub fn monday(self) -> Self {
        let day = self.0.div_euclid(DAY_MS);
        Self((day - (day + 3).rem_euclid(7)) * DAY_MS)
    }

    /// The last moment of a day, in UTC.
    pub fn end_of(day: NaiveDate) -> Self {
        let end = day.and_hms_milli_opt(23, 59, 59, 999);
        Self(end.map_or(0, |end| end.and_utc().timestamp_millis()))
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Reads a length of time as people write it: `90m`, `12h`, `3d`, `2w`; in milliseconds.
pub fn parse_span(text: &str) -> Option<i64> {
    let units = [('m', 60_000), ('h', 3_600_000), ('d', 86_400_000), ('w', 604_800_000)];
    units.iter().find_map(|(unit, ms)| {
        let n: i64 = text.trim().strip_suffix(*unit)?.trim().parse().ok()?;
        n.checked_mul(*ms)
    })
}

/// A length of time in the fewest characters that tell it: `42s`, `7m`, `3h`, `12d`, `2y`.
pub fn short_span(ms: i64) -> String {
    let seconds = ms.unsigned_abs() / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        172_800..63_072_000 => format!("{}d", seconds / 86_400),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

/// Entries within one millisecond of a clock; a reading with more is nobody's.
pub const COUNTER_MAX: u32 = 1 << 20;

/// When an entry was written, by its writer's hybrid logical clock.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Hlc {
    /// Milliseconds since 1970, never behind what the writer had seen.
    pub ms: i64,
    /// Counts entries within one `ms`.
    pub n: u32,
}

impl Hlc {
    /// The reading after `self` when the wall clock shows `now`.
    pub fn next(self, now: Moment) -> Self {
        match self.n.checked_add(1).filter(|n| *n <= COUNTER_MAX) {
            _ if now.0 > self.ms => Self { ms: now.0, n: 0 },
            Some(n) => Self { ms: self.ms, n },
            None => Self { ms: self.ms.saturating_add(1), n: 0 },
        }
    }

    pub fn moment(self) -> Moment {
        Moment(self.ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_written_as_utc() {
        let at = Moment::parse("2024-06-03T10:00:00+05:30").unwrap();
        assert_eq!(at.rfc3339(), "2024-06-03T04:30:00.000Z");
        for bad in ["yesterday", "2024-06-03T25:61:00Z", "2024-06-03", ""] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_clock_only_goes_forward() {
        let first = Hlc::default().next(Moment(50));
        assert_eq!(first, Hlc { ms: 50, n: 0 });
        assert_eq!(first.next(Moment(10)), Hlc { ms: 50, n: 1 });
        assert_eq!(Hlc { ms: 50, n: COUNTER_MAX }.next(Moment(10)), Hlc { ms: 51, n: 0 });
        assert!(first.next(Moment(50)) < first.next(Moment(51)));
    }

    #[test]
    fn spans_are_short() {
        let cases =
            [(42_000, "42s"), (-420_000, "7m"), (3 * 3_600_000, "3h"), (5 * 86_400_000, "5d")];
        for (ms, expect) in cases {
            assert_eq!(short_span(ms), expect);
        }
    }
}
