//! How the work stands, as one picture: what comes in and goes out, ages, where labels differ, what changed from week to week and
//! from version to version. Each number knows the cases behind it.
//!
//! Labels are read once and kept ([`Kept`]); from then on only cases that the journal has touched are read again. Everything else
//! is computed from what is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde::Deserialize;

use super::consistency::monday;
use super::disagreement::Disagreements;
use super::sla::{Owed, owed};
use super::{Protocols, gold};
use crate::db::case;
use crate::db::{arbitration, document, journal, label, renames};
use crate::domain::arbitration::{Act, latest_of_each};
use crate::domain::estimate::class_of;
use crate::domain::ids::{CaseId, ReplicaId};
use crate::domain::label::{GivenLabel, Outcome, value_text};
use crate::domain::policy::Policy;
use crate::domain::protocol::replay::translated;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::journal::entry::Body;
use crate::quality::agreement::{Agreement, Resampling, measure};
use crate::quality::divergence::Divergence;
use crate::quality::figure::Figure;
use crate::quality::ratings::Ratings;

const DAY_MS: i64 = 86_400_000;
/// Days of flow, and weeks, that are shown.
pub const DAYS: usize = 14;
pub const WEEKS: usize = 26;
/// Classes of the heat map; the rest are gathered.
pub const CLASSES_MAX: usize = 12;

/// A label that counts, by the names of today, without what figures do not need.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    given: GivenLabel,
    class: String,
    outcome: Outcome,
    path: Vec<(String, String)>,
}

/// Labels as they were read, and how far the journal was when they were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    heads: HashMap<ReplicaId, u64>,
    documents: (i64, i64),
    labels: BTreeMap<CaseId, Vec<Said>>,
}

/// The part of an event that says which case it is about.
#[derive(Deserialize)]
struct About {
    kind: String,
    case: Option<CaseId>,
}

impl Kept {
    /// Reads what changed since; everything if what changed is more than cases. Returns how many cases were read.
    pub fn refresh(&mut self, conn: &Connection, protocols: &Protocols) -> rusqlite::Result<usize> {
        let heads: HashMap<ReplicaId, u64> =
            journal::replicas(conn)?.into_iter().map(|row| (row.replica, row.head_seq)).collect();
        let documents = document::stamp(conn)?;
        let touched = if documents == self.documents { self.touched(conn, &heads)? } else { None };
        let ids: BTreeSet<CaseId> = match touched {
            Some(touched) => touched,
            None => {
                self.labels.clear();
                label::labeled_cases(conn)?.into_iter().collect()
            }
        };
        let renamed = renames::all(conn)?;
        for id in &ids {
            let labels = label::live_of_case(conn, *id)?;
            let said = |given: &GivenLabel| {
                let outcome = renamed.outcome(&given.label);
                let class = class_of(&outcome, &protocols.policy.on).unwrap_or_else(|| "nothing".to_owned());
                let path = translated(&protocols.after(&given.label.protocol), &given.label.path);
                let mut given = given.clone();
                // Words are read where they are shown.
                (given.label.rationale, given.label.seen) = (String::new(), None);
                (given.label.outcome, given.label.path) = (Outcome::new(), Vec::new());
                Said { class, outcome, path, given }
            };
            let said: Vec<Said> = latest_of_each(&labels).into_iter().map(said).collect();
            if said.is_empty() {
                self.labels.remove(id);
            } else {
                self.labels.insert(*id, said);
            }
        }
        (self.heads, self.documents) = (heads, documents);
        Ok(ids.len())
    }

    /// Whether somebody gave a label that counts.
    fn gave(&self, reviewer: &str, id: CaseId) -> bool {
        self.labels.get(&id).is_some_and(|said| said.iter().any(|one| one.given.label.reviewer == reviewer))
    }

