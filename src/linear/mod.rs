//! Linear mode: the review without a screen. Lines are read and lines are written, one after
//! another; nothing moves a cursor, nothing is drawn, colour says nothing. For screen readers, slow
//! lines, and scripts: `casework --linear < answers.txt`.
//!
//! It is a front of [`crate::session`], as the screen is: a line that is an answer in full is one,
//! then a command's name is a command (the table in `linear/command.rs`), then what an answer
//! begins with is that answer; a colon before a line makes it a command in any case. What the
//! session shows is told in words.

mod answering;
mod command;
mod desk;
mod reading;
mod turn;
mod typed;
mod windows;

use std::io::{self, BufRead, Read as _, Write};

use crate::clock;
use crate::config::linear::Keys;
use crate::domain::text::wrap;
use crate::session::mode::Training;
use crate::session::{Driver, Effect};
use crate::workspace::{TrainingSet, Workspace};
use desk::Desk;
pub use desk::LinearError;
use typed::{Key, Typed};

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
    /// A training came to its end: so many were right, of so many.
    Trained { right: usize, of: usize },
}

/// Where lines come from and go to.
pub struct Lines<'l> {
    pub input: &'l mut dyn BufRead,
    pub out: &'l mut dyn Write,
    /// Whether somebody's terminal shows what they type.
    pub typed: bool,
    /// For a program: a JSON document a line, `{"kind": …, "text": …}`, and nothing else.
    pub json: bool,
    /// When a key was taken alone: Enter right after it, by habit, says nothing.
    pub after_key: Option<std::time::Instant>,
}

