//! Who has to act on a case that reviewers did not settle, and until when: a peer, then a lead,
//! then the owner.
//!
//! ```text
//!  escalated ──── peer ────▶ lead ────▶ owner        disputed ──── lead ────▶ owner        appealed ──── owner
//! ```
//!
//! Each has as many hours as the policy says. Nobody is kept from acting earlier, or later.

use serde::{Deserialize, Serialize};

use super::time::Moment;

const HOUR_MS: i64 = 3_600_000;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Any reviewer who has not labeled it.
    Peer,
    Lead,
    /// The lead whom the policy names as owner.
    Owner,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Peer, Self::Lead, Self::Owner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Lead => "lead",
            Self::Owner => "owner",
        }
    }
}

/// Hours that each level has; 0 passes a level over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Escalation {
    pub peer: u32,
    pub lead: u32,
    pub owner: u32,
}

impl Default for Escalation {
    fn default() -> Self {
        Self { peer: 24, lead: 48, owner: 72 }
    }
}

/// Where something stands that waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stands {
    pub level: Level,
    /// Until when that level has time. For the owner it may be over.
    pub due: Moment,
    /// The first level whose time ran out before this one got it, and when that was.
    pub missed: Option<(Level, Moment)>,
}

impl Escalation {
    pub fn hours(&self, level: Level) -> u32 {
        match level {
            Level::Peer => self.peer,
            Level::Lead => self.lead,
            Level::Owner => self.owner,
        }
    }

    /// Where something stands now that came to the level `first` at `since`.
    pub fn stands(&self, first: Level, since: Moment, now: Moment) -> Stands {
        let (mut due, mut missed) = (since, None);
        for level in Level::ALL.into_iter().filter(|level| *level >= first) {
            due = Moment(due.0 + i64::from(self.hours(level)) * HOUR_MS);
            if now < due || level == Level::Owner {
                return Stands { level, due, missed };
            }
            if self.hours(level) > 0 {
                missed = missed.or(Some((level, due)));
            }
        }
        Stands { level: Level::Owner, due, missed }
    }

    /// Reads `PEER:LEAD:OWNER`, hours each.
    pub fn parse(text: &str) -> Option<Self> {
        let hours: Vec<u32> = text
            .split(':')
            .map(|n| n.trim().parse().ok().filter(|n| *n <= 10_000))
            .collect::<Option<_>>()?;
        let [peer, lead, owner] = hours[..] else { return None };
        (owner > 0).then_some(Self { peer, lead, owner })
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_takes_it_from_one_level_to_the_next() {
        let hours = Escalation::parse("24:48:72").unwrap();
        let check = |hours: Escalation, first, now: i64, expect: (Level, i64)| {
            let stands = hours.stands(first, Moment(0), Moment(now * HOUR_MS));
            assert_eq!((stands.level, stands.due.0 / HOUR_MS), expect, "{first:?} after {now} h");
            stands.missed.map(|(level, due)| (level, due.0 / HOUR_MS))
        };
        let peers = Some((Level::Peer, 24));
        assert_eq!(check(hours, Level::Peer, 0, (Level::Peer, 24)), None);
        assert_eq!(check(hours, Level::Peer, 24, (Level::Lead, 72)), peers);
        assert_eq!(check(hours, Level::Peer, 72, (Level::Owner, 144)), peers, "the first is kept");
        assert_eq!(check(hours, Level::Peer, 1_000, (Level::Owner, 144)), peers);
        assert_eq!(check(hours, Level::Lead, 0, (Level::Lead, 48)), None);
        assert_eq!(
            check(hours, Level::Lead, 48, (Level::Owner, 120)),
            Some((Level::Lead, 48)),
            "a new clock does not hide that the last one ran out"
        );
        assert_eq!(check(hours, Level::Owner, 0, (Level::Owner, 72)), None);
        let no_peers = Escalation::parse("0:8:8").unwrap();
        assert_eq!(check(no_peers, Level::Peer, 0, (Level::Lead, 8)), None, "nobody missed that");
        assert_eq!(Escalation::parse("1:2"), None);
        assert_eq!(Escalation::parse("1:2:0"), None, "somebody has to have it in the end");
    }
}
