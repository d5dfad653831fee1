//! Known answers, training, precedents, and what a new version changes.

use std::collections::BTreeMap;

use super::error::TrainingError;
use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::{self, CaseRow};
use crate::db::{arbitration, label};
use crate::domain::arbitration::{Ruled, ruling};
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, MAIN_ROUND, Outcome, Step};
use crate::domain::policy::Training;
use crate::domain::roster::Role;
use crate::domain::training::{Attempt, Gold};
use crate::intake::labels::{Context, ImportSummary, read_gold};
use crate::journal::Append;
use crate::journal::chain::{self, Appended};
use crate::journal::kind::{GoldSet, TrainingFinished};
use crate::review::replay::{Report, report};
use crate::review::{Precedent, gold, precedent};

/// Precedents that are shown.
const PRECEDENTS: usize = 5;

/// A known answer that can be taught: its case, the right way and end under the version in force,
/// and why.
#[derive(Debug, Clone)]
pub struct TrainingItem {
    pub row: CaseRow,
    pub right: (Vec<Step>, Outcome),
    pub why: String,
}

/// What a training goes through.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    /// Id of the protocol.
    pub protocol: String,
    /// In an order of the reviewer's own.
    pub all: Vec<TrainingItem>,
    /// Cases that can't be taught: the version in force asks for more than their answers have.
    pub outdated: usize,
    pub rules: Training,
}

impl Workspace {
    /// Resolved cases like one.
    pub fn precedents(&mut self, id: CaseId) -> Result<Vec<Precedent>, WorkError> {
        let Some(row) = case::by_id(&self.db.conn, id)? else { return Ok(Vec::new()) };
        let opened = self.open_to_read(row)?;
        let rival = opened
            .prediction
            .as_ref()
            .and_then(|prediction| prediction.challenger.as_ref())
            .map(|rival| rival.label.clone());
        let (conn, unpacker) = (&self.db.conn, &mut self.unpacker);
        Ok(precedent::precedents(
            conn,
            unpacker,
            &opened.row,
            rival.as_deref(),
            &self.me,
            PRECEDENTS,
        )?)
    }

    /// What a version, published or not, would do to the labels there are.
    pub fn replay(&self, newest: &crate::domain::protocol::Protocol) -> Result<Report, WorkError> {
        let mut report = report(&self.db.conn, &self.protocols()?, newest)?;
        let blind = self.blind_to(
            report.changed.iter().filter(|one| one.reviewer != self.me).map(|one| one.case),
        )?;
        let all = report.changed.len();
        report.changed.retain(|one| one.reviewer == self.me || !blind.contains(&one.case));
        report.left_out = all - report.changed.len();
        Ok(report)
    }

    /// Whether whoever is at work is a lead.
    pub fn is_lead(&self) -> Result<bool, WorkError> {
        Ok(self.roster_now()?.iter().any(|grant| grant.name == self.me && grant.role == Role::Lead))
    }

    /// Makes the label that whoever is at work gave to a case the known answer.
    pub fn set_gold(&mut self, id: CaseId, why: &str) -> Result<Appended, WorkError> {
        let live = label::live_of_case(&self.db.conn, id)?;
        let mine = live
            .into_iter()
            .rev()
            .find(|given| given.label.reviewer == self.me && given.label.round == MAIN_ROUND);
        let GivenLabel { label, .. } =
            mine.ok_or_else(|| TrainingError::NotLabeled(self.me.clone()))?;
        self.append(vec![Append::new(&GoldSet { gold: Gold::of(&label, why), dropped: false })])
    }

    /// Makes what a case was ruled to be the known answer, with the ruling's reason where none is
    /// given.
    pub fn set_gold_by_ruling(&mut self, id: CaseId, why: &str) -> Result<Appended, WorkError> {
        let acts = arbitration::of_case(&self.db.conn, id)?;
        let labels = label::live_of_case(&self.db.conn, id)?;
        let ruled = ruling(&acts, &labels).filter(Ruled::stands);
        let ruling = ruled.ok_or(TrainingError::NotRuled)?.ruling;
        let (Some(protocol), false) = (&ruling.protocol, ruling.path.is_empty()) else {
            return Err(TrainingError::NoPath.into());
        };
        let gold = Gold {
            case: id,
            protocol: protocol.clone(),
            path: ruling.path.clone(),
            outcome: ruling.outcome.clone(),
            why: if why.is_empty() { ruling.rationale.clone() } else { why.to_owned() },
        };
        self.append(vec![Append::new(&GoldSet { gold, dropped: false })])
    }

