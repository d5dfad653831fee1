//! How the work stands, as one snapshot: what comes in and goes out, ages, where labels differ,
//! what changed from week to week and from version to version. Each number knows the cases behind
//! it.
//!
//! It is made of sums that are kept ([`BoardSums`]) while labels come in: nothing is read or
//! compared anew for it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::sums::{BoardSums, DAY_MS, Sums};
use crate::domain::ids::CaseId;
use crate::domain::policy::Policy;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::quality::divergence::Divergence;
use crate::quality::figure::Figure;
use crate::review::disagreement::Tally;
use crate::review::right_at::RightAt;
use crate::review::sla::{DueItem, due_items_of};
use crate::review::{Blind, calibration, gold};

/// Days of flow, and weeks, that are shown.
pub const DAYS: usize = 14;
pub const WEEKS: usize = 26;
/// Classes of the heat map; the rest are gathered.
pub const CLASSES_MAX: usize = 12;

/// The cases behind a number: those that may be looked at, and those that are kept from whoever
/// looks. Each once, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    pub cases: Vec<CaseId>,
    pub left_out: Vec<CaseId>,
}

impl Counted {
    /// Counts cases of which those may be looked at that are `seen`.
    fn of(cases: impl IntoIterator<Item = CaseId>, seen: impl Fn(&CaseId) -> bool) -> Self {
        let cases: BTreeSet<CaseId> = cases.into_iter().collect();
        let (cases, left_out) = cases.into_iter().partition(seen);
        Self { cases, left_out }
    }

    pub fn n(&self) -> usize {
        self.cases.len() + self.left_out.len()
    }

    /// Adds what stands behind another number.
    pub fn extend(&mut self, more: &Self) {
        for (all, more) in [(&mut self.cases, &more.cases), (&mut self.left_out, &more.left_out)] {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
        }
    }
}

impl From<Vec<CaseId>> for Counted {
    fn from(cases: Vec<CaseId>) -> Self {
        Self { cases, left_out: Vec::new() }
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
    pub differ: Counted,
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
    pub cells: BTreeMap<(usize, usize), Counted>,
}

/// A kind of edge case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CategoryFigures {
    pub resolved: Vec<CaseId>,
    /// Named by a label, and not resolved yet.
    pub pending: Counted,
}

/// How the work stands.
#[derive(Debug, Clone)]
pub struct BoardSnapshot {
    pub now: Moment,
    pub labels: usize,
    pub states: BTreeMap<CaseState, Vec<CaseId>>,
    /// The latest last.
    pub days: Vec<Day>,
    /// Open cases by age: under a day, three days, a week, more.
    pub ages: [Vec<CaseId>; 4],
    pub categories: BTreeMap<String, CategoryFigures>,
    /// Cases with two labels or more.
    pub measured: Vec<CaseId>,
    pub divergence: Divergence,
    pub pairs: BTreeMap<[String; 2], Tally>,
    /// By what either of two labels named as category.
    pub by_category: BTreeMap<String, Tally>,
    /// Cases on which two reviewers part.
    pub diverged_by: BTreeMap<[String; 2], Counted>,
    /// Cases whose labels differ in what counts.
    pub differ: Counted,
    /// Cases that part at each question.
    pub diverged_at: BTreeMap<String, Counted>,
    pub matrix: Matrix,
    pub weeks: Vec<WeekFigures>,
    pub versions: Vec<VersionFigures>,
    /// Krippendorff's nominal alpha.
    pub alpha: Figure,
    pub due_items: Vec<DueItem>,
    /// The cases of calibration sessions for which somebody owes a label.
    pub sessions: BTreeMap<String, Vec<CaseId>>,
    /// Rulings that say a question must change, and whose question has not changed since.
    pub notes: BTreeMap<String, Vec<CaseId>>,
    /// Causes of rulings that count.
    pub causes: BTreeMap<&'static str, Vec<CaseId>>,
    /// What is ready for retraining and what was cut; which models came of it, and how good they
    /// turned out to be.
    pub retraining: Vec<LoopRow>,
    pub models: Vec<LoopRow>,
    /// How often each reviewer answers each question right, where that is recorded.
    pub right_at: Vec<RightAt>,
}

