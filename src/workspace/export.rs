//! Labels on their way out, each row with the event it comes from.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::sync_channel;

use rusqlite::Connection;

use super::{WorkError, Workspace};
use crate::db::case::CaseRow;
use crate::db::journal::{self, ReplicaRow};
use crate::db::{Db, arbitration, case, document, label};
use crate::domain::arbitration::Done;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, that_count};
use crate::domain::resolve::{CaseState, How};
use crate::domain::time::Moment;
use crate::format::row::Vote;
use crate::format::{CaseContext, CaseExport, ExportRow, LabelExport, Rows};
use crate::journal::Append;
use crate::journal::blob::Unpacker;
use crate::journal::kind::LabelsExported;
use crate::review::Blind;
use crate::review::rows::{Beside, RowMaker, Settled, training_label};
use crate::review::sight::Sight;

/// What is asked of an export.
pub(super) struct Asked {
    pub rows: Rows,
    pub beside: Beside,
    /// Cases in the order in which they lie, which is read fastest; else by their ids.
    pub as_stored: bool,
}

/// What an export came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    pub rows: u64,
    /// Rows that whoever exported may not see.
    pub left_out: usize,
    /// Cases whose input is not on this device yet, and those whose input was erased.
    pub without_payload: usize,
    pub erased: usize,
    /// Settled cases with the same input as another that counts as something else.
    pub contradicted: usize,
}

impl Workspace {
    /// Whether an export by whoever is at work is of everything: they review nothing, so that
    /// nothing is kept from them.
    pub fn exports_everything(&self) -> Result<bool, WorkError> {
        Ok(self.blindness()? == Blind::Never)
    }

    /// Records that everything is exported, as a role that reviews nothing may.
    ///
    /// # Errors
    /// Nobody without such a role may.
    pub fn record_export(&mut self, rows: &str, format: &str) -> Result<(), WorkError> {
        let (rows, format) = (rows.to_owned(), format.to_owned());
        self.append(vec![Append::new(&LabelsExported { rows, format })]).map(drop)
    }

