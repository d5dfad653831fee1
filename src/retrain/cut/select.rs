//! The steps of a cut, each counted, so that what was read is what was dropped and what is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::recipe::{Counts, NEAR, Recipe, Then, count};
use super::split::{Grouped, Part, bounds, place};
use super::taking::{Candidate, Taking};
use super::told::Finished;
use super::{CutError, Member, Membership};
use crate::domain::ids::{CaseId, Hash, hex};
use crate::domain::near::{self, normal};

/// A row of an old training set.
#[derive(Debug, Clone, PartialEq)]
pub struct Old {
    pub text: String,
    pub label: String,
}

/// A row of a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub row: [u8; 8],
    pub of: Origin,
    pub part: Part,
    /// The draw and the group by which it went there; none of an old row, which is never drawn.
    pub u: f64,
    pub group: Arc<str>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    Case(Box<Candidate>),
    Old(Old),
}

/// The origin of a row that was mixed in.
pub const REPLAYED: &str = "replay";

/// The keys of a row of a cut, in the order of the alphabet: its line is what the cut's id is made
/// of.
#[derive(Serialize)]
struct Line<'l> {
    case: Option<CaseId>,
    category: Option<&'l str>,
    failure_mode: Option<&'l str>,
    id: Option<&'l str>,
    label: &'l str,
    occurred_at: Option<&'l str>,
    origin: &'static str,
    row: String,
    split: &'static str,
    stream: Option<&'l str>,
    text: &'l str,
}

impl Chosen {
    pub fn id(&self) -> String {
        hex(&self.row)
    }

    pub fn text(&self) -> &str {
        match &self.of {
            Origin::Case(case) => &case.text,
            Origin::Old(old) => &old.text,
        }
    }

    pub fn label(&self) -> &str {
        match &self.of {
            Origin::Case(case) => &case.label,
            Origin::Old(old) => &old.label,
        }
    }

    pub fn candidate(&self) -> Option<&Candidate> {
        match &self.of {
            Origin::Case(case) => Some(case),
            Origin::Old(_) => None,
        }
    }

    /// The row as it is written, without the end of the line.
    pub fn line(&self) -> String {
        let case = self.candidate();
        let occurred_at = case.map(|case| case.occurred_at.rfc3339());
        let line = Line {
            case: case.map(|case| case.case),
            category: case.and_then(|case| case.category.as_deref()),
            failure_mode: case.and_then(|case| case.failure_mode.as_deref()),
            id: case.map(|case| &*case.id),
            label: self.label(),
            occurred_at: occurred_at.as_deref(),
            origin: if case.is_some() { "case" } else { REPLAYED },
            row: self.id(),
            split: self.part.as_str(),
            stream: case.map(|case| &*case.stream),
            text: self.text(),
        };
        crate::db::to_json(&line)
    }
}

/// The id of a row: of its text as it is compared, its label and its case.
pub fn row_id(text: &str, label: &str, case: Option<CaseId>) -> [u8; 8] {
    let case = case.map(|case| case.to_string()).unwrap_or_default();
    let hash = Hash::of(format!("{}\n{label}\n{case}", normal(text)).as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&hash.0[..8]);
    id
}

/// Texts that must not come in, by the file they stand in.
pub struct Against {
    pub file: String,
    pub texts: Vec<String>,
}

/// A pair of a row and a text that must not come in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeakPair {
    pub file: String,
    /// The line of the file, from 1.
    pub line: usize,
    pub case: Option<CaseId>,
    pub jaccard: f64,
}

/// The same text with several labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    pub cases: Vec<CaseId>,
    pub labels: Vec<String>,
    /// What is learned of it; none where as many people said one as another.
    pub kept: Option<String>,
}

/// A cut.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    pub rows: Vec<Chosen>,
    pub read: u64,
    pub dropped: Counts,
    pub conflicts: Vec<Conflict>,
    pub leaks: Vec<LeakPair>,
    pub erased: Vec<CaseId>,
    /// Old rows that were read, dropped and taken.
    pub old_read: u64,
    pub old_dropped: Counts,
    pub old_taken: u64,
    /// Old rows that were asked for and are not there.
    pub old_lacking: u64,
}

