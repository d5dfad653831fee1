//! What the screen adds to a session: where the person looks, what lies over the panes, keys and
//! colours.

use std::cell::RefCell;
use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::keymap::Keymap;
use super::overlay::arbitrate::Arbitrate;
use super::overlay::attachment::Attachment;
use super::overlay::board::Board;
use super::overlay::calibrations::Calibrations;
use super::overlay::lines::{LINES, Lines};
use super::overlay::mark::Mark;
use super::overlay::overruled::Overruled;
use super::overlay::overtaken::OvertakenWindow;
use super::overlay::page::PageWindow;
use super::overlay::people::People;
use super::overlay::precedents::Precedents;
use super::overlay::rationale::Rationale;
use super::overlay::words::Words;
use super::overlay::{Layer, exchange, terms, tree};
use super::pixels::Canvas;
use super::place::{Focus, Layout, Measured, Place, Tab, WIDE, WhereWasI, case_rows};
use super::rows::{Beside, Laid};
use super::theme::Theme;
use crate::config::Bidi;
use crate::domain::bidi::{Direction, has_right_to_left};
use crate::domain::cues::Cue;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::protocol::QuestionKind;
use crate::domain::text_rows::Sign;
use crate::session::{Effect, Look, Opened, Session, Window};

/// The whole state of the screen.
pub struct Shell {
    pub session: Session,
    pub size: (u16, u16),
    pub theme: Theme,
    pub keymap: Keymap,
    pub focus: Focus,
    /// The tab that was chosen; none, and the screen's width decides.
    chosen: Option<Tab>,
    /// First line shown of each tab.
    pub scroll: [usize; Tab::ALL.len()],
    pub guide_scroll: usize,
    /// Whether log lines beside those of the trace are shown too.
    pub all_logs: bool,
    /// Whether what is deep in the line is folded.
    pub folded: bool,
    /// Whether the case has the whole screen.
    pub zoomed: bool,
    /// What is searched for in the case.
    pub search: Option<Search>,
    /// What was laid out last.
    pub laid: RefCell<Option<LaidOut>>,
    /// What lies over the panes.
    pub layer: Option<Box<dyn Layer>>,
    pub mouse: bool,
    /// A key that waits until the case that it is meant for is open.
    pub(super) held: Option<KeyEvent>,
    /// The case that was opened last because the cursor rested on it.
    pub(super) tried: Option<CaseId>,
    /// Tab and scroll to come back to when this case has opened.
    returning: Option<WhereWasI>,
    /// How large everything is; none after a change, until somebody needs it.
    pub measured: Option<Measured>,
    /// Goes up with each change after which the case or the guide may look otherwise.
    pub changes: u64,
    /// Whether an event did nothing but move through the queue.
    pub(super) only_moved: bool,
    /// Themes for a dark and a light background, where the terminal is asked which it has.
    pub by_background: Option<Box<[Theme; 2]>>,
    /// How the terminal draws points, if it said that it does.
    pub canvas: Option<Canvas>,
    /// Whether addresses are links of the terminal.
    pub links: bool,
    /// Whether the terminal is asked whether it puts right-to-left text in order.
    pub asks_bidi: bool,
    /// Who puts text that is read from right to left in order; never `Auto`.
    pub bidi: Bidi,
    /// Whether the case is shown in the order in which it is written.
    pub as_written: bool,
    /// Whether the case holds such text that the terminal puts in order.
    right_to_left: bool,
    /// What only the terminal can do.
    pub wishes: Vec<Wish>,
}

/// What was laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct LaidOf {
    pub case: CaseId,
    pub event: EventId,
    pub columns: usize,
    pub folded: bool,
    /// Whether two texts that are compared stand side by side.
    pub beside: bool,
    /// Whether the prediction and the challenger are hidden.
    pub hidden: [bool; 2],
    /// The texts that are laid out by their places, for something is marked in them.
    pub by_place: Vec<String>,
}

/// The text of the input and all else, laid out.
#[derive(Debug, Clone)]
pub struct LaidOut {
    pub of: LaidOf,
    pub text: Vec<LaidPiece>,
    pub rest: Vec<LaidPiece>,
}

/// A piece of what is read.
#[derive(Debug, Clone)]
pub enum LaidPiece {
    Read(Arc<Laid>),
    /// Two texts that are compared.
    Beside(Arc<Beside>),
    /// A text that is laid out by its places; with what stands before it.
    ByPlace {
        name: Arc<str>,
        /// Its rows, each with where its line is read from, where the text has such lines.
        signs: Arc<Vec<(Vec<Sign>, Option<Direction>)>>,
        /// What is not laid out.
        note: Option<String>,
        key: String,
        indent: usize,
    },
}

