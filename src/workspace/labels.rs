//! Labels: giving them, taking them back, drafts, importing.

use super::error::{CalibrationError, LabelError};
use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::CaseRow;
use crate::db::label::LabelRow;
use crate::db::sealed::{self, SealedRow};
use crate::db::{case, draft, label};
use crate::domain::calibration::Sealing;
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::label::{
    AFTER_OTHERS, GOLD_ROUND, GivenLabel, Label, MAIN_ROUND, ProtocolRef, REPEAT_ROUND,
};
use crate::domain::time::{Hlc, Moment};
use crate::intake::labels::{Context, ImportSummary, read_label};
use crate::journal::chain::{Appended, By, append_and};
use crate::journal::kind::{LabelGiven, LabelSealed, LabelWithdrawn};
use crate::journal::sealed::{opened_here, seal};
use crate::journal::{Append, chain};
use crate::review::open::latest_in;
use crate::review::{Draft, LabelContext, Protocols, Published, Queue, QueueCounts, gold, retest};

/// Labels in one entry of an import.
const IMPORT_BATCH: usize = 500;

/// Under what name a draft is kept: one case may be labeled in a session too.
fn draft_key(reviewer: &str, round: Option<&str>) -> String {
    match round {
        // No name of a person has a `#` in it.
        Some(round) if ![MAIN_ROUND, GOLD_ROUND, REPEAT_ROUND].contains(&round) => {
            format!("{reviewer}#{round}")
        }
        _ => reviewer.to_owned(),
    }
}

impl Workspace {
    pub fn protocols(&self) -> Result<Protocols, WorkError> {
        Ok(Protocols::load(&self.db.conn)?)
    }

    pub fn queue(&self) -> Result<(Queue, QueueCounts), WorkError> {
        let queue = Queue::load(&self.db.conn, &self.me, self.now())?;
        let counts = queue.counts(&self.db.conn, || false)?;
        Ok((queue, counts))
    }

    /// Whether a case comes to whoever is at work to measure them, unseen.
    pub fn is_mixed_in(&self, id: CaseId) -> Result<bool, WorkError> {
        let (conn, policy) = (&self.db.conn, self.policy()?);
        let again = retest::pending(conn, &self.me, &policy, self.now())?;
        if again.is_some_and(|(_, row)| row.id == id) {
            return Ok(true);
        }
        let row = case::by_id(conn, id)?.filter(|_| policy.gold_percent > 0);
        Ok(row.map(|row| gold::measures(conn, &self.me, &row)).transpose()?.unwrap_or(false))
    }

    /// The queue, without counting whose every case is.
    pub fn quick_queue(&self) -> Result<(Queue, QueueCounts), WorkError> {
        self.queue_at(self.now())
    }

    /// The same at a time.
    pub fn queue_at(&self, now: Moment) -> Result<(Queue, QueueCounts), WorkError> {
        let queue = Queue::load(&self.db.conn, &self.me, now)?;
        let counts = queue.quick_counts(&self.db.conn)?;
        Ok((queue, counts))
    }

