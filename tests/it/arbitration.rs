//! Disputes: who may rule, what a ruling changes, what those can do who were overruled.

use casework::config::Env;
use casework::tui::Review;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, T0, digest, ingest, line};

/// Three cases; ana leads, bo and cy review. All have labeled p0, and differ.
fn dispute() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..3).map(|i| line(&format!("p{i}"), "move money to savings", "pay", 0.2, i)).collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    for name in ["bo", "cy"] {
        place.ok(&["roster", "admit", name, "--role", "reviewer"]);
    }
    place.ok(&["policy", "set", "overlap=2", "limit=2", "on=verdict"]);
    label(&place, "p0", "bo", &["readable=y", "verdict=1", "category=r"], "looks right");
    label(
        &place,
        "p0",
        "cy",
        &["readable=y", "verdict=2", "corrected=transfer", "category=r"],
        "it says savings",
    );
    place
}

fn label(place: &Place, case: &str, who: &str, answers: &[&str], why: &str) {
    let mut args = vec!["label", case, "--as", who, "--rationale", why, "--mark", "0-4"];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn state(place: &Place) -> (String, Value, Value) {
    let case = json(&place.ok(&["show", "p0", "--json"]));
    (
        case["state"].as_str().unwrap().to_owned(),
        case["outcome"]["verdict"].clone(),
        case["how"].clone(),
    )
}

/// The side of the label that says so.
fn side(place: &Place, verdict: &str) -> String {
    let sides = json(&place.ok(&["arbitrate", "p0", "--json"]))["sides"].clone();
    let side = sides
        .as_array()
        .unwrap()
        .iter()
        .find(|side| side["outcome"]["verdict"] == verdict)
        .unwrap()
        .clone();
    side["side"].as_str().unwrap().to_owned()
}

fn fails(place: &Place, args: &[&str], words: &str) {
    let output = place.run(args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.contains(words)), (Some(2), true), "{args:?}: {error}");
}

