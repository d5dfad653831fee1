//! What lies around the lines of a file: compression and encodings of text, told by the first bytes
//! and never by the name.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;

/// Layers of compression that are taken off.
const LAYERS_MAX: usize = 3;
/// How often over a file may unpack to more than itself before it is taken for a trap.
const RATIO_MAX: u64 = 1_000;
/// What may be unpacked whatever the ratio.
const UNPACKED_FREE: u64 = 256 << 20;

/// What is wrong with a file as a whole; what was sound of it was read.
#[derive(Debug, Clone, Default)]
pub struct Flaws(Arc<Mutex<Vec<String>>>);

impl Flaws {
    pub fn say(&self, flaw: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(flaw);
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Most bytes of a last line that are looked at.
const LAST_LINE_MAX: usize = 1 << 20;

/// Lines of JSON as they come; whether the last of them breaks off is said at the end.
pub struct ToItsEnd<R> {
    inner: R,
    name: String,
    flaws: Flaws,
    /// What came since the last end of a line.
    last: Vec<u8>,
}

impl<R> ToItsEnd<R> {
    pub fn new(inner: R, name: String, flaws: Flaws) -> Self {
        Self { inner, name, flaws, last: Vec::new() }
    }
}

impl<R: Read> Read for ToItsEnd<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        if n == 0 && !to.is_empty() {
            let last = std::mem::take(&mut self.last);
            let whole = last.len() < LAST_LINE_MAX && last.trim_ascii_start().starts_with(b"{");
            let read = whole.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(&last));
            if read.is_some_and(|read| read.is_err_and(|error| error.is_eof())) {
                self.flaws.say(format!("{} breaks off in its last line", self.name));
            }
            return Ok(0);
        }
        let came = &to[..n];
        let since = match memchr::memrchr(b'\n', came) {
            Some(at) => {
                self.last.clear();
                &came[at + 1..]
            }
            None => came,
        };
        let room = LAST_LINE_MAX.saturating_sub(self.last.len());
        self.last.extend_from_slice(&since[..since.len().min(room)]);
        Ok(n)
    }
}

/// How many bytes of a file were read, for whoever shows progress.
pub type Count = Arc<AtomicU64>;

/// Counts what is read, and waits where an input has nothing yet, until it is told to stop.
pub struct Counted<R> {
    inner: R,
    count: Count,
    stop: Arc<AtomicBool>,
}

