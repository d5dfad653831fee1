//! The real program in a real pseudo-terminal: few journeys, what only a terminal can show.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use casework::clock::instant;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{Place, ingest, line};

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// A terminal with a program in it.
pub struct Term {
    screen: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    pub child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
}

impl Term {
    pub fn start(place: &Place, size: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::run(place, size, env, &[env!("CARGO_BIN_EXE_casework")])
    }

    /// The window is of another size.
    pub fn resize(&mut self, (cols, rows): (u16, u16)) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// With any program in it, which finds the workspace.
    pub fn run(place: &Place, size: (u16, u16), env: &[(&str, &str)], args: &[&str]) -> Self {
        let (pixel_width, pixel_height) = (size.0 * 9, size.1 * 18);
        let size = PtySize { rows: size.1, cols: size.0, pixel_width, pixel_height };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(args[0]);
        command.args(&args[1..]);
        for name in ["NO_COLOR", "VISUAL", "EDITOR", "COLORTERM", "TMUX", "STY"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("CASEWORK_WORKSPACE", place.path());
        env.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(some(size.rows), some(size.cols), 0)));
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (to_screen, to_bytes) = (Arc::clone(&screen), Arc::clone(&bytes));
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                to_bytes.lock().unwrap().extend_from_slice(&buffer[..n]);
                to_screen.lock().unwrap().process(&buffer[..n]);
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { screen, bytes, child, writer, master: pair.master }
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    pub fn send(&mut self, keys: &str) {
        // The program may be gone already; what it left behind is what the test looks at.
        let _ = self.writer.write_all(keys.as_bytes());
        let _ = self.writer.flush();
    }