#[test]
fn a_dispute_is_ruled_on_blind_to_names_and_only_where_there_is_one() {
    let place = dispute();
    assert_eq!(state(&place).0, "disputed");
    let list = json(&place.ok(&["arbitrate", "--json"]));
    assert_eq!(
        (list["id"].as_str(), list["why"].as_str(), list["level"].as_str()),
        (Some("p0"), Some("disputed"), Some("lead"))
    );
    let beside = place.ok(&["arbitrate", "p0"]);
    assert!(beside.contains("▸ verdict"), "{beside}");
    assert!(!beside.contains("bo") && !beside.contains("cy"), "nobody is named: {beside}");

    fails(
        &place,
        &["arbitrate", "p1", "--take", "A", "--cause", "other", "--rationale", "x"],
        "nothing to rule on",
    );
    fails(
        &place,
        &["arbitrate", "p0", "--take", "C", "--cause", "other", "--rationale", "x"],
        "there are A, B",
    );
    fails(&place, &["arbitrate", "p0", "--take", "A", "--rationale", "x"], "--cause");
    fails(&place, &["arbitrate", "p0", "--take", "A", "--cause", "other"], "say why");
    fails(
        &place,
        &["arbitrate", "p0", "--outcome", "nope=1", "--cause", "other", "--rationale", "x"],
        "sets no field `nope`",
    );
    fails(
        &place,
        &["arbitrate", "p0", "--outcome", "verdict=bogus", "--cause", "other", "--rationale", "x"],
        "no answer sets `verdict` to `bogus`",
    );
    fails(&place, &["policy", "set", "owner=bo"], "no lead");
    place.ok(&["policy", "set", "owner=ana"]);
    let as_bo =
        ["arbitrate", "p0", "--take", "A", "--cause", "other", "--rationale", "x", "--as", "bo"];
    fails(&place, &as_bo, "lead");

    let rule = [
        "arbitrate",
        "p0",
        "--outcome",
        "verdict=wrong_label",
        "--cause",
        "guideline_gap",
        "--rationale",
        "savings",
        "--change",
    ];
    let ruled = json(&place.ok(&[&rule[..], &["--json"]].concat()));
    assert_eq!(ruled["outcome"]["label"], "transfer", "the label that says so is taken whole");
    assert_eq!(ruled["change"]["question"], "verdict", "the question that split");
    assert_eq!(state(&place), ("resolved".into(), "wrong_label".into(), "ruling".into()));
    let notes = json(&place.ok(&["rulings", "--changes", "--json"]));
    assert_eq!((notes["text"].as_str(), &notes["answered_by"]), (Some("savings"), &Value::Null));

    // A version that changes another question leaves the note open; one that changes this one
    // answers it.
    let source = casework::workspace::create::STARTERS[0].source;
    let publish = |source: &str| {
        let file = place.dir.path().join("edge-cases.toml");
        std::fs::write(&file, source).unwrap();
        place.ok(&["protocol", "publish", file.to_str().unwrap(), "--changes", "x"]);
    };
    publish(&source.replacen("ask = \"Can you read the input?\"", "ask = \"Can you read it?\"", 1));
    assert_eq!(json(&place.ok(&["rulings", "--changes", "--json"]))["answered_by"], Value::Null);
    publish(&source.replacen(
        "ask = \"Is the model's answer right?\"",
        "ask = \"Is it right?\"",
        1,
    ));
    let notes = place.run(&["rulings", "--changes", "--json"]);
    assert_eq!(
        (
            notes.status.code(),
            json(std::str::from_utf8(&notes.stdout).unwrap())["answered_by"].as_u64()
        ),
        (Some(1), Some(3))
    );

    // More labels change nothing; taking the ruling back brings the dispute back.
    label(&place, "p0", "bo", &["readable=y", "verdict=1", "category=r"], "still");
    assert_eq!(state(&place).0, "resolved");
    place.ok(&["undo"]);
    assert_eq!(state(&place), ("disputed".into(), Value::Null, Value::Null));
    let workspace = place.open();
    let before = digest(workspace.tables());
    drop(workspace);
    let mut workspace = place.open();
    let tx = workspace.tables_mut().begin().unwrap();
    casework::journal::fold::refold(&tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(digest(workspace.tables()), before, "folded anew it is the same");
}

#[test]
fn who_was_overruled_sees_why_and_may_appeal_once() {
    let place = dispute();
    let rule = |side: &str, why: &str| {
        place.ok(&[
            "arbitrate",
            "p0",
            "--take",
            side,
            "--cause",
            "reviewer_error",
            "--rationale",
            why,
        ])
    };
    rule(&side(&place, "wrong_label"), "savings is a transfer");
    assert!(place.ok(&["rulings", "--overruled", "--as", "bo"]).contains("savings is a transfer"));
    assert_eq!(place.run(&["rulings", "--overruled", "--as", "cy"]).status.code(), Some(1));
    fails(&place, &["appeal", "p0", "why", "--as", "cy"], "says what your label said");
    place.ok(&["appeal", "p0", "the model is right", "--as", "bo"]);
    assert_eq!(state(&place).0, "disputed");
    let list = json(&place.ok(&["arbitrate", "--json"]));
    assert_eq!((list["why"].as_str(), list["level"].as_str()), (Some("appealed"), Some("owner")));
    assert!(place.ok(&["arbitrate", "p0"]).contains("appealed: the model is right"));
    rule(&side(&place, "wrong_label"), "I looked again");
    assert_eq!(state(&place).0, "resolved");
    fails(&place, &["appeal", "p0", "again", "--as", "bo"], "appealed on");
}

#[test]
fn a_label_returned_with_a_question_comes_first_in_its_authors_worklist() {
    let place = dispute();
    let side = side(&place, "model_correct");
    let returns = ["arbitrate", "p0", "--return", &side, "--rationale", "did you read to the end?"];
    place.ok(&returns);
    assert!(
        place
            .ok(&["show", "p0", "--as", "bo"])
            .contains("? asked about your label: verdict: did you read to the end?")
    );
    assert!(!place.ok(&["show", "p0", "--as", "cy"]).contains("read to the end"));
    assert_eq!(json(&place.ok(&["queue", "--renew", "--as", "bo", "--json"]))["id"], "p0");
    assert_eq!(place.run(&["queue", "--renew", "--as", "cy"]).status.code(), Some(1));
    assert_eq!(json(&place.ok(&["arbitrate", "--json"]))["returned"], 1);
    label(
        &place,
        "p0",
        "bo",
        &["readable=y", "verdict=2", "corrected=transfer", "category=r"],
        "now I have",
    );
    assert_eq!(state(&place), ("resolved".into(), "wrong_label".into(), "unanimous".into()));
    assert_eq!(place.run(&["queue", "--renew", "--as", "bo"]).status.code(), Some(1));
}

#[test]
fn an_escalated_case_goes_from_peer_to_lead_to_owner() {
    let place = dispute();
    place.ok(&["escalate", "p1", "no idea", "--as", "bo"]);
    let levels = |ahead: &str| -> Vec<(String, String)> {
        let ahead = if ahead.is_empty() { vec![] } else { vec!["--ahead", ahead] };
        let list = place.ok(&[&["arbitrate", "--json"], ahead.as_slice()].concat());
        let line = |line: &str| {
            let line = json(line);
            (line["id"].as_str().unwrap().to_owned(), line["level"].as_str().unwrap().to_owned())
        };
        list.lines().map(line).collect()
    };
    let at = |p0: &str, p1: &str| {
        vec![("p0".to_owned(), p0.to_owned()), ("p1".to_owned(), p1.to_owned())]
    };
    let mut now = levels("1h");
    now.sort();
    assert_eq!(now, at("lead", "peer"));
    // It lies with a peer, who finds it in their worklist; whoever escalated it does not.
    assert_eq!(json(&place.ok(&["queue", "--renew", "--as", "cy", "--json"]))["id"], "p1");
    assert_eq!(place.run(&["queue", "--renew", "--as", "bo"]).status.code(), Some(1));
    let mut later = levels("30h");
    later.sort();
    assert_eq!(later, at("lead", "lead"));
    let mut late = levels("80h");
    late.sort();
    assert_eq!(late, at("owner", "owner"));
    // A lead may settle it at once, without any label.
    place.ok(&[
        "arbitrate",
        "p1",
        "--outcome",
        "verdict=unreadable",
        "--outcome",
        "category=data-hygiene",
        "--cause",
        "ambiguous_input",
        "--rationale",
        "x",
    ]);
    assert_eq!(json(&place.ok(&["show", "p1", "--json"]))["how"], "ruling");
}

#[test]
fn a_settled_case_that_somebody_escalates_waits_for_a_lead() {
    let place = dispute();
    place.ok(&["escalate", "p0", "no idea", "--as", "bo"]);
    let rule = |verdict: &str| {
        let side = side(&place, verdict);
        let why = ["--cause", "subjective", "--rationale", "so"];
        place.ok(&[&["arbitrate", "p0", "--take", &side][..], &why].concat());
    };
    rule("model_correct");
    assert_eq!(state(&place).0, "resolved");
    // What was asked before it was settled is answered.
    assert_eq!(place.run(&["arbitrate"]).status.code(), Some(1));
    place.ok(&["escalate", "p0", "this is no payment", "--as", "cy"]);
    let waits = json(&place.ok(&["arbitrate", "--json"]));
    assert_eq!(
        [&waits["id"], &waits["why"], &waits["level"], &waits["state"]],
        ["p0", "escalated", "lead", "resolved"]
    );
    assert!(place.ok(&["arbitrate", "p0"]).contains("escalated: this is no payment"));
    assert!(place.run(&["sla"]).stdout.len() > 1);
    place.ok(&["undo", "--as", "cy"]);
    assert_eq!(place.run(&["arbitrate"]).status.code(), Some(1));
    place.ok(&["redo", "--as", "cy"]);
    // What is labeled after it is no answer to it.
    label(&place, "p0", "cy", &["readable=y", "verdict=1", "category=r"], "again");
    assert_eq!(json(&place.ok(&["arbitrate", "--json"]))["why"], "escalated");
    rule("model_correct");
    assert_eq!(place.run(&["arbitrate"]).status.code(), Some(1));
    assert_eq!(state(&place).1, "model_correct");
}

/// A known answer that is mixed in looks like any other case to whom it measures: that they escalate
/// it tells nobody that it is settled.
#[test]
fn what_measures_is_not_told_by_being_escalated() {
    let place = dispute();
    for who in ["ana", "cy"] {
        label(&place, "p1", who, &["readable=y", "verdict=1", "category=r"], "plain");
    }
    place.ok(&["gold", "set", "p1"]);
    place.ok(&["escalate", "p1", "no idea", "--as", "bo"]);
    for who in ["bo", "cy"] {
        let listed = place.run_text(&["arbitrate", "--json", "--as", who]);
        assert!(listed.lines().all(|line| json(line)["state"] != "resolved"), "{who}: {listed}");
    }
    let kept = place.ok(&["verify", "--json"]);
    assert!(kept.contains("\"ok\":true"), "{kept}");
    assert!(!place.ok(&["show", "p1", "--json", "--as", "bo"]).contains("resolved"));
}

#[test]
fn a_lead_rules_in_the_screen_by_four_keys_and_a_reason() {
    let place = dispute();
    let workspace = place.open();
    let mut session = Review::in_turn(workspace, (80, 24), || T0, None).unwrap();
    session.press("v Enter A");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        // How many other cases are hers to label depends on the week.
        let text = |session: &Review| {
            (0..3).fold(session.text(), |text, n| text.replace(&format!(" {n} assigned"), " 1 assigned"))
        };
        insta::assert_snapshot!("arbitrate_sides", text(&session));
        session.press("p \"say_what_a_transfer_is\" Enter a");
        insta::assert_snapshot!("arbitrate_cause", text(&session));
    });
    session.press("2 \"it_says_so\" Enter");
    drop(session);
    assert_eq!(state(&place).2, "ruling");
    let past = json(&place.ok(&["rulings", "--json"]));
    assert_eq!(
        (past["cause"].as_str(), past["change"]["question"].as_str()),
        (Some("guideline_gap"), Some("verdict"))
    );

    // Whoever was overruled sees it, and appeals; the lead walks it anew.
    let who = if past["outcome"]["verdict"] == "wrong_label" { "bo" } else { "cy" };
    let mut session = Review::in_turn(open_as(&place, who), (80, 24), || T0, None).unwrap();
    session.press("A");
    assert!(session.text().contains("Nobody has labeled this case"), "{}", session.text());
    session.press("O");
    assert!(session.text().contains("it says so"), "{}", session.text());
    session.press("a \"look_again\" Enter");
    drop(session);
    assert_eq!(state(&place).0, "disputed");
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("v Enter A w 2 1 Enter 3 \"cannot_be_read\" Enter");
    drop(session);
    assert_eq!(state(&place), ("resolved".into(), "unreadable".into(), "ruling".into()));
    assert!(
        place.open().draft(place.open().find_case("p0").unwrap().id).unwrap().is_none(),
        "no draft is left of it"
    );
}