impl<R> Counted<R> {
    pub fn new(inner: R, count: Count, stop: Arc<AtomicBool>) -> Self {
        Self { inner, count, stop }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(into) {
                Ok(read) => {
                    self.count.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                Err(error)
                    if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) =>
                {
                    if self.stop.load(Ordering::Relaxed) {
                        return Ok(0);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A file without what was wrapped around it.
pub struct Bytes {
    pub reader: Box<dyn BufRead + Send>,
    /// The first bytes, as they will be read.
    pub head: Vec<u8>,
    /// What was taken off, in words.
    pub layers: Vec<String>,
}

/// Bytes that are looked at to tell what a file is.
pub const HEAD_BYTES: usize = 64 << 10;

type Input = Box<dyn Read + Send>;

/// Takes compression off. What breaks off in the middle is a flaw, and the end.
///
/// # Errors
/// Those of reading.
pub fn unpack(
    input: Input,
    name: &str,
    (count, flaws): (&Count, &Flaws),
) -> io::Result<(Input, Vec<u8>, Vec<String>)> {
    let mut input = input;
    let mut layers = Vec::new();
    loop {
        let (head, whole) = peek(input)?;
        input = whole;
        let layer = match head.as_slice() {
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => "bzip2",
            _ => return Ok((input, head, layers)),
        };
        if layers.len() == LAYERS_MAX {
            return Ok((input, head, layers));
        }
        layers.push(layer.to_owned());
        let buffered = BufReader::new(input);
        let inner: Input = match layer {
            "gzip" => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
            "zstd" => Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?),
            _ => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
        };
        input = guarded(inner, layer, name, (count, flaws));
    }
}

/// An unpacked stream that ends where it breaks off, or is suspiciously large.
pub fn guarded(
    inner: Input,
    layer: &'static str,
    name: &str,
    (count, flaws): (&Count, &Flaws),
) -> Input {
    Box::new(Guarded {
        inner,
        layer,
        name: name.to_owned(),
        unpacked: 0,
        packed_before: count.load(Ordering::Relaxed),
        count: Arc::clone(count),
        flaws: flaws.clone(),
        ended: false,
    })
}

struct Guarded {
    inner: Input,
    layer: &'static str,
    name: String,
    unpacked: u64,
    packed_before: u64,
    count: Count,
    flaws: Flaws,
    ended: bool,
}

impl Read for Guarded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let packed = || self.count.load(Ordering::Relaxed);
        match self.inner.read(into) {
            Ok(read) => {
                self.unpacked += read as u64;
                let limit = (packed() - self.packed_before.min(packed())).max(1) * RATIO_MAX;
                if self.unpacked > UNPACKED_FREE && self.unpacked > limit {
                    self.ended = true;
                    self.flaws.say(format!(
                        "{}: its {} unpacks to over {RATIO_MAX} times its size, and was read up to there",
                        self.name, self.layer
                    ));
                    return Ok(0);
                }
                Ok(read)
            }
            Err(error)
                if [
                    ErrorKind::UnexpectedEof,
                    ErrorKind::InvalidData,
                    ErrorKind::InvalidInput,
                    ErrorKind::Other,
                ]
                .contains(&error.kind()) =>
            {
                self.ended = true;
                self.flaws.say(format!(
                    "{}: its {} breaks off at byte {} ({error}): what was whole before was read",
                    self.name,
                    self.layer,
                    packed()
                ));
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

/// The first bytes of an input, and all of it.
fn peek(mut input: Input) -> io::Result<(Vec<u8>, Input)> {
    let mut head = vec![0; HEAD_BYTES];
    let mut read = 0;
    while read < head.len() {
        let asked = head.len() - read;
        let came = input.read(&mut head[read..])?;
        read += came;
        // A pipe that has said something, and nothing more for now, is not waited for.
        let paused = came < asked && head[..read].contains(&b'\n');
        if came == 0 || paused {
            break;
        }
    }
    head.truncate(read);
    Ok((head.clone(), Box::new(io::Cursor::new(head).chain(input))))
}

/// Most bytes that are looked at where the first record is so long.
const FIRST_BYTES_MAX: usize = 16 << 20;

/// The head, with all of the first JSON object where that is longer: what it is, is seen from it.
fn with_first(head: Vec<u8>, mut input: Input) -> io::Result<(Vec<u8>, Input)> {
    let mut first = FirstObject::default();
    let is_json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    if head.len() < HEAD_BYTES || !is_json || first.ends_in(&head) {
        return Ok((head, input));
    }
    let mut all = vec![0; head.len()];
    input.read_exact(&mut all)?;
    let mut piece = vec![0; HEAD_BYTES];
    while all.len() < FIRST_BYTES_MAX {
        let came = input.read(&mut piece)?;
        all.extend_from_slice(&piece[..came]);
        if came == 0 || first.ends_in(&piece[..came]) {
            break;
        }
    }
    Ok((all.clone(), Box::new(io::Cursor::new(all).chain(input))))
}

/// Where the first object of a text ends, as far as braces and texts tell.
#[derive(Default)]
struct FirstObject {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl FirstObject {
    /// Whether it ends in the bytes that come next.
    fn ends_in(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' => self.depth += 1,
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }
}

/// The encoding that a user names.
///
/// # Errors
/// None is called so.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        format!("no encoding `{name}`: utf-8, utf-16le, windows-1252, iso-8859-15, shift_jis and others of the Encoding Standard are known")
    })
}

/// Makes UTF-8 of a text: by its byte order mark, or by the encoding that was named. Bytes that are
/// no UTF-8, where nothing else was said, stay for whoever reads the lines to refuse.
///
/// # Errors
/// Those of reading.
pub fn decode(
    input: Input,
    head: Vec<u8>,
    named: Option<&'static Encoding>,
    layers: &mut Vec<String>,
) -> io::Result<Bytes> {
    let mark = Encoding::for_bom(&head).map(|(encoding, _)| encoding);
    let encoding = mark.or(named).filter(|encoding| *encoding != encoding_rs::UTF_8);
    let input: Input = match encoding {
        Some(encoding) => {
            layers.push(encoding.name().to_lowercase());
            let decoder = DecodeReaderBytesBuilder::new()
                .encoding(Some(encoding))
                .bom_override(true)
                .build(input);
            Box::new(decoder)
        }
        None => input,
    };
    if encoding.is_none() && mark.is_none() {
        let (head, input) = with_first(head, input)?;
        return Ok(Bytes {
            reader: Box::new(BufReader::with_capacity(HEAD_BYTES, input)),
            head,
            layers: std::mem::take(layers),
        });
    }
    let (mut head, mut input) = peek(input)?;
    if head.starts_with("\u{feff}".as_bytes()) {
        head.drain(..3);
        let mut mark = [0; 3];
        input.read_exact(&mut mark)?;
    }
    let (head, input) = with_first(head, input)?;
    let reader = Box::new(BufReader::with_capacity(HEAD_BYTES, input));
    Ok(Bytes { reader, head, layers: std::mem::take(layers) })
}
