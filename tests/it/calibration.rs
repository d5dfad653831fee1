//! Calibration sessions: blind, revealed to all at once, talked about, labeled again, closed with
//! findings.

use casework::config::Env;
use casework::tui::Review;
use casework::workspace::Workspace;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, T0, digest, ingest, line};

/// Four cases; ana leads and reviews, bo and cy review.
fn team() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String = (0..4)
        .map(|i| line(&format!("p{i}"), &format!("move money to savings {i}"), "pay", 0.2, i))
        .collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    for name in ["bo", "cy"] {
        place.ok(&["roster", "admit", name, "--role", "reviewer"]);
    }
    place.ok(&["policy", "set", "on=verdict", "overlap=3"]);
    place
}

const RIGHT: [&str; 3] = ["readable=y", "verdict=y", "category=r"];
const WRONG: [&str; 4] = ["readable=y", "verdict=n", "corrected=transfer", "category=r"];

fn label(place: &Place, case: &str, who: &str, answers: &[&str], why: &str) {
    let mut args = vec!["label", case, "--as", who, "--session", "june", "--rationale", why];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn fails(place: &Place, args: &[&str], words: &str) {
    let output = place.run(args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.contains(words)), (Some(2), true), "{args:?}: {error}");
}

/// Everybody's first round: on p0 cy differs, on p1 all agree.
fn first_round(place: &Place) {
    place.ok(&[
        "calibrate",
        "open",
        "june",
        "--cases",
        "p0,p1",
        "--title",
        "what is right",
        "--deadline",
        "3d",
    ]);
    for who in ["ana", "bo", "cy"] {
        label(
            place,
            "p0",
            who,
            if who == "cy" { &WRONG } else { &RIGHT },
            &format!("{who} says so"),
        );
        label(place, "p1", who, &RIGHT, "plain");
    }
}

