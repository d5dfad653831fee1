//! What comes back: pages that were read, cases that were opened, what the worker did.

use std::sync::Arc;

use super::app::{App, Focus};
use super::edit::Edit;
use super::effect::{Effect, Job};
use super::opened::{Opened, Tab};
use super::overlay::overtaken::Counts;
use super::overlay::{Overlay, Overruled, Overtaken, People};
use super::queue_model::QueueModel;
use super::syncer::SyncState;
use crate::domain::cues::Cue;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::resolve::CaseState;
use crate::review::QueueKey;
use crate::review::{Draft, OpenCase};

impl App {
    /// Goes back to a case that its reviewer labeled meanwhile in another window, and asks which label is to count.
    fn overtaken(&mut self, label: Box<Label>, other: Box<GivenLabel>) -> Vec<Effect> {
        self.saving = self.saving.saturating_sub(1);
        let (case, draft) = (label.case, Box::new(Draft::of(&label)));
        self.overlay = Some(Overlay::Overtaken(Overtaken { label, other }));
        // The other window dropped the draft with its own label.
        vec![Effect::KeepDraft { case, draft }, QueueModel::start(), Effect::Count { all: false }, Effect::Open { id: case }]
    }

    /// What becomes of two labels of one reviewer on one case.
    pub(super) fn decided(&mut self, overtaken: Overtaken, choice: Counts) -> Vec<Effect> {
        let Overtaken { label, other } = overtaken;
        let case = label.case;
        match choice {
            Counts::Mine if self.opened.as_ref().is_some_and(|opened| opened.case.row.id == case) => self.send(*label),
            Counts::Mine => {
                self.saving += 1;
                vec![Effect::Submit { label, knew: Some(other.event) }]
            }
            Counts::Other => {
                let mut effects = self.say(&format!("{}: the label of {} stands.", case.short(), other.given_at().clock()));
                effects.extend([Effect::KeepDraft { case, draft: Box::default() }, Effect::Open { id: case }]);
                effects
            }
            Counts::Later => self.say(&format!("{}: these answers are kept as a draft.", case.short())),
        }
    }

    /// What an exchange with the store came to. Nothing moves that the person did not move: counts and what reviewers
    /// decide by are the newest; the list stays as it is, unless it was empty.
    fn synced(&mut self, mut state: SyncState) -> Vec<Effect> {
        if let Some(before) = self.sync.as_mut().filter(|_| state.status.trouble.is_some()) {
            // What was kept out stays so while nothing comes.
            (state.quarantined, state.asking) = (std::mem::take(&mut before.quarantined), before.asking);
        }
        let was_in_trouble = self.sync.as_ref().is_some_and(|before| before.status.trouble.is_some());
        if let Some(trouble) = state.status.trouble.as_ref().filter(|_| !was_in_trouble) {
            self.message = Some(format!("The store: {trouble}. Work goes on here (S)."));
        }
        if let Some(notice) = state.notices.first() {
            self.message = Some(notice.clone());
        }
        let mut effects = Vec::new();
        if let Some(protocols) = state.protocols.take() {
            self.protocols = *protocols;
            effects.push(Effect::Count { all: true });
            effects.extend(self.protocols.has_older().then_some(Effect::Worklist));
            if self.queue.rows.is_empty() && self.filter.is_empty() {
                effects.push(QueueModel::start());
            }
        }
        // What was erased must not be looked at any longer.
        if let Some(opened) = self.opened.as_ref().filter(|_| state.erased) {
            effects.push(Effect::Open { id: opened.case.row.id });
        }
        self.sync = Some(state);
        effects
    }

    /// One more entry waits to be pushed.
    pub(super) fn wrote(&mut self) {
        if let Some(sync) = &mut self.sync {
            sync.status.unpushed += 1;
        }
    }

