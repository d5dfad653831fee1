//! Calibration sessions, and how far everybody is: counts, never what they said.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::prompt::Prompt;
use super::{Cx, Layer, Next, View, list};
use crate::domain::calibration::Stage;
use crate::domain::text::{fit, visible};
use crate::domain::time::{Moment, short_span};
use crate::session::Effect;
use crate::session::command::calibration::{Moderation, NEW_SESSION};
use crate::session::window::CalibrationProgress;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("join", "Enter", Place::Calibrations, "joins", "join: label its cases"),
    KeyRow::new(
        "reveal",
        "r",
        Place::Calibrations,
        "reveals",
        "end the blind round: all who take part see all labels",
    ),
    KeyRow::new("findings", "f", Place::Calibrations, "findings", "what it found"),
    KeyRow::new("open-session", "n", Place::Calibrations, "new", "open another session"),
    KeyRow::new("add-people", "a", Place::Calibrations, "add people", "ask more people into it"),
    KeyRow::new(
        "more-time",
        "t",
        Place::Calibrations,
        "more time",
        "give the blind round more time",
    ),
    KeyRow::new(
        "end-session",
        "x",
        Place::Calibrations,
        "end",
        "close it, or call it off where it was not revealed",
    ),
    KeyRow::new(
        "reopen-session",
        "u",
        Place::Calibrations,
        "",
        "let one that was closed or called off go on",
    ),
];

/// Asks for what a lead says of a session, and does it.
fn ask(question: &'static str, name: String, make: fn(String) -> Moderation) -> Prompt {
    let about = format!("{}: ", visible(&name));
    let done = move |text: &str, cx: &mut Cx<'_>| {
        cx.session.moderate(name.clone(), make(text.trim().to_owned()))
    };
    Prompt::new(question, "", done).about(about)
}

/// Who still labels while there is time, in words; nothing where the blind round may end.
fn late(calibration: &CalibrationProgress, now: Moment) -> Option<String> {
    let session = &calibration.session;
    let wait = session.deadline().0 - now.0;
    let of = session.opened.what.cases.len();
    let behind = calibration.progress.iter().filter(|one| one.done[0] < of);
    let behind: Vec<&str> = behind.map(|one| one.reviewer.as_str()).collect();
    let waits = session.stage() == Stage::Blind && wait > 0 && !behind.is_empty();
    waits.then(|| format!("{} have {} left", behind.join(", "), short_span(wait)))
}

/// Asks whether a blind round is to end while somebody still labels: the record will say so.
fn ask_early(name: String, late: &str) -> Prompt {
    let about = visible(&format!("{name}: {late}. ")).into_owned();
    let done = move |text: &str, cx: &mut Cx<'_>| match text.trim() {
        "early" => cx.session.moderate(name.clone(), Moderation::Reveal { early: true }),
        _ => cx.session.say("Nothing is revealed."),
    };
    Prompt::new("To reveal it all the same type early: ", "", done).about(about)
}

/// Asks how a session is opened: its name, and how its cases are chosen.
fn ask_opening() -> Prompt {
    let done = |text: &str, cx: &mut Cx<'_>| {
        let (name, how) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        cx.session.moderate(name.to_owned(), Moderation::Open(how.to_owned()))
    };
    Prompt::new(NEW_SESSION, "", done).kept()
}

/// What leads alone do.
const OF_LEADS: [&str; 6] =
    ["reveal", "open-session", "add-people", "more-time", "end-session", "reopen-session"];

/// The list.
pub struct Calibrations {
    pub rows: Vec<CalibrationProgress>,
    pub cursor: usize,
}

