//! Reads lines in large chunks, without ever holding a line longer than a limit.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::Rejected;
use crate::format::open::Record;

pub use crate::format::read::objects::LINE_BYTES_MAX;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Some whole lines of the input.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Number of the first line, from 1.
    pub first_line: u64,
    /// The lines, ends and all. A byte that is not UTF-8 became `?`, so that places stay what they
    /// were.
    pub text: String,
    /// Lines that were longer than the limit; their bytes are not there, their places are.
    pub too_long: Vec<u64>,
    /// Lines with bytes that are not UTF-8.
    pub not_utf8: Vec<u64>,
    /// Where `text` begins in the input.
    pub offset: u64,
    /// Bytes of input read so far, for progress.
    pub read_bytes: u64,
    /// The number of each line, where they do not count up by one.
    pub numbers: Vec<u64>,
    /// Records of which no line could be made.
    pub rejected: Vec<Rejected>,
}

/// One line: its number, and where it stands in its chunk without its end.
pub type Line = (u64, Range<usize>);

impl Chunk {
    /// The lines, blank ones too. A line over the limit is an empty range.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let mut nth = 0;
        let mut at = 0;
        std::iter::from_fn(move || {
            let bytes = self.text.as_bytes();
            if at >= bytes.len() {
                return None;
            }
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |i| at + i);
            let mut range = at..end;
            if range.end > range.start && bytes[range.end - 1] == b'\r' {
                range.end -= 1;
            }
            at = end + 1;
            let number = self.numbers.get(nth).copied();
            nth += 1;
            Some((number.unwrap_or(self.first_line + nth as u64 - 1), range))
        })
    }
}

/// Reads chunks until the input ends, `each` says stop, or an error. While the input would block,
/// `go_on` is asked whether to wait for more.
pub fn read_chunks(
    mut input: impl Read,
    go_on: impl Fn() -> bool,
    mut each: impl FnMut(Arc<Chunk>) -> bool,
) -> io::Result<()> {
    let mut pending: Vec<u8> = Vec::new();
    let mut line = 1_u64;
    let mut read_bytes = 0_u64;
    // Where `pending` begins in the input.
    let mut base = 0_u64;
    // While skipping, the bytes of an over-long line are thrown away up to its end.
    let mut skipping = false;
    let mut too_long = Vec::new();
    loop {
        let start = pending.len();
        let Some(got) = fill(&mut input, &go_on, &mut pending)? else { return Ok(()) };
        read_bytes += got as u64;
        let ended = got == 0;
        if skipping {
            match memchr(b'\n', &pending) {
                Some(end) => {
                    // The newline stays: it is the end of an empty line that stands for the long
                    // one.
                    pending.drain(..end);
                    base += end as u64;
                    skipping = false;
                }
                None if !ended => {
                    base += pending.len() as u64;
                    pending.clear();
                    continue;
                }
                None => {
                    pending.clear();
                    pending.push(b'\n');
                    skipping = false;
                }
            }
        }
        // What was there before is one line so far: it is not looked through again.
        let from = start.min(pending.len());
        let cut = match memrchr(b'\n', &pending[from..]) {
            _ if ended => pending.len(),
            Some(at) => from + at + 1,
            None => 0,
        };
        if cut > 0 {
            let rest = pending.split_off(cut);
            let bytes = std::mem::replace(&mut pending, rest);
            let (lines, length) = (count_lines(&bytes), bytes.len() as u64);
            let too_long = std::mem::take(&mut too_long);
            let (text, not_utf8) = text_of(bytes, line);
            let chunk = Chunk {
                first_line: line,
                text,
                too_long,
                not_utf8,
                offset: base,
                read_bytes,
                ..Chunk::default()
            };
            line += lines;
            base += length;
            if !each(Arc::new(strip_mark(chunk))) {
                return Ok(());
            }
        }
        if ended {
            return Ok(());
        }
        if pending.len() > LINE_BYTES_MAX {
            too_long.push(line);
            base += pending.len() as u64;
            pending.clear();
            pending.shrink_to_fit();
            skipping = true;
        }
    }
}