/// A line about retraining or models, with the cases behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoopRow {
    pub name: String,
    pub number: String,
    pub more: String,
    /// Somebody should look.
    pub warns: bool,
    /// Drawn as a bar, from 0 to 1.
    pub share: Option<f64>,
    pub behind: Counted,
}

/// Makes the snapshot of what is kept.
///
/// That labels differ on a case which `me` may still label would sway them: it is counted, and not
/// among the cases behind a number.
pub fn snapshot(
    conn: &Connection,
    kept: &mut BoardSums,
    policy: &Policy,
    (blind, me): (Blind, &str),
    now: Moment,
) -> rusqlite::Result<BoardSnapshot> {
    let weeks: Vec<Moment> = kept.sums().weeks.keys().rev().take(WEEKS).rev().copied().collect();
    let week_alphas: Vec<Figure> = weeks.iter().map(|from| kept.alpha_of_week(*from)).collect();
    let versions: Vec<(String, u32)> = kept.sums().versions.keys().cloned().collect();
    let version_alphas: Vec<Figure> =
        versions.iter().map(|version| kept.alpha_of_version(version)).collect();
    let alpha = kept.alpha();
    let (kept, sums) = (&*kept, kept.sums());
    let measuring: BTreeSet<CaseId> = gold::all(conn)?.into_iter().map(|gold| gold.case).collect();
    let seen = |id: &CaseId| {
        let state = kept.state(*id).unwrap_or(CaseState::Open);
        !blind.to(state, kept.gave(me, *id), measuring.contains(id))
    };
    let counted = |cases: &BTreeSet<CaseId>| Counted::of(cases.iter().copied(), seen);
    let mut categories: BTreeMap<String, CategoryFigures> = BTreeMap::new();
    for (category, cases) in sums.resolved.iter() {
        categories.entry(category.clone()).or_default().resolved = cases.iter().copied().collect();
    }
    for (category, cases) in sums.pending.iter() {
        categories.entry(category.clone()).or_default().pending = counted(cases);
    }
    let differ =
        sums.found.cases.iter().filter(|(_, tally)| tally.differ > 0).map(|(id, _)| *id).collect();
    let mut diverged_at: BTreeMap<String, Vec<CaseId>> = BTreeMap::new();
    let mut diverged_by: BTreeMap<[String; 2], Vec<CaseId>> = BTreeMap::new();
    for split in sums.found.splits.values().flatten() {
        diverged_at.entry(split.question.clone()).or_default().push(split.case);
        diverged_by.entry(split.reviewers.clone()).or_default().push(split.case);
    }
    let diverged_at = diverged_at.into_iter().map(|(at, cases)| (at, Counted::of(cases, seen)));
    let diverged_by = diverged_by.into_iter().map(|(by, cases)| (by, Counted::of(cases, seen)));
    let due_items = due_items_of(conn, kept.claims(), policy, now)?;
    let owing: BTreeSet<&str> =
        due_items.iter().filter_map(|item| item.session.as_deref()).collect();
    let mut sessions = BTreeMap::new();
    if !owing.is_empty() {
        let all = calibration::sessions(conn)?
            .into_iter()
            .filter(|session| owing.contains(session.name()));
        sessions.extend(all.map(|session| (session.name().to_owned(), session.opened.what.cases)));
    }
    let week = |(from, alpha): (Moment, Figure)| {
        let of = &sums.weeks[&from];
        WeekFigures {
            from,
            cases: of.cases.iter().copied().collect(),
            differ: counted(&of.differ),
            alpha,
        }
    };
    let version = |(key, alpha): ((String, u32), Figure)| {
        let of = &sums.versions[&key];
        let (cases, divergence) = (of.cases.iter().copied().collect(), of.divergence.clone());
        VersionFigures { protocol: key.0, version: key.1, cases, divergence, alpha }
    };
    Ok(BoardSnapshot {
        now,
        labels: sums.labels,
        states: CaseState::ALL.into_iter().map(|state| (state, sums.states.of(&state))).collect(),
        days: days(sums, now),
        ages: ages(sums, now),
        categories,
        measured: sums.found.cases.keys().copied().collect(),
        divergence: sums.found.divergence.clone(),
        pairs: sums.found.pairs.clone(),
        by_category: sums.found.categories.clone(),
        diverged_by: diverged_by.collect(),
        differ: counted(&differ),
        diverged_at: diverged_at.collect(),
        matrix: matrix(sums, seen),
        weeks: weeks.into_iter().zip(week_alphas).map(week).collect(),
        versions: versions.into_iter().zip(version_alphas).map(version).collect(),
        alpha,
        due_items,
        sessions,
        notes: BTreeMap::new(),
        retraining: Vec::new(),
        models: Vec::new(),
        right_at: Vec::new(),
        causes: sums
            .causes
            .iter()
            .map(|(cause, cases)| (*cause, cases.iter().copied().collect()))
            .collect(),
    })
}