    /// What a reviewer said of a case meanwhile that is about to get `label`, if that is not what
    /// they `knew`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overtaken(
        &self,
        label: &Label,
        knew: Option<EventId>,
    ) -> Result<Option<GivenLabel>, WorkError> {
        let Label { case, reviewer, round, .. } = label;
        let latest = latest_in(&self.db.conn, *case, reviewer, round, None)?;
        let Some((event, at)) = latest.filter(|(event, _)| Some(*event) != knew) else {
            return Ok(None);
        };
        let of_case = label::live_of_case(&self.db.conn, *case)?.into_iter();
        let sealed = self.own_sealed(Some(*case))?.into_iter().map(|row| row.given);
        let found = of_case.chain(sealed).find(|given| given.event == event);
        // What they sealed on another device can't be read here.
        Ok(Some(found.unwrap_or_else(|| {
            let mut label = Label::empty(*case, reviewer, round, label.protocol.clone());
            label.given_at = Some(at);
            let at = Hlc { ms: at.0, n: 0 };
            GivenLabel { event, at, author: self.me.clone(), label }
        })))
    }

    /// Submits a label, whatever its reviewer said before.
    pub fn submit(&mut self, label: Label) -> Result<Appended, WorkError> {
        let latest = latest_in(&self.db.conn, label.case, &label.reviewer, &label.round, None)?;
        self.submit_knowing(label, latest.map(|(event, _)| event))
    }

    /// Submits a label and drops its draft, in one transaction. When it returns, the label is on
    /// disk.
    ///
    /// # Errors
    /// [`LabelError::Meanwhile`] if the reviewer's latest label of the case in that round is
    /// not the one they `knew`.
    pub fn submit_knowing(
        &mut self,
        label: Label,
        knew: Option<EventId>,
    ) -> Result<Appended, WorkError> {
        self.ready_to_write()?;
        if let Some(session) = crate::review::calibration::of_round(&self.db.conn, &label.round)?
            && session.round_now().as_deref() != Some(label.round.as_str())
        {
            // It went on elsewhere since this was begun: what is given now would not count.
            return Err(CalibrationError::Stage(session.name().to_owned(), session.stage()).into());
        }
        let after_others = self.saw_others(&label)?;
        let label = Label { after_others, ..label };
        let (whose, case) = (draft_key(&self.me, Some(&label.round)), label.case);
        let (reviewer, round) = (label.reviewer.clone(), label.round.clone());
        let events = vec![self.giving(label)?];
        let mut meanwhile = None;
        let unless_overtaken = |tx: &rusqlite::Transaction<'_>, new: EventId| {
            let before = latest_in(tx, case, &reviewer, &round, Some(new))?;
            if before.is_some_and(|(event, _)| Some(event) != knew) {
                meanwhile = before.map(|(_, at)| at);
                return Err(rusqlite::Error::QueryReturnedNoRows); // takes all of it back
            }
            draft::delete(tx, &whose, case)
        };
        let by = By { name: &self.me, visit: self.visit_event() };
        let appended =
            append_and(&mut self.db, &self.key, by, events, clock::now(), unless_overtaken);
        match (appended, meanwhile) {
            (_, Some(at)) => Err(LabelError::Meanwhile(case, at).into()),
            (appended, None) => Ok(appended?),
        }
    }

    /// Whether whoever is at work, about to give a label, could see what it should be held against.
    fn saw_others(&self, label: &Label) -> Result<bool, WorkError> {
        let conn = &self.db.conn;
        match label.round.as_str() {
            MAIN_ROUND => Ok(self.sight()?.saw_others(conn, label.case)?),
            // What a case counts as is shown to whoever labeled it.
            GOLD_ROUND => Ok(label::of_case(conn, label.case)?.iter().any(|row| {
                let given = &row.given.label;
                (given.reviewer.as_str(), given.round.as_str()) == (&*label.reviewer, GOLD_ROUND)
            })),
            _ => Ok(false),
        }
    }

    /// What is written of a label: sealed, where its round is.
    pub(super) fn giving(&self, label: Label) -> Result<Append, WorkError> {
        let session = crate::review::calibration::of_round(&self.db.conn, &label.round)?;
        let sealing = session.as_ref().and_then(|session| session.sealing_of(&label.round));
        let Some(Sealing { recipient, .. }) = sealing else {
            return Ok(Append::new(&LabelGiven(label)));
        };
        let sealed = seal(&label, recipient, &self.key)?;
        let Label { case, round, given_at, .. } = label;
        Ok(Append::new(&LabelSealed { case, round, to: recipient.clone(), sealed, given_at }))
    }

    /// Labels of whoever is at work that nobody else can read yet, in the order given, withdrawn ones
    /// too; those that they gave on other devices are not among them.
    pub(super) fn own_sealed(&self, of: Option<CaseId>) -> Result<Vec<LabelRow>, WorkError> {
        let mut rows = sealed::of_author(&self.db.conn, &self.me)?;
        rows.retain(|(row, _)| of.is_none_or(|case| case == row.case));
        let rows = rows.into_iter();
        let open = |(row, withdrawn): (SealedRow, _)| {
            Some(LabelRow { given: opened_here(&row, &self.key)?, withdrawn })
        };
        Ok(rows.filter_map(open).collect())
    }

    /// The same, with those that can't be read here as labels without answers: they were given all the
    /// same.
    pub(super) fn own_sealed_or_empty(&self) -> Result<Vec<LabelRow>, WorkError> {
        let rows = sealed::of_author(&self.db.conn, &self.me)?.into_iter();
        let open = |(row, withdrawn): (SealedRow, _)| {
            let given = opened_here(&row, &self.key).unwrap_or_else(|| {
                let reference = ProtocolRef { id: String::new(), version: 0, hash: Hash([0; 32]) };
                let label = Label::empty(row.case, &row.author, &row.round, reference);
                let (event, at, author) = (row.event, row.at, row.author.clone());
                GivenLabel { event, at, author, label }
            });
            LabelRow { given, withdrawn }
        };
        Ok(rows.map(open).collect())
    }

    /// The label that a draft makes of a case.
    pub fn label_of(
        &mut self,
        case: &CaseRow,
        draft: &Draft,
        published: &Published,
    ) -> Result<Label, WorkError> {
        let policy = self.policy()?;
        let opened = self.open_to_read(case.clone())?;
        draft
            .label(&LabelContext::of(&opened, published, &policy, &self.me))
            .map_err(WorkError::Incomplete)
    }

    /// The label of whoever is at work that counts for a case.
    pub fn counting_label(&self, case: CaseId) -> Result<Option<GivenLabel>, WorkError> {
        let live = label::live_of_case(&self.db.conn, case)?;
        Ok(live
            .into_iter()
            .rev()
            .find(|given| given.label.reviewer == self.me && given.label.round == MAIN_ROUND))
    }

    /// What is said to whoever gave a label that is not compared with others'; nothing of any other, and
    /// nothing of one that measures: what comes back unseen would be known by it.
    pub fn not_compared(&self, case: CaseId, given: EventId) -> Result<Option<String>, WorkError> {
        let counting = self.counting_label(case)?.filter(|counting| counting.event == given);
        let late = counting.filter(|counting| counting.label.after_others);
        Ok(late.map(|_| format!("{AFTER_OTHERS}: it counts, and is not compared with theirs")))
    }

    /// Takes back one label.
    pub fn withdraw(&mut self, given: &GivenLabel) -> Result<EventId, WorkError> {
        let Label { case, reviewer, .. } = given.label.clone();
        let event = LabelWithdrawn { case, label: given.event, reviewer };
        Ok(self.append(vec![Append::new(&event)])?.event())
    }

    pub fn draft(&self, case: CaseId) -> Result<Option<Draft>, WorkError> {
        let text = draft::get(&self.db.conn, &draft_key(&self.me, self.in_round.as_deref()), case)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub fn keep_draft(&mut self, case: CaseId, kept: &Draft) -> Result<(), WorkError> {
        let me = draft_key(&self.me, self.in_round.as_deref());
        let write = |conn: &rusqlite::Connection| {
            if kept.is_empty() {
                return draft::delete(conn, &me, case);
            }
            draft::put(conn, &me, case, &crate::db::to_json(kept), clock::now())
        };
        Ok(self.db.write(write)?)
    }

    /// Where the reviewer was, in the screen's own words.
    pub fn place(&self) -> Result<Option<String>, WorkError> {
        Ok(draft::place(&self.db.conn, &self.me)?)
    }

    pub fn keep_place(&mut self, place: &str) -> Result<(), WorkError> {
        Ok(self.db.write(|conn| draft::put_place(conn, &self.me, place))?)
    }

    /// Imports labels that others gave, in the name of a lead.
    pub fn import_labels(&mut self, text: &str, dry_run: bool) -> Result<ImportSummary, WorkError> {
        self.ready_to_write()?;
        let protocols = self.protocols()?;
        let mut summary = ImportSummary::default();
        let sealed = self.hidden_rounds()?;
        let tx = self.db.begin()?;
        let mut writer = chain::Writer::new(&tx, &self.key)?;
        let protocol = |stream: &str| {
            protocols
                .for_stream(stream)
                .map(|published| (&published.protocol, &published.reference))
        };
        let (author, now) = (self.me.as_str(), clock::now());
        let context = Context { conn: &tx, sealed, protocol, author, now };
        let mut batch = Vec::new();
        let mut in_batch = std::collections::HashSet::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            summary.read += 1;
            match read_label(&context, line) {
                Err(reason) => summary.reject(number, &reason),
                Ok(None) => summary.duplicate += 1,
                Ok(Some(label)) => {
                    let key = (
                        label.case,
                        label.reviewer.clone(),
                        label.round.clone(),
                        label.given_at,
                        label.path.clone(),
                    );
                    if !in_batch.insert(key) {
                        summary.duplicate += 1;
                        continue;
                    }
                    summary.imported += 1;
                    batch.push(Append::new(&LabelGiven(label)));
                }
            }
            if batch.len() >= IMPORT_BATCH && !dry_run {
                writer.append(&self.me, std::mem::take(&mut batch), clock::now())?;
            }
        }
        if dry_run {
            return Ok(summary); // nothing was written
        }
        if !batch.is_empty() {
            writer.append(&self.me, batch, clock::now())?;
        }
        writer.finish()?;
        tx.commit()?;
        Ok(summary)
    }
}
