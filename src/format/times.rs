//! Times as other programs write them. One that says no zone is refused, or is of the zone that was
//! named: never taken for UTC without a word.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::domain::prediction::Reject;
use crate::domain::time::Moment;

/// The zone of times that say none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Offset(chrono::FixedOffset),
    Named(Tz),
}

impl Zone {
    pub const UTC: Self = Self::Named(Tz::UTC);

    /// `UTC`, `+02:00` or `Europe/Berlin`.
    ///
    /// # Errors
    /// No zone is called so.
    pub fn parse(text: &str) -> Result<Self, String> {
        let offset =
            text.starts_with(['+', '-']).then(|| text.parse().ok().map(Self::Offset)).flatten();
        offset.or_else(|| text.parse().ok().map(Self::Named)).ok_or_else(|| {
            format!("no time zone `{text}`: UTC, an offset as +02:00, or a name as Europe/Berlin")
        })
    }

    /// When a clock in this zone showed what UTC's would have shown at a moment; of an hour that comes twice
    /// the first, of one that never comes none.
    pub fn shown_as(self, local: Moment) -> Option<Moment> {
        let local = DateTime::from_timestamp_millis(local.0)?.naive_utc();
        let found = match self {
            Self::Offset(offset) => {
                offset.from_local_datetime(&local).earliest().map(|at| at.to_utc())
            }
            Self::Named(zone) => zone.from_local_datetime(&local).earliest().map(|at| at.to_utc()),
        };
        found.map(|at| Moment(at.timestamp_millis()))
    }

    fn moment(self, local: NaiveDateTime) -> Result<DateTime<Utc>, Reject> {
        let found = match self {
            Self::Offset(offset) => offset.from_local_datetime(&local).map(|at| at.to_utc()),
            Self::Named(zone) => zone.from_local_datetime(&local).map(|at| at.to_utc()),
        };
        match found {
            LocalResult::Single(at) => Ok(at),
            // The hour that comes twice in autumn, and the one that never comes in spring.
            LocalResult::Ambiguous(..) => {
                Err(Reject::BadTime(format!("{local}, which comes twice in that zone")))
            }
            LocalResult::None => {
                Err(Reject::BadTime(format!("{local}, which never comes in that zone")))
            }
        }
    }
}

/// How times are read.
#[derive(Debug, Clone, Default)]
pub struct Times {
    pub zone: Option<Zone>,
    /// How they are written (`%d.%m.%Y %H:%M:%S`), where not as a standard says.
    pub written: Option<String>,
    /// What stands for a time that is missing.
    pub missing: Option<Moment>,
}

impl Times {
    /// The time that a field named as one holds, as RFC 3339.
    ///
    /// # Errors
    /// It is missing, is none, or says no zone where none was named.
    pub fn read(&self, value: Option<&Value>) -> Result<String, Reject> {
        let text = match value {
            None | Some(Value::Null) => {
                return self.missing.map(Moment::rfc3339).ok_or(Reject::NoTime);
            }
            Some(Value::String(text)) if text.trim().is_empty() => {
                return self.missing.map(Moment::rfc3339).ok_or(Reject::NoTime);
            }
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => return Err(Reject::BadTime(head(&other.to_string()))),
        };
        self.of_text(&text)
    }

