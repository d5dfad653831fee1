//! What a file is that was given for another: told by its first bytes.

use crate::domain::logline::logfmt;
use crate::domain::logtime::first_in;

/// Bytes that are looked at.
pub const HEAD_BYTES: usize = 4_096;

/// What kind of file begins so, in words; nothing for what may be lines of text.
pub fn recognize(head: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x1f\x8b", "gzip: unpack it first, or give it as <(zcat FILE)"),
        (b"\x28\xb5\x2f\xfd", "zstd: unpack it first, or give it as <(zstdcat FILE)"),
        (b"\xfd7zXZ\0", "xz: unpack it first, or give it as <(xzcat FILE)"),
        (b"BZh", "bzip2: unpack it first, or give it as <(bzcat FILE)"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
        (b"PAR1", "Parquet, not lines of text"),
        (b"SQLite format 3\0", "an SQLite database, not lines of text"),
        (b"%PDF", "a PDF, not lines of text"),
        (b"\x7fELF", "a program, not lines of text"),
        (b"\xff\xfe", "UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8 FILE)"),
        (b"\xfe\xff", "UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8 FILE)"),
    ];
    if let Some((_, words)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(words);
    }
    let nulls = head.iter().filter(|byte| **byte == 0).count();
    match nulls {
        0 => None,
        // Of ASCII in UTF-16 every other byte is one.
        n if n * 3 >= head.len() => {
            Some("UTF-16 without a mark: save it as UTF-8 (iconv -f UTF-16LE -t UTF-8 FILE)")
        }
        n if n * 20 >= head.len() => Some("binary, not lines of text"),
        _ => None,
    }
}

/// What lines of text seem to be that are no predictions, by how they begin.
pub fn recognize_text(head: &str) -> &'static str {
    let lines: Vec<&str> = head.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    let all = |holds: &dyn Fn(&str) -> bool| !lines.is_empty() && lines.iter().all(|l| holds(l));
    let columns = |sign: char| {
        let count = |line: &&str| line.matches(sign).count();
        let first = lines.first().map_or(0, count);
        first > 0 && lines.iter().all(|line| count(line) == first)
    };
    if lines.first().is_some_and(|line| line.trim_start().starts_with('[')) {
        return "a JSON array, where JSON lines are wanted: jq -c '.[]' FILE makes them";
    }
    if all(&|line| line.trim_start().starts_with('{')) {
        return "JSON lines of another shape: [source] in config.toml maps its fields (casework help stream)";
    }
    if all(&|line| first_in(line).is_some() || logfmt(line).is_some_and(|fields| fields.len() > 1))
    {
        return "a log: give it as --logs FILE beside the predictions";
    }
    if columns(',') || columns(';') || columns('\t') {
        return "CSV whose first row names no columns that are known: --no-header --id c1 --time c2 --text c3 names them";
    }
    "no JSON lines: a prediction a line is wanted (casework help stream)"
}

#[test]
fn what_is_no_text_is_called_by_its_name() {
    let check = |head: &[u8], expect: Option<&str>| {
        assert_eq!(
            recognize(head).map(|words| words.split([':', ',']).next().unwrap_or_default()),
            expect
        );
    };
    check(b"{\"id\":1}", None);
    check(b"", None);
    check(b"\x1f\x8b\x08", Some("gzip"));
    check(b"\xff\xfe{\0", Some("UTF-16"));
    check(b"{\0\"\0i\0d\0", Some("UTF-16 without a mark"));
    let text = |head: &str, expect: &str| {
        assert!(recognize_text(head).starts_with(expect), "{head}: {}", recognize_text(head));
    };
    text("task,label\n1,x\n", "CSV");
    text("a;b\n1;2\n", "CSV");
    text("[{\"id\":1}]", "a JSON array");
    text("{\"uuid\":1}\n{\"uuid\":2}\n", "JSON lines of another shape");
    text("2024-06-03T00:03:25Z INFO started\n2024-06-03T00:03:26Z WARN slow\n", "a log");
    text("level=info msg=ok\nlevel=warn msg=slow\n", "a log");
    text("hello\nthere\n", "no JSON lines");
}