#[test]
fn a_session_is_blind_then_seen_by_all_then_labeled_again_and_closed_with_findings() {
    let place = team();
    fn open<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["calibrate", "open", "june"], more].concat()
    }
    fails(&place, &open(&[]), "choose cases");
    fails(&place, &open(&["--cases", "p0", "--reviewers", "bo"]), "two reviewers or more");
    fails(&place, &open(&["--cases", "p0", "--reviewers", "bo,eve"]), "nobody called `eve`");
    fails(&place, &open(&["--cases", "p0", "--deadline", "0m"]), "in the past");
    fails(&place, &["calibrate", "size", "--alpha", "nan"], "--above is a number");
    fails(&place, &open(&["--category", "nothing=3"]), "no case was chosen");
    fails(
        &place,
        &["calibrate", "open", "main", "--cases", "p0"],
        "can't be the name of a session",
    );
    first_round(&place);
    fails(&place, &open(&["--cases", "p0"]), "already");

    // Blind: how far everybody is may be seen, nothing of what they said.
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(
        (shown["stage"].as_str(), shown["progress"][2]["done"][0].as_u64()),
        (Some("blind"), Some(2))
    );
    for args in [
        &["show", "p0"][..],
        &["show", "p0", "--json"],
        &["labels"],
        &["export", "--format", "jsonl"],
        &["calibrate", "show", "june"],
    ] {
        let seen = place.ok(&[args, &["--as", "bo"]].concat());
        assert!(!seen.contains("cy says so"), "{args:?}: {seen}");
    }
    assert!(place.ok(&["labels", "--as", "bo"]).contains("bo says so"), "one's own is one's own");
    for args in [
        &["agreement", "--round", "june"][..],
        &["disagreements", "--round", "june"],
        &["consensus", "--round", "june"],
    ] {
        fails(&place, args, "hidden until it is revealed");
    }
    assert_eq!(
        json(&place.ok(&["show", "p0", "--json"]))["state"],
        "open",
        "a session settles nothing"
    );
    fails(&place, &["comment", "p0", "--session", "june", "hm"], "first round, blind");
    fails(&place, &["calibrate", "findings", "june"], "first round, blind");
    fails(&place, &["calibrate", "reveal", "june", "--as", "bo"], "role lead");
    fails(
        &place,
        &["label", "p2", "--session", "june", "--answer", "readable=n"],
        "no case of the session",
    );

    place.ok(&["calibrate", "reveal", "june"]);
    assert!(place.ok(&["calibrate", "show", "june", "--as", "bo"]).contains("cy says so"));
    assert!(place.ok(&["agreement", "--round", "june"]).contains("2 tasks, 3 reviewers"));
    // While there is no second round, the first one alone tells what to talk about.
    let alone = place.ok(&["calibrate", "findings", "june"]);
    assert!(
        alone.contains("6 labels in the first round") && alone.contains("Most diverge at verdict"),
        "{alone}"
    );
    assert!(alone.lines().all(|line| line.chars().count() <= 80), "{alone}");
    let found = json(&place.ok(&["calibrate", "findings", "june", "--json"]));
    let agreement = json(&place.ok(&["agreement", "--round", "june", "--json"]));
    assert_eq!(found["first"], agreement["krippendorff_alpha"]["nominal"], "the same figure");
    // What was sealed stays as it was.
    let given = json(
        place.ok(&["labels", "--json"]).lines().find(|line| line.contains("cy says so")).unwrap(),
    );
    assert_eq!(given["round"], "june");
    place.ok(&[
        "comment",
        "p0",
        "--session",
        "june",
        "--question",
        "verdict",
        "it is a transfer",
        "--as",
        "cy",
    ]);
    for who in ["ana", "bo", "cy"] {
        label(&place, "p0", who, &WRONG, &format!("{who} was convinced"));
        label(&place, "p1", who, &RIGHT, "");
    }
    let directory = place.dir.path().join("out");
    let out = directory.to_str().unwrap();
    place.ok(&["calibrate", "close", "june", "--note", "savings are transfers", "--out", out]);
    fails(&place, &["label", "p0", "--session", "june", "--answer", "readable=n"], "closed");
    fails(&place, &["comment", "p0", "--session", "june", "late"], "closed");
    // A screen on which it was still open is told too.
    let mut workspace = place.open();
    let labels = place.ok(&["labels", "--json"]);
    let late = workspace.find_case("p0").unwrap();
    let draft = casework::review::Draft {
        answers: vec![("readable".into(), "n".into()), ("damage".into(), "m".into())],
        ..Default::default()
    };
    workspace.in_round = Some("june#2".to_owned());
    let published = workspace.protocols().unwrap().for_stream("s").unwrap().clone();
    let label = workspace.label_of(&late, &draft, &published).unwrap();
    assert!(workspace.submit(label).unwrap_err().to_string().contains("closed"));
    assert_eq!(place.ok(&["labels", "--json"]), labels, "nothing was written");
    drop(workspace);
    let found = json(&place.ok(&["calibrate", "findings", "june", "--json"]));
    assert_eq!(found["labels"], serde_json::json!([6, 6]));
    assert_eq!(
        (found["outcome"]["better"].as_u64(), found["outcome"]["after"]["value"].as_f64()),
        (Some(1), Some(1.0))
    );
    let moved: Vec<(&str, &str, bool)> = found["moved"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["reviewer"].as_str().unwrap(),
                line["to"].as_str().unwrap(),
                line["toward_others"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(moved, [("ana", "wrong_label", false), ("bo", "wrong_label", false)]);
    assert_eq!(found["settled"][0]["question"], "verdict");
    let replay = place.ok(&["calibrate", "replay", "june"]);
    let at = |words: &str| {
        replay
            .lines()
            .position(|line| line.contains(words))
            .unwrap_or_else(|| panic!("{words}: {replay}"))
    };
    assert!(
        at("opened it") < at("cy says so") && at("cy says so") < at("revealed all"),
        "{replay}"
    );
    assert!(
        at("said of") < at("cy was convinced")
            && at("cy was convinced") < at("savings are transfers")
    );

    // What it proposes is ready to be published: an example of the question, and of the terms.
    let glossary = std::fs::read_to_string(directory.join("glossary.toml")).unwrap();
    assert!(
        glossary.contains("june-verdict-1") && glossary.contains("\"move money to savings 0\"]"),
        "{glossary}"
    );
    let protocol = directory.join("edge-cases.toml");
    assert!(
        std::fs::read_to_string(&protocol)
            .unwrap()
            .contains("input = \"move money to savings 0\"\nanswer = \"n\"")
    );
    place.ok(&["glossary", "publish", directory.join("glossary.toml").to_str().unwrap()]);
    place.ok(&[
        "protocol",
        "publish",
        protocol.to_str().unwrap(),
        "--changes",
        "an example from june",
    ]);

    let mut workspace = place.open();
    let before = digest(workspace.tables());
    let tx = workspace.tables_mut().begin().unwrap();
    casework::journal::fold::refold(&tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(digest(workspace.tables()), before, "folded anew it is the same");
}

#[test]
fn a_session_goes_on_though_its_lead_has_left() {
    let place = team();
    place.ok(&["roster", "admit", "dee", "--role", "lead"]);
    first_round(&place);
    place.ok(&["roster", "retire", "ana", "--reason", "left", "--as", "dee"]);
    place.ok(&["calibrate", "reveal", "june", "--as", "dee"]);
    place.ok(&["calibrate", "close", "june", "--as", "dee"]);
    let found = json(&place.ok(&["calibrate", "findings", "june", "--json", "--as", "dee"]));
    assert_eq!(
        (found["both"].as_u64(), &found["outcome"]["after"]["value"]),
        (Some(0), &Value::Null)
    );
    assert!(!found.to_string().contains("NaN"));
}

#[test]
fn somebody_who_is_late_is_waited_for_until_the_deadline() {
    let place = team();
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1"]);
    label(&place, "p0", "bo", &RIGHT, "");
    fails(&place, &["calibrate", "reveal", "june"], "3 of 3 reviewers");
    place.ok(&["calibrate", "reveal", "june", "--early"]);
    // A label of the first round that comes after that counts for nothing.
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(shown["progress"][1], serde_json::json!({ "reviewer": "bo", "done": [1, 0] }));
}

#[test]
fn the_screen_says_that_a_session_is_sealed_and_asks_before_it_is_revealed_early() {
    let place = team();
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1", "--deadline", "4000d"]);
    label(&place, "p0", "bo", &RIGHT, "");
    let ana = Workspace::open(place.paths(), Env::default(), Some("ana")).unwrap();
    let mut session = Review::in_turn(ana, (100, 30), || T0, None).unwrap();
    session.press("C");
    assert!(session.text().contains("sealed: what is said is encrypted"), "{}", session.text());
    session.press("r");
    let text = session.text();
    assert!(text.contains("ana, bo, cy have") && text.contains("type early"), "{text}");
    session.press("\"no\" Enter");
    assert!(session.text().contains("Nothing is revealed."), "{}", session.text());
    session.press("C r \"early\" Enter");
    assert!(session.text().contains("Revealed: all who take part"), "{}", session.text());
    session.press("Esc C");
    let text = session.text();
    assert!(text.contains("revealed before its deadline") && !text.contains("sealed:"), "{text}");
}

#[test]
fn a_session_is_sat_in_on_the_screen() {
    let place = team();
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1", "--deadline", "4000d"]);
    let as_who = |name: &str| Workspace::open(place.paths(), Env::default(), Some(name)).unwrap();
    // On the board, what is owed for it opens its cases.
    let mut session = Review::in_turn(as_who("ana"), (80, 24), || T0, None).unwrap();
    session.press("D");
    let chosen = |session: &Review| {
        session.text().lines().find(|line| line.contains('▸')).unwrap_or_default().to_owned()
    };
    for _ in 0..40 {
        if chosen(&session).contains("calibration case") {
            break;
        }
        session.press("j");
    }
    session.press("Enter");
    assert!(
        session.text().contains("waits for") && session.text().contains("1 of 2"),
        "{}",
        session.text()
    );
    drop(session);
    for who in ["ana", "bo", "cy"] {
        let mut session = Review::in_turn(as_who(who), (80, 24), || T0, None).unwrap();
        session.press("C Enter");
        assert!(session.text().contains("calibration june"), "{}", session.text());
        session.press("A");
        assert!(
            session.text().contains("shown when the session is revealed"),
            "{}",
            session.text()
        );
        session.press(if who == "cy" { "1 2 1 3" } else { "1 1 3" });
        // A draft of the session is not one of the queue.
        session.press("Esc");
        assert!(
            session.front.session.calibration.is_none()
                && session.front.session.opened.as_ref().unwrap().draft.is_empty(),
            "{}",
            session.text()
        );
        session.press("C Enter");
        assert!(
            !session.front.session.opened.as_ref().unwrap().draft.is_empty(),
            "the draft is there again"
        );
        session.press("Enter 1 1 3 Enter");
        assert!(session.text().contains("That was the last one"), "{}", session.text());
        session.press("U");
        assert_eq!(
            session.front.session.calibration.as_ref().unwrap().left,
            1,
            "{}",
            session.text()
        );
        session.press("ctrl-r");
        assert_eq!(
            session.front.session.calibration.as_ref().unwrap().left,
            0,
            "done again it is done: {}",
            session.text()
        );
        session.press("U Enter");
        assert_eq!(
            session.front.session.calibration.as_ref().unwrap().left,
            0,
            "{}",
            session.text()
        );
    }
    let mut session = Review::in_turn(as_who("ana"), (80, 24), || T0, None).unwrap();
    session.press("C");
    assert!(session.text().contains("2 of 2"), "{}", session.text());
    session.press("r");
    assert!(session.text().contains("Revealed"), "{}", session.text());
    session.press("Esc C Enter A");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("session_beside", session.text());
    });
    // What is said there is about the question that parts them.
    session.press("c Enter");
    assert!(!place.ok(&["calibrate", "show", "june"]).contains("(verdict)"), "{}", session.text());
    session.press("A c \"it_is_a_transfer\" Enter");
    assert!(place.ok(&["calibrate", "show", "june"]).contains("ana: (verdict) it is a transfer"));
    // The second round begins with what one said: Enter says it again.
    session.press("Enter Enter");
    assert_eq!(session.front.session.calibration.as_ref().unwrap().left, 0);
    session.press("C f");
    assert!(session.text().contains("labels in the first round"), "{}", session.text());
    assert!(place.open().verify_all(false).unwrap().ok);
}

