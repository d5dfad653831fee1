//! A calibration session: reviewers label the same cases blind, see all labels at once, talk about
//! them, and label again.
//!
//! ```text
//!  opened ── first round, blind ──▶ revealed ── talk, second round ──▶ closed
//!        ╰── closed before it was revealed: called off, and what was said stays its author's
//! ```
//!
//! The labels of a round count as they stood when the round ended: whoever ends it names them.
//!
//! Until then those of a first round are sealed: encrypted to a key of the session, of which leads' devices have the
//! secret half, and to the device of who gave them. Revealing a session publishes that half.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{CaseId, EventId, ReplicaId};
use super::time::{Hlc, Moment};

/// What a session is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// Its name; the labels of its first round are of the round of that name.
    pub session: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    pub cases: Vec<CaseId>,
    /// How they were chosen, in words.
    pub chosen: String,
    /// Who takes part.
    pub reviewers: Vec<String>,
    /// Until when the first round is to be done.
    pub deadline: Moment,
    /// What its first round is sealed with; none in sessions of before there was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<Sealing>,
}

/// The key of a session, to which labels of its first round are encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealing {
    /// The public half: an age recipient.
    pub recipient: String,
    /// The secret half for each device of a lead: an age file, base64.
    pub keys: BTreeMap<ReplicaId, String>,
}

/// The end of a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    pub session: String,
    /// The labels of the round that count.
    pub sealed: Vec<EventId>,
    /// What was found, in the words of whoever ended it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The secret half of the session's key, by which all can read what was sealed: an age
    /// identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What a lead changes about a session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Amendment {
    pub session: String,
    /// Who takes part too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adds: Vec<String>,
    /// Until when the first round is to be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Moment>,
    /// It goes on where it was when it was closed or called off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopens: bool,
    /// The secret half of the session's key for more devices of leads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<ReplicaId, String>,
}

/// Something that happened to a session, with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact<T> {
    pub event: EventId,
    pub at: Hlc,
    pub by: String,
    pub what: T,
}

/// A session, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub opened: Fact<Opening>,
    /// In the order of time.
    pub amended: Vec<Fact<Amendment>>,
    pub revealed: Option<Fact<Ending>>,
    pub closed: Option<Fact<Ending>>,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Blind,
    Discussion,
    Closed,
    /// It was closed before it was revealed.
    CalledOff,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blind => "first round, blind",
            Self::Discussion => "revealed: discussion and second round",
            Self::Closed => "closed",
            Self::CalledOff => "cancelled",
        }
    }

    /// Whether all who take part see all labels.
    pub fn is_revealed(self) -> bool {
        matches!(self, Self::Discussion | Self::Closed)
    }

    /// Whether labels are given.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Blind | Self::Discussion)
    }
}

impl Calibration {
    /// Puts facts about one session together. Of several openings, revealings or closings the
    /// earliest counts; what ends a round counts only after what began it, and no closing counts
    /// after which it was reopened. Closed before it is revealed, a session is cancelled.
    pub fn of(
        opened: Vec<Fact<Opening>>,
        mut amended: Vec<Fact<Amendment>>,
        revealed: Vec<Fact<Ending>>,
        closed: Vec<Fact<Ending>>,
    ) -> Option<Self> {
        let opened = earliest(opened)?;
        amended.retain(|fact| fact.at > opened.at);
        amended.sort_by_key(|fact| (fact.at, fact.event));
        let reopened = amended.iter().rev().find(|fact| fact.what.reopens).map(|fact| fact.at);
        let after = |facts: Vec<Fact<Ending>>, at: Hlc| {
            earliest(facts.into_iter().filter(|fact| fact.at > at).collect())
        };
        let revealed = after(revealed, opened.at);
        let closed = after(closed, reopened.unwrap_or(opened.at));
        let called_off = matches!((&revealed, &closed), (Some(revealed), Some(closed)) if closed.at <= revealed.at);
        Some(Self { opened, amended, revealed: revealed.filter(|_| !called_off), closed })
    }

    pub fn name(&self) -> &str {
        &self.opened.what.session
    }

    pub fn stage(&self) -> Stage {
        match (&self.revealed, &self.closed) {
            (None, None) => Stage::Blind,
            (None, Some(_)) => Stage::CalledOff,
            (Some(_), None) => Stage::Discussion,
            (Some(_), Some(_)) => Stage::Closed,
        }
    }

    /// The rounds that its labels are of, the first and the second.
    pub fn rounds(&self) -> [String; 2] {
        [self.name().to_owned(), second_round(self.name())]
    }

    /// The round in which a label can be given now.
    pub fn round_now(&self) -> Option<String> {
        match self.stage() {
            Stage::Blind => Some(self.name().to_owned()),
            Stage::Discussion => Some(second_round(self.name())),
            Stage::Closed | Stage::CalledOff => None,
        }
    }

    /// Rounds whose labels nobody may see yet but their author.
    pub fn hidden_round(&self) -> Option<&str> {
        (!self.stage().is_revealed()).then(|| self.name())
    }

    /// What labels of a round are sealed with.
    pub fn sealing_of(&self, round: &str) -> Option<&Sealing> {
        self.opened.what.sealing.as_ref().filter(|_| round == self.name())
    }

    /// What a device was given of the secret half of its key, and may have been given again.
    pub fn keys_for(&self, device: ReplicaId) -> impl Iterator<Item = &str> {
        let opening = self.opened.what.sealing.iter().map(|sealing| &sealing.keys);
        let later = self.amended.iter().map(|fact| &fact.what.keys);
        opening.chain(later).filter_map(move |keys| keys.get(&device)).map(String::as_str)
    }

