//! A plug-in that runs: lines to it, lines from it, what it prints on the side, its end.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError, channel,
    sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::place::MARK;
use crate::clock;
use crate::domain::plugin::LINE_BYTES_MAX;
use crate::domain::text::visible_lines;
use crate::sandbox::family::{end_below, end_marked, family_of};
use crate::sandbox::helper::{CANNOT, Told};

/// Rows that may be unanswered.
pub const WINDOW: usize = 256;
/// Lines from it that wait to be looked at; then it waits.
const LINES: usize = 128;
/// Of what it prints on standard error, so much of the end is kept.
const SAID_BYTES: usize = 64 << 10;
const COME_BACK: Duration = Duration::from_micros(500);
const LAST: Duration = Duration::from_secs(2);

/// What came from it.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Line(String),
    /// What is no line of text.
    Broken(String),
    /// It closed its output.
    End,
    /// Nothing yet.
    Nothing,
}

pub struct Process {
    child: Child,
    to: Option<SyncSender<String>>,
    from: Receiver<Heard>,
    said: Arc<Mutex<Vec<u8>>>,
    /// Reads what it prints on the side, to the end of that.
    printing: Option<JoinHandle<()>>,
    /// What its environment, and that of all that it begins, has.
    mark: String,
    /// Dropped last: the thread that began it ends then.
    _lives: Sender<()>,
}

/// Begins the program on a thread that lives as long as what is returned: whoever is to die with its
/// parent dies with the thread that began it, and those that ask come and go.
fn begin(told: &Told) -> io::Result<(Child, Sender<()>)> {
    let told = told.clone();
    let ((lives, until), (done, begun)) = (channel::<()>(), channel());
    std::thread::Builder::new().name("plug-in".to_owned()).spawn(move || {
        if done.send(told.begin(Stdio::piped)).is_ok() {
            let _ = until.recv();
        }
    })?;
    let child = begun.recv().map_err(io::Error::other)??;
    Ok((child, lives))
}

impl Process {
    /// # Errors
    /// It can't be begun.
    pub fn start(told: &Told) -> io::Result<Self> {
        let (mut child, lives) = begin(told)?;
        let (to, lines) = sync_channel::<String>(WINDOW + 2);
        if let Some(mut stdin) = child.stdin.take() {
            // It ends when nobody sends any more, or nobody reads.
            std::thread::spawn(move || {
                while let Ok(text) = lines.recv() {
                    if stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).is_err() {
                        break;
                    }
                }
            });
        }
        let (heard, from) = sync_channel(LINES);
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || read_lines(BufReader::new(stdout), &heard));
        }
        let said = Arc::new(Mutex::new(Vec::new()));
        let printing = child.stderr.take().map(|mut stderr| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.extend_from_slice(&buffer[..read]);
                    let over = said.len().saturating_sub(SAID_BYTES);
                    said.drain(..over);
                }
            })
        });
        let mark = format!("{MARK}={}", told.directory.display());
        Ok(Self { child, to: Some(to), from, said, printing, mark, _lives: lives })
    }

    /// Whether the lines are on their way; not where it has gone, or does not read.
    pub fn send(&self, line: String) -> bool {
        match self.to.as_ref().map(|to| to.try_send(line)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    pub fn hear(&mut self, within: Duration) -> Heard {
        match self.from.recv_timeout(within) {
            Ok(heard) => heard,
            // What it began may still hold its output: it has ended when it has.
            Err(RecvTimeoutError::Timeout) if matches!(self.child.try_wait(), Ok(Some(_))) => {
                self.from.recv_timeout(COME_BACK).unwrap_or(Heard::End)
            }
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }

    /// The same where many answers are on their way: to be woken for each costs more than to come
    /// back.
    pub fn hear_one_of_many(&mut self, within: Duration) -> Heard {
        match self.from.try_recv() {
            Ok(heard) => heard,
            Err(TryRecvError::Disconnected) => Heard::End,
            Err(TryRecvError::Empty) => {
                std::thread::sleep(COME_BACK);
                match self.from.try_recv() {
                    Ok(heard) => heard,
                    Err(_) => self.hear(within),
                }
            }
        }
    }

    /// Bytes of memory that it and all that it began use.
    pub fn memory_bytes(&self) -> u64 {
        family_of(self.child.id()).iter().map(|one| one.memory_bytes).sum()
    }

    /// The end of what it printed on the side.
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        visible_lines(String::from_utf8_lossy(&said).trim_end()).join("\n")
    }

    /// Lets it end by itself; says how it ended where that is not well, and what it printed on the
    /// side to its end.
    pub fn end(mut self) -> (Result<(), String>, String) {
        self.send("{\"end\":true}\n".to_owned());
        self.to = None;
        let since = clock::instant();
        let went = loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => break Ok(()),
                Ok(Some(status)) => break Err(ended(status.code())),
                Ok(None) if since.elapsed() > LAST => {
                    break Err("it does not end when it is told to".to_owned());
                }
                // Whoever has its output full does not come to its end.
                Ok(None) => drop(self.hear(Duration::from_millis(10))),
                Err(error) => break Err(error.to_string()),
            }
        };
        if went.is_ok() {
            self.wait_for_printing();
        }
        let said = self.said();
        (went, said)
    }

    /// What it printed last may be on its way; who it let go of may hold that open.
    fn wait_for_printing(&self) {
        let since = clock::instant();
        let printed = || self.printing.as_ref().is_none_or(JoinHandle::is_finished);
        while !printed() && since.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How it ended by itself, if it did just now.
    pub fn how_ended(&mut self) -> String {
        let since = clock::instant();
        while since.elapsed() < Duration::from_millis(500) {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.wait_for_printing();
                return ended(status.code());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        "it closed its output".to_owned()
    }
}

fn ended(code: Option<i32>) -> String {
    match code {
        Some(CANNOT) => "it could not begin".to_owned(),
        Some(code) => format!("it ended with {code}"),
        None => "it was ended by a signal".to_owned(),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.to = None;
        end_below(self.child.id());
        end_marked(&self.mark);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(mut from: impl BufRead, to: &SyncSender<Heard>) {
    loop {
        let mut line = Vec::new();
        let heard = match from.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => Heard::End,
            Ok(_) if line.len() > LINE_BYTES_MAX => {
                Heard::Broken(format!("a line of more than {} MiB", LINE_BYTES_MAX >> 20))
            }
            Ok(_) => match String::from_utf8(line) {
                Ok(line) => Heard::Line(line),
                Err(_) => Heard::Broken("a line that is no UTF-8".to_owned()),
            },
        };
        let goes_on = matches!(heard, Heard::Line(_));
        if to.send(heard).is_err() || !goes_on {
            return;
        }
    }
}