#[test]
fn a_session_that_is_called_off_reveals_nothing() {
    let place = team();
    first_round(&place);
    fails(&place, &["calibrate", "cancel", "june", "--as", "bo"], "role lead");
    place.ok(&["calibrate", "cancel", "june", "--note", "the wrong cases"]);
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(
        (shown["stage"].as_str(), shown["note"].as_str()),
        (Some("cancelled"), Some("the wrong cases"))
    );
    assert!(place.ok(&["calibrate", "show", "june"]).contains("because: the wrong cases"));
    for args in [
        &["calibrate", "reveal", "june"][..],
        &["calibrate", "close", "june"],
        &["calibrate", "findings", "june"],
    ] {
        fails(&place, args, "cancelled");
    }
    fails(
        &place,
        &["label", "p0", "--session", "june", "--as", "bo", "--answer", "readable=n"],
        "cancelled",
    );
    fails(&place, &["agreement", "--round", "june"], "hidden");
    for args in [
        &["show", "p0"][..],
        &["labels"],
        &["calibrate", "show", "june"],
        &["calibrate", "replay", "june"],
    ] {
        let seen = place.ok(&[args, &["--as", "bo"]].concat());
        assert!(!seen.contains("cy says so"), "{args:?}: {seen}");
    }
    // Nobody owes anything for it, and its cases wait as they did.
    assert!(!place.ok(&["sla", "--json"]).contains("session"));
    assert_eq!(json(&place.ok(&["show", "p0", "--json"]))["state"], "open");
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("C");
    assert!(session.text().contains("cancelled"), "{}", session.text());
    session.press("Enter");
    assert!(session.front.session.calibration.is_none(), "{}", session.text());
}