impl Cut {
    /// What the cut is: the hash of its lines in their order; and which rows it has.
    pub fn sealed(&self) -> (Hash, Membership) {
        let mut hasher = blake3::Hasher::new();
        let member = |row: &Chosen| {
            let line = row.line();
            hasher.update(line.as_bytes());
            hasher.update(b"\n");
            let mut content = [0; 8];
            content.copy_from_slice(&Hash::of(line.as_bytes()).0[..8]);
            Member {
                row: row.row,
                case: row.candidate().map(|case| case.case),
                part: row.part,
                content: Some(content),
            }
        };
        let membership = self.rows.iter().map(member).collect();
        (Hash(*hasher.finalize().as_bytes()), membership)
    }

    pub fn splits(&self) -> Counts {
        self.counted(|row| Some(row.part.as_str()))
    }

    /// Rows by what `of` says of them.
    pub fn counted(&self, of: impl Fn(&Chosen) -> Option<&str>) -> Counts {
        let mut counts = Counts::new();
        self.rows.iter().filter_map(of).for_each(|name| count(&mut counts, name, 1));
        counts
    }
}

/// Takes candidates through the rest of the steps; `old` are the rows to be mixed in.
///
/// # Errors
/// Nothing is left, days are too few, or a row is in a file that it must not be in.
pub fn select(
    taking: Taking<'_>,
    against: &[Against],
    old: Vec<Old>,
) -> Result<(Cut, Finished), CutError> {
    let Taking { recipe, read, dropped, erased, candidates, kept, .. } = taking;
    let told = kept.finish().map_err(CutError::Kept)?;
    let mut cut = Cut { read, dropped, erased, old_read: old.len() as u64, ..Cut::default() };
    cut.erased.sort_unstable();
    let rows = distinct(candidates, &mut cut);
    let rows = unleaked(recipe, rows, against, &mut cut)?;
    let mut rows = placed(recipe, rows, &mut cut);
    capped(recipe, &mut rows, &mut cut)?;
    if rows.is_empty() {
        return Err(CutError::Empty(cut.dropped));
    }
    if let Some(replay) = &recipe.replay {
        let wanted = (replay.ratio * rows.len() as f64).round() as usize;
        let stratify = replay.stratify.is_some();
        let old = replayed(recipe, old, &rows, against, &mut cut, (wanted, stratify));
        rows.extend(old);
    }
    rows.sort_by_key(|row| row.row);
    cut.rows = rows;
    Ok((cut, told))
}

/// The label that most labels of one text say; none where as many say another.
fn most_said(same: &[Candidate]) -> Option<Arc<str>> {
    let mut votes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    same.iter().for_each(|one| *votes.entry(&one.label).or_default() += one.votes);
    let most = votes.values().copied().max()?;
    let mut first = votes.into_iter().filter(|(_, n)| *n == most).map(|(label, _)| label);
    first.next().filter(|_| first.next().is_none()).cloned()
}

/// One row of each text. Where a text has several labels, the one that most people said is learned
/// from, and none where as many said another.
fn distinct(candidates: Vec<Candidate>, cut: &mut Cut) -> Vec<Candidate> {
    // By hash: the texts once more would take as much memory as they do.
    let key = |row: &Candidate| Hash::of(normal(&row.text).as_bytes()).0;
    let mut keyed: Vec<([u8; 32], Candidate)> =
        candidates.into_iter().map(|row| (key(&row), row)).collect();
    keyed.sort_unstable_by_key(|(key, row)| (*key, row.case));
    let mut kept = Vec::with_capacity(keyed.len());
    let mut rows = keyed.into_iter().peekable();
    while let Some((key, first)) = rows.next() {
        if rows.peek().is_none_or(|(next, _)| *next != key) {
            kept.push(first);
            continue;
        }
        let mut same = vec![first];
        while let Some((_, row)) = rows.next_if(|(next, _)| *next == key) {
            same.push(row);
        }
        if same.iter().any(|one| one.label != same[0].label) {
            let kept = most_said(&same);
            let mut labels: Vec<String> = same.iter().map(|one| one.label.to_string()).collect();
            labels.sort_unstable();
            labels.dedup();
            let mut cases: Vec<CaseId> = same.iter().map(|one| one.case).collect();
            cases.sort_unstable();
            let said = kept.as_ref().map(ToString::to_string);
            cut.conflicts.push(Conflict { cases, labels, kept: said });
            let before = same.len();
            same.retain(|one| kept.as_ref() == Some(&one.label));
            count(&mut cut.dropped, "conflict", before - same.len());
            if same.is_empty() {
                continue;
            }
        }
        count(&mut cut.dropped, "duplicate", same.len() - 1);
        same.sort_by(|a, b| b.votes.cmp(&a.votes).then(a.case.cmp(&b.case)));
        kept.extend(same.into_iter().next());
    }
    cut.conflicts.sort_by(|a, b| a.cases.cmp(&b.cases));
    kept.sort_by_key(|row| (row.settled, row.case));
    kept
}

