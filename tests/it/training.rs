//! Known answers: training with feedback, passing it, and measuring by what is mixed into the
//! queue.

use casework::db::case::{Direction, QueueKey};
use casework::domain::label::GOLD_ROUND;
use casework::session::mode::Training;
use casework::tui::Review;
use casework::workspace::Workspace;

use crate::keys::Keys as _;
use crate::support::{Place, T0, fixture, ingest, line, piped, program};

/// A team of ana, who leads, and bo, on one device; ana knows the answers to the first cases.
fn taught(cases: usize, known: usize) -> Place {
    let place = Place::new();
    drop(place.create());
    let lines: String = (0..cases)
        .map(|i| line(&format!("c{i}"), &format!("text {i}"), "pay", 0.3, i as i64))
        .collect();
    ingest(&mut place.open(), &lines);
    let file = fixture("every-kind.toml");
    place.ok(&["protocol", "publish", file.to_str().unwrap()]);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    for i in 0..known {
        let case = format!("c{i}");
        place.ok(&["label", &case, "--answer", "fits=y"]);
        place.ok(&["gold", "set", &case, "--why", "the router is right about bills"]);
    }
    place
}

fn as_bo(place: &Place) -> Workspace {
    Workspace::open(place.paths(), casework::config::Env::default(), Some("bo")).unwrap()
}

#[test]
fn a_training_gives_feedback_at_once_and_one_event_says_how_it_went() {
    let place = taught(3, 3);
    place.ok(&["policy", "set", "training=3:60"]);
    let lessons = as_bo(&place).lessons("every-kind").unwrap();
    let mut session =
        Review::in_turn(as_bo(&place), (100, 30), || T0, Some(Training::new(lessons))).unwrap();
    assert!(!session.text().contains("resolved ·"), "{}", session.text());
    session.press("2 p \"transfer\" Enter 3 Enter 1 0 Enter");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("training_feedback", session.text());
    });
    session.press("Enter 1 Enter");
    assert!(session.text().contains("Right: label pay"), "{}", session.text());
    session.press("Enter d");
    assert!(session.text().contains("Not in a training"), "{}", session.text());
    session.press("1 Enter Enter");
    assert!(session.text().contains("2 of 3 right: passed."), "{}", session.text());
    session.press("Enter");
    drop(session);
    let trained = place.ok(&["gold", "trained"]);
    assert!(trained.contains("bo") && trained.contains("2 of 3 right, passed"), "{trained}");
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 3, "a training gives no labels");
    assert!(place.open().verify_all(false).unwrap().ok);
}

#[test]
fn a_training_can_be_gone_through_line_by_line() {
    let place = taught(2, 2);
    place.ok(&["policy", "set", "training=2:100"]);
    let train = |answers: &str| {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).args([
            "train",
            "every-kind",
            "--lines",
            "--as",
            "bo",
        ]);
        let output = piped(&mut command, answers.as_bytes());
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    };
    let cut_short = train("y\n");
    assert!(cut_short.contains("left before the end: nothing is recorded"), "{cut_short}");
    let wrong = train("maybe\nno\ntransfer\nnone\n2\nnone\ny\n");
    for expect in [
        "`maybe` is no answer to it",
        "You left the right path at `fits`",
        "1 of 2 right: not passed",
        "about bills",
    ] {
        assert!(wrong.contains(expect), "{expect}: {wrong}");
    }
    assert!(train("y\ny\n").contains("2 of 2 right: passed."));
    assert_eq!(place.ok(&["gold", "trained", "--json"]).lines().count(), 2);
    assert_eq!(place.run(&["train", "no-such"]).status.code(), Some(2));
}

#[test]
fn where_a_training_is_required_nobody_gets_cases_before_it() {
    let place = taught(4, 1);
    let waiting = || as_bo(&place).queue().unwrap().1;
    assert!(waiting().mine() > 0);
    place.ok(&["policy", "set", "training=1:100", "training_required=yes"]);
    assert_eq!((waiting().mine(), waiting().beyond), (0, 3));
    let explained = place.ok(&["queue", "--explain", "--as", "bo"]);
    assert!(explained.contains("casework train"), "{explained}");
    let lessons = as_bo(&place).lessons("every-kind").unwrap();
    let mut session =
        Review::in_turn(as_bo(&place), (100, 30), || T0, Some(Training::new(lessons))).unwrap();
    session.press("1 Enter Enter Enter");
    drop(session);
    assert!(waiting().mine() > 0 && waiting().beyond == 0);
}

#[test]
fn known_answers_are_mixed_in_and_settle_nothing() {
    let place = taught(100, 4);
    place.ok(&["policy", "set", "gold_percent=10"]);
    let bo = as_bo(&place);
    let (queue, counts) = bo.queue().unwrap();
    let rows = queue.page(&bo.tables().conn, QueueKey::FIRST, Direction::Forward, 100).unwrap();
    let known: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| ["c0", "c1", "c2", "c3"].contains(&row.external_id.as_str()))
        .map(|(at, _)| at)
        .collect();
    assert!((3..=4).contains(&known.len()) && known[0] > 3, "{known:?}");
    assert!(rows.iter().all(
        |row| row.state == casework::domain::resolve::CaseState::Open && row.outcome.is_none()
    ));
    let again = queue.page(&bo.tables().conn, QueueKey::FIRST, Direction::Forward, 100).unwrap();
    assert_eq!(rows, again, "where they are does not change by looking");
    let hidden = rows[known[0]].id;
    let digest_of_state =
        |place: &Place| place.ok(&["export", "--format", "jsonl", "--rows", "cases"]);
    let before = digest_of_state(&place);
    let mut session = Review::in_turn(as_bo(&place), (160, 45), || T0, None).unwrap();
    for effect in session.front.session.open(hidden) {
        if let Some(job) = session.reader.perform(effect) {
            session.hear(job);
        }
    }
    let text = session.text();
    assert!(
        !text.contains("resolved ·") && !text.contains("gave a label") && !text.contains("v1)"),
        "{text}"
    );
    session.press("2 p \"transfer\" Enter Enter 1 0 Enter");
    drop(session);
    assert_eq!(digest_of_state(&place), before, "a label that measures settles nothing");
    // Given again, it still measures; and nobody else learns that it does.
    let args = ["label", "c0", "--answer", "fits=y", "--as", "bo"];
    let c = |n: usize| format!("c{n}");
    let own = (0..4).map(c).find(|own| rows[known[0]].external_id == *own).unwrap();
    place.ok(&[&args[..1], &[&own], &args[2..]].concat());
    assert_eq!(digest_of_state(&place), before);
    assert_eq!(
        as_bo(&place).queue().unwrap().1.mine(),
        counts.mine(),
        "it was none of the cases that wait"
    );
    place.ok(&["roster", "admit", "chidi", "--role", "reviewer"]);
    let shown = place.ok(&["show", &own, "--as", "chidi"]);
    assert!(!shown.contains("gold") && !shown.contains("bo "), "{shown}");
    assert_eq!(place.ok(&["queue", "--limit", "9", "--as", "bo", "--json"]).lines().count(), 9);
    let labels = place.ok(&["labels", "--all", "--json"]);
    assert_eq!(
        labels
            .lines()
            .filter(|label| label.contains(&format!("\"round\":\"{GOLD_ROUND}\"")))
            .count(),
        2,
        "{labels}"
    );
}
