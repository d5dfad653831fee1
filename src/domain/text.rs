//! Text from outside, made safe to show.
//!
//! A terminal obeys what is written to it, and a bidi override makes a reader see another order
//! than the model saw. So every screen and every line of output passes outside text through
//! [`visible`]: what would act instead of being read is replaced by its name between guillemets.

use std::borrow::Cow;
use std::ops::Range;

use unicode_linebreak::linebreaks;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// `text` on one line, with everything that is not plainly readable made visible: `«ESC»`,
/// `«U+202E»`.
///
/// Line feeds and tabs are named too; use [`visible_lines`] to keep them.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut previous = ' ';
    let mut marks = 0;
    let count = |out: &mut String, marks: usize| {
        if marks > MARKS_MAX {
            out.push_str(&format!("«+{} marks»", marks - MARKS_MAX));
        }
    };
    let mut flag = 0;
    for (at, c) in text.char_indices() {
        // The flags of three countries are written with letters that nobody sees.
        if c == '\u{1f3f4}' {
            flag = FLAGS
                .iter()
                .find(|flag| text[at..].starts_with(**flag))
                .map_or(0, |flag| flag.chars().count());
        }
        if flag > 0 {
            flag -= 1;
            out.push(c);
            previous = c;
            continue;
        }
        // What is piled up on one letter covers the rows around it.
        if c > '\u{2ff}' && is_combining_mark(c) {
            marks += 1;
            if marks > MARKS_MAX {
                continue;
            }
        } else {
            count(&mut out, marks);
            marks = 0;
        }
        if acts(c, previous) {
            push_name(&mut out, c);
        } else {
            out.push(c);
        }
        previous = c;
    }
    count(&mut out, marks);
    Cow::Owned(out)
}

/// England, Scotland and Wales.
const FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Marks on one letter that are shown.
const MARKS_MAX: usize = 8;

/// The lines of `text`, each made visible; tabs become spaces to the next column of four.
pub fn visible_lines(text: &str) -> Vec<String> {
    let line_of = |line: &str| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut out = String::new();
        for (i, part) in line.split('\t').enumerate() {
            if i > 0 {
                let column = width(&out);
                out.extend(std::iter::repeat_n(' ', 4 - column % 4));
            }
            out.push_str(&visible(part));
        }
        out
    };
    text.split('\n').map(line_of).collect()
}

/// Whether a terminal or a reader would be led by `c` instead of reading it.
fn acts(c: char, previous: char) -> bool {
    match c {
        // Joiners are ordinary after a letter or a picture of the scripts that use them.
        '\u{200c}' | '\u{200d}' => {
            let written = previous.is_alphabetic() || previous > '\u{2000}';
            // In Indic scripts after a sign of a vowel, or what joins two consonants.
            let indic = previous > '\u{900}' && is_combining_mark(previous);
            previous.is_ascii() || !(written || indic)
        }
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true, // fillers: letters that look like nothing
        _ => c.is_control(),
    }
}

/// Whether `c` leaves nothing on paper: white space, what Unicode says may be ignored, format and
/// control characters, and the Braille cell without dots.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether nobody could see anything of `text`.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

fn push_name(out: &mut String, c: char) {
    const C0: [&str; 32] = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF",
        "CR", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM",
        "SUB", "ESC", "FS", "GS", "RS", "US",
    ];
    out.push('«');
    match C0.get(c as usize) {
        Some(name) => out.push_str(name),
        None if c == '\u{7f}' => out.push_str("DEL"),
        None => out.push_str(&format!("U+{:04X}", c as u32)),
    }
    out.push('»');
}

/// JSON whose every character that would act on a terminal is written as `\u` and its four hex
/// digits: the same value.
///
/// `json` must be JSON; such characters stand only inside its strings.
pub fn json_for_output(json: &str) -> Cow<'_, str> {
    if json.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c != '\n' && acts(c, ' ') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Columns that `text` takes on a terminal: those of its signs, one by one. Of more than a sign the
/// table knows ligatures that a grid of cells does not have.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    if is_all_cells(text) {
        return text.chars().count();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Whether every character of a text is a sign of its own in one cell, as far as that is known
