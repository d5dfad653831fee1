//! The one resolver: what a case counts as, given its labels and the policy. Nothing else answers
//! that.

use std::collections::BTreeMap;

use serde_json::Value;

use super::arbitration::{Done, Ruled, ruling};
use super::estimate::{Estimate, class_of};
use super::ids::{CaseId, EventId};
use super::label::{GivenLabel, Label, MAIN_ROUND, Outcome, that_count_in};
use super::paths::{Opinion, Paths};
use super::policy::{Policy, Rule};
use super::protocol::RenamedLabels;
use super::time::{Hlc, Moment};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseState {
    /// More labels are wanted.
    Open = 0,
    /// Enough reviewers looked, and they differ.
    Disputed = 1,
    /// Settled.
    Resolved = 2,
    /// More were flagged on its day than its traps take: nobody is asked about it.
    Unsampled = 3,
}

impl CaseState {
    /// Those of cases that people are asked about.
    pub const ALL: [Self; 3] = [Self::Open, Self::Disputed, Self::Resolved];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Disputed => "disputed",
            Self::Resolved => "resolved",
            Self::Unsampled => "unsampled",
        }
    }

    pub fn from_number(number: i64) -> Self {
        let all = [Self::Open, Self::Disputed, Self::Resolved, Self::Unsampled];
        all.into_iter().find(|state| *state as i64 == number).unwrap_or(Self::Open)
    }
}

/// How a case came to its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Everybody agrees.
    Unanimous = 0,
    /// More say so than say anything else.
    Majority = 1,
    /// A model of how reviewers answer is sure enough.
    Model = 2,
    /// Somebody ruled.
    Ruling = 3,
}

impl How {
    pub const ALL: [Self; 4] = [Self::Unanimous, Self::Majority, Self::Model, Self::Ruling];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unanimous => "unanimous",
            Self::Majority => "majority",
            Self::Model => "model",
            Self::Ruling => "ruling",
        }
    }

    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|how| *how as i64 == number)
    }
}

/// What the labels of a case come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    pub state: CaseState,
    /// The resolved outcome, if there is one.
    pub outcome: Option<Outcome>,
    /// How that came to be.
    pub how: Option<How>,
    /// Labels that count: one a reviewer.
    pub labels: usize,
}

/// What a case is resolved by, beside its labels.
#[derive(Debug, Clone, Copy)]
pub struct By<'b> {
    pub policy: &'b Policy,
    /// Labels and outcomes of earlier versions are compared by the names of today.
    pub renamed: &'b RenamedLabels,
    /// What is recorded of the reviewers for the policy's model of truth.
    pub estimate: Option<&'b Estimate>,
    /// What the model said, where the policy hears it.
    pub opinion: Option<Opinion<'b>>,
    /// The case; of those whose labels are in common, the first.
    pub case: CaseId,
}

/// Fewest labels of a case by which reviewers are known.
pub const LABELS_TO_LEARN: usize = 3;

/// Whether reviewers are known by a case, so that it takes more labels than it would.
pub fn teaches(case: CaseId, policy: &Policy) -> bool {
    let draw = case.0.iter().rev().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    policy.rule == Rule::Paths && draw % 100 < policy.learn_percent
}

/// Resolves a case from its labels (all that were given and not withdrawn) and from what was done
/// about it, both in any order.
///
/// A ruling that nobody appealed against, and that nobody contradicted at once, wins. Otherwise, in
/// the main round a reviewer's latest label counts. With `overlap` labels or more, the policy's rule decides on the fields it names; a
/// case it leaves undecided is disputed at `limit` labels. A model of truth decides by what is
/// recorded of reviewers, so that one label alone settles nothing where nothing is. The outcome is
/// the one that weighs most among the labels that agree on those fields, and of several the
/// earliest, so that it does not depend on delivery.
pub fn resolve(labels: &[GivenLabel], acts: &[Done], by: By<'_>) -> Resolution {
    let latest = that_count_in(labels, MAIN_ROUND);
    let count = latest.len();
    let undecided = |state| Resolution { state, outcome: None, how: None, labels: count };
    let decided = |(outcome, how)| Resolution {
        state: CaseState::Resolved,
        outcome: Some(outcome),
        how: Some(how),
        labels: count,
    };
    match ruling(acts, labels) {
        Some(ruled) if !ruled.stands() => return undecided(CaseState::Disputed),
        Some(Ruled { ruling, .. }) => {
            let outcome = by.renamed.of_version(ruling.protocol.as_ref(), &ruling.outcome);
            return decided((outcome, How::Ruling));
        }
        None => {}
    }
    let least = match teaches(by.case, by.policy) {
        true => LABELS_TO_LEARN.min(by.policy.limit as usize),
        false => 1,
    };
    if count < least.max(by.policy.overlap as usize) {
        return undecided(CaseState::Open);
    }
    match by_rule(&latest, by) {
        Some(outcome) => decided(outcome),
        None if count >= by.policy.limit as usize => undecided(CaseState::Disputed),
        None => undecided(CaseState::Open),
    }
}

