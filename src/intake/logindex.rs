//! Finds the log lines of a trace, or around a time, in files too large to hold.
//!
//! One pass over each file writes (hash of the trace id, file, offset) for every line that names
//! one, in sorted runs, to a temporary file; of each run only every 256th hash stays in memory. A
//! look-up reads one small block of each run. For lines without a trace, every 64 KiB of a file has
//! its first time noted.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::IntakeError;
use super::read::read_chunks;
use super::recognize::{HEAD_BYTES, recognize};
use crate::chance;
use crate::domain::ids::hex;
use crate::domain::logline::LogLine;
use crate::domain::payload::PayloadLog;
use crate::domain::text::cut;
use crate::domain::time::Moment;
use crate::format::log::{LogOptions, told, unwrap};
use crate::format::read::bytes::{Count, Flaws, decode, unpack};
use crate::format::read::files::{Part, parts_of};
use crate::format::read::waiting::{self, Waiting};
use crate::format::times::Zone;

const RUN_RECORDS: usize = 1 << 20;
const BLOCK_RECORDS: usize = 256;
const RECORD_BYTES: usize = 16;
const TIME_BLOCK_BYTES: u64 = 64 << 10;
/// Bytes around a line that are read to find the lines beside it.
const AROUND_BYTES: u64 = 2_048;
/// Lines kept before and after each line of the trace.
const AROUND_LINES: usize = 3;
/// Longest line that is kept; what is over is cut.
const LINE_BYTES: usize = 4_096;
/// How far from the prediction a line without a trace may stand.
const BESIDE_MS: i64 = 30_000;

struct LogFile {
    name: String,
    file: File,
    /// (time of the first line in the block that has one, offset of the block)
    times: Vec<(Moment, u64)>,
}

struct Run {
    /// Place of the run in the temporary file, in records.
    start: u64,
    records: u64,
    /// The first hash of every block.
    fences: Vec<u64>,
}

/// An index over some log files.
pub struct LogIndex {
    files: Vec<LogFile>,
    runs: Vec<Run>,
    spilled: Option<File>,
    lines_max: usize,
    /// The zone of times that say none.
    zone: Option<Zone>,
    pub lines: u64,
    /// Files with times that say no zone, and were read as UTC since nobody said which they mean.
    pub zoneless: Vec<String>,
    /// Files of which no line was understood, each with what it seems to be.
    pub strangers: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    hash: u64,
    /// File in the upper 16 bits, offset in the lower 48.
    place: u64,
}