    /// Cases that the journal tells of since; nothing if it tells of more than cases.
    fn touched(&self, conn: &Connection, heads: &HashMap<ReplicaId, u64>) -> rusqlite::Result<Option<BTreeSet<CaseId>>> {
        let mut touched = BTreeSet::new();
        for (replica, head) in heads {
            let known = self.heads.get(replica).copied().unwrap_or(0);
            if known > *head || (known == 0 && *head > 0) {
                return Ok(None);
            }
            for row in journal::between(conn, *replica, known + 1, *head)? {
                let Some(body) = Body::parse(&row.body) else { return Ok(None) };
                for raw in &body.events {
                    let Ok(About { kind, case }) = serde_json::from_str::<About>(raw.get()) else { return Ok(None) };
                    match (kind.split('.').next(), case) {
                        (Some("label" | "case" | "ruling" | "payload"), Some(case)) => drop(touched.insert(case)),
                        (Some("nudge" | "guard" | "session" | "training" | "gold"), _) => {}
                        // Whose labels count, or by which names, may be another matter now.
                        _ => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(touched))
    }
}

/// What came in and went out on a day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Day {
    pub from: Moment,
    pub detected: Vec<CaseId>,
    pub settled: Vec<CaseId>,
}

/// The cases last labeled in a week.
#[derive(Debug, Clone, PartialEq)]
pub struct WeekFigures {
    pub from: Moment,
    /// Cases with two labels or more, and those of them that differ in what counts.
    pub cases: Vec<CaseId>,
    pub differ: Vec<CaseId>,
    /// Krippendorff's nominal alpha.
    pub alpha: Figure,
}

/// Pairs of labels given under one version of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionFigures {
    pub protocol: String,
    pub version: u32,
    pub cases: Vec<CaseId>,
    pub divergence: Divergence,
    pub alpha: Figure,
}

/// Who says what where another says what: pairs of labels by their two classes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// In order; the last gathers what is rare, if there is more.
    pub classes: Vec<String>,
    /// By row and column, the lower place first.
    pub cells: BTreeMap<(usize, usize), Vec<CaseId>>,
}

/// A kind of edge case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CategoryFigures {
    pub resolved: Vec<CaseId>,
    /// Named by a label, and not resolved yet.
    pub pending: Vec<CaseId>,
}

/// How the work stands.
#[derive(Debug, Clone)]
pub struct Picture {
    pub now: Moment,
    pub labels: usize,
    pub states: BTreeMap<CaseState, Vec<CaseId>>,
    /// The latest last.
    pub days: Vec<Day>,
    /// Open cases by age: under a day, three days, a week, more.
    pub ages: [Vec<CaseId>; 4],
    pub categories: BTreeMap<String, CategoryFigures>,
    pub disagreements: Disagreements,
    /// Cases whose labels differ in what counts.
    pub differ: Vec<CaseId>,
    /// Cases that part at each question.
    pub parted_at: BTreeMap<String, Vec<CaseId>>,
    pub matrix: Matrix,
    pub weeks: Vec<WeekFigures>,
    pub versions: Vec<VersionFigures>,
    pub whole: Agreement,
    pub owed: Vec<Owed>,
    /// Rulings that say a question must change, and whose question has not changed since.
    pub notes: BTreeMap<String, Vec<CaseId>>,
    /// Causes of rulings that count.
    pub causes: BTreeMap<&'static str, Vec<CaseId>>,
}

