//! What a person types, line by line. At a terminal Ctrl-C takes back the line that is being typed
//! instead of ending the program; whoever ends the program has what was begun kept.

use std::io::{self, BufRead, BufReader, Read, Stdin};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Ctrl-C was pressed: the terminal has forgotten the line that was being typed.
#[derive(Debug, thiserror::Error)]
#[error("the line was cancelled")]
struct Cancelled;

/// The program is to end.
#[derive(Debug, thiserror::Error)]
#[error("the review was ended from outside")]
struct Ended;

/// Whether an error of reading is that the program is to end.
pub fn is_ended(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Ended>())
}

/// Whether an error of reading is that Ctrl-C was pressed.
pub fn is_cancelled(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Cancelled>())
}

/// The lines of standard input.
pub struct Typed {
    input: Stdin,
    /// A byte comes in for each Ctrl-C.
    pressed: UnixStream,
    /// A byte comes in when the program is to end.
    told: UnixStream,
    /// Where those bytes come from: open for as long as they may come.
    _wakes: [UnixStream; 2],
}

/// What gets a byte for each of these signals, with where that comes from.
fn woken_by(signals: &[i32]) -> io::Result<(UnixStream, UnixStream)> {
    let (woken, wake) = UnixStream::pair()?;
    woken.set_nonblocking(true)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, wake.try_clone()?)?;
    }
    Ok((woken, wake))
}

impl Typed {
    /// Reads from standard input from now on, and hears that it is to end; at a terminal Ctrl-C too.
    ///
    /// # Errors
    /// The signals can't be listened for.
    pub fn listen(at_terminal: bool) -> io::Result<BufReader<Self>> {
        let (pressed, wake) = woken_by(if at_terminal { &[SIGINT] } else { &[] })?;
        let (told, end) = woken_by(&[SIGTERM, SIGHUP])?;
        Ok(BufReader::new(Self { input: io::stdin(), pressed, told, _wakes: [wake, end] }))
    }
}

/// A key that is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    /// Ctrl-D.
    End,
}

/// Enter within this time of a key that was taken alone is a habit.
const HABIT: Duration = Duration::from_millis(400);

/// The next key, without Enter and without an echo; `after` is when one was taken alone.
///
/// # Errors
/// Those of reading, and of a standard input that is no terminal.
pub fn key(input: &mut dyn BufRead, after: Option<Instant>) -> io::Result<Key> {
    let _raw = Raw::begin()?;
    loop {
        let mut bytes = vec![next_byte(input)?];
        let more = match bytes[0] {
            0 | 4 => return Ok(Key::End),
            b'\n' | b'\r' if after.is_some_and(|at| at.elapsed() < HABIT) => continue,
            b'\n' | b'\r' => return Ok(Key::Enter),
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => 0,
        };
        for _ in 0..more {
            bytes.push(next_byte(input)?);
        }
        let key = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
        // Nothing else is a key of its own: what arrow keys send says nothing here.
        match key.filter(|key| !key.is_control()) {
            Some(key) => return Ok(Key::Char(key)),
            None if bytes[0] == 0x1b => skip_sequence(input)?,
            None => {}
        }
    }
}

/// The next byte; 0 at the end.
fn next_byte(input: &mut dyn BufRead) -> io::Result<u8> {
    let byte = input.fill_buf()?.first().copied().unwrap_or_default();
    input.consume(usize::from(byte != 0));
    Ok(byte)
}

/// Passes over what a key sends after Escape.
fn skip_sequence(input: &mut dyn BufRead) -> io::Result<()> {
    if !matches!(input.fill_buf()?.first(), Some(b'[' | b'O')) {
        return Ok(());
    }
    next_byte(input)?;
    while !matches!(next_byte(input)?, 0 | 0x40..=0x7e) {}
    Ok(())
}

/// A terminal that gives each key at once, and shows none, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = [
                PollFd::from_borrowed_fd(self.input.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.pressed.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.told.as_fd(), PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => continue,
                waited => waited?,
            };
            let (was_pressed, was_told) =
                (!ready[1].revents().is_empty(), !ready[2].revents().is_empty());
            if was_told {
                return Err(io::Error::other(Ended));
            }
            if was_pressed {
                let _ = self.pressed.read(&mut [0; 64])?;
                return Err(io::Error::other(Cancelled));
            }
            match rustix::io::read(&self.input, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                read => return Ok(read?),
            }
        }
    }
}
