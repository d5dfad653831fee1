//! A front and what does its effects, together: what the event loop drives, and what tests drive.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::reader::Reader;
use crate::domain::calibration::session_of;
use crate::domain::ids::CaseId;
use crate::domain::text::counted;
use crate::domain::time::Moment;
use crate::session::effect::Effect;
use crate::session::mode::Training;
use crate::session::report::{Report, SyncState};
use crate::session::state::{Message, Start};
use crate::workspace::{WorkError, Workspace};

/// What a person works with: it turns what happens to it into effects.
pub trait Front {
    /// What happens to it.
    type Event;

    fn update(&mut self, event: Self::Event, now: Moment) -> Vec<Effect>;

    /// Takes in what an effect came to.
    fn heard(&mut self, report: Report, now: Moment) -> Vec<Effect>;

    /// Whether an event is something that a person typed: it waits while another case is about to
    /// be opened, so that what is typed ahead is not taken for the case that is leaving.
    fn is_typed(event: &Self::Event) -> bool;

    /// Whether the board is before the person: then it follows what is written.
    fn looks_at_board(&self) -> bool;
}

/// A front at work on a workspace.
pub struct Driver<F: Front> {
    pub front: F,
    pub reader: Reader,
    reports: Option<Receiver<Report>>,
    now: fn() -> Moment,
    /// Whether another case is about to be opened by what the writer does.
    switching: bool,
    typed_ahead: VecDeque<F::Event>,
    /// What nobody waits for yet: it is done once what happened is shown, or before the next event.
    later: Vec<Effect>,
    /// Reports that were asked for before anybody listened.
    unwaited: usize,
}

/// What a session on a workspace starts with.
///
/// # Errors
/// Those of the database.
pub fn start_of(
    workspace: &Workspace,
    now: Moment,
    case: Option<CaseId>,
    training: Option<Training>,
) -> Result<Start, WorkError> {
    let (_, counts) = workspace.queue_at(now)?;
    Ok(Start {
        me: workspace.me.clone(),
        team: workspace.team()?,
        now,
        protocols: workspace.protocols()?,
        counts,
        case,
        sync: Some(workspace.sync_status()?)
            .filter(|status| !status.store.is_empty())
            .map(|status| SyncState { status, ..SyncState::default() }),
        // A training is not interrupted by what waits.
        message: if training.is_some() { None } else { waiting_words(workspace)? },
        training,
        auto_submit: workspace.config.review.auto_submit,
        served: workspace.served,
        session: workspace.in_round.as_ref().map(|round| session_of(round).to_owned()),
    })
}