impl LogIndex {
    /// Reads `paths` once, as long as `go_on` says so. Temporary files are made in `directory`. At
    /// most `lines_max` lines are given for a case.
    pub fn build(
        paths: &[PathBuf],
        options: LogOptions,
        directory: &Path,
        lines_max: usize,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Self, IntakeError> {
        let mut index = Self {
            files: Vec::new(),
            runs: Vec::new(),
            spilled: None,
            lines_max,
            zone: options.zone,
            lines: 0,
            zoneless: Vec::new(),
            strangers: Vec::new(),
        };
        let mut records = Vec::new();
        for path in paths {
            let failed = |error| IntakeError::Read(path.display().to_string(), error);
            for part in parts_of(path).map_err(failed)? {
                index.read_part(&part, options, &mut records, directory, go_on)?;
            }
        }
        index.spill(&mut records, directory)?;
        Ok(index)
    }

    /// Reads a log: as it lies there, or unpacked and out of its envelopes first.
    fn read_part(
        &mut self,
        part: &Part,
        options: LogOptions,
        records: &mut Vec<Record>,
        directory: &Path,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(), IntakeError> {
        let failed = |error| IntakeError::Read(part.name.clone(), error);
        let mut file = waiting::open(&part.path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            file = spooled(file, directory, go_on).map_err(failed)?; // a pipe can't be read twice
        }
        let again = file.try_clone().map_err(failed)?;
        let raw: Box<dyn Read + Send> = match &part.member {
            Some(member) => member.inflated(&part.path).map_err(failed)?,
            None => Box::new(again),
        };
        let (count, flaws) = (Count::default(), Flaws::default());
        let (input, head, mut layers) =
            unpack(raw, &part.name, (&count, &flaws)).map_err(failed)?;
        let packed = part.member.is_some() || !layers.is_empty();
        let bytes = decode(input, head, None, &mut layers).map_err(failed)?;
        let kind = told(&String::from_utf8_lossy(&bytes.head), options);
        if let Some(kind) = kind {
            let mut out = BufWriter::new(temporary(directory).map_err(failed)?);
            let each = |line: &str| {
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")
            };
            let done =
                unwrap(kind, bytes.reader, &part.name, options, &flaws, each).map_err(failed)?;
            file = out.into_inner().map_err(|error| failed(error.into_error()))?;
            file.rewind().map_err(failed)?;
            self.strangers
                .extend(done.trouble.map(|why| format!("{} ({}): {why}", part.name, kind.about)));
        } else if packed {
            let mut out = temporary(directory).map_err(failed)?;
            let mut reader = bytes.reader;
            io::copy(&mut reader, &mut out).map_err(failed)?;
            out.rewind().map_err(failed)?;
            file = out;
        } else {
            // What was looked at moved the place in the file too; nobody reads on from there.
            file.rewind().map_err(failed)?;
        }
        self.strangers.extend(flaws.take());
        self.read_file(&part.path, file, records, directory, go_on)
    }

    fn read_file(
        &mut self,
        path: &Path,
        file: File,
        records: &mut Vec<Record>,
        directory: &Path,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(), IntakeError> {
        let failed = |error| IntakeError::Read(path.display().to_string(), error);
        let number = (self.files.len() as u64) << 48;
        let mut times = Vec::new();
        let (before, mut traced, mut zoneless) = (self.lines, false, false);
        let (mut next_time, zone) = (0, self.zone);
        let mut spilled = Ok(());
        read_chunks(&file, go_on, |chunk| {
            for (_, range) in chunk.lines() {
                let start = chunk.offset + range.start as u64;
                self.lines += 1;
                let text = &chunk.text[range];
                traced |= names_trace(text);
                for_each_trace(text, |trace| {
                    records.push(Record { hash: hash_of(trace), place: number | start })
                });
                if start >= next_time
                    && let parsed = LogLine::parse(text)
                    && let Some(at) = when(&parsed, zone)
                {
                    zoneless |= parsed.zoneless;
                    times.push((at, start));
                    next_time = start - start % TIME_BLOCK_BYTES + TIME_BLOCK_BYTES;
                }
            }
            if records.len() >= RUN_RECORDS {
                spilled = self.spill(records, directory);
            }
            spilled.is_ok() && go_on()
        })
        .map_err(failed)?;
        spilled?;
        if self.lines > before && times.is_empty() && !traced {
            self.strangers.push(format!(
                "{}: {}",
                path.display(),
                stranger(&file).map_err(failed)?
            ));
        }
        if zoneless && zone.is_none() {
            self.zoneless.push(path.display().to_string());
        }
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.files.push(LogFile { name, file, times });
        Ok(())
    }

    fn spill(&mut self, records: &mut Vec<Record>, directory: &Path) -> Result<(), IntakeError> {
        if records.is_empty() {
            return Ok(());
        }
        records.sort_unstable();
        let mut file = match self.spilled.take() {
            Some(file) => file,
            None => temporary(directory).map_err(IntakeError::Temporary)?,
        };
        let start =
            file.seek(SeekFrom::End(0)).map_err(IntakeError::Temporary)? / RECORD_BYTES as u64;
        let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
        for record in records.iter() {
            bytes.extend_from_slice(&record.hash.to_le_bytes());
            bytes.extend_from_slice(&record.place.to_le_bytes());
        }
        file.write_all(&bytes).map_err(IntakeError::Temporary)?;
        let fences = records.iter().step_by(BLOCK_RECORDS).map(|record| record.hash).collect();
        self.runs.push(Run { start, records: records.len() as u64, fences });
        self.spilled = Some(file);
        records.clear();
        Ok(())
    }

    /// The log lines for a prediction: those of its trace with a few beside them; where its trace
    /// has none, those that name its own id as their request; else the lines without a trace nearest
    /// to `at`. In order of time.
    pub fn lines_for(&self, trace: &str, id: &str, at: Moment) -> io::Result<Vec<PayloadLog>> {
        let mut found = Vec::new();
        for trace in [trace, id].into_iter().filter(|name| !name.is_empty()) {
            if !found.is_empty() {
                break;
            }
            let places = self.places(hash_of(trace))?;
            for (number, file) in self.files.iter().enumerate() {
                let of_file = places.iter().filter(|place| **place >> 48 == number as u64);
                let offsets: Vec<u64> = of_file.map(|place| place & ((1 << 48) - 1)).collect();
                if !offsets.is_empty() {
                    self.around(file, &offsets, trace, &mut found)?;
                }
            }
        }
        if found.is_empty() {
            for file in &self.files {
                self.beside(file, at, &mut found)?;
            }
        }
        // A line without a time follows the one before it.
        let mut last = Moment(i64::MIN);
        for (moment, _) in &mut found {
            last = moment.unwrap_or(last);
            *moment = Some(last);
        }
        found.sort_by_key(|(moment, _)| *moment);
        let more = found.len().saturating_sub(self.lines_max);
        let mut kept: Vec<PayloadLog> =
            found.into_iter().map(|(_, log)| log).take(self.lines_max).collect();
        if let Some(last) = kept.last().filter(|_| more > 0) {
            let text =
                format!("… {more} more lines are not kept: [ingest] logs = {}", self.lines_max);
            kept.push(PayloadLog { file: last.file.clone(), own: true, at: None, text });
        }
        Ok(kept)
    }

    fn places(&self, hash: u64) -> io::Result<Vec<u64>> {
        let mut places = Vec::new();
        let Some(file) = &self.spilled else { return Ok(places) };
        for run in &self.runs {
            let first = run.fences.partition_point(|fence| *fence < hash).saturating_sub(1);
            let mut at = (first * BLOCK_RECORDS) as u64;
            let mut block = vec![0; BLOCK_RECORDS * RECORD_BYTES];
            'run: while at < run.records {
                let count = (run.records - at).min(BLOCK_RECORDS as u64);
                let bytes = &mut block[..count as usize * RECORD_BYTES];
                file.read_exact_at(bytes, (run.start + at) * RECORD_BYTES as u64)?;
                for record in bytes.as_chunks::<RECORD_BYTES>().0 {
                    let (of, place) = record.split_at(8);
                    let of = u64::from_le_bytes(of.try_into().unwrap_or_default());
                    match of.cmp(&hash) {
                        std::cmp::Ordering::Less => {}
                        std::cmp::Ordering::Equal => {
                            places.push(u64::from_le_bytes(place.try_into().unwrap_or_default()))
                        }
                        std::cmp::Ordering::Greater => break 'run,
                    }
                }
                at += count;
            }
        }
        places.sort_unstable();
        places.dedup();
        places.truncate(self.lines_max);
        Ok(places)
    }

    /// Lines of the trace at `offsets`, with what stands beside them.
    fn around(
        &self,
        file: &LogFile,
        offsets: &[u64],
        trace: &str,
        out: &mut Vec<(Option<Moment>, PayloadLog)>,
    ) -> io::Result<()> {
        let mut at = 0;
        while at < offsets.len() {
            // Lines close to each other are read together.
            let mut end = at + 1;
            while end < offsets.len() && offsets[end] - offsets[end - 1] < 2 * AROUND_BYTES {
                end += 1;
            }
            let start = offsets[at].saturating_sub(AROUND_BYTES);
            let span = offsets[end - 1] - start + AROUND_BYTES + LINE_BYTES as u64;
            let lines = read_lines(&file.file, start, span, false)?;
            let wanted: HashSet<u64> = offsets[at..end].iter().copied().collect();
            mark((&lines, self.zone), &wanted, trace, &file.name, out);
            at = end;
        }
        Ok(())
    }

    /// Lines without a trace around a time.
    fn beside(
        &self,
        file: &LogFile,
        at: Moment,
        out: &mut Vec<(Option<Moment>, PayloadLog)>,
    ) -> io::Result<()> {
        let block = file.times.partition_point(|(time, _)| *time <= at).saturating_sub(2);
        let Some((_, start)) = file.times.get(block) else { return Ok(()) };
        let mut near: Vec<(i64, usize)> = Vec::new();
        let lines = read_lines(&file.file, *start, 3 * TIME_BLOCK_BYTES, true)?;
        let parsed: Vec<LogLine> = lines.iter().map(|(_, text)| LogLine::parse(text)).collect();
        for (i, line) in parsed.iter().enumerate() {
            if let Some(time) = when(line, self.zone)
                && (time.0 - at.0).abs() <= BESIDE_MS
                && line.trace_id.is_none()
            {
                near.push(((time.0 - at.0).abs(), i));
            }
        }
        near.sort_unstable();
        near.truncate(20);
        near.sort_by_key(|(_, i)| *i);
        for (_, i) in near {
            let text = lines[i].1.clone();
            let at = when(&parsed[i], self.zone);
            let said = at.filter(|_| parsed[i].zoneless && self.zone.is_some());
            let file = file.name.clone();
            out.push((at, PayloadLog { file, own: false, at: said, text }));
        }
        Ok(())
    }
}

/// When a line was written: where it says no zone, in the one that was named.
fn when(line: &LogLine, zone: Option<Zone>) -> Option<Moment> {
    match zone.filter(|_| line.zoneless) {
        Some(zone) => zone.shown_as(line.at?),
        None => line.at,
    }
}

/// Keeps the wanted lines, what continues them, and a few lines around.
fn mark(
    (lines, zone): (&[(u64, String)], Option<Zone>),
    wanted: &HashSet<u64>,
    trace: &str,
    name: &str,
    out: &mut Vec<(Option<Moment>, PayloadLog)>,
) {
    let parsed: Vec<LogLine> = lines.iter().map(|(_, text)| LogLine::parse(text)).collect();
    let mut own = vec![false; lines.len()];
    for i in 0..lines.len() {
        let named = wanted.contains(&lines[i].0) && lines[i].1.contains(trace);
        // What says whose it is goes on with nothing.
        let goes_on = i > 0
            && own[i - 1]
            && parsed[i].at.is_none()
            && parsed[i].trace_id.is_none()
            && !names_trace(&lines[i].1);
        own[i] = named || goes_on;
    }
    for i in 0..lines.len() {
        let near = i.saturating_sub(AROUND_LINES)..(i + AROUND_LINES + 1).min(lines.len());
        if own[near].contains(&true) {
            let at = when(&parsed[i], zone);
            let said = at.filter(|_| parsed[i].zoneless && zone.is_some());
            let text = lines[i].1.clone();
            out.push((at, PayloadLog { file: name.to_owned(), own: own[i], at: said, text }));
        }
    }
}

/// The lines in some bytes of a file, with their offsets, as far as they are kept; `whole` if a
/// line begins at `start`.
fn read_lines(file: &File, start: u64, span: u64, whole: bool) -> io::Result<Vec<(u64, String)>> {
    let mut bytes = Vec::new();
    let mut from = file.try_clone()?;
    from.seek(SeekFrom::Start(start))?;
    from.take(span).read_to_end(&mut bytes)?;
    let cut_short = bytes.len() as u64 == span;
    let mut lines = Vec::new();
    let mut at = start;
    for (i, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let partial_first = i == 0 && start > 0 && !whole;
        let partial_last = cut_short && !line.ends_with(b"\n") && line.len() < LINE_BYTES;
        if !(partial_first || partial_last && lines.len() > 1) {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = String::from_utf8_lossy(text);
            lines.push((at, cut(text.trim_end_matches('\r'), LINE_BYTES).into_owned()));
        }
        at += line.len() as u64;
    }
    Ok(lines)
}

const JSON_KEYS: [&str; 5] =
    ["\"trace_id\"", "\"traceId\"", "\"trace\"", "\"trace.id\"", "\"request_id\""];
const LOGFMT_KEYS: [&str; 5] = ["trace_id=", "traceId=", "trace=", "trace.id=", "request_id="];

/// Whether a line says by name what its trace is.
fn names_trace(line: &str) -> bool {
    JSON_KEYS.iter().chain(&LOGFMT_KEYS).any(|key| line.contains(key))
}

/// Calls `each` with every trace id that a line may be found by.
fn for_each_trace(line: &str, mut each: impl FnMut(&str)) {
    for key in JSON_KEYS {
        let value = line.split_once(key).and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
        if let Some(text) = value.and_then(|rest| rest.trim_start().strip_prefix('"')) {
            return each(text.split('"').next().unwrap_or_default());
        }
    }
    for key in LOGFMT_KEYS {
        if let Some((_, rest)) = line.split_once(key) {
            let rest = rest.trim_start_matches('"');
            return each(rest.split([' ', '"']).next().unwrap_or_default());
        }
    }
    if line.starts_with('{') {
        return;
    }
    // Plain text: whatever looks like an id.
    let is_id = |word: &&str| {
        word.len() >= 16
            && word.bytes().any(|b| b.is_ascii_digit())
            && word.bytes().any(|b| b.is_ascii_alphabetic())
    };
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .filter(is_id)
        .take(8)
        .for_each(each);
}

fn hash_of(trace: &str) -> u64 {
    let hash = blake3::hash(trace.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}

/// What a file seems to be of which no line has a time or a trace.
fn stranger(file: &File) -> io::Result<String> {
    let mut head = vec![0; HEAD_BYTES];
    let n = file.read_at(&mut head, 0)?;
    head.truncate(n);
    if let Some(words) = recognize(&head) {
        return Ok(format!("it is {words}"));
    }
    let text = String::from_utf8_lossy(&head);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok(format!(
        "no line has a time or a trace that is understood; it begins `{}`",
        crate::domain::text::head(first.trim(), 60)
    ))
}

/// All that a pipe has to say, in a file.
fn spooled(pipe: File, directory: &Path, go_on: &dyn Fn() -> bool) -> io::Result<File> {
    let mut file = temporary(directory)?;
    let mut pipe = Waiting(pipe);
    let mut buffer = vec![0; 64 << 10];
    while go_on() {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => file.write_all(&buffer[..n])?,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
    file.rewind()?;
    Ok(file)
}

/// A file without a name: it is gone when it is closed, whatever happens.
fn temporary(directory: &Path) -> io::Result<File> {
    let path = directory.join(format!(".casework-logs-{}", hex(&chance::bytes::<8>()?)));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
