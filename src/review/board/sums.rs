//! What figures are made of, kept while labels come in. Everything is read once; from then on a
//! case that the journal tells of is taken away from every sum as it stood, read, and added as it
//! stands.
//!
//! ```text
//!   journal ──► cases touched ──► take away ──► read ──► add ──► sums ──► snapshot
//! ```
//!
//! What tells of more than cases (a policy, a protocol, who is admitted) has everything read anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde::Deserialize;

use crate::db::case::{self, CaseRow};
use crate::db::note::{self, NoteKind};
use crate::db::{arbitration, document, journal, label, renames};
use crate::domain::arbitration::{Done, Ruled, ruling};
use crate::domain::estimate::class_of;
use crate::domain::ids::{CaseId, ReplicaId};
use crate::domain::label::{
    GivenLabel, MAIN_ROUND, Outcome, ProtocolRef, given_blind, that_count, value_text,
};
use crate::domain::policy::Copies;
use crate::domain::protocol::{Answered, RenamedLabels};
use crate::domain::resolve::{CaseState, settled_at};
use crate::domain::time::Moment;
use crate::journal::entry::Body;
use crate::journal::kind::{Event as _, SessionRevealed};
use crate::journal::views::evidence;
use crate::quality::agreement::{Patterns, Resampling, Tally, nominal_alpha};
use crate::quality::divergence::{Change, Divergence};
use crate::quality::figure::Figure;
use crate::quality::ratings::Ratings;
use crate::review::Protocols;
use crate::review::arbitration::{Escalation, escalations};
use crate::review::disagreement::Disagreements;
use crate::review::sla::DueCandidates;

pub(super) const DAY_MS: i64 = 86_400_000;
/// How intervals of kept figures are made.
pub(super) const RESAMPLING: Resampling = Resampling { times: 1_000, seed: 1 };

/// Cases by something.
#[derive(Debug, Clone, PartialEq)]
pub struct Index<K>(BTreeMap<K, BTreeSet<CaseId>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Index<K> {
    fn change(&mut self, key: K, id: CaseId, change: Change) {
        if change == Change::Add {
            self.0.entry(key).or_default().insert(id);
        } else if let Some(cases) = self.0.get_mut(&key) {
            cases.remove(&id);
            if cases.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    pub fn of(&self, key: &K) -> Vec<CaseId> {
        self.0.get(key).map(|cases| cases.iter().copied().collect()).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &BTreeSet<CaseId>)> {
        self.0.iter()
    }
}

/// A label that counts, by the names of today.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    reviewer: String,
    protocol: ProtocolRef,
    at: Moment,
    class: String,
    outcome: Outcome,
    answered: Answered,
}

/// A case as it stood when it was added to the sums.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    state: CaseState,
    detected: Moment,
    /// When what settles it was said, if it is settled.
    settled: Option<Moment>,
    /// As it was resolved.
    category: Option<String>,
    /// Why the ruling that counts was needed.
    cause: Option<&'static str>,
    said: Vec<Said>,
    /// What is compared, where that is not what counts: what was given blind.
    compared: Option<Vec<Said>>,
}

/// Cases with two labels or more that were last labeled in a week.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Week {
    pub tally: Tally,
    pub cases: BTreeSet<CaseId>,
    /// Those of them whose labels differ in what counts.
    pub differ: BTreeSet<CaseId>,
}

/// Pairs of labels given under one version of a protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Version {
    pub tally: Tally,
    pub cases: BTreeSet<CaseId>,
    pub divergence: Divergence,
}

/// A version of a protocol: its id, and its number.
pub type VersionKey = (String, u32);

/// The sums.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sums {
    pub labels: usize,
    pub states: Index<CaseState>,
    /// Open cases by when they were detected.
    pub open: BTreeSet<(Moment, CaseId)>,
    /// By day since 1970.
    pub detected: Index<i64>,
    pub settled: Index<i64>,
    /// By category: as resolved, and as some label of an unresolved case names it.
    pub resolved: Index<String>,
    pub pending: Index<String>,
    pub causes: Index<&'static str>,
    pub found: Disagreements,
    /// By the two classes, in order, of a pair of labels.
    pub classes: Index<[String; 2]>,
    pub whole: Tally,
    pub weeks: BTreeMap<Moment, Week>,
    pub versions: BTreeMap<VersionKey, Version>,
}

/// Alphas of what has not changed since they were computed.
#[derive(Debug, Clone, Default)]
struct Alphas {
    whole: Option<Figure>,
    weeks: HashMap<Moment, Figure>,
    versions: HashMap<VersionKey, Figure>,
}

