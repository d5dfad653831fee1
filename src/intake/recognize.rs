//! What a file is that was given for another: told by its first bytes.

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
}