#[test]
fn a_session_is_sat_in_line_by_line() {
    let place = team();
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1", "--deadline", "4000d"]);
    let by_lines = |name: &str, lines: &str| {
        let workspace = Workspace::open(place.paths(), Env::default(), Some(name)).unwrap();
        let mut out = Vec::new();
        casework::linear::run(
            workspace,
            "a test",
            crate::linear::script(&mut lines.as_bytes(), &mut out),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    };
    for who in ["ana", "bo", "cy"] {
        let answers = if who == "cy" { "1\n2\ntransfer\nr\n" } else { "1\n1\nr\n" };
        let text = by_lines(
            who,
            &format!(
                "sessions\nsit 1\ndefer not now\nlabels\n{answers}submit\n1\n1\nr\nsubmit\nleave\n"
            ),
        );
        for words in [
            "The calibration session june waits for you: 2 cases. sessions joins it.",
            "Sessions: 1 june, first round, blind",
            "Calibration session june.",
            "Note: Not in a calibration session: leave leaves it.",
            "Error: What the others said is shown when the session is revealed.",
            "That was the last one. leave leaves the session; sessions shows how far the others are.",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(text.matches("Submitted:").count(), 2, "{text}");
    }
    let text =
        by_lines("ana", "reveal june\nsit june\nlabels\ncomment it is a transfer\nfindings june\n");
    assert!(text.contains("Revealed: all who take part see all labels"), "{text}");
    assert!(
        text.contains(" by cy: ") && text.contains("which diverge at verdict"),
        "with names: {text}"
    );
    assert!(text.contains("Noted: Commented on "), "{text}");
    let text = by_lines("ana", "sit nowhere\nboard\nall\npeople\nsteady\nexchange\ntree\nall\n");
    for words in [
        "Error: ",
        "Board: ",
        "Page Weeks",
        "People: ana, ",
        "Told: How reliable you are.",
        "Exchange: ",
        "Protocol: ",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn who_opened_a_session_sits_in_it_and_runs_it_on_the_screen() {
    let place = team();
    place.ok(&["roster", "admit", "dee", "--role", "lead"]);
    let dee = || {
        let workspace = Workspace::open(place.paths(), Env::default(), Some("dee")).unwrap();
        Review::in_turn(workspace, (100, 40), casework::clock::now, None).unwrap()
    };
    let mut screen = dee();
    screen.press("C");
    assert!(screen.text().contains("No calibration session was opened yet"), "{}", screen.text());
    screen.press("n");
    assert!(screen.text().contains("as june divergent 12"), "{}", screen.text());
    screen.press("\"june_random_4_for_1d_with_bo,cy\" Enter");
    assert!(screen.text().contains("Open: 4 cases for bo, cy"), "{}", screen.text());
    screen.press("Esc C Enter");
    let text = screen.text();
    assert!(text.contains("you moderate") && text.contains("move money to savings"), "{text}");
    // They answer nothing.
    screen.press("1 1 3 Enter");
    assert!(screen.text().contains("label nothing in it"), "{}", screen.text());
    fails(
        &place,
        &["label", "p0", "--session", "june", "--answer", "readable=n", "--as", "dee"],
        "was not asked into",
    );
    screen.press("C a");
    screen.press("\"ana\" Enter Esc C t");
    screen.press("\"5d\" Enter");
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(shown["reviewers"], serde_json::json!(["ana", "bo", "cy"]));
    let deadline = casework::domain::time::Moment::parse(shown["deadline"].as_str().unwrap());
    let days = (deadline.unwrap().0 - casework::clock::now().0) as f64 / 86_400_000.0;
    assert!((4.9..5.1).contains(&days), "{days}");
    fails(&place, &["calibrate", "add", "june", "--reviewers", "eve"], "nobody called `eve`");
    // Called off, and open again.
    screen.press("Esc C x");
    screen.press("\"no_time_this_week\" Enter Esc C u");
    assert_eq!(json(&place.ok(&["calibrate", "show", "june", "--json"]))["stage"], "blind");
    fails(&place, &["calibrate", "reopen", "june"], "first round, blind");

    for who in ["ana", "bo", "cy"] {
        label(&place, "p0", who, if who == "cy" { &WRONG } else { &RIGHT }, &format!("{who} says"));
    }
    place.ok(&["calibrate", "reveal", "june", "--early", "--as", "dee"]);
    let mut screen = dee();
    screen.press("C Enter");
    for _ in 0..4 {
        if screen.text().contains("savings 0") {
            break;
        }
        screen.press("]");
    }
    screen.press("A");
    assert!(screen.text().contains("cy says"), "all labels, by name: {}", screen.text());
    screen.press("c \"it_moves_money\" Enter");
    let said = place.ok(&["calibrate", "replay", "june", "--json"]);
    assert!(said.contains("it moves money"), "{said}");
}

#[test]
fn nobody_waits_for_who_was_retired() {
    let place = team();
    first_round_of(&place, &["ana", "bo"]);
    fails(&place, &["calibrate", "reveal", "june"], "1 of 3 reviewers");
    place.ok(&["roster", "retire", "cy"]);
    let owed = place.run(&["sla", "--json"]);
    let owed = String::from_utf8(owed.stdout).unwrap();
    assert!(!owed.contains("\"who\":\"cy\""), "{owed}");
    place.ok(&["calibrate", "reveal", "june"]);
}

fn first_round_of(place: &Place, who: &[&str]) {
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1", "--deadline", "3d"]);
    for who in who {
        label(place, "p0", who, &RIGHT, "plain");
        label(place, "p1", who, &RIGHT, "plain");
    }
}

#[test]
fn what_a_session_agreed_on_is_a_ruling_by_one_key() {
    let place = team();
    place.ok(&["policy", "set", "overlap=2", "limit=2"]);
    for (who, answers) in [("bo", &RIGHT[..]), ("cy", &WRONG[..])] {
        for case in ["p0", "p1"] {
            let mut args = vec!["label", case, "--as", who];
            answers.iter().for_each(|answer| args.extend(["--answer", answer]));
            place.ok(&args);
        }
    }
    first_round(&place);
    place.ok(&["calibrate", "reveal", "june"]);
    fails(&place, &["arbitrate", "p0", "--session", "june"], "agreed on nothing here");
    for who in ["ana", "bo", "cy"] {
        label(&place, "p0", who, &RIGHT, "the protocol says so");
        label(&place, "p1", who, &RIGHT, "the protocol says so");
    }
    let shown = place.ok(&["arbitrate", "p0"]);
    assert!(shown.contains("calibration june: all 3 agreed in the second round on"), "{shown}");
    place.ok(&["arbitrate", "p0", "--session", "june"]);
    let mut screen = Review::in_turn(place.open(), (100, 40), || T0, None).unwrap();
    screen.press("v Enter A");
    assert!(screen.text().contains("take the session's"), "{}", screen.text());
    screen.press("s");
    for case in ["p0", "p1"] {
        let rows = place.ok(&["export", "--rows", "cases"]);
        let row = rows.lines().map(json).find(|row| row["id"] == case).unwrap();
        assert_eq!(
            (&row["how"], &row["outcome"]["verdict"]),
            (&json("\"ruling\""), &json("\"model_correct\""))
        );
        let why = row["ruling"]["rationale"].as_str().unwrap();
        assert_eq!(
            why,
            "agreed in the calibration session june by ana, bo, cy: the protocol says so"
        );
    }
}

#[test]
fn a_comment_on_a_discussed_case_is_said_in_its_session_and_about_its_question() {
    let place = team();
    first_round(&place);
    // While the round is blind, what is said about a case is no part of it.
    let before = json(&place.ok(&["comment", "p0", "early", "--json"]));
    assert_eq!(before["session"], Value::Null);
    place.ok(&["calibrate", "reveal", "june"]);
    let said =
        json(&place.ok(&["comment", "p0", "verdict: it says savings", "--as", "bo", "--json"]));
    assert_eq!(said["session"], "june");
    assert_eq!(json(&place.ok(&["comment", "p3", "not in it", "--json"]))["session"], Value::Null);
    let replay = place.ok(&["calibrate", "replay", "june", "--json"]);
    let found = replay.lines().map(json).find(|one| !one["event"]["comment"].is_null());
    let found = found.unwrap()["event"]["comment"].clone();
    assert_eq!(
        (&found["question"], &found["text"]),
        (&json("\"verdict\""), &json("\"it says savings\""))
    );
    assert_eq!(replay.matches("\"comment\":{").count(), 1, "{replay}");
}

/// Whether a text stands in any file below a directory.
fn stands(directory: &std::path::Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(stands(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|at| at == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn what_is_said_in_the_blind_round_can_be_read_nowhere_until_it_is_revealed() {
    let place = team();
    first_round(&place);
    // Taken back and given again, a label is as sealed as before, and its author sees it.
    assert_eq!(json(&place.ok(&["undo", "--as", "cy", "--json"]))["what"], "label");
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(shown["progress"][2]["done"][0], 1);
    assert_eq!(json(&place.ok(&["redo", "--as", "cy", "--json"]))["what"], "label");
    let own = place.ok(&["labels", "--as", "cy", "--json"]);
    assert_eq!(own.lines().count(), 2, "{own}");
    let entries = json(&place.ok(&["verify", "--json"]))["entries"].as_u64().unwrap();
    let out = place.dir.path().join("entries");
    for seq in 1..=entries {
        let to = out.join(seq.to_string());
        place.ok(&["verify", "--entry", &seq.to_string(), "--out", to.to_str().unwrap()]);
    }
    let bundle = place.dir.path().join("bundle");
    place.ok(&["audit", "export", "--out", bundle.to_str().unwrap()]);
    for (words, of) in [("cy says so", "rationale"), ("\"transfer\"", "answer")] {
        for directory in [&place.path(), &out, &bundle] {
            let found = stands(directory, words);
            let found: Vec<&String> =
                found.iter().filter(|path| of == "rationale" || path.contains("entries")).collect();
            assert!(found.is_empty(), "its {of} stands in {found:?}");
        }
    }
    let verified = place.ok(&["verify"]);
    assert!(
        verified.contains("7 labels are sealed") && verified.contains("nothing is altered"),
        "{verified}"
    );
    // How long an entry is tells nothing of what it says.
    let sizes: std::collections::BTreeSet<usize> = (1..=entries)
        .map(|seq| std::fs::read_to_string(out.join(format!("{seq}/entry.json"))).unwrap())
        .filter(|body| body.contains("label.sealed"))
        .map(|body| json(&body)["events"][0]["sealed"].as_str().unwrap().len() / 1_000)
        .collect();
    assert_eq!(sizes.len(), 1, "{sizes:?}");

    let revealed = json(&place.ok(&["calibrate", "reveal", "june", "--json"]));
    assert_eq!((&revealed["counted"], &revealed["unreadable"]), (&6.into(), &0.into()));
    assert!(place.ok(&["calibrate", "show", "june", "--as", "bo"]).contains("cy says so"));
    let found = json(&place.ok(&["calibrate", "findings", "june", "--json"]));
    assert_eq!(found["labels"][0], 6);
    let verified = place.ok(&["verify"]);
    assert!(!verified.contains("sealed") && verified.contains("nothing is altered"), "{verified}");
    let workspace = place.open();
    let before = digest(workspace.tables());
    drop(workspace);
    place.ok(&["verify", "--rebuild"]);
    assert_eq!(digest(place.open().tables()), before, "folded anew it is the same");
}

#[test]
fn nothing_is_imported_into_a_blind_round() {
    let place = team();
    place.ok(&["calibrate", "open", "june", "--cases", "p0,p1"]);
    let file = place.dir.path().join("labels.jsonl");
    let line =
        r#"{"case":"p0","reviewer":"bo","round":"june","answers":{"readable":"n","damage":"m"}}"#;
    std::fs::write(&file, line).unwrap();
    let output = place.run(&["import", "labels", file.to_str().unwrap()]);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("the round june is blind"), "{said}");
    let shown = json(&place.ok(&["calibrate", "show", "june", "--json"]));
    assert_eq!(shown["progress"][1]["done"][0], 0);
}

/// What a session talks about is held beside what is known of how each answers there.
#[test]
fn findings_say_how_often_each_answers_right_where_they_diverged() {
    let place = team();
    place.ok(&["policy", "set", "rule=paths"]);
    let more = (10..34).map(|n| line(&format!("q{n}"), &format!("pay bill {n}"), "pay", 0.2, n));
    ingest(&mut place.open(), &more.collect::<String>());
    let mut labels = String::new();
    for n in 10..34 {
        for who in ["ana", "bo", "cy"] {
            let answers: &[&str] = if who == "cy" { &WRONG } else { &RIGHT };
            let path: serde_json::Map<String, Value> = answers
                .iter()
                .filter_map(|answer| answer.split_once('='))
                .map(|(question, answer)| (question.to_owned(), answer.into()))
                .collect();
            let label =
                serde_json::json!({ "case": format!("q{n}"), "reviewer": who, "path": path });
            labels.push_str(&format!("{label}\n"));
        }
    }
    let file = place.dir.path().join("labels.jsonl");
    std::fs::write(&file, labels).unwrap();
    place.ok(&["import", "labels", file.to_str().unwrap()]);
    first_round(&place);
    place.ok(&["calibrate", "reveal", "june"]);
    let found = |who: &str| {
        json(&place.ok(&["calibrate", "findings", "june", "--json", "--as", who]))["rates"].clone()
    };
    assert_eq!(found("ana"), serde_json::json!([]), "nothing is recorded");
    place.ok(&["consensus", "--method", "paths", "--record"]);
    let rates = found("ana");
    let rates = rates.as_array().unwrap();
    let of = |who: &str, question: &str| {
        let one = rates.iter().find(|one| one["reviewer"] == who && one["question"] == question);
        one.map(|one| one["share"].as_f64().unwrap())
    };
    assert!(of("ana", "verdict") > of("cy", "verdict"), "{rates:?}");
    assert_eq!(of("ana", "readable"), None, "nobody diverged there");
    let told = place.ok(&["calibrate", "findings", "june"]);
    assert!(told.contains("How often each answers right there"), "{told}");
    // Figures about others are not for whoever only reviews.
    let own = found("cy");
    let names: Vec<&Value> = own.as_array().unwrap().iter().map(|one| &one["reviewer"]).collect();
    assert!(!names.is_empty() && names.iter().all(|name| *name == "cy"), "{own}");
}