/// Computes the picture from what is kept.
///
/// That labels differ on a case which somebody may still label would sway them: for `blind` it is counted, and not among the cases
/// behind a number.
pub fn picture(conn: &Connection, kept: &Kept, policy: &Policy, blind: Option<&str>, now: Moment) -> rusqlite::Result<Picture> {
    let mut found = Disagreements::default();
    let mut categories: BTreeMap<String, CategoryFigures> = BTreeMap::new();
    let mut states: BTreeMap<CaseState, Vec<CaseId>> = CaseState::ALL.into_iter().map(|state| (state, Vec::new())).collect();
    let mut ages: [Vec<CaseId>; 4] = Default::default();
    let today = now.0.div_euclid(DAY_MS);
    let mut days: Vec<Day> =
        (0..DAYS).map(|back| Day { from: Moment((today - (DAYS - 1 - back) as i64) * DAY_MS), ..Day::default() }).collect();
    let day_of = |at: Moment| (at.0.div_euclid(DAY_MS) - today + DAYS as i64 - 1).try_into().ok().filter(|at: &usize| *at < DAYS);
    let mut ruled: HashMap<CaseId, Moment> = HashMap::new();
    let mut causes: BTreeMap<&'static str, Vec<CaseId>> = BTreeMap::new();
    for (id, acts) in arbitration::all(conn)? {
        let labels = label::live_of_case(conn, id)?;
        if let Some(counting) = crate::domain::arbitration::ruling(&acts, &labels).filter(|counting| counting.appeal.is_none()) {
            causes.entry(counting.ruling.cause.word()).or_default().push(id);
        }
        let latest = acts.iter().filter(|done| matches!(done.act, Act::Ruled(_))).map(|done| done.at.moment()).max();
        ruled.extend(latest.map(|at| (id, at)));
    }
    case::for_each(conn, |row| {
        states.entry(row.state).or_default().push(row.id);
        if let Some(day) = day_of(row.at.moment()) {
            days[day].detected.push(row.id);
        }
        let said = kept.labels.get(&row.id);
        match row.state {
            CaseState::Open => {
                let age = (now.0 - row.at.moment().0) / DAY_MS;
                ages[usize::from(age >= 1) + usize::from(age >= 3) + usize::from(age >= 7)].push(row.id);
            }
            CaseState::Resolved => {
                let last = said.and_then(|said| said.iter().map(|said| said.given.given_at()).max());
                if let Some(day) = ruled.get(&row.id).copied().max(last).and_then(day_of) {
                    days[day].settled.push(row.id);
                }
            }
            CaseState::Disputed => {}
        }
        if row.state == CaseState::Resolved {
            if let Some(category) = row.outcome.as_ref().and_then(|outcome| outcome.get("category")) {
                categories.entry(value_text(category)).or_default().resolved.push(row.id);
            }
        } else {
            let named: BTreeSet<String> =
                said.into_iter().flatten().filter_map(|said| said.outcome.get("category")).map(value_text).collect();
            named.into_iter().for_each(|category| categories.entry(category).or_default().pending.push(row.id));
        }
    })?;
    let mut whole = Ratings::default();
    let mut weeks: BTreeMap<Moment, (Ratings, Vec<CaseId>, Vec<CaseId>)> = BTreeMap::new();
    let mut versions: BTreeMap<(String, u32), (Ratings, Vec<CaseId>, Divergence)> = BTreeMap::new();
    let mut pairs: BTreeMap<[String; 2], Vec<CaseId>> = BTreeMap::new();
    let mut labels = 0;
    for (id, said) in &kept.labels {
        labels += said.len();
        let task = id.to_string();
        said.iter().for_each(|one| whole.push(&task, &one.given.label.reviewer, &one.class));
        let Some(last) = said.iter().map(|one| one.given.given_at()).max().filter(|_| said.len() > 1) else { continue };
        let week = weeks.entry(monday(last)).or_default();
        said.iter().for_each(|one| week.0.push(&task, &one.given.label.reviewer, &one.class));
        week.1.push(*id);
        if said.iter().any(|one| one.class != said[0].class) {
            week.2.push(*id);
        }
        for (at, one) in said.iter().enumerate() {
            for two in &said[at + 1..] {
                let (first, second) = (&one.given.label.protocol, &two.given.label.protocol);
                let mut classes = [one.class.clone(), two.class.clone()];
                classes.sort();
                pairs.entry(classes).or_default().push(*id);
                if first.id == second.id {
                    found.compare([&one.given, &two.given], [(&one.path, &one.outcome), (&two.path, &two.outcome)], &policy.on);
                }
            }
        }
        let mut by_version: BTreeMap<(String, u32), Vec<&Said>> = BTreeMap::new();
        for one in said {
            let protocol = &one.given.label.protocol;
            by_version.entry((protocol.id.clone(), protocol.version)).or_default().push(one);
        }
        for (version, said) in by_version.into_iter().filter(|(_, said)| said.len() > 1) {
            let of = versions.entry(version).or_default();
            said.iter().for_each(|one| of.0.push(&task, &one.given.label.reviewer, &one.class));
            of.1.push(*id);
            for (at, one) in said.iter().enumerate() {
                said[at + 1..].iter().for_each(|two| {
                    of.2.count(&one.path, &two.path, one.class != two.class);
                });
            }
        }
    }
    let alpha = |ratings: Ratings| measure(&ratings.sorted(), Resampling { times: 200, seed: 1 }).krippendorff_alpha.nominal;
    let skip = weeks.len().saturating_sub(WEEKS);
    let week = |(from, (ratings, cases, differ)): (Moment, (Ratings, Vec<CaseId>, Vec<CaseId>))| WeekFigures {
        from,
        cases,
        differ,
        alpha: alpha(ratings),
    };
    let version = |((protocol, version), (ratings, cases, divergence)): ((String, u32), (Ratings, Vec<CaseId>, Divergence))| {
        VersionFigures { protocol, version, cases, divergence, alpha: alpha(ratings) }
    };
    let settled: BTreeSet<CaseId> = states.get(&CaseState::Resolved).into_iter().flatten().copied().collect();
    let measuring: BTreeSet<CaseId> = gold::all(conn)?.into_iter().map(|gold| gold.case).collect();
    let seen = |id: &CaseId| blind.is_none_or(|me| kept.gave(me, *id) || (settled.contains(id) && !measuring.contains(id)));
    found.splits.retain(|split| seen(&split.case));
    pairs.values_mut().for_each(|cases| cases.retain(seen));
    let differ = found.cases.iter().filter(|(_, tally)| tally.differ > 0).map(|(id, _)| *id).collect();
    let mut parted_at: BTreeMap<String, Vec<CaseId>> = BTreeMap::new();
    for split in &found.splits {
        let cases = parted_at.entry(split.question.clone()).or_default();
        if cases.last() != Some(&split.case) {
            cases.push(split.case);
        }
    }
    Ok(Picture {
        now,
        labels,
        states,
        days,
        ages,
        categories,
        disagreements: found,
        differ,
        parted_at,
        matrix: matrix(pairs),
        weeks: weeks.into_iter().skip(skip).map(week).collect(),
        versions: versions.into_iter().map(version).collect(),
        whole: measure(&whole.sorted(), Resampling { times: 200, seed: 1 }),
        owed: owed(conn, policy, now)?,
        notes: BTreeMap::new(),
        causes,
    })
}

