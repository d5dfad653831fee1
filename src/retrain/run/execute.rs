//! A program under watch: stopped with all that it began when it takes longer, uses more memory,
//! writes more or begins more processes than it may.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::pipeline::Bounds;
use crate::clock;
use crate::sandbox::family::{TICK_MS, end_all, family};
use crate::sandbox::helper::{CANNOT, Told};

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Program {
    pub told: Told,
    pub bounds: Bounds,
    /// The directory whose size is bounded.
    pub out: PathBuf,
    /// Where what it prints is kept: `NAME.out` and `NAME.err`.
    pub logs: PathBuf,
    pub name: String,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ended {
    /// What it ended with; none where it was stopped, or by a signal.
    pub exit: Option<i32>,
    /// The limit at which it was stopped, or why it never began.
    pub stopped: Option<String>,
    pub wall_ms: u64,
    pub cpu_ms: u64,
    pub memory_bytes: u64,
    /// The end of what it printed on standard error.
    pub said: String,
}

const LOOK: Duration = Duration::from_millis(20);
/// The size of what was written is looked at every so many looks.
const SIZE_EVERY: u64 = 10;
/// Of what it prints so much is kept from the beginning, and as much from the end.
const KEPT: usize = 1 << 20;
const SAID: usize = 4 << 10;

/// Runs a program to its end, or stops it.
///
/// # Errors
/// It can't be begun or watched.
pub fn run(program: &Program) -> io::Result<Ended> {
    // Whatever loses its parent becomes a child of ours, and is found.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let begun = clock::instant();
    let cpu = cpu_of_children();
    let mut child = program.told.begin(Stdio::piped)?;
    // The step's input is at its end.
    drop(child.stdin.take());
    let printed = |stream: Option<Box<dyn Read + Send>>, end: &str| {
        let path = program.logs.join(format!("{}.{end}", program.name));
        std::thread::spawn(move || keep(stream, &path))
    };
    let out = printed(child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>), "out");
    let err = printed(child.stderr.take().map(|err| Box::new(err) as Box<dyn Read + Send>), "err");
    let mut ended = watch(program, &mut child, begun)?;
    ended.wall_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let _ = out.join();
    let said = err.join().unwrap_or_default();
    ended.cpu_ms = ended.cpu_ms.max(cpu_of_children().saturating_sub(cpu));
    let text = String::from_utf8_lossy(&said);
    ended.said = crate::domain::text::visible_lines(text.trim_end()).join("\n");
    if ended.exit == Some(CANNOT) && ended.stopped.is_none() {
        ended.stopped = Some(format!("it could not begin: {}", ended.said.trim()));
    }
    Ok(ended)
}

fn watch(program: &Program, child: &mut Child, begun: std::time::Instant) -> io::Result<Ended> {
    let mut ended = Ended::default();
    let bounds = program.bounds;
    let mut looks = 0;
    loop {
        if let Some(status) = child.try_wait()? {
            ended.exit = status.code();
            if status.code().is_none() && ended.stopped.is_none() {
                ended.stopped = Some(by_signal(&status));
            }
            end_all(child.id());
            return Ok(ended);
        }
        let family = family();
        let memory: u64 = family.iter().map(|one| one.memory_bytes).sum();
        ended.memory_bytes = ended.memory_bytes.max(memory);
        // A child that is none of ours to wait for is seen only while it lives.
        ended.cpu_ms = ended.cpu_ms.max(family.iter().map(|one| one.cpu_ms).sum());
        let over = if begun.elapsed().as_millis() > u128::from(bounds.wall_ms) {
            Some(format!("it took longer than {} s", bounds.wall_ms / 1_000))
        } else if memory > bounds.memory_bytes {
            Some(format!("it used more than {} MiB of memory", bounds.memory_bytes >> 20))
        } else if family.len() as u64 > bounds.processes {
            Some(format!("it began more than {} processes", bounds.processes))
        } else if looks % SIZE_EVERY == 0 && size_of(&program.out) > bounds.output_bytes {
            Some(format!("it wrote more than {} MiB", bounds.output_bytes >> 20))
        } else {
            None
        };
        if let Some(over) = over {
            ended.stopped = Some(over);
            end_all(child.id());
            let _ = child.kill();
            child.wait()?;
            end_all(child.id());
            return Ok(ended);
        }
        looks += 1;
        std::thread::sleep(LOOK);
    }
}

fn by_signal(status: &std::process::ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(status) {
        // SIGXFSZ: a file grew over what it may.
        let words = if signal == 25 {
            "it wrote a larger file than it may"
        } else {
            "it was ended by a signal"
        };
        return format!("{words} ({signal})");
    }
    let _ = status;
    "it was ended".to_owned()
}

/// CPU time of children that ended, in milliseconds.
fn cpu_of_children() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = rest.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    let ticks = fields.get(13).copied().unwrap_or(0) + fields.get(14).copied().unwrap_or(0);
    ticks * TICK_MS
}

/// Bytes of all files below a directory.
pub fn size_of(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size_of(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

fn shown(bytes: &[u8]) -> String {
    crate::domain::text::visible_lines(&String::from_utf8_lossy(bytes)).join("\n")
}

/// Reads what is printed to its end, keeps its beginning and its end in a file, and gives the end.
fn keep(stream: Option<Box<dyn Read + Send>>, path: &Path) -> Vec<u8> {
    let Some(mut stream) = stream else { return Vec::new() };
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let mut left_out = 0;
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = stream.read(&mut buffer) {
        if read == 0 {
            break;
        }
        let mut piece = &buffer[..read];
        let room = KEPT - head.len();
        if room > 0 {
            let (first, rest) = piece.split_at(room.min(piece.len()));
            head.extend_from_slice(first);
            piece = rest;
        }
        tail.extend_from_slice(piece);
        if tail.len() > 2 * KEPT {
            left_out += tail.len() - KEPT;
            tail.drain(..tail.len() - KEPT);
        }
    }
    if tail.len() > KEPT {
        left_out += tail.len() - KEPT;
        tail.drain(..tail.len() - KEPT);
    }
    // In two pieces where something is left out between them; else a sign may lie across both.
    let mut text = if left_out == 0 {
        shown(&[head.as_slice(), tail.as_slice()].concat())
    } else {
        format!("{}\n[… {left_out} bytes …]\n{}", shown(&head), shown(&tail))
    };
    if tail.last().or(head.last()) == Some(&b'\n') && !text.ends_with('\n') {
        text.push('\n');
    }
    // Whoever reads it reads it on a terminal.
    let _ = fs::write(path, text);
    let mut said = head;
    said.extend_from_slice(&tail);
    said.split_off(said.len().saturating_sub(SAID))
}

/// Every file below a directory, by its path from there.
pub fn files_below(directory: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    fn look(at: &Path, name: &str, into: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(at)? {
            let entry = entry?;
            let own = entry.file_name().to_string_lossy().into_owned();
            let own = if name.is_empty() { own } else { format!("{name}/{own}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                look(&entry.path(), &own, into)?;
            } else if kind.is_file() {
                into.insert(own, entry.path());
            }
        }
        Ok(())
    }
    let mut files = BTreeMap::new();
    look(directory, "", &mut files)?;
    Ok(files)
}