/// The latest days, the latest last.
fn days(sums: &Sums, now: Moment) -> Vec<Day> {
    let today = now.0.div_euclid(DAY_MS);
    let day = |back: usize| {
        let day = today - (DAYS - 1 - back) as i64;
        Day {
            from: Moment(day * DAY_MS),
            detected: sums.detected.of(&day),
            settled: sums.settled.of(&day),
        }
    };
    (0..DAYS).map(day).collect()
}

/// Open cases: under a day, under three, under seven, more.
fn ages(sums: &Sums, now: Moment) -> [Vec<CaseId>; 4] {
    let mut ages: [Vec<CaseId>; 4] = Default::default();
    for (detected, id) in &sums.open {
        let age = (now.0 - detected.0) / DAY_MS;
        ages[usize::from(age >= 1) + usize::from(age >= 3) + usize::from(age >= 7)].push(*id);
    }
    ages
}

/// The most frequent classes beside each other.
fn matrix(sums: &Sums, seen: impl Fn(&CaseId) -> bool) -> Matrix {
    let mut often: BTreeMap<&str, usize> = BTreeMap::new();
    for (classes, cases) in sums.classes.iter() {
        classes.iter().for_each(|class| *often.entry(class).or_default() += cases.len());
    }
    let mut classes: Vec<(&str, usize)> = often.into_iter().collect();
    classes.sort_by(|(a, one), (b, two)| two.cmp(one).then(a.cmp(b)));
    let rest = classes.len() > CLASSES_MAX;
    let mut names: Vec<String> = classes
        .iter()
        .take(CLASSES_MAX - usize::from(rest))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    names.sort();
    if rest {
        names.push("(others)".to_owned());
    }
    let place =
        |name: &String| names.iter().position(|known| known == name).unwrap_or(names.len() - 1);
    let mut cells: BTreeMap<(usize, usize), Vec<CaseId>> = BTreeMap::new();
    for (classes, cases) in sums.classes.iter() {
        let [a, b] = classes.each_ref().map(place);
        cells.entry((a.min(b), a.max(b))).or_default().extend(cases);
    }
    let cells = cells.into_iter().map(|(at, cases)| (at, Counted::of(cases, &seen))).collect();
    Matrix { classes: names, cells }
}

impl BoardSnapshot {
    /// Share of cases with two labels or more on which they differ; nothing if there are none.
    pub fn disagreement(&self) -> Option<f64> {
        let all = self.measured.len();
        (all > 0).then(|| self.differ.n() as f64 / all as f64)
    }
}
