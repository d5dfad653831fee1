//! Alarms that were raised, and what was said of them.

use rusqlite::Connection;

use crate::db::document;
use crate::domain::time::Moment;
use crate::journal::kind::{AlarmClosed, AlarmRaised};

/// An alarm that was raised; what several devices saw is one.
#[derive(Debug, Clone, PartialEq)]
pub struct RaisedAlarm {
    pub id: String,
    pub raised: AlarmRaised,
    /// When it was first told.
    pub at: Moment,
    /// By whom and when it was closed, and with which words.
    pub closed: Option<(String, Moment, String)>,
}

impl RaisedAlarm {
    /// Whether somebody has to look into it.
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && self.raised.is_sure()
    }

    /// Whether it only warns, and nothing came of it since in `all`.
    pub fn still_warns(&self, all: &[Self]) -> bool {
        let same = |other: &&Self| {
            let (a, b) = (&self.raised, &other.raised);
            (&a.alarm, &a.stream, &a.by) == (&b.alarm, &b.stream, &b.by)
                && b.is_sure()
                && b.window.to >= a.window.to
        };
        self.closed.is_none() && !self.raised.is_sure() && !all.iter().any(|other| same(&other))
    }

    /// `alarm` or `warning`.
    pub fn level(&self) -> &'static str {
        if self.raised.is_sure() { "alarm" } else { "warning" }
    }

    /// What happened, in a line.
    pub fn words(&self) -> String {
        let colon = if self.raised.now.is_some() { ":" } else { "" };
        format!("{}{colon} {}", self.name(), self.moved())
    }

    /// Which alarm it is, and of which value.
    pub fn name(&self) -> String {
        let by = self.raised.by.as_ref().map_or(String::new(), |by| format!(" ({by})"));
        format!("{}{by}", self.raised.alarm)
    }

    /// From where to where it moved, as far as that is known, and in which stream.
    pub fn moved(&self) -> String {
        let of = &self.raised;
        let moved = match (of.before, of.now) {
            (Some(before), Some(now)) => format!("{before:.3} to {now:.3} "),
            (_, Some(now)) => format!("{now:.3} now "),
            _ => String::new(),
        };
        format!("{moved}in {}", of.stream)
    }
}

/// All of them, the latest first.
pub fn raised_alarms(conn: &Connection) -> rusqlite::Result<Vec<RaisedAlarm>> {
    let mut found: Vec<RaisedAlarm> = Vec::new();
    for row in document::of_kind(conn, "alarm raised")? {
        let Ok(raised) = serde_json::from_str::<AlarmRaised>(&row.body) else { continue };
        match found.iter_mut().find(|known| known.id == row.name) {
            Some(known) => known.at = known.at.min(row.at.moment()),
            None => {
                found.push(RaisedAlarm { id: row.name, raised, at: row.at.moment(), closed: None })
            }
        }
    }
    for row in document::of_kind(conn, "alarm closed")? {
        let Ok(AlarmClosed { note, .. }) = serde_json::from_str(&row.body) else { continue };
        if let Some(known) = found.iter_mut().find(|known| known.id == row.name) {
            // The first word counts.
            known.closed = Some((row.author, row.at.moment(), note));
        }
    }
    found.sort_by_key(|alarm| std::cmp::Reverse(alarm.raised.window.to));
    Ok(found)
}
