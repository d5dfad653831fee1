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
use crate::review::arbitration::PastRuling;

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

    /// Whether both do the same, apart from when.
    fn is_again(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Label(one), Self::Label(two)) => {
                let (one, two) = (&one.label, &two.label);
                one.case == two.case
                    && one.round == two.round
                    && one.path == two.path
                    && one.outcome == two.outcome
                    && one.rationale == two.rationale
            }
            (Self::Ruling { case, ruling }, Self::Ruling { case: of, ruling: two }) => {
                case == of && ruling.outcome == two.outcome && ruling.rationale == two.rationale
            }
            (Self::Note(one), Self::Note(two)) => {
                one.id == two.id && one.kind == two.kind && one.text == two.text
            }
            _ => false,
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

/// Undone things beyond so many of a kind are not done again.
const REDO_MAX: usize = 100;

impl Workspace {
    /// Undoes the last thing that whoever is at work did: a label, a ruling, a comment, a deferral or
    /// an escalation.
    ///
    /// # Errors
    /// They did nothing that is left to be undone, and those of the database.
    pub fn undo(&mut self) -> Result<Undone, WorkError> {
        let deed = self.last_deed()?.ok_or_else(|| LabelError::NothingToUndo(self.me.clone()))?;
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

    /// Does again what whoever is at work undid last, unless they did something else since.
    ///
    /// # Errors
    /// They undid nothing that is left to be done again, and those of the database.
    pub fn redo(&mut self) -> Result<Undone, WorkError> {
        self.ready_to_write()?;
        let deed =
            self.next_to_redo()?.ok_or_else(|| LabelError::NothingToRedo(self.me.clone()))?;
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
                (NoteKind::Escalated, _) => Append::new(&CaseEscalated {
                    case: note.id,
                    text: note.text.clone(),
                    settled: note.settled,
                }),
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

    /// The last things that whoever is at work did and did not undo, and when: of each kind the last
    /// first.
    fn deeds(&self, most: usize) -> Result<Vec<(Deed, Hlc)>, WorkError> {
        let conn = &self.db.conn;
        let mut deeds: Vec<(Deed, Hlc)> = Vec::new();
        let sealed = self.own_sealed_or_empty()?.into_iter().filter(|row| row.withdrawn.is_none());
        let labels =
            label::latest_of(conn, &self.me, most)?.into_iter().chain(sealed.map(|row| row.given));
        deeds.extend(labels.map(|given| {
            let at = given.at;
            (Deed::Label(Box::new(given)), at)
        }));
        let stands = |past: &PastRuling| past.counts || past.contested;
        let rulings = self.rulings()?.into_iter();
        let mine = rulings.filter(|past| stands(past) && past.done.author == self.me).take(most);
        deeds.extend(mine.map(|past| {
            let deed = Deed::Ruling { case: past.row.id, ruling: Box::new(past.ruling) };
            (deed, past.done.at)
        }));
        deeds.extend(note::latest_of(conn, &self.me, most)?.into_iter().map(|note| {
            let at = note.at;
            (Deed::Note(Box::new(note)), at)
        }));
        Ok(deeds)
    }

    /// The last thing that whoever is at work did and did not undo.
    fn last_deed(&self) -> Result<Option<Deed>, WorkError> {
        Ok(self.deeds(1)?.into_iter().max_by_key(|(_, at)| *at).map(|(deed, _)| deed))
    }

    /// The last things that whoever is at work undid, when they did them and when they undid them.
    fn undone(&self, most: usize) -> Result<Vec<(Deed, Hlc, Hlc)>, WorkError> {
        let conn = &self.db.conn;
        let mut undone = Vec::new();
        let labels = label::latest_withdrawn(conn, &self.me, most)?;
        for row in labels.into_iter().chain(self.own_sealed_or_empty()?) {
            if let Some(withdrawal) = row.withdrawn.filter(|withdrawal| withdrawal.by == self.me) {
                let at = row.given.at;
                undone.push((Deed::Label(Box::new(row.given)), at, withdrawal.at));
            }
        }
        undone.extend(note::latest_withdrawn(conn, &self.me, most)?.into_iter().map(
            |(note, back)| {
                let at = note.at;
                (Deed::Note(Box::new(note)), at, back)
            },
        ));
        for (case, acts) in arbitration::all(conn)? {
            for done in acts.iter().filter(|done| done.author == self.me) {
                let Act::Withdrew { ruling, .. } = &done.act else { continue };
                // Somebody else's ruling that was taken back is not one's own to give again.
                let of =
                    acts.iter().find(|other| other.event == *ruling && other.author == self.me);
                if let Some((at, Act::Ruled(ruling))) = of.map(|other| (other.at, &other.act)) {
                    let deed = Deed::Ruling { case, ruling: ruling.clone() };
                    undone.push((deed, at, done.at));
                }
            }
        }
        Ok(undone)
    }

    /// What is to be done again next: what was undone last and not done again since, as long as
    /// nothing else was done.
    fn next_to_redo(&self) -> Result<Option<Deed>, WorkError> {
        let mut steps: Vec<(Hlc, bool, Deed)> = Vec::new();
        steps.extend(self.deeds(REDO_MAX)?.into_iter().map(|(deed, at)| (at, false, deed)));
        for (deed, at, back) in self.undone(REDO_MAX)? {
            steps.push((at, false, deed.clone()));
            steps.push((back, true, deed));
        }
        steps.sort_by_key(|(at, ..)| *at);
        let mut undone: Vec<Deed> = Vec::new();
        for (_, is_undo, deed) in steps {
            if is_undo {
                undone.push(deed);
            } else if undone.last().is_some_and(|last| last.is_again(&deed)) {
                undone.pop();
            } else {
                undone.clear();
            }
        }
        Ok(undone.pop())
    }
}
