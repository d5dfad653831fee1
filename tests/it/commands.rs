//! What the screen does, by command: the real program, its output and exit codes.

use serde_json::Value;

use crate::support::{Place, ingest, line, program};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn sample() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String = ["move money", "red \u{1b}[31m text \u{202e}", "hello"]
        .iter()
        .enumerate()
        .map(|(i, text)| line(&format!("p{i}"), text, "pay", 0.2, i as i64))
        .collect();
    ingest(&mut workspace, &lines);
    place
}

const LABEL: [&str; 12] = [
    "label",
    "p0",
    "--answer",
    "readable=y",
    "--answer",
    "verdict=no, another label is right",
    "--answer",
    "corrected=transfer",
    "--answer",
    "category=r",
    "--confidence",
    "4",
];

#[test]
fn a_case_is_labeled_undone_and_exported() {
    let place = sample();
    assert_eq!(place.ok(&["queue", "--json"]).lines().count(), 3);
    let given = json(&place.ok(
        &[&LABEL[..], &["--rationale", "asks to move it", "--tag", "money", "--json"]].concat(),
    ));
    assert_eq!(given["outcome"]["label"], "transfer");
    let label = json(&place.ok(&["labels", "--json"]));
    for (key, value) in [
        ("reviewer", "ana"),
        ("round", "main"),
        ("protocol", "edge-cases"),
        ("rationale", "asks to move it"),
    ] {
        assert_eq!(label[key], value);
    }
    assert_eq!((label["confidence"].as_u64(), label["version"].as_u64()), (Some(4), Some(1)));
    assert_eq!(label["path"][1], serde_json::json!(["verdict", "n"]));
    let status = json(&place.ok(&["status", "--json"]));
    assert_eq!(
        (status["cases"]["resolved"].as_u64(), status["labels"].as_u64()),
        (Some(1), Some(1))
    );
    let row = json(&place.ok(&["export", "--rows", "cases"]));
    assert_eq!(
        (row["label"].as_str(), row["text"].as_str()),
        (Some("transfer"), Some("move money"))
    );
    assert_eq!(row["events"][0], given["event"]);
    place.ok(&["label", "p0", "--answer", "readable=n", "--answer", "damage=c"]);
    let counts: Vec<bool> =
        place.ok(&["export"]).lines().map(|row| json(row)["counts"].as_bool().unwrap()).collect();
    assert_eq!(counts.iter().filter(|counts| **counts).count(), 1, "the later one replaced it");
    place.ok(&["undo"]);
    place.ok(&["undo"]);
    assert_eq!(place.ok(&["labels", "--json"]), "");
    assert_eq!(place.run(&["undo"]).status.code(), Some(2), "there is nothing more to take back");
    let shown = json(&place.ok(&["show", "p0", "--json"]));
    let told: Vec<&str> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["what"].as_str().unwrap())
        .collect();
    assert!(told.iter().any(|what| what.contains("took the label back")), "{told:?}");
}

#[test]
fn what_is_missing_or_wrong_is_said_and_nothing_is_saved() {
    let place = sample();
    let check = |args: &[&str], code: i32, expect: &str| {
        let output = place.run(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(expect), "{args:?}: {error}");
    };
    check(&LABEL[..4], 2, "`verdict` is not answered");
    check(
        &["label", "p0", "--answer", "readable=perhaps"],
        2,
        "`perhaps` is no answer to `readable`",
    );
    check(&["label", "p0", "--answer", "taste=y"], 2, "no question `taste`");
    check(&["label", "p0", "--check", "moon"], 2, "no checklist item");
    check(&["label", "nothing", "--answer", "readable=y"], 2, "no case is called `nothing`");
    check(&[&LABEL[..], &["--as", "bo"]].concat(), 2, "casework roster admit bo");
    check(&["label", "p0", "--confidence", "9"], 2, "9");
    check(&["search", "zebra"], 1, "");
    check(&["export", "--format", "xml"], 2, "jsonl");
    check(&["import", "labels", "x", "--format", "xml"], 2, "jsonl");
    check(&["policy", "set", "overlap=many"], 2, "a number");
    check(&["ingest", "/nowhere"], 2, "/nowhere");
    check(&["ingest", "/", "--where", "true"], 2, "/");
    check(&["ingest", "-", "--where", "confidence <"], 2, "cannot be read");
    check(&["glossary", "show", "no-such-term"], 1, "");
    assert_eq!(place.ok(&["labels", "--json"]), "");
}

