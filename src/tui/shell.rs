//! What the screen adds to a session: where the person looks, what lies over the panes, keys and colours.

use super::edit::Edit;
use super::keymap::Keymap;
use super::overlay::{Arbitrate, Board, Mark, Overlay, Overruled, OvertakenWindow, People, Precedents, Sessions};
use super::place::{Focus, Measured, Tab, WIDE, WhereWasI};
use super::theme::Theme;
use crate::domain::cues::Cue;
use crate::domain::ids::CaseId;
use crate::domain::logline::Level;
use crate::session::{Effect, Look, Session, Window};

/// The whole state of the screen.
pub struct Shell {
    pub session: Session,
    pub size: (u16, u16),
    pub theme: Theme,
    pub keymap: Keymap,
    pub focus: Focus,
    pub tab: Tab,
    /// First line shown of each tab.
    pub scroll: [usize; Tab::ALL.len()],
    pub guide_scroll: usize,
    /// Whether log lines beside those of the trace are shown too.
    pub all_logs: bool,
    pub overlay: Option<Overlay>,
    pub mouse: bool,
    /// Tab and scroll to come back to when this case has opened.
    returning: Option<WhereWasI>,
    /// How large everything is, as it was measured after the last change.
    pub measured: Measured,
    /// What only the terminal can do.
    pub wishes: Vec<Wish>,
}

/// What only the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Draw every cell again.
    Repaint,
    /// Back to the shell that started this.
    Suspend,
}

impl Shell {
    pub fn new(session: Session, size: (u16, u16), theme: Theme, keymap: Keymap, mouse: bool, place: WhereWasI) -> Self {
        Self {
            session,
            size,
            theme,
            keymap,
            focus: place.focus,
            tab: Tab::default(),
            scroll: [0; Tab::ALL.len()],
            guide_scroll: 0,
            all_logs: false,
            overlay: None,
            mouse,
            returning: Some(place),
            measured: Measured::default(),
            wishes: Vec::new(),
        }
    }

    /// Whether three panes stand side by side.
    pub fn is_wide(&self) -> bool {
        self.size.0 >= WIDE
    }

