//! Ruling on cases on which reviewers differ, and what reviewers can do about a ruling.

use serde_json::Value;

use super::error::RulingError;
use super::{WorkError, Workspace};
use crate::db::case::CaseRow;
use crate::db::{arbitration, label};
use crate::domain::arbitration::{
    Cause, Change, Ruling, has_appealed, replaced_by_a_new_one, rivals, ruling,
};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, Outcome, value_text};
use crate::domain::protocol::Walked;
use crate::domain::protocol::walk;
use crate::domain::resolve::CaseState;
use crate::domain::text::is_blank;
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::{CaseAppealed, CaseRuled, LabelReturned, RulingWithdrawn};
use crate::journal::views::evidence::Evidence;
use crate::review::arbitration::{
    ChangeNote, Dispute, PastRuling, Side, WAITING_MAX, Waiting, change_notes, owner, rulings,
    waiting,
};
use crate::review::session_said::SessionSaid;
use crate::review::{Draft, Published};

/// What a ruling is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum RulingChoice {
    /// That of a label.
    Takes(char),
    /// A walk anew through the protocol in force.
    Walked(Box<Draft>),
    /// What a calibration session agreed on, by its name.
    Session(String),
    /// Fields that were named. If all labels that say so have one outcome, it is theirs.
    Fields(Outcome),
}

/// Why whoever rules thinks so.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    pub cause: Cause,
    pub rationale: String,
    /// What must change in the protocol at the question that split; empty words: the rationale says
    /// it.
    pub change: Option<(Option<String>, String)>,
}

impl Workspace {
    /// A case with its labels side by side.
    pub fn dispute(&self, row: CaseRow) -> Result<Dispute, WorkError> {
        let same_input = self.same_input(row.id)?;
        let dispute = Dispute::load(&self.db.conn, &self.protocols()?, row, &self.me)?;
        Ok(Dispute { same_input, ..dispute })
    }

    /// A case with labels that may be seen, and whose they are.
    pub fn side_by_side(
        &self,
        row: CaseRow,
        labels: Vec<GivenLabel>,
    ) -> Result<Dispute, WorkError> {
        Ok(Dispute::named(&self.db.conn, &self.protocols()?, row, &self.me, &labels)?)
    }

    /// Whether whoever is at work may see what others said of a case: to rule on it, or because
    /// they will not label it themselves any more. A lead who reviews has not said yet what they
    /// think of an open case either.
    pub fn may_see_labels(&self, dispute: &Dispute) -> Result<bool, WorkError> {
        // What is escalated is there to be ruled on while it is open; asking for that must not show
        // a lead what others said of a case that they may still label.
        if dispute.sides.iter().all(|side| side.own) {
            return Ok(true);
        }
        Ok(self.blind_to([dispute.row.id])?.is_empty())
    }

    /// A case on which there is something to rule.
    fn conflict(&self, row: CaseRow) -> Result<Dispute, WorkError> {
        let dispute = self.dispute(row)?;
        if dispute.is_one() {
            Ok(dispute)
        } else {
            Err(RulingError::NoConflict(dispute.row.id).into())
        }
    }

    /// Every case that waits to be settled, but for those of which whoever is at work must not know
    /// that they are settled.
    pub fn waiting(&self) -> Result<Vec<Waiting>, WorkError> {
        let all = waiting(&self.db.conn, &self.policy()?, self.now(), WAITING_MAX)?;
        if self.is_lead()? {
            return Ok(all);
        }
        let (settled, mut seen): (Vec<Waiting>, Vec<Waiting>) =
            all.into_iter().partition(|one| one.row.state == CaseState::Resolved);
        let rows = self.as_i_see(settled.iter().map(|one| one.row.clone()).collect())?;
        let told = settled.into_iter().zip(rows);
        seen.extend(told.filter(|(_, row)| row.state == CaseState::Resolved).map(|(one, _)| one));
        seen.sort_by_key(|one| (one.stands.due, one.row.id));
        Ok(seen)
    }

