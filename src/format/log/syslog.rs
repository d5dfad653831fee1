//! Lines of syslog. RFC 5424 says everything; RFC 3164 says neither the year nor the zone, which have to
//! be named.

use chrono::NaiveDateTime;

use super::journald::SEVERITIES;
use super::{About, LogOptions, Unwrap, line_of};
use crate::format::times::Times;

pub fn claims(line: &str) -> bool {
    header(line).is_some_and(|(_, rest)| {
        rest.starts_with("1 ") || MONTHS.iter().any(|month| rest.starts_with(month))
    })
}

const MONTHS: [&str; 12] = [
    "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec ",
];

/// The number of a line, and what follows it.
fn header(line: &str) -> Option<(u8, &str)> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    Some((number.parse().ok()?, rest))
}

pub fn unwrap(options: LogOptions) -> Box<dyn Unwrap> {
    Box::new(Syslog(options))
}

struct Syslog(LogOptions);

impl Unwrap for Syslog {
    fn line(&mut self, line: &str, to: &mut Vec<String>) -> Result<(), String> {
        let (number, rest) = header(line).ok_or("no line of syslog")?;
        let level = SEVERITIES.get(usize::from(number % 8)).copied();
        match rest.strip_prefix("1 ") {
            Some(rest) => to.push(of_5424(rest, level).ok_or("not as RFC 5424 has it")?),
            None => to.push(self.of_3164(rest, level)?),
        }
        Ok(())
    }
}

fn word(rest: &str) -> Option<(Option<&str>, &str)> {
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    (!word.is_empty()).then_some(((word != "-").then_some(word), rest))
}

fn of_5424(rest: &str, level: Option<&'static str>) -> Option<String> {
    let (at, rest) = word(rest)?;
    let (_host, rest) = word(rest)?;
    let (app, rest) = word(rest)?;
    let (_process, rest) = word(rest)?;
    let (_id, rest) = word(rest)?;
    let (elements, message) = structured(rest)?;
    let trace = elements.iter().find_map(|(element, name, value)| {
        let names = element.starts_with("trace") && ["id", "trace_id"].contains(&name.as_str())
            || ["trace_id", "traceId"].contains(&name.as_str());
        names.then(|| value.clone())
    });
    let message = message.trim_start_matches(' ').trim_start_matches('\u{feff}');
    Some(line_of(message, About { at: at.map(str::to_owned), level, service: app, trace }))
}

/// Of structured data: the name of its element, its own, and what it says.
type Parameter = (String, String, String);

/// The parameters of structured data, each with its element's name; and what follows them.
fn structured(text: &str) -> Option<(Vec<Parameter>, &str)> {
    let mut found = Vec::new();
    if let Some(rest) = text.strip_prefix('-') {
        return Some((found, rest));
    }
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let end = inside.find([' ', ']'])?;
        let element = &inside[..end];
        rest = &inside[end..];
        loop {
            rest = rest.trim_start_matches(' ');
            if let Some(after) = rest.strip_prefix(']') {
                rest = after;
                break;
            }
            let (name, value) = rest.split_once("=\"")?;
            let mut out = String::new();
            let mut signs = value.char_indices();
            let end = loop {
                match signs.next()? {
                    (at, '"') => break at,
                    (_, '\\') => match signs.next()? {
                        (_, sign @ ('"' | '\\' | ']')) => out.push(sign),
                        (_, sign) => out.extend(['\\', sign]),
                    },
                    (_, sign) => out.push(sign),
                }
            };
            found.push((element.to_owned(), name.to_owned(), out));
            rest = &value[end + 1..];
        }
    }
    Some((found, rest))
}

impl Syslog {
    fn of_3164(&self, rest: &str, level: Option<&'static str>) -> Result<String, String> {
        let (Some(year), Some(zone)) = (self.0.year, self.0.zone) else {
            return Err(
                "lines of RFC 3164 say neither year nor zone: --year and --timezone name them"
                    .to_owned(),
            );
        };
        let time = rest.get(..15).ok_or("no time")?;
        let local = NaiveDateTime::parse_from_str(&format!("{year} {time}"), "%Y %b %e %H:%M:%S")
            .map_err(|_| format!("`{time}` is no time"))?;
        let times = Times { zone: Some(zone), ..Times::default() };
        let at = times
            .read(Some(&local.format("%Y-%m-%d %H:%M:%S").to_string().into()))
            .map_err(|reject| reject.to_string())?;
        let rest = rest[15..].trim_start();
        let (_host, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let tag = rest.split([':', '[', ' ']).next().unwrap_or_default();
        let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
        Ok(line_of(message, About { at: Some(at), level, service: Some(tag), trace: None }))
    }
}

#[test]
fn structured_data_is_read_with_its_escapes() {
    let (found, rest) =
        structured("[a@1 x=\"q \\\"w\\\" \\] \\\\\" y=\"2\"][b z=\"\"] the rest").unwrap();
    assert_eq!(found[0], ("a@1".to_owned(), "x".to_owned(), "q \"w\" ] \\".to_owned()));
    assert_eq!((found.len(), rest), (3, " the rest"));
    let options =
        LogOptions { year: Some(2024), zone: Some(crate::format::times::Zone::UTC), kind: None };
    let line =
        Syslog(options).of_3164("Jun  3 12:01:30 node app[7]: hello there", Some("info")).unwrap();
    assert_eq!(
        line,
        r#"{"ts":"2024-06-03T12:01:30.000Z","level":"info","service":"app","msg":"hello there"}"#
    );
    assert!(
        Syslog(LogOptions::default())
            .of_3164("Jun  3 12:01:30 node app: x", None)
            .unwrap_err()
            .contains("--year")
    );
}