impl Layer for Calibrations {
    fn places(&self) -> &'static [Place] {
        &[Place::Calibrations, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let name = self.rows.get(self.cursor).map(|one| one.session.name().to_owned());
        // Said before anything is typed in vain.
        let counts = cx.session.counts;
        if OF_LEADS.contains(&action) && !counts.leads && !counts.counting {
            let effects = cx.session.say("Leads open, reveal, prolong and end sessions.");
            cx.then(effects);
            return Next::Stays;
        }
        match (action, name) {
            ("join", Some(name)) => {
                let effects = cx.session.enter_calibration(name);
                cx.then(effects);
            }
            ("reveal", Some(name)) => {
                let late = self.rows.get(self.cursor).and_then(|one| late(one, cx.session.now));
                if let Some(late) = late {
                    return Next::Opens(Box::new(ask_early(name, &late)));
                }
                let effects = cx.session.moderate(name, Moderation::Reveal { early: false });
                cx.then(effects);
            }
            ("open-session", _) => return Next::Opens(Box::new(ask_opening())),
            ("add-people", Some(name)) => {
                return Next::Opens(Box::new(ask("who takes part too? ", name, Moderation::Add)));
            }
            ("more-time", Some(name)) => {
                let words = "how long from now? 12h, 3d: ";
                return Next::Opens(Box::new(ask(words, name, Moderation::Extend)));
            }
            ("end-session", Some(name)) => {
                let words = "end it: what was found, or why? ";
                return Next::Opens(Box::new(ask(words, name, Moderation::End)));
            }
            ("reopen-session", Some(name)) => {
                let effects = cx.session.moderate(name, Moderation::Reopen);
                cx.then(effects);
            }
            ("findings", Some(name)) => cx.then([Effect::Findings(name)]),
            ("close", _) => {}
            (action, _) => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                self.cursor = list::moved(self.cursor, by, self.rows.len());
                return Next::Stays;
            }
        }
        Next::Closes
    }

    fn yields(&self) -> bool {
        true
    }

    fn cursor(&self) -> usize {
        self.cursor
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let columns = list::columns(screen);
        let entry = |(row, one)| entry(one, row == self.cursor, columns, view);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        let title = view.keymap.fill(
            "Calibration ({join} joins · {reveal} reveals · {findings} findings · {open-session} new · {close})",
        );
        list::draw(screen, buf, view.theme, &title, self.cursor, entries);
    }
}

fn entry(
    calibration: &CalibrationProgress,
    chosen: bool,
    columns: usize,
    view: &View<'_>,
) -> Vec<Line<'static>> {
    let theme = view.theme;
    let what = &calibration.session.opened.what;
    let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
    let style = if chosen { theme.strong } else { theme.text };
    let wait = calibration.session.deadline().0 - view.session.now.0;
    let state = match calibration.session.stage() {
        Stage::Blind if wait > 0 => format!("{}, {} left", Stage::Blind.as_str(), short_span(wait)),
        Stage::Blind => format!("{}, overdue for {}", Stage::Blind.as_str(), short_span(-wait)),
        stage => stage.as_str().to_owned(),
    };
    let name = if what.title.is_empty() {
        what.session.clone()
    } else {
        format!("{}: {}", what.session, what.title)
    };
    let room = columns.saturating_sub(state.len() + 4);
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(fit(&visible(&name), room).into_owned(), style),
        Span::styled(format!("  {state}"), theme.dim),
    ])];
    let sealed = what.sealing.is_some() && !calibration.session.stage().is_revealed();
    let sealed =
        sealed.then(|| "sealed: what is said is encrypted until it is revealed".to_owned());
    if let Some(words) = calibration.session.forced().or(sealed).filter(|_| chosen) {
        let words = fit(&visible(&words), columns.saturating_sub(4)).into_owned();
        lines.push(Line::from(Span::styled(format!("    {words}"), theme.dim)));
    }
    if chosen {
        let of = what.cases.len();
        for one in &calibration.progress {
            let done = calibration.done(&one.reviewer).unwrap_or(0);
            let full = done * 20 / of.max(1);
            let bar = format!("{}{}", "█".repeat(full), "·".repeat(20 - full));
            let who = fit(&visible(&one.reviewer), 16).into_owned();
            let mine = if one.reviewer == view.session.me { theme.strong } else { theme.text };
            lines.push(Line::from(vec![
                Span::styled(format!("    {who:<16} "), mine),
                Span::styled(bar, if done == of { theme.good } else { theme.accent }),
                Span::styled(format!(" {done:>3} of {of}"), theme.dim),
            ]));
        }
    }
    lines
}
