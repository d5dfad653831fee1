//! Times as logs write them: RFC 3339 and ISO 8601 with every way to write an offset, and seconds
//! or milliseconds since 1970.
//!
//! A time without an offset is read as UTC, and it is said that it has none. A zone's name (`CEST`) says nothing for sure: such a
//! time is none, and is not taken for UTC.

use chrono::{NaiveDate, NaiveDateTime};

use super::time::Moment;

/// Names of UTC itself.
const UTC: [&str; 4] = ["UTC", "GMT", "Z", "z"];
/// Names of zones that logs write after a time. Which offset they mean depends on who wrote them.
const ZONES: [&str; 42] = [
    "ACDT", "ACST", "AEDT", "AEST", "AKDT", "AKST", "ART", "AWST", "BRT", "BST", "CAT", "CDT",
    "CEST", "CET", "CLT", "CST", "EAT", "EDT", "EEST", "EET", "EST", "HKT", "HST", "ICT", "IST",
    "JST", "KST", "MDT", "MESZ", "MEZ", "MSK", "MST", "NZDT", "NZST", "PDT", "PKT", "PST", "SAST",
    "SGT", "WAT", "WEST", "WIB",
];

/// A time as a log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// As if it were UTC, where it says no zone.
    pub at: Moment,
    pub has_zone: bool,
}

/// The time that a whole text is.
pub fn moment_of(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let ms = if number.abs() < 1e11 { number * 1e3 } else { number };
        return (ms.abs() < 1e14).then_some(Written { at: Moment(ms as i64), has_zone: true });
    }
    let (at, rest) = beginning(text)?;
    rest.is_empty().then_some(at).flatten()
}

/// The time that a text begins with, and what follows it; no time where a zone makes it unsure.
fn beginning(text: &str) -> Option<(Option<Written>, &str)> {
    let mut reader = Reader { rest: text };
    let date = reader.date()?;
    let rest = reader
        .rest
        .strip_prefix(['T', 't', ' ', '_'])
        .or_else(|| reader.rest.strip_prefix("  "))?;
    reader.rest = rest;
    let time = reader.time()?;
    let local = NaiveDateTime::new(date, time).and_utc().timestamp_millis();
    Some(match reader.offset() {
        Offset::None => (Some(Written { at: Moment(local), has_zone: false }), reader.rest),
        Offset::Minutes(minutes) => {
            let at = Moment(local - minutes * 60_000);
            (Some(Written { at, has_zone: true }), reader.rest)
        }
        Offset::Unsure => (None, reader.rest),
    })
}

/// The first time that stands in a line of text.
pub fn first_in(line: &str) -> Option<Written> {
    let bytes = line.as_bytes();
    let begins = |i: usize| {
        bytes[i].is_ascii_digit()
            && (i == 0 || !(bytes[i - 1].is_ascii_alphanumeric() || bytes[i - 1] == b'-'))
            && line.is_char_boundary(i)
    };
    let (at, _) = (0..bytes.len()).filter(|i| begins(*i)).find_map(|i| beginning(&line[i..]))?;
    at
}

enum Offset {
    None,
    Minutes(i64),
    Unsure,
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    /// A number of exactly so many digits.
    fn digits(&mut self, n: usize) -> Option<u32> {
        let digits =
            self.rest.get(..n).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        let number = digits.parse().ok()?;
        self.rest = &self.rest[n..];
        Some(number)
    }

    fn take(&mut self, signs: &[char]) -> Option<char> {
        let sign = self.rest.chars().next().filter(|c| signs.contains(c))?;
        self.rest = &self.rest[sign.len_utf8()..];
        Some(sign)
    }

    /// `2026-06-03`, `2026/06/03` or `20260603`.
    fn date(&mut self) -> Option<NaiveDate> {
        let year = self.digits(4)?;
        let between = self.take(&['-', '/']);
        let month = self.digits(2)?;
        if let Some(between) = between {
            self.take(&[between])?;
        }
        let day = self.digits(2)?;
        NaiveDate::from_ymd_opt(year as i32, month, day)
    }

    /// `12:00`, `12:00:00`, `120000`, with a fraction after a point or a comma.
    fn time(&mut self) -> Option<chrono::NaiveTime> {
        let hour = self.digits(2)?;
        let between = self.take(&[':']);
        let minute = self.digits(2)?;
        let second = match between {
            Some(_) if self.take(&[':']).is_none() => 0,
            _ => self.digits(2)?,
        };
        let mut nanos = 0;
        let fraction = self
            .rest
            .strip_prefix(['.', ','])
            .map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        if let Some(digits) = fraction.filter(|digits| *digits > 0) {
            let text = format!("{:0<9}", &self.rest[1..=digits.min(9)]);
            nanos = text.parse().ok()?;
            self.rest = &self.rest[1 + digits..];
        }
        // A leap second is the last moment of its minute.
        let (second, nanos) = if second == 60 { (59, 999_999_999) } else { (second, nanos) };
        chrono::NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
    }

