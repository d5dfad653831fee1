//! Linear mode: the review without a screen. Lines are read and lines are written, one after another; nothing moves a cursor,
//! nothing is drawn, colour says nothing. For screen readers, slow lines, and scripts: `casework --linear < answers.txt`.
//!
//! A line that is an answer in full is one, then a command's name is a command (the table in `linear/command.rs`), then what an
//! answer begins with is that answer; a colon before a line makes it a command in any case. Everything that a case needs is decided where the screen asks too: [`crate::review::Draft`],
//! [`crate::domain::protocol`], [`crate::workspace`].

mod answering;
mod command;
mod desk;
mod flow;
mod reading;

use std::io::{self, BufRead, Write};

use crate::domain::protocol::{Protocol, QuestionKind};
use crate::workspace::Workspace;
pub use desk::LinearError;
use desk::{Desk, sentence};

/// The names of all commands.
pub fn commands() -> impl Iterator<Item = &'static str> {
    command::COMMANDS.iter().map(|command| command.name)
}

/// How a review ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its person left, or nothing was begun.
    Left,
    /// The input ended in the middle of a label: what was answered is kept as a draft.
    InTheMiddle,
}

/// Reviews line by line. `why` says why there is no screen; `typed` is whether somebody's terminal shows what they type.
///
/// # Errors
/// Those of reading and writing, and of a workspace that can't be read at all; what a person can mend is told them.
pub fn run(
    workspace: Workspace,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    why: &str,
    typed: bool,
) -> Result<Ended, LinearError> {
    let mut desk = Desk::new(workspace, out)?;
    desk.line(&format!("casework, linear mode ({why}). ? lists commands."))?;
    let begun = desk.open_first();
    told(&mut desk, begun)?;
    loop {
        let asks = desk.open.as_ref().is_some_and(|open| open.question().is_some());
        let Some(line) = read(&mut desk, input, if asks { "Answer" } else { "Command" }, typed)? else {
            return Ok(if desk.leave()? { Ended::InTheMiddle } else { Ended::Left });
        };
        let forced = line.trim_start().starts_with(':');
        if command::QUIT.contains(&line.trim().trim_start_matches(':')) && (forced || !takes(&desk, &line)) {
            desk.leave()?;
            return Ok(Ended::Left);
        }
        let done = one(&mut desk, input, &line, typed);
        told(&mut desk, done)?;
    }
}

/// Whether a line is an answer before it is a command: an answer's key or its whole text, a label's name, any words where words
/// are asked for.
fn takes(desk: &Desk<'_>, line: &str) -> bool {
    let Some(open) = &desk.open else { return false };
    let line = line.trim();
    open.question().is_some_and(|question| match &question.kind {
        QuestionKind::Text { .. } => true,
        // Places are words by number; alone, it asks which number is which.
        QuestionKind::Span { .. } => line.starts_with("words "),
        QuestionKind::Label { .. } => {
            let named = |protocol: &Protocol| protocol.labels.iter().any(|label| label.name == line);
            open.protocol().is_some_and(named) || desk.choices.iter().any(|choice| choice == line)
        }
        kind => kind.answers().iter().any(|answer| answer.key == line || answer.text.eq_ignore_ascii_case(line)),
    })
}

/// Does what a line says.
fn one(desk: &mut Desk<'_>, input: &mut dyn BufRead, line: &str, typed: bool) -> Result<(), LinearError> {
    let question = desk.open.as_ref().and_then(|open| open.question());
    let asks = question.is_some();
    if line.trim().is_empty() {
        // An empty line never chooses an answer.
        return if asks { desk.ask() } else { desk.submit() };
    }
    let forced = line.trim_start().starts_with(':');
    let named = command::named(line);
    if !forced && (named.is_none() || takes(desk, line)) && desk.answer(line)? {
        return Ok(());
    }
    match named {
        Some((command, "")) if command.name == "why" => {
            desk.line("Write your reasons. A line with a single full stop ends them.")?;
            let mut words = String::new();
            while let Some(next) = read(desk, input, "Reasons", typed)? {
                if next.trim() == "." {
                    break;
                }
                words.push_str(next.trim_end());
                words.push('\n');
                desk.change_draft(|draft| draft.rationale = words.trim_end().to_owned())?;
            }
            desk.why(&words)
        }
        Some((command, rest)) => (command.run)(desk, rest),
        None => command::refuse(desk, line),
    }
}

/// Tells a person what went wrong, if they can go on.
fn told(desk: &mut Desk<'_>, done: Result<(), LinearError>) -> Result<(), LinearError> {
    match done {
        Err(LinearError::Work(error)) => Ok(desk.say("Error", &sentence(&error.with_next_step()))?),
        done => done,
    }
}

/// Longer lines than this a terminal cuts without a word.
const LINE_MAX: usize = 4000;

/// Reads a line; none at the end of the input.
fn read(desk: &mut Desk<'_>, input: &mut dyn BufRead, prompt: &str, typed: bool) -> Result<Option<String>, LinearError> {
    loop {
        // A line that nobody types stands behind its prompt once it was read.
        if typed {
            desk.prompt(prompt)?;
        }
        let mut bytes = Vec::new();
        let n = loop {
            match input.read_until(b'\n', &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                n => break n?,
            }
        };
        if n == 0 {
            if typed {
                desk.line("")?; // ends the line of the prompt
            }
            return Ok(None);
        }
        let line = String::from_utf8(bytes);
        if !typed {
            desk.say(prompt, line.as_deref().unwrap_or_default().trim_end())?;
            desk.flush()?;
        }
        match line {
            Ok(line) => {
                if typed && line.len() > LINE_MAX {
                    desk.say("Warning", "the terminal may have cut that line: why alone takes many lines.")?;
                }
                return Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned()));
            }
            Err(_) => desk.say("Error", "that line is no UTF-8, and was not read.")?,
        }
    }
}
