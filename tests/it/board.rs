//! The board and the report: how the work stands, each number with the cases behind it.

use casework::config::Env;
use casework::domain::resolve::CaseState;
use casework::review::board::BoardSums;
use casework::review::board::snapshot::Counted;
use casework::session::Report;
use casework::tui::Review;
use casework::workspace::Workspace;

use crate::keys::Keys as _;
use crate::support::{Place, T0, fixture, ingest, line, shared};

fn label(place: &Place, case: &str, who: &str, answers: &[&str]) {
    let mut args = vec!["label", case, "--as", who];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
}

const YES: [&str; 3] = ["readable=y", "verdict=y", "category=r"];
const NO: [&str; 4] = ["readable=y", "verdict=n", "corrected=<b>transfer</b>", "category=d"];

fn team() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..5).map(|i| line(&format!("p{i}"), &format!("move money {i}"), "pay", 0.2, i)).collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "on=verdict"]);
    for (case, bo) in [("p0", &YES[..]), ("p1", &NO), ("p2", &NO)] {
        label(&place, case, "ana", &YES);
        label(&place, case, "bo", bo);
    }
    place
}

#[test]
fn what_is_kept_and_mended_is_what_is_read_anew() {
    let place = team();
    let workspace = place.open();
    let mut sums = BoardSums::default();
    let refresh = |sums: &mut BoardSums, expect: Option<usize>| {
        let workspace = place.open();
        let protocols = workspace.protocols().unwrap();
        let read = sums.refresh(&workspace.tables().conn, &protocols).unwrap();
        assert!(
            expect.is_none_or(|expect| expect == read),
            "{read} cases were read, not {expect:?}"
        );
        let mut anew = BoardSums::default();
        anew.refresh(&workspace.tables().conn, &protocols).unwrap();
        assert!(*sums == anew, "after {read} cases");
        assert_eq!(
            workspace.board(sums).unwrap().due_items,
            workspace.due_items().unwrap(),
            "what is owed"
        );
    };
    refresh(&mut sums, Some(5));
    refresh(&mut sums, Some(0));
    label(&place, "p3", "ana", &YES);
    label(&place, "p1", "bo", &YES);
    refresh(&mut sums, Some(2));
    place.ok(&["undo", "--as", "bo"]);
    refresh(&mut sums, Some(1));
    place.ok(&["arbitrate", "p1", "--take", "A", "--cause", "other", "--rationale", "x"]);
    place.ok(&["nudge"]);
    refresh(&mut sums, Some(1));
    place.ok(&["escalate", "p4", "who knows"]);
    place.ok(&["arbitrate", "p2", "--return", "A", "--rationale", "is it?"]);
    refresh(&mut sums, Some(2));
    place.ok(&["policy", "set", "on=category"]);
    refresh(&mut sums, Some(5));
    place.ok(&["roster", "admit", "cy", "--role", "reviewer"]);
    place.ok(&["roster", "retire", "bo", "--reason", "left"]);
    refresh(&mut sums, None);
    // A prediction that comes in is one case more, and nothing else is read.
    ingest(&mut place.open(), &line("p9", "move money 9", "pay", 0.2, 9));
    refresh(&mut sums, Some(1));
    let board = workspace.board(&mut sums).unwrap();
    assert_eq!(board.states.values().map(Vec::len).sum::<usize>(), 6);
}

#[test]
fn the_board_follows_what_others_write() {
    let place = team();
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("D 2 j");
    assert!(session.text().contains("3 pairs, 2 diverge"), "{}", session.text());
    label(&place, "p3", "ana", &YES);
    label(&place, "p3", "bo", &NO);
    // Two labels are two writes, and may be seen one by one.
    for _ in 0..2 {
        if !session.text().contains("4 pairs, 3 diverge") {
            session.wait_for(|job| matches!(job, Some(Report::BoardChanged(_))));
        }
    }
    assert!(session.text().contains("4 pairs, 3 diverge"), "{}", session.text());
    session.press("Enter");
    assert!(session.text().contains("diverge at verdict"), "{}", session.text());
}