    /// Takes in known answers from JSON lines with a case, a path and a reason.
    pub fn import_gold(&mut self, text: &str) -> Result<ImportSummary, WorkError> {
        self.ready_to_write()?;
        let protocols = self.protocols()?;
        let protocol = |stream: &str| {
            let published = protocols.for_stream(stream);
            published.map(|published| (&published.protocol, &published.reference))
        };
        let (mut summary, mut batch) = (ImportSummary::default(), Vec::new());
        let tx = self.db.begin()?;
        let (author, now) = (self.me.as_str(), clock::now());
        // Known answers are of no session.
        let sealed = std::collections::BTreeSet::new();
        let context = Context { conn: &tx, sealed, protocol, author, now };
        let mut known: BTreeMap<CaseId, Gold> =
            gold::all(&tx)?.into_iter().map(|gold| (gold.case, gold)).collect();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            summary.read += 1;
            match read_gold(&context, line) {
                Err(reason) => summary.reject(number, &reason),
                Ok(gold) if known.get(&gold.case) == Some(&gold) => summary.duplicate += 1,
                Ok(gold) => {
                    summary.imported += 1;
                    batch.push(Append::new(&GoldSet { gold: gold.clone(), dropped: false }));
                    known.insert(gold.case, gold);
                }
            }
        }
        if !batch.is_empty() {
            let mut writer = chain::Writer::new(&tx, &self.key)?;
            writer.append(&self.me, batch, clock::now())?;
            writer.finish()?;
            tx.commit()?;
        }
        Ok(summary)
    }

    /// Takes back that a case has a known answer.
    pub fn drop_gold(&mut self, id: CaseId) -> Result<Appended, WorkError> {
        let gold = gold::of_case(&self.db.conn, id)?.ok_or(TrainingError::NotGold)?;
        self.append(vec![Append::new(&GoldSet { gold, dropped: true })])
    }

    /// The known answers to cases of a protocol.
    pub fn lessons(&self, protocol: &str) -> Result<TrainingSet, WorkError> {
        let protocols = self.protocols()?;
        let published =
            protocols.in_force().into_iter().find(|published| published.protocol.id == protocol);
        let newest =
            &published.ok_or_else(|| TrainingError::NoSuchProtocol(protocol.to_owned()))?.protocol;
        let (mut all, mut outdated) = (Vec::new(), 0);
        for gold in
            gold::all(&self.db.conn)?.into_iter().filter(|gold| gold.protocol.id == protocol)
        {
            let Some(row) =
                case::by_id(&self.db.conn, gold.case)?.filter(|row| !row.text.is_empty())
            else {
                continue;
            };
            match gold.under(newest, &protocols.after(&gold.protocol), row.predicted.as_deref()) {
                Some(right) => all.push(TrainingItem { row, right, why: gold.why }),
                None => outdated += 1,
            }
        }
        let drawn = |lesson: &TrainingItem| {
            *blake3::hash(&[&lesson.row.id.0[..], self.me.as_bytes()].concat()).as_bytes()
        };
        all.sort_by_key(drawn);
        Ok(TrainingSet {
            protocol: protocol.to_owned(),
            all,
            outdated,
            rules: protocols.policy.training,
        })
    }

    /// Records how a training went.
    pub fn finish_training(
        &mut self,
        protocol: &str,
        attempts: Vec<Attempt>,
    ) -> Result<Appended, WorkError> {
        let protocols = self.protocols()?;
        let published =
            protocols.in_force().into_iter().find(|published| published.protocol.id == protocol);
        let reference = published
            .ok_or_else(|| TrainingError::NoSuchProtocol(protocol.to_owned()))?
            .reference
            .clone();
        let right = attempts.iter().filter(|attempt| attempt.right).count();
        let passed = protocols.policy.training.passes(right, attempts.len());
        let event =
            TrainingFinished { reviewer: self.me.clone(), protocol: reference, attempts, passed };
        self.append(vec![Append::new(&event)])
    }
}
