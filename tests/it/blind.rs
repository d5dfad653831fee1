//! Nobody who may still label a case is told what others said of it, by any command; and who put a
//! label into whose mouth is said wherever the label is.

use std::fs;

use clap::CommandFactory as _;
use serde_json::Value;

use casework::config::Env;
use casework::review::board::BoardSums;
use casework::workspace::Workspace;
use casework::{db, demo};

use crate::keys::Keys as _;
use crate::support::{Place, T0, team_of_three};

const SECRET: &str = "SECRET-OF-OTHERS";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Six cases; ana leads, bo and cy review.
fn team(overlap: u32) -> Place {
    let place = team_of_three();
    place.ok(&["policy", "set", &format!("overlap={overlap}"), "limit=5", "on=verdict"]);
    place
}

fn label(place: &Place, case: &str, who: &str, why: &str) {
    let answers = [
        "--answer",
        "readable=y",
        "--answer",
        "verdict=n",
        "--answer",
        "corrected=transfer",
        "--answer",
        "category=r",
    ];
    place.ok(&[&["label", case, "--as", who, "--rationale", why], &answers[..]].concat());
}

/// A recipe of everything.
fn cut_recipe(place: &Place) -> &'static str {
    let path = place.dir.path().join("r.toml");
    fs::write(&path, "name = \"all\"\n").unwrap();
    Box::leak(path.display().to_string().into_boxed_str())
}

/// Ways to run each command of the table that could tell what others said. A new command has to be
/// added here.
fn ways(command: &str, place: &Place) -> Vec<Vec<String>> {
    let out = place.dir.path().join(format!("out-{command}"));
    let out = out.to_str().unwrap();
    let protocol = place.dir.path().join("p.toml");
    fs::write(
        &protocol,
        place.ok(&["protocol", "starter", "text"]).replace("title = \"", "title = \"Another "),
    )
    .unwrap();
    let protocol = protocol.to_str().unwrap();
    let list: Vec<Vec<&str>> = match command {
        // They say nothing of labels, or change something only.
        "init" | "join" | "sync" | "demo" | "ingest" | "undo" | "redo" | "comment" | "defer"
        | "escalate" | "glossary" | "train" | "erase" | "backup" | "paths" | "doctor"
        | "completions" | "man" | "import" | "serve" | "vouch" | "countersign" | "appeal"
        | "help" | "trap" | "reference" | "run" | "gate" | "deploy" | "outcome" | "outcomes"
        | "proposals" => vec![],
        // A cut takes everything, and is for leads and engineers.
        "cut" => vec![vec![cut_recipe(place), "--out", out], vec!["list"]],
        "trace" => vec![vec!["p0"], vec!["p1"], vec!["p3"]],
        // Whoever reads entries themselves reads the journal, which lies open (README).
        "audit" => vec![vec!["outcomes"], vec!["due"]],
        "verify" => vec![vec![]],
        "queue" => vec![
            vec![],
            vec!["--explain"],
            vec!["--shares"],
            vec!["--renew"],
            vec!["--explain", "p0"],
        ],
        "show" | "attachment" => vec![vec!["p0"], vec!["p1"], vec!["p3"]],
        "search" => vec![vec!["money"], vec!["SECRET"]],
        "label" => vec![vec!["p0"], vec!["p0", "--answer", "readable=x"]],
        "labels" => vec![vec![]],
        "export" => vec![
            vec![],
            vec!["--rows", "cases"],
            vec!["--format", "csv"],
            vec!["--rows", "cases", "--format", "csv"],
        ],
        "protocol" => vec![vec!["show"], vec!["replay", protocol], vec!["diff", "1", protocol]],
        "gold" => vec![vec!["list"], vec!["trained"]],
        "conflicts" => vec![vec![], vec!["--near", "0.3"]],
        "precedents" => vec![vec!["p0"], vec!["p5"]],
        "agreement" => vec![vec![]],
        "disagreements" => {
            let by =
                ["question", "pair", "category", "reviewer", "case"].map(|by| vec!["--by", by]);
            by.into_iter().chain([vec!["p0"], vec!["p3"], vec!["--question", "verdict"]]).collect()
        }
        "arbitrate" => vec![vec![], vec!["p0"], vec!["p3"]],
        "rulings" => vec![vec![], vec!["--changes"], vec!["--overruled"]],
        "calibrate" => vec![vec!["show"], vec!["size"]],
        "consensus" => ["hierarchical", "majority", "dawid-skene", "one-coin", "mace"]
            .map(|method| vec!["--method", method, "--reviewers-min", "1", "--tasks-min", "1"])
            .into(),
        "plugin" => vec![vec!["list"], vec!["show", "llm"], vec!["example", "llm"]],
        "traps" | "metrics" | "changelog" | "catalog" | "formats" => vec![vec![]],
        "suspects" => vec![vec![], vec!["--labels", "gold"]],
        "report" => vec![vec![], vec!["--out", out], vec!["--public"]],
        "reliability" | "profile" => vec![vec![]],
        "sla" => vec![vec![], vec!["check"]],
        "nudge" => vec![vec!["--dry-run"]],
        "policy" => vec![vec!["show"]],
        "roster" => vec![vec!["show"]],
        "status" => vec![vec![]],
        other => panic!("say in this test how `{other}` is run, and what it may tell a reviewer"),
    };
    list.into_iter()
        .map(|args| [&[command], &args[..]].concat().into_iter().map(str::to_owned).collect())
        .collect()
}