    /// Devices that were given it.
    pub fn key_holders(&self) -> Vec<ReplicaId> {
        let opening = self.opened.what.sealing.iter().map(|sealing| &sealing.keys);
        let later = self.amended.iter().map(|fact| &fact.what.keys);
        opening.chain(later).flat_map(BTreeMap::keys).copied().collect()
    }

    /// How it was revealed, where that is not by who opened it after its time: in words.
    pub fn forced(&self) -> Option<String> {
        let revealed = self.revealed.as_ref()?;
        let early = revealed.at.moment() < self.deadline();
        let another = revealed.by != self.opened.by;
        let when = if early { "before its deadline" } else { "" };
        let who = format!("by {}, not by {} who opened it", revealed.by, self.opened.by);
        match (early, another) {
            (false, false) => None,
            (true, false) => Some(format!("revealed {when}")),
            (false, true) => Some(format!("revealed {who}")),
            (true, true) => Some(format!("revealed {when} {who}")),
        }
    }

    /// Everybody who takes part, by name.
    pub fn reviewers(&self) -> Vec<&str> {
        let added = self.amended.iter().flat_map(|fact| &fact.what.adds);
        let mut all: Vec<&str> =
            self.opened.what.reviewers.iter().chain(added).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Until when the first round is to be done.
    pub fn deadline(&self) -> Moment {
        let latest = self.amended.iter().rev().find_map(|fact| fact.what.deadline);
        latest.unwrap_or(self.opened.what.deadline)
    }

    pub fn takes_part(&self, reviewer: &str) -> bool {
        self.reviewers().contains(&reviewer)
    }

    /// Whether somebody may sit in it: who takes part, and who opened it.
    pub fn sits_in(&self, name: &str) -> bool {
        self.takes_part(name) || self.opened.by == name
    }
}

/// No name of a session has a `#` in it.
fn second_round(session: &str) -> String {
    format!("{session}#2")
}

/// The session that a round is of.
pub fn session_of(round: &str) -> &str {
    round.strip_suffix("#2").unwrap_or(round)
}

fn earliest<T>(facts: Vec<Fact<T>>) -> Option<Fact<T>> {
    facts.into_iter().min_by_key(|fact| (fact.at, fact.event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ReplicaId;

    #[test]
    fn of_several_facts_the_earliest_counts_and_nothing_ends_before_it_began() {
        fn fact<T>(at: i64, by: &str, what: T) -> Fact<T> {
            let event = EventId { replica: ReplicaId([0; 16]), seq: at as u64, n: 0 };
            Fact { event, at: Hlc { ms: at, n: 0 }, by: by.to_owned(), what }
        }
        let opening = Opening {
            session: "s".into(),
            title: String::new(),
            cases: vec![],
            chosen: String::new(),
            reviewers: vec!["ana".into()],
            deadline: Moment(9),
            sealing: None,
        };
        let end = |at, by| {
            fact(
                at,
                by,
                Ending { session: "s".into(), sealed: vec![], note: String::new(), key: None },
            )
        };
        let open = || vec![fact(5, "bo", opening.clone()), fact(2, "ana", opening.clone())];
        let check = |revealed: &[i64], closed: &[i64], expect: (Stage, Option<&str>)| {
            let facts = |at: &[i64]| at.iter().map(|at| end(*at, "x")).collect();
            let session = Calibration::of(open(), vec![], facts(revealed), facts(closed)).unwrap();
            assert_eq!(
                (session.stage(), session.round_now().as_deref()),
                expect,
                "{revealed:?} {closed:?}"
            );
            assert_eq!(session.opened.by, "ana");
        };
        check(&[], &[], (Stage::Blind, Some("s")));
        check(&[1], &[], (Stage::Blind, Some("s")));
        check(&[7, 4], &[], (Stage::Discussion, Some("s#2")));
        check(&[7], &[6], (Stage::CalledOff, None));
        check(&[], &[6], (Stage::CalledOff, None));
        check(&[7], &[1], (Stage::Discussion, Some("s#2")));
        check(&[7], &[8], (Stage::Closed, None));
        assert_eq!(Calibration::of(vec![], vec![], vec![end(1, "x")], vec![]), None);
        // Reopened: closings before that count no more, whatever the order they come in.
        let amendment = |at, adds: &[&str], deadline: Option<i64>, reopens| {
            let adds = adds.iter().map(|name| (*name).to_owned()).collect();
            let deadline = deadline.map(Moment);
            let session = "s".into();
            fact(at, "ana", Amendment { session, adds, deadline, reopens, ..Amendment::default() })
        };
        let amended =
            || vec![amendment(9, &["cy"], None, true), amendment(6, &["bo"], Some(40), false)];
        let session =
            Calibration::of(open(), amended(), vec![end(7, "x")], vec![end(8, "x")]).unwrap();
        assert_eq!(
            (session.stage(), session.reviewers()),
            (Stage::Discussion, vec!["ana", "bo", "cy"])
        );
        assert_eq!(session.deadline(), Moment(40));
        assert!(session.takes_part("cy") && !session.takes_part("dee"));
        let again = vec![end(8, "x"), end(12, "x")];
        let session = Calibration::of(open(), amended(), vec![end(7, "x")], again).unwrap();
        assert_eq!((session.stage(), session.closed.unwrap().at.ms), (Stage::Closed, 12));
        let session = Calibration::of(open(), amended(), vec![], vec![end(8, "x")]).unwrap();
        assert_eq!(session.stage(), Stage::Blind, "called off, and open again");
    }
}
