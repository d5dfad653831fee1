//! The guide driven by keys: every kind of question, marking, what must be said, what is hidden,
//! cases like one.

use casework::clock;
use casework::domain::cues::Cue;
use casework::domain::label::Label;
use casework::tui::Review;
use casework::tui::dispatch::Event;
use casework::workspace::Workspace;
use casework::workspace::documents::read_protocol;

use crate::keys::Keys as _;
use crate::support::{Place, fixture, ingest, line};

const WIDE: (u16, u16) = (160, 45);
const NARROW: (u16, u16) = (80, 24);

/// A workspace with the protocol of every kind, a policy, and some cases.
pub fn place_with(policy: &[(&str, &str)], texts: &[&str]) -> (Place, Workspace) {
    let place = Place::new();
    let mut workspace = place.create();
    let protocol = read_protocol(&fixture("every-kind.toml"), None).unwrap();
    workspace.publish_protocol(&protocol, "").unwrap();
    let mut values = workspace.policy().unwrap();
    policy.iter().for_each(|(name, value)| values.set(name, value).unwrap());
    workspace.set_policy(values).unwrap();
    let lines: String = texts
        .iter()
        .enumerate()
        .map(|(i, text)| line(&format!("c{i}"), text, "pay", 0.3, i as i64))
        .collect();
    ingest(&mut workspace, &lines);
    (place, workspace)
}

fn snapshot(name: &str, session: &Review) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, session.text());
    });
}

fn labels(workspace: &Workspace) -> Vec<Label> {
    let mut found = Vec::new();
    casework::db::label::for_each(&workspace.tables().conn, |row| found.push(row.given.label))
        .unwrap();
    found
}

#[test]
fn every_kind_is_answered_by_keys() {
    let (_place, workspace) = place_with(&[], &["please trasnfer cafe\u{301} money 漢字 now"]);
    let mut session = Review::in_turn(workspace, WIDE, clock::now, None).unwrap();
    session.press("2 p");
    session.press("\"account\" Enter"); // found by its title
    session.press("1 3 3 2");
    snapshot("kind_multi", &session);
    session.press("Enter");
    snapshot("kind_scale", &session);
    session.press("9");
    assert!(session.text().contains("There is no such answer"), "the scale ends at 5");
    session.press("4");
    snapshot("kind_span", &session);
    session.press("m w Space w w v w Space");
    snapshot("kind_marking", &session);
    session.press("Enter");
    snapshot("kind_number", &session);
    session.press("1 2 0 Enter");
    session.press("Enter \"tell_the_desk\" Enter");
    assert!(session.front.session.opened.as_ref().unwrap().ended(), "{}", session.text());
    snapshot("kind_ended", &session);
    session.press("Enter");
    let label = labels(session.reader.workspace()).pop().unwrap();
    let outcome = serde_json::to_string(&label.outcome).unwrap();
    let expect = r#"{"cost":120,"evidence":[[7,15],[22,29]],"label":"transfer","misled_by":["s","w"],"note":"tell the desk","severity":4,"tags":["spelling"],"verdict":"wrong"}"#;
    assert_eq!(outcome, expect);
}

#[test]
fn a_choice_takes_one_key_and_a_usual_label_at_most_five() {
    let (_place, workspace) = place_with(&[], &["a", "b"]);
    let mut session = Review::in_turn(workspace, NARROW, clock::now, None).unwrap();
    session.press("1 Enter");
    assert_eq!(labels(session.reader.workspace()).len(), 1);
}

#[test]
fn the_kinds_fit_into_80_columns() {
    let (_place, workspace) = place_with(&[], &["please trasnfer some money now"]);
    let mut session = Review::in_turn(workspace, NARROW, clock::now, None).unwrap();
    session.press("2 p \"transfer\" Enter 2");
    snapshot("kind_multi_narrow", &session);
    session.press("Enter 2 m w v w");
    snapshot("kind_marking_narrow", &session);
    session.press("Enter T");
    snapshot("tree_narrow", &session);
    for size in [(32, 8), (40, 10), (20, 3), (300, 90)] {
        session.feed(Event::Resize(size.0, size.1));
        session.press("Esc m w j k . , Esc T");
        session.screen();
    }
}

#[test]
fn what_is_ticked_and_marked_outlives_the_program() {
    let (place, workspace) = place_with(&[], &["please trasnfer some money now"]);
    let mut session = Review::in_turn(workspace, WIDE, clock::now, None).unwrap();
    session.press("2 p \"transfer\" Enter 1 3");
    session.press("m w Space Esc");
    drop(session);
    let session = Review::in_turn(place.open(), WIDE, clock::now, None).unwrap();
    let opened = session.front.session.opened.as_ref().unwrap();
    assert_eq!(opened.ticked(), ["s", "o"]);
    assert_eq!(opened.draft.evidence.words(), "7-15");
}

