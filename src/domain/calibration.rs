//! A calibration session: reviewers label the same cases blind, see all labels at once, talk about
//! them, and label again.
//!
//! ```text
//!  opened ── first round, blind ──▶ revealed ── talk, second round ──▶ closed
//!        ╰── closed before it was revealed: called off, and what was said stays its author's
//! ```
//!
//! The labels of a round count as they stood when the round ended: whoever ends it names them.

use serde::{Deserialize, Serialize};

use super::ids::{CaseId, EventId};
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
        };
        let end = |at, by| {
            fact(at, by, Ending { session: "s".into(), sealed: vec![], note: String::new() })
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
            fact(at, "ana", Amendment { session: "s".into(), adds, deadline, reopens })
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