    /// The lead to whom disputes come in the end.
    pub fn owner(&self) -> Result<String, WorkError> {
        Ok(owner(&self.db.conn, &self.policy()?)?)
    }

    /// Every ruling, the latest first.
    pub fn rulings(&self) -> Result<Vec<PastRuling>, WorkError> {
        Ok(rulings(&self.db.conn, &self.policy()?)?)
    }

    /// The rulings that say otherwise than a label of whoever is at work.
    pub fn overruled(&self) -> Result<Vec<PastRuling>, WorkError> {
        let mine =
            |past: &PastRuling| past.overruled.iter().any(|given| given.label.reviewer == self.me);
        Ok(self.rulings()?.into_iter().filter(|past| past.counts && mine(past)).collect())
    }

    /// Where rulings say that a protocol must change.
    pub fn change_notes(&self) -> Result<Vec<ChangeNote>, WorkError> {
        Ok(change_notes(&self.rulings()?, &self.protocols()?))
    }

    /// Rules on a case. What a session agreed on needs no reason but the session.
    ///
    /// # Errors
    /// That there is no conflict, or no reason; and those of the database.
    pub fn rule(
        &mut self,
        row: CaseRow,
        verdict: RulingChoice,
        reasons: Reasons,
    ) -> Result<(Ruling, Appended), WorkError> {
        let dispute = self.conflict(row)?;
        let Reasons { cause, rationale, change } = reasons;
        let rationale = match &verdict {
            RulingChoice::Session(name) if is_blank(&rationale) => {
                agreed_in(&dispute, name)?.reason()
            }
            _ if is_blank(&rationale) => return Err(RulingError::NoRationale.into()),
            _ => rationale.trim().to_owned(),
        };
        let protocols = self.protocols()?;
        let stream = &dispute.row.stream;
        let published =
            protocols.for_stream(stream).ok_or_else(|| WorkError::NoProtocol(stream.clone()))?;
        let mut ruling = self.ruling(&dispute, published, verdict)?;
        (ruling.cause, ruling.rationale) = (cause, rationale);
        if let Some((question, text)) = change {
            if let Some(question) =
                question.as_ref().filter(|id| published.protocol.question(id).is_none())
            {
                let protocol = published.protocol.id.clone();
                return Err(
                    RulingError::NotAQuestion { protocol, question: question.clone() }.into()
                );
            }
            let question = question.or_else(|| dispute.question().map(str::to_owned));
            let question = question.filter(|id| published.protocol.question(id).is_some());
            let question =
                question.ok_or_else(|| RulingError::NoQuestion(published.protocol.id.clone()))?;
            let (protocol, version) = (published.protocol.id.clone(), published.reference.version);
            ruling.change = Some(Change { protocol, version, question, text });
        }
        let saved = self.append(vec![Append::new(&CaseRuled(ruling.clone()))])?;
        Ok((ruling, saved))
    }

