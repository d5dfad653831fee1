//! What the terminal sends, as events: keys, pastes, the mouse; and nothing of what it only
//! reports.
//!
//! Programs before us, multiplexers and editors ask the terminal who it is, and its answer may come
//! when we read: device attributes, colours, titles. Bytes may be split between reads anywhere. So
//! every control sequence is taken as one thing up to its own end, known or not, and a string (OSC,
//! DCS, APC, PM, SOS) up to its terminator however late that comes.
//!
//! ```text
//!  ground ──ESC──▶ escape ──[──▶ CSI … final byte 0x40–0x7E ──▶ an event, or nothing
//!    │               │─────] P _ ^ X──▶ string? ──its beginning is a reply's──▶ swallowed up to ESC \ or BEL
//!    │               │                    └─────anything else was typed: Esc, then keys
//!    │               └─────O──▶ SS3 … one byte
//!    └──CSI 200~──▶ paste … CSI 201~
//! ```
//!
//! What is not yet whole is waited for: [`Decoder::patience`] says how long, [`Decoder::time_out`]
//! settles it then. Esc alone is a key, and so is Esc with a key typed right after it, in one
//! packet.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers};

mod keys;
mod step;

use keys::key;
use step::{BEL, ESC, LATE, Step, Without, step};

/// The longest string that is swallowed, and the longest paste.
const STRING_MAX: usize = 16 << 20;

const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into events.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What is not yet whole.
    pending: Vec<u8>,
    state: State,
    /// What the terminal said of itself, until somebody takes it.
    pub replies: Vec<Reply>,
}

/// What a terminal says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Whether its background is light.
    Background { light: bool },
    /// What it is called.
    Name(String),
    /// Every question that was asked before is answered.
    Done {
        /// It says that it draws sixels.
        sixels: bool,
    },
    /// It has taken in all that was written before.
    Ready,
}

impl Reply {
    /// The reply that a string of a terminal is.
    fn of_string(kind: u8, text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        match kind {
            b']' => {
                let colour = text.strip_prefix("11;rgb:")?;
                let part = |part: &str| {
                    let most = (1_u32 << (4 * part.len().min(4))) - 1;
                    let value =
                        u32::from_str_radix(part, 16).ok().filter(|value| *value <= most)?;
                    Some(f64::from(value) / f64::from(most.max(1)))
                };
                let parts: Vec<f64> = colour.split('/').map(part).collect::<Option<_>>()?;
                let [r, g, b] = parts[..] else { return None };
                Some(Self::Background { light: 0.299 * r + 0.587 * g + 0.114 * b > 0.5 })
            }
            b'P' => Some(Self::Name(text.strip_prefix(">|")?.to_owned())),
            _ => None,
        }
    }
}

