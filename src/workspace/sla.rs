//! What is due, how the work stands, and telling people once.

use super::bounds::Bound;
use super::{WorkError, Workspace};
use crate::db::count;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::NudgeSent;
use crate::journal::views;
use crate::retrain::outcomes::{By, Group, fair, groups};
use crate::review::board::BoardSums;
use crate::review::board::{BoardSnapshot, snapshot};
use crate::review::right_at::RightAt;
use crate::review::sla::{
    DueByPerson, DueItem, Duty, cases_overdue, due_by, due_by_person, due_items, nudged,
};
use crate::review::trap_worth::Worth;

/// What monitoring is told.
#[derive(Debug, Clone)]
pub struct Figures {
    /// By state.
    pub cases: Vec<(&'static str, u64)>,
    pub labels: u64,
    pub overdue: u64,
    /// Alarms that nobody has closed.
    pub alarms: u64,
    pub worth: Worth,
    /// How often each model turned out to be right, of what speaks for its predictions.
    pub models: Vec<Group>,
    /// Whether that is of flagged predictions alone, which do not stand for all.
    pub flagged_alone: bool,
    pub bounds: Vec<Bound>,
}

impl Workspace {
    /// How the work, the traps and the stream stand, for monitoring.
    pub fn figures_now(&self) -> Result<Figures, WorkError> {
        let conn = &self.db.conn;
        let states = CaseState::ALL.into_iter().chain([CaseState::Unsampled]);
        let of = |state: CaseState| {
            Ok((state.as_str(), count::get(conn, &format!("state:{}", state as i64))?))
        };
        let (due_items, _) = self.due_by(self.now())?;
        let open = self.raised_alarms()?.into_iter().filter(|alarm| alarm.is_open());
        let judged = self.judged()?;
        let fair = fair(&judged);
        Ok(Figures {
            models: groups(&fair.judged, By::Model),
            flagged_alone: fair.flagged_alone,
            bounds: self.bounds_where(Some(&due_items), Some(&judged))?,
            cases: states.map(of).collect::<Result<_, WorkError>>()?,
            labels: count::get(conn, "labels")?,
            overdue: cases_overdue(&due_items, self.now()) as u64,
            alarms: open.count() as u64,
            worth: self.trap_worth()?,
        })
    }

    /// Everything that is due, what is due first first.
    pub fn due_items(&self) -> Result<Vec<DueItem>, WorkError> {
        Ok(due_items(&self.db.conn, &self.policy()?, self.now())?)
    }

    /// How much is due of each person, by duty.
    pub fn due_by_person(&self) -> Result<DueByPerson, WorkError> {
        Ok(due_by_person(&self.db.conn, &self.policy()?, self.now())?)
    }

    /// The same without labels that are due only after a time, and how many these are.
    pub fn due_by(&self, until: Moment) -> Result<(Vec<DueItem>, usize), WorkError> {
        let found = due_by(&self.db.conn, &self.policy()?, self.now(), until)?;
        let open = count::get(&self.db.conn, &format!("state:{}", CaseState::Open as i64))?;
        let labels = found.iter().filter(|item| item.what == Duty::Label).count();
        Ok((found, (open as usize).saturating_sub(labels)))
    }

    /// How the work stands, with what was kept of the last time.
    pub fn board(&self, sums: &mut BoardSums) -> Result<BoardSnapshot, WorkError> {
        let protocols = self.protocols()?;
        sums.refresh(&self.db.conn, &protocols)?;
        let mut board = snapshot(
            &self.db.conn,
            sums,
            &protocols.policy,
            (self.blindness()?, &self.me),
            self.now(),
        )?;
        for note in self.change_notes()?.into_iter().filter(|note| note.answered_by.is_none()) {
            board.notes.entry(note.change.question).or_default().push(note.case);
        }
        (board.retraining, board.models) = self.loop_rows()?;
        let estimate = views::estimate_of(&self.db.conn, &self.policy()?)?;
        let paths = estimate.and_then(|estimate| estimate.paths);
        board.right_at = paths.as_ref().map(RightAt::all).unwrap_or_default();
        Ok(board)
    }

    /// Keys of what people were told of already.
    pub fn nudged(&self) -> Result<std::collections::HashSet<String>, WorkError> {
        Ok(nudged(&self.db.conn)?)
    }

    /// Records that people were told.
    pub fn record_nudges(&mut self, sent: Vec<NudgeSent>) -> Result<Appended, WorkError> {
        self.append(sent.iter().map(Append::new).collect())
    }
}
