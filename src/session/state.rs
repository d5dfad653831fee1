//! The whole state of a person's work, and what every part of it uses.

use std::collections::HashMap;
use std::sync::Arc;

use super::effect::Effect;
use super::mode::{InCalibration, Training};
use super::open_case::Opened;
use super::pages::QueueModel;
use super::report::{Coming, SyncState};
use crate::domain::ids::CaseId;
use crate::domain::label::Label;
use crate::domain::long_text::Ask;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::review::CaseRow;
use crate::review::board::pages::Pages;
use crate::review::{Draft, Protocols, QueueCounts};

/// Words for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub words: String,
    /// What they can do. An action in braces stands for the key or the command that does it.
    pub hint: &'static str,
}

/// One person's work: who they are, what they have before them, what is on its way to the disk.
pub struct Session {
    pub me: String,
    pub team: String,
    pub now: Moment,
    pub protocols: Protocols,
    pub queue: QueueModel,
    /// None: my queue. Some: all cases of that state.
    pub view: Option<CaseState>,
    pub counts: QueueCounts,
    pub filter: String,
    /// The queue as it stood before it was filtered.
    pub(super) unfiltered: Option<QueueModel>,
    pub(super) generation: u64,
    pub opened: Option<Opened>,
    /// A large case that is being read, to be opened.
    pub coming: Option<Coming>,
    /// Whether a page of a long text is being read, and what is to be read after it.
    pub(super) reading: Option<Option<(CaseId, usize, Ask)>>,
    /// The case that is to be opened first, while it was not yet.
    pub(super) first: Option<CaseId>,
    /// Words until the person does something.
    pub message: Option<Message>,
    /// Whether they want a label that lacks nothing to be submitted with its last answer.
    pub auto_submit: bool,
    /// What was written at prompts and not given, by what was asked about which case.
    pub unsent: HashMap<(Option<CaseId>, String), String>,
    /// How many labels of this sitting are on disk.
    pub saved: usize,
    /// Submits that are under way.
    pub saving: usize,
    /// How the exchange with the store stands; none without one.
    pub sync: Option<SyncState>,
    /// Cases whose label lacks an answer that the version in force asks.
    pub worklist: Vec<CaseRow>,
    /// What the cases are that the queue shows, if they were listed for something.
    pub listing: Option<String>,
    pub training: Option<Training>,
    /// Whether it is served to somebody who has no account here: it starts no program and writes to
    /// no clipboard.
    pub served: bool,
    /// The calibration session that its person takes part in now.
    pub calibration: Option<InCalibration>,
    /// The board as it stood when it was looked at last.
    pub board: Option<Arc<Pages>>,
}

/// What a [`Session`] starts with.
pub struct Start {
    pub me: String,
    pub team: String,
    pub now: Moment,
    pub protocols: Protocols,
    pub counts: QueueCounts,
    /// The case that was open last.
    pub case: Option<CaseId>,
    pub sync: Option<SyncState>,
    /// Said at the start.
    pub message: Option<Message>,
    pub training: Option<Training>,
    /// Whether a label that lacks nothing is submitted with its last answer.
    pub auto_submit: bool,
    /// Whether it is served to somebody who has no account here.
    pub served: bool,
    /// The calibration session to take part in at once.
    pub session: Option<String>,
}

impl Session {
    /// The first state, and what to do to fill it.
    pub fn start(start: Start) -> (Self, Vec<Effect>) {
        let Start {
            me,
            team,
            now,
            protocols,
            counts,
            case,
            sync,
            message,
            training,
            auto_submit,
            served,
            session,
        } = start;
        let first = case.filter(|_| training.is_none() && session.is_none());
        let mut effects = vec![QueueModel::start()];
        effects.extend(first.map(|id| Effect::Open { id }));
        effects.extend(counts.counting.then_some(Effect::Count { all: true }));
        effects.push(Effect::Worklist);
        let mut queue = QueueModel::default();
        if let Some(training) = &training {
            effects = training.next().map(|id| Effect::Open { id }).into_iter().collect();
            queue.take_filtered(
                training
                    .items
                    .iter()
                    .map(|item| CaseRow { flags: Vec::new(), ..item.row.clone() })
                    .collect(),
            );
        }
        if let Some(name) = &session {
            effects = vec![Effect::EnterCalibration(Some(name.clone()))];
        }
        let session = Self {
            me,
            team,
            now,
            protocols,
            queue,
            view: None,
            counts,
            filter: String::new(),
            unfiltered: None,
            generation: 0,
            opened: None,
            coming: None,
            reading: None,
            first,
            message,
            auto_submit,
            unsent: HashMap::new(),
            saved: 0,
            saving: 0,
            sync,
            worklist: Vec::new(),
            listing: None,
            training,
            served,
            calibration: None,
            board: None,
        };
        (session, effects)
    }

    /// Lets through what has a place in a training or a calibration session, if one is under way.
    pub fn allowed(&self, mut effects: Vec<Effect>) -> Vec<Effect> {
        if self.training.is_some() {
            effects.retain(allowed_in_training);
        }
        if self.calibration.is_some() {
            effects.retain(allowed_in_calibration);
        }
        if self.served {
            effects.retain(allowed_when_served);
        }
        effects
    }

    pub fn say(&mut self, words: &str) -> Vec<Effect> {
        self.say_with(words, "")
    }

    /// Says what can be done; an action in braces stands for the key or the command that does it.
    pub fn hint(&mut self, hint: &'static str) -> Vec<Effect> {
        self.say_with("", hint)
    }

    pub fn say_with(&mut self, words: &str, hint: &'static str) -> Vec<Effect> {
        self.message = Some(Message { words: words.to_owned(), hint });
        Vec::new()
    }

