//! What goes wrong is said clearly, loses nothing, and leaves the rest alone.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use proptest::prelude::*;
use rusqlite::Connection;

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, line, program};

fn check(place: &Place, args: &[&str], expect: &[&str]) {
    let output = place.run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    for word in expect {
        assert!(error.contains(word), "{args:?} says {word}: {error}");
    }
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn no_workspace() {
    check(&Place::new(), &["queue"], &["no workspace at", "casework init", "casework demo"]);
    check(&Place::new(), &[], &["no workspace at"]);
}

#[test]
fn a_workspace_is_founded_once() {
    let place = Place::new();
    place.create();
    check(&place, &["init", "--name", "x", "--as", "ana"], &["already"]);
    check(&Place::new(), &["init", "--name", "x"], &["--as YOU"]);
    check(&Place::new(), &["init", "--name", "x", "--as", "a b"], &["not a name"]);
}

#[test]
fn a_newer_foreign_damaged_or_locked_database() {
    let place = Place::new();
    place.create();
    let path = place.paths().database();
    let db = || Connection::open(&path).unwrap();
    db().pragma_update(None, "user_version", 99).unwrap();
    check(&place, &["queue"], &["newer casework"]);
    db().pragma_update(None, "user_version", 1).unwrap();
    db().pragma_update(None, "application_id", 7).unwrap();
    check(&place, &["queue"], &["not a casework database"]);
    fs::write(&path, b"this is a letter to my aunt, not a database, and quite a long one").unwrap();
    check(&place, &["queue"], &["not a casework database"]);

    let place = Place::new();
    let mut workspace = place.create();
    let lines: String = (0..2000).map(|i| line(&i.to_string(), "hello", "x", 0.5, i)).collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    let path = place.paths().database();
    let mut bytes = fs::read(&path).unwrap();
    let from = 8192;
    bytes[from..].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&path, bytes).unwrap();
    let output = place.run(&["queue"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("damaged"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_locked_database_is_waited_for_and_then_named() {
    let place = Place::new();
    place.create();
    let lock = Connection::open(place.paths().database()).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    check(&place, &["policy", "set", "overlap=2"], &["locked by another process"]);
    lock.execute_batch("ROLLBACK").unwrap();
    place.ok(&["policy", "set", "overlap=2"]);
}

#[test]
fn a_full_disk_loses_nothing_that_was_saved() {
    let place = Place::new();
    let mut workspace = place.create();
    let pages: i64 =
        workspace.tables().conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    workspace.tables().conn.pragma_update(None, "max_page_count", pages + 2).unwrap();
    let lines: String =
        (0..500).map(|i| line(&i.to_string(), "a text that takes room", "x", 0.5, i)).collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let error = workspace.ingest(lines.as_bytes(), &Default::default(), &stop, |_| ()).unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    drop(workspace);
    let mut workspace = place.open();
    assert!(workspace.verify_all(false).unwrap().ok);
    assert_eq!(ingest(&mut workspace, &lines).opened, 500, "with room, it goes on");
}

#[test]
fn an_unreadable_log_a_bad_protocol_and_a_bad_configuration() {
    let place = Place::new();
    place.create();
    let stream = place.dir.path().join("s.jsonl");
    fs::write(&stream, line("1", "x", "y", 0.5, 0)).unwrap();
    check(
        &place,
        &["ingest", stream.to_str().unwrap(), "--logs", "/nowhere.log"],
        &["/nowhere.log"],
    );
    let protocol = place.dir.path().join("p.toml");
    fs::write(
        &protocol,
        "id = \"p\"\ntitle = \"t\"\nstart = \"b\"\n[[question]]\nid = \"a\"\nask = \"\\u001b[31mA?\"\nanswers = []\n",
    )
    .unwrap();
    let output = place.run(&["protocol", "publish", protocol.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("p.toml:3: no question is called `b`")
            && error.contains("`a` has no answers"),
        "{error}"
    );
    fs::write(&protocol, b"id = \"\xff\"").unwrap();
    check(&place, &["protocol", "check", protocol.to_str().unwrap()], &["UTF-8"]);
    fs::write(place.paths().config(), "[review]\ntheme = \"pink\"\n").unwrap();
    check(&place, &["queue"], &["config.toml", "pink", "--default-config"]);
}

#[test]
fn a_line_that_is_too_long() {
    let place = Place::new();
    place.create();
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(["ingest", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(line("1", "before", "x", 0.5, 0).as_bytes()).unwrap();
    for _ in 0..120 {
        stdin.write_all(&[b'x'; 1 << 20]).unwrap();
    }
    stdin.write_all(b"\n").unwrap();
    stdin.write_all(line("2", "after", "x", 0.5, 1).as_bytes()).unwrap();
    drop(stdin);
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(
        out.contains("\"opened\":2")
            && out.contains("{\"line\":2,\"reason\":\"longer than 112 MiB\"}"),
        "{out}"
    );
}

#[test]
fn every_unicode_control_character_is_shown_by_name() {
    let place = Place::new();
    let mut workspace = place.create();
    let all: String = ('\0'..='\u{10ffff}')
        .filter(|c| c.is_control() || "\u{200b}\u{202e}\u{2066}\u{feff}\u{ad}\u{2028}".contains(*c))
        .collect();
    ingest(&mut workspace, &line("1", &all, &all, 0.5, 0));
    let mut session = casework::tui::Review::in_turn(workspace, (160, 45), || T0, None).unwrap();
    for keys in ["I", "L", "N", "M", "H", "Tab", "/", "Esc"] {
        session.press(keys);
        let screen = session.text();
        assert!(
            !screen.contains(|c: char| (c.is_control() && c != '\n')
                || c == '\u{202e}'
                || c == '\u{200b}'),
            "{screen}"
        );
    }
    session.press("I");
    assert!(
        session.text().contains("«NUL»") && session.text().contains("«U+202E»"),
        "{}",
        session.text()
    );
}

#[test]
fn no_terminal_for_the_screen() {
    let place = Place::new();
    place.create();
    let mut command = program();
    command.env("CASEWORK_WORKSPACE", place.path()).env("TERM", "xterm").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"));
}

#[test]
fn a_directory_that_cannot_be_written() {
    let place = Place::new();
    fs::create_dir_all(place.path()).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let probe = place.path().join("probe");
    if fs::write(&probe, "").is_ok() {
        // Root writes anywhere: then there is nothing to refuse.
        fs::remove_file(probe).unwrap();
        return;
    }
    check(&place, &["init", "--name", "x", "--as", "ana"], &["cannot be written"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_anything_are_counted_and_never_stop_the_rest(
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..40),
        cuts in proptest::collection::vec(0..400_usize, 0..20),
    ) {
        let place = Place::new();
        let mut workspace = place.create();
        let good = line("good", "the one good line", "x", 0.5, 0);
        let mut input: Vec<u8> = lines.join(&b'\n');
        input.push(b'\n');
        for cut in cuts {
            // Lines that begin well and end anywhere.
            input.extend(&good.as_bytes()[..cut.min(good.len() - 2)]);
            input.push(b'\n');
        }
        input.extend(good.as_bytes());
        let stop = std::sync::atomic::AtomicBool::new(false);
        let summary = workspace.ingest(input.as_slice(), &Default::default(), &stop, |_| ()).unwrap();
        prop_assert_eq!(summary.read, summary.opened + summary.duplicate + summary.passed + summary.rejected);
        prop_assert!(workspace.find_case("good").is_ok());
    }
}
