//! The views that a fold makes, as kinds of events change them: cases and what they count as,
//! documents, counts, the roster, the text of payloads. Nothing here knows which kinds there are.

pub mod evidence;
mod payload;
mod roster;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use self::evidence::Evidence;
pub use self::payload::{short_text, text_of_payload};
use super::blob::Unpacker;
use super::entry::EventContext;
use crate::db::case::CaseRow;
use crate::db::document::DocumentRow;
use crate::db::erasure;
use crate::db::{self, arbitration, case, count, document, draw, label, renames};
use crate::domain::arbitration::{Act, Done};
use crate::domain::assign::week;
use crate::domain::estimate::Estimate;
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use crate::domain::label::{GivenLabel, MAIN_ROUND, that_count};
use crate::domain::policy::{Copies, Policy};
use crate::domain::protocol::RenamedLabels;
use crate::domain::resolve::{CaseState, resolve};
use crate::domain::roster::{Cut, Holder};

/// The views under change, inside one transaction.
pub struct Views<'c, 't> {
    pub tx: &'t Transaction<'c>,
    pub policy: Policy,
    renamed: RenamedLabels,
    /// What is recorded for the policy's model of truth.
    estimate: Option<Estimate>,
    counts: HashMap<String, i64>,
    roles: HashMap<(String, ReplicaId), Vec<roster::RoleHeld>>,
    /// Texts of payloads that the caller has at hand, so that they need not be read back.
    texts: HashMap<EventId, String>,
    unpacker: Unpacker,
    cuts: BTreeMap<Holder, Cut>,
    /// Roster events that do not count.
    pub(super) refused: BTreeMap<EventId, String>,
    /// Something new was said about the roster since it was settled.
    unsettled: bool,
    /// The same, of what will hardly count: it is enough to settle it once.
    unsettled_at_end: bool,
    /// The roster gives more than it did: held events are to be looked at again.
    pub(super) admitted: bool,
    /// Something that was folded counts no more: all is to be folded again.
    pub(super) again: bool,
    /// A whole refold is under way: the roster is settled beforehand.
    pub(super) settled: bool,
    any_erased: bool,
    /// Cases that the entry under way touched, and their copies before it; none between entries.
    in_entry: Option<BTreeMap<CaseId, Vec<CaseId>>>,
    /// Payloads that were not what their events name, and were thrown away.
    pub bad_payloads: Vec<EventId>,
    /// Detections that do not count, with their cases: their payloads are stored and shared like
    /// others.
    held_detections: HeldDetections,
}

/// What finds detections that do not count, with their cases: it knows the kind.
pub type HeldDetections = fn(&Connection) -> rusqlite::Result<Vec<(CaseId, EventId)>>;

/// The policy that counts now: what the latest `policy.set` says.
pub fn policy(conn: &Connection) -> rusqlite::Result<Policy> {
    #[derive(Deserialize)]
    struct Set {
        policy: Policy,
    }
    let row = document::latest(conn, "policy")?;
    let set = row.and_then(|row| serde_json::from_str::<Set>(&row.body).ok());
    Ok(set.map(|set| set.policy).unwrap_or_default())
}

/// What is recorded of the reviewers for the model of truth that a policy names.
pub fn estimate_of(conn: &Connection, policy: &Policy) -> rusqlite::Result<Option<Estimate>> {
    let Some(model) = policy.rule.model() else { return Ok(None) };
    let row = document::latest_named(conn, "estimate", model)?;
    Ok(row.and_then(|row| serde_json::from_str::<Estimate>(&row.body).ok()))
}

impl<'c, 't> Views<'c, 't> {
    pub fn new(tx: &'t Transaction<'c>, held_detections: HeldDetections) -> rusqlite::Result<Self> {
        let policy = policy(tx)?;
        Ok(Self {
            tx,
            estimate: estimate_of(tx, &policy)?,
            policy,
            renamed: renames::all(tx)?,
            counts: HashMap::new(),
            roles: HashMap::new(),
            texts: HashMap::new(),
            unpacker: Unpacker::default(),
            cuts: db::roster::cuts(tx)?.into_iter().collect(),
            refused: BTreeMap::new(),
            unsettled: false,
            unsettled_at_end: false,
            admitted: false,
            again: false,
            settled: false,
            any_erased: erasure::any(tx)?,
            in_entry: None,
            bad_payloads: Vec::new(),
            held_detections,
        })
    }

    /// Gives the text of a payload that is about to be named by `event`.
    pub fn offer_text(&mut self, event: EventId, text: String) {
        self.texts.insert(event, text);
    }

    /// From here on what cases count as is computed when an entry ends, once for each: an entry with
    /// a thousand labels of one case would have it computed from all of them a thousand times.
    pub(super) fn begin_entry(&mut self) {
        self.in_entry = Some(BTreeMap::new());
    }

    /// Computes what the cases that an entry touched count as.
    pub(super) fn end_entry(&mut self) -> rusqlite::Result<()> {
        let Some(touched) = self.in_entry.take() else { return Ok(()) };
        let mut copies = BTreeSet::new();
        let ids: Vec<CaseId> = touched.keys().copied().collect();
        for (id, of_before) in touched {
            copies.extend(of_before);
            copies.extend(self.settle_changed(id)?);
        }
        copies.retain(|copy| !ids.contains(copy));
        copies.into_iter().try_for_each(|copy| self.settle_again(copy))
    }