    /// Takes a case out of the queue: it was labeled or put off.
    pub(super) fn leaves_queue(&mut self, id: CaseId) {
        self.queue.remove(id);
        if let Some(all) = &mut self.unfiltered {
            all.remove(id);
        }
    }

    /// The case that is open.
    pub fn open_id(&self) -> Option<CaseId> {
        self.opened.as_ref().map(|opened| opened.case.row.id)
    }

    /// What a case is called where people speak of it: by its stream's id, if it is in sight.
    pub fn called(&self, id: CaseId) -> String {
        let opened = self.opened.iter().map(|opened| &opened.case.row);
        let row = opened.chain(&self.queue.rows).find(|row| row.id == id);
        row.map_or_else(|| id.short(), |row| row.external_id.clone())
    }

    /// How many cases the view has, without a filter.
    pub fn shown_total(&self) -> u64 {
        match self.view {
            None => self.counts.mine(),
            Some(CaseState::Open) => self.counts.open,
            Some(CaseState::Disputed) => self.counts.disputed,
            Some(CaseState::Resolved) => self.counts.resolved,
            // Nobody is asked about them, so no list has them.
            Some(CaseState::Unsampled) => 0,
        }
    }

    pub fn open(&mut self, id: CaseId) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.extend([Effect::Documents, Effect::Open { id }]);
        effects
    }

    /// Opens a case by what it is called.
    pub fn open_named(&mut self, name: &str) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.extend([Effect::Documents, Effect::OpenNamed(name.to_owned())]);
        effects
    }

    /// Opens the case that stands `by` rows from the open one.
    pub fn open_by(&mut self, by: i64) -> Vec<Effect> {
        let open = self.open_id();
        // Of a list that the open case is not in, the one under the cursor comes first.
        let is_listed = open.is_none_or(|id| self.queue.go_to(id));
        let by = if is_listed { by } else { 0 };
        let before = self.queue.cursor;
        let mut effects = self.queue.step(by);
        match self.queue.current().map(|row| row.id) {
            Some(id) if self.queue.cursor != before || open != Some(id) => {
                effects.extend(self.open(id))
            }
            Some(_) => effects.extend(self.say("There is no further case this way.")),
            None => effects.extend(self.say("The queue is empty.")),
        }
        effects
    }

    /// Changes the draft and has it kept.
    pub fn change_draft(&mut self, change: impl FnOnce(&mut Draft)) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        opened.keep_seen();
        change(&mut opened.draft);
        if opened.ruling {
            return Vec::new(); // it is no label in the making
        }
        vec![Effect::KeepDraft { case: opened.case.row.id, draft: Box::new(opened.draft.clone()) }]
    }

    /// Adds the time since the case was opened to its draft.
    pub fn settle_time(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(opened) = self
            .opened
            .as_mut()
            .filter(|opened| opened.draft != opened.untouched && !opened.sending && !opened.ruling)
        else {
            return Vec::new();
        };
        opened.draft.spent_ms += (now.0 - opened.since.0).max(0) as u64;
        opened.since = now;
        vec![Effect::KeepDraft { case: opened.case.row.id, draft: Box::new(opened.draft.clone()) }]
    }

    /// Sends a label to be saved, and goes on to the next case.
    pub(super) fn send(&mut self, label: Label) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let knew = opened.case.latest;
        opened.sending = true;
        let id = opened.case.row.id;
        let was_open = opened.case.row.state == CaseState::Open
            && opened.case.mine.is_none()
            && !opened.case.gold;
        // A label of it is one of its copies: they are asked about no more.
        let labeled: Vec<CaseId> =
            std::iter::once(id).chain(opened.case.copies.iter().copied()).collect();
        self.saving += 1;
        let mut effects = vec![Effect::Submit { label: Box::new(label), knew }];
        let was_there = self.queue.go_to(id);
        if self.view.is_none() {
            for id in labeled {
                let Some(row) = self.queue.rows.iter().find(|row| row.id == id) else { continue };
                let (less, stands_by) = (u64::from(was_open), row.turn > 0);
                self.leaves_queue(id);
                self.counts.labeled += less;
                let standing_by = less * u64::from(stands_by);
                self.counts.widened = self.counts.widened.saturating_sub(standing_by);
            }
        } else if was_there {
            effects.extend(self.queue.step(1));
        }
        match self.queue.current().map(|row| row.id).filter(|next| *next != id) {
            Some(next) => effects.extend([Effect::Documents, Effect::Open { id: next }]),
            None => self.opened = None,
        }
        effects.extend(self.queue.step(0));
        effects
    }

    /// Leaves: what was begun is kept.
    pub fn quit(&mut self) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.push(Effect::Quit);
        effects
    }
}

/// Nothing else is kept or looked up in a training: what may be written is a matter of commands.
fn allowed_in_training(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Open { .. }
            | Effect::LookAt { .. }
            | Effect::OpenOutside(_)
            | Effect::ReadOn { .. }
            | Effect::Write(_)
            | Effect::Show(_)
            | Effect::Look(_)
            | Effect::Editor(_)
            | Effect::Quit
    )
}

/// Over SSH nothing is started on the machine that serves.
fn allowed_when_served(effect: &Effect) -> bool {
    !matches!(effect, Effect::Editor(_) | Effect::OpenOutside(_) | Effect::SyncNow)
}

/// What is said of an action that has no place in a served session.
pub const NOT_SERVED: &str = "Not over SSH: it would start something on the machine that serves.";

/// In a calibration session the list of its cases stays as it is.
fn allowed_in_calibration(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::Page { .. }
            | Effect::View(_)
            | Effect::Filter { .. }
            | Effect::Worklist
            | Effect::Precedents { .. }
            | Effect::KeepPlace(_)
    )
}