/// without asking the tables: ASCII, letters of Europe, quotes, what boxes are drawn with.
pub fn is_all_cells(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{2010}'..='\u{2026}'
            | '\u{2032}' | '\u{2033}' | '\u{2500}'..='\u{259f}' | '\u{25b8}')
    })
}

/// Whether terminals differ about the columns of a sign: it holds what takes a cell of its own on
/// some and none on others. A letter with marks that take none anywhere is sure.
pub fn is_unsure(sign: &str) -> bool {
    if sign.is_ascii() {
        return false;
    }
    let mut flags = 0;
    sign.chars().any(|c| {
        flags += usize::from(('\u{1f1e6}'..='\u{1f1ff}').contains(&c));
        flags > 1
            || matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}' | '\u{e33}' | '\u{eb3}'
                | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | '\u{1160}'..='\u{11ff}'
                | '\u{d7b0}'..='\u{d7ff}')
            || (c >= '\u{900}' && canonical_combining_class(c) == VIRAMA)
            || (c >= '\u{900}' && c.general_category() == GeneralCategory::SpacingMark)
            || matches!(c, '\u{1039}' | '\u{17d2}')
    })
}

/// Whether any sign of a text is [unsure](is_unsure).
pub fn has_unsure(text: &str) -> bool {
    !is_all_cells(text) && text.graphemes(true).any(is_unsure)
}

/// The combining class of what joins two consonants.
const VIRAMA: u8 = 9;

/// The start of `text` that fits in `columns`, with `…` where something was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    if is_all_cells(text) {
        out.extend(text.chars().take(columns - 1));
        out.push('…');
        return Cow::Owned(out);
    }
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if used + wide > columns - 1 {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// `text` broken into lines of at most `columns`: where Unicode allows it (UAX 14), inside a word
/// where it must.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_ranges(text, columns).into_iter().map(|line| text[line].trim_end().to_owned()).collect()
}

/// Where the lines of [`wrap`] stand in `text`, each with the blanks it ends in.
pub fn wrap_ranges(text: &str, columns: usize) -> Vec<Range<usize>> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let (mut start, mut used, mut last) = (0, 0, 0);
    for (end, _) in linebreaks(text) {
        let piece = &text[last..end];
        let word = piece.trim_end();
        let wide = width(word);
        if used + wide > columns && wide <= columns && last > start {
            lines.push(start..last);
            (start, used) = (last, 0);
        }
        if used + wide > columns {
            let mut at = last;
            // What stands before a sign belongs to it, however much of it there is.
            let parts = |sign| {
                let apart = if width(sign) > columns { "" } else { sign };
                let whole = (!apart.is_empty()).then_some(apart);
                let chars = sign.split_inclusive(|_| true).filter(move |_| apart.is_empty());
                whole.into_iter().chain(chars)
            };
            for sign in word.graphemes(true).flat_map(parts) {
                let wide = width(sign);
                if used + wide > columns && at > start {
                    lines.push(start..at);
                    (start, used) = (at, 0);
                }
                used += wide;
                at += sign.len();
            }
        } else {
            used += wide;
        }
        used += width(&piece[word.len()..]);
        last = end;
    }
    if start < text.len() || lines.is_empty() {
        lines.push(start..text.len());
    }
    lines
}

/// Where a line may end, without the end of the text, which always may.
pub fn break_places(text: &str) -> impl Iterator<Item = usize> + '_ {
    linebreaks(text).map(|(at, _)| at)
}

/// At most `bytes` bytes of `text`, cut between characters.
pub fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The start of `text` in at most so many bytes, and how many characters more there were: nothing
/// is cut unsaid. Cut again, it counts on.
pub fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    let (whole, before) = match text.strip_suffix(MORE_END).and_then(|rest| rest.rsplit_once(MORE))
    {
        Some((whole, n)) => n.parse::<usize>().map_or((text, 0), |n| (whole, n)),
        None => (text, 0),
    };
    if whole.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let kept = head(whole, bytes);
    let more = whole[kept.len()..].chars().count() + before;
    Cow::Owned(format!("{kept}{MORE}{more}{MORE_END}"))
}