fn by_rule(labels: &[&GivenLabel], by: By<'_>) -> Option<(Outcome, How)> {
    let By { policy, renamed, estimate, .. } = by;
    if let (Rule::Paths, Some(paths)) = (policy.rule, estimate.and_then(|of| of.paths.as_ref())) {
        let said = by_paths(labels, paths, by)?;
        let sure = said.belief * 100.0 >= f64::from(policy.sure_percent);
        return sure.then_some((said.outcome, How::Model));
    }
    let mut groups: BTreeMap<String, Vec<&GivenLabel>> = BTreeMap::new();
    for given in labels {
        groups.entry(ballot(&renamed.outcome(&given.label), &policy.on)).or_default().push(given);
    }
    let mut sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let alone = labels.len() == 1 && policy.limit > 1;
    let how = match policy.rule {
        rule if sizes.len() == 1 && !(alone && rule.model().is_some()) => How::Unanimous,
        Rule::DawidSkene | Rule::OneCoin | Rule::Hierarchical => {
            return by_model(labels, policy, renamed, estimate?);
        }
        Rule::Majority if sizes.first() > sizes.get(1) => How::Majority,
        _ => return None,
    };
    let largest = groups.values().max_by_key(|group| group.len())?;
    // One label, one vote, unless it is known who is right more often.
    let odds = |label: &Label| {
        let known = estimate.filter(|of| of.on == policy.on);
        let class = class_of(&renamed.outcome(label), &policy.on);
        known.zip(class).map_or(2.0, |(known, class)| known.odds(&label.reviewer, &class))
    };
    Some((weightiest(largest, renamed, odds)?, how))
}

/// The outcome that weighs most of labels that agree on what they are compared by; of several, the
/// earliest. Weights are odds. It is one that a person gave: what programs say alone is no outcome.
fn weightiest(
    labels: &[&GivenLabel],
    renamed: &RenamedLabels,
    odds: impl Fn(&Label) -> f64,
) -> Option<Outcome> {
    let mut outcomes: BTreeMap<String, (f64, &GivenLabel, Outcome)> = BTreeMap::new();
    for given in labels {
        let outcome = renamed.outcome(&given.label);
        let known = outcomes.entry(ballot(&outcome, &[])).or_insert((1.0, given, outcome));
        known.0 *= odds(&given.label);
        let order = |given: &GivenLabel| (given.label.is_of_program(), first_of(given));
        if order(given) < order(known.1) {
            known.1 = given;
        }
    }
    outcomes.retain(|_, (_, given, _)| !given.label.is_of_program());
    let heavier = |a: &(f64, &GivenLabel, Outcome), b: &(f64, &GivenLabel, Outcome)| {
        a.0.total_cmp(&b.0).then_with(|| first_of(b.1).cmp(&first_of(a.1)))
    };
    outcomes.into_values().max_by(heavier).map(|(.., outcome)| outcome)
}

/// The smaller came first.
fn first_of(given: &GivenLabel) -> (Hlc, EventId) {
    (given.at, given.event)
}

/// What a recorded estimate of how reviewers walk believes of a case.
struct Believed {
    outcome: Outcome,
    belief: f64,
}

/// Belief in what is compared, with the labels that say it.
type Ballots = BTreeMap<String, (f64, Vec<usize>)>;

/// What labels come to under an estimate of how reviewers walk, with the share of each label's
/// candidate.
fn ballots(labels: &[&GivenLabel], paths: &Paths, by: By<'_>) -> (Ballots, Vec<f64>) {
    let said: Vec<&Label> = labels.iter().map(|given| &given.label).collect();
    let weighed = paths.model().weighed(&said, by.opinion);
    let mut ballots = Ballots::new();
    let place = |at: usize| weighed.places.get(at).copied().flatten();
    for (at, given) in labels.iter().enumerate() {
        let Some(place) = place(at) else { continue };
        let ballot = ballot(&by.renamed.outcome(&given.label), &by.policy.on);
        let (belief, group) = ballots.entry(ballot).or_default();
        group.push(at);
        // Who walked alike and still differs, in a number say, shares the belief.
        let alike = weighed.places.iter().filter(|other| **other == Some(place)).count();
        *belief += weighed.shares[place] / alike as f64;
    }
    let share = |at: usize| place(at).map_or(0.0, |place| weighed.shares[place]);
    (ballots, (0..labels.len()).map(share).collect())
}