    pub fn wait(&self, what: &str, until: impl Fn(&str) -> bool) {
        let end = instant() + Duration::from_secs(10);
        loop {
            let text = self.text();
            if until(&text) {
                return;
            }
            assert!(instant() < end, "waited for {what}:\n{text}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn wait_for(&self, words: &str) {
        self.wait(words, |text| text.contains(words));
    }

    pub fn wait_end(&mut self) -> u32 {
        let end = instant() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(instant() < end, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it wrote so far.
    pub fn written(&self) -> Vec<u8> {
        std::thread::sleep(Duration::from_millis(30));
        self.bytes.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
    }
}

pub fn sample(cases: i64) -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String = (0..cases)
        .map(|i| line(&format!("p{i}"), &format!("text of case {i}"), "pay", 0.2, i))
        .collect();
    ingest(&mut workspace, &lines);
    place
}

#[test]
fn a_first_label_and_a_clean_end() {
    let place = sample(5);
    let mut term = Term::start(&place, (120, 40), &[]);
    term.wait_for("Can you read the input?");
    term.send("1");
    term.wait_for("Is the model's answer right?");
    term.send("17\r");
    term.wait_for("4 assigned");
    term.wait_for("1 saved");
    term.send("q");
    assert_eq!(term.wait_end(), 0);
    let written = term.written();
    for left in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l"] {
        assert!(
            written.windows(left.len()).any(|part| part == left.as_bytes()),
            "{left:?} was not given back"
        );
    }
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 1);
}

#[test]
fn signals_leave_the_terminal_clean_and_the_draft_kept() {
    for signal in ["TERM", "HUP"] {
        let place = sample(5);
        let mut term = Term::start(&place, (80, 24), &[]);
        term.wait_for("Can you read the input?");
        term.send("1r");
        term.wait_for("Why (Esc: done");
        term.send("half a thou");
        term.wait_for("half a thou");
        term.signal(signal);
        assert_eq!(term.wait_end(), 0, "SIG{signal}");
        assert!(term.written().windows(8).any(|part| part == b"\x1b[?1049l"));
        let term = Term::start(&place, (120, 40), &[]);
        term.wait_for("half a thou");
    }
}

#[test]
fn a_killed_program_has_kept_what_was_typed_a_second_before() {
    let place = sample(5);
    let mut term = Term::start(&place, (120, 40), &[]);
    term.wait_for("Can you read the input?");
    term.send("]");
    term.wait_for("p1");
    term.send("1Lr");
    term.wait_for("Why (Esc: done");
    term.send("never lost");
    term.wait_for("never lost");
    std::thread::sleep(Duration::from_secs(1)); // the promise
    term.signal("KILL");
    term.wait_end();
    let term = Term::start(&place, (120, 40), &[]);
    term.wait_for("never lost");
    term.wait_for("‹Logs›");
    assert!(place.open().verify_all(false).unwrap().ok);
}

#[test]
fn held_keys_are_drawn_once_and_nothing_is_written_at_rest() {
    let place = sample(600);
    let mut term = Term::start(&place, (160, 45), &[]);
    term.wait_for("Can you read the input?");
    term.send("\t\t");
    term.wait("the queue", |text| text.contains("Enter open"));
    let before = term.written().len();
    term.send(&"j".repeat(200));
    term.wait("row 201", |text| text.contains("My queue  201 of 600"));
    let after = term.written().len();
    assert!(
        after - before < 40_000,
        "{} bytes for 200 held keys: frames were queued, not dropped",
        after - before
    );
    // At rest the case under the cursor is shown, once.
    std::thread::sleep(Duration::from_millis(600));
    let shown = term.written().len();
    assert!((1..10_000).contains(&(shown - after)), "{} bytes for a case", shown - after);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(term.written().len(), shown, "then nothing is written");
}

#[test]
fn answers_of_the_terminal_to_nobodys_question_are_not_keys() {
    let place = sample(5);
    let mut term = Term::start(&place, (120, 40), &[]);
    term.wait_for("Can you read the input?");
    term.send("\x1b]11;rgb:1111/1111/1111\x1b\\");
    term.send("\x1b]10;rgb:dddd/dddd/dddd\x07");
    std::thread::sleep(Duration::from_millis(200));
    term.send("?");
    term.wait_for("type to narrow them");
    term.send("\x1b");
    term.wait("help to close", |text| !text.contains("type to narrow them"));
    assert!(
        term.text().contains("Can you read the input?"),
        "no answer was given: {}",
        term.text()
    );
    // Esc and a key in one packet look like the beginning of a reply, and are none.
    term.send("r");
    term.wait_for("Why (Esc: done");
    term.send("\x1b]");
    term.wait("the next case", |text| text.contains("p1  pay") && !text.contains("Why (Esc: done"));
}

#[test]
fn reports_that_come_late_or_in_pieces_answer_no_question() {
    let place = sample(5);
    let mut term = Term::start(&place, (120, 40), &[]);
    term.wait_for("Can you read the input?");
    let pieces: [&[&str]; 5] = [
        &["\x1b[>1;95;0c"],
        &["\x1b[>41;", "370;0c"],
        &["\x1b]11;rgb:1111/2222/3333\x1b", "\\"],
        &["\x1b]1", "1;rgb:1111", "/2222/3333\x1b\\"],
        &["\u{9b}?62;22c", "\u{90}>|XTerm(370)", "\u{9c}"],
    ];
    for parts in pieces {
        for part in parts {
            term.send(part);
            // Longer than a key waits for its other half.
            std::thread::sleep(Duration::from_millis(150));
        }
    }
    let drawn = term.written().len();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(term.written().len(), drawn, "nothing is drawn: {}", term.text());
    assert!(
        term.text().contains("Can you read the input?"),
        "no answer was given: {}",
        term.text()
    );
    term.send("1");
    term.wait_for("Is the model's answer right?");
}

/// The processes whose parent is `pid`.
fn children(pid: u32) -> Vec<u32> {
    let list =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The state that the system shows of a process: `R`, `S`, `T` …; nothing if it is gone.
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = instant() + Duration::from_secs(10);
    while !done() {
        assert!(instant() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_goes_away_ends_the_program_though_hang_ups_are_ignored() {
    let place = sample(5);
    let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", &format!("trap '' HUP; {}; sleep 60", env!("CARGO_BIN_EXE_casework"))]);
    command.env("TERM", "xterm-256color");
    command.env("CASEWORK_WORKSPACE", place.path());
    let mut shell = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    // No thread reads on: the terminal is gone when this test lets go of it.
    let (mut reader, mut writer) =
        (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let mut screen = vt100::Parser::new(some(40), some(120), 0);
    let mut read_until = |words: &str| {
        let mut buffer = [0; 65_536];
        while !screen.screen().contents().contains(words) {
            let n = reader.read(&mut buffer).unwrap();
            screen.process(&buffer[..n]);
        }
    };
    read_until("Can you read the input?");
    writer.write_all(b"1r").unwrap();
    read_until("Why (Esc: done");
    writer.write_all(b"half a thou").unwrap();
    read_until("half a thou");
    let pid = children(shell.process_id().unwrap())[0];
    drop((reader, writer, pair.master));
    wait_until("the program to end", || matches!(state_of(pid), None | Some('Z')));
    shell.kill().unwrap();
    let term = Term::start(&place, (120, 40), &[]);
    term.wait_for("half a thou");
}

#[test]
#[cfg(target_os = "linux")]
fn suspend_goes_back_to_a_shell_and_says_so_where_there_is_none() {
    // Alone in its session, and in a script that no shell controls: nobody could wake it.
    let script = format!("{}; true", env!("CARGO_BIN_EXE_casework"));
    let alone: [&[&str]; 2] = [&[env!("CARGO_BIN_EXE_casework")], &["sh", "-c", &script]];
    for args in alone {
        let place = sample(5);
        let mut term = Term::run(&place, (120, 40), &[], args);
        term.wait_for("Can you read the input?");
        term.send("\x1a");
        term.wait_for("no shell here to go back to");
        term.send("1");
        term.wait_for("Is the model's answer right?");
        term.send("q");
        assert_eq!(term.wait_end(), 0);
    }
    // A shell with job control takes over, and gives the terminal back.
    let place = sample(5);
    let mut term = Term::run(
        &place,
        (120, 40),
        &[("PS1", "shell> "), ("ENV", "/dev/null")],
        &["bash", "--norc", "-i"],
    );
    term.wait_for("shell>");
    term.send(&format!("{}\n", env!("CARGO_BIN_EXE_casework")));
    term.wait_for("Can you read the input?");
    term.send("\x1a");
    term.wait_for("Stopped");
    term.send("echo between\n");
    term.wait_for("between\n");
    term.send("fg\n");
    term.wait_for("Can you read the input?");
    assert!(!term.text().contains("no shell here"), "{}", term.text());
    term.send("1");
    term.wait_for("Is the model's answer right?");
    term.send("q");
    term.wait("the shell", |text| text.trim_end().ends_with("shell>"));
    term.send("exit\n");
    term.wait_end();
}

#[test]
fn a_key_that_means_something_alone_needs_no_enter_where_somebody_wants_that() {
    let place = sample(3);
    place.ok(&["profile", "keys", "single"]);
    let mut term = Term::start(&place, (80, 40), &[("TERM", "dumb")]);
    term.wait("a question", |text| text.trim_end().ends_with("Answer:"));
    term.send("1");
    term.wait_for("Question: 2.");
    // Enter by habit, an arrow, and Escape say nothing.
    term.send("\n\x1b[A\x1b");
    term.send("u");
    term.wait("the question before", |text| text.matches("Question: 1.").count() == 2);
    // What is no key of its own is a line, as what begins with a colon is.
    term.send(":queue\n");
    term.wait_for("Queue: 3 cases.");
    term.send("no");
    std::thread::sleep(Duration::from_millis(300));
    term.send("pe\n");
    term.send("q");
    assert_eq!(term.wait_end(), 0, "{}", term.text());
    assert!(!term.written().contains(&0x08), "nothing moves the cursor back");
}

#[test]
fn control_c_takes_back_a_line_and_twice_leaves_with_what_was_begun_kept() {
    let place = sample(2);
    let mut term = Term::start(&place, (80, 24), &[("TERM", "dumb")]);
    term.wait("a question", |text| text.trim_end().ends_with("Answer:"));
    term.send("1\n");
    term.wait_for("Said: Yes.");
    term.send("no such ans");
    term.send("\u{3}");
    term.wait_for("Cancelled: that line was not taken. Ctrl-C again leaves.");
    // A line in between: once more is no second time.
    term.wait("the question again", |text| text.trim_end().ends_with("Answer:"));
    term.send("why\n");
    term.wait("reasons", |text| text.trim_end().ends_with("Reasons:"));
    term.send("because it\n");
    term.wait("more reasons", |text| text.matches("Reasons:").count() == 2);
    term.send("\u{3}");
    term.wait_for("Cancelled: what was written of the reasons is kept.");
    term.send("\u{3}");
    assert_eq!(term.wait_end(), 0, "{}", term.text());
    assert!(term.text().contains("Draft kept."), "{}", term.text());
    let mut term = Term::start(&place, (80, 24), &[("TERM", "dumb")]);
    term.wait_for("Question: 2.");
    term.send("why\n");
    term.wait_for("because it");
}

#[test]
fn resize_editor_and_no_color() {
    let place = sample(5);
    let editor = place.dir.path().join("editor.sh");
    std::fs::write(&editor, "#!/bin/sh\nprintf 'from the editor \\033[31m' >> \"$1\"\n").unwrap();
    std::process::Command::new("chmod").args(["+x", editor.to_str().unwrap()]).status().unwrap();
    let mut term =
        Term::start(&place, (160, 45), &[("EDITOR", editor.to_str().unwrap()), ("NO_COLOR", "1")]);
    term.wait_for("Can you read the input?");
    term.wait_for("My queue");
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    term.screen.lock().unwrap().screen_mut().set_size(some(24), some(80));
    term.master.resize(size).unwrap();
    term.wait("stacked panes", |text| text.contains("Guide") && !text.contains("My queue"));
    term.send("R");
    term.wait_for("from the editor «ESC»[31m");
    let written = String::from_utf8_lossy(&term.written()).into_owned();
    let colored =
        written.split("\x1b[").skip(1).filter_map(|part| part.split_once('m')).any(|(codes, _)| {
            !codes.is_empty()
                && codes.split(';').any(|code| {
                    code.parse::<u8>()
                        .is_ok_and(|code| (30..=37).contains(&code) || (90..=97).contains(&code))
                })
        });
    assert!(!colored, "NO_COLOR means none");
}

#[test]
fn the_terminal_arranges_right_to_left_text_again_when_we_leave() {
    let place = sample(3);
    let mut term = Term::start(&place, (120, 40), &[]);
    term.wait_for("Can you read the input?");
    let seen = |term: &Term, what: &[u8]| {
        let bytes = term.bytes.lock().unwrap();
        bytes.windows(what.len()).filter(|part| *part == what).count()
    };
    assert_eq!((seen(&term, b"\x1b[8l"), seen(&term, b"\x1b[8h")), (1, 0));
    term.send("q");
    let end = instant() + Duration::from_secs(10);
    while seen(&term, b"\x1b[8h") == 0 {
        assert!(instant() < end, "it was not told");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(seen(&term, b"\x1b[?7h") > 0, "lines wrap again");
}

/// A picture in points goes to a terminal that said that it draws them, and to no other; it is gone
/// with its window.
#[test]
fn points_go_only_to_a_terminal_that_draws_them() {
    use base64::Engine as _;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 120, 80);
    encoder.set_color(png::ColorType::Rgb);
    let points: Vec<u8> = (0..120 * 80 * 3).map(|n: u32| (n * 7 % 251) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&points).unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode(&png);
    let place = Place::new();
    let mut workspace = place.create();
    let input =
        serde_json::json!({ "text": "a scan", "scan": format!("data:image/png;base64,{data}") });
    let of_case = line("p0", "a scan", "pay", 0.2, 0);
    let mut of_case: serde_json::Value = serde_json::from_str(&of_case).unwrap();
    of_case["input"] = input;
    ingest(&mut workspace, &format!("{of_case}\n"));
    drop(workspace);
    let kitty = "\x1bP>|kitty(0.43.1)\x1b\\\x1b[?62c";
    let sixels = "\x1bP>|XTerm(390)\x1b\\\x1b[?64;1;4;22c";
    let (in_kitty, inline, in_sixels) =
        ("\x1b_Ga=T,f=100", "\x1b]1337;File=inline=1", "\x1bP0;1;0q");
    for (answer, env, expected) in [
        (kitty, &[][..], Some(in_kitty)),
        ("\x1bP>|WezTerm 20240203\x1b\\\x1b[?65;4c", &[], Some(inline)),
        (sixels, &[], Some(in_sixels)),
        ("\x1b[?62c", &[], None),
        ("", &[], None),
        (kitty, &[("TMUX", "/tmp/t,1,0")], None),
        ("\x1bP>|tmux 3.4\x1b\\\x1b[?1;2;4c", &[], None),
        (kitty, &[("NO_COLOR", "1")], None),
    ] {
        let mut term = Term::start(&place, (120, 40), env);
        term.wait_for("Can you read the input?");
        let seen = |term: &Term, what: &str| {
            let bytes = term.bytes.lock().unwrap();
            bytes.windows(what.len()).any(|part| part == what.as_bytes())
        };
        term.send(answer);
        term.send("i");
        term.wait_for("120 × 80 points");
        // The picture comes after the words; where none is to come, it has time enough.
        if let Some(start) = expected {
            term.wait("the picture", |_| seen(&term, start));
        }
        let written = term.written();
        let any = [in_kitty, inline, in_sixels].iter().find(|start| seen(&term, start)).copied();
        assert_eq!(any, expected, "{answer:?}, {env:?}");
        let blocks = term.text().contains(['▀', '#', '%']);
        assert_eq!(blocks, expected.is_none(), "{answer:?}, {env:?}: {}", term.text());
        term.send("?");
        term.wait_for("type to narrow them");
        let after = term.written();
        if expected == Some(in_kitty) {
            assert!(seen(&term, "\x1b_Ga=d,d=I"), "help lies over no picture");
        }
        assert!(after.len() > written.len());
        term.send("\x1b");
        // The picture comes again with its window.
        term.wait_for("120 × 80 points");
        term.child.kill().unwrap();
    }
}
