//! Undoing the last thing that whoever is at work did, and taking that back again. Nothing is ever
//! taken out of the journal: each is one more event.

use super::error::LabelError;
use super::{WorkError, Workspace};
use crate::db::note::{self, NoteKind, NoteRow};
use crate::db::{arbitration, label};
use crate::domain::arbitration::{Act, Ruling};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, outcome_words};
use crate::domain::time::Hlc;
use crate::journal::Append;
use crate::journal::kind::{CaseCommented, CaseDeferred, CaseEscalated, CaseRuled, NoteWithdrawn};

/// Something that can be undone, or done again.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    Label(Box<GivenLabel>),
    Ruling { case: CaseId, ruling: Box<Ruling> },
    Note(Box<NoteRow>),
}

/// What was undone or done again, and the event that did.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    pub deed: Deed,
    pub event: EventId,
}

impl Deed {
    pub fn case(&self) -> CaseId {
        match self {
            Self::Label(given) => given.label.case,
            Self::Ruling { case, .. } => *case,
            Self::Note(note) => note.id,
        }
    }

    /// What it was, in words: `your escalation of 5a1f5472 (is this a complaint?)`.
    pub fn words(&self) -> String {
        let case = self.case().short();
        match self {
            Self::Label(given) => {
                format!("your label of {case} ({})", outcome_words(&given.label.outcome))
            }
            Self::Ruling { ruling, .. } => {
                format!("your ruling on {case} ({})", outcome_words(&ruling.outcome))
            }
            Self::Note(note) => {
                let what = match note.kind {
                    NoteKind::Commented => "comment on",
                    NoteKind::Deferred => "deferral of",
                    NoteKind::Escalated => "escalation of",
                };
                format!("your {what} {case} ({})", note.text)
            }
        }
    }
}

impl Workspace {
    /// Undoes the last thing that whoever is at work did: a label, a ruling, a comment, a deferral or
    /// an escalation.
    ///
    /// # Errors
    /// They did nothing that is left to be undone, and those of the database.
    pub fn undo(&mut self) -> Result<Undone, WorkError> {
        let (deed, _) =
            self.last_deed()?.ok_or_else(|| LabelError::NothingToUndo(self.me.clone()))?;
        let event = match &deed {
            Deed::Label(given) => self.withdraw(given)?,
            Deed::Ruling { case, .. } => self.withdraw_ruling(*case, "")?.event(),
            Deed::Note(note) => {
                let event = NoteWithdrawn { case: note.id, note: note.event };
                self.append(vec![Append::new(&event)])?.event()
            }
        };
        Ok(Undone { deed, event })
    }

    /// Does again what whoever is at work undid, if that is the last thing they did.
    ///
    /// # Errors
    /// They undid nothing since, and those of the database.
    pub fn redo(&mut self) -> Result<Undone, WorkError> {
        self.ready_to_write()?;
        let last = self.last_deed()?.map(|(_, at)| at);
        let undone = self.last_undone()?.filter(|(_, at)| last.is_none_or(|last| *at > last));
        let (deed, _) = undone.ok_or_else(|| LabelError::NothingToRedo(self.me.clone()))?;
        let again = match &deed {
            // What can't be read here can't be given again from here.
            Deed::Label(given) if given.label.protocol.id.is_empty() => {
                return Err(LabelError::NothingToRedo(self.me.clone()).into());
            }
            Deed::Label(given) => {
                // It was given when it was given first.
                let mut label = given.label.clone();
                label.given_at = Some(given.given_at());
                self.giving(label)?
            }
            Deed::Ruling { ruling, .. } => Append::new(&CaseRuled((**ruling).clone())),
            Deed::Note(note) => match (note.kind, note.until) {
                (NoteKind::Deferred, Some(until)) => {
                    Append::new(&CaseDeferred { case: note.id, text: note.text.clone(), until })
                }
                (NoteKind::Escalated, _) => {
                    Append::new(&CaseEscalated { case: note.id, text: note.text.clone() })
                }
                _ => Append::new(&CaseCommented {
                    case: note.id,
                    text: note.text.clone(),
                    question: note.question.clone(),
                    session: note.session.clone(),
                }),
            },
        };
        let event = self.append(vec![again])?.event();
        Ok(Undone { deed, event })
    }

    /// The last thing that whoever is at work did and did not undo, and when.
    fn last_deed(&self) -> Result<Option<(Deed, Hlc)>, WorkError> {
        let conn = &self.db.conn;
        let mut deeds: Vec<(Deed, Hlc)> = Vec::new();
        let sealed = self.own_sealed_or_empty()?.into_iter().filter(|row| row.withdrawn.is_none());
        let labels =
            label::latest_of(conn, &self.me)?.into_iter().chain(sealed.map(|row| row.given));
        deeds.extend(labels.map(|given| {
            let at = given.at;
            (Deed::Label(Box::new(given)), at)
        }));
        let rulings = self.rulings()?;
        let mine = rulings.into_iter().find(|past| past.counts && past.done.author == self.me);
        deeds.extend(mine.map(|past| {
            let deed = Deed::Ruling { case: past.row.id, ruling: Box::new(past.ruling) };
            (deed, past.done.at)
        }));
        deeds.extend(note::latest_of(conn, &self.me)?.map(|note| {
            let at = note.at;
            (Deed::Note(Box::new(note)), at)
        }));
        Ok(deeds.into_iter().max_by_key(|(_, at)| *at))
    }

    /// What whoever is at work undid last, and when they did.
    fn last_undone(&self) -> Result<Option<(Deed, Hlc)>, WorkError> {
        let conn = &self.db.conn;
        let mut undone: Vec<(Deed, Hlc)> = Vec::new();
        for row in
            label::latest_withdrawn(conn, &self.me)?.into_iter().chain(self.own_sealed_or_empty()?)
        {
            if let Some(withdrawal) = row.withdrawn.filter(|withdrawal| withdrawal.by == self.me) {
                undone.push((Deed::Label(Box::new(row.given)), withdrawal.at));
            }
        }
        undone.extend(
            note::latest_withdrawn(conn, &self.me)?
                .map(|(note, at)| (Deed::Note(Box::new(note)), at)),
        );
        for (case, acts) in arbitration::all(conn)? {
            for done in acts.iter().filter(|done| done.author == self.me) {
                let Act::Withdrew { ruling, .. } = &done.act else { continue };
                let of = acts.iter().find(|other| other.event == *ruling);
                if let Some(Act::Ruled(ruling)) = of.map(|other| &other.act) {
                    let deed = Deed::Ruling { case, ruling: Box::new(ruling.clone()) };
                    undone.push((deed, done.at));
                }
            }
        }
        Ok(undone.into_iter().max_by_key(|(_, at)| *at))
    }
}