/// All that any command tells somebody, with and without --json.
fn told(place: &Place, who: &str) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for command in casework::cli::Cli::command().get_subcommands() {
        for args in ways(command.get_name(), place) {
            for json in [&[][..], &["--json".to_owned()]] {
                let args: Vec<&str> =
                    args.iter().chain(json).map(String::as_str).chain(["--as", who]).collect();
                let output = place.run(&args);
                let words = [output.stdout, output.stderr]
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                    .concat();
                assert!(!words.contains("panicked"), "{args:?}: {words}");
                told.push((args.join(" "), words));
            }
        }
    }
    for file in fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        told.push((
            file.display().to_string(),
            String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned(),
        ));
    }
    told
}

#[test]
fn no_command_tells_a_reviewer_what_others_said_of_a_case_that_waits() {
    let place = team(3);
    for case in ["p0", "p1"] {
        label(&place, case, "cy", SECRET);
    }
    label(&place, "p1", "ana", SECRET);
    label(&place, "p2", "bo", "what bo says himself");
    // What turned out would tell as much.
    let file = place.dir.path().join("turned-out.jsonl");
    let outcome = |case: &str| {
        format!(
            "{{\"id\":\"{case}\",\"observed_at\":\"2026-06-20T00:00:00Z\",\"truth\":\"{SECRET}\"}}\n"
        )
    };
    fs::write(&file, outcome("p0") + &outcome("p1")).unwrap();
    place.ok(&["outcome", "import", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    place.ok(&["protocol", "show"]);
    let of_bo = told(&place, "bo");
    for (command, words) in &of_bo {
        // The first lines of `p0`'s outcome would tell as much as the reason.
        assert!(!words.contains(SECRET), "{command}: {words}");
    }
    let ids: Vec<String> = ["p0", "p1"]
        .map(|case| json(&place.ok(&["show", case, "--json"]))["case"].as_str().unwrap().to_owned())
        .into();
    for (command, words) in &of_bo {
        let of_others = words.lines().any(|line| {
            line.contains("wrong_label") && ids.iter().any(|id| line.contains(&id[..8]))
        });
        assert!(!of_others, "{command}: {words}");
    }
    // What is left out is counted, and his own is there.
    let output = place.run(&["labels", "--as", "bo"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Left out: 3 labels of others"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("what bo says himself"));
    let output = place.run(&["export", "--as", "bo"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Left out: 3 rows of others"));
    // A lead who reviews is blind too, on what they may still label.
    for (command, words) in told(&place, "ana") {
        let p0 = words.lines().any(|line| line.contains(SECRET) && line.contains(&ids[0][..8]));
        assert!(!p0, "{command}: {words}");
    }
    // Given one's own, the others' are shown.
    label(&place, "p0", "bo", "now I have");
    assert!(place.ok(&["labels", "--as", "bo"]).contains(SECRET));
    assert!(place.ok(&["export", "--as", "bo"]).contains(SECRET));
}

#[test]
fn no_command_tells_a_reviewer_a_known_answer() {
    let place = team(1);
    label(&place, "p3", "ana", SECRET);
    place.ok(&["gold", "set", "p3", "--why", SECRET]);
    for (command, words) in told(&place, "bo") {
        assert!(!words.contains(SECRET), "{command}: {words}");
    }
    assert!(place.ok(&["gold", "list"]).contains(SECRET), "whoever set it sees it");
}

fn import(place: &Place, lines: &str) -> Value {
    let file = place.dir.path().join("l.jsonl");
    fs::write(&file, lines).unwrap();
    json(
        &String::from_utf8(
            place
                .run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl", "--json"])
                .stdout,
        )
        .unwrap(),
    )
}

const PATH: &str = r#"[["readable","y"],["verdict","y"],["category","r"]]"#;

#[test]
fn an_import_takes_the_place_of_nothing_signed_and_is_called_one_everywhere() {
    let place = team(3);
    label(&place, "p0", "bo", "signed by bo");
    let line = |case: &str, more: &str| {
        format!("{{\"case\":\"{case}\",\"reviewer\":\"bo\",\"path\":{PATH}{more}}}\n")
    };
    let refused = |lines: &str, expect: &str| {
        let summary = import(&place, lines);
        assert_eq!(
            (&summary["imported"], &summary["rejected"]),
            (&0.into(), &1.into()),
            "{summary}"
        );
        assert!(summary["rejects"][0]["reason"].as_str().unwrap().contains(expect), "{summary}");
    };
    refused(&line("p0", ""), "bo labeled this case and signed that");
    refused(&line("p0", ",\"at\":\"2020-01-01T00:00:00Z\""), "signed that");
    refused(&line("p1", ",\"at\":\"2999-01-01T00:00:00Z\""), "in the future");
    // What somebody did not sign may be imported, and says whose word it is.
    assert_eq!(import(&place, &line("p1", ",\"rationale\":\"said on paper\""))["imported"], 1);
    let label_of = |case: &str| {
        let id = json(&place.ok(&["show", case, "--json"]))["case"].clone();
        let lines = place.ok(&["labels", "--json", "--as", "bo"]);
        lines.lines().map(json).filter(|label| label["case"] == id).collect::<Vec<_>>()
    };
    let given = label_of("p1");
    assert_eq!((&given[0]["reviewer"], &given[0]["author"]), (&"bo".into(), &"ana".into()));
    assert!(place.ok(&["labels", "--as", "bo"]).contains("imported by ana"));
    assert!(place.ok(&["show", "p1", "--as", "bo"]).contains("[imported by ana]"));
    let exported = place.ok(&["export", "--as", "bo"]);
    let row = exported.lines().map(json).find(|row| row["id"] == "p1").unwrap();
    assert_eq!(
        (&row["reviewer"], &row["author"], &row["counts"]),
        (&"bo".into(), &"ana".into(), &true.into())
    );
    let csv = place.ok(&["export", "--format", "csv", "--as", "bo"]);
    assert!(csv.lines().next().unwrap().split(',').any(|name| name == "author"), "{csv}");
    let mut session = casework::tui::Review::in_turn(
        Workspace::open(place.paths(), Env::default(), Some("bo")).unwrap(),
        (160, 45),
        || T0,
        None,
    )
    .unwrap();
    session.press("/ p 1 Enter H");
    assert!(
        session.text().contains("imported by ana") || !session.text().contains("labeled"),
        "{}",
        session.text()
    );
    // Signed later or earlier, one's own label counts.
    label(&place, "p1", "bo", "signed by bo");
    let counts: Vec<(String, bool)> = place
        .ok(&["export", "--as", "bo"])
        .lines()
        .map(json)
        .filter(|row| row["id"] == "p1")
        .map(|row| (row["author"].as_str().unwrap().to_owned(), row["counts"].as_bool().unwrap()))
        .collect();
    assert_eq!(counts.iter().filter(|(_, counts)| *counts).count(), 1);
    assert!(counts.contains(&("bo".to_owned(), true)), "{counts:?}");
    // Undo takes back what one signed oneself.
    place.ok(&["undo", "--as", "bo"]);
    assert_eq!(label_of("p1").len(), 1, "what was imported stays");
}

#[test]
fn who_reviews_nothing_exports_everything_and_it_is_recorded() {
    let place = team(2);
    label(&place, "p0", "bo", SECRET);
    assert_eq!(place.run(&["export", "--recorded"]).status.code(), Some(1), "nobody did yet");
    place.ok(&["roster", "admit", "eve", "--role", "engineer"]);
    let all = place.ok(&["export", "--as", "eve"]);
    assert!(all.contains(SECRET), "{all}");
    let told = place.ok(&["export", "--recorded"]);
    assert!(told.contains("eve") && told.contains("labels as jsonl"), "{told}");
    // A lead who reviews is shown no more than a reviewer, and nothing is recorded of it.
    place.ok(&["export"]);
    assert_eq!(place.ok(&["export", "--recorded", "--json"]).lines().count(), 1);
    // The past is no way round it.
    place.ok(&["export", "--as", "eve", "--rows", "cases", "--at", "0m"]);
    assert!(place.ok(&["export", "--recorded"]).contains("cases as jsonl"));
}

#[test]
fn figures_about_others_are_for_leads() {
    let place = team(2);
    for (case, who) in
        [("p0", "bo"), ("p0", "cy"), ("p1", "bo"), ("p1", "ana"), ("p2", "cy"), ("p2", "ana")]
    {
        label(&place, case, who, "so");
    }
    // A verdict of one kind tells a model nothing.
    let right = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    place.ok(&[&["label", "p3", "--as", "cy", "--rationale", "right"], &right[..]].concat());
    place.ok(&[&["label", "p3", "--as", "bo", "--rationale", "right"], &right[..]].concat());
    let consensus =
        ["consensus", "--method", "one-coin", "--reviewers-min", "1", "--tasks-min", "1", "--json"];
    let ways: [&[&str]; 4] = [
        &["disagreements", "--by", "reviewer", "--json"],
        &["disagreements", "--by", "pair", "--json"],
        &["agreement", "--json"],
        &consensus,
    ];
    for args in ways {
        let output = place.run(&[args, &["--as", "bo"]].concat());
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            !told.is_empty() && told.contains("\"bo\"") | told.contains("bo and"),
            "{args:?}: {told}"
        );
        for other in ["[\"ana\",\"cy\"]", "ana and cy", "\"name\":\"cy\"", "\"reviewer\":\"cy\""] {
            assert!(!told.contains(other), "{args:?} tells bo of others: {told}");
        }
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("about others"), "{args:?}: {said}");
        let lead = place.run(args);
        assert!(String::from_utf8(lead.stdout).unwrap().contains("cy"), "{args:?}");
        assert!(!String::from_utf8(lead.stderr).unwrap().contains("figures about others"));
    }
}

#[test]
fn what_is_looked_up_for_all_cases_at_once_is_what_each_alone_says() {
    let place = Place::new();
    let found = Workspace::create_demo(place.paths(), Env::default(), demo::SEED, T0).unwrap();
    drop(found);
    for who in ["you", "ana", "bo", "dee"] {
        let workspace = Workspace::open(place.paths(), Env::default(), Some(who)).unwrap();
        let conn = &workspace.tables().conn;
        let mut cases = Vec::new();
        db::case::for_each(conn, |row| cases.push(row.id)).unwrap();
        assert!(cases.len() > 150, "more than are looked up one by one");
        let mut of_all = workspace.sight().unwrap();
        let at_once: Vec<bool> =
            cases.iter().map(|id| of_all.is_blind_to(conn, *id).unwrap()).collect();
        let alone = |id| workspace.sight().unwrap().is_blind_to(conn, id).unwrap();
        assert_eq!(at_once, cases.iter().map(|id| alone(*id)).collect::<Vec<_>>(), "{who}");
        let lead_or_reviewer = at_once.iter().filter(|blind| **blind).count();
        assert!((1..cases.len()).contains(&lead_or_reviewer), "{who}: {lead_or_reviewer}");
    }
}

/// What a policy hides until somebody answers, a trace hides too.
#[test]
fn a_trace_hides_what_the_policy_hides() {
    let place = team(2);
    place.ok(&["policy", "set", "hide=prediction until answer"]);
    let traced = |who: &str| place.ok(&["trace", "p0", "--as", who]);
    let told = traced("bo");
    let line = told.lines().find(|line| line.contains("detected")).unwrap();
    assert!(line.contains("(hidden)"), "{told}");
    label(&place, "p0", "bo", "mine");
    assert!(!traced("bo").contains("(hidden)"), "bo has judged it");
}

/// As `agreement`, `disagreements` and the board have it: labels compared, and cases on which they differ.
fn compared(place: &Place) -> (u64, u64) {
    let agreement = json(&place.ok(&["agreement", "--resample", "0", "--json"]));
    let by_case = place.ok(&["disagreements", "--by", "case", "--json"]);
    let differ = by_case.lines().map(json).filter(|case| case["differ"].as_u64() > Some(0));
    let (workspace, mut sums) = (place.open(), BoardSums::default());
    workspace.board(&mut sums).unwrap();
    assert_eq!(sums.sums().found, workspace.disagreements("main").unwrap(), "the board");
    (agreement["labels"].as_u64().unwrap(), differ.count() as u64)
}

#[test]
fn what_is_labeled_after_others_were_seen_counts_and_is_not_compared() {
    let place = team(2);
    place.ok(&["policy", "set", "limit=2"]);
    let right = |case: &str, who: &str| {
        let answers = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
        place.ok(&[&["label", case, "--as", who, "--rationale", "right"], &answers[..]].concat());
    };
    let labels = |who: &str| -> Vec<Value> {
        let lines = place.ok(&["labels", "--json", "--as", who]);
        lines.lines().map(json).filter(|label| label["reviewer"] == who).collect()
    };
    let after = |who: &str| -> Vec<bool> {
        labels(who).iter().map(|label| label["after_others"] == true).collect()
    };
    let state = |case: &str| json(&place.ok(&["show", case, "--json"]))["state"].clone();
    // Whoever changes their mind while nobody else has said anything is blind still.
    label(&place, "p0", "bo", "first");
    right("p0", "bo");
    assert_eq!(after("bo"), [false]);
    label(&place, "p0", "cy", "otherwise");
    assert_eq!(state("p0"), "disputed");
    assert_eq!(compared(&place), (2, 1));
    // Who then agrees has seen: it settles the case, and they disagreed all the same.
    label(&place, "p0", "bo", "so it is");
    let once_more =
        ["label", "p0", "--as", "bo", "--answer", "readable=y", "--answer", "verdict=n"];
    let more = ["--answer", "corrected=transfer", "--answer", "category=r", "--rationale", "so"];
    let said = place.run(&[&once_more[..], &more].concat()).stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("it counts, and is not compared with theirs"), "{said}");
    assert_eq!((state("p0"), after("bo")), ("resolved".into(), vec![true]));
    assert_eq!(compared(&place), (2, 1));
    let said = place.run(&["agreement"]).stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("1 label was given after others' labels could be seen"), "{said}");
    // A label of what is resolved is no third opinion.
    right("p0", "ana");
    assert_eq!((after("ana"), compared(&place)), (vec![true], (2, 1)));
    let row = place.ok(&["export", "--as", "ana"]);
    let late = row.lines().map(json).filter(|row| row["after_others"] == true).count();
    assert_eq!(late, 3, "{row}");
    assert!(
        place.ok(&["show", "p0", "--as", "ana"]).contains("after others' labels could be seen")
    );
    // Nor is one that was taken back and given anew: it is the first time that was blind.
    label(&place, "p1", "cy", "one");
    label(&place, "p1", "bo", "two");
    place.ok(&["undo", "--as", "bo"]);
    assert!(!place.ok(&["show", "p1", "--as", "bo"]).contains("labeled verdict"));
    right("p1", "bo");
    assert_eq!(compared(&place), (3, 1), "cy's alone");
    // What is done again is what was given.
    label(&place, "p2", "cy", "one");
    label(&place, "p2", "bo", "two");
    place.ok(&["undo", "--as", "bo"]);
    place.ok(&["redo", "--as", "bo"]);
    assert_eq!(compared(&place), (5, 1));
    // It comes back with the labels.
    let file = place.dir.path().join("again.jsonl");
    let lines = place.ok(&["labels", "--json", "--as", "bo"]);
    let lines = lines.lines().map(json).filter(|label| label["after_others"] == true);
    let as_dan = |mut label: Value| {
        label["reviewer"] = "dan".into();
        label.to_string() + "\n"
    };
    fs::write(&file, lines.map(as_dan).collect::<String>()).unwrap();
    place.ok(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl"]);
    assert_eq!(compared(&place), (5, 1));
}

#[test]
fn the_screen_tells_what_becomes_of_a_label_given_after_others() {
    let place = team(3);
    label(&place, "p0", "cy", "one");
    label(&place, "p0", "bo", "two");
    let mut session = casework::tui::Review::in_turn(
        Workspace::open(place.paths(), Env::default(), Some("bo")).unwrap(),
        (160, 45),
        || T0,
        None,
    )
    .unwrap();
    session.press("U");
    session.press("Enter");
    let screen = session.text();
    assert!(screen.contains("p0 is saved; others' labels could be seen: it counts"), "{screen}");
}
