//! What the first bytes of the terminal's are: a key, a report, a string that begins, or not yet
//! whole.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::keys::{key, known, mouse, of_char};

/// After what nobody types: a report whose end is late.
pub(super) const LATE: Duration = Duration::from_secs(3);
/// After Esc, for what would make it a sequence.
const AFTER_ESC: Duration = Duration::from_millis(50);
/// After what may have been typed, or may be the beginning of a report.
const UNDECIDED: Duration = Duration::from_millis(500);
/// The longest control sequence.
const SEQUENCE_MAX: usize = 256;
/// What may still turn out to have been typed.
const UNDECIDED_MAX: usize = 64;

pub(super) const ESC: u8 = 0x1b;
pub(super) const BEL: u8 = 0x07;

/// What the first bytes come to.
pub(super) enum Step {
    /// So many bytes are this event, or nothing.
    Took(usize, Option<Event>),
    /// So many bytes were typed as these keys.
    Typed(usize, Vec<KeyEvent>),
    /// So many bytes begin a string.
    Opens(usize),
    Paste(usize),
    /// More is wanted: for how long, and what it is without.
    More(Duration, Without),
}

/// What becomes of bytes that nothing more follows.
pub(super) enum Without {
    /// Each is a key, the first one Esc.
    Keys,
    Nothing,
}

/// Reads the first bytes; there is at least one.
pub(super) fn step(bytes: &[u8]) -> Step {
    // Control characters of eight bits, alone or as UTF-8 has them.
    let c1 = match bytes {
        [0xc2] => return Step::More(AFTER_ESC, Without::Nothing),
        [0xc2, c1 @ 0x80..=0x9f, ..] => Some((2, *c1)),
        [c1 @ 0x80..=0x9f, ..] => Some((1, *c1)),
        _ => None,
    };
    if let Some((from, c1)) = c1 {
        return match c1 {
            0x9b => sequence(bytes, from),
            0x90 | 0x98 | 0x9d..=0x9f => Step::Opens(from),
            _ => Step::Took(from, None),
        };
    }
    match bytes {
        [ESC] => Step::More(AFTER_ESC, Without::Keys),
        [ESC, ESC, ..] => Step::Took(1, Some(key(KeyCode::Esc, KeyModifiers::NONE))),
        [ESC, b'[', ..] => sequence(bytes, 2),
        [ESC, kind @ (b']' | b'P' | b'_' | b'^' | b'X'), body @ ..] => string(*kind, body),
        [ESC, b'O', ..] => single_shift(bytes),
        [ESC, rest @ ..] => match character(rest) {
            Step::Took(n, Some(Event::Key(typed))) => Step::Took(
                n + 1,
                Some(Event::Key(KeyEvent::new(typed.code, typed.modifiers | KeyModifiers::ALT))),
            ),
            Step::Took(n, other) => Step::Took(n + 1, other),
            more => more,
        },
        _ => character(bytes),
    }
}

/// One character, control or not.
fn character(bytes: &[u8]) -> Step {
    let control = |c: u8| Some(key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL));
    let took = |event| Step::Took(1, event);
    match bytes[0] {
        0 => took(control(b' ')),
        // Some send a line feed for Enter; as ctrl-j it would delete what was typed.
        b'\r' | b'\n' => took(Some(key(KeyCode::Enter, KeyModifiers::NONE))),
        b'\t' => took(Some(key(KeyCode::Tab, KeyModifiers::NONE))),
        0x7f => took(Some(key(KeyCode::Backspace, KeyModifiers::NONE))),
        c @ 0x01..=0x1a => took(control(c - 1 + b'a')),
        c @ 0x1c..=0x1f => took(control(c - 0x1c + b'4')),
        c @ b' '..=b'~' => took(Some(of_char(char::from(c)))),
        lead => {
            let width = match lead {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return took(None), // no character begins so
            };
            let there = bytes.len().min(width);
            match std::str::from_utf8(&bytes[..there]) {
                Ok(text) => Step::Took(width, text.chars().next().map(of_char)),
                Err(error) if error.error_len().is_none() => {
                    Step::More(UNDECIDED, Without::Nothing)
                }
                Err(error) => Step::Took(error.error_len().unwrap_or(1).max(1), None),
            }
        }
    }
}

