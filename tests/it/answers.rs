//! An answer is what its key says: never its place, never a text of another version, never one of
//! two that contradict.

use std::fs;

use proptest::prelude::*;

use casework::domain::ids::CaseId;
use casework::domain::label::{Label, MAIN_ROUND, Step};
use casework::domain::protocol::replay::Fate;
use casework::domain::protocol::{Protocol, Walked, parse, replay, walk};

use crate::support::{Place, line};

/// One question with these answers; each sets `v` to what it says.
fn protocol(answers: &[(&str, &str)]) -> String {
    let answer = |(key, text): &(&str, &str)| {
        format!("  {{ key = \"{key}\", text = \"{text}\", set = {{ v = \"{text}\" }} }},\n")
    };
    format!(
        "id = \"p\"\ntitle = \"t\"\nstart = \"q\"\nlabels = [\"pay\"]\n[require]\nfields = [\"v\"]\n[[question]]\nid = \"q\"\nask = \"Q?\"\nanswers = [\n{}]\n",
        answers.iter().map(answer).collect::<String>()
    )
}

const BEFORE: &[(&str, &str)] = &[("1", "Fine"), ("2", "Mild"), ("3", "Severe")];
const AFTER: &[(&str, &str)] = &[("1", "Fine"), ("3", "Severe")];

/// A workspace whose protocol is `source`, with cases c0, c1 …
fn place(source: &str, cases: i64) -> Place {
    let place = Place::new();
    place.create();
    let stream = place.dir.path().join("s.jsonl");
    let lines: String =
        (0..cases).map(|i| line(&format!("c{i}"), "few words", "pay", 0.2, i)).collect();
    fs::write(&stream, lines).unwrap();
    place.ok(&["ingest", stream.to_str().unwrap()]);
    publish(&place, source);
    place
}

fn publish(place: &Place, source: &str) {
    let file = place.dir.path().join("p.toml");
    fs::write(&file, source).unwrap();
    place.ok(&["protocol", "publish", file.to_str().unwrap(), "--changes", "as the test says"]);
}