    /// Computes what was touched so far before something changes by which all is computed.
    fn settle_so_far(&mut self) -> rusqlite::Result<()> {
        if self.in_entry.is_some() {
            self.end_entry()?;
            self.begin_entry();
        }
        Ok(())
    }

    /// Forgets the texts that nobody named.
    pub(super) fn drop_texts(&mut self) {
        self.texts.clear();
    }

    /// Has everything folded again when the fold is finished.
    pub(super) fn fold_again(&mut self) {
        self.again = true;
    }

    /// Writes the counts that changed; `drop`ped, they are those of views that are about to be made
    /// again.
    pub(super) fn write_counts(&mut self, dropped: bool) -> rusqlite::Result<()> {
        for (name, n) in self.counts.drain().filter(|_| !dropped) {
            count::add(self.tx, &name, n)?;
        }
        Ok(())
    }

    pub fn document(
        &mut self,
        kind: &str,
        name: &str,
        version: u32,
        event: &impl Serialize,
        stamp: &EventContext,
    ) -> rusqlite::Result<()> {
        let body = db::to_json(event);
        let (kind, name, author) = (kind.to_owned(), name.to_owned(), stamp.author.clone());
        let hash = Hash::of(body.as_bytes());
        document::insert(
            self.tx,
            &DocumentRow {
                kind,
                name,
                version,
                hash,
                at: stamp.at,
                event: stamp.event,
                author,
                body,
            },
        )
    }

    /// Computes anew what depends on the policy, if another one counts now.
    pub fn policy_changed(&mut self) -> rusqlite::Result<()> {
        let policy = policy(self.tx)?;
        if policy == self.policy {
            return Ok(());
        }
        self.settle_so_far()?;
        let was_pooled = self.policy.copies == Copies::Pooled;
        let parted = match (was_pooled, policy.copies == Copies::Pooled) {
            (false, true) => {
                case::key_copies(self.tx)?;
                Vec::new()
            }
            (true, false) => self.copies_of_settled()?,
            _ => Vec::new(),
        };
        self.policy = policy;
        self.estimate = estimate_of(self.tx, &self.policy)?;
        case::set_due(self.tx, self.policy.sla_ms())?;
        if was_pooled && self.policy.copies != Copies::Pooled {
            case::forget_copies(self.tx)?;
            parted.into_iter().try_for_each(|id| self.settle_again(id))?;
        }
        self.settle_labeled()
    }

    /// Computes anew what depends on what is recorded of reviewers, if that changed.
    pub fn estimate_changed(&mut self) -> rusqlite::Result<()> {
        let estimate = estimate_of(self.tx, &self.policy)?;
        if estimate == self.estimate {
            return Ok(());
        }
        self.settle_so_far()?;
        self.estimate = estimate;
        self.settle_labeled()
    }

    /// Computes anew what depends on the names of labels, if some have other names now.
    pub fn labels_renamed(&mut self) -> rusqlite::Result<()> {
        let renamed = renames::all(self.tx)?;
        if renamed == self.renamed {
            return Ok(());
        }
        self.settle_so_far()?;
        self.renamed = renamed;
        self.settle_labeled()
    }

    fn settle_labeled(&mut self) -> rusqlite::Result<()> {
        let mut ids = self.settled_by_people()?;
        if self.policy.copies == Copies::Pooled {
            ids.extend(self.copies_of_settled()?);
        }
        ids.into_iter().try_for_each(|id| self.settle_again(id))
    }

    /// The cases that somebody labeled or ruled on.
    fn settled_by_people(&self) -> rusqlite::Result<BTreeSet<CaseId>> {
        let ruled = arbitration::all(self.tx)?.into_iter().map(|(id, _)| id);
        Ok(label::labeled_cases(self.tx)?.into_iter().chain(ruled).collect())
    }

    /// The cases that count as they do because of what was said of their copies.
    fn copies_of_settled(&self) -> rusqlite::Result<Vec<CaseId>> {
        let mut found = Vec::new();
        for id in self.settled_by_people()? {
            found.extend(self.copies(case::by_id(self.tx, id)?.as_ref())?);
        }
        Ok(found)
    }

    /// Takes in a case of which nothing was known: what [`Self::change_case`] would do, for a
    /// million of them.
    pub fn open_case(&mut self, row: &CaseRow) -> rusqlite::Result<()> {
        case::insert(self.tx, row, self.policy.copies == Copies::Pooled)?;
        let copies = self.copies(Some(row))?;
        if let Some(of_entry) = self.in_entry.as_mut().and_then(|touched| touched.get_mut(&row.id))
        {
            of_entry.extend(copies); // it is counted when the entry ends
            return Ok(());
        }
        if !copies.is_empty() {
            // It may be settled by what was said of another, and another may be first among them.
            self.count(Some(row), &[], 1);
            self.settle_again(row.id)?;
            return copies.into_iter().try_for_each(|copy| self.settle_again(copy));
        }
        *self.counts.entry(format!("state:{}", row.state as i64)).or_default() += 1;
        *self.counts.entry(format!("stream:{}", row.stream)).or_default() += 1;
        Ok(())
    }