    fn of_text(&self, text: &str) -> Result<String, Reject> {
        if let Some(written) = &self.written {
            let bad =
                || Reject::BadTime(format!("{}, which is not written as {written}", head(text)));
            if let Ok(at) = DateTime::parse_from_str(text, written) {
                return Ok(out(at.to_utc()));
            }
            let local = NaiveDateTime::parse_from_str(text, written)
                .or_else(|_| {
                    NaiveDate::parse_from_str(text, written)
                        .map(|day| day.and_time(chrono::NaiveTime::MIN))
                })
                .map_err(|_| bad())?;
            return self.local(local);
        }
        if Moment::parse(text).is_some() {
            return Ok(text.to_owned());
        }
        if let Some(at) = since_1970(text) {
            return Ok(out(at));
        }
        let (local, utc) =
            match text.strip_suffix("UTC").map(str::trim_end).or_else(|| text.strip_suffix('Z')) {
                Some(rest) => (rest, true),
                None => (text, false),
            };
        for format in
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        {
            if let Ok(local) = NaiveDateTime::parse_from_str(local, format) {
                return if utc { Ok(out(local.and_utc())) } else { self.local(local) };
            }
        }
        // An offset without a colon, in hours alone, or after a blank.
        for format in
            ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"]
        {
            if let Ok(at) = DateTime::parse_from_str(text, format) {
                return Ok(out(at.to_utc()));
            }
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return self.local(day.and_time(chrono::NaiveTime::MIN));
        }
        Err(Reject::BadTime(head(text)))
    }

    fn local(&self, local: NaiveDateTime) -> Result<String, Reject> {
        match self.zone {
            Some(zone) => zone.moment(local).map(out),
            None => Err(Reject::NoZone),
        }
    }
}

fn head(text: &str) -> String {
    text.chars().take(40).collect()
}

fn out(at: DateTime<Utc>) -> String {
    use chrono::Timelike as _;
    let form = if at.nanosecond().is_multiple_of(1_000_000) {
        chrono::SecondsFormat::Millis
    } else {
        chrono::SecondsFormat::Nanos
    };
    at.to_rfc3339_opts(form, true)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, by their magnitude.
fn since_1970(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(n) = text.parse::<i64>() {
        let nanos: i128 = match n.unsigned_abs() {
            0..100_000_000_000 => i128::from(n) * 1_000_000_000,
            100_000_000_000..100_000_000_000_000 => i128::from(n) * 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => i128::from(n) * 1_000,
            _ => i128::from(n),
        };
        return i64::try_from(nanos).ok().map(DateTime::from_timestamp_nanos);
    }
    let number: f64 = text.parse().ok().filter(|n: &f64| n.is_finite() && n.abs() < 1e11)?;
    DateTime::from_timestamp_micros((number * 1e6).round() as i64)
}

#[test]
fn times_of_other_programs_are_read_or_refused() {
    let plain = Times::default();
    let check = |times: &Times, text: &str, expect: &str| {
        let found =
            times.read(Some(&Value::from(text))).unwrap_or_else(|reject| reject.to_string());
        assert!(found.starts_with(expect), "{text}: {found}");
    };
    check(&plain, "2021-04-10T00:23:26.0789529Z", "2021-04-10T00:23:26.0789529Z");
    check(&plain, "2024-06-03 00:03:25.875 UTC", "2024-06-03T00:03:25.875Z");
    check(&plain, "2024-06-03 00:03:25 +0200", "2024-06-02T22:03:25.000Z");
    check(&plain, "1717372800", "2024-06-03T00:00:00.000Z");
    check(&plain, "1717372800500", "2024-06-03T00:00:00.500Z");
    check(&plain, "1717372800500000", "2024-06-03T00:00:00.500Z");
    check(&plain, "1717372800500000001", "2024-06-03T00:00:00.500000001Z");
    check(&plain, "1717372800.5", "2024-06-03T00:00:00.500Z");
    check(&plain, "2020-09-01 03:10:01", "its time says no zone");
    check(&plain, "05.06.2024 21:19:29", "`occurred_at` is not");
    check(&plain, "", "no time");
    let berlin = Times {
        zone: Zone::parse("Europe/Berlin").ok(),
        written: Some("%d.%m.%Y %H:%M:%S".to_owned()),
        ..Times::default()
    };
    check(&berlin, "05.06.2024 21:19:29", "2024-06-05T19:19:29.000Z");
    check(
        &berlin,
        "27.10.2024 02:30:00",
        "`occurred_at` is not an RFC 3339 time: `2024-10-27 02:30:00, which comes twice",
    );
    assert!(Zone::parse("Mars").is_err() && Zone::parse("+02:00").is_ok());
}
