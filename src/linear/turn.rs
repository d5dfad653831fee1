//! A turn: a line that was read, what it comes to, and what is told when all of that has happened.

use super::command;
use super::desk::{Desk, Tell, sentence};
use crate::domain::protocol::{Protocol, QuestionKind};
use crate::domain::time::Moment;
use crate::session::io::driver::start_of;
use crate::session::mode::Training;
use crate::session::state::Message;
use crate::session::{Effect, Front, Input, Look, Report, Session};
use crate::workspace::{WorkError, Workspace};

impl Desk {
    /// The first state on a workspace, and what to do to fill it.
    pub fn open(
        workspace: &Workspace,
        now: Moment,
        training: Option<Training>,
        hello: &str,
    ) -> Result<(Self, Vec<Effect>), WorkError> {
        let (session, effects) = Session::start(start_of(workspace, now, None, training)?);
        let mut desk = Self::new(session, workspace.linear()?);
        desk.line(hello);
        let effects = desk.settle(effects);
        Ok((desk, effects))
    }

    /// Does what is a front's own of what a session wants. The rest is left.
    fn settle(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut left = Vec::with_capacity(effects.len());
        let mut todo: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = todo.pop_front() {
            match effect {
                Effect::Show(window) => todo.extend(self.show(window)),
                Effect::Look(Look::Opened { before }) => {
                    self.tell.case |= before != self.session.open_id();
                    self.rest.clear();
                }
                Effect::Look(Look::Question) => self.tell.question = true,
                Effect::Look(_) | Effect::KeepPlace(_) | Effect::Editor(_) => {}
                effect => left.push(effect),
            }
        }
        self.session.allowed(left)
    }

    /// Takes back what was begun of a line; what was kept stays.
    pub fn cancel(&mut self) {
        let words = match self.reasons.take() {
            Some(_) => "what was written of the reasons is kept. Ctrl-C again leaves.",
            None => "that line was not taken. Ctrl-C again leaves.",
        };
        self.say("Cancelled", words);
        self.tell.question = true;
    }

    /// Tells what came of it all, once everything has happened.
    pub fn finish_turn(&mut self) -> Vec<Effect> {
        if let Some(message) = self.session.message.take() {
            self.tell_message("Note", &message);
        }
        let Tell { case, question, list, board } = std::mem::take(&mut self.tell);
        if std::mem::take(&mut self.pauses) && case && self.session.opened.is_some() {
            self.session.opened = None;
            self.hint("Enter opens the next case.");
            return Vec::new();
        }
        if let Some(what) = list {
            self.tell_list(what);
        }
        if board {
            self.tell_board();
        }
        if case {
            self.tell_case();
            self.ask();
        } else if question {
            self.ask();
        }
        // In a training the last answer submits: nothing else is asked there.
        let ended =
            self.session.opened.as_ref().is_some_and(|opened| opened.ended() && !opened.sending);
        if self.session.training.is_some()
            && ended
            && (case || question)
            && self.session.missing().is_none()
        {
            let effects = self.session.submit();
            return self.settle(effects);
        }
        Vec::new()
    }

    fn tell_message(&mut self, what: &str, message: &Message) {
        let hint = command::fill(message.hint);
        let words = format!("{} {hint}", sentence(&message.words));
        self.say(what, words.trim());
    }

    /// What a line comes to.
    fn take_line(&mut self, line: &str) -> Vec<Effect> {
        if let Some(reasons) = self.reasons.take() {
            return self.more_reasons(reasons, line);
        }
        let forced = line.trim_start().starts_with(':');
        if command::QUIT.contains(&line.trim().trim_start_matches(':'))
            && (forced || !self.takes(line))
        {
            return self.session.quit();
        }
        if line.trim().is_empty() {
            // An empty line never chooses an answer.
            return self.submit();
        }
        let named = command::named(line);
        if !forced
            && (named.is_none() || self.takes(line))
            && let Some(effects) = self.answer(line)
        {
            return effects;
        }
        match named {
            Some((command, rest)) => (command.run)(self, rest),
            None => {
                command::refuse(self, line);
                Vec::new()
            }
        }
    }

    /// Whether a line is an answer before it is a command: an answer's key or its whole text, a
    /// label's name, any words where words are asked for.
    fn takes(&self, line: &str) -> bool {
        let Some(opened) = &self.session.opened else { return false };
        let line = line.trim();
        opened.question().is_some_and(|question| match &question.kind {
            QuestionKind::Text { .. } => true,
            // Places are words by number; alone, it asks which number is which.
            QuestionKind::Span { .. } => line.starts_with("words ") || line.contains(" words "),
            QuestionKind::Label { .. } => {
                let named =
                    |protocol: &Protocol| protocol.labels.iter().any(|label| label.name == line);
                opened.protocol().is_some_and(named)
                    || self.choices.iter().any(|choice| choice == line)
            }
            kind => kind
                .answers()
                .iter()
                .any(|answer| answer.key == line || answer.text.eq_ignore_ascii_case(line)),
        })
    }
}

impl Front for Desk {
    type Event = String;

    fn update(&mut self, line: String, now: Moment) -> Vec<Effect> {
        self.session.now = now;
        self.session.message = None;
        let effects = self.take_line(&line);
        self.settle(effects)
    }

    fn heard(&mut self, report: Report, now: Moment) -> Vec<Effect> {
        let mut what = "Note";
        match &report {
            Report::Saved { seq, .. } => {
                let words = self.submitting.take().unwrap_or_default();
                self.say("Submitted", &format!("{words}. Entry {seq}."));
                self.pauses = !self.options.next;
            }
            Report::NotSaved { .. } | Report::Failed(_) => what = "Error",
            Report::Noted { .. } => what = "Noted",
            Report::Ruled { .. } => what = "Ruled",
            Report::Undone { case, .. } => {
                self.say(
                    "Taken back",
                    &format!("your label of {}; its answers are a draft again.", case.short()),
                );
                self.session.opened = None; // it is told again
            }
            Report::Board(_) => self.tell.board = true,
            _ => {}
        }
        let undone = matches!(report, Report::Undone { .. });
        let effects = self.session.take(Input::Report(report), now);
        if let Some(message) = self.session.message.take().filter(|_| !undone) {
            self.tell_message(what, &message);
        }
        self.settle(effects)
    }

    fn is_typed(_: &String) -> bool {
        true
    }

    fn looks_at_board(&self) -> bool {
        false
    }
}
