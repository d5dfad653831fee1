//! The whole state of the screen, and how it changes.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use serde::{Deserialize, Serialize};

use super::action::{ACTIONS, Place};
use super::effect::{Effect, Job};
use super::key::KeyPress;
use super::keymap::Keymap;
use super::opened::{Opened, Tab};
use super::overlay::Overlay;
use super::queue_model::QueueModel;
use super::sitting::Sitting;
use super::syncer::SyncState;
use super::theme::Theme;
use super::training::Training;
use crate::domain::ids::{CaseId, ReplicaId};
use crate::domain::label::Label;
use crate::domain::logline::Level;
use crate::domain::protocol::QuestionKind;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::review::CaseRow;
use crate::review::board::pages::Pages;
use crate::review::{Draft, Protocols, QueueCounts};

/// What happens to the screen. Closed: there is nothing else.
#[derive(Debug, Clone)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// The mouse: a click at a cell, or the wheel.
    Click(u16, u16),
    Wheel(i64),
    Job(Job),
}

/// The pane that takes keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Focus {
    Queue,
    #[default]
    Context,
    Guide,
}

/// Where a reviewer was: kept on disk, to come back to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WhereWasI {
    pub case: Option<CaseId>,
    pub tab: String,
    pub focus: Focus,
    pub scroll: usize,
}

pub struct App {
    pub me: String,
    pub team: String,
    pub now: Moment,
    pub size: (u16, u16),
    pub theme: Theme,
    pub keymap: Keymap,
    pub protocols: Protocols,
    pub queue: QueueModel,
    /// None: my queue. Some: all cases of that state.
    pub view: Option<CaseState>,
    pub counts: QueueCounts,
    pub filter: String,
    pub(super) generation: u64,
    pub opened: Option<Opened>,
    pub focus: Focus,
    pub overlay: Option<Overlay>,
    /// Words at the bottom until the next key.
    pub message: Option<String>,
    /// The last entry that is on disk.
    pub saved: Option<u64>,
    /// Submits that are under way.
    pub saving: usize,
    pub mouse: bool,
    /// How the exchange with the store stands; none without one.
    pub sync: Option<SyncState>,
    /// Whom a list of people was left for.
    pub(super) chosen: Option<(String, ReplicaId)>,
    /// Tab and scroll to come back to when this case has opened.
    pub(super) returning: Option<WhereWasI>,
    pub quitting: bool,
    /// Cases whose label lacks an answer that the version in force asks.
    pub worklist: Vec<CaseRow>,
    /// What the cases are that the queue shows, if they were listed for something.
    pub listing: Option<String>,
    pub training: Option<Training>,
    /// The calibration session that is sat in.
    pub sitting: Option<Sitting>,
    /// The board as it stood when it was looked at last.
    pub(super) board: Option<Arc<Pages>>,
    /// The case that a prompt is about, if that is not the open one.
    pub(super) about: Option<CaseId>,
}

/// What an [`App`] starts with.
pub struct Start {
    pub me: String,
    pub team: String,
    pub now: Moment,
    pub size: (u16, u16),
    pub theme: Theme,
    pub keymap: Keymap,
    pub protocols: Protocols,
    pub counts: QueueCounts,
    pub place: WhereWasI,
    pub mouse: bool,
    pub sync: Option<SyncState>,
    /// Said at the start.
    pub message: Option<String>,
    pub training: Option<Training>,
    /// The session to sit in at once.
    pub session: Option<String>,
}

