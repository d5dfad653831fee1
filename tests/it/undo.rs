//! Undo takes back the last thing somebody did, whatever it was, names it, and can be taken back
//! itself; nobody's undo reaches what another did.

use casework::tui::Review;
use proptest::prelude::*;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, digest, team_of_three};

fn told(place: &Place, args: &[&str]) -> String {
    let output = place.run(args);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const LABEL: [&str; 6] = ["label", "p0", "--answer", "readable=n", "--answer", "damage=c"];

#[test]
fn the_last_thing_is_undone_whatever_it_was_and_can_be_done_again() {
    let place = team_of_three();
    place.ok(&LABEL);
    place.ok(&["escalate", "p1", "no idea"]);
    place.ok(&["defer", "p2", "ask the desk"]);
    place.ok(&["comment", "p3", "seen twice"]);
    // Somebody else's is not mine.
    place.ok(&["comment", "p4", "by bo", "--as", "bo"]);
    let of = |args: &[&str]| place.run(args).stdout.len() > 1;
    assert!(of(&["queue", "--deferred"]) && of(&["queue", "--escalated"]));
    for (words, gone) in [
        ("your comment on", "seen twice"),
        ("your deferral of", "ask the desk"),
        ("your escalation of", "no idea"),
        ("your label of", "category data-hygiene"),
    ] {
        let text = told(&place, &["undo"]);
        assert!(text.contains(words) && text.contains(gone), "{text}");
    }
    assert!(!of(&["queue", "--deferred"]) && !of(&["queue", "--escalated"]));
    assert_eq!(place.ok(&["labels", "--json"]), "");
    assert_eq!(place.run(&["undo"]).status.code(), Some(2), "nothing of mine is left");
    assert!(place.ok(&["show", "p4"]).contains("commented: by bo\n"), "theirs stands");
    assert!(place.ok(&["show", "p1"]).contains("escalated: no idea (taken back)"));

    // What was undone last is done again first, until all of it is.
    for words in ["your label of", "your escalation of", "your deferral of", "your comment on"] {
        let text = told(&place, &["redo"]);
        assert!(text.contains(&format!("Done again: {words}")), "{text}");
    }
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 1);
    assert!(of(&["queue", "--deferred"]) && of(&["queue", "--escalated"]));
    assert_eq!(place.run(&["redo"]).status.code(), Some(2));
    // What was done again can be undone again; what is done otherwise ends it.
    for _ in 0..2 {
        place.ok(&["undo"]);
    }
    assert!(told(&place, &["redo"]).contains("Done again: your deferral of"));
    place.ok(&["undo"]);
    place.ok(&["defer", "p2", "later"]);
    assert_eq!(place.run(&["redo"]).status.code(), Some(2));
    place.ok(&["undo"]);
    place.ok(&["redo"]);
    assert!(of(&["queue", "--deferred"]));
    assert!(told(&place, &["verify"]).contains("0 faults"));
}

#[test]
fn a_ruling_is_undone_before_the_label_that_came_before_it() {
    let place = team_of_three();
    place.ok(&LABEL);
    place.ok(&["escalate", "p1", "no idea", "--as", "bo"]);
    place.ok(&[
        "arbitrate",
        "p1",
        "--outcome",
        "verdict=model_correct",
        "--outcome",
        "category=rare-combination",
        "--cause",
        "other",
        "--rationale",
        "plain",
    ]);
    let json: Value = serde_json::from_str(&place.ok(&["undo", "--json"])).unwrap();
    assert_eq!((&json["what"], &json["state"]), (&"ruling".into(), &"open".into()));
    place.ok(&["redo"]);
    assert!(place.ok(&["show", "p1"]).contains("(ruling)"));
}

#[test]
fn the_screen_undoes_and_does_again_by_one_key_and_lists_what_was_put_aside() {
    let place = team_of_three();
    place.ok(&["policy", "set", "overlap=3"]);
    let mut screen = Review::in_turn(place.open(), (100, 30), casework::clock::now, None).unwrap();
    screen.press("e \"what_is_this\" Enter");
    screen.press("V");
    assert!(
        screen.text().contains("deferred by you") || screen.text().contains("No case"),
        "{}",
        screen.text()
    );
    screen.press("Esc U");
    assert!(screen.text().contains("Undone: your escalation of"), "{}", screen.text());
    screen.press("ctrl-r");
    assert!(screen.text().contains("Done again: your escalation of"), "{}", screen.text());
    screen.press("d \"later\" Enter V");
    assert!(screen.text().contains("deferred by you  1 of 1"), "{}", screen.text());
    screen.press("V");
    assert!(screen.text().contains("escalated  1 of 1"), "{}", screen.text());
}

#[test]
fn the_screen_counts_what_is_done_again_as_saved() {
    let place = team_of_three();
    place.ok(&["policy", "set", "overlap=3"]);
    let mut screen = Review::in_turn(place.open(), (100, 30), casework::clock::now, None).unwrap();
    screen.press("1 1 3 Enter 1 1 3 Enter");
    assert!(screen.text().contains("2 saved"), "{}", screen.text());
    screen.press("U U");
    assert!(!screen.text().contains(" saved"), "{}", screen.text());
    screen.press("ctrl-r ctrl-r");
    let text = screen.text();
    assert!(text.contains("2 saved") && text.contains("Done again: the label of p1."), "{text}");
    screen.press("ctrl-r");
    assert!(screen.text().contains("nothing that ana undid is left"), "{}", screen.text());
    // What is no label is counted nowhere.
    screen.press("e \"what_is_this\" Enter U ctrl-r");
    assert!(screen.text().contains("2 saved"), "{}", screen.text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever is done: undone as often as things were done, nothing of it is left to be seen, and
    /// a journal that was folded again says the same.
    #[test]
    fn undone_as_often_as_done_nothing_is_left(deeds in prop::collection::vec(0_usize..4, 1..5)) {
        let place = team_of_three();
        let mut workspace = place.open();
        for (n, deed) in deeds.iter().enumerate() {
            let case = workspace.find_case(&format!("p{}", n % 6)).unwrap().id;
            match deed {
                0 => drop(workspace.comment(case, "hm").unwrap()),
                1 => drop(workspace.escalate(case, "hm").unwrap()),
                2 => drop(workspace.defer(case, "hm").unwrap()),
                _ => drop(place.run(&["label", &format!("p{}", n % 6), "--answer", "readable=n", "--answer", "damage=c"])),
            }
        }
        for _ in &deeds {
            workspace.undo().unwrap();
        }
        prop_assert!(workspace.undo().is_err());
        prop_assert!(workspace.deferred().unwrap().is_empty());
        prop_assert!(workspace.escalated().unwrap().is_empty());
        prop_assert_eq!(place.ok(&["labels", "--json"]), "");
        let before = digest(workspace.tables());
        drop(workspace);
        prop_assert!(place.ok(&["verify", "--json"]).contains("\"ok\":true"));
        let mut workspace = place.open();
        prop_assert_eq!(digest(workspace.tables()), before);
        // And done again as often, all of it is there.
        for _ in &deeds {
            workspace.redo().unwrap();
        }
        prop_assert!(workspace.redo().is_err());
        let many = |kind: usize| deeds.iter().filter(|deed| **deed == kind).count();
        prop_assert_eq!(workspace.deferred().unwrap().len(), many(2));
        prop_assert_eq!(workspace.escalated().unwrap().len(), many(1));
        drop(workspace);
        prop_assert_eq!(place.ok(&["labels", "--json"]).lines().count(), many(3));
    }
}
