//! What a person types, line by line. At a terminal Ctrl-C takes back the line that is being typed
//! instead of ending the program; whoever ends the program has what was begun kept.

use std::io::{self, BufReader, Read, Stdin};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
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