#[test]
fn what_labels_say_of_a_case_that_waits_is_counted_and_not_shown_to_whom_it_waits_for() {
    let place = team();
    place.ok(&["policy", "set", "overlap=3", "limit=3"]);
    place.ok(&["roster", "admit", "cy", "--role", "reviewer"]);
    let as_cy = Workspace::open(place.paths(), Env::default(), Some("cy")).unwrap();
    let board = as_cy.board(&mut BoardSums::default()).unwrap();
    let behind = |of: &Counted| (of.n(), of.cases.len());
    assert_eq!(behind(&board.differ), (2, 0));
    let pending = &board.categories["distribution-shift"].pending;
    assert_eq!(behind(pending), (2, 0));
    assert_eq!(behind(&board.weeks[0].differ), (2, 0));
    assert_eq!(behind(&board.diverged_at["verdict"]), (2, 0));
    assert!(board.diverged_by.values().all(|of| behind(of) == (2, 0)));
    let off_diagonal = board.matrix.cells.iter().filter(|((a, b), _)| a != b);
    assert!(off_diagonal.map(|(_, of)| behind(of)).eq([(2, 0)]));
    // Every row that stands for fewer cases than it counts says so: in the window, as it is opened,
    // and line by line.
    let as_cy = || Workspace::open(place.paths(), Env::default(), Some("cy")).unwrap();
    let mut session = Review::in_turn(as_cy(), (100, 30), || T0, None).unwrap();
    session.press("D");
    let says = "Left out: 2 cases that you may still label, or that measure reviewers.";
    let about_others = "Left out: 1 figure about others (shown to leads).";
    for (page, says) in [("2 j", says), ("4", about_others), ("6", says), ("5 j", says)] {
        session.press(page);
        assert!(session.text().contains(says), "{}", session.text());
    }
    session.press("Enter");
    assert!(session.text().contains("Board"), "there is nothing to list");
    let lines = crate::linear::review(as_cy(), "board\nmore\nmore\nquit\n").0;
    assert!(lines.contains(says), "{lines}");
}

#[test]
fn each_number_knows_its_cases() {
    let place = team();
    let workspace = place.open();
    let board = workspace.board(&mut BoardSums::default()).unwrap();
    assert_eq!(board.states[&CaseState::Disputed].len(), 2);
    assert_eq!(board.disagreement(), Some(2.0 / 3.0));
    assert_eq!(board.diverged_at["verdict"].n(), 2);
    assert_eq!(board.categories["rare-combination"].resolved.len(), 1);
    assert_eq!(board.categories["distribution-shift"].pending.n(), 2);
    assert_eq!(board.matrix.classes, ["model_correct", "wrong_label"]);
    assert_eq!(board.matrix.cells[&(0, 1)].n(), 2);
    assert_eq!((board.weeks.len(), board.versions.len(), board.versions[0].cases.len()), (1, 1, 3));
    assert_eq!(board.days.last().unwrap().settled.len(), 1);
    // One figure, with one interval, wherever it is shown.
    let agreement: serde_json::Value =
        serde_json::from_str(&place.ok(&["agreement", "--json"])).unwrap();
    let alpha = agreement.pointer("/krippendorff_alpha/nominal").unwrap();
    assert_eq!(serde_json::to_value(&board.alpha).unwrap(), *alpha, "{agreement}");
    assert_eq!(board.weeks[0].alpha, board.alpha);
    let by_owner = |who: &str| {
        board.due_items.iter().filter(|item| item.who.iter().any(|name| name == who)).count()
    };
    assert_eq!((by_owner("ana"), by_owner("bo")), (4, 2), "two to label each, and two to rule on");
}

#[test]
fn a_number_opens_its_cases_and_those_their_labels() {
    let place = team();
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("D 2 j");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        // The header tells of the calendar.
        let below = |session: &Review| session.text().split_once('\n').unwrap().1.to_owned();
        insta::assert_snapshot!("board_questions", below(&session));
        session.press("5 j");
        insta::assert_snapshot!("board_matrix", below(&session));
    });
    session.press("5 g Enter");
    let text = session.text();
    assert!(text.contains("No case stands behind this row.") && text.contains("Matrix"), "{text}");
    session.press("2 j Enter");
    assert!(session.text().contains("diverge at verdict  1 of 2"), "{}", session.text());
    session.press("Enter A");
    assert!(
        session.text().contains("labels without names"),
        "a disputed case is ruled on blind: {}",
        session.text()
    );
    session.press("Esc Esc");
    assert!(session.front.session.listing.is_none(), "{}", session.text());
    for keys in ["D 1", "3", "4", "6", "7", "Enter"] {
        session.press(keys);
        session.screen();
    }
    // Figures about pairs are shown to leads, and to the two.
    let as_bo = Workspace::open(place.paths(), Env::default(), Some("bo")).unwrap();
    let mut session = Review::in_turn(as_bo, (80, 24), || T0, None).unwrap();
    session.press("D 4");
    assert!(session.text().contains("ana            bo"), "{}", session.text());
}