/// Bytes of a string that are kept: what terminals say of themselves is short.
const REPLY_MAX: usize = 200;

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// In a string that is no key: how much was swallowed, its last byte, and how many bytes its
    /// last character lacks.
    Swallowing {
        /// What it is: the letter after ESC.
        kind: u8,
        /// Its beginning.
        begin: Vec<u8>,
        bytes: usize,
        last: u8,
        lacks: u8,
    },
    Paste(Vec<u8>),
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what was read.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            match &mut self.state {
                State::Swallowing { .. } => self.swallow(),
                State::Paste(_) => {
                    if !self.paste(out) {
                        return;
                    }
                }
                State::Ground => match step(&self.pending) {
                    Step::Took(n, event) => {
                        let taken = &self.pending[..n];
                        if taken.starts_with(b"\x1b[?") && taken.ends_with(b"c") {
                            // The first number is how it counts terminals, the rest what it can.
                            let can = std::str::from_utf8(&taken[3..n - 1]).unwrap_or_default();
                            let sixels = can.split(';').skip(1).any(|one| one == "4");
                            self.replies.push(Reply::Done { sixels });
                        }
                        if taken == b"\x1b[0n" {
                            self.replies.push(Reply::Ready);
                        }
                        out.extend(event);
                        self.pending.drain(..n);
                    }
                    Step::Typed(n, keys) => {
                        out.extend(keys.into_iter().map(Event::Key));
                        self.pending.drain(..n);
                    }
                    Step::Opens(n) => {
                        // Of one byte or two, it is the same letter.
                        let kind = match self.pending[n - 1] {
                            0x9d => b']',
                            0x90 => b'P',
                            kind => kind,
                        };
                        self.pending.drain(..n);
                        let begin = Vec::new();
                        self.state = State::Swallowing { kind, begin, bytes: 0, last: 0, lacks: 0 };
                    }
                    Step::Paste(n) => {
                        self.pending.drain(..n);
                        self.state = State::Paste(Vec::new());
                    }
                    Step::More(..) => return,
                },
            }
        }
    }

    /// How long to wait for what is wanted; nothing if nothing is.
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground if self.pending.is_empty() => None,
            State::Ground => match step(&self.pending) {
                Step::More(patience, _) => Some(patience),
                _ => None,
            },
            State::Swallowing { .. } | State::Paste(_) => Some(LATE),
        }
    }

    /// Settles what nothing followed.
    pub fn time_out(&mut self, out: &mut Vec<Event>) {
        let pending = std::mem::take(&mut self.pending);
        match std::mem::take(&mut self.state) {
            State::Swallowing { .. } => {}
            State::Paste(mut text) => {
                text.extend(pending);
                out.push(Event::Paste(String::from_utf8_lossy(&text).into_owned()));
            }
            State::Ground if pending.is_empty() => {}
            State::Ground => {
                if let Step::More(_, Without::Keys) = step(&pending) {
                    out.push(key(KeyCode::Esc, KeyModifiers::NONE));
                    self.feed(&pending[1..], out);
                }
            }
        }
    }

    /// Goes on to the end of a string.
    fn swallow(&mut self) {
        let State::Swallowing { kind, begin, bytes, last, lacks } = &mut self.state else {
            return;
        };
        let mut taken = 0;
        let mut ended = false;
        for byte in &self.pending {
            // Another sequence begins, so the string has ended.
            if *last == ESC && *byte != b'\\' {
                ended = true;
                break;
            }
            taken += 1;
            ended = match (*last, *byte) {
                (ESC, b'\\') | (_, BEL | CAN | SUB) => true,
                // ST of one byte, alone or as UTF-8 has it; inside another character it is none.
                (before, 0x9c) => *lacks == 0 || before == 0xc2,
                _ => false,
            };
            *lacks = match byte {
                0xc2..=0xdf => 1,
                0xe0..=0xef => 2,
                0xf0..=0xf4 => 3,
                0x80..=0xbf => lacks.saturating_sub(1),
                _ => 0,
            };
            *last = *byte;
            if ended {
                break;
            }
            if begin.len() < REPLY_MAX && *byte != ESC {
                begin.push(*byte);
            }
        }
        if ended {
            self.replies.extend(Reply::of_string(*kind, begin));
        }
        *bytes += taken;
        let goes_on = (*last == ESC && ended).then_some(ESC);
        if ended || *bytes > STRING_MAX {
            self.state = State::Ground;
        }
        // The ESC that ended it begins what follows.
        self.pending.splice(..taken, goes_on);
    }

    /// Goes on to the end of a paste; whether that was there.
    fn paste(&mut self, out: &mut Vec<Event>) -> bool {
        let State::Paste(text) = &mut self.state else { return false };
        match self.pending.windows(PASTE_END.len()).position(|part| part == PASTE_END) {
            Some(end) => {
                text.extend(self.pending.drain(..end));
                self.pending.drain(..PASTE_END.len());
                out.push(Event::Paste(String::from_utf8_lossy(text).into_owned()));
                self.state = State::Ground;
                true
            }
            None => {
                let keep = self.pending.len().saturating_sub(PASTE_END.len() - 1);
                if text.len() < STRING_MAX {
                    text.extend_from_slice(&self.pending[..keep]);
                }
                self.pending.drain(..keep);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_nothing_follows_is_nothing() {
        let mut out = Vec::new();
        Decoder::new().time_out(&mut out);
        assert_eq!(out, []);
    }

    #[test]
    fn a_string_that_ends_at_once_is_the_same_however_it_is_read() {
        let text = b"\x1b_\x1b\\a";
        let whole = events(&[&text[..]]);
        for cut in 1..text.len() {
            assert_eq!(events(&[&text[..cut], &text[cut..]]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_read_after_a_string_does_not_change_what_it_was() {
        for after in [0, 10, 4_096] {
            let text = format!("\x1b_unknown\x07{}", "a".repeat(after));
            assert_eq!(events(&[text]).len(), after, "the string is no key");
        }
    }

    /// The events of bytes that come in these parts, with nothing after them.
    fn events<B: AsRef<[u8]>>(parts: &[B]) -> Vec<Event> {
        let mut decoder = Decoder::new();
        let mut out = Vec::new();
        for part in parts {
            decoder.feed(part.as_ref(), &mut out);
        }
        while decoder.patience().is_some() {
            decoder.time_out(&mut out);
        }
        out
    }

    fn words(parts: &[&[u8]]) -> String {
        let word = |event: &Event| match event {
            Event::Key(key) => crate::tui::key::KeyPress::of(key).to_string(),
            Event::Paste(text) => format!("paste {text:?}"),
            Event::Mouse(mouse) => format!("{:?} {} {}", mouse.kind, mouse.column, mouse.row),
            other => format!("{other:?}"),
        };
        events(parts).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keys_are_keys() {
        let check = |bytes: &[u8], expect: &str| {
            assert_eq!(words(&[bytes]), expect, "{:?}", String::from_utf8_lossy(bytes))
        };
        check(b"aZ1 \t\r\n\x7f", "a Z 1 Space Tab Enter Enter Backspace");
        check(b"\x10\x1a\x03", "ctrl-p ctrl-z ctrl-c");
        check("ü退👩".as_bytes(), "ü 退 👩");
        check(b"\x1b", "Esc");
        check(b"\x1b\x1b", "Esc Esc");
        check(b"\x1bx", "alt-x");
        check(b"\x1b[A\x1b[B\x1bOC\x1b[1;5D", "Up Down Right ctrl-Left");
        check(b"\x1b[5~\x1b[6~\x1b[3~\x1b[H\x1bOF\x1b[1~", "PageUp PageDown Delete Home End Home");
        check(b"\x1bOP\x1b[15~\x1b[24~\x1b[[A", "F1 F5 F12 F1");
        check(b"\x1b[Z", "BackTab");
        check(b"\x1b[97;5u\x1b[27;5;112~\x1b[13;1:3u", "ctrl-a ctrl-p");
        check(
            b"\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<65;1;1M",
            "Down(Left) 9 4 Up(Left) 9 4 ScrollDown 0 0",
        );
        check(b"\x1b[M !\"j", "Down(Left) 0 1 j");
        check(b"\x1b[200~two\nlines \x1b[31m\x1b[201~x", "paste \"two\\nlines \\u{1b}[31m\" x");
        check(b"\xff\xfea\xc3", "a");
    }

    #[test]
    fn esc_and_a_key_in_one_packet_were_typed() {
        let check = |bytes: &[u8], expect: &str| {
            assert_eq!(words(&[bytes]), expect, "{:?}", String::from_utf8_lossy(bytes))
        };
        check(b"\x1b]", "Esc ]");
        check(b"\x1b]1", "Esc ] 1");
        check(b"\x1b]11\r", "Esc ] 1 1 Enter");
        check(b"\x1b]j", "Esc ] j");
        check(b"\x1b[", "Esc [");
        check(b"\x1b[\r", "Esc [ Enter");
        check(b"\x1bP", "Esc P");
        check(b"\x1bPj", "Esc P j");
        check(b"\x1bP1", "Esc P 1");
        check(b"\x1bO", "Esc O");
        check(b"\x1bOj", "Esc O j");
        check(b"\x1bXj", "Esc X j");
        check(b"\x1b_", "Esc _");
    }

    #[test]
    fn a_report_that_never_ends_takes_no_key_for_long() {
        let mut decoder = Decoder::new();
        let mut out = Vec::new();
        decoder.feed(b"\x1b]11;rgb:1111/2222", &mut out);
        assert_eq!(decoder.patience(), Some(LATE));
        decoder.time_out(&mut out);
        decoder.feed(b"j", &mut out);
        assert_eq!(out.len(), 1);
        assert_eq!(decoder.patience(), None);
        // A key sequence ends it too.
        assert_eq!(words(&[b"\x1b]11;rgb:1111\x1b[A", b"k"]), "Up k");
    }

    /// What terminals report, in both forms of their control characters.
    fn reports() -> Vec<Vec<u8>> {
        let texts: &[&str] = &[
            "\u{9b}?62;22c",
            "\u{9b}>1;95;0c",
            "\u{9b}>41;370;0c",
            "\u{9b}=c",
            "\u{9b}0n",
            "\u{9b}?13n",
            "\u{9b}24;80R",
            "\u{9b}?2026;2$y",
            "\u{9b}8;24;80t",
            "\u{9b}?1u",
            "\u{9b}I",
            "\u{9b}O",
            "\u{9d}11;rgb:1111/2222/3333\u{9c}",
            "\u{9d}10;rgb:dddd/dddd/dddd\u{7}",
            "\u{9d}52;c;aGVsbG8=\u{9c}",
            "\u{9d}4;1;rgb:ff/ff/ff\u{9c}",
            "\u{90}1$r0;1q\u{9c}",
            "\u{90}>|XTerm(370) ü\u{9c}",
            "\u{90}!|00000000\u{9c}",
            "\u{90}1+r544e=787465726d\u{9c}",
            "\u{9f}Gi=31;OK\u{9c}",
        ];
        let forms = texts.iter().flat_map(|text| {
            let seven: String = text
                .chars()
                .map(|c| match c {
                    '\u{80}'..='\u{9f}' => format!("\u{1b}{}", char::from(c as u8 - 0x40)),
                    other => other.to_string(),
                })
                .collect();
            let mut eight = Vec::new();
            for c in text.chars() {
                match c {
                    '\u{80}'..='\u{9f}' => eight.push(c as u8),
                    other => eight.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            [text.as_bytes().to_vec(), seven.into_bytes(), eight]
        });
        forms.collect()
    }

    const KEYS: &[&str] = &[
        "j",
        "1",
        "Z",
        ";",
        "\r",
        "\t",
        "ü",
        "退",
        "\u{1b}[A",
        "\u{1b}OP",
        "\u{1b}[5~",
        "\u{10}",
        "\u{1b}[200~pa\u{1b}[201~",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Reports between keys, split between reads anywhere, are as if they were not there.
        #[test]
        fn reports_are_swallowed_whole(
            typed in proptest::collection::vec((0..KEYS.len(), proptest::option::of(any::<prop::sample::Index>())), 0..12),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let reports = reports();
            let (mut with, mut without) = (Vec::new(), Vec::new());
            for (key, report) in &typed {
                if let Some(report) = report {
                    with.extend_from_slice(&reports[report.index(reports.len())]);
                }
                with.extend_from_slice(KEYS[*key].as_bytes());
                without.extend_from_slice(KEYS[*key].as_bytes());
            }
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(with.len() + 1)).chain([0, with.len()]).collect();
            at.sort_unstable();
            let parts: Vec<&[u8]> = at.windows(2).map(|ends| &with[ends[0]..ends[1]]).collect();
            prop_assert_eq!(events(&parts), events(&[without.as_slice()]), "{:?}", String::from_utf8_lossy(&with));
        }

        /// Whatever comes, it ends, and keys work again afterwards.
        #[test]
        fn anything_may_come(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..12)) {
            let mut decoder = Decoder::new();
            let mut out = Vec::new();
            parts.iter().for_each(|part| decoder.feed(part, &mut out));
            while decoder.patience().is_some() {
                decoder.time_out(&mut out);
            }
            let before = out.len();
            decoder.feed(b"j", &mut out);
            prop_assert_eq!(&out[before..], &[key(KeyCode::Char('j'), KeyModifiers::NONE)]);
        }
    }

    #[test]
    fn what_a_terminal_says_of_itself_is_heard_and_is_no_key() {
        let heard = |bytes: &[u8]| {
            let mut decoder = Decoder::new();
            let mut out = Vec::new();
            // Byte by byte, as a slow line brings it.
            for byte in bytes {
                decoder.feed(&[*byte], &mut out);
            }
            assert!(out.is_empty(), "{out:?}");
            decoder.replies
        };
        let light = |light| vec![Reply::Background { light }];
        assert_eq!(heard(b"\x1b]11;rgb:ffff/ffff/dfdf\x1b\\"), light(true));
        assert_eq!(heard(b"\x1b]11;rgb:1c/1c/1c\x07"), light(false));
        assert_eq!(heard(b"\x1b]11;rgb:zz/1/1\x07\x1b]4;1;rgb:ff/ff/ff\x07"), []);
        let name = Reply::Name("Konsole 23.08.1".to_owned());
        assert_eq!(
            heard(b"\x1bP>|Konsole 23.08.1\x1b\\\x1b[?62;4c"),
            [name, Reply::Done { sixels: true }]
        );
    }
}