/// A search in the case.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// In small letters.
    pub query: String,
    /// The place that is shown, of all in the order of the tabs.
    pub at: usize,
}

/// What only the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Draw every cell again.
    Repaint,
    /// Back to the shell that started this.
    Suspend,
    /// Put a text in the clipboard.
    Copy(String),
}

/// Whether a case holds text that is read from right to left.
fn holds_right_to_left(opened: &Opened) -> bool {
    opened.texts().iter().any(|(_, text)| has_right_to_left(text))
}

impl Shell {
    pub fn new(
        session: Session,
        size: (u16, u16),
        theme: Theme,
        keymap: Keymap,
        mouse: bool,
        place: WhereWasI,
    ) -> Self {
        Self {
            session,
            size,
            theme,
            keymap,
            focus: place.focus,
            chosen: None,
            scroll: [0; Tab::ALL.len()],
            guide_scroll: 0,
            all_logs: false,
            folded: true,
            zoomed: false,
            search: None,
            laid: RefCell::default(),
            layer: None,
            mouse,
            held: None,
            tried: None,
            returning: Some(place),
            measured: None,
            changes: 0,
            only_moved: false,
            by_background: None,
            canvas: None,
            links: false,
            asks_bidi: false,
            bidi: Bidi::App,
            as_written: false,
            right_to_left: false,
            wishes: Vec::new(),
        }
    }

    /// The case under the cursor, where the open one stands beside the queue and is another.
    pub fn preview(&self) -> Option<CaseId> {
        let is_free = self.layer.as_ref().is_none_or(|layer| layer.lets_look());
        let looks = self.focus == Focus::Queue && self.is_wide() && is_free;
        let sending = self.session.opened.as_ref().is_some_and(|opened| opened.sending);
        let free = self.session.training.is_none() && !sending;
        let row = self.session.queue.current().filter(|_| looks && free)?;
        let coming = self.session.coming.as_ref().map(|coming| coming.row.id);
        let known = [self.session.open_id(), coming, self.tried];
        (!known.contains(&Some(row.id))).then_some(row.id)
    }