/// The most frequent classes beside each other.
fn matrix(pairs: BTreeMap<[String; 2], Vec<CaseId>>) -> Matrix {
    let mut often: BTreeMap<&str, usize> = BTreeMap::new();
    for (classes, cases) in &pairs {
        classes.iter().for_each(|class| *often.entry(class).or_default() += cases.len());
    }
    let mut classes: Vec<(&str, usize)> = often.into_iter().collect();
    classes.sort_by(|(a, one), (b, two)| two.cmp(one).then(a.cmp(b)));
    let rest = classes.len() > CLASSES_MAX;
    let mut names: Vec<String> =
        classes.iter().take(CLASSES_MAX - usize::from(rest)).map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    if rest {
        names.push("(others)".to_owned());
    }
    let place = |name: &String| names.iter().position(|known| known == name).unwrap_or(names.len() - 1);
    let mut cells: BTreeMap<(usize, usize), Vec<CaseId>> = BTreeMap::new();
    for (classes, cases) in &pairs {
        let [a, b] = classes.each_ref().map(place);
        cells.entry((a.min(b), a.max(b))).or_default().extend(cases);
    }
    cells.values_mut().for_each(|cases| {
        cases.sort_unstable();
        cases.dedup();
    });
    Matrix { classes: names, cells }
}

impl Picture {
    /// Share of cases with two labels or more on which they differ; nothing if there are none.
    pub fn disagreement(&self) -> Option<f64> {
        let all = self.disagreements.cases.len();
        (all > 0).then(|| self.differ.len() as f64 / all as f64)
    }
}
