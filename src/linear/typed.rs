//! What a person types at a terminal, line by line; Ctrl-C takes back the line that is being typed
//! instead of ending the program.

use std::io::{self, BufReader, Read, Stdin};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::SIGINT;

/// Ctrl-C was pressed: the terminal has forgotten the line that was being typed.
#[derive(Debug, thiserror::Error)]
#[error("the line was cancelled")]
struct Cancelled;

/// Whether an error of reading is that Ctrl-C was pressed.
pub fn is_cancelled(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Cancelled>())
}

/// A terminal's lines.
pub struct Typed {
    terminal: Stdin,
    /// A byte comes in for each Ctrl-C.
    pressed: UnixStream,
}

impl Typed {
    /// Reads from standard input from now on, and hears Ctrl-C.
    ///
    /// # Errors
    /// The signal can't be listened for.
    pub fn listen() -> io::Result<BufReader<Self>> {
        let (pressed, wake) = UnixStream::pair()?;
        pressed.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(SIGINT, wake)?;
        Ok(BufReader::new(Self { terminal: io::stdin(), pressed }))
    }
}

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (terminal, pressed) = (self.terminal.as_fd(), self.pressed.as_fd());
            let mut ready = [
                PollFd::from_borrowed_fd(terminal, PollFlags::IN),
                PollFd::from_borrowed_fd(pressed, PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => continue,
                waited => waited?,
            };
            let was_pressed = !ready[1].revents().is_empty();
            if was_pressed {
                let _ = self.pressed.read(&mut [0; 64])?;
                return Err(io::Error::other(Cancelled));
            }
            match rustix::io::read(&self.terminal, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                read => return Ok(read?),
            }
        }
    }
}