impl App {
    /// The first state, and what to do to fill it.
    pub fn start(start: Start) -> (Self, Vec<Effect>) {
        let Start { me, team, now, size, theme, keymap, protocols, counts, place, mouse, sync, message, training, session } =
            start;
        let message = keymap.troubles.first().map(|trouble| format!("config.toml: {trouble}")).or(message);
        let mut effects = vec![QueueModel::start()];
        effects.extend(place.case.map(|id| Effect::Open { id }));
        effects.extend(counts.counting.then_some(Effect::Count { all: true }));
        effects.push(Effect::Worklist);
        let mut queue = QueueModel::default();
        if let Some(training) = &training {
            effects = training.next().map(|id| Effect::Open { id }).into_iter().collect();
            queue.take_filtered(
                training.lessons.iter().map(|lesson| CaseRow { flags: Vec::new(), ..lesson.row.clone() }).collect(),
            );
        }
        if let Some(name) = &session {
            effects = vec![Effect::Sit(Some(name.clone()))];
        }
        let place = if training.is_some() || session.is_some() { WhereWasI::default() } else { place };
        let app = Self {
            me,
            team,
            now,
            size,
            theme,
            keymap,
            protocols,
            queue,
            view: None,
            counts,
            filter: String::new(),
            generation: 0,
            opened: None,
            focus: place.focus,
            overlay: None,
            message,
            saved: None,
            saving: 0,
            mouse,
            sync,
            chosen: None,
            returning: Some(place),
            quitting: false,
            worklist: Vec::new(),
            listing: None,
            training,
            sitting: None,
            board: None,
            about: None,
        };
        (app, effects)
    }

    /// Takes in what happened; says what is to be done.
    pub fn update(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        self.now = now;
        let mut effects = self.take(event);
        if self.training.is_some() {
            effects.retain(super::training::allows);
        }
        if self.sitting.is_some() {
            effects.retain(super::sitting::allows);
        }
        let beside = self.size.0 >= super::draw::WIDE || matches!(self.overlay, Some(Overlay::Precedents(_)));
        if let Some(opened) = &mut self.opened {
            opened.note_seen(beside);
        }
        effects
    }