    pub(super) fn job(&mut self, job: Job) -> Vec<Effect> {
        match job {
            Job::Page { from, direction, rows, full } => {
                if !self.filter.is_empty() && (from == QueueKey::FIRST || self.queue.filtered) {
                    return Vec::new(); // a page asked for before the filter was set
                }
                let total = self.shown_total();
                self.queue.take(from, direction, rows, full, total);
                let height = self.queue_height();
                self.queue.show_cursor(height);
                self.open_something()
            }
            Job::Filtered { generation, rows } => {
                if generation == self.generation {
                    let n = rows.len();
                    self.queue.take_filtered(rows);
                    if n == 0 {
                        return self.say("No case fits. Esc drops the filter.");
                    }
                }
                Vec::new()
            }
            Job::Synced(state) => self.synced(*state),
            Job::People { rows, words } => {
                let cursor = match &self.overlay {
                    Some(Overlay::People(people)) => people.cursor.min(rows.len().saturating_sub(1)),
                    _ => 0,
                };
                self.overlay = Some(Overlay::People(People { rows, cursor }));
                if words.is_empty() { Vec::new() } else { self.say(&words) }
            }
            Job::Counted(counts) if counts.counting => Vec::new(), // a newer count is under way
            Job::Counted(counts) => {
                self.counts = counts;
                Vec::new()
            }
            Job::Opened { case, draft } => self.opened_case(*case, draft.map(|draft| *draft)),
            Job::Published(protocols) => {
                self.protocols = *protocols;
                vec![Effect::Worklist]
            }
            Job::Gone(_) => {
                self.returning = None;
                self.open_something()
            }
            Job::Saved { case: _, seq } => {
                self.saving = self.saving.saturating_sub(1);
                self.saved = Some(seq);
                self.wrote();
                self.labeled_in_session();
                let mut effects = vec![Effect::Count { all: false }, Effect::Guard];
                // What was just decided may be like the next.
                effects.extend(self.opened.as_ref().map(|opened| Effect::Precedents { case: opened.case.row.id }));
                effects
            }
            Job::Overtaken { label, other } => self.overtaken(label, other),
            Job::NotSaved { case, why } => {
                self.saving = self.saving.saturating_sub(1);
                let mut effects = self.say(&format!(
                    "NOT SAVED ({}): {}. Your answers are kept as a draft.",
                    case.short(),
                    why.trim_end_matches('.')
                ));
                effects.extend([QueueModel::start(), Effect::Count { all: false }]);
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.case.row.id == case) {
                    opened.sending = false;
                }
                effects
            }
            Job::Undone { case, draft, seq } => {
                self.wrote();
                self.saved = Some(seq);
                self.focus = Focus::Context;
                let mut effects = self.settle_time();
                effects.push(Effect::KeepDraft { case, draft });
                // It is to be labeled again.
                let name = self.sitting.as_ref().map(|sitting| sitting.session.name().to_owned());
                effects.extend(name.map(|name| Effect::Sit(Some(name))));
                effects.extend([QueueModel::start(), Effect::Count { all: false }, Effect::Open { id: case }]);
                effects.extend(self.say(&format!("Took back the label of {}; its answers are a draft again.", case.short())));
                effects
            }
            Job::Noted { case, words, leaves_queue } => {
                self.wrote();
                self.say(&words);
                let is_open = self.opened.as_ref().is_some_and(|opened| opened.case.row.id == case);
                let mut effects = vec![Effect::Count { all: false }];
                if leaves_queue && self.view.is_none() {
                    let height = self.queue_height();
                    if is_open {
                        self.queue.go_to(case, height);
                    }
                    self.queue.remove(case);
                    let next = self.queue.current().map(|row| row.id);
                    if is_open && next.is_none() {
                        self.opened = None;
                    }
                    effects.extend(next.filter(|_| is_open).map(|id| Effect::Open { id }));
                } else if is_open {
                    effects.push(Effect::Open { id: case });
                }
                effects
            }
            Job::Edited(Some(text)) => {
                if let Some(Overlay::Rationale(_)) = self.overlay {
                    self.overlay = Some(Overlay::Rationale(Edit::new(&text)));
                }
                self.change_draft(|draft| draft.rationale = text)
            }
            Job::Precedents { case, mut found } => {
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.case.row.id == case) {
                    if opened.hides(Cue::Prediction) {
                        // Whether the models said the same of both would tell what they said.
                        found.iter_mut().for_each(|one| (one.same_label, one.same_pair) = (false, false));
                    }
                    opened.precedents = Some(found);
                }
                Vec::new()
            }
            Job::Worklist(rows) => {
                self.worklist = rows;
                Vec::new()
            }
            Job::Dispute(dispute) => self.disputed(*dispute),
            Job::Ruled { case, words } => self.ruled(case, &words),
            Job::Sat { session, rows } => self.sat(session.map(|session| *session), rows),
            Job::Sessions(rows) => self.sessions(rows),
            Job::Board(pages) | Job::BoardChanged(pages) => {
                if let Some(Overlay::Board(board)) = &mut self.overlay {
                    board.take(Arc::clone(&pages));
                }
                // Whoever went on meanwhile finds it when they look again.
                self.board = Some(pages);
                Vec::new()
            }
            Job::Cases { title, rows } => self.show_listing(title, rows),
            Job::Suggested(words) => {
                let before = self.message.take().map(|message| format!("{message} ")).unwrap_or_default();
                self.say(&format!("{before}{words}"))
            }
            Job::Words { title, words } => {
                // Whoever closed the window meanwhile, or writes something, is not disturbed.
                if let None | Some(Overlay::Sessions(_) | Overlay::Feedback { .. }) = self.overlay {
                    self.show_words(&title, words);
                }
                Vec::new()
            }
            Job::Overruled(rows) if rows.is_empty() => self.say("No ruling says otherwise than you did."),
            Job::Overruled(rows) => {
                self.overlay = Some(Overlay::Overruled(Overruled { rows, cursor: 0, me: self.me.clone() }));
                Vec::new()
            }
            Job::Trained(seq) => {
                self.saved = Some(seq);
                Vec::new()
            }
            Job::Edited(None) => self.say("The editor ended without saving."),
            Job::Failed(why) => self.say(&why),
        }
    }

    /// A window of words.
    pub(super) fn show_words(&mut self, title: &str, words: Vec<String>) {
        self.overlay = Some(Overlay::Feedback { title: format!("{title} (any key closes)"), words, scroll: 0 });
    }

    /// How many cases the view has, without a filter.
    pub fn shown_total(&self) -> u64 {
        match self.view {
            None => self.counts.mine(),
            Some(CaseState::Open) => self.counts.open,
            Some(CaseState::Disputed) => self.counts.disputed,
            Some(CaseState::Resolved) => self.counts.resolved,
        }
    }

    /// With no case open, opens the one under the cursor.
    fn open_something(&mut self) -> Vec<Effect> {
        if self.opened.is_some() || self.returning.as_ref().is_some_and(|place| place.case.is_some()) {
            return Vec::new();
        }
        self.queue.current().map(|row| Effect::Open { id: row.id }).into_iter().collect()
    }

    fn opened_case(&mut self, case: OpenCase, draft: Option<Draft>) -> Vec<Effect> {
        let height = self.queue_height();
        let mut draft = draft.unwrap_or_default();
        let mut case = case;
        if self.training.is_some() {
            // As if nobody had ever seen it.
            (case.row.state, case.row.outcome, case.mine) = (CaseState::Open, None, None);
            case.history.truncate(1);
            draft = Draft::default();
        }
        draft = Draft::begin(Some(draft), &case, &self.protocols);
        let published = self.protocols.for_stream(&case.row.stream).cloned();
        let same = self.opened.as_ref().is_some_and(|opened| opened.case.row.id == case.row.id);
        let (tab, scroll) = match (&self.opened, self.returning.take()) {
            (Some(opened), _) if same => (opened.tab, opened.scroll),
            (_, Some(place)) if place.case == Some(case.row.id) => {
                let tab = Tab::parse(&place.tab).unwrap_or_default();
                let mut scroll = [0; 5];
                scroll[Tab::ALL.iter().position(|one| *one == tab).unwrap_or(0)] = place.scroll;
                (tab, scroll)
            }
            (Some(opened), _) => (opened.tab, [0; 5]),
            _ => (Tab::default(), [0; 5]),
        };
        self.queue.go_to(case.row.id, height);
        let all_logs = case.own_logs() == 0;
        let since = self.now;
        let untouched = draft.clone();
        let id = case.row.id;
        self.worklist.retain(|row| row.id != id || draft.question_of(published.as_ref()).is_some());
        self.opened = Some(Opened {
            case,
            published,
            draft,
            untouched,
            since,
            tab,
            scroll,
            guide_scroll: 0,
            all_logs,
            sending: false,
            ruling: false,
            hide: self.protocols.policy.hide.clone(),
            seen: std::collections::BTreeSet::new(),
            precedents: None,
        });
        let mut effects = self.keep_place();
        effects.push(Effect::Precedents { case: id });
        effects
    }
}