    /// Who exported everything, when, and what; the latest first.
    pub fn exports(&self) -> Result<Vec<(Moment, String, LabelsExported)>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "export")?.into_iter();
        let read = |row: document::DocumentRow| {
            let exported = serde_json::from_str(&row.body).ok()?;
            Some((row.at.moment(), row.author, exported))
        };
        Ok(rows.filter_map(read).collect())
    }

    /// Makes something of every row that whoever is at work may see: labels that were not
    /// withdrawn, or resolved cases, by case. `make` is given the rows of some cases, on whichever
    /// thread read them; `each` what it made, in order.
    ///
    /// # Errors
    /// Those of `make` and `each`, and of the database.
    pub fn export<T: Send, E: From<WorkError> + Send>(
        &mut self,
        rows: Rows,
        make: impl Fn(Vec<ExportRow>) -> Result<T, E> + Sync,
        each: impl FnMut(T) -> Result<(), E>,
    ) -> Result<Exported, E> {
        let sight = self.sight()?;
        let beside = if rows == Rows::Cases { Beside::All } else { Beside::Priors };
        self.export_by(sight, Asked { rows, beside, as_stored: false }, make, each)
    }

    /// The same of what somebody else may see.
    pub(super) fn export_by<T: Send, E: From<WorkError> + Send>(
        &mut self,
        mut sight: Sight,
        Asked { rows, beside, as_stored }: Asked,
        make: impl Fn(Vec<ExportRow>) -> Result<T, E> + Sync,
        mut each: impl FnMut(T) -> Result<(), E>,
    ) -> Result<Exported, E> {
        let policy = self.policy()?;
        let readers = if self.at.is_some() { 1 } else { READERS };
        // All rows are of one moment, whatever is written meanwhile.
        let reading = self.db.conn.unchecked_transaction().map_err(WorkError::from)?;
        let ids = match rows {
            Rows::Labels => label::labeled_cases(&reading).map_err(WorkError::from)?,
            Rows::Cases if as_stored => {
                case::resolved_as_stored(&reading).map_err(WorkError::from)?
            }
            Rows::Cases => self.resolved_cases()?,
        };
        sight.know_all(&reading).map_err(WorkError::from)?;
        let maker = RowMaker::load(&reading, &mut self.unpacker, policy, beside)
            .map_err(WorkError::from)?;
        let acts: HashMap<CaseId, Vec<Done>> =
            arbitration::all(&reading).map_err(WorkError::from)?.into_iter().collect();
        let shared = Shared { rows, sight, maker: &maker, acts: &acts };
        let mut exported = Exported::default();
        let heads = journal::replicas(&reading).map_err(WorkError::from)?;
        let several = readers > 1 && ids.len() >= PIECE * readers;
        let others = if several { self.readers_of(&heads, readers)? } else { Vec::new() };
        if others.is_empty() {
            let mut exporting = shared.exporting(&reading);
            for piece in ids.chunks(PIECE) {
                each(make(exporting.rows_of_all(piece)?)?)?;
            }
            return Ok(exporting.exported);
        }
        std::thread::scope(|threads| {
            let mut pieces = Vec::new();
            for (first, db) in others.into_iter().enumerate() {
                let (send, receive) = sync_channel(4);
                pieces.push(receive);
                let (shared, ids, make) = (&shared, &ids, &make);
                threads.spawn(move || {
                    let mut exporting = shared.exporting(&db.conn);
                    for piece in ids.chunks(PIECE).skip(first).step_by(readers) {
                        let read = exporting.rows_of_all(piece).map_err(E::from);
                        let exported = std::mem::take(&mut exporting.exported);
                        if send.send(read.and_then(make).map(|made| (made, exported))).is_err() {
                            return; // nobody wants more
                        }
                    }
                });
            }
            for n in 0..ids.chunks(PIECE).len() {
                // Whoever reads it ended only if it panicked, which the scope passes on.
                let Ok(piece) = pieces[n % readers].recv() else { break };
                let (made, of_piece) = piece?;
                each(made)?;
                exported.add(&of_piece);
            }
            Ok(exported)
        })
    }

    /// Connections that all see the moment at which chains end with these heads; none if somebody
    /// wrote since, for then one reads alone what was there.
    fn readers_of(&self, heads: &[ReplicaRow], readers: usize) -> Result<Vec<Db>, WorkError> {
        let mut found = Vec::new();
        while found.len() < readers {
            let db = self.db.reopen()?;
            db.conn.execute_batch("BEGIN")?;
            if journal::replicas(&db.conn)? != heads {
                return Ok(Vec::new());
            }
            found.push(db);
        }
        Ok(found)
    }

    fn resolved_cases(&self) -> Result<Vec<CaseId>, WorkError> {
        let mut ids = Vec::new();
        case::for_each_state(&self.db.conn, |id, state| {
            ids.extend((state == CaseState::Resolved).then_some(id));
        })?;
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Threads that read, each on a connection of its own, and cases in one piece of their work.
const READERS: usize = 2;
const PIECE: usize = 256;

impl Exported {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.left_out += other.left_out;
        self.without_payload += other.without_payload;
        self.erased += other.erased;
        self.contradicted += other.contradicted;
    }
}

/// What all who read for an export go by.
struct Shared<'w> {
    rows: Rows,
    sight: Sight,
    maker: &'w RowMaker,
    /// What was done about disputed cases: few are.
    acts: &'w HashMap<CaseId, Vec<Done>>,
}

impl<'w> Shared<'w> {
    fn exporting<'c>(&'w self, conn: &'c Connection) -> Exporting<'c>
    where
        'w: 'c,
    {
        Exporting {
            conn,
            rows: self.rows,
            sight: self.sight.clone(),
            maker: self.maker,
            acts: self.acts,
            unpacker: Unpacker::default(),
            exported: Exported::default(),
        }
    }
}

/// An export under way.
struct Exporting<'w> {
    conn: &'w Connection,
    rows: Rows,
    sight: Sight,
    maker: &'w RowMaker,
    acts: &'w HashMap<CaseId, Vec<Done>>,
    unpacker: Unpacker,
    exported: Exported,
}