    fn take(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) => {
                self.message = None;
                self.key(key)
            }
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => {
                self.size = (width, height);
                let height = self.queue_height();
                self.queue.show_cursor(height);
                Vec::new()
            }
            Event::Click(x, y) => self.click(x, y),
            Event::Wheel(by) if self.focus == Focus::Queue => self.queue_step(by),
            Event::Wheel(by) => self.scroll(by),
            Event::Job(job) => self.job(job),
        }
    }

    // Keys.

    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        let key = KeyPress::of(&event);
        if let Some(overlay) = self.overlay.take() {
            return self.overlay_key(overlay, event, key);
        }
        if let Some(index) = self.keymap.action(key, &self.places()) {
            if let Some(words) = self.refuses(ACTIONS[index].name) {
                return self.say(words);
            }
            return (ACTIONS[index].run)(self, key);
        }
        let answers = |opened: &Opened| key.char().and_then(|c| opened.answer_of_key(c));
        match self.opened.as_ref().filter(|_| self.focus != Focus::Queue).and_then(answers) {
            Some(answer) => self.give(&answer),
            None if self.covers_the_case() && key.char().is_some_and(|c| c.is_ascii_digit()) => {
                self.say("Open the case first: Enter.")
            }
            None => Vec::new(),
        }
    }

    /// Whether the queue covers the case that is open.
    fn covers_the_case(&self) -> bool {
        self.focus == Focus::Queue && super::draw::layout(self).context.is_none()
    }

    /// Why an action has no place now: in a training, or while the queue covers the case it would change.
    pub(super) fn refuses(&self, action: &str) -> Option<&'static str> {
        const OF_THE_CASE: [&str; 11] =
            ["take-back", "rationale", "snippet", "evidence", "precedents", "cite", "check", "tags", "editor", "gold", "tree"];
        const NOT_IN_TRAINING: [&str; 18] = [
            "defer",
            "escalate",
            "comment",
            "undo",
            "view",
            "worklist",
            "arbitrate",
            "overruled",
            "sessions",
            "board",
            "gold",
            "filter",
            "next-case",
            "previous-case",
            "people",
            "open",
            "precedents",
            "cite",
        ];
        if self.training.is_some() && NOT_IN_TRAINING.contains(&action) {
            return Some("Not in a training: q leaves it, and nothing is recorded then.");
        }
        const NOT_IN_A_SESSION: [&str; 11] =
            ["defer", "escalate", "view", "worklist", "gold", "filter", "overruled", "precedents", "cite", "people", "board"];
        if self.sitting.is_some() && NOT_IN_A_SESSION.contains(&action) {
            return Some("Not in a calibration session: Esc leaves it.");
        }
        (self.covers_the_case() && OF_THE_CASE.contains(&action)).then_some("Open the case first: Enter.")
    }

    /// Where keys hold now, the most particular first.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(4);
        if let Some(opened) = self.opened.as_ref().filter(|opened| self.focus != Focus::Queue && opened.published.is_some()) {
            places.push(match opened.question().map(|question| &question.kind) {
                None => Place::Ended,
                Some(QuestionKind::Choice(_)) => Place::Asking,
                Some(QuestionKind::Multi { .. }) => Place::AskingSeveral,
                Some(QuestionKind::Label { .. }) => Place::AskingLabel,
                Some(QuestionKind::Scale { .. }) => Place::AskingScale,
                Some(QuestionKind::Number { .. } | QuestionKind::Text { .. }) => Place::AskingWords,
                Some(QuestionKind::Span { .. }) => Place::AskingSpan,
            });
        }
        match self.focus {
            Focus::Queue => places.push(Place::Queue),
            Focus::Guide => places.push(Place::Guide),
            Focus::Context => {
                if self.opened.as_ref().is_some_and(|opened| opened.tab == Tab::Logs) {
                    places.push(Place::Logs);
                }
                places.push(Place::Context);
            }
        }
        places.push(Place::Any);
        places
    }

    fn click(&mut self, x: u16, y: u16) -> Vec<Effect> {
        let layout = super::draw::layout(self);
        let inside = |area: ratatui::layout::Rect| area.contains((x, y).into());
        if layout.queue.is_some_and(inside) {
            self.focus = Focus::Queue;
            let row = self.queue.top + usize::from(y.saturating_sub(layout.queue.map_or(0, |area| area.y + 1)));
            return self.queue_step(row as i64 - self.queue.cursor as i64);
        }
        if layout.context.is_some_and(inside) {
            self.focus = Focus::Context;
        } else if layout.guide.is_some_and(inside) {
            self.focus = Focus::Guide;
        }
        Vec::new()
    }

    // What actions use.

    pub fn say(&mut self, words: &str) -> Vec<Effect> {
        self.message = Some(words.to_owned());
        Vec::new()
    }

    pub fn queue_height(&self) -> usize {
        super::draw::layout(self).queue.map_or(usize::from(self.size.1), |area| usize::from(area.height).saturating_sub(1)).max(1)
    }

    pub fn context_height(&self) -> i64 {
        super::draw::layout(self).context.map_or(10, |area| i64::from(area.height) - 2).max(1)
    }

    pub fn queue_step(&mut self, by: i64) -> Vec<Effect> {
        let height = self.queue_height();
        self.queue.step(by, height)
    }

    pub fn open(&mut self, id: CaseId) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.extend([Effect::Documents, Effect::Open { id }]);
        effects
    }

    /// Opens the case that stands `by` rows from the open one.
    pub fn open_by(&mut self, by: i64) -> Vec<Effect> {
        let height = self.queue_height();
        let open = self.opened.as_ref().map(|opened| opened.case.row.id);
        if let Some(id) = open {
            self.queue.go_to(id, height);
        }
        let before = self.queue.cursor;
        let mut effects = self.queue.step(by, height);
        match self.queue.current().map(|row| row.id) {
            Some(id) if self.queue.cursor != before || open != Some(id) => effects.extend(self.open(id)),
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
    pub(super) fn settle_time(&mut self) -> Vec<Effect> {
        let now = self.now;
        let Some(opened) =
            self.opened.as_mut().filter(|opened| opened.draft != opened.untouched && !opened.sending && !opened.ruling)
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
        let was_open = opened.case.row.state == CaseState::Open && opened.case.mine.is_none() && !opened.case.gold;
        self.saving += 1;
        let mut effects = vec![Effect::Submit { label: Box::new(label), knew }];
        let height = self.queue_height();
        let was_there = self.queue.go_to(id, height);
        if self.view.is_none() {
            self.queue.remove(id);
            self.counts.labeled += u64::from(was_there && was_open);
        } else if was_there {
            effects.extend(self.queue.step(1, height));
        }
        match self.queue.current().map(|row| row.id).filter(|next| *next != id) {
            Some(next) => effects.extend([Effect::Documents, Effect::Open { id: next }]),
            None => self.opened = None,
        }
        effects.extend(self.queue_step(0));
        effects
    }

    pub fn undo(&mut self) -> Vec<Effect> {
        let mut effects = self.settle_time();
        effects.push(Effect::Undo);
        effects
    }

    pub fn next_pane(&mut self, by: isize) -> Vec<Effect> {
        const ORDER: [Focus; 3] = [Focus::Queue, Focus::Context, Focus::Guide];
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(1) as isize;
        self.focus = ORDER[(at + by).rem_euclid(3) as usize];
        let height = self.queue_height();
        self.queue.show_cursor(height);
        self.keep_place()
    }

    pub fn show_tab(&mut self, tab: Tab) -> Vec<Effect> {
        if let Some(opened) = &mut self.opened {
            opened.tab = tab;
            self.focus = Focus::Context;
        }
        self.keep_place()
    }

    pub fn show_tab_by(&mut self, by: isize) -> Vec<Effect> {
        match self.opened.as_ref().map(|opened| opened.tab.step(by)) {
            Some(tab) => self.show_tab(tab),
            None => Vec::new(),
        }
    }

    pub fn scroll(&mut self, by: i64) -> Vec<Effect> {
        let most = super::draw::context_overflow(self) as i64;
        if let Some(opened) = &mut self.opened {
            let scroll = opened.scroll();
            *scroll = (*scroll as i64).saturating_add(by).clamp(0, most) as usize;
        }
        self.keep_place()
    }

    pub fn scroll_guide(&mut self, by: i64) -> Vec<Effect> {
        let most = super::draw::guide_overflow(self) as i64;
        if let Some(opened) = &mut self.opened {
            opened.guide_scroll = (opened.guide_scroll as i64 + by).clamp(0, most) as usize;
        }
        Vec::new()
    }

    pub fn next_error(&mut self) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let (all, from) = (opened.all_logs, opened.scroll_now());
        let bad = |log: &crate::review::open::ReadLog| log.line.level == Some(Level::Error);
        let shown: Vec<bool> = opened.case.logs.iter().filter(|log| all || log.own).map(bad).collect();
        let after = shown.iter().enumerate().skip(from + 1).find(|(_, bad)| **bad);
        match after.or_else(|| shown.iter().enumerate().find(|(_, bad)| **bad)) {
            Some((at, _)) => {
                *opened.scroll() = at;
                Vec::new()
            }
            None => self.say("No line here is an error."),
        }
    }

    pub fn quit(&mut self) -> Vec<Effect> {
        self.quitting = true;
        let mut effects = self.settle_time();
        effects.extend(self.keep_place());
        effects.push(Effect::Quit);
        effects
    }

    pub fn keep_place(&self) -> Vec<Effect> {
        let place = WhereWasI {
            case: self.opened.as_ref().map(|opened| opened.case.row.id),
            tab: self.opened.as_ref().map_or("", |opened| opened.tab.word()).to_owned(),
            focus: self.focus,
            scroll: self.opened.as_ref().map_or(0, Opened::scroll_now),
        };
        vec![Effect::KeepPlace(serde_json::to_string(&place).unwrap_or_default())]
    }
}
