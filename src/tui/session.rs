//! State and runner together, without a terminal: what the event loop drives, and what tests drive.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Event, Start, WhereWasI};
use super::effect::{Effect, Job};
use super::key::KeyPress;
use super::keymap::Keymap;
use super::overlay::Overlay;
use super::runner::Runner;
use super::syncer::SyncState;
use super::theme::Theme;
use super::training::Training;
use crate::domain::calibration::session_of;
use crate::domain::time::Moment;
use crate::workspace::{WorkError, Workspace};

/// A review screen that is not drawn anywhere.
pub struct Session {
    pub app: App,
    pub runner: Runner,
    jobs: Option<Receiver<Job>>,
    now: fn() -> Moment,
    /// Whether another case is about to be opened by what the worker does. Keys wait for it, so that what is
    /// typed ahead is not taken for the case that is leaving.
    turning: bool,
    ahead: VecDeque<Event>,
    /// Reports that were asked for before anybody listened.
    unwaited: usize,
}

impl Session {
    /// Opens the screen at a size. `now` is asked what time it shows; `report` is called with what the worker did.
    pub fn new(
        workspace: Workspace,
        size: (u16, u16),
        now: fn() -> Moment,
        report: impl Fn(Job) + Send + Sync + 'static,
    ) -> Result<Self, WorkError> {
        Self::begin(workspace, size, now, None, report)
    }

    /// The same, for a training if there is one.
    pub fn begin(
        workspace: Workspace,
        size: (u16, u16),
        now: fn() -> Moment,
        training: Option<Training>,
        report: impl Fn(Job) + Send + Sync + 'static,
    ) -> Result<Self, WorkError> {
        // Before what is there is read: what comes later is noticed.
        let documents = workspace.documents_stamp()?;
        let (_, counts) = workspace.queue_at(now())?;
        let place = workspace.place()?.and_then(|place| serde_json::from_str::<WhereWasI>(&place).ok());
        let start = Start {
            me: workspace.me.clone(),
            team: workspace.team()?,
            now: now(),
            size,
            theme: Theme::of(&workspace.config, &workspace.env),
            keymap: Keymap::new(&workspace.config.keys),
            protocols: workspace.protocols()?,
            counts,
            place: place.unwrap_or_default(),
            mouse: workspace.config.review.mouse,
            sync: Some(workspace.sync_status()?)
                .filter(|status| !status.store.is_empty())
                .map(|status| SyncState { status, ..SyncState::default() }),
            message: waiting_words(&workspace)?,
            training,
            session: workspace.sitting.as_ref().map(|round| session_of(round).to_owned()),
        };
        let (app, effects) = App::start(start);
        let mut session = Self {
            app,
            runner: Runner::new(workspace, now, documents, report)?,
            jobs: None,
            now,
            turning: false,
            ahead: VecDeque::new(),
            unwaited: 0,
        };
        session.perform(effects);
        Ok(session)
    }

    /// The same for tests: what the worker did is waited for by [`Self::press`].
    pub fn waiting(workspace: Workspace, size: (u16, u16), now: fn() -> Moment) -> Result<Self, WorkError> {
        Self::waiting_for(workspace, size, now, None)
    }

    pub fn waiting_for(
        workspace: Workspace,
        size: (u16, u16),
        now: fn() -> Moment,
        training: Option<Training>,
    ) -> Result<Self, WorkError> {
        let (report, jobs) = channel();
        let mut session = Self::begin(workspace, size, now, training, move |job| {
            // A session that ended needs no news.
            let _ = report.send(job);
        })?;
        session.jobs = Some(jobs);
        let mut unwaited = std::mem::take(&mut session.unwaited);
        session.wait_for(|job| {
            unwaited -= usize::from(unwaited > 0 && job.is_some_and(|job| !is_news(job)));
            unwaited == 0
        });
        Ok(session)
    }

    /// Takes in what the worker did until `done` says so, which is asked about nothing first; for tests.
    pub fn wait_for(&mut self, mut done: impl FnMut(Option<&Job>) -> bool) {
        let mut finished = done(None);
        while !finished {
            let job = self.jobs.as_ref().and_then(|jobs| jobs.recv_timeout(Duration::from_secs(10)).ok());
            let Some(job) = job else { return };
            finished = done(Some(&job));
            self.feed(Event::Job(job));
        }
    }

