//! Whose id a name is: a full id of ours beats whatever a stream sends, and what could mean two
//! cases changes neither.

use std::fs;

use serde_json::Value;

use crate::support::{Place, line};

fn of_stream(stream: &str, id: &str, text: &str) -> String {
    line(id, text, "pay", 0.2, 0).replace("\"stream\":\"s\"", &format!("\"stream\":\"{stream}\""))
}

fn ingest(place: &Place, lines: &str) {
    let stream = place.dir.path().join("s.jsonl");
    fs::write(&stream, lines).unwrap();
    place.ok(&["ingest", stream.to_str().unwrap()]);
}

fn show(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.ok(&["show", name, "--json"])).unwrap()
}

fn refused(place: &Place, args: &[&str], expect: &[&str]) {
    let before = place.ok(&["status", "--json"]);
    let output = place.run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    expect.iter().for_each(|word| assert!(error.contains(word), "{args:?} says {word}: {error}"));
    assert_eq!(place.ok(&["status", "--json"]), before, "{args:?} changed nothing");
}

/// Every command that changes something about a case, with the case left open.
fn changing(case: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["label", case, "--answer", "readable=n"],
        vec!["erase", case, "--reason", "asked for"],
        vec!["arbitrate", case, "--outcome", "verdict=x", "--cause", "other", "--rationale", "so"],
        vec!["arbitrate", case, "--withdraw", "--rationale", "so"],
        vec!["gold", "set", case],
        vec!["gold", "drop", case],
        vec!["comment", case, "words"],
        vec!["defer", case, "words"],
        vec!["escalate", case, "words"],
        vec!["appeal", case, "words"],
    ]
}

#[test]
fn a_stream_cannot_take_the_id_of_another_case() {
    let place = Place::new();
    place.create();
    ingest(&place, &line("victim", "the text of the victim", "pay", 0.2, 0));
    let id = show(&place, "victim")["case"].as_str().unwrap().to_owned();
    ingest(&place, &line(&id, "the text of the attacker", "pay", 0.2, 1));
    assert_eq!(show(&place, &id)["id"], "victim");
    place.ok(&["comment", &id, "about the victim"]);
    assert!(place.ok(&["show", "victim"]).contains("about the victim"));
    // Its own full id still means the other one.
    let other: Value = place
        .ok(&["queue", "--json"])
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|row| row["id"] == id.as_str())
        .unwrap();
    assert_eq!(show(&place, other["case"].as_str().unwrap())["text"], "the text of the attacker");
}

#[test]
fn an_id_of_two_streams_means_neither_and_both_are_named() {
    let place = Place::new();
    place.create();
    ingest(&place, &(of_stream("s", "7", "one text") + &of_stream("z", "7", "another text")));
    for args in changing("7").into_iter().chain([
        vec!["show", "7"],
        vec!["precedents", "7"],
        vec!["disagreements", "7"],
    ]) {
        refused(&place, &args, &["`7` may mean several cases", "stream `s`", "stream `z`"]);
    }
    let file = place.dir.path().join("l.jsonl");
    fs::write(&file, "{\"case\":\"7\",\"reviewer\":\"bo\",\"path\":[[\"readable\",\"n\"]]}\n")
        .unwrap();
    let output =
        place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl", "--json"]);
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains("several streams (s, z)"), "{words}");
    // What the refusal lists can be typed.
    let words = String::from_utf8(place.run(&["show", "7"]).stderr).unwrap();
    let id = words.split([' ', ',']).find(|word| word.len() == 32).unwrap();
    place.ok(&["comment", id, "words"]);
}

#[test]
fn what_is_also_the_beginning_of_an_id_is_looked_at_but_not_changed() {
    let place = Place::new();
    place.create();
    ingest(&place, &line("victim", "one text", "pay", 0.2, 0));
    let id = show(&place, "victim")["case"].as_str().unwrap().to_owned();
    let beginning = &id[..6];
    ingest(&place, &line(beginning, "another text", "pay", 0.2, 1));
    assert_eq!(show(&place, beginning)["text"], "another text");
    for args in changing(beginning) {
        refused(&place, &args, &["may mean several cases", &id]);
    }
    place.ok(&["comment", &id[..7], "words"]);
}