    /// Does what is the screen's own of what a session wants: windows, and where to look. The rest is left.
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
        self.overlay = match window {
            Window::Closed => None,
            Window::Rationale(text) => Some(Overlay::Rationale(Edit::new(&text))),
            Window::Mark(to_mark) => Mark::new(to_mark.question, &to_mark.ask, &to_mark.text, to_mark.spans).map(Overlay::Mark),
            Window::Precedents(rows) => Some(Overlay::Precedents(Precedents { rows, cursor: 0 })),
            Window::Feedback { title, words, is_end } => {
                let goes_on = if is_end { "any key leaves" } else { "any key goes on" };
                Some(Overlay::Feedback { title: format!("{title} ({goes_on})"), words, scroll: 0 })
            }
            Window::Words { title, words } => match self.overlay.take() {
                None | Some(Overlay::Sessions(_) | Overlay::Feedback { .. }) => {
                    Some(Overlay::Feedback { title: format!("{title} (any key closes)"), words, scroll: 0 })
                }
                // Whoever writes something meanwhile is not disturbed.
                other => other,
            },
            Window::Board => Some(Overlay::Board(Board { pages: self.session.board.clone(), ..Board::default() })),
            Window::Dispute { dispute, text, walked } => {
                let window = Arbitrate::new(*dispute, &text);
                Some(Overlay::Arbitrate(Box::new(match walked {
                    Some(verdict) => window.walked(verdict),
                    None => window,
                })))
            }
            Window::Overruled(rows) => Some(Overlay::Overruled(Overruled { rows, cursor: 0, me: self.session.me.clone() })),
            Window::Overtaken(overtaken) => Some(Overlay::Overtaken(OvertakenWindow(overtaken))),
            Window::Calibrations(rows) => {
                let cursor = match &self.overlay {
                    Some(Overlay::Sessions(sessions)) => sessions.cursor.min(rows.len().saturating_sub(1)),
                    _ => 0,
                };
                let (me, now) = (self.session.me.clone(), self.session.now);
                Some(Overlay::Sessions(Sessions { rows, cursor, me, now }))
            }
            Window::People(rows) => {
                let cursor = match &self.overlay {
                    Some(Overlay::People(people)) => people.cursor.min(rows.len().saturating_sub(1)),
                    _ => 0,
                };
                Some(Overlay::People(People { rows, cursor }))
            }
        };
    }

    fn look(&mut self, look: Look) -> Vec<Effect> {
        match look {
            Look::Queue => self.focus = Focus::Queue,
            Look::Case => self.focus = Focus::Context,
            Look::Input => return self.show_tab_from_top(Tab::Input),
            Look::Question => self.guide_scroll = 0,
            Look::Opened { before } => return self.case_opened(before),
        }
        Vec::new()
    }

    /// Another case is open, or the same one anew: its tab stays, and how far it was scrolled where it is the same.
    fn case_opened(&mut self, before: Option<CaseId>) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else { return Vec::new() };
        let id = opened.case.row.id;
        self.all_logs = opened.case.own_logs() == 0;
        self.guide_scroll = 0;
        let returning = self.returning.take();
        if before != Some(id) {
            self.scroll = [0; Tab::ALL.len()];
            match returning.filter(|place| place.case == Some(id)) {
                Some(place) => {
                    self.tab = Tab::parse(&place.tab).unwrap_or_default();
                    *self.scroll_of_tab() = place.scroll;
                }
                None if before.is_none() => self.tab = Tab::default(),
                None => {}
            }
        }
        self.keep_place()
    }

    /// What of the case is before the person now.
    pub fn cues_on_screen(&self) -> Vec<Cue> {
        let mut cues = match self.tab {
            Tab::Input => Vec::new(),
            Tab::Logs => vec![Cue::Logs],
            Tab::Neighbours => vec![Cue::Neighbours],
            Tab::Model => vec![Cue::Challenger, Cue::Features],
            Tab::History => vec![Cue::History],
        };
        if self.is_wide() || matches!(self.overlay, Some(Overlay::Precedents(_))) {
            cues.push(Cue::Precedents);
        }
        cues
    }

    // What actions use.

    pub fn say(&mut self, words: &str) -> Vec<Effect> {
        self.session.say(words)
    }

    pub fn context_height(&self) -> i64 {
        self.measured.layout.context.map_or(10, |area| i64::from(area.height) - 2).max(1)
    }

    /// Columns that the context has for its lines.
    pub fn context_columns(&self) -> usize {
        self.measured.layout.context.map_or(40, |place| usize::from(place.width).saturating_sub(2))
    }

    /// The first line shown of the tab that is shown.
    pub fn scroll_of_tab(&mut self) -> &mut usize {
        &mut self.scroll[self.tab.at()]
    }

    pub fn next_pane(&mut self, by: isize) -> Vec<Effect> {
        const ORDER: [Focus; 3] = [Focus::Queue, Focus::Context, Focus::Guide];
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(1) as isize;
        self.focus = ORDER[(at + by).rem_euclid(3) as usize];
        self.keep_place()
    }

    pub fn show_tab(&mut self, tab: Tab) -> Vec<Effect> {
        if self.session.opened.is_some() {
            self.tab = tab;
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
        self.show_tab(self.tab.step(by))
    }

    pub fn scroll(&mut self, by: i64) -> Vec<Effect> {
        let most = self.measured.context_overflow() as i64;
        let scroll = self.scroll_of_tab();
        *scroll = (*scroll as i64).saturating_add(by).clamp(0, most) as usize;
        self.keep_place()
    }

    pub fn scroll_guide(&mut self, by: i64) -> Vec<Effect> {
        let most = self.measured.guide_overflow() as i64;
        self.guide_scroll = (self.guide_scroll as i64 + by).clamp(0, most) as usize;
        Vec::new()
    }

    pub fn next_error(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else { return Vec::new() };
        let (all, from) = (self.all_logs, self.scroll[self.tab.at()]);
        let bad = |log: &crate::review::open::ReadLog| log.line.level == Some(Level::Error);
        let shown: Vec<bool> = opened.case.logs.iter().filter(|log| all || log.own).map(bad).collect();
        let after = shown.iter().enumerate().skip(from + 1).find(|(_, bad)| **bad);
        match after.or_else(|| shown.iter().enumerate().find(|(_, bad)| **bad)) {
            Some((at, _)) => {
                *self.scroll_of_tab() = at;
                Vec::new()
            }
            None => self.say("No line here is an error."),
        }
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
            tab: case.map_or("", |_| self.tab.word()).to_owned(),
            focus: self.focus,
            scroll: case.map_or(0, |_| self.scroll[self.tab.at()]),
        };
        vec![Effect::KeepPlace(serde_json::to_string(&place).unwrap_or_default())]
    }
}
