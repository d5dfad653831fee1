//! What comes back: pages that were read, cases that were opened, what the worker did.

use super::command::calibration::NEW_SESSION;
use super::effect::{Effect, Look};
use super::open_case::Opened;
use super::pages::QueueModel;
use super::report::{Coming, Elsewhere, Report, SyncState};
use super::state::Session;
use super::window::{Counts, Overtaken, Window};
use crate::domain::cues::Cue;
use crate::domain::label::{GivenLabel, Label};
use crate::domain::resolve::CaseState;
use crate::review::QueueKey;
use crate::review::{Draft, OpenCase};

impl Session {
    /// Goes back to a case that its reviewer labeled meanwhile in another window, and asks which
    /// label is to count.
    fn overtaken(&mut self, label: Box<Label>, other: Box<GivenLabel>) -> Vec<Effect> {
        self.saving = self.saving.saturating_sub(1);
        let (case, draft) = (label.case, Box::new(Draft::of(&label)));
        // The other window dropped the draft with its own label.
        vec![
            Effect::Show(Window::Overtaken(Overtaken { label, other })),
            Effect::KeepDraft { case, draft },
            QueueModel::start(),
            Effect::Count { all: false },
            Effect::Open { id: case },
        ]
    }

    /// What becomes of two labels of one reviewer on one case.
    pub fn decided(&mut self, overtaken: Overtaken, choice: Counts) -> Vec<Effect> {
        let Overtaken { label, other } = overtaken;
        let case = label.case;
        match choice {
            Counts::Mine if self.open_id() == Some(case) => self.send(*label),
            Counts::Mine => {
                self.saving += 1;
                vec![Effect::Submit { label, knew: Some(other.event) }]
            }
            Counts::Other => {
                let mut effects = self.say(&format!(
                    "{}: the label of {} stands.",
                    self.called(case),
                    other.given_at().clock()
                ));
                effects.extend([
                    Effect::KeepDraft { case, draft: Box::default() },
                    Effect::Open { id: case },
                ]);
                effects
            }
            Counts::Later => {
                self.say(&format!("{}: these answers are kept as a draft.", self.called(case)))
            }
        }
    }