/// Cases as they were read, how far the journal was when they were, and the sums over them.
#[derive(Debug, Clone, Default)]
pub struct BoardSums {
    heads: HashMap<ReplicaId, u64>,
    documents: (i64, i64),
    /// Fields that count in what is compared.
    on: Vec<String>,
    cases: BTreeMap<CaseId, Standing>,
    /// What is owed for those for which anything is.
    claims: BTreeMap<CaseId, DueCandidates>,
    sums: Sums,
    alphas: Alphas,
}

impl PartialEq for BoardSums {
    /// Whether both are of the same cases and come to the same sums; alphas are functions of these.
    fn eq(&self, other: &Self) -> bool {
        (&self.heads, self.documents, &self.on) == (&other.heads, other.documents, &other.on)
            && (&self.cases, &self.claims, &self.sums) == (&other.cases, &other.claims, &other.sums)
    }
}

/// The part of an event that says which case it is about.
#[derive(Deserialize)]
struct About {
    kind: String,
    case: Option<CaseId>,
}

/// By which names labels are read.
struct Reader<'r> {
    protocols: &'r Protocols,
    renamed: RenamedLabels,
}

impl Reader<'_> {
    fn said(&self, given: &GivenLabel) -> Said {
        let outcome = self.renamed.outcome(&given.label);
        Said {
            reviewer: given.label.reviewer.clone(),
            protocol: given.label.protocol.clone(),
            at: given.given_at(),
            class: class_of(&outcome, &self.protocols.policy.on)
                .unwrap_or_else(|| "nothing".to_owned()),
            answered: self.protocols.answered(&given.label),
            outcome,
        }
    }
}

impl Standing {
    fn of(row: &CaseRow, reader: &Reader<'_>, acts: &[Done], labels: &[GivenLabel]) -> Self {
        let read = |labels: Vec<&GivenLabel>| -> Vec<Said> {
            labels.into_iter().map(|given| reader.said(given)).collect()
        };
        let main: Vec<&GivenLabel> =
            labels.iter().filter(|given| given.label.round == MAIN_ROUND).collect();
        let is_late = main.iter().any(|given| given.label.after_others);
        let compared = is_late.then(|| read(given_blind(main.iter().copied())));
        let category =
            row.outcome.as_ref().and_then(|outcome| outcome.get("category")).map(value_text);
        let counting = ruling(acts, labels).filter(Ruled::stands);
        Self {
            state: row.state,
            detected: row.at.moment(),
            settled: settled_at(labels, acts).filter(|_| row.state == CaseState::Resolved),
            category: category.filter(|_| row.state == CaseState::Resolved),
            cause: counting.map(|counting| counting.ruling.cause.as_str()),
            said: read(that_count(main)),
            compared,
        }
    }

    fn compared(&self) -> &[Said] {
        self.compared.as_ref().unwrap_or(&self.said)
    }
}

impl BoardSums {
    /// Reads what changed since; everything if what changed is more than cases. Returns how many
    /// cases were read.
    pub fn refresh(&mut self, conn: &Connection, protocols: &Protocols) -> rusqlite::Result<usize> {
        let heads: HashMap<ReplicaId, u64> =
            journal::replicas(conn)?.into_iter().map(|row| (row.replica, row.head_seq)).collect();
        let documents = document::stamp(conn)?;
        let touched = if documents == self.documents { self.touched(conn, &heads)? } else { None };
        let reader = Reader { protocols, renamed: renames::all(conn)? };
        // What is said of a case is said of its copies.
        let touched = match (touched, protocols.policy.copies) {
            (Some(mut touched), Copies::Pooled) => {
                for id in touched.clone() {
                    if let Some(row) = case::by_id(conn, id)? {
                        touched.extend(evidence::copies(conn, &protocols.policy, &row)?);
                    }
                }
                Some(touched)
            }
            (touched, _) => touched,
        };
        let read = match touched {
            Some(touched) => {
                touched.iter().try_for_each(|id| self.read(conn, &reader, *id))?;
                touched.len()
            }
            None => {
                *self = Self { on: protocols.policy.on.clone(), ..Self::default() };
                self.read_all(conn, &reader)?;
                self.cases.len()
            }
        };
        (self.heads, self.documents) = (heads, documents);
        Ok(read)
    }

    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Whether somebody gave a label that counts.
    pub fn gave(&self, reviewer: &str, id: CaseId) -> bool {
        self.cases.get(&id).is_some_and(|case| case.said.iter().any(|one| one.reviewer == reviewer))
    }

    /// What is owed for cases, before it is asked what time it is.
    pub fn claims(&self) -> impl Iterator<Item = (CaseId, &DueCandidates)> {
        self.claims.iter().map(|(id, claims)| (*id, claims))
    }

    pub fn state(&self, id: CaseId) -> Option<CaseState> {
        self.cases.get(&id).map(|case| case.state)
    }