/// What most is believed of what somebody said: the model alone says nothing.
fn by_paths(labels: &[&GivenLabel], paths: &Paths, by: By<'_>) -> Option<Believed> {
    let (ballots, shares) = ballots(labels, paths, by);
    let first = |group: &[usize]| group.iter().map(|at| first_of(labels[*at])).min();
    let (belief, group) = ballots
        .into_values()
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| first(&b.1).cmp(&first(&a.1))))?;
    let of_people = group.into_iter().filter(|at| !labels[*at].label.is_of_program());
    let best = of_people.max_by(|a, b| {
        let earlier = || first_of(labels[*b]).cmp(&first_of(labels[*a]));
        shares[*a].total_cmp(&shares[*b]).then_with(earlier)
    })?;
    Some(Believed { outcome: by.renamed.outcome(&labels[best].label), belief })
}

/// Why an estimate of how reviewers walk settles a case as it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub belief: f64,
    /// The belief in the same without each one's label; nothing where nobody else says it.
    pub without: Vec<(String, Option<f64>)>,
    /// The same without the model, where it is heard.
    pub unheard: Option<f64>,
}

/// Who weighed what: nothing unless the case is settled by such an estimate.
pub fn explain(labels: &[GivenLabel], by: By<'_>) -> Option<Explained> {
    let paths = by.estimate?.paths.as_ref()?;
    let latest = that_count_in(labels, MAIN_ROUND);
    let Believed { outcome, belief } = by_paths(&latest, paths, by)?;
    let said = ballot(&outcome, &by.policy.on);
    let belief_by = |labels: &[&GivenLabel], by: By<'_>| {
        ballots(labels, paths, by).0.get(&said).map(|(belief, _)| *belief)
    };
    let without = latest.iter().enumerate().map(|(at, given)| {
        let others: Vec<&GivenLabel> = latest
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, given)| *given)
            .collect();
        (given.label.reviewer.clone(), belief_by(&others, by))
    });
    let without = without.collect();
    let unheard = by.opinion.and_then(|_| belief_by(&latest, By { opinion: None, ..by }));
    Some(Explained { belief, without, unheard })
}

/// How sure a recorded estimate is of what it says of a case's labels: 0 to 1.
pub fn belief(labels: &[GivenLabel], by: By<'_>) -> Option<f64> {
    let estimate = by.estimate?;
    let latest = that_count_in(labels, MAIN_ROUND);
    if let Some(paths) = &estimate.paths {
        return by_paths(&latest, paths, by).map(|said| said.belief);
    }
    let said: Vec<(&str, String)> = latest
        .iter()
        .filter_map(|given| {
            let class = class_of(&by.renamed.outcome(&given.label), &estimate.on)?;
            Some((given.label.reviewer.as_str(), class))
        })
        .collect();
    estimate.answer(&said).map(|(_, share)| share)
}

/// When what settles a case was said: the ruling that counts, or the last of the labels that do.
pub fn settled_at(labels: &[GivenLabel], acts: &[Done]) -> Option<Moment> {
    match ruling(acts, labels).filter(Ruled::stands) {
        Some(ruled) => Some(ruled.at.moment()),
        None => that_count_in(labels, MAIN_ROUND).iter().map(|given| given.given_at()).max(),
    }
}

/// What a recorded estimate is sure enough of, if somebody said it.
fn by_model(
    labels: &[&GivenLabel],
    policy: &Policy,
    renamed: &RenamedLabels,
    estimate: &Estimate,
) -> Option<(Outcome, How)> {
    let class = |given: &GivenLabel| class_of(&renamed.outcome(&given.label), &estimate.on);
    let said: Vec<(&str, String)> = labels
        .iter()
        .filter_map(|given| Some((given.label.reviewer.as_str(), class(given)?)))
        .collect();
    let (answer, share) = estimate.answer(&said).filter(|_| estimate.on == policy.on)?;
    if share * 100.0 < f64::from(policy.sure_percent) {
        return None;
    }
    let agreeing: Vec<&GivenLabel> =
        labels.iter().filter(|given| class(given).as_deref() == Some(answer)).copied().collect();
    let odds = |label: &Label| estimate.odds(&label.reviewer, answer);
    Some((weightiest(&agreeing, renamed, odds)?, How::Model))
}