    /// What an exchange with the store came to. Nothing moves that the person did not move: counts
    /// and what reviewers decide by are the newest; the list stays as it is, unless it was empty.
    fn synced(&mut self, mut state: SyncState) -> Vec<Effect> {
        if let Some(before) = self.sync.as_mut().filter(|_| state.status.trouble.is_some()) {
            // What was kept out stays so while nothing comes.
            (state.quarantined, state.asking) =
                (std::mem::take(&mut before.quarantined), before.asking);
        }
        let was_in_trouble =
            self.sync.as_ref().is_some_and(|before| before.status.trouble.is_some());
        if let Some(trouble) = state.status.trouble.as_ref().filter(|_| !was_in_trouble) {
            self.say_with(&format!("The store: {trouble}."), "Work goes on here ({exchange}).");
        }
        if let Some(notice) = state.notices.first() {
            self.say(notice);
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
        let coming = self.coming.as_ref().map(|coming| coming.row.id);
        if let Some(id) = coming.or(self.open_id()).filter(|_| state.erased) {
            effects.extend([Effect::Show(Window::Page(None)), Effect::Open { id }]);
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

    /// Takes in what an effect came to, or what came unasked.
    pub(super) fn take_report(&mut self, report: Report) -> Vec<Effect> {
        if matches!(report, Report::Failed(_)) {
            self.reading = None; // it may have been that
        }
        match report {
            Report::Page { from, direction, rows, full } => {
                if !self.filter.is_empty() && (from == QueueKey::FIRST || self.queue.filtered) {
                    // The list that is filtered is another now, and is read when the filter is left.
                    self.unfiltered = None;
                    return Vec::new();
                }
                let total = self.shown_total();
                self.queue.take(from, direction, rows, full, total);
                self.queue.show_cursor();
                self.open_something()
            }
            Report::Filtered { generation, rows } => {
                if generation == self.generation {
                    let n = rows.len();
                    self.queue.take_filtered(rows);
                    if n == 0 {
                        return self.hint("No case fits. {clear} drops the filter.");
                    }
                }
                Vec::new()
            }
            Report::Synced(state) => self.synced(*state),
            Report::People { rows, words } => {
                if let Some(sync) = &mut self.sync {
                    sync.asking =
                        sync.asking.min(rows.iter().filter(|one| one.holder.waits()).count());
                }
                let mut effects = vec![Effect::Show(Window::People(rows))];
                effects.extend(if words.is_empty() { Vec::new() } else { self.say(&words) });
                effects
            }
            Report::Counted(counts) if counts.counting => Vec::new(), // a newer count is under way
            Report::Counted(counts) => {
                self.counts = counts;
                Vec::new()
            }
            Report::Coming(coming) => {
                self.first = None;
                self.queue.go_to(coming.row.id);
                let before = self.open_id();
                if before != Some(coming.row.id) {
                    self.opened = None;
                }
                let before = before.or(self.coming.take().and_then(|coming| coming.before));
                self.coming = Some(Coming { before, ..*coming });
                Vec::new()
            }
            Report::Came { number, opened, .. } => {
                match &self.coming {
                    Some(coming) if coming.number == number => {}
                    _ => return Vec::new(), // another one was opened meanwhile, or this one anew
                }
                if !matches!(*opened, Report::Opened { .. }) {
                    self.coming = None;
                }
                self.take_report(*opened)
            }
            Report::Opened { case, draft, elsewhere } => {
                let effects = self.opened_case(*case, draft.map(|draft| *draft));
                let hint = "{take-over} takes over.";
                match elsewhere {
                    None => return effects,
                    Some(Elsewhere::Open(since)) => self.say_with(
                        &format!("You have this case open elsewhere too, since {since}."),
                        hint,
                    ),
                    Some(Elsewhere::TakenOver) => {
                        self.say("Your other session has left; this is what it began.")
                    }
                };
                effects
            }
            Report::Published(protocols) => {
                self.protocols = *protocols;
                vec![Effect::Worklist]
            }
            Report::Gone(_) => {
                self.first = None;
                self.open_something()
            }
            Report::Saved { note, .. } => {
                self.saving = self.saving.saturating_sub(1);
                self.saved += 1;
                self.wrote();
                self.labeled_in_session();
                let mut effects = vec![Effect::Count { all: false }, Effect::Guard];
                if let Some(note) = note {
                    effects.extend(self.say(&note));
                }
                // What was just decided may be like the next.
                effects.extend(
                    self.opened
                        .as_ref()
                        .map(|opened| Effect::Precedents { case: opened.case.row.id }),
                );
                effects
            }
            Report::Overtaken { label, other } => self.overtaken(label, other),
            Report::NotSaved { case, why } => {
                self.saving = self.saving.saturating_sub(1);
                let words = format!(
                    "NOT SAVED ({}): {}. Your answers are kept as a draft.",
                    self.called(case),
                    why.words.trim_end_matches('.')
                );
                let mut effects = self.say_with(&words, why.hint);
                effects.extend([QueueModel::start(), Effect::Count { all: false }]);
                if let Some(opened) =
                    self.opened.as_mut().filter(|opened| opened.case.row.id == case)
                {
                    opened.sending = false;
                }
                effects
            }
            Report::Undone { case, called, draft } => {
                self.wrote();
                self.saved = self.saved.saturating_sub(1);
                let mut effects = self.settle_time();
                effects.push(Effect::Look(Look::Case));
                effects.push(Effect::KeepDraft { case, draft });
                // It is to be labeled again.
                effects.extend(self.session_again());
                effects.extend([
                    QueueModel::start(),
                    Effect::Count { all: false },
                    Effect::Open { id: case },
                ]);
                effects.extend(self.say(&format!(
                    "Undone: the label of {called}; its answers are a draft again."
                )));
                effects
            }
            Report::TakenBack { case, words, gave } => {
                self.wrote();
                self.saved += usize::from(gave);
                self.say_with(&words, "{undo} undoes, {redo} does again.");
                let mut effects = vec![Effect::Count { all: true }, Effect::Worklist];
                effects.extend(self.session_again());
                if self.listing.is_none() {
                    effects.push(QueueModel::start());
                }
                effects.extend((self.open_id() == Some(case)).then_some(Effect::Open { id: case }));
                effects
            }
            Report::Noted { case, words, leaves_queue } => {
                self.wrote();
                self.say(&words);
                let is_open = self.open_id() == Some(case);
                let mut effects = vec![Effect::Count { all: false }];
                if leaves_queue && self.view.is_none() {
                    if is_open {
                        self.queue.go_to(case);
                    }
                    self.leaves_queue(case);
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
            Report::Edited(Some(text)) => self.change_draft(|draft| draft.rationale = text),
            Report::LookedAt { case, looked } => {
                let opened = self.opened.as_mut().filter(|opened| opened.case.row.id == case);
                // Whoever went on to another case does not look at this one's any more.
                let Some(opened) = opened else { return Vec::new() };
                if looked.unseen {
                    // It may have been there when the case was opened.
                    opened.case.lose_file(&looked.name);
                }
                vec![Effect::Show(Window::LookedAt(looked))]
            }
            Report::ReadOn { case, page } => self.page_read(case, page),
            Report::Precedents { case, mut found } => {
                if let Some(opened) =
                    self.opened.as_mut().filter(|opened| opened.case.row.id == case)
                {
                    if opened.hides(Cue::Prediction) {
                        // Whether the models said the same of both would tell what they said.
                        found
                            .iter_mut()
                            .for_each(|one| (one.same_label, one.same_pair) = (false, false));
                    }
                    opened.precedents = Some(found);
                }
                Vec::new()
            }
            Report::Worklist(rows) => {
                self.worklist = rows;
                Vec::new()
            }
            Report::Dispute(dispute) => self.disputed(*dispute),
            Report::Ruled { case, words } => self.ruled(case, &words),
            Report::EnteredCalibration { session, rows } => {
                self.entered_calibration(session.map(|session| *session), rows)
            }
            Report::Calibrations(rows) => self.sessions(rows),
            Report::Board(pages) | Report::BoardChanged(pages) => {
                // Whoever went on meanwhile finds it when they look again.
                self.board = Some(pages);
                Vec::new()
            }
            Report::Cases { title, rows } => self.show_listing(title, rows),
            Report::Suggested(words) => {
                let before = self.message.take();
                let hint = before.as_ref().map_or("", |message| message.hint);
                let before =
                    before.map(|message| format!("{} ", message.words)).unwrap_or_default();
                self.say_with(format!("{before}{words}").trim_start(), hint)
            }
            Report::Words { title, words } => {
                // What was done needs no mending any more.
                self.unsent.retain(|(_, asked), _| asked != NEW_SESSION);
                vec![Effect::Show(Window::Words { title, words })]
            }
            Report::Overruled(rows) if rows.is_empty() => {
                self.say("No ruling says otherwise than you did.")
            }
            Report::Overruled(rows) => vec![Effect::Show(Window::Overruled(rows))],
            Report::Trained => {
                self.saved += 1;
                Vec::new()
            }
            Report::Edited(None) => self.say("The editor ended without saving."),
            Report::Failed(why) => self.say_with(&why.words, why.hint),
        }
    }

    /// Looks again at what is left of the calibration session that is sat in.
    fn session_again(&self) -> Option<Effect> {
        let calibration = self.calibration.as_ref()?;
        Some(Effect::EnterCalibration(Some(calibration.session.name().to_owned())))
    }

    /// With no case open, opens the one under the cursor.
    fn open_something(&mut self) -> Vec<Effect> {
        if self.opened.is_some() || self.coming.is_some() || self.first.is_some() {
            return Vec::new();
        }
        self.queue.current().map(|row| Effect::Open { id: row.id }).into_iter().collect()
    }

    fn opened_case(&mut self, case: OpenCase, draft: Option<Draft>) -> Vec<Effect> {
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
        let before = self.open_id();
        let before = before.or(self.coming.take().and_then(|coming| coming.before));
        self.first = None;
        self.queue.go_to(case.row.id);
        let since = self.now;
        let untouched = draft.clone();
        let id = case.row.id;
        self.worklist.retain(|row| row.id != id || draft.question_of(published.as_ref()).is_some());
        // What was seen of it is not unseen because it is opened again.
        let again = self.opened.as_ref().filter(|opened| opened.case.row.id == id);
        let seen = again.map(|opened| opened.seen.clone()).unwrap_or_default();
        let page = again.and_then(|opened| opened.page);
        self.opened = Some(Opened {
            case,
            published,
            draft,
            untouched,
            since,
            sending: false,
            ruling: false,
            hide: self.protocols.policy.hide.clone(),
            seen,
            page,
            precedents: None,
        });
        vec![Effect::Look(Look::Opened { before }), Effect::Precedents { case: id }]
    }
}