#[test]
fn others_are_admitted_and_stay_blind_until_they_gave_theirs() {
    let place = sample();
    place.ok(&["policy", "set", "overlap=2"]);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    place.ok(&[&LABEL[..], &["--rationale", "a secret so far"]].concat());
    assert!(!place.ok(&["show", "p0", "--as", "bo"]).contains("a secret so far"));
    assert!(!place.ok(&["show", "p0", "--as", "bo", "--json"]).contains("transfer"));
    assert_eq!(place.ok(&["queue", "--json"]).lines().count(), 2, "ana is done with it");
    assert_eq!(place.ok(&["queue", "--json", "--as", "bo"]).lines().count(), 3);
    place.ok(&[&LABEL[..], &["--as", "bo"]].concat());
    assert!(place.ok(&["show", "p0", "--as", "bo"]).contains("a secret so far"));
    assert_eq!(json(&place.ok(&["status", "--json"]))["cases"]["resolved"], 1);
}

#[test]
fn a_queue_says_why_it_holds_what_it_holds_and_its_counts_add_up() {
    let place = sample();
    place.ok(&["policy", "set", "overlap=2"]);
    place.ok(&LABEL);
    place.ok(&["defer", "p1", "waits for the glossary"]);
    let counts = json(&place.ok(&["queue", "--explain", "--json"]));
    let count = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!((count("mine"), count("labeled"), count("deferred"), count("total")), (1, 1, 1, 3));
    let sum =
        ["mine", "labeled", "deferred", "disputed", "resolved"].map(count).iter().sum::<u64>();
    assert_eq!(sum, count("total"));
    assert!(place.ok(&["queue"]).contains("hello"));
    let labeled = place.run(&["queue", "--json", "move"]);
    assert_eq!((labeled.status.code(), labeled.stdout.len()), (Some(1), 0), "labeled already");
}

#[test]
fn no_output_obeys_what_stands_in_the_data() {
    let place = sample();
    place.ok(&["comment", "p1", "a \u{1b}]0;title\u{7} comment"]);
    place.ok(&[
        "label",
        "p1",
        "--answer",
        "readable=n",
        "--answer",
        "damage=c",
        "--rationale",
        "it says \u{1b}[2J \u{202e}",
    ]);
    for args in [
        &["queue"][..],
        &["queue", "--json"],
        &["queue", "--state", "resolved"],
        &["show", "p1"],
        &["show", "p1", "--json"],
        &["search", "red"],
        &["labels"],
        &["labels", "--json"],
        &["export"],
        &["export", "--format", "csv"],
        &["export", "--rows", "cases"],
        &["status", "--json"],
        &["verify"],
    ] {
        let output = place.run(args);
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        let acts =
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(acts), "{args:?}: {text:?}");
    }
    let exported = json(&place.ok(&["export"]));
    assert_eq!(exported["text"], "red \u{1b}[31m text \u{202e}", "JSON keeps the text as it is");
}