/// What is compared: the named fields, a missing one being a value of its own; or the whole
/// outcome.
/// What of an outcome is compared: the fields that a policy names, or all.
pub fn ballot(outcome: &Outcome, on: &[String]) -> String {
    let fields: Vec<&Value> =
        on.iter().map(|field| outcome.get(field).unwrap_or(&Value::Null)).collect();
    let json =
        if on.is_empty() { serde_json::to_string(outcome) } else { serde_json::to_string(&fields) };
    json.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
    use crate::domain::label::{Label, MAIN_ROUND, ProtocolRef};
    use crate::domain::time::Hlc;

    fn given(seq: u64, reviewer: &str, verdict: &str) -> GivenLabel {
        let protocol = ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) };
        let mut label = Label::empty(CaseId([0; 16]), reviewer, MAIN_ROUND, protocol);
        label.outcome = [("verdict".to_owned(), Value::from(verdict))].into();
        GivenLabel {
            event: EventId { replica: ReplicaId([0; 16]), seq, n: 0 },
            at: Hlc { ms: seq as i64, n: 0 },
            author: reviewer.to_owned(),
            label,
        }
    }

    fn by<'b>(policy: &'b Policy, renamed: &'b RenamedLabels) -> By<'b> {
        By { policy, renamed, estimate: None, opinion: None, case: CaseId([0xFF; 16]) }
    }

    fn check(rule: Rule, labels: &[(&str, &str)], expect: (CaseState, Option<&str>)) {
        let policy = Policy { overlap: 2, limit: 3, rule, ..Policy::default() };
        let mut labels: Vec<_> =
            labels.iter().enumerate().map(|(i, (who, what))| given(i as u64, who, what)).collect();
        for _ in 0..2 {
            let resolution = resolve(&labels, &[], by(&policy, &RenamedLabels::default()));
            let outcome = resolution
                .outcome
                .as_ref()
                .map(|outcome| outcome["verdict"].as_str().unwrap().to_owned());
            assert_eq!((resolution.state, outcome.as_deref()), expect, "{labels:?}");
            labels.reverse();
        }
    }

    #[test]
    fn a_label_that_was_renamed_agrees_with_its_new_name() {
        let policy = Policy { overlap: 2, ..Policy::default() };
        let mut labels = vec![given(1, "a", "old"), given(2, "b", "new")];
        labels[1].label.protocol.version = 2;
        let renames = crate::domain::protocol::VersionRenames {
            protocol: "p".into(),
            version: 2,
            by_field: [("verdict".to_owned(), [("old".to_owned(), "new".to_owned())].into())]
                .into(),
        };
        assert_eq!(
            resolve(&labels, &[], by(&policy, &RenamedLabels::default())).state,
            CaseState::Open
        );
        let resolution = resolve(&labels, &[], by(&policy, &RenamedLabels(vec![renames])));
        assert_eq!(
            resolution.outcome.unwrap()["verdict"],
            "new",
            "by today's name, though the earliest says the old one"
        );
    }

    #[test]
    fn labels_settle_a_case_by_the_rule() {
        use CaseState::*;
        use Rule::*;
        check(Unanimous, &[], (Open, None));
        check(Unanimous, &[("a", "x")], (Open, None));
        check(Unanimous, &[("a", "x"), ("b", "x")], (Resolved, Some("x")));
        check(Unanimous, &[("a", "x"), ("b", "y")], (Open, None));
        check(Unanimous, &[("a", "x"), ("b", "y"), ("c", "x")], (Disputed, None));
        check(Majority, &[("a", "x"), ("b", "y"), ("c", "x")], (Resolved, Some("x")));
        check(Majority, &[("a", "x"), ("b", "y"), ("c", "z")], (Disputed, None));
        check(Unanimous, &[("a", "x"), ("b", "y"), ("a", "y")], (Resolved, Some("y")));
        // What programs say supports what somebody says, and is nothing by itself.
        check(Unanimous, &[("a", "x"), ("agent:m", "x")], (Resolved, Some("x")));
        check(Unanimous, &[("agent:m", "x"), ("agent:n", "x")], (Open, None));
        check(Majority, &[("a", "x"), ("agent:m", "y"), ("agent:n", "y")], (Disputed, None));
        check(Majority, &[("a", "x"), ("b", "y"), ("agent:m", "y")], (Resolved, Some("y")));
    }
}