fn unleaked(
    recipe: &Recipe,
    rows: Vec<Candidate>,
    against: &[Against],
    cut: &mut Cut,
) -> Result<Vec<Candidate>, CutError> {
    let mut leaked: HashSet<usize> = HashSet::new();
    for other in against {
        let texts: Vec<&str> = rows.iter().map(|row| &*row.text).collect();
        let evaluation: Vec<&str> = other.texts.iter().map(String::as_str).collect();
        let pairs = near::pairs_across(&texts, &evaluation, recipe.leak.near);
        if recipe.leak.then == Then::Fail && !pairs.is_empty() {
            let named = |pair: &near::Pair| {
                format!(
                    "case {} and line {} ({:.2})",
                    rows[pair.a].case.short(),
                    pair.b + 1,
                    pair.jaccard
                )
            };
            let mut names: Vec<String> = pairs.iter().take(5).map(named).collect();
            if pairs.len() > 5 {
                names.push("…".to_owned());
            }
            let n = pairs.iter().map(|pair| pair.a).collect::<HashSet<_>>().len();
            return Err(CutError::Leak { n, file: other.file.clone(), pairs: names.join(", ") });
        }
        for pair in pairs {
            leaked.insert(pair.a);
            let (file, line) = (other.file.clone(), pair.b + 1);
            let case = Some(rows[pair.a].case);
            cut.leaks.push(LeakPair { file, line, case, jaccard: pair.jaccard });
        }
    }
    count(&mut cut.dropped, "leak", leaked.len());
    let kept = rows.into_iter().enumerate().filter(|(place, _)| !leaked.contains(place));
    Ok(kept.map(|(_, row)| row).collect())
}

/// Rows in their parts; those of groups that lie in several leave the training part.
fn placed(recipe: &Recipe, rows: Vec<Candidate>, cut: &mut Cut) -> Vec<Chosen> {
    let shares = recipe.split.shares();
    let several = shares.iter().filter(|share| **share > 0.0).count() > 1;
    let alike = if several && recipe.split.group.iter().any(|name| name == NEAR) {
        let texts: Vec<&str> = rows.iter().map(|row| &*row.text).collect();
        near::pairs(&texts, recipe.leak.near)
    } else {
        Vec::new()
    };
    let grouped: Vec<Grouped<'_>> =
        rows.iter().map(|row| Grouped { keys: &row.keys, text: &row.text }).collect();
    let places = place(&grouped, &alike, shares, &recipe.split.seed);
    let bridged = places.iter().filter(|one| one.bridged).count();
    count(&mut cut.dropped, "bridges", bridged);
    let kept = rows.into_iter().zip(places).filter(|(_, place)| !place.bridged);
    kept.map(|(row, place)| Chosen {
        row: row_id(&row.text, &row.label, Some(row.case)),
        part: place.part,
        u: place.u,
        group: place.group,
        of: Origin::Case(Box::new(row)),
    })
    .collect()
}

fn capped(recipe: &Recipe, rows: &mut Vec<Chosen>, cut: &mut Cut) -> Result<(), CutError> {
    let Some(caps) = &recipe.caps else { return Ok(()) };
    // Ids are hashes: the smallest are a draw that stays as rows come.
    rows.sort_by_key(|row| row.row);
    if let Some(most) = caps.rows {
        let before = rows.len();
        let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
        rows.retain(|row| {
            let keys = row.candidate().map_or(&[][..], |case| &case.caps);
            // What two people labeled is of both, and takes the room of both.
            let fits = keys.iter().all(|key| seen.get(key).is_none_or(|seen| *seen < most));
            if fits {
                keys.iter().for_each(|key| *seen.entry(key.clone()).or_default() += 1);
            }
            fits
        });
        count(&mut cut.dropped, "cap", before - rows.len());
    }
    if let Some(share) = caps.share_of_one_day {
        let day = |row: &Chosen| row.candidate().map(|case| case.occurred_at.date());
        let mut days: HashMap<_, usize> = HashMap::new();
        rows.iter().for_each(|row| *days.entry(day(row)).or_default() += 1);
        let least = (1.0 / share - 1e-9).ceil() as usize;
        if !rows.is_empty() && days.len() < least {
            return Err(CutError::Days { days: days.len(), share, least });
        }
        let fits = |most: usize| {
            let all: usize = days.values().map(|n| (*n).min(most)).sum();
            most as f64 <= share * all as f64 + 1e-9
        };
        let most = days.values().copied().max().unwrap_or(0);
        // Fewer of a day fit wherever more do not, down to one of each.
        let most = (1..=most).rev().find(|most| fits(*most)).unwrap_or(1);
        let before = rows.len();
        let mut seen: HashMap<_, usize> = HashMap::new();
        rows.retain(|row| {
            let seen = seen.entry(day(row)).or_default();
            *seen += 1;
            *seen <= most
        });
        count(&mut cut.dropped, "cap_of_one_day", before - rows.len());
    }
    Ok(())
}