/// Lines from standard input: those that a person types at a terminal, or those of a script.
///
/// # Errors
/// Those of `work`, and of listening for Ctrl-C.
pub fn standard<T>(
    out: &mut dyn Write,
    (typed, json): (bool, bool),
    work: impl FnOnce(Lines<'_>) -> Result<T, LinearError>,
) -> Result<T, LinearError> {
    work(Lines { input: &mut Typed::listen(typed)?, out, typed, json, after_key: None })
}

/// Reviews line by line. `why` says why there is no screen.
///
/// # Errors
/// Those of reading and writing, and of a workspace that can't be read at all; what a person can
/// mend is told them.
pub fn run(workspace: Workspace, why: &str, lines: Lines<'_>) -> Result<Ended, LinearError> {
    let hello = format!("casework, linear mode ({why}). ? lists commands.");
    work(workspace, None, &hello, lines)
}

/// Goes through a training line by line.
///
/// # Errors
/// As those of [`run`].
pub fn train(
    workspace: Workspace,
    lessons: TrainingSet,
    lines: Lines<'_>,
) -> Result<Ended, LinearError> {
    let hello = format!(
        "casework, training {}. ? lists commands; quit leaves, and nothing is recorded then.",
        lessons.protocol
    );
    work(workspace, Some(Training::new(lessons)), &hello, lines)
}

fn work(
    workspace: Workspace,
    training: Option<Training>,
    hello: &str,
    mut lines: Lines<'_>,
) -> Result<Ended, LinearError> {
    let mut desk = Driver::waiting(workspace, clock::now, |workspace| {
        Desk::open(workspace, clock::now(), training, hello)
    })?;
    if desk.front.session.opened.is_none() {
        desk.front.tell.case = true;
    }
    let mut ended = finish_turn(&mut desk);
    let mut cancelled = false;
    loop {
        tell(&mut desk.front, &mut lines)?;
        if let Some(training) = desk.front.session.training.as_ref().filter(|_| ended) {
            let done = training.next().is_none();
            let (right, of) = (training.right(), training.attempts.len());
            desk.reader.finish();
            return Ok(if done { Ended::Trained { right, of } } else { Ended::Left });
        }
        if ended {
            break;
        }
        let asks =
            desk.front.session.opened.as_ref().is_some_and(|opened| opened.question().is_some());
        let prompt = match (&desk.front.reasons, asks) {
            (Some(_), _) => "Reasons",
            (None, true) => "Answer",
            (None, false) => "Command",
        };
        let line = match read(&mut desk.front, &mut lines, prompt)? {
            Read::Line(line) => line,
            Read::End => {
                let begun = desk.front.has_begun();
                leave(&mut desk, &mut lines)?;
                return Ok(if begun { Ended::InTheMiddle } else { Ended::Left });
            }
            Read::Cancelled if cancelled => break,
            Read::Ended => break,
            Read::Cancelled => {
                cancelled = true;
                desk.front.cancel();
                ended = finish_turn(&mut desk);
                continue;
            }
        };
        cancelled = false;
        let effects = desk.feed(line);
        ended =
            effects.iter().any(|effect| matches!(effect, Effect::Quit)) | finish_turn(&mut desk);
    }
    leave(&mut desk, &mut lines)?;
    Ok(Ended::Left)
}

/// Tells what came of a line, and does what follows from having told it; whether it ends there.
fn finish_turn(desk: &mut Driver<Desk>) -> bool {
    let mut ended = false;
    loop {
        let effects = desk.front.finish_turn();
        if effects.is_empty() {
            return ended;
        }
        ended |= desk.follow(effects).iter().any(|effect| matches!(effect, Effect::Quit));
    }
}

/// Keeps what was begun, and says so.
fn leave(desk: &mut Driver<Desk>, lines: &mut Lines<'_>) -> Result<(), LinearError> {
    let begun = desk.front.has_begun() && desk.front.session.training.is_none();
    let effects = desk.front.session.settle_time();
    let effects = desk.front.session.allowed(effects);
    desk.follow(effects);
    match desk.reader.finish() {
        Some(error) => {
            desk.front.say("Error", &format!("what you began could not be kept: {error}."))
        }
        None if begun => desk.front.line("Draft kept."),
        None => {}
    }
    tell(&mut desk.front, lines)
}

/// Writes what is to be told.
fn tell(desk: &mut Desk, lines: &mut Lines<'_>) -> Result<(), LinearError> {
    for line in desk.take_lines() {
        match usize::from(desk.options.width) {
            _ if lines.json => tell_program(lines.out, line.what.as_deref(), &line.words)?,
            0 => writeln!(lines.out, "{line}")?,
            width => {
                for row in wrap(&line.to_string(), width) {
                    writeln!(lines.out, "{row}")?;
                }
            }
        }
    }
    Ok(lines.out.flush()?)
}

/// Writes a line for a program. One that goes on with what came before is of no kind of its own.
fn tell_program(out: &mut dyn Write, what: Option<&str>, words: &str) -> Result<(), LinearError> {
    let kind = what.map(|what| what.to_lowercase().replace(' ', "_"));
    Ok(writeln!(out, "{}", serde_json::json!({ "kind": kind, "text": words }))?)
}

/// Longer lines than this a terminal cuts without a word.
const LINE_MAX: usize = 4000;

/// What came of waiting for a line.
enum Read {
    Line(String),
    End,
    /// Its person pressed Ctrl-C in the middle of it.
    Cancelled,
    /// The program is to end.
    Ended,
}

/// Most bytes of a line that are held.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The bytes of the next line; of one that is too long its end alone, and that it is. Returns how many
/// were read last: none at the end of what is read.
fn read_line(
    input: &mut dyn BufRead,
    bytes: &mut Vec<u8>,
    is_too_long: &mut bool,
) -> io::Result<usize> {
    loop {
        let n = (&mut *input).take(LINE_BYTES_MAX).read_until(b'\n', bytes)?;
        if (n as u64) < LINE_BYTES_MAX || bytes.ends_with(b"\n") {
            return Ok(n.max(usize::from(*is_too_long)));
        }
        *is_too_long = true;
        bytes.clear();
    }
}

/// Reads a line.
fn read(desk: &mut Desk, lines: &mut Lines<'_>, prompt: &str) -> Result<Read, LinearError> {
    loop {
        // A line that nobody types stands behind its prompt once it was read.
        if lines.json {
            tell_program(lines.out, Some("prompt"), prompt)?;
            lines.out.flush()?;
        } else if lines.typed {
            write!(lines.out, "{prompt}: ")?;
            lines.out.flush()?;
        }
        let mut bytes = Vec::new();
        let mut is_too_long = false;
        let singly = lines.typed && !lines.json && desk.options.keys == Keys::Single;
        let key = match singly.then(|| typed::key(&mut *lines.input, lines.after_key)) {
            None => Ok(None),
            Some(key) => key.map(Some),
        };
        lines.after_key = None;
        let n = match key {
            Err(error) => Err(error),
            Ok(Some(Key::End)) => Ok(0),
            Ok(Some(Key::Enter)) => {
                writeln!(lines.out)?;
                bytes.push(b'\n');
                Ok(1)
            }
            Ok(Some(Key::Char(key))) if desk.is_single(key) => {
                writeln!(lines.out, "{key}")?;
                lines.after_key = Some(clock::instant());
                bytes.extend_from_slice(key.to_string().as_bytes());
                Ok(1)
            }
            Ok(begun) => {
                // The terminal echoes what follows, and takes it back too.
                if let Some(Key::Char(key)) = begun {
                    write!(lines.out, "{key}")?;
                    lines.out.flush()?;
                    bytes.extend_from_slice(key.to_string().as_bytes());
                }
                read_line(&mut *lines.input, &mut bytes, &mut is_too_long)
                    .map(|n| n.max(bytes.len()))
            }
        };
        let n = match n {
            Err(error) if typed::is_cancelled(&error) => {
                desk.line(""); // ends the line of the prompt
                return Ok(Read::Cancelled);
            }
            Err(error) if typed::is_ended(&error) => {
                if lines.typed && !lines.json {
                    desk.line(""); // ends the line of the prompt
                }
                return Ok(Read::Ended);
            }
            n => n?,
        };
        crate::serve::live::sent_a_line();
        if n == 0 {
            if lines.typed && !lines.json {
                desk.line(""); // ends the line of the prompt
            }
            return Ok(Read::End);
        }
        if is_too_long {
            let words = "that line is longer than 1 MB: nothing of it is taken.";
            desk.say("Refused", words);
            tell(desk, lines)?;
            continue;
        }
        let line = String::from_utf8(bytes);
        if !lines.typed && !lines.json {
            desk.say(prompt, line.as_deref().unwrap_or_default().trim_end());
            tell(desk, lines)?;
        }
        match line {
            Ok(line) => {
                if lines.typed && line.len() > LINE_MAX {
                    desk.say(
                        "Warning",
                        "the terminal may have cut that line: why alone takes many lines.",
                    );
                    tell(desk, lines)?;
                }
                return Ok(Read::Line(line.trim_end_matches(['\n', '\r']).to_owned()));
            }
            Err(_) => {
                desk.say("Error", "that line is no UTF-8, and was not read.");
                tell(desk, lines)?;
            }
        }
    }
}