#[test]
fn what_must_be_said_is_named_in_a_line_and_gone_to() {
    let rules =
        "rationale on override; confidence always; span if misled_by = w; check logs always";
    let (_place, workspace) =
        place_with(&[("require", rules)], &["please trasnfer some money now"]);
    let mut session = Review::in_turn(workspace, NARROW, clock::now, None).unwrap();
    session.press("2 p \"transfer\" Enter 2 Enter 1 m w Enter 0");
    session.press("Enter");
    assert!(
        session.text().contains("Not yet: the rationale: the label differs from the prediction"),
        "{}",
        session.text()
    );
    session.press("\"typo\" Esc Enter");
    assert!(
        session.text().contains("How sure are you?") && session.text().contains("s asks it."),
        "{}",
        session.text()
    );
    // A digit alone says nothing: it may have been meant for a question.
    session.press("4 Enter");
    assert!(session.text().contains("How sure are you?"), "{}", session.text());
    session.press("s 4 Enter");
    assert!(
        session.text().contains("Not ticked yet: I read the log lines. x ticks it."),
        "{}",
        session.text()
    );
    snapshot("missing_narrow", &session);
    session.press("x Enter");
    assert_eq!(labels(session.reader.workspace()).len(), 1);
    assert!(session.front.session.opened.is_none());
    // Agreeing with the model asks for less.
    session.press("U u u u u u u 1 Enter");
    assert_eq!(labels(session.reader.workspace()).len(), 2, "{}", session.text());
}

#[test]
fn what_a_policy_hides_is_nowhere_until_then_and_the_label_says_what_was_seen() {
    let hide = "prediction until answer; neighbours until answer; precedents until submit; history until submit";
    let (place, workspace) =
        place_with(&[("hide", hide)], &["please trasnfer some money now", "another"]);
    let shown = place.ok(&["show", "c0"]);
    assert!(!shown.contains("pay") && shown.contains("hidden by the policy"), "{shown}");
    let mut session = Review::in_turn(workspace, WIDE, clock::now, None).unwrap();
    for tab in ["I", "M", "N", "L", "H"] {
        session.press(tab);
        let text = session.text();
        assert!(!text.contains("pay"), "{tab} gives it away: {text}");
    }
    session.press("I");
    snapshot("hidden", &session);
    session.press("2");
    assert!(session.text().contains("pay 0.30"), "{}", session.text());
    session.press("M p \"transfer\" Enter Enter 1 0 Enter");
    let label = labels(session.reader.workspace()).pop().unwrap();
    let seen = label.seen.unwrap();
    assert_eq!(seen.first, [Cue::Flags, Cue::Logs]);
    assert!(
        !seen.first.contains(&Cue::Prediction)
            && seen.all.contains(&Cue::Prediction)
            && !seen.all.contains(&Cue::History)
    );
    let json = place.ok(&["labels", "--json"]);
    assert!(json.contains(r#""seen":{"first":["#), "{json}");
}

#[test]
fn cases_like_one_are_found_and_cited() {
    let texts = [
        "where is my parcel from cape verde",
        "the parcel to cape verde is late",
        "cancel my account",
    ];
    let (place, workspace) = place_with(&[], &texts);
    drop(workspace);
    place.ok(&["label", "c1", "--answer", "fits=y", "--rationale", "cape verde is abroad"]);
    place.ok(&["label", "c2", "--answer", "fits=y"]);
    let found = place.ok(&["precedents", "c0"]);
    assert!(found.contains("cape verde is late") && !found.contains("cancel"), "{found}");
    let mut session = Review::in_turn(place.open(), WIDE, clock::now, None).unwrap();
    assert!(session.text().contains("Like this one (=)"), "{}", session.text());
    session.press("=");
    snapshot("precedents", &session);
    session.press("Enter 1 Enter");
    let all = labels(session.reader.workspace());
    let label = all.iter().find(|label| !label.cites.is_empty()).unwrap();
    assert!(
        label.rationale.starts_with("as in ") && label.rationale.contains("verdict right"),
        "{}",
        label.rationale
    );
    assert!(label.seen.as_ref().unwrap().all.contains(&Cue::Precedents));
    // What is erased is no precedent.
    place.ok(&["erase", "c1", "--reason", "asked to"]);
    assert!(place.run(&["precedents", "c0"]).status.code() == Some(1));
}

#[test]
fn a_snippet_begins_the_rationale() {
    let (_place, workspace) = place_with(&[], &["please trasnfer some money now"]);
    let mut session = Review::in_turn(workspace, WIDE, clock::now, None).unwrap();
    session.press("2 p \"transfer\" Enter Enter 1 0");
    session.press("; \"override\" Enter \"so\" Esc");
    let rationale = &session.front.session.opened.as_ref().unwrap().draft.rationale;
    assert_eq!(rationale, "The model said pay; right is transfer, because so");
}

#[test]
fn a_refused_answer_stays_to_be_mended_and_says_why() {
    let (_place, workspace) = place_with(&[], &["please trasnfer some money now"]);
    let mut session = Review::in_turn(workspace, NARROW, clock::now, None).unwrap();
    session.press("2 p \"transfer\" Enter Enter 5");
    session.press("- 5 Enter");
    assert!(
        session.text().contains("This question takes a number of EUR from 0. > -5"),
        "{}",
        session.text()
    );
    session.press("Esc Enter Backspace Backspace 7 Enter");
    assert_eq!(session.front.session.opened.as_ref().unwrap().draft.answer_to("cost"), Some("7"));
    session.press("u");
    assert!(
        session.text().contains("begun: 7"),
        "what was written stays to be mended: {}",
        session.text()
    );
}