    /// The ruling that a verdict makes, without its reasons.
    fn ruling(
        &self,
        dispute: &Dispute,
        published: &Published,
        verdict: RulingChoice,
    ) -> Result<Ruling, WorkError> {
        let side = match &verdict {
            RulingChoice::Takes(name) => Some(dispute.side(*name).ok_or_else(|| {
                RulingError::NoSide(*name, dispute.sides.iter().map(|side| side.name).collect())
            })?),
            RulingChoice::Fields(fields) => {
                check_fields(published, fields)?;
                // A label that says so, if all that do mean the same.
                let says = |side: &&Side| {
                    fields.iter().all(|(field, value)| side.outcome.get(field) == Some(value))
                };
                let mut sides = dispute.sides.iter().filter(says);
                sides.next().filter(|first| sides.all(|other| other.outcome == first.outcome))
            }
            RulingChoice::Walked(_) | RulingChoice::Session(_) => None,
        };
        let considered = dispute.sides.iter().map(|side| side.given.event).collect();
        let acts = Evidence::of(&self.db.conn, &self.policy()?, &dispute.row)?.acts;
        let empty = Ruling {
            case: dispute.row.id,
            outcome: Outcome::new(),
            protocol: Some(published.reference.clone()),
            path: Vec::new(),
            takes: None,
            cause: Cause::Other,
            rationale: String::new(),
            considered,
            change: None,
            replaces: Some(replaced_by_a_new_one(&acts)),
        };
        if let Some(side) = side {
            let label = &side.given.label;
            let (outcome, path) = (label.outcome.clone(), label.path.clone());
            return Ok(Ruling {
                outcome,
                path,
                protocol: Some(label.protocol.clone()),
                takes: Some(side.given.event),
                ..empty
            });
        }
        let (outcome, path) = match verdict {
            RulingChoice::Walked(draft) => {
                let protocol = &published.protocol;
                if let Walked::Asks(question) = walk(protocol, &draft.answers).end {
                    return Err(WorkError::Incomplete(crate::review::Missing::Question(
                        question.id.clone(),
                    )));
                }
                let outcome = draft.outcome(protocol, dispute.row.predicted.as_deref());
                (outcome.ok_or(RulingError::NoVerdict)?, draft.path(protocol))
            }
            RulingChoice::Fields(fields) => (fields, Vec::new()),
            RulingChoice::Session(name) => return of_session(dispute, &name, empty),
            RulingChoice::Takes(_) => return Err(RulingError::NoVerdict.into()),
        };
        if let Some(field) =
            published.protocol.required.iter().find(|field| !outcome.contains_key(*field))
        {
            return Err(RulingError::Required {
                protocol: published.protocol.id.clone(),
                field: field.clone(),
            }
            .into());
        }
        Ok(Ruling { outcome, path, ..empty })
    }

    /// The ruling of a case that counts.
    fn ruled(&self, id: CaseId) -> Result<Option<EventId>, WorkError> {
        let (labels, acts) =
            (label::live_of_case(&self.db.conn, id)?, arbitration::of_case(&self.db.conn, id)?);
        Ok(ruling(&acts, &labels).map(|ruled| ruled.event))
    }

    /// Takes back the ruling of a case: it is disputed again, or an earlier ruling counts. Where
    /// several were given at once, one's own.
    pub fn withdraw_ruling(&mut self, case: CaseId, why: &str) -> Result<Appended, WorkError> {
        let acts = arbitration::of_case(&self.db.conn, case)?;
        let own = rivals(&acts).into_iter().find(|done| done.author == self.me);
        let ruling = match own {
            Some(own) => own.event,
            None => self.ruled(case)?.ok_or(RulingError::NoRuling(case))?,
        };
        self.append(vec![Append::new(&RulingWithdrawn { case, ruling, why: why.to_owned() })])
    }

    /// Asks to have a ruling looked at again that overruled whoever is at work. Each may once on a
    /// case.
    pub fn appeal(&mut self, case: CaseId, why: &str) -> Result<Appended, WorkError> {
        if is_blank(why) {
            return Err(RulingError::NoRationale.into());
        }
        let ruling = self.ruled(case)?.ok_or(RulingError::NoRuling(case))?;
        if has_appealed(&arbitration::of_case(&self.db.conn, case)?, &self.me) {
            return Err(RulingError::AppealedAlready(case).into());
        }
        if !self.overruled()?.iter().any(|past| past.row.id == case) {
            return Err(RulingError::NotOverruled(case).into());
        }
        self.append(vec![Append::new(&CaseAppealed { case, ruling, why: why.trim().to_owned() })])
    }

