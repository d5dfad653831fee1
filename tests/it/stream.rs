//! Ingest: what becomes of every line, whatever the shape, and again on a second run.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::Stdio;

use casework::workspace::Workspace;
use casework::workspace::cases::IngestRequest;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, ingest, line, program, shared};

#[test]
fn every_dirty_line_gets_the_verdict_of_its_expectation() {
    let Some(data) = shared("every_dirty_line_gets_the_verdict_of_its_expectation") else { return };
    let place = Place::new();
    place.create();
    let stream = data.join("stream/stream_dirty.jsonl");
    let out = place.ok(&["ingest", stream.to_str().unwrap(), "--json"]);
    let summary: Value = serde_json::from_str(&out).unwrap();
    let rejected: HashMap<u64, String> = summary["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| {
            (reject["line"].as_u64().unwrap(), reject["reason"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected: Vec<Value> = serde_json::from_str(
        &std::fs::read_to_string(data.join("stream/stream_dirty_expected.json")).unwrap(),
    )
    .unwrap();
    let (mut accepted, mut duplicates) = (0, 0);
    for line in &expected {
        let (number, expect) = (line["line"].as_u64().unwrap(), line["expect"].as_str().unwrap());
        let reason = rejected.get(&number);
        match expect {
            "accept" => {
                assert_eq!(reason, None, "line {number}: {}", line["why"]);
                accepted += 1;
            }
            "reject" => assert!(reason.is_some(), "line {number}: {}", line["why"]),
            "conflict" => assert!(reason.unwrap().contains("conflict"), "line {number}"),
            "duplicate" => {
                assert_eq!(reason, None);
                duplicates += 1;
            }
            "skip" => assert_eq!(reason, None),
            // Several answers can be right; ours: a number is taken for an id, a time ahead is
            // believed, all else is rejected.
            "judge" => {
                let believed = ["id is a number", "years ahead of the other lines"]
                    .contains(&line["why"].as_str().unwrap());
                assert_eq!(reason.is_none(), believed, "line {number}: {}", line["why"]);
                accepted += u64::from(believed);
            }
            other => panic!("an expectation of another kind: {other}"),
        }
    }
    assert_eq!(summary["opened"], accepted);
    assert_eq!(summary["duplicate"], duplicates);
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        count("read"),
        count("opened") + count("duplicate") + count("passed") + count("rejected")
    );
}

#[test]
fn a_second_run_opens_nothing_and_standard_input_is_the_same() {
    let place = Place::new();
    place.create();
    let lines: String = (0..40)
        .map(|i| line(&i.to_string(), "hello", "x", f64::from(i) / 40.0, i64::from(i)))
        .collect();
    let run = || -> Value {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).args([
            "ingest",
            "-",
            "--where",
            "confidence < 0.5",
            "--json",
        ]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
    };
    let first = run();
    assert_eq!((first["opened"].as_u64(), first["passed"].as_u64()), (Some(20), Some(20)));
    let second = run();
    assert_eq!((second["opened"].as_u64(), second["duplicate"].as_u64()), (Some(0), Some(20)));
}

fn opened(workspace: &mut Workspace, name: &str) -> casework::review::OpenCase {
    let row = workspace.find_case(name).unwrap();
    workspace.open_case(row).unwrap()
}

#[test]
fn neighbours_are_those_around_it_in_time_whatever_the_order_of_lines() {
    let place = Place::new();
    let mut workspace = place.create();
    let mut order: Vec<i64> = (0..60).collect();
    order.swap(30, 36); // a late line
    let lines: String =
        order.iter().map(|i| line(&i.to_string(), &format!("text {i}"), "x", 0.5, *i)).collect();
    ingest(&mut workspace, &lines);
    for (id, expect) in [(30_i64, 25..=35), (0, 0..=5), (59, 54..=59)] {
        let case = opened(&mut workspace, &id.to_string());
        let near: Vec<i64> =
            case.neighbours.iter().map(|other| other.id.parse().unwrap()).collect();
        let around: Vec<i64> = expect.filter(|other| *other != id).collect();
        assert!(around.iter().all(|other| near.contains(other)), "{id}: {near:?}");
        assert!(near.is_sorted());
    }
}

#[test]
fn logs_are_joined_by_trace_and_else_by_time() {
    let place = Place::new();
    place.create();
    let dir = place.dir.path();
    let stream: String =
        (0..20).map(|i| line(&i.to_string(), "hi", "x", 0.5, i64::from(i))).collect();
    let untraced = line("lonely", "hi", "x", 0.5, 10).replace("\"trace_id\":\"trace-lonely\",", "");
    std::fs::write(dir.join("s.jsonl"), stream + &untraced).unwrap();
    let at = |seconds: i64| {
        casework::domain::time::Moment(crate::support::T0.0 + seconds * 1000).rfc3339()
    };
    let json: String = (0..20)
        .map(|i| format!("{{\"ts\":\"{}\",\"level\":\"info\",\"msg\":\"got it\", \"trace_id\": \"trace-{i}\"}}\n", at(i)))
        .collect();
    let fmt: String = (0..20)
        .map(|i| {
            format!(
                "ts={} level=error msg=\"it broke\" trace_id=trace-{i}\nTraceback (most recent call last):\n  File \"x.py\"\n",
                at(i)
            )
        })
        .collect();
    let plain: String = (0..20)
        .map(|i| format!("{} WARN plain line {i}\n", at(i).replace('T', " ").replace('Z', "")))
        .collect();
    for (name, text) in [("a.jsonl", json), ("b.log", fmt), ("c.log", plain)] {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    place.ok(&[
        "ingest",
        &path("s.jsonl"),
        "--logs",
        &path("a.jsonl"),
        "--logs",
        &path("b.log"),
        "--logs",
        &path("c.log"),
    ]);
    let mut workspace = place.open();
    let case = opened(&mut workspace, "7");
    let own: Vec<&str> =
        case.logs.iter().filter(|log| log.own).map(|log| log.line.message.as_str()).collect();
    assert_eq!(
        own,
        ["got it", "it broke", "Traceback (most recent call last):", "  File \"x.py\""]
    );
    let lonely = opened(&mut workspace, "lonely");
    assert!(
        lonely.logs.iter().any(|log| log.line.message.contains("plain line 10")),
        "{:?}",
        lonely.logs
    );
    assert!(lonely.logs.iter().all(|log| !log.own));
}

#[test]
fn lines_of_another_shape_go_in_by_a_mapping() {
    let place = Place::new();
    place.create();
    let config = "[source]\nid = \"req\"\noccurred_at = \"time\"\ntext = \"body.q\"\nlabel = \"answer\"\nconfidence = \"score\"\nstream = \"app\"\n";
    std::fs::write(place.paths().config(), config).unwrap();
    let lines = "{\"req\":\"r1\",\"time\":1780300800,\"body\":{\"q\":\"hello there\"},\"answer\":\"greet\",\"score\":0.2,\"app\":\"bot\"}\n{\"time\":1}\n";
    let stream = place.dir.path().join("s.log");
    std::fs::write(&stream, lines).unwrap();
    let out = place.ok(&["ingest", stream.to_str().unwrap(), "--json"]);
    assert!(out.contains("\"opened\":1") && out.contains("\"line\":2"), "{out}");
    let shown: Value = serde_json::from_str(&place.ok(&["show", "r1", "--json"])).unwrap();
    assert_eq!(
        (shown["text"].as_str(), shown["predicted"].as_str(), shown["stream"].as_str()),
        (Some("hello there"), Some("greet"), Some("bot"))
    );
}

#[test]
fn a_stopped_run_keeps_what_it_read_and_goes_on_without_doubles() {
    let place = Place::new();
    place.create();
    let lines: String = (0..500).map(|i| line(&i.to_string(), "hello", "x", 0.5, i)).collect();
    let mut command = program();
    command.env("CASEWORK_WORKSPACE", place.path()).args(["ingest", "-", "--json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&lines.as_bytes()[..lines.len() / 2]).unwrap();
    stdin.flush().unwrap();
    // Nothing tells from outside when it has read that; stopping before is just as good a test.
    std::thread::sleep(std::time::Duration::from_millis(300));
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run it again"), "it says so");
    let file = place.dir.path().join("s.jsonl");
    std::fs::write(&file, &lines).unwrap();
    place.run(&["ingest", file.to_str().unwrap(), "--json"]);
    let status: Value = serde_json::from_str(&place.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["cases"]["open"], 500);
    assert!(place.open().verify_all(false).unwrap().ok);
}

#[test]
fn what_stands_twice_in_a_line_and_half_of_a_character_are_said() {
    let place = Place::new();
    drop(place.create());
    let line = |id: &str, input: &str| {
        format!(
            "{{\"id\":\"{id}\",\"occurred_at\":\"2026-06-01T08:00:00Z\",\"input\":{{\"text\":\"hi\",{input}}},\"prediction\":null}}\n"
        )
    };
    let file = place.path().join("lines.jsonl");
    let lines = [
        line("once", "\"k\":1"),
        line("twice", "\"k\":{\"z\":1,\"z\":2}"),
        line("half", "\"k\":\"\\ud83d cut\""),
    ];
    std::fs::write(&file, lines.concat()).unwrap();
    let said = place.ok(&["ingest", file.to_str().unwrap(), "--where", "true", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["opened"], &said["rejected"]), (&Value::from(2), &Value::from(1)));
    let reason = said["rejects"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("half of a surrogate pair") && reason.contains("at byte"), "{reason}");
    assert!(!place.ok(&["show", "once"]).contains("more than once"));
    let shown = place.ok(&["show", "twice"]);
    assert!(shown.contains("corrupt: input.k.z stands more than once in the line"), "{shown}");
}

#[test]
fn what_is_wrong_with_inputs_is_found_at_ingest_and_shown() {
    let place = Place::new();
    let mut workspace = place.create();
    let line = |i: usize, input: Value| {
        let at = casework::domain::time::Moment(crate::support::T0.0 + i as i64 * 1000).rfc3339();
        let line = serde_json::json!({ "id": format!("c{i}"), "occurred_at": at, "stream": "s", "input": input,
            "prediction": { "label": "approve", "confidence": if i < 300 { 0.9 } else { 0.1 } } });
        format!("{line}\n")
    };
    let ordinary = |i: usize| serde_json::json!({ "text": "an order", "amount": 10 + i % 40, "country": "PT" });
    let mut lines: String = (0..300).map(|i| line(i, ordinary(i))).collect();
    lines += &line(300, serde_json::json!({ "text": "an order", "amount": 9999, "country": "PT" }));
    lines += &line(301, serde_json::json!({ "text": "cafÃ© au lait", "amount": "12" }));
    lines += &line(302, serde_json::json!({ "text": "an order", "amount": 12, "country": "PT" }));
    let request =
        IngestRequest { rules: vec!["confidence < 0.5".to_owned()], ..Default::default() };
    let stop = std::sync::atomic::AtomicBool::new(false);
    assert_eq!(workspace.ingest(lines.as_bytes(), &request, &stop, |_| ()).unwrap().opened, 3);
    let check = |case: &str, expect: &[&str]| {
        let shown: Value = serde_json::from_str(&place.ok(&["show", case, "--json"])).unwrap();
        let facts: Vec<String> = shown["facts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fact| {
                format!("{} {}", fact["field"].as_str().unwrap(), fact["what"].as_str().unwrap())
            })
            .collect();
        assert!(
            facts.len() == expect.len()
                && facts.iter().zip(expect).all(|(fact, expect)| fact.contains(expect)),
            "{case}: {facts:?}"
        );
    };
    check("c300", &["input.amount is 9999, outside of 10 to 49"]);
    check(
        "c301",
        &[
            "input.text was decoded wrongly",
            "input.amount is a text; it was a number",
            "input.country is absent",
        ],
    );
    check("c302", &[]);
    // What was learned is kept for the next run.
    let later = line(400, serde_json::json!({ "text": "an order", "amount": -5, "country": "PT" }));
    workspace.ingest(later.as_bytes(), &request, &stop, |_| ()).unwrap();
    check("c400", &["input.amount is -5, outside of 10 to 9999"]);
    let session =
        casework::tui::Review::in_turn(place.open(), (160, 45), || crate::support::T0, None)
            .unwrap();
    assert!(session.text().contains("! corrupt: input.amount is"), "{}", session.text());
}

#[test]
fn a_dry_run_counts_exactly_as_the_run_does() {
    let place = Place::new();
    place.create();
    let config = place.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap_or_default();
    let at = |n: usize| ["ana@example.com wrote", "call me", "hello"][n % 3].to_owned();
    let mut stream: String = (0..60)
        .map(|n| {
            line(
                &format!("p{n}"),
                &at(n),
                if n % 4 == 0 { "pay" } else { "call" },
                0.01 * n as f64,
                n as i64,
            )
        })
        .collect();
    stream += &line("p1", "another text", "call", 0.01, 1); // a conflict
    stream += &line("p2", "hello", "call", 0.02, 2); // the same again
    stream += "{broken\n";
    let file = place.dir.path().join("s.jsonl");
    std::fs::write(&file, stream).unwrap();
    let file = file.to_str().unwrap();
    std::fs::write(&config, text + "\n[redact]\nkinds = [\"email\"]\n").unwrap();
    let args = [
        "ingest",
        file,
        "--where",
        "confidence < 0.3",
        "--flag",
        "unsure",
        "--where",
        "label == 'pay'",
        "--json",
    ];
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let mut dry = read(place.ok(&[&args[..], &["--dry-run"]].concat()));
    assert!(place.ok(&["status", "--json"]).contains("\"open\":0"), "nothing is written");
    let wet = read(place.ok(&args));
    let examples = dry["redactions"]["email"].as_object_mut().unwrap().shift_remove("examples");
    assert_eq!(examples, Some(serde_json::json!(["ana@example.com"])));
    assert_eq!(dry, wet);
    assert_eq!(
        (&wet["flagged"]["unsure"], &wet["flagged"]["label == 'pay'"]),
        (&30.into(), &15.into())
    );
    assert_eq!((&wet["duplicate"], &wet["rejected"]), (&1.into(), &2.into()));
    // Again: all of them are there.
    let again = read(place.ok(&[&args[..], &["--dry-run"]].concat()));
    assert_eq!(
        (&again["opened"], &again["duplicate"]),
        (&0.into(), &(wet["opened"].as_u64().unwrap() + 1).into())
    );
    let shown = place.run(&["queue", "--json"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("\"unsure\""));
    assert_eq!(
        place.run(&["ingest", file, "--where", "true", "--flag", "a", "--flag", "b"]).status.code(),
        Some(2)
    );
}

#[test]
fn what_a_rule_asks_for_is_checked_before_the_first_line_and_wrong_files_are_named() {
    let place = Place::new();
    place.create();
    let write = |name: &str, text: &[u8]| {
        let path = place.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut good = line("a", "hi", "pay", 0.2, 0);
    good += "{\"id\":\"b\",\"occurred_at\":\"2026-06-01T08:00:00Z\",\"region\":\"eu\",\"input\":{\"text\":\"x\"},\"prediction\":null}\n";
    let good = write("good.jsonl", good.as_bytes());
    let told = |args: &[&str]| {
        let output = place.run(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &text)
    };
    for (rule, words) in [
        ("confidance < 0.3", "Did you mean `confidence`?"),
        ("has_prediction && foo(id)", "calls `foo`"),
    ] {
        let (code, text) = told(&["ingest", &good, "--where", rule]);
        assert!(code == Some(2) && text.contains(words), "{rule}: {text}");
    }
    let (code, text) = told(&["ingest", &good, "--where", "confidence < 0.3", "--dry-run"]);
    assert!(
        code == Some(0) && text.contains("1 would be opened") && text.contains("0 rejected"),
        "{text}"
    );
    let (code, text) = told(&["ingest", &good, "--where", "region == 'eu'", "--dry-run"]);
    assert!(code == Some(0) && text.contains("1 would be opened"), "{text}");
    for (name, bytes, words) in [
        ("a.csv", &b"task,worker\n1,2\n"[..], "CSV"),
        ("a.log", b"2026-06-01T08:00:00Z INFO up\n2026-06-01T08:00:01Z INFO down\n", "a log"),
    ] {
        let (code, text) = told(&["ingest", &write(name, bytes)]);
        assert!(code == Some(1) && text.contains(&format!("{name} is {words}")), "{name}: {text}");
    }
    let (code, text) = told(&["ingest", &write("a.gz", b"\x1f\x8b\x08\x00 rubbish\n\xff\n")]);
    assert!(code == Some(2) && text.contains("its gzip breaks off at byte"), "{text}");
}

#[test]
fn an_alert_opens_the_cases_of_its_window() {
    let place = Place::new();
    drop(place.create());
    let lines: String =
        (0..60).map(|n| line(&format!("p{n}"), "some text", "x", 0.9, n * 60)).collect();
    let file = |name: &str| place.dir.path().join(name).display().to_string();
    std::fs::write(file("stream.jsonl"), lines).unwrap();
    let body = "{\"alerts\":[{\"labels\":{\"alertname\":\"Errors\"},\"startsAt\":\"2026-06-01T08:10:00Z\",\"endsAt\":\"2026-06-01T08:19:30Z\"}]}";
    std::fs::write(file("alert.json"), body).unwrap();
    let out =
        place.ok(&["ingest", &file("stream.jsonl"), "--alert", &file("alert.json"), "--json"]);
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["flagged"]["alert Errors"], 10, "{summary}");
    std::fs::write(file("alert.json"), "[]").unwrap();
    let bad = place.run(&["ingest", &file("stream.jsonl"), "--alert", &file("alert.json")]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("no body of Alertmanager"));
}

#[test]
fn a_piece_of_a_stream_knows_what_came_before_it_and_alarms_draw_whole_cases() {
    let place = Place::new();
    drop(place.create());
    let traps = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.3\"\n\
        [[alarm]]\nname = \"sure\"\nwatch = \"confidence\"\ncases = 5\n";
    let file = place.dir.path().join("t.toml");
    std::fs::write(&file, traps).unwrap();
    place.ok(&["trap", "publish", &file.display().to_string()]);
    let mut workspace = place.open();
    // Pieces of a few lines, each up to four seconds late; `low` comes once.
    let mut order: Vec<i64> = (0..900).collect();
    order.sort_by_key(|n| n + n * 7 % 5);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let request = IngestRequest { piece: true, ..IngestRequest::default() };
    let mut summary = casework::intake::Summary::default();
    for piece in order.chunks(7) {
        let lines: String = piece
            .iter()
            .map(|n| {
                let confidence = match n {
                    300 => 0.2,
                    _ if *n < 500 => 0.9,
                    _ => 0.6,
                };
                line(&format!("{n}"), "some text", "x", confidence, *n)
            })
            .collect();
        summary.add(workspace.ingest(lines.as_bytes(), &request, &stop, |_| ()).unwrap(), None);
    }
    assert_eq!((summary.late, summary.ahead), (0, 0));
    let around = |workspace: &mut Workspace, id: &str| -> Vec<i64> {
        let row = workspace.find_case(id).unwrap();
        let case = workspace.open_case(row).unwrap();
        case.neighbours.iter().map(|other| other.id.parse().unwrap()).collect()
    };
    let near = around(&mut workspace, "300");
    assert!((295..300).all(|n| near.contains(&n)), "{near:?}");
    let raised = workspace.raised_alarms().unwrap();
    let sure: Vec<_> = raised.iter().filter(|alarm| alarm.is_open()).collect();
    assert_eq!(sure.len(), 1, "{raised:?}");
    assert_eq!(sure[0].raised.cases.len(), 5);
    let shown: Vec<String> = sure[0].raised.cases.iter().map(ToString::to_string).collect();
    for case in shown {
        let row = workspace.find_case(&case).unwrap();
        let own: i64 = row.external_id.parse().unwrap();
        let near = around(&mut workspace, &case);
        assert!(own >= 495 && (own - 5..own).all(|n| near.contains(&n)), "{own}: {near:?}");
    }
}

/// What is followed: started, given time, stopped by a signal or killed.
fn followed(place: &Place, files: &[&str], meanwhile: impl FnOnce(), kill: bool) {
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(
            [&["ingest", "--follow", "--where", "confidence < 0.5", "--flag", "low"], files]
                .concat(),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    meanwhile();
    if kill {
        child.kill().unwrap();
    } else {
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }
    assert_eq!(child.wait().unwrap().success(), !kill);
}

#[test]
fn what_is_followed_is_taken_in_once_through_rotation_and_a_kill() {
    let place = Place::new();
    drop(place.create());
    let log = place.dir.path().join("stream.jsonl");
    let file = log.display().to_string();
    let put = |from: i64, to: i64| {
        let mut out = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        for n in from..to {
            let row =
                line(&format!("p{n}"), "some text", "x", if n % 2 == 0 { 0.2 } else { 0.9 }, n);
            out.write_all(row.as_bytes()).unwrap();
        }
    };
    let open = || place.run_text(&["queue", "--state", "open", "--json"]).lines().count();
    let until = |n: usize| {
        for _ in 0..200 {
            if open() >= n {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{} cases, and {n} were to come", open());
    };
    put(0, 100);
    followed(
        &place,
        &[&file],
        || {
            until(45);
            put(100, 200);
            until(95);
            std::fs::rename(&log, place.dir.path().join("stream.jsonl.1")).unwrap();
            put(200, 300);
            until(145);
        },
        true,
    );
    put(300, 400);
    followed(&place, &[&file], || until(195), false);
    assert_eq!(open(), 200, "neighbours that were waited for are there by the end");
    // Each prediction was read once: nothing is left to read.
    followed(&place, &[&file], || std::thread::sleep(std::time::Duration::from_millis(600)), false);
    assert_eq!(open(), 200);
}

/// A stream is taken in piece by piece, and what comes again in the next is not the first of its kind.
#[test]
fn what_comes_again_in_the_next_piece_is_a_repeat() {
    let place = Place::new();
    drop(place.create());
    let traps = place.dir.path().join("traps.toml");
    let rule =
        "[[trap]]\nname = \"again\"\nrepeat = { by = [\"label\"], within = \"10m\", times = 2 }\n";
    std::fs::write(&traps, rule).unwrap();
    place.ok(&["trap", "publish", traps.to_str().unwrap()]);
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(["ingest", "--follow", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for n in 0..3 {
        stdin.write_all(line(&format!("p{n}"), "some text", "x", 0.9, n).as_bytes()).unwrap();
        stdin.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_500));
    }
    drop(stdin);
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let open = place.run_text(&["queue", "--state", "open", "--json"]);
    assert!(open.lines().count() == 2 && !open.contains("\"p0\""), "{open}");
}
