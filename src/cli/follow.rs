//! `casework ingest --follow`: what comes, piece by piece, until it is stopped.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::CliError;
use super::out::say;
use crate::clock;
use crate::format::read::waiting::Waiting;
use crate::intake::Summary;
use crate::intake::follow::{Follower, Noticed};
use crate::intake::read::LINE_BYTES_MAX;
use crate::workspace::Workspace;
use crate::workspace::cases::IngestRequest;

/// How long is waited when nothing comes.
const IDLE: Duration = Duration::from_millis(300);
/// How long a pipe is listened to before what it brought is taken in.
const LISTEN: Duration = Duration::from_secs(1);
/// Bytes of a pipe that are taken in at once.
const PIPE_BYTES: usize = 8 << 20;

/// Takes in what comes, until it is stopped or a pipe ends.
pub fn follow(
    asked: &[PathBuf],
    request: &IngestRequest,
    workspace: &mut Workspace,
    stop: &AtomicBool,
) -> Result<Summary, CliError> {
    let (pipes, files): (Vec<PathBuf>, Vec<PathBuf>) =
        asked.iter().cloned().partition(|file| file.as_os_str() == "-");
    let here = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let mut follower = Follower::new(files.into_iter().map(here).collect(), workspace.followed()?);
    let mut pipe = (!pipes.is_empty()).then(Pipe::default);
    let mut summary = Summary::default();
    let mut told: Vec<Noticed> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mut came = false;
        if let Some(piece) = follower.next_piece() {
            came = true;
            workspace.keep_followed(&follower.places)?;
            let mut found = workspace.ingest(&piece.bytes[..], request, stop, |_| {})?;
            // What was stopped in the middle is read again from there.
            if !found.stopped {
                follower.taken(&piece);
                workspace.keep_followed(&follower.places)?;
            }
            found.rejects.iter_mut().for_each(|reject| reject.line += piece.lines_before);
            summary.add(found, Some(&piece.path.display().to_string()));
        }
        for noticed in follower.noticed() {
            if told.contains(&noticed) {
                continue;
            }
            say(&match &noticed {
                Noticed::Shorter(path) => {
                    format!("{} became shorter: it is read from its beginning", path.display())
                }
                Noticed::Gone(path) => format!(
                    "{} is another file than before, and the rest of that one is nowhere beside it",
                    path.display()
                ),
                Noticed::Failed(path, why) => format!("{}: {why}", path.display()),
            });
            // What happens once may happen again; what fails is said once.
            told.extend(matches!(noticed, Noticed::Failed(..)).then_some(noticed));
        }
        if let Some(listening) = &mut pipe {
            let (bytes, ended) = listening.listen(stop)?;
            if !bytes.is_empty() {
                summary.add(workspace.ingest(&bytes[..], request, stop, |_| {})?, None);
            }
            if ended {
                pipe = None;
                if asked.len() == 1 {
                    break;
                }
            }
        } else if !came {
            std::thread::sleep(IDLE);
        }
    }
    summary.stopped = false; // that is how it ends
    Ok(summary)
}

/// Standard input, taken in as it comes.
#[derive(Default)]
struct Pipe {
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl Pipe {
    /// What came in a moment, in whole lines, and whether that was all.
    fn listen(&mut self, stop: &AtomicBool) -> io::Result<(Vec<u8>, bool)> {
        let mut bytes = std::mem::take(&mut self.rest);
        // Half a line, however long, waits for its other half.
        let most = bytes.len() + PIPE_BYTES;
        let mut input = Waiting(io::stdin());
        let begun = clock::instant();
        let mut buffer = vec![0; 64 << 10];
        let mut ended = false;
        while begun.elapsed() < LISTEN && bytes.len() < most && !stop.load(Ordering::Relaxed) {
            match input.read(&mut buffer) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(read) => bytes.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if !ended {
            let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
            // A line that never ends is said to be too long.
            let whole = if bytes.len() > LINE_BYTES_MAX { bytes.len() } else { whole };
            self.rest = bytes.split_off(whole);
        }
        Ok((bytes, ended))
    }
}
