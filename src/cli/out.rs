//! Standard output: safe for a terminal, buffered, and quiet when its reader goes away.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

use crate::domain::text::{json_for_output, visible};

/// Writes a command's data.
pub struct Out {
    inner: BufWriter<StdoutLock<'static>>,
}

impl Default for Out {
    fn default() -> Self {
        Self::new()
    }
}

impl Out {
    pub fn new() -> Self {
        Self { inner: BufWriter::with_capacity(64 << 10, io::stdout().lock()) }
    }

    /// A line of words. Outside text in it is made visible.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.inner, "{}", visible(text))
    }

    /// A line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string(value)?;
        writeln!(self.inner, "{}", json_for_output(&json))
    }

    /// Text that was made safe already.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.inner.write_all(text.as_bytes())
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Tells that something was done: in words on standard error, or with `--json` as a document.
pub fn done(json: bool, words: &str, document: &serde_json::Value) -> io::Result<()> {
    if !json {
        say(words);
        return Ok(());
    }
    let mut out = Out::new();
    out.json(document)?;
    out.finish()
}

/// Prints a page in Markdown, or with `--json` as a document.
pub fn page(json: bool, text: &str) -> io::Result<()> {
    let mut out = Out::new();
    if json {
        out.json(&serde_json::json!({ "markdown": text }))?;
    } else {
        text.lines().try_for_each(|line| out.line(line))?;
    }
    out.finish()
}

/// Says something to the person, on standard error.
pub fn say(text: &str) {
    // Standard error may be closed; then nobody wants to know.
    let _ = writeln!(io::stderr().lock(), "{}", visible(text));
}