fn open_as(place: &Place, name: &str) -> casework::workspace::Workspace {
    casework::workspace::Workspace::open(place.paths(), Env::default(), Some(name)).unwrap()
}

/// What is said to some lines.
fn by_lines(workspace: casework::workspace::Workspace, lines: &str) -> String {
    let mut out = Vec::new();
    casework::linear::run(
        workspace,
        "a test",
        crate::linear::script(&mut lines.as_bytes(), &mut out),
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_lead_rules_line_by_line_and_who_was_overruled_appeals() {
    let place = dispute();
    let text = by_lines(
        place.open(),
        "disputed\nopen 1\nrule A other too early\nlabels\nrule Z\nrule A taste because\nrule A guideline_gap\nrule A guideline_gap it says so\n",
    );
    for words in [
        "Disputed: 1 case.",
        "Error: labels tells the labels of a disputed case first.",
        "Labels: 2 of p0, which diverge at verdict.",
        "B: category rare-combination",
        "Error: `` is no cause.",
        "Error: `taste` is no cause. There are ambiguous_input",
        "Error: say why too",
        "counts as",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("bo") && !text.contains("cy"), "nobody is named: {text}");
    assert_eq!(state(&place).2, "ruling");
    let past = json(&place.ok(&["rulings", "--json"]));
    let who = if past["outcome"]["verdict"] == "wrong_label" { "bo" } else { "cy" };
    let text = by_lines(
        open_as(&place, who),
        "overruled\nappeal 7 x\nappeal 1 look again\nappeal 1 and again\n",
    );
    assert!(text.contains("You said") && text.contains("Error: appeal takes a number"), "{text}");
    assert!(text.contains("Noted: Appealed: it is disputed again."), "{text}");
    // The next step is one that can be taken here, by its name here.
    assert!(
        text.contains("overruled lists where you were overruled; comment says more."),
        "{text}"
    );
    assert_eq!(state(&place).0, "disputed");
}

#[test]
fn escalating_a_case_shows_its_lead_nothing_while_they_may_label_it() {
    let place = dispute();
    label(&place, "p1", "bo", &["readable=y", "verdict=1", "category=r"], "SECRET");
    place.ok(&["escalate", "p1", "help"]);
    fails(&place, &["arbitrate", "p1"], "may still be yours to label");
    let id = place.open().find_case("p1").unwrap().id;
    let text =
        by_lines(place.open(), &format!("open {id}\nlabels\nhistory\nescalate again\nlabels\n"));
    assert!(text.contains("shown when you have labeled the case"), "{text}");
    assert!(!text.contains("SECRET") && !text.contains("A: "), "{text}");
    label(&place, "p1", "ana", &["readable=y", "verdict=1", "category=r"], "mine");
    assert!(by_lines(place.open(), &format!("open {id}\nlabels\n")).contains("Because: SECRET"));
}

#[test]
fn what_a_ruling_came_to_is_read_over_the_next_dispute() {
    let place = dispute();
    for (case, answers) in [("bo", "verdict=1"), ("cy", "verdict=2")] {
        let more: &[&str] = if case == "cy" { &["corrected=transfer"] } else { &[] };
        label(&place, "p2", case, &[&["readable=y", answers, "category=r"], more].concat(), "why");
    }
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("v Enter A w 1");
    assert!(session.text().contains("for a ruling · question 2"), "{}", session.text());
    assert!(!session.text().contains("draft kept"), "{}", session.text());
    session.press("A a 2 \"it_says_so\" Enter");
    let told: String =
        session.text().lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(told.contains("counts as"), "{}", session.text());
}

#[test]
fn a_ruling_or_a_file_gives_known_answers() {
    let place = dispute();
    fails(&place, &["gold", "set", "p0", "--ruling"], "no ruling on that case stands");
    let yes = side(&place, "model_correct");
    let rule = ["arbitrate", "p0", "--take", &yes, "--cause", "ambiguous_input"];
    place.ok(&[&rule[..], &["--rationale", "it is a payment"]].concat());
    place.ok(&["gold", "set", "p0", "--ruling"]);
    let gold = json(&place.ok(&["gold", "list", "--json"]));
    assert_eq!(
        (&gold["outcome"]["verdict"], &gold["why"]),
        (&json("\"model_correct\""), &json("\"it is a payment\""))
    );

    let file = place.dir.path().join("gold.jsonl");
    let path = "{\"readable\":\"y\",\"verdict\":\"y\",\"category\":\"r\"}";
    std::fs::write(
        &file,
        format!(
            "{{\"case\":\"p1\",\"path\":{path},\"why\":\"w\"}}\n\n{{\"case\":\"p9\",\"path\":{path}}}\n{{\"case\":\"p2\",\"path\":{{}}}}\n"
        ),
    )
    .unwrap();
    let import = || json(&place.ok(&["gold", "import", file.to_str().unwrap(), "--json"]));
    let first = import();
    assert_eq!((first["imported"].as_u64(), first["rejected"].as_u64()), (Some(1), Some(2)));
    assert_eq!(first["rejects"][0]["line"], 3);
    assert_eq!(import()["duplicate"], 1);
    assert_eq!(place.ok(&["gold", "list", "--json"]).lines().count(), 2);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"w\"", "\"other\"")).unwrap();
    let by = place.run(&["gold", "import", file.to_str().unwrap(), "--as", "bo"]);
    assert_eq!(by.status.code(), Some(2), "only a lead says what is right");
}
