//! Whose turn it is to write. SQLite's own way of waiting (look again after a while) lets some writers
//! wait for ever where many want to write at once; a lock of the system's serves them as they came.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// A turn at writing; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    /// None where there can be no such file: then SQLite alone says who writes.
    _lock: Option<File>,
}

/// It did not come.
#[derive(Debug)]
pub struct TooLong;

impl Turn {
    /// Waits for the turn at the database at `path`.
    pub fn wait(path: &Path) -> Result<Self, TooLong> {
        if path == Path::new(":memory:") {
            return Ok(Self { _lock: None }); // nobody else has it
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let Ok(lock) = options.open(path.with_extension("lock")) else {
            return Ok(Self { _lock: None });
        };
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Self { _lock: Some(lock) }),
            Err(Errno::WOULDBLOCK) => {}
            // A file system that knows no such locks.
            Err(_) => return Ok(Self { _lock: None }),
        }
        // A wait that the system does has no end; so another thread waits, and is left behind.
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let got = flock(&lock, FlockOperation::LockExclusive).map(|()| lock);
            // If nobody wants it any more, it goes with the message.
            let _ = sender.send(got);
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(got) => Ok(Self { _lock: got.ok() }),
            Err(_) => Err(TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_at_a_time_and_everybody_in_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("casework.db");
        let (at_work, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _turn = Turn::wait(&path).unwrap();
                        assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0);
                        assert_eq!(at_work.fetch_sub(1, Ordering::SeqCst), 1);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 400);
    }
}