impl<F: Front> Driver<F> {
    /// Sets a front to work. `begin` makes it, with its first effects; `now` is asked what time it
    /// is; `report` is called, from other threads, with what effects came to.
    ///
    /// # Errors
    /// Those of the database.
    pub fn begin(
        workspace: Workspace,
        now: fn() -> Moment,
        begin: impl FnOnce(&Workspace) -> Result<(F, Vec<Effect>), WorkError>,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<Self, WorkError> {
        // Before what is there is read: what comes later is noticed.
        let documents = workspace.documents_stamp()?;
        let (front, effects) = begin(&workspace)?;
        let mut driver = Self {
            front,
            reader: Reader::new(workspace, now, documents, report)?,
            reports: None,
            now,
            switching: false,
            typed_ahead: VecDeque::new(),
            later: Vec::new(),
            unwaited: 0,
        };
        driver.perform(effects);
        Ok(driver)
    }

    /// The same, one thing after another: what an effect comes to is waited for before anything
    /// else happens.
    ///
    /// # Errors
    /// Those of the database.
    pub fn waiting(
        workspace: Workspace,
        now: fn() -> Moment,
        begin: impl FnOnce(&Workspace) -> Result<(F, Vec<Effect>), WorkError>,
    ) -> Result<Self, WorkError> {
        let (report, reports) = channel();
        let mut driver = Self::begin(workspace, now, begin, move |one| {
            // A session that ended needs no news.
            let _ = report.send(one);
        })?;
        driver.reports = Some(reports);
        let mut unwaited = std::mem::take(&mut driver.unwaited);
        driver.wait_for(|report| {
            unwaited -= usize::from(unwaited > 0 && report.is_some_and(|report| !report.is_news()));
            unwaited == 0
        });
        Ok(driver)
    }

    /// Takes in reports until `done` says so, which is asked about nothing first.
    pub fn wait_for(&mut self, mut done: impl FnMut(Option<&Report>) -> bool) {
        let mut finished = done(None);
        while !finished {
            let Some(report) = self.next_report() else { return };
            finished = done(Some(&report));
            self.hear(report);
        }
    }

    fn next_report(&self) -> Option<Report> {
        self.reports.as_ref().and_then(|reports| reports.recv_timeout(Duration::from_secs(10)).ok())
    }

    /// Takes in an event and does what follows from it. Returns what only the front's owner can do.
    pub fn feed(&mut self, event: F::Event) -> Vec<Effect> {
        let mut left = self.catch_up();
        if self.switching && F::is_typed(&event) {
            self.typed_ahead.push_back(event);
            return left;
        }
        let effects = self.front.update(event, (self.now)());
        left.extend(self.follow(effects));
        left
    }

    /// Does what nobody waited for.
    pub fn catch_up(&mut self) -> Vec<Effect> {
        let mut later = std::mem::take(&mut self.later);
        later.iter_mut().for_each(Effect::need_now);
        if later.is_empty() { Vec::new() } else { self.perform(later) }
    }

    /// Takes in a report and does what follows from it, and from what was typed meanwhile.
    pub fn hear(&mut self, report: Report) -> Vec<Effect> {
        if let Report::Failed(why) | Report::NotSaved { why, .. } = &report {
            tracing::warn!("{}", why.words);
        }
        let mut left = self.catch_up();
        let report = self.reader.arrived(report);
        self.reader.heard(&report);
        let switched = report.ends_switching();
        let effects = self.front.heard(report, (self.now)());
        left.extend(self.follow(effects));
        if switched && std::mem::take(&mut self.switching) {
            while !self.switching
                && let Some(event) = self.typed_ahead.pop_front()
            {
                left.extend(self.feed(event));
            }
        }
        left
    }

    /// Does what a front wants done by itself, after an event.
    pub fn follow(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        self.reader.follow(self.front.looks_at_board());
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut left = Vec::new();
        let mut todo: VecDeque<Effect> = effects.into();
        let mut waits = 0;
        while let Some(effect) = todo.pop_front() {
            if matches!(effect, Effect::Editor(_) | Effect::Quit) {
                left.push(effect);
                continue;
            }
            if effect.can_wait() {
                self.later.push(effect);
                continue;
            }
            let reported = effect.is_reported() || self.reader.counts_in_background(&effect);
            waits += usize::from(reported);
            self.switching |= effect.switches();
            if let Some(report) = self.reader.perform(effect) {
                waits -= usize::from(reported); // it is reported here
                waits += usize::from(report.is_to_come());
                self.switching &= !matches!(report, Report::Failed(_));
                todo.extend(self.front.heard(report, (self.now)()));
            }
        }
        if self.reports.is_none() {
            self.unwaited += waits;
            return left;
        }
        while waits > 0 {
            let Some(report) = self.next_report() else { break };
            waits -= usize::from(!report.is_news());
            left.extend(self.hear(report));
        }
        left
    }
}

/// What somebody who was not let in yet should know.
fn waiting_words(workspace: &Workspace) -> Result<Option<Message>, WorkError> {
    if workspace.is_full() {
        let words =
            "The disk is full: all can be read, and nothing is written until there is room.";
        return Ok(Some(Message { words: words.to_owned(), hint: "" }));
    }
    let waits = workspace.waits_for_admission()?;
    // Whoever sits down in one at once need not be told.
    if let (false, None, Some((session, left))) =
        (waits, &workspace.in_round, workspace.session_waits()?)
    {
        let words =
            format!("The calibration session {session} waits for you: {}.", counted(left, "case"));
        return Ok(Some(Message { words, hint: "{sessions} joins it." }));
    }
    let hint = "A lead has to admit you first: {people} shows your key, for them to compare.";
    Ok(waits.then(|| Message { words: String::new(), hint }))
}
