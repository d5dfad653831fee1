//! What is done about cases on which reviewers differ: rulings, taking one back, appeals, and
//! labels that are returned to their author with a question.
//!
//! All of it are facts that only add up; what they come to is computed from all of them together.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::{CaseId, EventId};
use super::label::{GivenLabel, Label, MAIN_ROUND, Outcome, ProtocolRef, Step, that_count_in};
use super::time::Hlc;

/// Why reviewers differed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    AmbiguousInput,
    GuidelineGap,
    ReviewerError,
    TrueEdgeCase,
    Subjective,
    Other,
}

impl Cause {
    pub const ALL: [Self; 6] = [
        Self::AmbiguousInput,
        Self::GuidelineGap,
        Self::ReviewerError,
        Self::TrueEdgeCase,
        Self::Subjective,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousInput => "ambiguous_input",
            Self::GuidelineGap => "guideline_gap",
            Self::ReviewerError => "reviewer_error",
            Self::TrueEdgeCase => "true_edge_case",
            Self::Subjective => "subjective",
            Self::Other => "other",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::AmbiguousInput => "the input itself can be read in more than one way",
            Self::GuidelineGap => "the protocol does not say what to do here",
            Self::ReviewerError => "the protocol says it, and somebody answered otherwise",
            Self::TrueEdgeCase => "it lies between the categories there are",
            Self::Subjective => "a matter of judgement that no rule settles",
            Self::Other => "something else: the rationale says what",
        }
    }
}

impl FromStr for Cause {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|cause| cause.as_str() == word);
        found.ok_or_else(|| {
            format!("`{word}` is no cause: there are {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}

/// Where a protocol must change, in the eyes of whoever ruled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Id of the protocol, and the version that was in force.
    pub protocol: String,
    pub version: u32,
    /// The question that split the reviewers.
    pub question: String,
    /// What should change; empty: the ruling's rationale says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// What a disputed case counts as, decided by one person who did not see whose labels lay before
/// them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    pub case: CaseId,
    pub outcome: Outcome,
    /// The version by whose names the outcome is meant, and the way through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<ProtocolRef>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Step>,
    /// The label that it takes over; none if the case was answered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<EventId>,
    pub cause: Cause,
    pub rationale: String,
    /// The labels that lay before whoever ruled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<EventId>,
    /// Whether the protocol must change, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The rulings on the case that whoever ruled knew of: this one takes their place. What was
    /// ruled before rulings said so is taken to have known all earlier ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Vec<EventId>>,
}

/// Something that was done about a disputed case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Ruled(Box<Ruling>),
    /// A ruling counts no more.
    Withdrew {
        ruling: EventId,
        why: String,
    },
    /// Somebody who was overruled asks to have it looked at again.
    Appealed {
        ruling: EventId,
        why: String,
    },
    /// A label goes back to its author, with a question. It counts until they give another.
    Returned {
        label: EventId,
        reviewer: String,
        question: Option<String>,
        text: String,
    },
}

/// An act with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub event: EventId,
    pub at: Hlc,
    pub author: String,
    pub act: Act,
}

/// A ruling with its place in the journal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ruled<'a> {
    pub event: EventId,
    pub at: Hlc,
    pub author: &'a str,
    pub ruling: &'a Ruling,
    /// The appeal against it, which nothing has answered yet.
    pub appeal: Option<&'a Done>,
    /// A ruling of somebody else that says otherwise, and that whoever ruled did not know of.
    pub rival: Option<&'a Done>,
}

impl Ruled<'_> {
    /// Whether it settles the case: nobody appealed against it, and nobody ruled otherwise at once.
    pub fn stands(&self) -> bool {
        self.appeal.is_none() && self.rival.is_none()
    }
}

/// The rulings on a case that were not taken back.
fn not_taken_back(acts: &[Done]) -> impl Iterator<Item = (&Done, &Ruling)> {
    let back = |event: EventId| {
        acts.iter()
            .any(|done| matches!(&done.act, Act::Withdrew { ruling, .. } if *ruling == event))
    };
    acts.iter().filter_map(move |done| match &done.act {
        Act::Ruled(ruling) if !back(done.event) => Some((done, &**ruling)),
        _ => None,
    })
}

