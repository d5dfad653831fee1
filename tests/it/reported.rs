//! Faults that users of other tools reported, tried on this one: what they sent, and what is right.

use std::fs;
use std::path::{Path, PathBuf};

use casework::domain::time::{Hlc, Moment};
use casework::journal::DeviceKey;
use casework::journal::kind::{CaseCommented, ReplicaJoined, encode};
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, craft, ingest, line, program, shared, workspace_id};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn founded() -> Place {
    let place = Place::new();
    place.create();
    place
}

/// A folder of the shared data, with what is expected of it.
fn bug(slug: &str) -> Option<(PathBuf, Value)> {
    let folder = shared(slug)?.join("bugs").join(slug);
    let expected = json(&fs::read_to_string(folder.join("expected.json")).unwrap());
    Some((folder, expected))
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn ids(lines: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        lines.lines().map(|line| json(line)["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn numbers_of_many_digits_are_shown_as_they_stand() {
    let Some((folder, expected)) = bug("big-numbers") else { return };
    let place = founded();
    let summary = json(&place.ok(&["ingest", &path(&folder, "stream.jsonl"), "--json"]));
    assert_eq!(summary["opened"], expected["ingest"]["opened"], "{summary}");
    let mut wanted = texts(&expected["ids"]);
    wanted.sort();
    assert_eq!(ids(&place.ok(&["queue", "--json"])), wanted);
    for args in [&["show", "n"][..], &["show", "n", "--json"]] {
        let shown = place.ok(args);
        texts(&expected["show n contains"])
            .iter()
            .for_each(|digits| assert!(shown.contains(digits), "{args:?}: {shown}"));
    }
    let mut session =
        casework::tui::Review::in_turn(place.open(), (160, 45), || crate::support::T0, None)
            .unwrap();
    session.press("BackTab / \"line_3\" Enter Enter I");
    let screen = session.text();
    texts(&expected["show n contains"])
        .iter()
        .for_each(|digits| assert!(screen.contains(digits), "{screen}"));
}

#[test]
fn classes_that_are_numbers_are_classes() {
    let Some((folder, expected)) = bug("numeric-label") else { return };
    let place = founded();
    place.ok(&["ingest", &path(&folder, "stream.jsonl")]);
    for (name, is) in [("contains", true), ("lacks", false)] {
        for case in ["seven", "versioned"] {
            if let Some(words) = expected.get(format!("show {case} {name}")) {
                let shown = place.ok(&["show", case]);
                texts(words).iter().for_each(|word| {
                    assert_eq!(shown.contains(word), is, "{case} {name} {word}: {shown}")
                });
            }
        }
    }
}

#[test]
fn what_is_no_prediction_is_rejected_by_its_line() {
    let Some((folder, expected)) = bug("not-a-prediction") else { return };
    let summary = json(&founded().ok(&["ingest", &path(&folder, "stream.jsonl"), "--json"]));
    assert_eq!(
        (&summary["read"], &summary["opened"]),
        (&expected["read"], &expected["opened"]),
        "{summary}"
    );
    let lines: Vec<&Value> =
        summary["rejects"].as_array().unwrap().iter().map(|reject| &reject["line"]).collect();
    assert_eq!(lines, expected["rejected lines"].as_array().unwrap().iter().collect::<Vec<_>>());
}

#[test]
fn rules_calculate_with_whole_numbers_and_times() {
    let Some((folder, expected)) = bug("cel-integers") else { return };
    let place = founded();
    for rule in expected.as_array().unwrap() {
        let rule_of = format!("--where={}", rule["where"].as_str().unwrap());
        let summary = json(&place.ok(&[
            "ingest",
            "--dry-run",
            "--json",
            &rule_of,
            &path(&folder, "stream.jsonl"),
        ]));
        assert_eq!(summary["opened"], rule["opened"], "{rule_of}: {summary}");
    }
}

#[test]
fn labels_that_are_digits_stay_what_they_are() {
    let Some((folder, expected)) = bug("labels-that-are-digits") else { return };
    let of = json(&founded().ok(&["agreement", &path(&folder, "entities.csv"), "--json"]));
    let near = |found: &Value, wanted: &Value| {
        (found["value"].as_f64().unwrap() - wanted.as_f64().unwrap()).abs() < 1e-9
    };
    let wanted = &expected["agreement entities.csv --json"];
    assert!(near(&of["percent"], &wanted["percent"]), "{of}");
    assert!(near(&of["krippendorff_alpha"]["nominal"], &wanted["nominal alpha"]), "{of}");
    for file in ["truth.csv", "codes.csv"] {
        let csv = founded().ok(&["consensus", &path(&folder, file), "--method", "majority"]);
        for (task, label) in
            expected[format!("consensus {file} --method majority")].as_object().unwrap()
        {
            assert!(csv.contains(&format!("{task},{},", label.as_str().unwrap())), "{file}: {csv}");
        }
    }
}

#[test]
fn quotes_that_are_not_closed_and_columns_too_many_are_named() {
    let Some((folder, _)) = bug("csv-quotes") else { return };
    let place = founded();
    let output = place.run(&["agreement", &path(&folder, "unclosed.csv"), "--json"]);
    let (words, found) = (
        String::from_utf8_lossy(&output.stderr).into_owned(),
        json(&String::from_utf8_lossy(&output.stdout)),
    );
    assert!(words.contains("line 3") && found["labels"] == 5, "{words} {found}");
    let output = place.run(&["agreement", &path(&folder, "fourth-column.csv"), "--json"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 2"));
}

#[test]
fn one_task_has_no_interval_and_nothing_is_no_less_than_nothing() {
    let Some((folder, _)) = bug("one-task") else { return };
    let place = founded();
    let of = json(&place.ok(&["agreement", &path(&folder, "one.csv"), "--json"]));
    assert_eq!(of["cohen_kappa"]["interval"], Value::Null, "{of}");
    assert!(!place.ok(&["agreement", &path(&folder, "one.csv")]).contains("-0.0"));
    assert!(!of.to_string().contains("-0.0"), "{of}");
}

#[test]
fn log_lines_of_another_hour_are_not_beside_the_case() {
    let Some((folder, expected)) = bug("log-offsets") else { return };
    for (log, wanted) in expected.as_object().unwrap() {
        let place = founded();
        let output =
            place.run(&["ingest", &path(&folder, "stream.jsonl"), "--logs", &path(&folder, log)]);
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("joined to 1 of the cases"),
            "{output:?}"
        );
        let shown = json(&place.ok(&["show", "c", "--json"]))["logs"].to_string();
        texts(&wanted["shown"])
            .iter()
            .for_each(|text| assert!(shown.contains(text), "{log}: {shown}"));
        texts(&wanted["not"])
            .iter()
            .for_each(|text| assert!(!shown.contains(text), "{log}: {shown}"));
    }
}

#[test]
fn logs_that_are_not_understood_are_named_for_what_they_are() {
    let place = founded();
    let stream = place.dir.path().join("s.jsonl");
    fs::write(&stream, line("1", "x", "pay", 0.2, 0)).unwrap();
    let check = |bytes: &[u8], expect: &str| {
        let log = place.dir.path().join("some.log");
        fs::write(&log, bytes).unwrap();
        let output =
            place.run(&["ingest", stream.to_str().unwrap(), "--logs", log.to_str().unwrap()]);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains("some.log") && words.contains(expect), "{expect}: {words}");
    };
    check(b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc\n", "its gzip breaks off at byte");
    check(b"Jun  3 12:00:00 host app[1]: hello\n", "no line has a time or a trace");
}

/// A line that says of which request it is goes on with no other's, whatever its time is written as.
#[test]
fn a_line_of_another_request_is_no_part_of_a_case() {
    let place = founded();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let line = |n: u32| {
        format!(
            "{{\"id\":\"p{n}\",\"occurred_at\":\"2024-06-01T10:00:0{n}Z\",\"input\":{{\"text\":\"x\"}},\"trace_id\":\"t{n}\",\"prediction\":null}}\n"
        )
    };
    fs::write(at("s.jsonl"), (0..5).map(line).collect::<String>()).unwrap();
    let log = |n: u32| {
        format!("01/06/2024 10:00:0{n} trace_id=t{n} level=info msg=hello{n}\n  more of {n}\n")
    };
    fs::write(at("app.log"), (0..5).map(log).collect::<String>()).unwrap();
    place.ok(&["ingest", &at("s.jsonl"), "--where", "true", "--logs", &at("app.log")]);
    let shown = json(&place.ok(&["show", "p1", "--json"]));
    let own = shown["logs"].as_array().unwrap().iter().filter(|log| log["own"] == true);
    let own: Vec<&str> = own.map(|log| log["text"].as_str().unwrap()).collect();
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(own[0].contains("hello1") && own[1].contains("more of 1"), "{own:?}");
}

/// A time that says no zone is of the one that is named; where none is, that is said.
#[test]
fn log_lines_without_a_zone_are_of_the_zone_that_is_named() {
    for (zone, joined) in
        [(None, 0), (Some("Europe/Berlin"), 1), (Some("+02:00"), 1), (Some("UTC"), 0)]
    {
        let place = founded();
        let at = |name: &str| place.dir.path().join(name).display().to_string();
        let line = "{\"id\":\"p1\",\"occurred_at\":\"2024-06-03T00:00:01Z\",\"input\":{\"text\":\"x\"},\"prediction\":null}\n";
        fs::write(at("s.jsonl"), line).unwrap();
        fs::write(at("app.log"), "2024-06-03 02:00:01 INFO card declined\n").unwrap();
        let (stream, log) = (at("s.jsonl"), at("app.log"));
        let mut args = vec!["ingest", &stream, "--where", "true", "--logs", &log, "--json"];
        args.extend(zone.iter().flat_map(|zone| ["--timezone", zone]));
        let summary = json(&place.run_text(&args));
        assert_eq!(summary["logs"]["joined"], joined, "{zone:?}: {summary}");
        let zoneless = summary["logs"]["zoneless"].to_string();
        assert_eq!(zoneless.contains("app.log"), zone.is_none(), "{zone:?}: {summary}");
        let shown = json(&place.ok(&["show", "p1", "--json"]));
        if joined > 0 {
            assert_eq!(shown["logs"][0]["at"], "2024-06-03T00:00:01.000Z", "{shown}");
        }
    }
}

#[test]
fn a_mark_before_a_text_is_no_part_of_it() {
    let Some((folder, _)) = bug("byte-order-mark") else { return };
    let place = founded();
    place.ok(&["protocol", "publish", &path(&folder, "protocol.toml"), "--changes", "x"]);
    place.ok(&["ingest", &path(&folder, "stream.jsonl")]);
    place.ok(&["label", "c0", "--answer", "q=pay"]);
    // The same for imports and for files whose lines end in carriage returns.
    let file = place.dir.path().join("l.jsonl");
    let one = |case: &str| {
        format!("{{\"case\":\"{case}\",\"reviewer\":\"bo\",\"path\":[[\"q\",\"pay\"]]}}")
    };
    fs::write(&file, format!("\u{feff}{}\r{}", one("c0"), one("nothing"))).unwrap();
    let output =
        place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl", "--json"]);
    let summary = json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(
        (&summary["read"], &summary["imported"], &summary["rejected"]),
        (&2.into(), &1.into(), &1.into()),
        "{summary}"
    );
    fs::write(&file, one("nothing")).unwrap();
    let output = place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(1), "nothing at all could be used");
}

#[test]
fn an_empty_database_is_no_workspace() {
    let place = founded();
    fs::write(place.paths().database(), b"").unwrap();
    let _ = fs::remove_file(place.paths().database().with_extension("db-wal"));
    for args in [
        &["status"][..],
        &["queue"],
        &["ingest", "-"],
        &["verify"],
        &["backup", "x"],
        &["init", "--name", "x", "--as", "bo"],
    ] {
        let output = place.run(args);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {words}");
        assert!(words.contains("is empty") || words.contains("already"), "{args:?}: {words}");
    }
    let output = place.run(&["doctor"]);
    assert_ne!(output.status.code(), Some(0));
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        words.contains("the workspace that was in it is gone") && words.contains("casework join"),
        "{words}"
    );
    assert_eq!(
        fs::metadata(place.paths().database()).unwrap().len(),
        0,
        "nothing was made in its place"
    );
}

#[test]
fn a_full_disk_is_called_full() {
    let place = Place::new();
    let disk = place.dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
        .arg(&disk)
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("skipped a_full_disk_is_called_full: no file system can be mounted here");
        return;
    }
    let workspace = disk.join("w");
    let run = |args: &[&str]| {
        program().env("CASEWORK_WORKSPACE", &workspace).args(args).output().unwrap()
    };
    assert!(run(&["init", "--name", "x", "--as", "ana"]).status.success());
    let stream = place.dir.path().join("s.jsonl");
    fs::write(
        &stream,
        (0..2_000)
            .map(|i| line(&i.to_string(), &"many words ".repeat(80), "pay", 0.2, i))
            .collect::<String>(),
    )
    .unwrap();
    let output = run(&["ingest", stream.to_str().unwrap()]);
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let mut told = vec![(output.status.code(), said(&output))];
    // Not a byte is left.
    let filler = fs::File::create(disk.join("filler")).unwrap();
    let _ = std::io::copy(&mut std::io::repeat(b'x'), &mut std::io::BufWriter::new(&filler));
    for args in [&["queue"][..], &["policy", "set", "overlap=2"]] {
        let output = run(args);
        told.push((output.status.code(), said(&output)));
    }
    fs::remove_file(disk.join("filler")).unwrap();
    std::process::Command::new("umount").arg("-l").arg(&disk).status().unwrap();
    for (code, words) in told {
        assert!(code == Some(0) || words.contains("the disk is full"), "{words}");
        assert!(!words.contains("I/O error"), "{words}");
    }
}

#[test]
fn a_store_is_where_its_name_says_from_wherever_one_is() {
    let place = founded();
    let (home, elsewhere) = (place.dir.path().join("home"), place.dir.path().join("elsewhere"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&elsewhere).unwrap();
    let sync = |store: &str, in_config: bool| {
        let config =
            if in_config { format!("[sync]\nstore = \"{store}\"\n") } else { String::new() };
        fs::write(place.paths().config(), config).unwrap();
        let mut command = program();
        command
            .env("CASEWORK_WORKSPACE", place.path())
            .env("HOME", &home)
            .current_dir(&elsewhere)
            .arg("sync");
        if !in_config {
            command.args(["--store", store]);
        }
        command.output().unwrap()
    };
    for in_config in [true, false] {
        let output = sync("~/team-store", in_config);
        assert!(output.status.success(), "{output:?}");
        assert!(home.join("team-store/journal").is_dir());
        fs::remove_dir_all(home.join("team-store")).unwrap();
        let output = sync("~bo/store", in_config);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    assert!(sync("beside", true).status.success());
    assert!(
        place.path().join("beside/journal").is_dir(),
        "a relative path in config.toml begins beside it"
    );
    assert_eq!(
        fs::read_dir(&elsewhere).unwrap().count(),
        0,
        "nothing is made where one happens to be"
    );
}

#[test]
fn a_reason_that_nobody_can_see_is_none() {
    let place = founded();
    let mut workspace = place.open();
    ingest(&mut workspace, &line("p0", "x", "pay", 0.2, 0));
    drop(workspace);
    place.ok(&["policy", "set", "require=rationale always"]);
    let label = |why: &str| {
        place.run(&[
            "label",
            "p0",
            "--answer",
            "readable=n",
            "--answer",
            "damage=c",
            "--rationale",
            why,
        ])
    };
    for why in [
        "",
        " ",
        "\u{200b}",
        "\u{3164}",
        "\u{2800}",
        "\u{202e}",
        "\u{feff}\u{2060}",
        "\u{ad}\u{fe0f}",
        "\t\n\u{a0}",
        "\u{e0041}",
    ] {
        let output = label(why);
        assert_eq!(output.status.code(), Some(2), "{why:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("the rationale"),
            "{why:?}: {output:?}"
        );
        for command in ["comment", "defer", "escalate"] {
            assert_eq!(
                place.run(&[command, "p0", why]).status.code(),
                Some(2),
                "{command} {why:?}"
            );
        }
    }
    assert!(label("x\u{200b}").status.success());
}

#[test]
fn words_are_found_whatever_the_script_and_the_spelling() {
    let Some((folder, expected)) = bug("search-scripts") else { return };
    let place = founded();
    place.ok(&["ingest", &path(&folder, "stream.jsonl")]);
    for (command, searches) in
        [("search", &expected["search"]), ("queue", &expected["queue filter"])]
    {
        for (text, wanted) in searches.as_object().unwrap() {
            let mut wanted = texts(wanted);
            wanted.sort();
            let found = place.run(&[command, text, "--json"]);
            assert_eq!(ids(&String::from_utf8_lossy(&found.stdout)), wanted, "{command} {text}");
        }
    }
    // What is erased is found no more.
    place.ok(&["erase", "zh", "--reason", "asked for"]);
    assert_eq!(String::from_utf8_lossy(&place.run(&["search", "退款", "--json"]).stdout), "");
}

#[test]
fn a_clock_that_is_ahead_is_named_with_whose_it_is() {
    let place = founded();
    assert!(place.ok(&["doctor"]).contains("no device's clock is ahead"));
    let mut workspace = place.open();
    let id = workspace_id(workspace.tables());
    ingest(&mut workspace, &line("p0", "x", "pay", 0.2, 0));
    let case = workspace.find_case("p0").unwrap().id;
    drop(workspace);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    let key = DeviceKey::from_seed([2; 32]);
    let now = casework::clock::now();
    let ahead = |ms: i64, n: u32| Hlc { ms: now.0 + ms, n };
    let deliver = |entry| {
        let mut db = casework::db::Db::open(&place.paths().database()).unwrap();
        let tx = db.begin().unwrap();
        let mut fold = casework::journal::fold::Fold::new(&tx).unwrap();
        casework::journal::chain::deliver(&mut fold, entry, Moment(now.0)).unwrap();
        fold.finish().unwrap();
        tx.commit().unwrap();
    };
    let joined = craft(
        &key,
        id,
        1,
        "",
        ahead(30 * 3_600_000, 0),
        "bo",
        vec![encode(&ReplicaJoined::new("bo", &key))],
    );
    let prev = crate::support::body_hash(&joined);
    deliver(joined);
    deliver(craft(
        &key,
        id,
        2,
        &prev,
        ahead(30 * 3_600_000, 1),
        "bo",
        vec![encode(&CaseCommented::new(case, "x".into()))],
    ));
    // Whoever follows that clock is not who is wrong.
    place.ok(&["comment", "p0", "dated after that"]);
    let output = place.run(&["doctor"]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    let short = key.replica().short();
    assert!(
        words.contains(&short) && words.contains("h ahead") && !words.contains("this device was"),
        "{words}"
    );
    let store = place.dir.path().join("store");
    let output = place.run(&["sync", "--store", store.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(&short), "{output:?}");
}

#[test]
fn any_key_of_a_file_counts() {
    let place = founded();
    let keygen = |path: &Path| {
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path)
            .status();
        made.is_ok_and(|status| status.success())
    };
    let (mine, other) = (place.dir.path().join("k"), place.dir.path().join("other"));
    if !keygen(&mine) || !keygen(&other) {
        eprintln!("skipped any_key_of_a_file_counts: no ssh-keygen here");
        return;
    }
    let store = place.dir.path().join("store").display().to_string();
    place.ok(&["sync", "--store", &store]);
    let theirs = Place::new();
    let public = |path: &Path| fs::read_to_string(path.with_extension("pub")).unwrap();
    // A comment before the key does not hide it from its owner either.
    fs::write(mine.with_extension("pub"), format!("# the laptop\n{}", public(&mine))).unwrap();
    theirs.ok(&["join", &store, "--as", "bo", "--ssh-key", mine.to_str().unwrap()]);
    place.ok(&["sync"]);
    let file = place.dir.path().join("keys");
    let admit = |text: &str| {
        fs::write(&file, text).unwrap();
        place.run(&[
            "roster",
            "admit",
            "bo",
            "--role",
            "reviewer",
            "--ssh-key",
            file.to_str().unwrap(),
        ])
    };
    let refused = admit(&public(&other));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not by any key of"), "{refused:?}");
    let refused = admit("# nothing here\n");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("holds no public SSH key"),
        "{refused:?}"
    );
    let good = admit(&format!(
        "# keys of bo\n{}\nrestrict,command=\"x y\" {}",
        public(&other),
        public(&mine)
    ));
    assert!(good.status.success(), "{good:?}");
    // What ssh-keygen says is its reason, not its frame.
    std::os::unix::fs::PermissionsExt::set_mode(
        &mut fs::metadata(&mine).unwrap().permissions(),
        0o644,
    );
    fs::set_permissions(&mine, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let again = Place::new();
    let output = again.run(&["join", &store, "--as", "bo", "--ssh-key", mine.to_str().unwrap()]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("0644") && !words.contains("@@@"), "{words}");
}

#[test]
fn nothing_is_cut_unsaid() {
    let place = Place::new();
    let mut workspace = place.create();
    let words: String = (0..130_000).map(|i| format!("w{i:06} ")).collect();
    let long = "x".repeat(300);
    let raw = line("1", &words, "pay", 0.2, 0)
        .replace("\"session_id\"", &format!("\"other\":\"{long}END\",\"session_id\""));
    let huge = line("2", &"y".repeat(2_200_000), "pay", 0.2, 1);
    ingest(&mut workspace, &(raw + &huge));
    let mut session =
        casework::tui::Review::in_turn(workspace, (120, 40), || crate::support::T0, None).unwrap();
    session.press("I G");
    let screen = session.text();
    assert!(screen.contains("input.session_id: one"), "the end of the line is shown: {screen}");
    assert!(screen.contains("xEND"), "a long value goes on on the next line: {screen}");
    session.press("k k k k k k k k k k k k k k k");
    let screen = session.text();
    assert!(screen.contains("w129999"), "the last word is there: {screen}");
    session.press("] I G");
    let screen = session.text();
    assert!(screen.contains("yyy") && !screen.contains("more characters"), "all is here: {screen}");
    // A neighbour's text and a log line say how much of them is not kept.
    assert!(session.reader.workspace().find_case("1").is_ok());
    drop(session);
    let shown = place.ok(&["show", "1", "--json"]);
    assert!(shown.contains(" more characters)"), "the neighbour is cut and says so");
    let stream = place.dir.path().join("s.jsonl");
    fs::write(&stream, line("3", "x", "pay", 0.2, 2)).unwrap();
    let log = place.dir.path().join("l.log");
    let lines: String = (0..900)
        .map(|i| {
            format!(
                "ts=2026-06-01T08:00:02Z level=info trace_id=trace-3 n={i} msg={}\n",
                "z".repeat(if i == 0 { 5_000 } else { 1 })
            )
        })
        .collect();
    fs::write(&log, lines).unwrap();
    place.ok(&["ingest", stream.to_str().unwrap(), "--logs", log.to_str().unwrap()]);
    let logs = json(&place.ok(&["show", "3", "--json"]))["logs"].to_string();
    assert!(logs.contains("more lines are not kept"), "{}", &logs[logs.len() - 600..]);
    assert!(logs.contains(" more characters)"));
}

#[test]
fn times_are_in_the_readers_zone_which_is_said_and_the_future_is_no_past() {
    let place = crate::support::team_of_three();
    let told = |zone: &str, args: &[&str]| {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).env("TZ", zone).args(args);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    assert!(told("Asia/Tokyo", &["show", "p0"]).1.contains("+09:00"));
    assert!(
        told("America/St_Johns", &["show", "p0"]).1.contains("-02:30")
            || told("America/St_Johns", &["show", "p0"]).1.contains("-03:30")
    );
    let utc = told("Asia/Tokyo", &["show", "p0", "--utc"]).1;
    assert!(utc.contains(":00Z") && !utc.contains("+09:00"), "{utc}");
    // What programs read is in UTC wherever they are.
    let json = |zone: &str| told(zone, &["show", "p0", "--json"]).1;
    assert_eq!(json("Asia/Tokyo"), json("UTC"));
    // A time without a zone is one of the reader's.
    let now = casework::clock::now().0;
    let written = |ahead: i64| {
        let at = Moment(now + ahead * 3_600_000).rfc3339();
        at[..16].replace('T', " ")
    };
    for (zone, at, code) in [
        ("Asia/Tokyo", written(8), Some(0)), // an hour ago there
        ("UTC", written(8), Some(2)),
        ("UTC", format!("{} +09:00", written(8)), Some(0)),
        ("Asia/Tokyo", format!("{}Z", written(8)), Some(2)),
        ("UTC", "2030-01-01".to_owned(), Some(2)),
    ] {
        let (found, text) = told(zone, &["status", "--at", &at]);
        // The workspace is younger than an hour: its past is empty, which is no wrong time.
        let future = text.contains("lies in the future");
        assert_eq!(
            (future, code == Some(2)),
            (code == Some(2), future),
            "{zone} {at}: {text} {found:?}"
        );
    }
}

#[test]
fn a_clock_that_was_ahead_dates_no_label() {
    use casework::journal::kind::CaseCommented;
    use casework::journal::{Append, DeviceKey, Writer};
    let place = crate::support::team_of_three();
    let key = DeviceKey::load(&place.paths().key()).unwrap();
    let mut workspace = place.open();
    let case = workspace.find_case("p0").unwrap().id;
    let tx = workspace.tables_mut().begin().unwrap();
    let mut writer = Writer::new(&tx, &key).unwrap();
    let comment = CaseCommented { case, text: "hm".into(), question: None, session: None };
    let ahead = Moment::parse("2031-01-01T00:00:00Z").unwrap();
    writer.append("ana", vec![Append::new(&comment)], ahead).unwrap();
    writer.finish().unwrap();
    tx.commit().unwrap();
    drop(workspace);
    let output = place.run(&["label", "p1", "--answer", "readable=n", "--answer", "damage=c"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("ahead when it wrote"), "at write: {told}");
    let at = |text: &str| {
        let at = serde_json::from_str::<Value>(text).unwrap()["at"].clone();
        Moment::parse(at.as_str().unwrap()).unwrap()
    };
    let today = casework::clock::now();
    for command in [&["labels", "--json"][..], &["export"]] {
        let given = at(&place.ok(command));
        assert!((given.0 - today.0).abs() < 600_000, "{command:?}: {}", given.rfc3339());
    }
    let doctor = place.run(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned()
        + &String::from_utf8_lossy(&doctor.stderr);
    assert!(doctor.contains("ahead when it wrote"), "{doctor}");
    // What it wrote waits elsewhere, and its author is told until when.
    assert!(doctor.contains("keep out what it wrote since, until 2030-12-30 00:00"), "{doctor}");
    assert!(place.ok(&["verify", "--json"]).contains("\"ok\":true"));
}