    /// The labels that count, to be measured in full.
    pub fn ratings(&self) -> Ratings {
        let mut ratings = Ratings::default();
        for (id, case) in &self.cases {
            let task = id.to_string();
            case.said.iter().for_each(|one| ratings.push(&task, &one.reviewer, &one.class));
        }
        ratings.sorted()
    }

    /// Krippendorff's nominal alpha over everything.
    pub fn alpha(&mut self) -> Figure {
        self.alphas.whole.get_or_insert_with(|| alpha(&self.sums.whole.patterns())).clone()
    }

    pub fn alpha_of_week(&mut self, from: Moment) -> Figure {
        let tally = || {
            self.sums.weeks.get(&from).map_or_else(Patterns::default, |week| week.tally.patterns())
        };
        self.alphas.weeks.entry(from).or_insert_with(|| alpha(&tally())).clone()
    }

    pub fn alpha_of_version(&mut self, version: &VersionKey) -> Figure {
        let tally = || {
            self.sums
                .versions
                .get(version)
                .map_or_else(Patterns::default, |version| version.tally.patterns())
        };
        self.alphas.versions.entry(version.clone()).or_insert_with(|| alpha(&tally())).clone()
    }

    /// Reads one case, and what follows from it.
    fn read(&mut self, conn: &Connection, reader: &Reader<'_>, id: CaseId) -> rusqlite::Result<()> {
        if let Some(before) = self.cases.remove(&id) {
            self.weigh(id, &before, Change::Take);
        }
        self.claims.remove(&id);
        let Some(row) = case::by_id(conn, id)? else { return Ok(()) };
        let notes =
            note::of_case(conn, id)?.into_iter().filter(|note| note.kind == NoteKind::Escalated);
        let escalated: Vec<Escalation> = notes.map(Escalation::of).collect();
        let labels = label::live_of_case(conn, id)?;
        self.add(&row, reader, &labels, &arbitration::of_case(conn, id)?, &escalated);
        self.claim_in_common(conn, reader, &row)
    }

    fn read_all(&mut self, conn: &Connection, reader: &Reader<'_>) -> rusqlite::Result<()> {
        let mut labels: HashMap<CaseId, Vec<GivenLabel>> = HashMap::new();
        label::for_each(conn, |row| {
            if row.withdrawn.is_none() {
                let mut given = row.given;
                given.label.rationale = String::new(); // it is read where it is shown
                labels.entry(given.label.case).or_default().push(given);
            }
        })?;
        let mut acts: HashMap<CaseId, Vec<Done>> = arbitration::all(conn)?.into_iter().collect();
        let mut escalated = escalations(conn)?;
        let mut failed = Ok(());
        case::for_each(conn, |row| {
            let labels = labels.remove(&row.id).unwrap_or_default();
            let (acts, escalated) = (
                acts.remove(&row.id).unwrap_or_default(),
                escalated.remove(&row.id).unwrap_or_default(),
            );
            self.add(&row, reader, &labels, &acts, &escalated);
            if failed.is_ok() {
                failed = self.claim_in_common(conn, reader, &row);
            }
        })?;
        failed
    }