/// What stands where a text was cut.
const MORE: &str = "… (";
const MORE_END: &str = " more characters)";

/// So many of a thing, in words: `1 row`, `2 entries`.
pub fn counted(n: impl TryInto<u64>, one: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    if n == 1 {
        return format!("1 {one}");
    }
    let more = match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if one.ends_with(['s', 'x']) => format!("{one}es"),
        _ => format!("{one}s"),
    };
    format!("{n} {more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heaped_before_a_sign_runs_over_no_edge() {
        for before in ["\u{600}", "\u{d4e}"] {
            let text = format!("a word {}b, and more", before.repeat(300));
            for columns in [5, 20, 40] {
                for row in wrap(&text, columns) {
                    assert!(width(&row) <= columns, "{row:?} in {columns}");
                }
            }
        }
    }

    /// What the tables are not asked about is what they say.
    #[test]
    fn characters_that_are_cells_are_signs_of_one_column() {
        let all: Vec<char> =
            ('\0'..='\u{2fff}').filter(|c| is_all_cells(c.encode_utf8(&mut [0; 4]))).collect();
        assert!(all.len() > 700, "{}", all.len());
        for (i, c) in all.iter().enumerate() {
            // Beside any kind of other.
            for other in all.iter().skip(i % 7).step_by(7) {
                let text: String = [*c, *other].iter().collect();
                let signs: Vec<usize> = text.graphemes(true).map(UnicodeWidthStr::width).collect();
                assert_eq!(signs, [1, 1], "{c:?} {other:?}");
            }
            assert!(!is_unsure(&c.to_string()), "{c:?}");
        }
    }

    #[test]
    fn what_is_cut_is_counted_however_often() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdef", 4), "abcd… (2 more characters)");
        assert_eq!(cut("äöü", 3), "ä… (2 more characters)");
        assert_eq!(cut(&cut("abcdefgh", 6), 2), "ab… (6 more characters)");
        assert_eq!(cut(&cut("abcdefgh", 6), 7), "abcdef… (2 more characters)");
    }

    fn check(input: &str, expect: &str) {
        assert_eq!(visible(input), expect);
    }

    #[test]
    fn what_would_act_is_named() {
        check("plain", "plain");
        check("\u{1b}[31mred", "«ESC»[31mred");
        check("a\u{202e}b", "a«U+202E»b");
        check("\u{9b}2J", "«U+009B»2J");
        check("two\nlines\t", "two«LF»lines«TAB»");
        check("zero\u{200b}width", "zero«U+200B»width");
        check("é 漢 👍🏽", "é 漢 👍🏽");
        check("👩\u{200d}🔬", "👩\u{200d}🔬");
        check("a\u{200d}b", "a«U+200D»b");
    }

    #[test]
    fn no_control_or_format_character_survives() {
        for c in
            ('\0'..='\u{e007f}').filter(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c))
        {
            let shown = visible(&format!("x{c}y")).into_owned();
            assert!(!shown.contains(c), "{:x}", c as u32);
            let json = serde_json::to_string(&c.to_string()).unwrap();
            let out = json_for_output(&json).into_owned();
            assert!(c == '\n' || !out.contains(c), "{:x}", c as u32);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), c.to_string());
        }
    }

    #[test]
    fn text_is_cut_and_wrapped_by_columns() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(wrap("move some money", 9), ["move some", "money"]);
        assert_eq!(wrap("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("", 4), [""]);
        // No line begins with what belongs to the word before it.
        assert_eq!(wrap("everybody is, reveal", 13), ["everybody is,", "reveal"]);
        assert_eq!(wrap("everybody is, reveal", 12), ["everybody", "is, reveal"]);
        assert_eq!(wrap("漢字漢字。漢", 8), ["漢字漢", "字。漢"]);
        assert_eq!(width("السلام"), 6);
        assert_eq!(visible_lines("a\tb\r\nc"), ["a   b", "c"]);
    }

    #[test]
    fn one_thing_is_one() {
        let words =
            [counted(1, "row"), counted(0, "entry"), counted(3_usize, "day"), counted(2, "class")];
        assert_eq!(words, ["1 row", "0 entries", "3 days", "2 classes"]);
    }
}