impl Exporting<'_> {
    fn rows_of_all(&mut self, ids: &[CaseId]) -> Result<Vec<ExportRow>, WorkError> {
        let mut made = Vec::with_capacity(ids.len());
        for id in ids {
            made.extend(self.rows_of(*id)?);
        }
        self.exported.rows += made.len() as u64;
        Ok(made)
    }

    /// The rows of one case.
    fn rows_of(&mut self, id: CaseId) -> Result<Vec<ExportRow>, WorkError> {
        let Self { conn, rows, sight, maker, acts, unpacker, exported } = self;
        let Some(row) = case::by_id(conn, id)? else { return Ok(Vec::new()) };
        let mut labels = label::live_of_case(conn, id)?;
        // What is hidden in a session is not given out, not even by its author.
        labels.retain(|given| !sight.hides_round(&given.label.round));
        match rows {
            Rows::Cases if sight.is_blind_to(conn, id)? => {
                exported.left_out += 1;
                return Ok(Vec::new());
            }
            Rows::Cases => {}
            Rows::Labels => {
                let mut seen = Vec::with_capacity(labels.len());
                for given in labels {
                    if sight.sees(conn, &given)? {
                        seen.push(given);
                    } else {
                        exported.left_out += 1;
                    }
                }
                labels = seen;
                if labels.is_empty() {
                    return Ok(Vec::new());
                }
            }
        }
        let acts = acts.get(&id).map(Vec::as_slice).unwrap_or_default();
        let (mut about, here) = maker.context(conn, unpacker, &row)?;
        exported.without_payload += usize::from(!here);
        exported.erased += usize::from(about.erased);
        Ok(match rows {
            Rows::Labels => {
                let counting: BTreeSet<EventId> =
                    that_count(&labels).into_iter().map(|given| given.event).collect();
                let settled = maker.settled(conn, &row, &labels, acts)?;
                let made = |given: &GivenLabel| {
                    let mut about = about.clone();
                    about.prior = maker.prior(&row, given.label.outcome.get("category"));
                    label_row(&row, about, given, counting.contains(&given.event), &settled)
                };
                labels.iter().map(made).collect()
            }
            Rows::Cases => {
                let category = row.outcome.as_ref().and_then(|outcome| outcome.get("category"));
                about.prior = maker.prior(&row, category);
                let mut conflicts = Vec::new();
                for other in maker.contradicts(id) {
                    conflicts.extend((!sight.is_blind_to(conn, other)?).then_some(other));
                }
                exported.contradicted += usize::from(!conflicts.is_empty());
                let settled = maker.settled(conn, &row, &labels, acts)?;
                let votes = [maker.votes(&row, &labels), maker.votes(&row, &settled.agents)];
                vec![case_row(&row, about, settled, votes, conflicts)]
            }
        })
    }
}

fn label_row(
    row: &CaseRow,
    about: CaseContext,
    given: &GivenLabel,
    counts: bool,
    settled: &Settled,
) -> ExportRow {
    let label = given.label.clone();
    ExportRow::Label(Box::new(LabelExport {
        about,
        protocol: label.protocol.id,
        version: label.protocol.version,
        protocol_hash: label.protocol.hash,
        path: label.path,
        label: training_label(&label.outcome),
        category: label.outcome.get("category").cloned(),
        failure_mode: label.outcome.get("failure_mode").cloned(),
        outcome: label.outcome,
        author: given.author.clone(),
        imported_by: given.imported_by().map(str::to_owned),
        reviewer: label.reviewer,
        round: label.round,
        checked: label.checked,
        confidence: label.confidence,
        tags: label.tags,
        rationale: label.rationale,
        evidence: label.evidence,
        evidence_in: label.evidence_in,
        cites: label.cites,
        seen: label.seen,
        after_others: label.after_others,
        at: given.given_at().rfc3339(),
        duration_ms: label.duration_ms,
        extra: Some(label.extra).filter(|extra| !extra.is_empty()),
        event: given.event,
        counts,
        state: row.state.as_str().to_owned(),
        resolved: row.outcome.clone(),
        how: settled.how.map(How::as_str),
        settled_at: settled.at.map(Moment::rfc3339),
    }))
}

fn case_row(
    row: &CaseRow,
    about: CaseContext,
    settled: Settled,
    [votes, agents]: [Vec<Vote>; 2],
    conflicts: Vec<CaseId>,
) -> ExportRow {
    let outcome = row.outcome.clone().unwrap_or_default();
    let mut protocols: Vec<String> = votes
        .iter()
        .map(|vote| format!("{} v{}", vote.protocol.id, vote.protocol.version))
        .collect();
    protocols.dedup();
    let events = match &settled.ruling {
        Some(ruling) => vec![ruling.event],
        None => votes.iter().chain(&agents).map(|vote| vote.event).collect(),
    };
    ExportRow::Case(Box::new(CaseExport {
        about,
        label: training_label(&outcome),
        category: outcome.get("category").cloned(),
        failure_mode: outcome.get("failure_mode").cloned(),
        outcome,
        how: settled.how.map(How::as_str),
        belief: settled.belief,
        settled_at: settled.at.map(Moment::rfc3339),
        ruling: settled.ruling,
        reviewers: votes.iter().map(|vote| vote.reviewer.clone()).collect(),
        authors: votes.iter().map(|vote| vote.author.clone()).collect(),
        protocols,
        rationales: votes.iter().map(|vote| vote.rationale.clone()).collect(),
        events,
        conflicts,
        votes,
        agents,
    }))
}