/// What a new ruling on a case takes the place of.
pub fn replaced_by_a_new_one(acts: &[Done]) -> Vec<EventId> {
    not_taken_back(acts).map(|(done, _)| done.event).collect()
}

/// The rulings on a case whose place none has taken, the latest first: of those that were not taken
/// back, all that no other knew of. A later one of the same person is what they mean.
fn standing(acts: &[Done]) -> Vec<(&Done, &Ruling)> {
    let mut all: Vec<(&Done, &Ruling)> = not_taken_back(acts).collect();
    all.sort_by_key(|(done, _)| std::cmp::Reverse((done.at, done.event)));
    let is_replaced = |(place, (done, _)): &(usize, &(&Done, &Ruling))| {
        let later = |at: usize| at < *place;
        all.iter().enumerate().any(|(at, (other, theirs))| match &theirs.replaces {
            Some(known) => {
                known.contains(&done.event) || (later(at) && other.author == done.author)
            }
            None => later(at),
        })
    };
    let left = all.iter().enumerate().filter(|one| !is_replaced(one));
    left.map(|(_, one)| *one).collect()
}

/// The ruling of a case that counts: the latest one whose place none has taken.
pub fn ruling<'a>(acts: &'a [Done], labels: &[GivenLabel]) -> Option<Ruled<'a>> {
    let all = standing(acts);
    let (done, ruling) = *all.first()?;
    let appeal = appeals_against(acts, labels, done.event).into_iter().next();
    let rival = all.iter().find(|(_, theirs)| theirs.outcome != ruling.outcome);
    let rival = rival.map(|(other, _)| *other);
    Some(Ruled { event: done.event, at: done.at, author: &done.author, ruling, appeal, rival })
}

/// The rulings on a case that contradict each other, the latest first: each by somebody who knew of
/// none of the others.
pub fn rivals(acts: &[Done]) -> Vec<&Done> {
    let mut all = standing(acts);
    let Some(last) = all.first().map(|(_, ruling)| ruling.outcome.clone()) else {
        return Vec::new();
    };
    if all.iter().all(|(_, ruling)| ruling.outcome == last) {
        return Vec::new();
    }
    let first = all.remove(0);
    all.retain(|(_, ruling)| ruling.outcome != last);
    std::iter::once(first).chain(all).map(|(done, _)| done).collect()
}

/// The appeals against a ruling that are weighed, the earliest first: of whose label was weighed,
/// the first of each.
pub fn appeals_against<'a>(
    acts: &'a [Done],
    labels: &[GivenLabel],
    ruling: EventId,
) -> Vec<&'a Done> {
    let may = |other: &&Done| {
        labels
            .iter()
            .any(|given| given.label.reviewer == other.author && given.label.round == MAIN_ROUND)
    };
    let first = acts.iter().filter(|other| is_first_appeal(acts, other)).filter(may);
    let mut found: Vec<&Done> = first.filter(|other| appeals(other, ruling)).collect();
    found.sort_by_key(|other| (other.at, other.event));
    found
}

fn appeals(done: &Done, event: EventId) -> bool {
    matches!(&done.act, Act::Appealed { ruling, .. } if *ruling == event)
}

/// Each reviewer may appeal once on a case: their first appeal counts.
fn is_first_appeal(acts: &[Done], done: &Done) -> bool {
    let theirs = acts
        .iter()
        .filter(|other| other.author == done.author && matches!(other.act, Act::Appealed { .. }));
    theirs
        .min_by_key(|other| (other.at, other.event))
        .is_some_and(|first| first.event == done.event)
}

/// Whether somebody has appealed on this case.
pub fn has_appealed(acts: &[Done], reviewer: &str) -> bool {
    acts.iter().any(|done| done.author == reviewer && matches!(done.act, Act::Appealed { .. }))
}