#[test]
fn the_rest_of_the_commands() {
    let place = sample();
    let paths = json(&place.ok(&["paths", "--json"]));
    assert_eq!(paths["workspace"], place.path().to_str().unwrap());
    assert!(place.ok(&["paths", "--default-config"]).contains("[review]"));
    assert!(place.ok(&["completions", "bash"]).contains("_casework"));
    assert!(place.ok(&["doctor"]).contains("edge-cases v1"));
    assert!(place.ok(&["protocol", "show"]).contains("Can you read the input?"));
    assert!(place.ok(&["glossary", "show", "out-of-scope"]).contains("Out of scope"));
    assert_eq!(
        place.ok(&["search", "mon", "--json"]).lines().count(),
        1,
        "the last word may be unfinished"
    );
    assert!(
        place.ok(&["verify", "--json"]).starts_with("{\"entries\":3,\"ok\":true,\"faults\":[]")
    );
    let csv = place.ok(&["export", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 1, "no labels: the header alone, so that readers take it");
    place.ok(&["escalate", "p0", "who decides this"]);
    assert!(place.ok(&["show", "p0"]).contains("escalated: who decides this"));
    assert_eq!(program().arg("--version").output().unwrap().status.code(), Some(0));
}

#[test]
fn the_demo_makes_a_desk_with_a_history_and_goes_through_it() {
    let place = Place::new();
    let dir = place.path();
    let out = place.ok(&["demo", "--headless", "--dir", dir.to_str().unwrap()]);
    for word in ["44 resolved", "by 4 reviewers", "Submitted: category", "0 faults", "digest"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    let again = place.ok(&["demo", "--headless", "--dir", dir.to_str().unwrap()]);
    assert!(again.contains("Submitted: category"), "{again}");
    let own = sample();
    let output = own.run(&["demo", "--headless", "--dir", own.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "a workspace of one's own is no demo");
    assert_eq!(own.ok(&["labels", "--json"]), "");
}

#[test]
fn every_command_speaks_json() {
    let place = sample();
    let dir = place.dir.path();
    let two = [dir.join("a.jsonl"), dir.join("b.jsonl")];
    std::fs::write(&two[0], line("f1", "one", "pay", 0.2, 50)).unwrap();
    std::fs::write(&two[1], line("f2", "two", "pay", 0.2, 51) + "{broken\n").unwrap();
    let file = |name: &str| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_str().unwrap().to_owned()
    };
    let (protocol, terms) = (file("glossary/edge-cases.toml"), file("glossary/terms.toml"));
    let other = dir.join("other");
    for args in [
        &["comment", "p0", "x"][..],
        &["escalate", "p0", "x"],
        &["defer", "p0", "x"],
        &LABEL,
        &["undo"],
        &["policy", "show"],
        &["policy", "set", "overlap=2"],
        &["roster", "admit", "bo", "--role", "lead"],
        &["protocol", "check", &protocol],
        &["protocol", "publish", &protocol],
        &["glossary", "check"],
        &["glossary", "publish", &terms],
        &["status"],
        &["verify"],
        &["paths"],
        &["queue", "--explain"],
        &["show", "p0"],
        &["init", "--name", "other", "--as", "bo", "--workspace", other.to_str().unwrap()],
    ] {
        let out = place.ok(&[args, &["--json"]].concat());
        assert!(
            serde_json::from_str::<Value>(&out).is_ok_and(|value| value.is_object()),
            "{args:?}: {out}"
        );
    }
    let files = two.each_ref().map(|path| path.to_str().unwrap());
    let summary = json(&place.ok(&["ingest", files[0], files[1], "--json"]));
    assert_eq!((summary["read"].as_u64(), summary["opened"].as_u64()), (Some(3), Some(2)));
    assert!(
        summary["rejects"][0]["reason"].as_str().unwrap().contains("b.jsonl: not JSON"),
        "{summary}"
    );
    let bad = dir.join("bad.toml");
    std::fs::write(&bad, "id = \"x\"\n").unwrap();
    let output = place.run(&["protocol", "check", bad.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json(&String::from_utf8(output.stdout).unwrap())["ok"], false);
}

#[test]
fn what_happened_is_told_to_a_log_and_nothing_of_a_case() {
    let place = sample();
    let log = place.dir.path().join("casework.log");
    let run = |args: &[&str], log: &std::path::Path| {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).env("CASEWORK_LOG", log).args(args);
        command.output().unwrap()
    };
    assert!(run(&["comment", "p0", "SECRET words"], &log).status.success());
    assert_eq!(run(&["show", "no-such-case"], &log).status.code(), Some(2));
    let told = std::fs::read_to_string(&log).unwrap();
    for words in ["command=\"comment\"", "wrote an entry", "ERROR", "no-such-case"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("SECRET") && !told.contains("move money"), "{told}");
    let nowhere = run(&["status"], std::path::Path::new("/no/such/place/log"));
    assert_eq!(nowhere.status.code(), Some(2), "a log that can't be written is said");
}
