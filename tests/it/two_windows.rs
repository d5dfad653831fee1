//! One reviewer with two windows: the second that submits on a case is told what the first did, and
//! asked.

use casework::config::Env;
use casework::tui::Review;
use casework::workspace::Workspace;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, line};

fn place() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..3).map(|i| line(&format!("p{i}"), &format!("text {i}"), "pay", 0.2, i)).collect();
    ingest(&mut workspace, &lines);
    place
}

fn window(place: &Place) -> Review {
    Review::in_turn(
        Workspace::open(place.paths(), Env::default(), None).unwrap(),
        (120, 40),
        || T0,
        None,
    )
    .unwrap()
}

fn labels(place: &Place) -> Vec<(String, String)> {
    let lines = place.ok(&["export"]);
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let counts = rows.filter(|row| row["counts"] == true);
    counts
        .map(|row| {
            (
                row["id"].as_str().unwrap().to_owned(),
                row["outcome"]["verdict"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

/// Both windows have p0 open; the first one says that the model is right.
fn overtaken() -> (Place, Review, Review) {
    let place = place();
    let (mut first, mut second) = (window(&place), window(&place));
    first.press("1 1 r Esc 2 Enter");
    assert_eq!(labels(&place).len(), 1, "{}", first.text());
    second.press("2 1");
    assert!(second.text().contains("p0"), "{}", second.text());
    second.press("Enter");
    (place, first, second)
}

#[test]
fn the_second_is_told_and_keys_typed_ahead_decide_nothing() {
    let (place, _first, mut second) = overtaken();
    let screen = second.text();
    assert!(screen.contains("meanwhile, in another window"), "{screen}");
    assert!(
        screen.contains("At ") && screen.contains("you said") && screen.contains("Here you say"),
        "{screen}"
    );
    let before = labels(&place);
    second.press("1 1 1 2 Enter j k");
    assert!(second.text().contains("meanwhile, in another window"), "{}", second.text());
    assert_eq!(labels(&place), before);
    second.press("Esc");
    assert!(second.text().contains("kept as a draft"), "{}", second.text());
    assert_eq!(labels(&place), before);
    // The draft is there in a window that is opened later.
    drop(second);
    assert!(place.ok(&["status", "--json"]).contains("\"drafts\":1"));
}

#[test]
fn it_may_replace_the_label_or_leave_it() {
    let (place, _first, mut second) = overtaken();
    let before = labels(&place);
    second.press("n");
    assert_eq!(labels(&place), before);
    assert!(second.text().contains("stands"), "{}", second.text());

    let (place, _first, mut second) = overtaken();
    let before = labels(&place);
    second.press("y");
    let after = labels(&place);
    assert_eq!(after.len(), 1);
    assert_ne!(after, before);
    // It goes on as after any label.
    assert!(!second.text().contains("meanwhile"), "{}", second.text());
    assert!(second.text().contains("p1"), "{}", second.text());
}

#[test]
fn a_label_that_comes_between_the_look_and_the_write_is_seen_too() {
    let place = place();
    let mut one = place.open();
    let mut two = place.open();
    let row = one.find_case("p0").unwrap();
    let protocols = one.protocols().unwrap();
    let published = protocols.for_stream("s").unwrap();
    let draft = |answers: &[(&str, &str)]| casework::review::Draft {
        answers: answers.iter().map(|(q, a)| ((*q).to_owned(), (*a).to_owned())).collect(),
        ..Default::default()
    };
    let answers = [("readable", "n"), ("damage", "c")];
    let label = one.label_of(&row, &draft(&answers), published).unwrap();
    assert_eq!(two.overtaken(&label, None).unwrap(), None);
    let given = one.submit_knowing(label.clone(), None).unwrap();
    let error = two.submit_knowing(label.clone(), None).unwrap_err();
    assert!(error.to_string().contains("meanwhile"), "{error}");
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 1, "all of it was taken back");
    two.submit_knowing(label, Some(given.event())).unwrap();
    assert!(place.open().verify_all(false).unwrap().ok);
}