/// Old rows to be mixed in: so many, none that measures and none that is new.
fn replayed(
    recipe: &Recipe,
    old: Vec<Old>,
    new: &[Chosen],
    against: &[Against],
    cut: &mut Cut,
    (wanted, stratify): (usize, bool),
) -> Vec<Chosen> {
    let mut seen: HashSet<String> = new.iter().map(|row| normal(row.text())).collect();
    let before = old.len();
    let mut old: Vec<Old> = old
        .into_iter()
        .filter(|row| {
            let text = normal(&row.text);
            !text.is_empty() && !row.label.trim().is_empty() && seen.insert(text)
        })
        .collect();
    count(&mut cut.old_dropped, "duplicate_or_empty", before - old.len());
    let measuring: Vec<&str> =
        new.iter().filter(|row| row.part != Part::Train).map(Chosen::text).collect();
    let mut leaked: HashSet<usize> = HashSet::new();
    {
        let texts: Vec<&str> = old.iter().map(|row| row.text.as_str()).collect();
        for other in against {
            let evaluation: Vec<&str> = other.texts.iter().map(String::as_str).collect();
            for pair in near::pairs_across(&texts, &evaluation, recipe.leak.near) {
                leaked.insert(pair.a);
                let (file, line) = (other.file.clone(), pair.b + 1);
                cut.leaks.push(LeakPair { file, line, case: None, jaccard: pair.jaccard });
            }
        }
        let own = near::pairs_across(&texts, &measuring, recipe.leak.near);
        leaked.extend(own.into_iter().map(|pair| pair.a));
    }
    count(&mut cut.old_dropped, "leak", leaked.len());
    let mut place = 0;
    old.retain(|_| {
        place += 1;
        !leaked.contains(&(place - 1))
    });
    let mut rows: Vec<Chosen> = old
        .into_iter()
        .map(|old| Chosen {
            row: row_id(&old.text, &old.label, None),
            part: Part::Train,
            u: 0.0,
            group: "".into(),
            of: Origin::Old(old),
        })
        .collect();
    rows.sort_by_key(|row| row.row);
    if stratify && wanted < rows.len() {
        let quota = quotas(&rows, wanted);
        let mut taken: HashMap<String, usize> = HashMap::new();
        rows.retain(|row| {
            let taken = taken.entry(row.label().to_owned()).or_default();
            *taken += 1;
            *taken <= quota.get(row.label()).copied().unwrap_or(0)
        });
    } else {
        cut.old_lacking = wanted.saturating_sub(rows.len()) as u64;
        rows.truncate(wanted);
    }
    cut.old_taken = rows.len() as u64;
    rows
}

/// How many of each label, in proportion, so that all come to `wanted`.
fn quotas(rows: &[Chosen], wanted: usize) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.label().to_owned()).or_default() += 1);
    let exact = |n: usize| wanted as f64 * n as f64 / rows.len() as f64;
    let mut quota: BTreeMap<String, usize> =
        counts.iter().map(|(label, n)| (label.clone(), exact(*n).floor() as usize)).collect();
    let mut rest: Vec<(f64, &String)> =
        counts.iter().map(|(label, n)| (exact(*n).fract(), label)).collect();
    rest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let lacking = wanted - quota.values().sum::<usize>();
    for (_, label) in rest.into_iter().take(lacking) {
        *quota.entry(label.clone()).or_default() += 1;
    }
    quota
}

/// Between which bounds the draw of a row led it to its part.
pub fn bounds_of(recipe: &Recipe, row: &Chosen) -> (f64, f64) {
    bounds(row.part, recipe.split.shares())
}