    /// Where keys hold now, the most particular first.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(4);
        if let Some(opened) = self.session.opened.as_ref().filter(|opened| {
            (self.focus != Focus::Queue || self.is_wide() && !self.has_no_case_at_hand())
                && opened.published.is_some()
        }) {
            if self.focus == Focus::Queue {
                places.push(Place::Queue); // its own keys come first
            }
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
            Focus::Queue if places.is_empty() => places.push(Place::Queue),
            Focus::Queue => {}
            Focus::Guide => places.push(Place::Guide),
            Focus::Context => {
                if self.search.is_some() {
                    places.push(Place::Found);
                }
                if self.session.opened.is_some() && self.tab() == Tab::Logs {
                    places.push(Place::Logs);
                }
                places.push(Place::Context);
            }
        }
        places.push(Place::Any);
        places
    }

    /// Whether the cursor is in a queue that shows no case: another one may still stand beside it.
    pub(super) fn has_no_case_at_hand(&self) -> bool {
        self.focus == Focus::Queue && self.session.queue.rows.is_empty()
    }

    /// The tab that is shown: where none was chosen, all at once if there is room.
    pub fn tab(&self) -> Tab {
        self.chosen.unwrap_or(if self.is_wide() { Tab::Overview } else { Tab::Input })
    }

    /// Whether three panes stand side by side.
    pub fn is_wide(&self) -> bool {
        // What the terminal puts in order gets whole rows: a pane beside it would be moved too.
        let alone = self.bidi == Bidi::Terminal && self.right_to_left;
        self.size.0 >= WIDE && !alone
    }

    /// From now on the terminal puts text that is read from right to left in order.
    pub fn leave_bidi_to_terminal(&mut self) {
        self.bidi = Bidi::Terminal;
        self.right_to_left = self.session.opened.as_ref().is_some_and(holds_right_to_left);
    }

    /// Whether text that is read from right to left is put in order here.
    pub fn arranges(&self) -> bool {
        self.bidi == Bidi::App && !self.as_written
    }

    /// Does what is the screen's own of what a session wants: windows, and where to look. The rest
    /// is left.
    pub fn follow(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut left = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Show(window) => self.show(window),
                Effect::Look(look) => left.extend(self.look(look)),
                effect => left.push(effect),
            }
        }
        left
    }

    fn show(&mut self, window: Window) {
        let again = |layer: &dyn Layer, place: Place, rows: usize| {
            if layer.places().first() == Some(&place) {
                layer.cursor().min(rows.saturating_sub(1))
            } else {
                0
            }
        };
        // A list that is read anew stays where it was.
        let cursor =
            |place, rows| self.layer.as_deref().map_or(0, |layer| again(layer, place, rows));
        let layer: Box<dyn Layer> = match window {
            Window::Closed => {
                self.layer = None;
                return;
            }
            Window::Rationale(text) => Box::new(Rationale::new(&text)),
            Window::Mark(to_mark) => {
                // It begins in what is being read.
                let measured = self.measured.as_ref().filter(|_| self.tab() == Tab::Input);
                let first = measured
                    .and_then(|measured| measured.context.text_at(self.scroll[Tab::Input.at()]));
                match Mark::new(to_mark, first) {
                    Some(mark) => Box::new(mark),
                    None => return,
                }
            }
            Window::LookedAt(looked) => Box::new(Attachment {
                looked: *looked,
                large: cursor(Place::Attachment, 2) == 1,
                scroll: 0,
            }),
            Window::Reading => Box::new(Words {
                title: "A long text (any key closes)".to_owned(),
                words: vec!["Reading …".to_owned()],
                trains_on: false,
                awaits_page: true,
                scroll: 0,
            }),
            // Whoever closed the window, or opened another one, is not disturbed.
            Window::Page(_) if !self.layer.as_ref().is_some_and(|layer| layer.awaits_page()) => {
                return;
            }
            Window::Page(None) => {
                self.layer = None;
                return;
            }
            Window::Page(Some(page)) => {
                Box::new(PageWindow::new(*page, cursor(Place::Page, 2) == 1, self.size))
            }
            Window::Precedents(rows) => Box::new(Precedents { rows, cursor: 0 }),
            Window::Feedback { title, words, is_end } => {
                let goes_on = if is_end { "any key leaves" } else { "any key goes on" };
                Box::new(Words {
                    title: format!("{title} ({goes_on})"),
                    words,
                    trains_on: true,
                    awaits_page: false,
                    scroll: 0,
                })
            }
            // Whoever writes something meanwhile is not disturbed.
            Window::Words { .. } if self.layer.as_ref().is_some_and(|layer| !layer.yields()) => {
                return;
            }
            Window::Words { title, words } => Box::new(Words {
                title: format!("{title} (any key closes)"),
                words,
                trains_on: false,
                awaits_page: false,
                scroll: 0,
            }),
            Window::Counting { title } => Box::new(Words {
                title: format!("{title} (any key closes)"),
                words: vec!["Counting …".to_owned()],
                trains_on: false,
                awaits_page: false,
                scroll: 0,
            }),
            Window::Board => {
                Box::new(Board { pages: self.session.board.clone(), ..Board::default() })
            }
            Window::Tree => Box::new(Lines::new("The protocol", LINES, tree::lines)),
            Window::Terms => Box::new(Lines::new("Terms and examples", LINES, terms::lines)),
            Window::Exchange => {
                const PLACES: &[Place] = &[Place::Exchange, Place::Lines, Place::Window];
                Box::new(Lines::new("Exchange with the shared store", PLACES, exchange::lines))
            }
            Window::Dispute { dispute, texts, walked } => {
                let window = Arbitrate::new(*dispute, &texts);
                Box::new(match walked {
                    Some(verdict) => window.walked(verdict),
                    None => window,
                })
            }
            Window::Overruled(rows) => Box::new(Overruled { rows, cursor: 0 }),
            Window::Overtaken(overtaken) => Box::new(OvertakenWindow(overtaken)),
            Window::Calibrations(rows) => {
                let cursor = cursor(Place::Calibrations, rows.len());
                Box::new(Calibrations { rows, cursor })
            }
            Window::People(rows) => {
                let cursor = cursor(Place::People, rows.len());
                Box::new(People { rows, cursor })
            }
        };
        self.layer = Some(layer);
    }

    /// Whether the window over the panes is that of a place.
    pub fn is_over(&self, place: Place) -> bool {
        self.layer.as_ref().is_some_and(|layer| layer.places().contains(&place))
    }

    fn look(&mut self, look: Look) -> Vec<Effect> {
        match look {
            Look::Queue => self.focus = Focus::Queue,
            Look::Case => self.focus = Focus::Context,
            Look::Input => return self.show_tab_from_top(Tab::Input),
            Look::Reading if self.tab() != Tab::Input => return self.show_tab_from_top(Tab::Input),
            Look::Reading => {}
            Look::Question => self.guide_scroll = 0,
            Look::Opened { before } => return self.case_opened(before),
        }
        Vec::new()
    }

    /// Another case is open, or the same one anew: its tab stays, and how far it was scrolled where
    /// it is the same.
    fn case_opened(&mut self, before: Option<CaseId>) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else { return Vec::new() };
        let id = opened.case.row.id;
        self.all_logs = opened.case.own_logs() == 0;
        self.guide_scroll = 0;
        self.right_to_left = self.bidi == Bidi::Terminal && holds_right_to_left(opened);
        let returning = self.returning.take();
        if before != Some(id) {
            self.scroll = [0; Tab::ALL.len()];
            self.search = None;
            self.folded = true;
            self.as_written = false;
            match returning.filter(|place| place.case == Some(id)) {
                Some(place) => {
                    self.chosen = Tab::parse(&place.tab);
                    *self.scroll_of_tab() = place.scroll;
                }
                None if before.is_none() => self.chosen = None,
                None => {}
            }
        }
        self.keep_place()
    }

    /// What of the case is before the person now.
    pub fn cues_on_screen(&self) -> Vec<Cue> {
        let mut cues = match self.tab() {
            Tab::Overview => vec![Cue::Logs, Cue::Neighbours, Cue::Challenger],
            Tab::Input => Vec::new(),
            Tab::Logs => vec![Cue::Logs],
            Tab::Neighbours => vec![Cue::Neighbours],
            Tab::Model => vec![Cue::Challenger, Cue::Features],
            Tab::History => vec![Cue::History],
        };
        if self.is_wide() || self.is_over(Place::Precedents) {
            cues.push(Cue::Precedents);
        }
        cues
    }

    // What actions use.

    pub fn say(&mut self, words: &str) -> Vec<Effect> {
        self.session.say(words)
    }

    /// Where the panes were measured to be.
    pub fn layout(&self) -> Layout {
        self.measured.as_ref().map(|measured| measured.layout).unwrap_or_default()
    }

    /// Rows of the queue that are shown at a time.
    pub fn queue_rows(&self) -> usize {
        let rows = if self.is_wide() || self.focus == Focus::Queue {
            self.size.1.saturating_sub(4) // header, title, columns, footer
        } else {
            self.size.1
        };
        usize::from(rows).max(1)
    }

    pub fn context_height(&self) -> i64 {
        self.layout().context.map_or(10, |area| case_rows(area) as i64).max(1)
    }

    /// Columns that the context has for its lines.
    pub fn context_columns(&self) -> usize {
        self.layout().context.map_or(40, |place| usize::from(place.width).saturating_sub(2))
    }

    /// The first line shown of the tab that is shown.
    pub fn scroll_of_tab(&mut self) -> &mut usize {
        let tab = self.tab();
        &mut self.scroll[tab.at()]
    }

    pub fn next_pane(&mut self, by: isize) -> Vec<Effect> {
        const ORDER: [Focus; 3] = [Focus::Queue, Focus::Context, Focus::Guide];
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(1) as isize;
        self.focus = ORDER[(at + by).rem_euclid(3) as usize];
        self.keep_place()
    }

    pub fn show_tab(&mut self, tab: Tab) -> Vec<Effect> {
        if self.session.opened.is_some() {
            self.chosen = Some(tab);
            self.focus = Focus::Context;
        }
        self.keep_place()
    }

    fn show_tab_from_top(&mut self, tab: Tab) -> Vec<Effect> {
        let effects = self.show_tab(tab);
        *self.scroll_of_tab() = 0;
        effects
    }

    pub fn show_tab_by(&mut self, by: isize) -> Vec<Effect> {
        self.show_tab(self.tab().step(by))
    }

    pub fn scroll(&mut self, by: i64) -> Vec<Effect> {
        let most = self.measured.as_ref().map_or(0, Measured::context_overflow) as i64;
        let scroll = self.scroll_of_tab();
        *scroll = (*scroll as i64).saturating_add(by).clamp(0, most) as usize;
        self.keep_place()
    }

    pub fn scroll_guide(&mut self, by: i64) -> Vec<Effect> {
        let most = self.measured.as_ref().map_or(0, Measured::guide_overflow) as i64;
        self.guide_scroll = (self.guide_scroll as i64 + by).clamp(0, most) as usize;
        Vec::new()
    }

    pub fn quit(&mut self) -> Vec<Effect> {
        let mut effects = self.keep_place();
        effects.extend(self.session.quit());
        effects
    }

    pub fn keep_place(&self) -> Vec<Effect> {
        let case = self.session.open_id();
        let place = WhereWasI {
            case,
            tab: case.map_or("", |_| self.chosen.map_or("", Tab::as_str)).to_owned(),
            focus: self.focus,
            scroll: case.map_or(0, |_| self.scroll[self.tab().at()]),
        };
        vec![Effect::KeepPlace(serde_json::to_string(&place).unwrap_or_default())]
    }
}