    /// Runs `change` on what belongs to a case, then computes its state and the counts anew, and
    /// those of its copies.
    pub fn change_case(
        &mut self,
        id: CaseId,
        change: impl FnOnce(&mut Self) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        if self.in_entry.as_ref().is_some_and(|touched| touched.contains_key(&id)) {
            return change(self);
        }
        let labels = label::live_of_case(self.tx, id)?;
        let before = case::by_id(self.tx, id)?;
        let mut copies = self.copies(before.as_ref())?;
        self.count(before.as_ref(), &labels, -1);
        if let Some(touched) = &mut self.in_entry {
            touched.insert(id, copies);
            return change(self);
        }
        change(self)?;
        copies.extend(self.settle_changed(id)?);
        copies.sort_unstable();
        copies.dedup();
        copies.into_iter().try_for_each(|copy| self.settle_again(copy))
    }

    /// Computes the state of a case that was taken out of the counts, and takes it in again; returns
    /// its copies.
    fn settle_changed(&mut self, id: CaseId) -> rusqlite::Result<Vec<CaseId>> {
        let labels = label::live_of_case(self.tx, id)?;
        let mut after = case::by_id(self.tx, id)?;
        let mut copies = Vec::new();
        if let Some(row) = &mut after {
            let evidence = Evidence::of(self.tx, &self.policy, row)?;
            self.settle(row, &evidence)?;
            copies = evidence.copies;
        }
        self.count(after.as_ref(), &labels, 1);
        Ok(copies)
    }

    fn copies(&self, row: Option<&CaseRow>) -> rusqlite::Result<Vec<CaseId>> {
        row.map_or(Ok(Vec::new()), |row| evidence::copies(self.tx, &self.policy, row))
    }

    /// Computes the state of a case anew, of which nothing changed but what it has in common with
    /// another.
    fn settle_again(&mut self, id: CaseId) -> rusqlite::Result<()> {
        if self.in_entry.as_ref().is_some_and(|touched| touched.contains_key(&id)) {
            return Ok(()); // when the entry ends
        }
        let Some(mut row) = case::by_id(self.tx, id)? else { return Ok(()) };
        let evidence = Evidence::of(self.tx, &self.policy, &row)?;
        let mut labels = evidence.labels.clone();
        labels.retain(|given| given.label.case == id);
        self.count(Some(&row), &labels, -1);
        self.settle(&mut row, &evidence)?;
        self.count(Some(&row), &labels, 1);
        Ok(())
    }

    /// Writes what a case comes to.
    fn settle(&self, row: &mut CaseRow, evidence: &Evidence) -> rusqlite::Result<()> {
        let by = evidence.by(row, &self.policy, &self.renamed, self.estimate.as_ref());
        let mut resolution = resolve(&evidence.that_settle(), &evidence.acts, by);
        if resolution.state == CaseState::Open
            && evidence.labels.is_empty()
            && evidence.acts.is_empty()
            && !draw::is_drawn(self.tx, row.id)?
        {
            resolution.state = CaseState::Unsampled;
        }
        let settled = (resolution.state, resolution.labels, &resolution.outcome, resolution.how);
        if (row.state, row.labels, &row.outcome, row.how) != settled {
            case::set_resolution(self.tx, row, &resolution)?;
            row.state = resolution.state;
        }
        Ok(())
    }

    /// Takes in a label that can be read.
    pub fn label_given(&mut self, given: &GivenLabel) -> rusqlite::Result<()> {
        self.change_case(given.label.case, |views| label::insert(views.tx, given))
    }

    /// Takes in something that was done about a disputed case.
    pub fn arbitrated(
        &mut self,
        id: CaseId,
        act: Act,
        stamp: &EventContext,
    ) -> rusqlite::Result<()> {
        let done = Done { event: stamp.event, at: stamp.at, author: stamp.author.clone(), act };
        self.change_case(id, |views| arbitration::insert(views.tx, id, &done))
    }

    /// Adds what a case with these labels contributes to the counts, `sign` times.
    fn count(&mut self, row: Option<&CaseRow>, labels: &[GivenLabel], sign: i64) {
        let mut add = |name: String, n: i64| *self.counts.entry(name).or_default() += sign * n;
        let counting = that_count(labels);
        if !counting.is_empty() {
            add("labels".to_owned(), counting.len() as i64);
        }
        for given in counting.iter().filter(|given| given.imported_by().is_none()) {
            add(format!("given:{}:{}", week(given.given_at()), given.label.reviewer), 1);
        }
        let Some(row) = row else { return };
        add(format!("state:{}", row.state as i64), 1);
        add(format!("stream:{}", row.stream), 1);
        if row.state == CaseState::Open {
            let main = counting.iter().filter(|given| given.label.round == MAIN_ROUND);
            main.for_each(|given| add(format!("labeled-open:{}", given.label.reviewer), 1));
        }
    }
}