    /// Takes in an event and does what follows from it. Returns what only a terminal can do.
    pub fn feed(&mut self, event: Event) -> Vec<Effect> {
        if self.turning && matches!(event, Event::Key(_) | Event::Paste(_)) {
            self.ahead.push_back(event);
            return Vec::new();
        }
        if let Event::Job(job) = &event {
            self.runner.heard(job);
        }
        let turned = matches!(event, Event::Job(Job::Undone { .. } | Job::Noted { .. } | Job::Ruled { .. } | Job::Failed(_)));
        let effects = self.app.update(event, (self.now)());
        self.runner.follow(matches!(self.app.overlay, Some(Overlay::Board(_))));
        let mut left = self.perform(effects);
        if turned && std::mem::take(&mut self.turning) {
            while !self.turning
                && let Some(event) = self.ahead.pop_front()
            {
                left.extend(self.feed(event));
            }
        }
        left
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut left = Vec::new();
        let mut todo: VecDeque<Effect> = effects.into();
        let mut waits = 0;
        while let Some(effect) = todo.pop_front() {
            if matches!(effect, Effect::Editor(_) | Effect::Repaint | Effect::Suspend | Effect::Quit) {
                left.push(effect);
                continue;
            }
            let reported = is_reported(&effect) || self.runner.counts_beside(&effect);
            waits += usize::from(reported);
            self.turning |= matches!(effect, Effect::Undo | Effect::Defer { .. } | Effect::Rule { .. } | Effect::Return { .. });
            if let Some(job) = self.runner.perform(effect) {
                waits -= usize::from(reported); // it is reported here
                self.turning &= !matches!(job, Job::Failed(_));
                todo.extend(self.app.update(Event::Job(job), (self.now)()));
            }
        }
        if self.jobs.is_none() {
            self.unwaited += waits;
            return left;
        }
        while waits > 0 {
            let job = self.jobs.as_ref().and_then(|jobs| jobs.recv_timeout(Duration::from_secs(10)).ok());
            let Some(job) = job else { break };
            waits -= usize::from(!is_news(&job));
            left.extend(self.feed(Event::Job(job)));
        }
        left
    }

    /// Presses keys by name, separated by spaces; `"text"` types its characters.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut left = Vec::new();
        for name in keys.split(' ').filter(|name| !name.is_empty()) {
            let text = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            let presses: Vec<KeyPress> = match text {
                Some(text) => text
                    .chars()
                    .map(|c| KeyPress::plain(crossterm::event::KeyCode::Char(if c == '_' { ' ' } else { c })))
                    .collect(),
                None => name.parse().into_iter().collect(),
            };
            for key in presses {
                let mut modifiers = crossterm::event::KeyModifiers::empty();
                modifiers.set(crossterm::event::KeyModifiers::CONTROL, key.ctrl);
                modifiers.set(crossterm::event::KeyModifiers::ALT, key.alt);
                left.extend(self.feed(Event::Key(crossterm::event::KeyEvent::new(key.code, modifiers))));
            }
        }
        left
    }

    /// What the screen shows now.
    pub fn screen(&self) -> Buffer {
        let (width, height) = self.app.size;
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        super::draw::draw(&self.app, area, &mut buf);
        buf
    }

    /// The screen as text, without trailing spaces.
    pub fn text(&self) -> String {
        let buf = self.screen();
        let mut out = String::new();
        for y in 0..buf.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buf.area.width {
                let symbol = buf[(x, y)].symbol();
                line.push_str(symbol);
                x += (crate::domain::text::width(symbol).max(1)) as u16;
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// What somebody who was not let in yet should know.
fn waiting_words(workspace: &Workspace) -> Result<Option<String>, WorkError> {
    let waits = workspace.waits_for_admission()?;
    // Whoever sits down in one at once need not be told.
    if let (false, None, Some((session, left))) = (waits, &workspace.sitting, workspace.session_waits()?) {
        return Ok(Some(format!("The calibration session {session} waits for you: {left} cases. C sits in.")));
    }
    Ok(waits.then(|| "A lead has to let you in first: P shows your key, for them to compare.".to_owned()))
}

/// What is reported without having been asked for: the exchange with the store, who watches over breaks, a board that is looked at.
fn is_news(job: &Job) -> bool {
    matches!(job, Job::Synced(_) | Job::Suggested(_) | Job::BoardChanged(_))
}

/// Whether the worker reports on an effect.
fn is_reported(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Submit { .. }
            | Effect::Undo
            | Effect::Defer { .. }
            | Effect::Escalate { .. }
            | Effect::Comment { .. }
            | Effect::Filter { .. }
            | Effect::People
            | Effect::Precedents { .. }
            | Effect::Worklist
            | Effect::Gold { .. }
            | Effect::FinishTraining(_)
            | Effect::Admit { .. }
            | Effect::Retire { .. }
            | Effect::Rule { .. }
            | Effect::Return { .. }
            | Effect::Appeal { .. }
            | Effect::Reveal(_)
            | Effect::Steady
            | Effect::Board
    )
}