/// Labels that lie with their author, who was asked something about them: the latest question about
/// each.
pub fn returned<'a>(acts: &'a [Done], labels: &[GivenLabel]) -> Vec<&'a Done> {
    let mut standing: Vec<&Done> = Vec::new();
    for done in acts {
        let Act::Returned { label, .. } = &done.act else { continue };
        // A label given since answers it, and so does taking the label back.
        if that_count_in(labels, MAIN_ROUND).iter().any(|given| given.event == *label) {
            standing.retain(
                |other| !matches!(&other.act, Act::Returned { label: same, .. } if same == label),
            );
            standing.push(done);
        }
    }
    standing
}

/// The labels that count as whoever rules sees them: in an order that tells neither who gave one
/// nor when.
pub fn blind_order(labels: &[GivenLabel]) -> Vec<&GivenLabel> {
    let mut labels = that_count_in(labels, MAIN_ROUND);
    let drawn = |label: &Label| {
        *blake3::hash(&[&label.case.0[..], label.reviewer.as_bytes()].concat()).as_bytes()
    };
    labels.sort_by_key(|given| drawn(&given.label));
    labels
}

/// What a side is called: A, B, C …
pub fn side_name(place: usize) -> char {
    char::from(b'A' + place.min(25) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Hash, ReplicaId};

    fn event(seq: u64) -> EventId {
        EventId { replica: ReplicaId([0; 16]), seq, n: 0 }
    }

    fn done(seq: u64, author: &str, act: Act) -> Done {
        Done { event: event(seq), at: Hlc { ms: seq as i64, n: 0 }, author: author.to_owned(), act }
    }

    fn ruled(seq: u64) -> Done {
        let ruling = Ruling {
            case: CaseId([0; 16]),
            outcome: Outcome::new(),
            protocol: None,
            path: Vec::new(),
            takes: None,
            cause: Cause::Other,
            rationale: seq.to_string(),
            considered: Vec::new(),
            change: None,
            replaces: None,
        };
        done(seq, "lead", Act::Ruled(Box::new(ruling)))
    }

    fn appeal(seq: u64, author: &str, against: u64) -> Done {
        done(seq, author, Act::Appealed { ruling: event(against), why: String::new() })
    }

    #[test]
    fn the_latest_ruling_counts_until_it_is_taken_back_and_each_may_appeal_once() {
        let given = |reviewer: &str| {
            let protocol = ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) };
            let label = Label::empty(CaseId([0; 16]), reviewer, MAIN_ROUND, protocol);
            GivenLabel {
                event: event(0),
                at: Hlc { ms: 0, n: 0 },
                author: reviewer.to_owned(),
                label,
            }
        };
        let labels = [given("ana"), given("bo")];
        let withdrew = |seq, against| {
            done(seq, "lead", Act::Withdrew { ruling: event(against), why: String::new() })
        };
        let check = |acts: &[Done], expect: Option<(u64, Option<u64>)>| {
            let mut acts = acts.to_vec();
            for _ in 0..2 {
                let found = ruling(&acts, &labels)
                    .map(|ruled| (ruled.event.seq, ruled.appeal.map(|appeal| appeal.event.seq)));
                assert_eq!(found, expect, "{acts:?}");
                acts.reverse();
            }
        };
        check(&[], None);
        check(&[ruled(1), ruled(2)], Some((2, None)));
        check(&[ruled(1), ruled(2), withdrew(3, 2)], Some((1, None)));
        check(&[ruled(1), appeal(2, "ana", 1)], Some((1, Some(2))));
        check(&[ruled(1), appeal(2, "eve", 1)], Some((1, None)));
        let two = [
            ruled(1),
            appeal(3, "bo", 1),
            appeal(2, "ana", 1),
            appeal(4, "ana", 1),
            appeal(5, "eve", 1),
        ];
        check(&two, Some((1, Some(2))));
        let weighed: Vec<u64> =
            appeals_against(&two, &labels, event(1)).iter().map(|done| done.event.seq).collect();
        assert_eq!(weighed, [2, 3]);
        check(&[ruled(1), appeal(2, "ana", 1), ruled(3)], Some((3, None)));
        check(&[ruled(1), appeal(2, "ana", 1), ruled(3), appeal(4, "ana", 3)], Some((3, None)));
        check(&[ruled(1), appeal(2, "ana", 1), ruled(3), appeal(4, "bo", 3)], Some((3, Some(4))));
    }

    #[test]
    fn rulings_that_did_not_know_of_each_other_settle_nothing_until_somebody_rules_again() {
        let by = |seq, who: &str, says: &str, knew: Option<&[u64]>| {
            let Act::Ruled(ruling) = ruled(seq).act else { unreachable!() };
            let outcome = Outcome::from([("verdict".to_owned(), says.into())]);
            let replaces = knew.map(|knew| knew.iter().map(|seq| event(*seq)).collect());
            done(seq, who, Act::Ruled(Box::new(Ruling { outcome, replaces, ..*ruling })))
        };
        let withdrew = |seq, against| {
            done(seq, "lead", Act::Withdrew { ruling: event(against), why: String::new() })
        };
        let check = |acts: &[Done], counts: u64, stands: bool, contradict: &[u64]| {
            let mut acts = acts.to_vec();
            for _ in 0..2 {
                let found = ruling(&acts, &[]).map(|ruled| (ruled.event.seq, ruled.stands()));
                assert_eq!(found, Some((counts, stands)), "{acts:?}");
                let told: Vec<u64> = rivals(&acts).iter().map(|done| done.event.seq).collect();
                assert_eq!(told, contradict, "{acts:?}");
                acts.reverse();
            }
        };
        let (ana, bo) = (by(1, "ana", "wrong", Some(&[])), by(2, "bo", "right", Some(&[])));
        check(&[ana.clone(), bo.clone()], 2, false, &[2, 1]);
        check(&[ana.clone(), by(2, "bo", "right", Some(&[1]))], 2, true, &[]);
        check(&[ana.clone(), by(2, "bo", "wrong", Some(&[]))], 2, true, &[]);
        check(&[ana.clone(), by(2, "ana", "right", Some(&[]))], 2, true, &[]);
        check(&[ana.clone(), by(2, "bo", "right", None)], 2, true, &[]);
        check(&[ana.clone(), bo.clone(), by(3, "cy", "right", Some(&[1, 2]))], 3, true, &[]);
        check(&[ana.clone(), bo.clone(), by(3, "cy", "right", Some(&[2]))], 3, false, &[3, 1]);
        check(&[ana.clone(), bo.clone(), withdrew(3, 2)], 1, true, &[]);
        check(&[ana.clone(), bo.clone(), withdrew(3, 1)], 2, true, &[]);
        // Whose place was taken contradicts nobody, whoever did not know of it.
        let again = by(3, "ana", "right", Some(&[1]));
        check(&[ana.clone(), again, by(4, "bo", "right", Some(&[]))], 4, true, &[]);
        let known = by(3, "cy", "right", Some(&[1]));
        check(&[ana.clone(), known.clone(), by(4, "bo", "right", Some(&[]))], 4, true, &[]);
        check(&[ana, known, by(4, "bo", "wrong", Some(&[]))], 4, false, &[4, 3]);
        // Clocks do not decide what somebody knew.
        check(&[by(5, "ana", "wrong", Some(&[])), by(2, "bo", "right", Some(&[5]))], 2, true, &[]);
    }

    #[test]
    fn a_returned_label_lies_with_its_author_until_they_give_another() {
        let given = |seq: u64| {
            let protocol = ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) };
            let label = Label::empty(CaseId([0; 16]), "ana", MAIN_ROUND, protocol);
            GivenLabel {
                event: event(seq),
                at: Hlc { ms: seq as i64, n: 0 },
                author: "ana".to_owned(),
                label,
            }
        };
        let back = Act::Returned {
            label: event(1),
            reviewer: "ana".into(),
            question: None,
            text: "why?".into(),
        };
        let acts = [done(2, "lead", back)];
        assert_eq!(returned(&acts, &[given(1)]).len(), 1);
        assert_eq!(returned(&acts, &[given(1), given(3)]).len(), 0);
        assert_eq!(returned(&acts, &[]).len(), 0);
    }
}