    /// Returns a label to its author with a question; whose it is stays unsaid.
    pub fn return_label(
        &mut self,
        row: CaseRow,
        side: char,
        question: Option<&str>,
        text: &str,
    ) -> Result<Appended, WorkError> {
        let dispute = self.conflict(row)?;
        let names = || dispute.sides.iter().map(|side| side.name).collect();
        let side = dispute.side(side).ok_or_else(|| RulingError::NoSide(side, names()))?;
        if is_blank(text) {
            return Err(RulingError::NoRationale.into());
        }
        if let Some(question) =
            question.filter(|question| !side.path.iter().any(|(asked, _)| asked == question))
        {
            return Err(
                RulingError::NotAsked { side: side.name, question: question.to_owned() }.into()
            );
        }
        if !self.reviewers()?.contains(&side.given.label.reviewer) {
            return Err(RulingError::Gone { side: side.name }.into());
        }
        let question = question.or(dispute.question()).map(str::to_owned);
        let (label, reviewer) = (side.given.event, side.given.label.reviewer.clone());
        let event = LabelReturned {
            case: dispute.row.id,
            label,
            reviewer,
            question,
            text: text.trim().to_owned(),
        };
        self.append(vec![Append::new(&event)])
    }
}

/// What a session said of a case, if it agreed on something.
fn agreed_in<'d>(dispute: &'d Dispute, name: &str) -> Result<&'d SessionSaid, RulingError> {
    let said = dispute.sessions.iter().find(|said| said.session == name);
    said.filter(|said| said.agreed.is_some()).ok_or_else(|| {
        let known = dispute.sessions.iter().filter(|said| said.agreed.is_some());
        let known = known.map(|said| said.session.clone()).collect();
        RulingError::NoAgreement { session: name.to_owned(), known }
    })
}

/// The ruling that takes what a session agreed on.
fn of_session(dispute: &Dispute, name: &str, ruling: Ruling) -> Result<Ruling, WorkError> {
    let said = agreed_in(dispute, name)?;
    let Some(first) = said.labels.first() else { return Err(RulingError::NoVerdict.into()) };
    let mut considered = ruling.considered;
    considered.extend(said.labels.iter().map(|given| given.event));
    Ok(Ruling {
        outcome: first.label.outcome.clone(),
        path: first.label.path.clone(),
        protocol: Some(first.label.protocol.clone()),
        takes: Some(first.event),
        considered,
        ..ruling
    })
}

/// Whether a protocol sets such fields, and knows such labels.
fn check_fields(published: &Published, fields: &Outcome) -> Result<(), WorkError> {
    let protocol = &published.protocol;
    let known: Vec<&str> = protocol.fields().collect();
    for (field, value) in fields {
        if !known.contains(&field.as_str()) {
            let mut names = known.clone();
            names.sort_unstable();
            names.dedup();
            return Err(RulingError::NoField {
                protocol: protocol.id.clone(),
                field: field.clone(),
                known: names.join(", "),
            }
            .into());
        }
        let label = value_text(value);
        // What answers set is known, unless they take it from the model or from what was written.
        let set: Vec<&Value> = protocol
            .questions
            .iter()
            .flat_map(|one| one.kind.consequences())
            .filter_map(|then| then.set.get(field))
            .collect();
        let written = protocol.questions.iter().any(|one| one.kind.field() == Some(field.as_str()));
        let fixed = !written
            && set.iter().all(|value| !value.is_object() && !value_text(value).contains('{'));
        if fixed && !set.contains(&value) {
            let mut known: Vec<String> = set.iter().map(|value| value_text(value)).collect();
            known.sort();
            known.dedup();
            return Err(RulingError::NoValue {
                field: field.clone(),
                value: label,
                known: known.join(", "),
            }
            .into());
        }
        if protocol.label_fields().contains(&field.as_str())
            && !protocol.labels.is_empty()
            && !protocol.has_label(&label)
        {
            return Err(RulingError::NoLabel { protocol: protocol.id.clone(), label }.into());
        }
    }
    Ok(())
}