/// ESC and a letter that begins a string, if what follows is what a terminal reports.
fn string(kind: u8, body: &[u8]) -> Step {
    let typed = || {
        let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        match of_char(char::from(kind)) {
            Event::Key(letter) => Step::Typed(2, vec![esc, letter]),
            _ => Step::Took(2, None),
        }
    };
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = body.get(digits);
    let opens = match kind {
        b']' => digits > 0 && after == Some(&b';'),
        b'P' => matches!(after, Some(b'$' | b'>' | b'!' | b'+' | b'|' | b'=' | b'?' | b'{')),
        b'_' => body.first() == Some(&b'G'),
        _ => false,
    };
    if opens {
        return Step::Opens(2);
    }
    // A string that is whole is one, whatever it says.
    let end = body.iter().position(|byte| byte.is_ascii_control());
    let may_go_on = match kind {
        b']' => after.is_none() || digits == 0 && matches!(body.first(), Some(b'l' | b'L' | b'I')),
        b'P' => after.is_none() || after == Some(&b';'),
        _ => true,
    };
    match end.map(|end| &body[end..]) {
        // Of how much was read after its end nothing depends.
        _ if !may_go_on || end.unwrap_or(body.len()) > UNDECIDED_MAX => typed(),
        None => Step::More(UNDECIDED, Without::Keys),
        Some([ESC]) if !body.starts_with(&[ESC]) => Step::More(UNDECIDED, Without::Keys),
        // One that ends at once is typed, as it is where its end comes in two reads.
        Some([ESC, b'\\', ..]) if !body.starts_with(&[ESC]) => Step::Opens(2),
        Some([BEL, ..]) => Step::Opens(2),
        Some(_) => typed(),
    }
}

/// ESC O and a letter: keys of the keypad and the first four function keys.
fn single_shift(bytes: &[u8]) -> Step {
    let code = match bytes.get(2) {
        None => return Step::More(AFTER_ESC, Without::Keys),
        Some(b'A') => KeyCode::Up,
        Some(b'B') => KeyCode::Down,
        Some(b'C') => KeyCode::Right,
        Some(b'D') => KeyCode::Left,
        Some(b'F') => KeyCode::End,
        Some(b'H') => KeyCode::Home,
        Some(b'M') => KeyCode::Enter,
        Some(c @ b'P'..=b'S') => KeyCode::F(c - b'P' + 1),
        // Esc, then O was typed.
        Some(_) => {
            let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
            return Step::Typed(
                2,
                vec![esc, KeyEvent::new(KeyCode::Char('O'), KeyModifiers::SHIFT)],
            );
        }
    };
    Step::Took(3, Some(key(code, KeyModifiers::NONE)))
}

/// A control sequence whose parameters begin at `from`.
fn sequence(bytes: &[u8], from: usize) -> Step {
    let body = &bytes[from..];
    let parameters = body.iter().take_while(|byte| matches!(byte, 0x30..=0x3f)).count();
    let between = body[parameters..].iter().take_while(|byte| matches!(byte, 0x20..=0x2f)).count();
    let end = parameters + between;
    let Some(&last) = body.get(end) else {
        return match (end, from) {
            // Esc and [ may have been typed.
            (0, 2) => Step::More(UNDECIDED, Without::Keys),
            _ if end > SEQUENCE_MAX => Step::Took(bytes.len(), None),
            _ => Step::More(LATE, Without::Nothing),
        };
    };
    if !(0x40..=0x7e).contains(&last) {
        // Cut off by something else, which counts.
        let typed =
            [KeyCode::Esc, KeyCode::Char('[')].map(|code| KeyEvent::new(code, KeyModifiers::NONE));
        return if end == 0 && from == 2 {
            Step::Typed(2, typed.to_vec())
        } else {
            Step::Took(from + end, None)
        };
    }
    let whole = from + end + 1;
    match (&body[..end], last) {
        (b"200", b'~') => Step::Paste(whole),
        // The Linux console's function keys have one letter more.
        (b"", b'[') => match bytes.get(whole) {
            None => Step::More(AFTER_ESC, Without::Nothing),
            Some(c @ b'A'..=b'E') => {
                Step::Took(whole + 1, Some(key(KeyCode::F(c - b'A' + 1), KeyModifiers::NONE)))
            }
            Some(_) => Step::Took(whole, None),
        },
        // A click as the oldest terminals tell it: three bytes more.
        (b"", b'M') => match &bytes[whole..] {
            [button, x, y, ..] => {
                let at = |byte: &u8| u16::from(byte.saturating_sub(33));
                Step::Took(
                    whole + 3,
                    mouse(u16::from(button.saturating_sub(32)), at(x), at(y), false),
                )
            }
            _ => Step::More(LATE, Without::Nothing),
        },
        (parameters, last) if between == 0 => Step::Took(whole, known(parameters, last)),
        _ => Step::Took(whole, None),
    }
}