fn refused(place: &Place, args: &[&str], expect: &[&str]) {
    let output = place.run(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    expect.iter().for_each(|word| assert!(error.contains(word), "{args:?} says {word}: {error}"));
}

fn labels(place: &Place) -> Vec<serde_json::Value> {
    place
        .ok(&["labels", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_answer_that_was_taken_out_is_asked_again_and_is_no_other() {
    let place = place(&protocol(BEFORE), 3);
    for (case, answer) in [("c0", "1"), ("c1", "2"), ("c2", "3")] {
        place.ok(&["label", case, "--answer", &format!("q={answer}")]);
    }
    let next = place.dir.path().join("next.toml");
    fs::write(&next, protocol(AFTER)).unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&place.ok(&["protocol", "replay", next.to_str().unwrap(), "--json"]))
            .unwrap();
    assert_eq!(
        (&report["unchanged"], &report["changed"]),
        (&2.into(), &serde_json::json!([])),
        "{report}"
    );
    assert_eq!(report["stuck"], 1, "{report}");
    publish(&place, &protocol(AFTER));
    let renew = place.ok(&["queue", "--renew", "--json"]);
    assert!(renew.contains("\"c1\"") && !renew.contains("\"c0\""), "{renew}");
    refused(
        &place,
        &["label", "c1", "--answer", "q=2"],
        &["`2` is no answer to `q`", "1 (Fine), 3 (Severe)"],
    );
    let file = place.dir.path().join("l.jsonl");
    fs::write(&file, "{\"case\":\"c1\",\"reviewer\":\"bo\",\"path\":[[\"q\",\"2\"]]}\n").unwrap();
    let output = place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl"]);
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(words.contains("`2` is no answer to `q`"), "{words}");
    // By text what is meant is clear.
    place.ok(&["label", "c1", "--answer", "q=severe"]);
    assert!(labels(&place).iter().any(|label| label["path"] == serde_json::json!([["q", "3"]])));
}

/// A label of a stream that is spelled otherwise was taken for one of the case that has its id.
#[test]
fn a_label_that_names_a_stream_is_of_no_case_of_another() {
    let place = place(&protocol(BEFORE), 1);
    let of_other =
        line("c0", "another", "pay", 0.2, 1).replace("\"stream\":\"s\"", "\"stream\":\"chat\"");
    crate::support::ingest(&mut place.open(), &of_other);
    let stream = |id: &CaseId| -> String {
        let shown: serde_json::Value =
            serde_json::from_str(&place.ok(&["show", &id.to_string(), "--json"])).unwrap();
        shown["stream"].as_str().or_else(|| shown["case"]["stream"].as_str()).unwrap().to_owned()
    };
    let (own, other) = (CaseId::of("s", "c0"), CaseId::of("chat", "c0"));
    assert_eq!((stream(&own), stream(&other)), ("s".to_owned(), "chat".to_owned()));
    let file = place.dir.path().join("l.jsonl");
    let import = |name: &str| {
        let label = format!(
            "{{\"id\":\"c0\",\"stream\":\"{name}\",\"reviewer\":\"bo\",\"path\":[[\"q\",\"1\"]]}}\n"
        );
        fs::write(&file, label).unwrap();
        let ran = place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl"]);
        String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap()
    };
    let said = import("chta");
    assert!(said.contains("no case `c0` of the stream `chta` here"), "{said}");
    assert!(labels(&place).is_empty());
    import("chat");
    let found = labels(&place);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["case"], other.to_string());
}

#[test]
fn known_answers_and_trainings_go_by_keys_too() {
    let place = place(&protocol(BEFORE), 2);
    place.ok(&["label", "c0", "--answer", "q=2"]);
    place.ok(&["gold", "set", "c0"]);
    publish(&place, &protocol(AFTER));
    let list = place.run(&["gold", "list", "--json"]);
    let words = String::from_utf8(list.stdout).unwrap();
    assert!(!words.contains("Severe"), "the known answer 2 is none now, not the second: {words}");
}

#[test]
fn what_contradicts_itself_or_is_not_asked_is_refused_and_named() {
    let source = "id=\"p\"\ntitle=\"t\"\nstart=\"a\"\n[[question]]\nid=\"a\"\nask=\"A?\"\nanswers=[{key=\"y\",text=\"Yes\",goto=\"b\"},{key=\"n\",text=\"No\",set={v=\"no\"}}]\n[[question]]\nid=\"b\"\nask=\"B?\"\nkind=\"number\"\nsets=\"n\"\nset={v=\"yes\"}\n";
    let place = place(source, 5);
    refused(
        &place,
        &["label", "c0", "--answer", "a=y", "--answer", "a=n"],
        &["`a` is answered twice"],
    );
    refused(&place, &["label", "c0", "--answer", "a=n", "--answer", "b=3"], &["`b` is not asked"]);
    refused(&place, &["label", "c0", "--answer", "c=n"], &["no question `c`", "a, b"]);
    refused(
        &place,
        &["label", "c0", "--answer", "a=y", "--answer", "b=0.10000000000000000555"],
        &["exactly"],
    );
    assert!(labels(&place).is_empty(), "nothing was saved");
    place.ok(&[
        "label",
        "c0",
        "--answer",
        "a=y",
        "--answer",
        "a=yes",
        "--answer",
        "b=9007199254740993",
    ]);
    assert_eq!(labels(&place)[0]["outcome"]["n"].to_string(), "9007199254740993");
    let check = |path: &str, expect: &str| {
        let file = place.dir.path().join("l.jsonl");
        fs::write(&file, format!("{{\"case\":\"c1\",\"reviewer\":\"bo\",\"path\":{path}}}\n"))
            .unwrap();
        let output =
            place.run(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl", "--json"]);
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        if expect.is_empty() {
            return assert_eq!(summary["imported"], 1, "{path}: {summary}");
        }
        assert_eq!(summary["rejected"], 1, "{path}: {summary}");
        assert!(
            summary["rejects"][0]["reason"].as_str().unwrap().contains(expect),
            "{path}: {summary}"
        );
    };
    check(r#"[["a","n"],["a","y"],["b","3"]]"#, "`a` is answered twice");
    check(r#"[["a","n"],["b","3"]]"#, "`b` is not asked");
    check(r#"[["a","n"],["z","3"]]"#, "no question `z`");
    check(r#"[["a","1"]]"#, "`1` is no answer to `a`");
    check(r#"[["a"]]"#, "[question, answer]");
    check(r#"{"a":{}}"#, "the answer to `a`");
    check(r#"[["a","y"],["b",12345678901234567890123]]"#, "no answer to `b`");
    check(r#"[["a","y"],["b",9007199254740993]]"#, "");
    assert!(labels(&place).iter().any(
        |label| label["outcome"]["n"] == 9_007_199_254_740_993_u64 && label["reviewer"] == "bo"
    ));
}

fn given(protocol: &Protocol, answer: &str) -> Label {
    let steps: Vec<Step> = vec![("q".to_owned(), answer.to_owned())];
    let walked = walk(protocol, &steps);
    let Walked::Ends(outcome) = walked.end else { panic!("{answer} ends") };
    Label {
        path: walked.path,
        outcome,
        ..Label::empty(CaseId([0; 16]), "ana", MAIN_ROUND, protocol.reference(1))
    }
}

proptest! {
    /// Whatever keys and texts two versions have: a replayed label keeps its key, or needs an
    /// answer.
    #[test]
    fn a_replay_reads_a_key_or_nothing(
        old in proptest::collection::btree_map("[1-4a-cyn]", "(Yes|No|Fine|1|2|y|n|b)", 1..5),
        new in proptest::collection::btree_map("[1-4a-cyn]", "(Yes|No|Fine|1|2|y|n|b)", 1..5),
        which in 0..5_usize,
    ) {
        let answers = |map: &std::collections::BTreeMap<String, String>| {
            let pairs: Vec<(&str, &str)> = map.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
            parse(&protocol(&pairs), None).unwrap()
        };
        let (before, after) = (answers(&old), answers(&new));
        let (key, text) = old.iter().nth(which % old.len()).unwrap();
        let fate = replay(&[&after], &given(&before, key), None);
        match new.get(key) {
            Some(same) if same == text => prop_assert_eq!(fate, Fate::Unchanged),
            Some(other) => {
                let changed = matches!(&fate, Fate::Changed { to, .. } if to["v"] == other.as_str());
                prop_assert!(changed, "{:?}", fate);
            }
            None => prop_assert_eq!(fate, Fate::Stuck { question: "q".to_owned(), answer: key.clone() }),
        }
    }
}