/// Makes chunks of records until they end or `each` says stop.
///
/// # Errors
/// Those of reading.
pub fn record_chunks(
    records: impl Iterator<Item = io::Result<Record>>,
    mut each: impl FnMut(Arc<Chunk>) -> bool,
) -> io::Result<()> {
    let mut chunk = Chunk::default();
    for record in records {
        let Record { number, line } = record?;
        match line {
            Ok(line) => {
                chunk.text.push_str(&line);
                chunk.text.push('\n');
                chunk.numbers.push(number);
            }
            Err(reject) => chunk.rejected.push(Rejected { line: number, reject }),
        }
        let full = chunk.text.len() >= CHUNK_BYTES || chunk.rejected.len() >= 4_096;
        if full && !each(Arc::new(std::mem::take(&mut chunk))) {
            return Ok(());
        }
    }
    each(Arc::new(chunk));
    Ok(())
}

/// A byte order mark may stand before the first line.
fn strip_mark(mut chunk: Chunk) -> Chunk {
    if chunk.first_line == 1 && chunk.text.starts_with('\u{feff}') {
        chunk.text.drain(..3);
        chunk.offset += 3;
    }
    chunk
}

/// The bytes as text, and the numbers of lines that were none.
fn text_of(bytes: Vec<u8>, first_line: u64) -> (String, Vec<u64>) {
    let mut bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, Vec::new()),
        Err(error) => error.into_bytes(),
    };
    let mut bad = Vec::new();
    for (number, line) in (first_line..).zip(bytes.split_mut(|&byte| byte == b'\n')) {
        if std::str::from_utf8(line).is_err() {
            bad.push(number);
            line.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), bad)
}

fn count_lines(bytes: &[u8]) -> u64 {
    let ends = memchr_iter(b'\n', bytes).count() as u64;
    ends + u64::from(!bytes.is_empty() && !bytes.ends_with(b"\n"))
}

/// Appends up to a chunk of input; nothing if it is not to be waited for. Short reads (a pipe) are
/// passed on, so that a slow stream is not held back.
fn fill(
    input: &mut impl Read,
    go_on: &impl Fn() -> bool,
    pending: &mut Vec<u8>,
) -> io::Result<Option<usize>> {
    let start = pending.len();
    pending.resize(start + CHUNK_BYTES, 0);
    loop {
        match input.read(&mut pending[start..]) {
            Ok(got) => {
                pending.truncate(start + got);
                return Ok(Some(got));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !go_on() {
                    pending.truncate(start);
                    return Ok(None);
                }
            }
            Err(error) => {
                pending.truncate(start);
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as a pipe does.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(into.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn lines(input: &[u8], step: usize) -> (Vec<(u64, String)>, Vec<u64>) {
        let (mut lines, mut long) = (Vec::new(), Vec::new());
        read_chunks(
            Slow(input, step),
            || true,
            |chunk| {
                long.extend(&chunk.too_long);
                lines.extend(chunk.lines().map(|(n, at)| (n, chunk.text[at].to_owned())));
                true
            },
        )
        .unwrap();
        (lines, long)
    }

    #[test]
    fn lines_have_their_numbers_whatever_the_reads() {
        let input = b"\xEF\xBB\xBFone\r\n\ntwo\nlast";
        for step in [1, 2, 3, 100] {
            let (got, _) = lines(input, step);
            let expect = [(1, "one"), (2, ""), (3, "two"), (4, "last")];
            assert_eq!(got, expect.map(|(n, text)| (n, text.to_owned())), "step {step}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_passed_over_and_the_rest_goes_on() {
        let mut input = b"one\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', LINE_BYTES_MAX + 5_000_000));
        input.extend(b"\ntwo\n");
        let (got, long) = lines(&input, 1 << 20);
        assert_eq!(long, [2]);
        assert_eq!(got, [(1, "one".to_owned()), (2, String::new()), (3, "two".to_owned())]);
    }
}