    /// `Z`, `+02:00`, `+0200`, `+02`, each also after a space; or a zone's name.
    fn offset(&mut self) -> Offset {
        let before = self.rest;
        let rest = before.strip_prefix(' ').unwrap_or(before);
        let word_end = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let word = &rest[..word_end];
        let alone = !rest[word_end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if UTC.contains(&word) && alone {
            self.rest = &rest[word_end..];
            return Offset::Minutes(0);
        }
        if ZONES.contains(&word) && alone {
            self.rest = &rest[word_end..];
            return Offset::Unsure;
        }
        let mut reader = Reader { rest };
        let minutes = reader.minutes();
        match minutes {
            Some(minutes) => {
                self.rest = reader.rest;
                Offset::Minutes(minutes)
            }
            None => Offset::None,
        }
    }

    fn minutes(&mut self) -> Option<i64> {
        let sign = if self.take(&['+', '-', '\u{2212}'])? == '+' { 1 } else { -1 };
        let hours = self.digits(2)?;
        let colon = self.take(&[':']).is_some();
        let minutes = match self.digits(2) {
            Some(minutes) => minutes,
            None if colon => return None,
            None => 0,
        };
        // What goes on is no offset: `-12345`, `-2026`.
        let goes_on = self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (hours <= 18 && minutes < 60 && !goes_on).then(|| sign * i64::from(hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        let expect = Some(Moment(1_717_372_801_000));
        for text in [
            "2024-06-03T00:00:01Z",
            "2024-06-03t00:00:01z",
            "2024-06-03 00:00:01 UTC",
            "2024-06-03 00:00:01 GMT",
            "2024/06/03 00:00:01",
            "20240603T000001Z",
            "20240603T020001+0200",
            "2024-06-03T02:00:01+02:00",
            "2024-06-03T02:00:01+0200",
            "2024-06-03T02:00:01+02",
            "2024-06-03 02:00:01 +0200",
            "2024-06-03 02:00:01 +02:00",
            "2024-06-02T19:00:01.000-05:00",
            "2024-06-03T05:30:01,000+05:30",
            "2024-06-03 00:00:01,000",
            "1717372801",
            "1717372801000",
        ] {
            assert_eq!(moment_of(text).map(|said| said.at), expect, "{text}");
        }
        let whole = |text: &str| moment_of(text).map(|said| (said.at, said.has_zone));
        assert_eq!(whole("2024-06-03T00:00Z"), Some((Moment(1_717_372_800_000), true)));
        assert_eq!(whole("2024-06-03 00:00:00"), Some((Moment(1_717_372_800_000), false)));
        assert_eq!(whole("1717372800"), Some((Moment(1_717_372_800_000), true)));
        assert_eq!(
            moment_of("2024-06-03T12:00:00,123456789+02:00").map(|said| said.at.0 % 1_000),
            Some(123)
        );
        for text in [
            "soon",
            "",
            "2024-06-03",
            "2024-13-03T00:00:01Z",
            "2024-06-03T25:00:01Z",
            "2024-06-03 00:00:01 CEST",
        ] {
            assert_eq!(moment_of(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_time_of_a_line_is_found_and_a_zone_that_may_be_any_is_none() {
        let at = |text: &str| Moment::parse(text);
        let check = |line: &str, expect: Option<Moment>| {
            assert_eq!(first_in(line).map(|said| said.at), expect, "{line}")
        };
        check("api.log 2017-05-16 00:00:00.008 25746 INFO x", at("2017-05-16T00:00:00.008Z"));
        check("2026-06-03T12:00:00+0200 INFO x", at("2026-06-03T10:00:00Z"));
        check("2026-06-03 12:00:00.000 +0200 INFO x", at("2026-06-03T10:00:00Z"));
        check("[2026-06-03T12:00:00,123+02:00] INFO x", at("2026-06-03T10:00:00.123Z"));
        check("2026-06-03 12:00:00 INFO GET /x", at("2026-06-03T12:00:00Z"));
        check("2026-06-03 12:00:00 POST -12345", at("2026-06-03T12:00:00Z"));
        check("2026-06-03 12:00:00 -12345 left", at("2026-06-03T12:00:00Z"));
        check("2026-06-03 12:00:00 CEST INFO x", None);
        check("Jun  3 12:00:00 host app: x", None);
        check("File \"x.py\", line 3", None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ms in 0_i64..4_000_000_000_000, hours in -12_i64..=14, minutes in prop::sample::select(vec![0_i64, 30, 45]), form in 0..6) {
            let offset = if hours < 0 { hours * 60 - minutes } else { hours * 60 + minutes };
            let local = chrono::DateTime::from_timestamp_millis(ms + offset * 60_000).unwrap();
            let sign = if offset < 0 { '-' } else { '+' };
            let (h, m) = (offset.abs() / 60, offset.abs() % 60);
            let text = match form {
                0 => format!("{}{sign}{h:02}:{m:02}", local.format("%Y-%m-%dT%H:%M:%S%.3f")),
                1 => format!("{}{sign}{h:02}{m:02}", local.format("%Y-%m-%dT%H:%M:%S%.3f")),
                2 => format!("{} {sign}{h:02}{m:02}", local.format("%Y-%m-%d %H:%M:%S,%3f")),
                3 => format!("{}{sign}{h:02}{m:02}", local.format("%Y%m%dT%H%M%S%.3f")),
                4 => format!("{} {sign}{h:02}:{m:02}", local.format("%Y/%m/%d %H:%M:%S%.3f")),
                _ => local.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            };
            let expect = if form == 5 { ms + offset * 60_000 } else { ms };
            prop_assert_eq!(moment_of(&text).map(|said| said.at), Some(Moment(expect)), "{}", text);
            let first = first_in(&format!("{text} INFO words"));
            prop_assert_eq!(first.map(|said| said.at), Some(Moment(expect)), "{}", text);
        }

        #[test]
        fn anything_may_stand_in_a_line(line in "\\PC{0,80}", digits in "[0-9 :,.TZ+-]{0,40}") {
            let _ = (first_in(&line), moment_of(&line), first_in(&digits), moment_of(&digits));
        }
    }
}