    /// Whoever labeled a copy of a case owes no label of it.
    fn claim_in_common(
        &mut self,
        conn: &Connection,
        reader: &Reader<'_>,
        row: &CaseRow,
    ) -> rusqlite::Result<()> {
        let policy = &reader.protocols.policy;
        if policy.copies == Copies::Pooled
            && let Some(claims) = self.claims.get_mut(&row.id)
        {
            claims.labeled = evidence::labeled_by(conn, policy, row.id, row.labels)?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        row: &CaseRow,
        reader: &Reader<'_>,
        labels: &[GivenLabel],
        acts: &[Done],
        escalated: &[Escalation],
    ) {
        let standing = Standing::of(row, reader, acts, labels);
        let labeled = standing.said.iter().map(|said| said.reviewer.clone()).collect();
        let claims = DueCandidates::of(row, labeled, labels, acts, escalated);
        self.claims.extend(claims.map(|claims| (row.id, claims)));
        self.weigh(row.id, &standing, Change::Add);
        self.cases.insert(row.id, standing);
    }

    /// Adds a case to the sums, or takes it away.
    fn weigh(&mut self, id: CaseId, case: &Standing, change: Change) {
        let sums = &mut self.sums;
        let day = |at: Moment| at.0.div_euclid(DAY_MS);
        sums.states.change(case.state, id, change);
        sums.detected.change(day(case.detected), id, change);
        match (case.state, change) {
            (CaseState::Open, Change::Add) => drop(sums.open.insert((case.detected, id))),
            (CaseState::Open, Change::Take) => drop(sums.open.remove(&(case.detected, id))),
            _ => {}
        }
        case.settled.iter().for_each(|at| sums.settled.change(day(*at), id, change));
        case.cause.iter().for_each(|cause| sums.causes.change(cause, id, change));
        case.category
            .iter()
            .for_each(|category| sums.resolved.change(category.clone(), id, change));
        if case.state != CaseState::Resolved {
            let named = case.said.iter().filter_map(|said| said.outcome.get("category"));
            named.for_each(|category| sums.pending.change(value_text(category), id, change));
        }
        let compared = case.compared();
        if !case.said.is_empty() {
            change.by(&mut sums.labels, case.said.len());
            retally(&mut sums.whole, compared, change);
            self.alphas.whole = None;
        }
        if compared.len() > 1 {
            self.weigh_pairs(id, compared, change);
        }
    }

    /// What two labels or more of a case come to.
    fn weigh_pairs(&mut self, id: CaseId, said: &[Said], change: Change) {
        let Self { sums, alphas, on, .. } = self;
        for (at, one) in said.iter().enumerate() {
            for two in &said[at + 1..] {
                let mut classes = [one.class.clone(), two.class.clone()];
                classes.sort();
                sums.classes.change(classes, id, change);
                if one.protocol.id == two.protocol.id {
                    let names = [&*one.reviewer, &two.reviewer];
                    let read = [(&one.answered, &one.outcome), (&two.answered, &two.outcome)];
                    sums.found.change(id, names, read, on, change);
                }
            }
        }
        let from = said.iter().map(|one| one.at).max().unwrap_or(Moment(0)).monday();
        let week = sums.weeks.entry(from).or_default();
        retally(&mut week.tally, said, change);
        set(&mut week.cases, id, change);
        if said.iter().any(|one| one.class != said[0].class) {
            set(&mut week.differ, id, change);
        }
        if week.cases.is_empty() {
            sums.weeks.remove(&from);
        }
        alphas.weeks.remove(&from);
        let mut by_version: BTreeMap<VersionKey, Vec<&Said>> = BTreeMap::new();
        for one in said {
            by_version
                .entry((one.protocol.id.clone(), one.protocol.version))
                .or_default()
                .push(one);
        }
        for (key, said) in by_version.into_iter().filter(|(_, said)| said.len() > 1) {
            let version = sums.versions.entry(key.clone()).or_default();
            retally(&mut version.tally, said.iter().copied(), change);
            set(&mut version.cases, id, change);
            for (at, one) in said.iter().enumerate() {
                said[at + 1..].iter().for_each(|two| {
                    let differ = one.class != two.class;
                    version.divergence.change(&one.answered, &two.answered, differ, change);
                });
            }
            if version.cases.is_empty() {
                sums.versions.remove(&key);
            }
            alphas.versions.remove(&key);
        }
    }

    /// Cases that the journal tells of since; nothing if it tells of more than cases.
    fn touched(
        &self,
        conn: &Connection,
        heads: &HashMap<ReplicaId, u64>,
    ) -> rusqlite::Result<Option<BTreeSet<CaseId>>> {
        let mut touched = BTreeSet::new();
        for (replica, head) in heads {
            let known = self.heads.get(replica).copied().unwrap_or(0);
            if known > *head || (known == 0 && *head > 0) {
                return Ok(None);
            }
            for row in journal::between(conn, *replica, known + 1, *head)? {
                let Some(body) = Body::parse(&row.body) else { return Ok(None) };
                for raw in &body.events {
                    let Ok(About { kind, case }) = serde_json::from_str::<About>(raw.get()) else {
                        return Ok(None);
                    };
                    match (kind.split('.').next(), case) {
                        // It opens labels of all its cases.
                        _ if kind == SessionRevealed::KIND => return Ok(None),
                        (Some("label" | "case" | "ruling" | "payload" | "note"), Some(case)) => {
                            touched.insert(case);
                        }
                        (
                            Some("nudge" | "guard" | "labels" | "session" | "training" | "gold"),
                            _,
                        ) => {}
                        // Whose labels count, or by which names, may be another matter now.
                        _ => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(touched))
    }
}

fn alpha(patterns: &Patterns) -> Figure {
    nominal_alpha(patterns, RESAMPLING)
}

fn retally<'s>(tally: &mut Tally, said: impl IntoIterator<Item = &'s Said>, change: Change) {
    let classes = said.into_iter().map(|one| one.class.as_str());
    match change {
        Change::Add => tally.add(classes),
        Change::Take => tally.take(classes),
    }
}

fn set(cases: &mut BTreeSet<CaseId>, id: CaseId, change: Change) {
    match change {
        Change::Add => drop(cases.insert(id)),
        Change::Take => drop(cases.remove(&id)),
    }
}