/// Whoever rules reads every reason to its end, and the whole of what a label says.
#[test]
fn a_ruling_shows_every_reason_and_outcome_whole() {
    let place = team();
    let reason: String = (0..12).map(|n| format!("Reason {n} says that it is so. ")).collect();
    let reason = format!("{reason}But on the whole, take the other.");
    let mut args = vec!["label", "p2", "--as", "bo", "--rationale", &reason];
    NO.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
    let mut session = Review::in_turn(place.open(), (60, 24), || T0, None).unwrap();
    session.press("D 2 j Enter Enter A");
    let mut seen = session.text();
    assert!(seen.contains("labels without names"), "{seen}");
    for _ in 0..12 {
        session.press("j");
        seen.push_str(&session.text());
    }
    // A reason that was begun and left goes on where it is asked for again.
    session.press("b 2 \"the_words_are_plain\" Esc b 2");
    let text = session.text();
    assert!(text.contains("the words are plain"), "{text}");
    for words in ["other.”", "category distribution-shift", "<b>transfer</b>"] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
}

#[test]
fn a_lead_who_reviews_is_blind_to_a_case_that_still_waits_for_their_label() {
    let place = team();
    label(&place, "p3", "bo", &NO);
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("BackTab Enter");
    let open = session.front.session.opened.as_ref().unwrap().case.row.clone();
    assert_eq!((open.external_id.as_str(), open.labels), ("p3", 1));
    session.press("A");
    assert!(session.text().contains("shown when you have labeled"), "{}", session.text());
    assert!(!session.text().contains("transfer"), "{}", session.text());
}

#[test]
fn what_was_worked_out_beside_disturbs_nobody() {
    let place = team();
    let mut session = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    session.press("r \"because\"");
    let words =
        Report::Words { title: "How reliable you are".into(), words: vec!["ana: 3 labels".into()] };
    session.hear(words.clone());
    assert!(!session.text().contains("3 labels"), "who writes goes on writing: {}", session.text());
    session.press("Esc Y");
    assert!(session.text().contains("ana: 3 labels"), "{}", session.text());
    // The board opens as it stood, before it is counted anew.
    session.press("Esc D 3 Esc D");
    assert!(
        session.text().contains("‹Now›") && !session.text().contains("Counting"),
        "{}",
        session.text()
    );
    session.press("G");
    assert!(session.text().contains("▸ waits for"), "the last row is reached: {}", session.text());
}

#[test]
fn the_report_is_one_page_that_names_nobody_and_in_which_nothing_acts() {
    let place = team();
    let file = place.dir.path().join("report.html");
    place.ok(&["report", "--out", file.to_str().unwrap()]);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(
        !page.contains("<b>")
            && !page.contains("<script")
            && !page.contains("http:")
            && !page.contains("https:"),
        "{page}"
    );
    assert!(!page.contains(">bo<") && !page.contains("ana</"), "nobody is named");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.matches("<svg").count() >= 4 && !page.contains("NaN"));
    assert!(page.contains("Z, from") && !page.contains("UTC"), "a time says its zone once");
    let document: serde_json::Value =
        serde_json::from_str(&place.ok(&["report", "--json"])).unwrap();
    assert_eq!(document["states"]["disputed"], 2);
    // With nothing in it too.
    let empty = Place::new();
    empty.create();
    assert!(!empty.ok(&["report"]).contains("NaN"));
}

/// Six simulated reviewers on real predictions.
#[test]
fn the_board_counts_what_the_commands_count() {
    let Some(data) = shared("the_board_counts_what_the_commands_count") else { return };
    let place = Place::new();
    place.create();
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    place.ok(&["ingest", &path("stream/stream.jsonl")]);
    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=2", "limit=3", "on=verdict"]);
    place.ok(&["import", "labels", &path("reviews/reviews.jsonl"), "--format", "jsonl"]);
    let workspace = place.open();
    let board = workspace.board(&mut BoardSums::default()).unwrap();
    let of = &board.divergence;
    let scope = of.nodes().into_iter().find(|node| node.question == "scope").unwrap().clone();
    assert_eq!((of.pairs, scope.reached, scope.diverged), (2261, 1979, 545));
    let alpha: serde_json::Value =
        serde_json::from_str(&place.ok(&["agreement", "--json", "--resample", "0"])).unwrap();
    let alpha = alpha["krippendorff_alpha"]["nominal"]["value"].as_f64().unwrap();
    assert!((board.alpha.value.unwrap() - alpha).abs() < 1e-12);
}
